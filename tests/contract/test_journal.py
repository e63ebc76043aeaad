"""The journal on every backend: nothing that was acknowledged is lost, and nothing grows without end."""

import asyncio
import contextlib
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from daos_control.base import aio
from daos_control.base.errors import DaosControlError, NotLeader
from daos_control.mgmt import journal
from daos_control.mgmt.errors import NotStored
from daos_control.mgmt.journal import Journal
from daos_control.mgmt.rules.history import recorded
from daos_control.mgmt.rules.membership import exclude, join
from daos_control.mgmt.service import Management
from daos_control.mgmt.system import Change, System
from daos_control.mgmt.writer import MAX_NOTES, Writer
from daos_control.model.event import EngineStateInfo, Event, EventId, PoolServiceInfo
from daos_control.model.journal import Cause, Entry, Heard, Moved, Origin
from daos_control.model.member_state import MemberState
from daos_control.model.system_property import Note
from daos_control.store.api import LostLeadership, Store, StoreUnavailable
from daos_control.store.memory import MemoryStore
from daos_control.store.sqlite import SqliteStore
from daos_control.testing.management import Bench, a_join
from daos_control.testing.virtual_time import in_virtual_time

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OpenStore = Callable[[], Awaitable[Store]]


@asynccontextmanager
async def writing(store: Store) -> AsyncIterator[Writer]:
    async with store.lead("mgmt", "me") as leadership:
        writer = Writer(store=store, leadership=leadership, publish=lambda _: None, deposed=NotLeader, note_pause_s=0)
        await writer.load()
        async with aio.background() as tasks:
            tasks.start("writer", writer.run())
            yield writer


def heard(number: int, **changes: object) -> Heard:
    facts = {"id": 8, "type": 2, "severity": 3, "message": f"event {number}", "timestamp": "t", **changes}
    return Heard(event=Event(**facts), reporter="10.0.0.1:10001", received=NOW)  # type: ignore[arg-type]


def messages(entries: list[Entry]) -> list[str]:
    return [entry.fact.event.message for entry in entries if isinstance(entry.fact, Heard)]


def with_provider() -> System:
    return System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp")


async def commits_of(store: Store, prefix: str) -> int:
    return len((await store.get(prefix)).items)


async def test_everything_comes_back_as_it_was_and_numbers_go_on(reopen: OpenStore) -> None:
    facts = [
        heard(1, info="text", rank=3, pool_uuid="u", proc_id=7, thread_id=8, hw_id="h", job_id="j", cont_uuid="c"),
        heard(2, info=EngineStateInfo(1, "signal: killed"), incarnation=1 << 63, obj_id="o", ctl_op="x"),
        heard(3, info=PoolServiceInfo((1, 2), 9), forwarded=True, hostname="storage1"),
        heard(4, info=""),
        Moved(
            rank=3,
            before=MemberState.JOINED,
            after=MemberState.EXCLUDED,
            at=NOW,
            addr="10.0.0.3:10001",
            incarnation=(1 << 64) - 1,
            map_version=12,
            cause=Cause(origin=Origin.EVENT, what="swim_rank_dead", source="10.0.0.2"),
        ),
    ]
    store = await reopen()
    async with writing(store) as writer:
        await writer.note(facts)
        written = writer.journal.after(0)
    await store.aclose()
    store = await reopen()
    async with writing(store) as writer:
        assert writer.journal.after(0) == written
        assert [entry.fact for entry in written[:4]] == facts[:4]
        assert written[4].fact.event == 4, "a move knows the number of its event"  # type: ignore[union-attr]
        await writer.note([heard(6)])
        assert [entry.sequence for entry in writer.journal.after(4)] == [5, 6]
        assert (writer.journal.oldest, writer.journal.last) == (1, 6)
    await store.aclose()


