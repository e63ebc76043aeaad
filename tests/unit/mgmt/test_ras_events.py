"""Where events go: written down, told, handled here or forwarded."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daos_control.base import aio
from daos_control.base.errors import NotLeader, SteppingUp
from daos_control.base.rankset import NIL_RANK
from daos_control.base.syslog import Syslog
from daos_control.mgmt.errors import NotStored, Refused
from daos_control.mgmt.events import ATTEMPTS, MAX_WAITING, Events, KeepsNoHistory, LeaderAway, describe
from daos_control.model.event import EngineStateInfo, Event, EventId, EventType, PoolServiceInfo, Severity
from daos_control.testing.data_plane import CapturedPost
from daos_control.testing.management import until
from daos_control.wire.convert.events import event_from_pb, event_to_pb


def an_event(**changes: object) -> Event:
    given: dict[str, object] = {
        "id": EventId.ENGINE_DIED,
        "type": EventType.STATE_CHANGE,
        "severity": Severity.ERROR,
        "message": "gone",
        "timestamp": "2026-01-02T03:04:05.678+00:00",
        "hostname": "storage1",
        "rank": 1,
        "incarnation": 7,
    }
    return Event(**{**given, **changes})  # type: ignore[arg-type]


class Desk:
    """A host whose management service leads or does not, and what reached whom."""

    def __init__(self, tmp_path: Path) -> None:
        self.leading = False
        self.handled: list[Event] = []
        self.noted: list[Event] = []
        self.known: set[int] = set()
        self.failures: list[Exception] = []
        self.told: list[Event] = []
        self.post = CapturedPost()
        self.events = Events(self.post, system_log=Syslog([tmp_path / "nobody"]), retry_s=0)
        self.events.attach(self)
        self.events.listen(self.told.append)

    def debounced(self, event: Event) -> bool:
        return event.rank in self.known

    async def on_event(self, event: Event) -> None:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.handled.append(event)

    async def note_events(self, events: Sequence[Event]) -> None:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.noted += events

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with aio.background() as tasks:
            tasks.start("forwarding", self.events.run())
            yield


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def ranks(forwarded: list[tuple[int, Event]]) -> list[tuple[int, int]]:
    return [(number, event.rank) for number, event in forwarded]


async def test_a_leader_handles_what_changes_state_before_it_answers(desk: Desk) -> None:
    desk.leading = True
    await desk.events.publish(an_event())
    assert len(desk.handled) == len(desk.told) == 1


async def test_others_forward_in_order_and_count(desk: Desk) -> None:
    async with desk.running():
        for rank in range(3):
            await desk.events.publish(an_event(rank=rank))
        await until(lambda: len(desk.post.forwarded) == 3)
    assert ranks(desk.post.forwarded) == [(1, 0), (2, 1), (3, 2)]


async def test_a_leader_that_is_away_for_long_loses_nothing(desk: Desk) -> None:
    desk.post.failures = [LeaderAway("connection refused")] * 50 + [NotLeader(), SteppingUp(), NotStored("disk full")]
    async with desk.running():
        for rank in range(3):
            await desk.events.publish(an_event(rank=rank))
        await until(lambda: len(desk.post.forwarded) == 3)
    assert ranks(desk.post.forwarded) == [(1, 0), (2, 1), (3, 2)], "and their order and numbers stay"


async def test_what_nobody_ever_takes_does_not_stop_the_next(desk: Desk) -> None:
    desk.post.failures = [Refused("nonsense")] * ATTEMPTS
    async with desk.running():
        await desk.events.publish(an_event(rank=1))
        await desk.events.publish(an_event(rank=2))
        await until(lambda: bool(desk.post.forwarded))
    assert ranks(desk.post.forwarded) == [(2, 2)]


async def test_who_becomes_leader_meanwhile_handles_what_waits(desk: Desk) -> None:
    await desk.events.publish(an_event())
    desk.leading = True
    async with desk.running():
        await until(lambda: bool(desk.handled))
    assert desk.post.forwarded == []


async def test_a_leader_that_could_not_store_it_tries_again_and_who_reported_need_not_wait(desk: Desk) -> None:
    desk.leading = True
    desk.failures = [NotStored("disk full"), NotLeader()]
    async with desk.running():
        await desk.events.publish(an_event())
        assert desk.handled == []
        await until(lambda: len(desk.handled) == 1)
    assert len(desk.told) == 1


async def test_a_leader_that_is_deposed_meanwhile_sends_it_to_the_next(desk: Desk) -> None:
    desk.leading = True
    desk.failures = [NotLeader()]
    await desk.events.publish(an_event(rank=5))
    desk.leading = False
    async with desk.running():
        await until(lambda: bool(desk.post.forwarded))
    assert ranks(desk.post.forwarded) == [(1, 5)]


async def test_the_same_death_is_heard_once_by_a_leader_and_waits_once_elsewhere(desk: Desk) -> None:
    death = an_event(id=EventId.SWIM_RANK_DEAD)
    for _ in range(10):
        await desk.events.publish(death)
    await desk.events.publish(an_event(id=EventId.SWIM_RANK_DEAD, incarnation=8))
    async with desk.running():
        await until(lambda: len(desk.post.forwarded) == 2)
    desk.leading, desk.known, before = True, {1}, len(desk.told)
    await desk.events.publish(death)
    assert (desk.handled, len(desk.told)) == ([], before), "not even the log hears of it again"


@pytest.mark.parametrize(
    "event", [an_event(type=EventType.INFO), an_event(rank=NIL_RANK)], ids=["information", "an engine without a rank"]
)
async def test_what_changes_nothing_is_only_told(desk: Desk, event: Event) -> None:
    async with desk.running():
        await desk.events.publish(event)
        await until(lambda: bool(desk.post.reported))
        desk.leading = True
        await desk.events.publish(event)
        await until(lambda: bool(desk.noted))
    assert (desk.post.forwarded, desk.handled) == ([], [])
    assert desk.told == [event, event]


async def test_what_was_forwarded_before_is_not_forwarded_again(desk: Desk) -> None:
    async with desk.running():
        await desk.events.publish(an_event(forwarded=True))
        await desk.events.publish(an_event(rank=2))
        await until(lambda: bool(desk.post.forwarded))
    assert ranks(desk.post.forwarded) == [(1, 2)]
    assert desk.post.reported == []


async def test_many_are_told_at_once_and_again_if_nobody_leads(desk: Desk) -> None:
    desk.post.failures = [LeaderAway("connection refused")] * 3
    for number in range(300):
        desk.events.record(an_event(type=EventType.INFO, message=str(number)))
    async with desk.running():
        await until(lambda: len(desk.post.reported) == 300)
    assert [event.message for event in desk.post.reported] == [str(number) for number in range(300)]
    assert desk.post.reports == 2


async def test_a_leader_of_daos_itself_is_not_bothered(desk: Desk) -> None:
    desk.post.failures = [KeepsNoHistory()]
    async with desk.running():
        desk.events.record(an_event(type=EventType.INFO))
        await until(lambda: not desk.post.failures)
        await asyncio.sleep(0)
        for _ in range(5):
            desk.events.record(an_event(type=EventType.INFO))
        await desk.events.publish(an_event(rank=2))
        await until(lambda: bool(desk.post.forwarded))
    assert desk.post.reports == 0, "but what it acts on goes to it"


async def test_an_endless_outage_costs_the_oldest_and_not_the_memory(desk: Desk) -> None:
    for rank in range(MAX_WAITING + 10):
        await desk.events.publish(an_event(rank=rank))
    async with desk.running():
        await until(lambda: len(desk.post.forwarded) == MAX_WAITING)
    assert ranks(desk.post.forwarded)[0] == (1, 10)


async def test_a_machine_without_syslog_has_it_in_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        desk.events.record(an_event())
        desk.events.record(an_event(forwarded=True, rank=9))
    assert [line for line in caplog.messages if "RAS" in line] == [f"&&& RAS {describe(an_event())}"]


def test_events_are_described_as_daos_does() -> None:
    assert describe(an_event(proc_id=442, pool_uuid="p", info="more")) == (
        "id: [engine_died] ts: [2026-01-02T03:04:05.678+00:00] host: [storage1] type: [STATE_CHANGE] sev: [ERROR] "
        "msg: [gone] pid: [442] rank: [1] incarnation: [7] pool: [p] data: [more]"
    )


@pytest.mark.parametrize("info", [None, "text", EngineStateInfo(1, "signal: killed"), PoolServiceInfo((0, 2), 5)])
def test_events_travel_unchanged(info: object) -> None:
    event = an_event(info=info, hw_id="h", thread_id=3, job_id="j", cont_uuid="c", obj_id="o", ctl_op="x")
    assert event_from_pb(event_to_pb(event), forwarded=False) == event
