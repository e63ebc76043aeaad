"""A store's file, looked at and looked after: real databases, sound and damaged."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from daos_control.store.api import StoreUnavailable
from daos_control.store.sqlite import SqliteStore, lock_path
from daos_control.store.upkeep import copy, examine, held, put_in_place, read, salvage
from daos_control.testing.database import write_database

MANY = {f"system/member/{number}": b"x" * 900 for number in range(400)}


def opened(path: Path) -> dict[str, bytes]:
    """Return what a server would find."""

    async def run() -> dict[str, bytes]:
        store = await SqliteStore.open(path)
        snapshot = await store.get("")
        await store.aclose()
        return {key: one.value for key, one in snapshot.items.items()}

    return asyncio.run(run())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_database(tmp_path / "db", MANY)
    return tmp_path / "db"


def damage(path: Path, *pages: int) -> None:
    """Overwrite pages in the middle of a file."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek(page * 4096)
            file.write(b"\xde\xad" * 2048)


def test_looking_leaves_no_trace(path):
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    health = examine(path)
    assert (health.verdict, health.revision, health.schema, health.is_sound) == ("ok", 1, 2, True)
    assert len(read(path).items) == 400
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


async def test_a_store_in_use_is_copied_as_it_is_at_one_moment(path):
    store = await SqliteStore.open(path)
    await store.commit({"system/member/0": None, "system/new": b"fresh"})
    await asyncio.to_thread(copy, path, path.with_name("backup"))
    await store.commit({"system/later": b""})
    await store.aclose()
    found = read(path.with_name("backup"))
    assert found.revision == 2
    assert found.items["system/new"].value == b"fresh"
    assert {"system/member/0", "system/later"} & found.items.keys() == set()
    assert not list(path.parent.glob("backup-*"))


def test_what_was_committed_before_a_crash_is_in_the_copy(path):
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO item VALUES ('system/z', x'00', 9)")
    connection.commit()
    crashed = path.parent / "crashed"
    crashed.mkdir()
    for part in ("", "-wal"):
        (crashed / f"db{part}").write_bytes(Path(f"{path}{part}").read_bytes())
    connection.close()
    copy(crashed / "db", crashed / "backup")
    assert "system/z" in read(crashed / "backup").items


def test_a_copy_replaces_nothing(path, tmp_path):
    (tmp_path / "precious").write_text("x")
    with pytest.raises(FileExistsError, match="exists already"):
        copy(path, tmp_path / "precious")
    assert (tmp_path / "precious").read_text() == "x"


def test_a_copy_that_fails_leaves_nothing(path, tmp_path):
    damage(path, 5)
    with pytest.raises(StoreUnavailable, match="no such file"):
        copy(tmp_path / "absent", tmp_path / "backup")
    with pytest.raises(StoreUnavailable):
        copy(path, tmp_path / "no" / "such" / "folder")
    assert not list(tmp_path.glob("backup*"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"hello" * 1000, "damaged"), (b"", "its schema is 0")],
    ids=["something else", "nothing"],
)
def test_what_is_no_store(tmp_path, content, words):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(StoreUnavailable, match=words):
        examine(tmp_path / "f")


def test_a_store_of_a_later_release(path):
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(StoreUnavailable, match="schema is 9"):
        examine(path)


def test_a_sound_store_is_saved_whole(path):
    saved = salvage(path)
    assert saved.is_whole
    assert saved.snapshot == read(path)


def test_damage_in_the_middle_costs_what_lies_there_and_no_more(path):
    pages = path.stat().st_size // 4096
    damage(path, pages // 2, pages // 2 + 10)
    assert not examine(path).is_sound
    ends = salvage(path)
    assert not ends.is_whole
    everywhere = salvage(path, [f"system/member/{number}" for number in range(0, 400, 7)])
    lost = MANY.keys() - everywhere.snapshot.items.keys()
    assert 1 <= len(lost) <= 16, "what two pages hold, and nothing of what lies between them"
    assert len(everywhere.snapshot.items) > len(ends.snapshot.items)
    assert all(MANY[key] == one.value for key, one in everywhere.snapshot.items.items())


def test_a_file_without_its_beginning_cannot_be_saved(path):
    damage(path, 0)
    with pytest.raises(StoreUnavailable, match="damaged"):
        salvage(path)


def test_what_is_replaced_is_kept(path):
    snapshot = read(path)
    write_database(path, {"system/later": b""})
    Path(f"{path}-wal").write_bytes(b"")
    with held(path):
        kept = put_in_place(path, snapshot, aside=".old")
    assert kept == path.with_name("db.old")
    assert opened(path) == MANY
    assert "system/later" in read(kept).items
    assert path.stat().st_mode & 0o777 == 0o660
    assert not list(path.parent.glob("*.draft*"))


def test_a_place_where_nothing_was(path, tmp_path):
    with held(tmp_path / "fresh"):
        assert put_in_place(tmp_path / "fresh", read(path), aside=".old") is None
    assert opened(tmp_path / "fresh") == MANY


async def test_who_looks_after_a_store_keeps_servers_away_and_is_kept_away_by_them(path):
    with held(path), pytest.raises(StoreUnavailable, match="in use"):
        await SqliteStore.open(path)
    store = await SqliteStore.open(path)
    with pytest.raises(StoreUnavailable, match="in use"), held(path):
        pass
    await store.aclose()
    assert lock_path(path).exists()