async def test_a_storm_costs_few_commits_and_decisions_do_not_wait_for_it() -> None:
    store = MemoryStore()
    done: list[str] = []

    async def storm(writer: Writer, number: int) -> None:
        await writer.note([heard(number)])
        done.append("note")

    async with writing(store) as writer, asyncio.TaskGroup() as group:
        for number in range(4000):
            group.create_task(storm(writer, number))
        await asyncio.sleep(0)
        await writer.apply(lambda system: Change(system=system.with_attributes({"a": "b"}), outcome=None))
        assert len(done) <= MAX_NOTES, "the decision went with the first commit"
    assert len(done) == 4000
    assert store.commits <= 4000 / MAX_NOTES + 2
    assert await commits_of(store, journal.ROOT) == store.commits


def test_a_trickle_is_written_in_portions_too() -> None:
    store = MemoryStore()

    async def trickle() -> None:
        async with store.lead("mgmt", "me") as leadership:
            writer = Writer(store=store, leadership=leadership, publish=print, deposed=NotLeader, note_pause_s=0.2)
            await writer.load()
            async with aio.background() as tasks, asyncio.TaskGroup() as group:
                tasks.start("writer", writer.run())
                for number in range(100):
                    group.create_task(writer.note([heard(number)]))
                    await asyncio.sleep(0.003)

    in_virtual_time(trickle())
    assert store.commits <= 2


async def test_only_the_newest_are_kept_in_memory_and_in_the_store(reopen: OpenStore) -> None:
    store = await reopen()
    async with writing(store) as writer:
        writer.journal = Journal(keep=100)
        for start in range(0, 1000, 30):
            await writer.note([heard(number) for number in range(start, start + 30)])
        last = writer.journal.last
        kept = writer.journal.after(0)
        assert 100 <= len(kept) < 130
        assert kept[-1].sequence == last == 1020
        assert [entry.sequence for entry in kept] == list(range(writer.journal.oldest, last + 1))
    fresh = Journal()
    fresh.load(await store.get(journal.ROOT))
    assert fresh.after(0) == kept
    await store.aclose()


async def test_a_decision_with_very_many_facts_is_cut_into_blocks(reopen: OpenStore) -> None:
    store = await reopen()
    async with writing(store) as writer:
        await writer.note([heard(number) for number in range(1300)])
        assert await commits_of(store, journal.ROOT) == 3
    fresh = Journal()
    fresh.load(await store.get(journal.ROOT))
    assert messages(fresh.after(1298)) == ["event 1298", "event 1299"]
    await store.aclose()


async def test_a_move_is_committed_with_its_decision(reopen: OpenStore) -> None:
    store = await reopen()
    cause = Cause(origin=Origin.JOIN, source="10.0.0.1:10001")
    async with writing(store) as writer:
        await writer.apply(lambda _: Change(system=with_provider(), outcome=None))
        joined = await writer.apply(recorded(partial(join, request=a_join(1), now=NOW), cause))
        (entry,) = writer.journal.after(0)
    assert entry.fact == Moved(
        rank=joined.member.rank,
        before=MemberState.UNKNOWN,
        after=MemberState.JOINED,
        at=NOW,
        addr=joined.member.addr,
        incarnation=100,
        map_version=joined.map_version + 1,
        cause=cause,
    )
    snapshot = await store.get("")
    revisions = {held.revision for key, held in snapshot.items.items() if key.startswith(("journal/", "system/member"))}
    assert len(revisions) == 1
    await store.aclose()


@pytest.mark.parametrize("written", [False, True], ids=["not written", "written after all"])
async def test_what_could_not_be_stored_is_not_acknowledged(written: bool) -> None:
    store = MemoryStore()
    async with writing(store) as writer:
        await writer.note([heard(1)])
        store.fail_next(StoreUnavailable("disk full"), written=written)
        with pytest.raises(NotStored, match="disk full"):
            await writer.note([heard(2)])
        await writer.note([heard(3)])
        assert messages(writer.journal.after(0)) == ["event 1", *(["event 2"] if written else []), "event 3"]
        assert [entry.sequence for entry in writer.journal.after(0)] == list(range(1, 4 if written else 3))


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    (tmp_path / "alive").mkdir()
    store = await SqliteStore.open(tmp_path / "alive" / "system.db")
    async with writing(store) as writer:
        await writer.note([heard(1)])
        shutil.copytree(tmp_path / "alive", tmp_path / "killed")  # what a killed process leaves
    await store.aclose()
    successor = await SqliteStore.open(tmp_path / "killed" / "system.db")
    async with writing(successor) as writer:
        assert messages(writer.journal.after(0)) == ["event 1"]
    await successor.aclose()


