"""Where events go: written down, told, handled here or forwarded."""

import asyncio

import pytest

from daos_control.base import aio
from daos_control.base.errors import NotLeader
from daos_control.mgmt.events import Events, describe
from daos_control.model.event import EngineStateInfo, Event, EventId, EventType, PoolServiceInfo, Severity
from daos_control.model.member import NIL_RANK
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


class Post:
    """Somebody who leads or not, and what reached them."""

    def __init__(self) -> None:
        self.leads = False
        self.handled: list[Event] = []
        self.sent: list[tuple[int, Event]] = []
        self.fails = 0
        self.told: list[Event] = []
        self.events = Events(leading=lambda: self.leads, handle=self.handle, forward=self.forward)
        self.events.listen(self.told.append)

    async def handle(self, event: Event) -> None:
        self.handled.append(event)

    async def forward(self, sequence: int, event: Event) -> None:
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise NotLeader
        self.sent.append((sequence, event))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_leader_handles_what_changes_state_before_it_answers() -> None:
    post = Post()
    post.leads = True
    await post.events.publish(an_event())
    assert len(post.handled) == len(post.told) == 1


async def test_others_forward_in_order_and_count() -> None:
    post = Post()
    async with aio.background() as tasks:
        tasks.start("forwarding", post.events.run())
        for rank in range(3):
            await post.events.publish(an_event(rank=rank))
        await settle()
    assert [(number, event.rank) for number, event in post.sent] == [(1, 0), (2, 1), (3, 2)]


async def test_an_event_that_cannot_be_delivered_does_not_stop_the_next() -> None:
    post = Post()
    post.fails = 1
    async with aio.background() as tasks:
        tasks.start("forwarding", post.events.run())
        await post.events.publish(an_event(rank=1))
        await post.events.publish(an_event(rank=2))
        await settle()
    assert [event.rank for _, event in post.sent] == [2]


async def test_who_becomes_leader_meanwhile_handles_what_waits() -> None:
    post = Post()
    await post.events.publish(an_event())
    post.leads = True
    async with aio.background() as tasks:
        tasks.start("forwarding", post.events.run())
        await settle()
    assert len(post.handled) == 1
    assert post.sent == []


@pytest.mark.parametrize(
    "event",
    [an_event(type=EventType.INFO), an_event(rank=NIL_RANK), an_event(forwarded=True)],
    ids=["information", "an engine without a rank", "forwarded before"],
)
async def test_some_events_stay_where_they_are(event: Event) -> None:
    post = Post()
    async with aio.background() as tasks:
        tasks.start("forwarding", post.events.run())
        await post.events.publish(event)
        await settle()
    assert post.sent == []
    assert post.told == [event]


async def test_an_endless_outage_does_not_fill_the_memory() -> None:
    post = Post()
    for _ in range(5000):
        await post.events.publish(an_event(forwarded=False))
    assert post.events._waiting.qsize() == 4096


def test_events_are_described_as_daos_does() -> None:
    assert describe(an_event(proc_id=442, pool_uuid="p", info="more")) == (
        "id: [engine_died] ts: [2026-01-02T03:04:05.678+00:00] host: [storage1] type: [STATE_CHANGE] sev: [ERROR] "
        "msg: [gone] pid: [442] rank: [1] incarnation: [7] pool: [p] data: [more]"
    )


@pytest.mark.parametrize("info", [None, "text", EngineStateInfo(1, "signal: killed"), PoolServiceInfo((0, 2), 5)])
def test_events_travel_unchanged(info: object) -> None:
    event = an_event(info=info, hw_id="h", thread_id=3, job_id="j", cont_uuid="c", obj_id="o", ctl_op="x")
    assert event_from_pb(event_to_pb(event), forwarded=False) == event
