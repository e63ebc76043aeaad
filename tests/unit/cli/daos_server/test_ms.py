"""``daos_server ms`` on a real database: what it prints, asks, and ends with."""

import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daos_control.cli import daos_server
from daos_control.mgmt import records
from daos_control.mgmt.rules import membership, provider
from daos_control.mgmt.system import System
from daos_control.mgmt.upkeep import UNSEEN
from daos_control.model.pool import PoolService, PoolState
from daos_control.store.upkeep import held
from daos_control.testing.database import write_database
from daos_control.testing.management import a_join

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
CONFIGURATION = """\
provider: ofi+tcp
mgmt_svc_replicas: [{replica}]
socket_dir: {folder}/run
transport_config: {{allow_insecure: true}}
engines:
- targets: 1
  fabric_iface: lo
  fabric_iface_port: 31416
  storage: [{{class: ram, scm_mount: {folder}/daos0}}]
"""


def a_system() -> System:
    """Three ranks, one of them excluded by its peers, and a pool."""
    system = provider.settle(System(), "ofi+tcp", now=NOW, hostname="h").system
    for rank in range(3):
        system = membership.join(system, a_join(rank, rank=rank), now=NOW).system
    system = membership.ranks_dead(system, (2,), now=NOW).system
    pool = PoolService(uuid="11111111-2222-4333-8444-555555555555", label="tank", last_update=NOW)
    return system.with_pool(pool.changed(now=NOW, state=PoolState.READY)).with_attributes({"site": "basement"})