async def test_a_deposed_leader_adds_nothing() -> None:
    store = MemoryStore()
    with pytest.raises(LostLeadership):  # noqa: PT012  the writer's end ends the block
        async with writing(store) as writer:
            store.depose("mgmt")
            with pytest.raises(NotLeader):
                await writer.note([heard(1)])
            with pytest.raises(NotLeader):
                await writer.note([heard(2)])
            await asyncio.Event().wait()
    assert await commits_of(store, journal.ROOT) == 0


async def test_an_unreadable_block_does_not_keep_the_system_from_working() -> None:
    store = MemoryStore()
    await store.commit({f"{journal.ROOT}{7:016}": b"{nonsense", f"{journal.ROOT}{9:016}": b"[]", "journal/x": b""})
    async with writing(store) as writer:
        assert writer.journal.after(0) == []
        await writer.note([heard(1)])
        assert [entry.sequence for entry in writer.journal.after(0)] == [10], "no number is used twice"


async def test_who_waits_for_more_is_woken_when_it_is_durable() -> None:
    store = MemoryStore()
    async with writing(store) as writer, asyncio.TaskGroup() as group:
        waiting = group.create_task(writer.journal.growth(0))
        store.hold()
        noting = group.create_task(writer.note([heard(1)]))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        store.release()
        await noting
        await waiting


async def test_too_much_is_refused_and_not_hoarded() -> None:
    store = MemoryStore()
    async with writing(store) as writer, asyncio.TaskGroup() as group:
        store.hold()
        group.create_task(writer.note([heard(0)] * 8000))
        await asyncio.sleep(0)
        with pytest.raises(NotStored, match="try again later"):
            await writer.note([heard(1)] * 200)
        store.release()


@pytest.mark.parametrize("seed", range(8))
async def test_the_history_says_what_the_record_says_whatever_fails(seed: int) -> None:
    """Joins, deaths and commands, while commits fail, written or not, and leaders follow one another."""
    chance = random.Random(seed)
    bench = Bench()
    for _ in range(3):
        async with bench.leading() as management:
            for _ in range(60):
                if chance.random() < 0.2:
                    bench.store.fail_next(StoreUnavailable("disk full"), written=chance.random() < 0.5)
                rank = chance.randint(1, 5)
                with contextlib.suppress(DaosControlError):
                    await something_happens(management, chance, rank)
            entries = management.journal.after(0)
            assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
            moves = [entry.fact for entry in entries if isinstance(entry.fact, Moved)]
            assert moves
            last = {move.rank: move for move in moves}
            members = management.system.members
            assert {rank: (move.after, move.incarnation) for rank, move in last.items()} == {
                rank: (member.state, member.incarnation) for rank, member in members.items()
            }
            states = dict.fromkeys(range(1, 6), MemberState.UNKNOWN)
            for move in moves:
                assert move.before is states[move.rank], "no move is missing"
                states[move.rank] = move.after


async def something_happens(management: Management, chance: random.Random, rank: int) -> None:
    member = management.system.members.get(rank)
    incarnation = 0 if member is None else member.incarnation
    event = Event(id=0, type=1, severity=1, message="m", timestamp="t", rank=rank, incarnation=incarnation)
    match chance.randrange(5):
        case 0 | 1:
            await management.join(a_join(rank, rank=rank, index=1, incarnation=incarnation + 1))
        case 2:
            await management.on_event(replace(event, id=EventId.SWIM_RANK_DEAD))
        case 3:
            await management.on_event(replace(event, id=EventId.ENGINE_DIED))
        case 4:
            rule = partial(exclude, ranks=[rank], clear=chance.random() < 0.5, now=NOW)
            if member is not None:
                await management.apply(rule)
