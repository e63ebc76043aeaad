"""Group commit: many decisions in one commit, each on the outcome of the one before, answered when durable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from daos_control.base import aio
from daos_control.base.errors import DaosControlError, NotLeader, SteppingUp
from daos_control.mgmt.errors import NotStored, Refused
from daos_control.mgmt.system import Change, System
from daos_control.mgmt.writer import Writer
from daos_control.model.event import Event
from daos_control.store.api import Conflict, LostLeadership, StoreUnavailable
from daos_control.store.memory import MemoryStore
from daos_control.testing.data_plane import CapturedEvents


@dataclass
class Desk:
    """A store and who writes to it."""

    store: MemoryStore = field(default_factory=MemoryStore)
    events: CapturedEvents = field(default_factory=CapturedEvents)

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[Writer]:
        async with self.store.lead("mgmt", "me") as leadership:
            writer = Writer(store=self.store, leadership=leadership, publish=self.events.record, deposed=NotLeader)
            await writer.load()
            async with aio.background() as tasks:
                tasks.start("writer", writer.run())
                yield writer


@pytest.fixture
def desk() -> Desk:
    return Desk()


def count(system: System) -> Change[int]:
    """Count in an attribute, so that every decision depends on the one before."""
    number = int(system.attributes.get("count", "0")) + 1
    return Change(system=system.with_attributes({"count": str(number)}), outcome=number)


def refuse(_: System) -> Change[int]:
    raise Refused("no")


def break_down(_: System) -> Change[int]:
    raise KeyError("a bug")


async def together(writer: Writer, *rules: object) -> list[object]:
    async def one(rule: object) -> object:
        try:
            return await writer.apply(rule)  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001  this is what the test looks at
            return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(rule)) for rule in rules]
    return [task.result() for task in tasks]


async def test_commands_that_arrive_together_are_decided_in_order_and_committed_once(desk: Desk) -> None:
    async with desk.writer() as writer:
        assert await together(writer, *[count] * 50) == list(range(1, 51))
        assert desk.store.commits == 1
        assert (await desk.store.get("system/attr/count")).items["system/attr/count"].value == b'"50"'


async def test_commands_that_arrive_during_a_commit_share_the_next(desk: Desk) -> None:
    async with desk.writer() as writer, asyncio.TaskGroup() as group:
        desk.store.hold()
        first = group.create_task(writer.apply(count))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        rest = [group.create_task(writer.apply(count)) for _ in range(100)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert not first.done()
        desk.store.release()
        assert [await task for task in (first, *rest)] == list(range(1, 102))
        assert desk.store.commits == 2


async def test_nobody_is_answered_before_the_commit_is_durable(desk: Desk) -> None:
    async with desk.writer() as writer, asyncio.TaskGroup() as group:
        desk.store.hold()
        task = group.create_task(writer.apply(count))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
        assert writer.system.attributes == {}, "readers see only what is durable"
        desk.store.release()
        assert await task == 1


async def test_a_refused_or_broken_command_harms_nobody_else(desk: Desk) -> None:
    async with desk.writer() as writer:
        first, refused, broken, second = await together(writer, count, refuse, break_down, count)
        assert (first, second) == (1, 2)
        assert isinstance(refused, Refused)
        assert isinstance(broken, KeyError)
        assert await writer.apply(count) == 3


async def test_a_decision_that_changes_nothing_costs_no_commit(desk: Desk) -> None:
    async with desk.writer() as writer:
        assert await writer.apply(lambda system: Change(system=system, outcome="as it was")) == "as it was"
        assert desk.store.commits == 0


async def test_events_are_published_after_the_commit_and_only_then(desk: Desk) -> None:
    event = Event(id=25, type=2, severity=3, message="m", timestamp="t")

    def announce(system: System) -> Change[None]:
        return Change(system=system.with_attributes({"a": "b"}), outcome=None, events=(event,))

    async with desk.writer() as writer:
        desk.store.fail_next(StoreUnavailable("disk full"))
        with pytest.raises(NotStored):
            await writer.apply(announce)
        assert desk.events.events == []
        await writer.apply(announce)
        assert desk.events.events == [event]


@pytest.mark.parametrize(
    ("failure", "told"),
    [(StoreUnavailable("disk full"), NotStored), (Conflict("system/map"), SteppingUp)],
    ids=["store unavailable", "conflict"],
)
@pytest.mark.parametrize("written", [False, True], ids=["not written", "written after all"])
async def test_after_a_failed_commit_memory_is_what_the_store_says(
    desk: Desk, failure: Exception, told: type[DaosControlError], *, written: bool
) -> None:
    async with desk.writer() as writer:
        await writer.apply(count)
        desk.store.fail_next(failure, written=written)
        outcomes = await together(writer, count, count)
        assert [type(outcome) for outcome in outcomes] == [told, told]
        assert await writer.apply(count) == (4 if written else 2)


async def test_a_deposed_writer_writes_nothing_and_sends_everybody_on(desk: Desk) -> None:
    with pytest.raises(LostLeadership):  # noqa: PT012  it ends the whole block
        async with desk.writer() as writer:
            await writer.apply(count)
            desk.store.depose("mgmt")
            outcomes = await together(writer, count, count)
            assert [type(outcome) for outcome in outcomes] == [NotLeader, NotLeader]
            with pytest.raises(NotLeader):
                await writer.apply(count)
            await asyncio.Event().wait()
    assert (await desk.store.get("system/attr/count")).items["system/attr/count"].value == b'"1"'


async def test_who_waits_when_the_leadership_ends_is_sent_on(desk: Desk) -> None:
    async with asyncio.TaskGroup() as group:
        async with desk.writer() as writer:
            desk.store.hold()
            tasks = [group.create_task(together(writer, count)) for _ in range(2)]
            for _ in range(4):
                await asyncio.sleep(0)
            tasks.append(group.create_task(together(writer, count)))
            await asyncio.sleep(0)
        for task in tasks:
            assert [type(outcome) for outcome in await task] == [NotLeader]
        desk.store.release()


async def test_a_caller_that_goes_away_before_its_turn_leaves_no_trace(desk: Desk) -> None:
    async with desk.writer() as writer, asyncio.TaskGroup() as group:
        desk.store.hold()
        first = group.create_task(writer.apply(count))
        for _ in range(5):
            await asyncio.sleep(0)
        second = group.create_task(writer.apply(count))
        await asyncio.sleep(0)
        second.cancel()
        desk.store.release()
        assert await first == 1
        assert await writer.apply(count) == 2