@dataclass(frozen=True, slots=True)
class Host:
    """A host with a replica that no server runs on."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def config(self) -> str:
        return str(self.folder / "server.yml")

    @property
    def database(self) -> Path:
        return self.folder / "daos0" / "control_raft" / "daos_system.sqlite"

    def configure(self, *, replica: str = "127.0.0.1") -> None:
        Path(self.config).write_text(CONFIGURATION.format(folder=self.folder, replica=replica))

    def ms(self, *arguments: str, json_wanted: bool = False) -> tuple[int, str, str]:
        code = daos_server.run([*(["-j"] if json_wanted else []), "ms", *arguments, "-o", self.config])
        out, err = self.capsys.readouterr()
        return code, out, err

    def kept(self) -> list[Path]:
        """The former databases."""
        return sorted(self.database.parent.glob("*.before-*"))


@pytest.fixture
def host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Host:
    host = Host(tmp_path, capsys)
    host.configure()
    host.database.parent.mkdir(parents=True)
    (tmp_path / "daos0" / "superblock").touch()
    (tmp_path / "run").mkdir()
    write_database(host.database, records.writes(System(), a_system()))
    return host


class Typist:
    """Answers questions with these lines."""

    def __init__(self, *lines: str) -> None:
        self._lines = iter(lines)

    def readline(self) -> str:
        return next(self._lines, "")


def test_status(host):
    code, out, _ = host.ms("status")
    size_kib = host.database.stat().st_size // 1024
    assert code == 0
    assert out == (
        f"DAOS Server config loaded from {host.config}\n"
        "DB status\n"
        "---------\n"
        "  Local replica: 127.0.0.1:10001\n"
        "  Peers        : none\n"
        "  In use by    : nobody\n"
        f"  Database     : {host.database} ({size_kib} KiB, schema 2)\n"
        "  Integrity    : ok\n"
        "  Commits      : 1\n"
        "\n"
        "System\n"
        "------\n"
        f"  Map version   : {a_system().map_version}\n"
        "  Ranks         : 0-2 (1 excluded, 2 joined)\n"
        f"  Next free rank: {a_system().next_rank}\n"
        "  Pools         : tank\n"
        f"  Attributes    : {len(a_system().attributes)}\n"
        "  Last entry    : none found\n"
    )


def test_status_while_it_is_in_use(host):
    with held(host.database):
        _, out, _ = host.ms("status")
        code, document, _ = host.ms("status", json_wanted=True)
    assert f"In use by    : daos_server (pid {os.getpid()})" in out
    made = json.loads(document)["response"]
    assert (code, made["sound"], made["system"]["ranks"], made["pid"]) == (0, True, [0, 1, 2], os.getpid())


def test_status_of_what_is_not_there(host):
    host.database.unlink()
    code, out, _ = host.ms("status")
    assert (code, f"{host.database}: none found" in out) == (0, True)


def test_status_of_what_is_not_right(host):
    write_database(host.database, {"system/member/1": b"nonsense"})
    code, out, _ = host.ms("status")
    assert (code, "What it holds cannot be told: " in out, "system/member/1" in out) == (0, True, True)


def test_backup(host):
    target = host.folder / "backup"
    code, out, _ = host.ms("backup", "-p", str(target))
    size_kib = target.stat().st_size // 1024
    assert (code, out.splitlines()[-1]) == (0, f"Wrote {target} ({size_kib} KiB): 3 ranks (0-2) and 1 pool.")
    other = host.folder / "other"
    code, out, _ = host.ms("backup", "--path", str(other), json_wanted=True)
    assert (code, json.loads(out)["response"]["size"]) == (0, other.stat().st_size)


@pytest.mark.parametrize("verb", ["recover", "restore"])
@pytest.mark.parametrize("answers", [[], ["no\n"], ["what?\n", "NO\n"]], ids=["nobody there", "no", "no at last"])
def test_who_does_not_consent_has_changed_nothing_and_done_nothing_wrong(host, monkeypatch, verb, answers):
    backup = host.folder / "backup"
    host.ms("backup", "-p", str(backup))
    before = host.database.read_bytes()
    monkeypatch.setattr(sys, "stdin", Typist(*answers))
    code, out, err = host.ms(verb, *(["-p", str(backup)] if verb == "restore" else []))
    assert (code, err) == (0, "")
    assert "(yes/no)" in out
    assert (host.database.read_bytes(), host.kept()) == (before, [])


def test_recover(host, monkeypatch):
    write_database(host.database, {"system/member/9": b"nonsense"})
    monkeypatch.setattr(sys, "stdin", Typist("yes\n"))
    code, out, _ = host.ms("recover")
    assert code == 0
    assert "system/member/9 made no sense" in out
    assert f"{host.database} holds 3 ranks (0-2) and 1 pool." in out
    assert [f"The former database is kept: {path}" in out for path in host.kept()] == [True]
    assert "Next: start daos_server" in out
    _, status, _ = host.ms("status")
    assert f"Map version   : {a_system().map_version + UNSEEN}" in status


def test_what_is_no_backup_is_called_that(host):
    code, _, err = host.ms("restore", "-f", "-p", str(host.config))
    assert code == 1
    assert err == f"ERROR: {host.config} is no backup of a system: name a file that daos_server ms backup wrote\n"


def test_restore_by_force_asks_nobody(host):
    backup = host.folder / "backup"
    host.ms("backup", "-p", str(backup))
    write_database(host.database, {"system/pool/11111111-2222-4333-8444-555555555555": None})
    code, out, _ = host.ms("restore", "-f", "-p", str(backup))
    assert (code, "(yes/no)" in out, len(host.kept())) == (0, False, 1)
    assert f"{backup} holds 3 ranks (0-2) and 1 pool." in out
    assert f"{host.database} holds 3 ranks (0-2) and 1 pool." in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-j", "ms", "recover", "-f"], "prints no JSON"),
        (["-j", "ms", "restore", "-p", "/b"], "prints no JSON"),
        (["ms", "restore"], "`-p, --path' was not specified"),
        (["ms", "backup"], "`-p, --path' was not specified"),
        (["ms"], "backup, recover, restore or status"),
        (["ms", "status", "-o", "/nowhere"], "/nowhere: there is no such file; create it, or name another with -o"),
    ],
    ids=str,
)
def test_refusals(capsys, arguments, words):
    assert daos_server.run(arguments) == 1
    err = capsys.readouterr().err
    assert words in err
    assert err.startswith("ERROR: ")


def test_a_host_without_a_replica(host):
    host.configure(replica="192.0.2.1")
    code, out, err = host.ms("status", json_wanted=True)
    told = "this host is no replica of the management service: run this on one of 192.0.2.1:10001 (mgmt_svc_replicas)"
    assert (code, err) == (1, f"ERROR: {told}\n")
    assert json.loads(out) == {"response": None, "error": told, "status": -1025}


def test_nobody_is_asked_while_a_server_runs(host):
    backup = host.folder / "backup"
    host.ms("backup", "-p", str(backup))
    with held(host.database):
        for arguments in (["recover"], ["restore", "-p", str(backup)]):
            code, out, err = host.ms(*arguments)
            assert (code, "(yes/no)" in out) == (1, False)
            assert f"a daos_server (pid {os.getpid()}) runs with this database" in err


def test_nobody_is_asked_where_there_is_nothing_to_recover(host):
    host.database.unlink()
    code, out, err = host.ms("recover")
    assert (code, "(yes/no)" in out, "nothing to recover" in err) == (1, False, True)
