"""One suite, every backend: what ``daos_control.store.api`` promises."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest

from daos_control.store.api import Compacted, Conflict, LostLeadership, Store, StoreUnavailable, Update
from daos_control.store.feed import Feed
from daos_control.store.sqlite import SqliteStore

OpenStore = Callable[[], Awaitable[Store]]


@pytest.fixture
async def store(reopen: OpenStore) -> AsyncIterator[Store]:
    store = await reopen()
    yield store
    await store.aclose()


async def test_what_was_committed_is_found_in_key_order_with_its_revision(store: Store) -> None:
    first = await store.commit({"b/2": b"two", "a/1": b"one", "b/10": b"ten"})
    second = await store.commit({"b/2": b"zwei"})
    snapshot = await store.get("b/")
    assert [(key, held.value, held.revision) for key, held in snapshot.items.items()] == [
        ("b/10", b"ten", first),
        ("b/2", b"zwei", second),
    ]
    assert snapshot.revision == second > first


async def test_a_prefix_is_not_a_folder_name(store: Store) -> None:
    await store.commit({"pool/1": b"", "pools": b"", "poo": b""})
    assert list((await store.get("pool")).items) == ["pool/1", "pools"]


async def test_deleting_leaves_revision_zero(store: Store) -> None:
    revision = await store.commit({"k": b"v"})
    await store.commit({"k": None, "never-there": None}, expect={"k": revision})
    assert not (await store.get("")).items
    await store.commit({"k": b"again"}, expect={"k": 0})


async def test_a_conflict_writes_nothing(store: Store) -> None:
    await store.commit({"k": b"theirs"})
    with pytest.raises(Conflict):
        await store.commit({"k": b"mine", "other": b"mine"}, expect={"k": 0})
    assert {key: held.value for key, held in (await store.get("")).items.items()} == {"k": b"theirs"}


async def test_of_two_who_saw_the_same_only_one_writes(store: Store) -> None:
    async def claim(name: bytes) -> bool:
        try:
            await store.commit({"k": name}, expect={"k": 0})
        except Conflict:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(claim(b"%d" % n)) for n in range(8)]
    assert sum(task.result() for task in tasks) == 1


async def test_data_outlives_the_store_object(reopen: OpenStore) -> None:
    store = await reopen()
    revision = await store.commit({"k": b"v"})
    await store.aclose()
    again = await reopen()
    snapshot = await again.get("")
    assert snapshot.items["k"].revision == revision
    assert await again.commit({"k": b"w"}, expect={"k": revision}) > revision
    await again.aclose()


async def test_a_watch_sees_every_later_commit_of_its_prefix_once_and_in_order(store: Store) -> None:
    start = await store.commit({"a/0": b"before"})
    seen: list[Update] = []

    async def watch() -> None:
        async for update in store.watch("a/", start):
            seen.append(update)
            if len(seen) == 3:
                return

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(watch())
        first = await store.commit({"a/1": b"1", "b/1": b"x"})
        await store.commit({"b/2": b"x"})
        await asyncio.sleep(0)
        second = await store.commit({"a/1": None})
        third = await store.commit({"a/2": b"2"})
    assert seen == [Update(first, {"a/1": b"1"}), Update(second, {"a/1": None}), Update(third, {"a/2": b"2"})]


async def test_a_watch_ends_with_the_store(reopen: OpenStore) -> None:
    store = await reopen()

    async def watch() -> list[Update]:
        return [update async for update in store.watch("", 0)]

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        task = group.create_task(watch())
        await store.commit({"k": b"v"})
        await store.aclose()
    assert len(task.result()) == 1


async def test_a_leader_can_be_read_and_gives_way_on_exit(store: Store) -> None:
    async with store.lead("ms", "10.0.0.1:10001"):
        assert (await store.get("election/ms")).items["election/ms"].value == b"10.0.0.1:10001"
    assert not (await store.get("election/ms")).items


async def test_a_leased_key_is_there_while_it_is_held(store: Store) -> None:
    async with store.lease({"here/a": b"1", "here/b": b"2"}, ttl_s=5) as revision:
        snapshot = await store.get("here/")
        assert [(key, held.value, held.revision) for key, held in snapshot.items.items()] == [
            ("here/a", b"1", revision),
            ("here/b", b"2", revision),
        ]
    assert not (await store.get("here/")).items


async def test_what_others_wrote_under_a_leased_key_stays(reopen: OpenStore) -> None:
    store = await reopen()
    async with store.lease({"k": b"held", "l": b"held"}, ttl_s=5):
        await store.commit({"k": b"theirs"})
    assert {key: held.value for key, held in (await store.get("")).items.items()} == {"k": b"theirs"}
    await store.aclose()
    again = await reopen()
    assert list((await again.get("")).items) == ["k"]
    await again.aclose()


async def test_watchers_see_a_lease_come_and_go(store: Store) -> None:
    before = (await store.get("")).revision
    async with store.lease({"here": b"1"}, ttl_s=5):
        pass
    updates = []
    async with asyncio.timeout(5):
        async for update in store.watch("here", before):
            updates.append(dict(update.writes))
            if len(updates) == 2:
                break
    assert updates == [{"here": b"1"}, {"here": None}]


async def test_leaders_take_turns(store: Store) -> None:
    order: list[str] = []

    async def term(name: str) -> None:
        async with store.lead("ms", name):
            order.append(f"{name} in")
            await store.commit({"k": name.encode()})
            order.append(f"{name} out")

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for name in "abc":
            group.create_task(term(name))
    assert order == [f"{name} {step}" for name in "abc" for step in ("in", "out")]


async def test_a_former_leader_cannot_write(store: Store) -> None:
    async with store.lead("ms", "first") as former:
        pass
    async with store.lead("ms", "second") as present:
        with pytest.raises(LostLeadership):
            await store.commit({"k": b"stale"}, fence=former)
        await store.commit({"k": b"fresh"}, fence=present)
    assert (await store.get("k")).items["k"].value == b"fresh"


async def test_a_leader_who_was_deposed_leaves_the_new_leaders_key_alone(store: Store) -> None:
    async with AsyncExitStack() as stack:
        mine = await stack.enter_async_context(store.lead("ms", "me"))
        await store.commit({mine.key: b"rival"})
    assert (await store.get(mine.key)).items[mine.key].value == b"rival"


async def test_a_cancelled_commit_is_whole_or_absent_and_watchers_know(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(store.commit({"a": b"1", "b": b"1"}))
        await asyncio.sleep(0)
        task.cancel()
    assert len((await store.get("")).items) in {0, 2}


async def test_watching_from_before_the_kept_history_is_refused() -> None:
    feed = Feed(start=0, keep=2)
    for revision in (1, 2, 3):
        feed.publish(Update(revision, {"k": b""}))
    feed.close()
    assert [update.revision async for update in feed.watch("", 1)] == [2, 3]
    with pytest.raises(Compacted):
        await anext(feed.watch("", 0))


async def test_a_second_opener_is_told_who_has_the_file(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "system.db")
    with pytest.raises(StoreUnavailable, match="in use by another daos_server"):
        await SqliteStore.open(tmp_path / "system.db")
    await store.aclose()


@pytest.mark.parametrize("keep", [0, 100, 5000])
async def test_a_truncated_file_is_called_damaged_and_left_alone(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "system.db"
    store = await SqliteStore.open(path)
    await store.commit({f"k/{n}": b"x" * 1000 for n in range(50)})
    await store.aclose()
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"damaged.*backup"):
            await SqliteStore.open(path)


async def test_a_file_that_is_no_database_is_called_damaged_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "system.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreUnavailable, match=r"damaged.*backup"):
        await SqliteStore.open(path)
    assert path.read_bytes() == b"not a database at all" * 100


async def test_what_a_removed_file_left_behind_does_not_get_into_its_successor(tmp_path: Path) -> None:
    path = tmp_path / "system.db"
    store = await SqliteStore.open(path)
    await store.commit({"k": b"old"})
    log = path.with_name("system.db-wal")
    old = log.read_bytes()
    await store.aclose()
    path.unlink()
    log.write_bytes(old)
    store = await SqliteStore.open(path)
    assert not (await store.get("")).items
    await store.aclose()


async def test_a_file_that_was_taken_away_takes_no_changes(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    store = await SqliteStore.open(folder / "system.db")
    revision = await store.commit({"k": b"v"})
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(StoreUnavailable, match="not where it was"):
        await store.commit({"k": b"lost"})
    folder.mkdir()
    (folder / "system.db.lock").touch()
    with pytest.raises(StoreUnavailable, match="not where it was"):
        await store.commit({"k": b"lost"})
    shutil.rmtree(folder)
    (tmp_path / "elsewhere").rename(folder)
    assert await store.commit({"k": b"kept"}) == revision + 1
    await store.aclose()


async def test_a_lease_does_not_outlive_a_holder_that_was_killed(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    alive.mkdir()
    store = await SqliteStore.open(alive / "system.db")
    await store.commit({"kept": b"v"})
    async with store.lease({"here": b"1"}, ttl_s=5) as revision, store.lead("ms", "10.0.0.1:10001"):
        # What a killed process leaves: the files as they are, unclosed.
        shutil.copytree(alive, tmp_path / "killed")
    await store.aclose()
    successor = await SqliteStore.open(tmp_path / "killed" / "system.db")
    snapshot = await successor.get("")
    assert list(snapshot.items) == ["kept"]
    assert snapshot.revision > revision
    await successor.aclose()


async def test_a_file_of_schema_1_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "system.db"
    store = await SqliteStore.open(path)
    await store.commit({"kept": b"v"})
    await store.aclose()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE leased; PRAGMA user_version = 1;")
    for _ in range(2):
        store = await SqliteStore.open(path)
        assert list((await store.get("")).items) == ["kept"]
        async with store.lease({"here": b"1"}, ttl_s=5):
            pass
        await store.aclose()


async def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="check that the folder exists"):
        await SqliteStore.open(tmp_path / "gone" / "system.db")


async def test_a_file_of_the_future_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "system.db"
    store = await SqliteStore.open(path)
    await store.aclose()
    raw = bytearray(path.read_bytes())
    raw[60:64] = (99).to_bytes(4, "big")  # the header's user_version
    path.write_bytes(raw)
    with pytest.raises(StoreUnavailable, match="another version"):
        await SqliteStore.open(path)
