"""The database of a replica: found by the configuration, backed up, recovered, restored."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from daos_control.apps.server import upkeep
from daos_control.apps.server.upkeep import Replica, UpkeepError
from daos_control.config.document import parse
from daos_control.config.server import ServerConfig
from daos_control.mgmt.upkeep import UNSEEN
from daos_control.store.sqlite import SqliteStore
from daos_control.testing.database import write_database

MEMBER = (
    b'{"rank":%d,"uuid":"00000000-0000-4000-8000-%012d","addr":"127.0.0.1:10001","state":"joined",'
    b'"fault_domain":"/n","node":%d,"fabric_uri":"ofi+tcp://127.0.0.1:%d","last_update":"2026-01-31T00:00:00Z"}'
)


def system(ranks: int, *, map_version: int) -> dict[str, bytes | None]:
    members = {f"system/member/{rank}": MEMBER % (rank, rank, rank + 2, rank) for rank in range(ranks)}
    counters = b'{"map_version":%d,"next_rank":%d}' % (map_version, ranks)
    return {"system/map": counters, "system/domain/n": b"1", **members}


@pytest.fixture
def replica(tmp_path: Path) -> Replica:
    """A replica with a formatted storage, and a system of three ranks."""
    folder = tmp_path / "daos0" / "control_raft"
    folder.mkdir(parents=True)
    (tmp_path / "daos0" / "superblock").write_text("")
    (tmp_path / "run").mkdir()
    replica = Replica(
        address="127.0.0.1:10001", peers=(), database=folder / "daos_system.sqlite", socket_dir=tmp_path / "run"
    )
    write_database(replica.database, system(3, map_version=5))
    return replica


def config(text: str) -> ServerConfig:
    return parse(text, ServerConfig(), source="test").completed()


ENGINE = "engines: [{targets: 1, fabric_iface: lo, fabric_iface_port: 31416, storage: [{class: ram, scm_mount: /m}]}]"


def test_a_replica_is_found_by_the_configuration():
    found = upkeep.locate(config(f"provider: ofi+tcp\nmgmt_svc_replicas: [127.0.0.1]\nsocket_dir: /run/x\n{ENGINE}"))
    assert (found.address, found.peers) == ("127.0.0.1:10001", ())
    assert found.database == Path("/m/control_raft/daos_system.sqlite")
    assert found.socket_dir == Path("/run/x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"provider: ofi+tcp\nmgmt_svc_replicas: [192.0.2.1]\n{ENGINE}", "no replica .* one of 192.0.2.1:10001"),
        ("provider: ofi+tcp\nmgmt_svc_replicas: [127.0.0.1]", "has no engines"),
    ],
    ids=["another host's", "no engines"],
)
def test_hosts_without_a_replica(text, words):
    with pytest.raises(UpkeepError, match=words):
        upkeep.locate(config(text))


def test_status(replica):
    found = upkeep.status(replica)
    assert found.holder is None
    assert found.health is not None
    assert found.summary is not None
    assert (found.health.is_sound, str(found.summary.ranks), found.summary.map_version) == (True, "0-2", 5)


def test_status_before_the_first_format(replica):
    replica.database.unlink()
    assert upkeep.status(replica).health is None


async def test_status_and_backup_while_it_is_in_use(replica, tmp_path):
    store = await SqliteStore.open(replica.database)
    found = await asyncio.to_thread(upkeep.status, replica)
    await asyncio.to_thread(upkeep.backup, replica, tmp_path / "backup")
    with pytest.raises(UpkeepError, match="runs with this database: stop it first"):
        await asyncio.to_thread(upkeep.recover, replica)
    with pytest.raises(UpkeepError, match="runs with this database: stop it first"):
        await asyncio.to_thread(upkeep.restore, replica, tmp_path / "backup")
    await store.aclose()
    assert found.holder is not None
    assert str(upkeep.check(tmp_path / "backup").ranks) == "0-2"


def test_a_backup_brings_back_what_was(replica, tmp_path):
    upkeep.backup(replica, tmp_path / "backup")
    write_database(replica.database, {"system/member/2": None, **system(2, map_version=40)})
    outcome = upkeep.restore(replica, tmp_path / "backup")
    assert str(outcome.summary.ranks) == "0-2"
    assert outcome.summary.map_version == 40 + UNSEEN, "above what engines have seen since the backup"
    assert outcome.kept is not None
    assert str(upkeep.check(outcome.kept).ranks) == "0-1"
    assert upkeep.status(replica).summary == outcome.summary


def test_a_database_that_is_gone_comes_back_with_its_folder(replica, tmp_path):
    upkeep.backup(replica, tmp_path / "backup")
    for path in replica.database.parent.iterdir():
        path.unlink()
    replica.database.parent.rmdir()
    outcome = upkeep.restore(replica, tmp_path / "backup")
    assert (outcome.kept, str(outcome.summary.ranks)) == (None, "0-2")
    assert replica.database.parent.stat().st_mode & 0o777 in {0o770, 0o750, 0o700}, "as the umask lets it"


def test_a_database_that_is_damaged_all_over_is_replaced(replica, tmp_path):
    upkeep.backup(replica, tmp_path / "backup")
    replica.database.write_bytes(b"rubbish" * 1000)
    outcome = upkeep.restore(replica, tmp_path / "backup")
    assert outcome.kept is not None
    assert outcome.kept.read_bytes().startswith(b"rubbish")


def test_storage_that_a_format_would_clear_is_not_restored_to(replica, tmp_path):
    upkeep.backup(replica, tmp_path / "backup")
    (tmp_path / "daos0" / "superblock").unlink()
    with pytest.raises(UpkeepError, match="is not formatted"):
        upkeep.restore(replica, tmp_path / "backup")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_bytes(b"x" * 5000), "no backup"),
        (lambda path: path.write_bytes(path.read_bytes()[:100] + b"x" * 5000), "damaged"),
        (lambda path: write_database(path, dict.fromkeys(system(3, map_version=5))), "without ranks"),
    ],
    ids=["absent", "rubbish", "damaged", "empty"],
)
def test_what_is_no_backup_is_refused_before_anything_is_touched(replica, tmp_path, spoil, words):
    backup = tmp_path / "backup"
    upkeep.backup(replica, backup)
    spoil(backup)
    before = replica.database.read_bytes()
    with pytest.raises(UpkeepError, match=words):
        upkeep.restore(replica, backup)
    assert replica.database.read_bytes() == before


def test_a_sound_database_is_recovered_whole(replica):
    write_database(replica.database, {"election/management": b"127.0.0.1:10001"})
    outcome = upkeep.recover(replica)
    assert (outcome.is_whole, outcome.lost, str(outcome.summary.ranks)) == (True, (), "0-2")
    assert outcome.kept is not None
    assert ".before-recover-" in outcome.kept.name


def test_what_can_be_read_of_a_damaged_database_is_recovered(replica):
    write_database(
        replica.database,
        {**system(3, map_version=5), **{f"system/attr/{n:03}": b'"%s"' % (b"v" * 800) for n in range(200)}},
    )
    with replica.database.open("r+b") as file:
        file.seek(replica.database.stat().st_size // 4096 // 2 * 4096)
        file.write(b"\xde\xad" * 2048)
    write_error = None
    with suppress(UpkeepError):
        write_error = upkeep.status(replica).problem
    assert write_error, "a server would not serve it"
    outcome = upkeep.recover(replica)
    assert not outcome.is_whole
    assert str(outcome.summary.ranks) == "0-2"
    assert 190 <= outcome.summary.attributes < 200
    found = upkeep.status(replica)
    assert found.health is not None
    assert found.health.is_sound


def test_values_that_make_no_sense_are_named(replica):
    write_database(replica.database, {"system/member/1": b"{"})
    outcome = upkeep.recover(replica)
    assert (outcome.lost, str(outcome.summary.ranks)) == (("system/member/1",), "0,2")


def test_nothing_to_recover(replica):
    replica.database.write_bytes(b"rubbish" * 1000)
    with pytest.raises(UpkeepError, match="damaged"):
        upkeep.recover(replica)
    replica.database.unlink()
    with pytest.raises(UpkeepError, match="nothing to recover"):
        upkeep.recover(replica)
    write_database(replica.database, {"system/map": b"{}"})
    with pytest.raises(UpkeepError, match="no member"):
        upkeep.recover(replica)


def test_a_server_that_has_the_place_but_no_database_yet_counts_as_running(replica):
    import fcntl

    with (replica.socket_dir / ".daos_server.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert replace(replica, database=Path("/absent/db")).holder is not None
    assert replica.holder is None


@pytest.mark.parametrize("verb", [upkeep.status, upkeep.refuse_without_database, upkeep.backup])
def test_who_may_not_look_is_told_who_may(replica, tmp_path, monkeypatch, verb):
    def forbidden(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", forbidden)
    with pytest.raises(UpkeepError, match=rf"{replica.database}: Permission denied: run this as the user of"):
        verb(replica, *([tmp_path / "backup"] if verb is upkeep.backup else []))
