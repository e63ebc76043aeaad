"""``daos_control.SystemSvc``: listing, following and explaining, over a management service that leads."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from daos_control.apps.server.servicers.mgmt import mgmt_handlers
from daos_control.apps.server.servicers.system_history import MOST, MOST_REPORTED, system_handlers
from daos_control.base.errors import NotLeader, NotReplica, PoolNotFound
from daos_control.mgmt.errors import NotStored, Refused
from daos_control.mgmt.service import Management
from daos_control.model.event import Event, EventId, EventType, PoolServiceInfo, Severity
from daos_control.model.journal import Cause, Entry, Heard, Moved, Origin
from daos_control.model.member_state import MemberState
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.methods import MGMT, SYSTEM
from daos_control.security.components import Component
from daos_control.store.api import StoreUnavailable
from daos_control.testing.management import Bench, some_settings, until
from daos_control.wire.convert.events import event_to_pb
from daos_control.wire.convert.journal import entry_from_pb, entry_to_pb
from daos_control.wire.pb.control import system_pb2
from daos_control.wire.pb.mgmt import system_pb2 as mgmt_pb2
from daos_control.wire.pb.shared import event_pb2

ADMIN = Caller(component=Component.ADMIN, address="10.0.0.9:4711")
OTHER_HOST = Caller(component=Component.SERVER, address="10.0.0.2:5511")


@pytest.fixture
async def bench() -> Bench:
    return Bench()


@pytest.fixture
async def management(bench: Bench) -> AsyncIterator[Management]:
    async with bench.leading() as management:
        await bench.with_members(management, 3)
        yield management


async def ask(management: Management, name: str, caller: Caller = ADMIN, **fields: Any) -> Any:
    method = SYSTEM[name]
    return await system_handlers(management)[method.path](method.request(sys="daos_server", **fields), caller)


async def listed(management: Management, **fields: Any) -> list[Entry]:
    return [entry_from_pb(entry) for entry in (await ask(management, "ListEvents", **fields)).entries]


def event(id_: int, **changes: Any) -> Event:
    facts = {"type": EventType.STATE_CHANGE, "severity": Severity.ERROR, "message": "m", "timestamp": "t", **changes}
    return Event(id=id_, **facts)


async def forwarded(management: Management, event: Event) -> None:
    method = MGMT["ClusterEvent"]
    request = event_pb2.ClusterEventReq(sequence=7, event=event_to_pb(event))
    reply = await mgmt_handlers(management)[method.path](request, OTHER_HOST)
    assert isinstance(reply, event_pb2.ClusterEventResp)
    assert reply.sequence == 7


def told(entries: list[Entry]) -> list[tuple[str, str]]:
    return [
        (entry.fact.event.name, entry.fact.effect)
        if isinstance(entry.fact, Heard)
        else (f"rank {entry.fact.rank}", f"{entry.fact.before.words}->{entry.fact.after.words}")
        for entry in entries
    ]


async def test_a_death_its_reporter_and_what_came_of_it(management: Management) -> None:
    await forwarded(management, event(EventId.SWIM_RANK_DEAD, rank=3, incarnation=100, hostname="storage2"))
    heard, moved = await listed(management, moves=True, newest=True, limit=2)
    version = management.system.map_version
    assert isinstance(heard.fact, Heard)
    assert heard.fact.reporter == "10.0.0.2"
    assert heard.fact.event.hostname == "storage2"
    assert heard.fact.effect == f"rank 3 is Excluded (was Joined), map version {version}"
    assert isinstance(moved.fact, Moved)
    assert (moved.fact.rank, moved.fact.before, moved.fact.after) == (3, MemberState.JOINED, MemberState.EXCLUDED)
    assert moved.fact.cause == Cause(origin=Origin.EVENT, what="swim_rank_dead of rank 3", source="10.0.0.2")
    assert moved.fact.event == heard.sequence


@pytest.mark.parametrize(
    ("events", "effect"),
    [
        ([event(EventId.ENGINE_DIED, rank=3, incarnation=1)], "an earlier life of the engine is meant (1, now 100)"),
        ([event(EventId.ENGINE_DIED, rank=77)], "unable to find member with rank 77"),
        (
            [event(EventId.SWIM_RANK_DEAD, rank=3, incarnation=n) for n in (100, 101)],
            "rank 3 is Excluded",
        ),
        ([event(EventId.POOL_REPLICAS_UPDATED, pool_uuid="x", info=None)], "event pool_replicas_updated without"),
        (
            [event(EventId.POOL_REPLICAS_UPDATED, pool_uuid="x", info=PoolServiceInfo((1,)))],
            "unable to find pool service",
        ),
    ],
    ids=["stale", "unknown rank", "excluded already", "nonsense", "unknown pool"],
)
async def test_what_changes_nothing_is_heard_all_the_same(
    management: Management, events: list[Event], effect: str
) -> None:
    for one in events:
        await forwarded(management, one)
    (entry,) = await listed(management, newest=True, limit=1)
    assert isinstance(entry.fact, Heard)
    assert entry.fact.effect.startswith(f"nothing done: {effect}")


async def test_self_heal_may_forbid_to_act(management: Management) -> None:
    await management.set_properties({"self_heal": "pool_rebuild"})
    await forwarded(management, event(EventId.SWIM_RANK_DEAD, rank=3, incarnation=100))
    (entry,) = await listed(management, newest=True, limit=1)
    assert told([entry])[0][1] == 'nothing done: system property self_heal is without "exclude"'


async def test_an_event_without_an_event_in_it_is_refused(management: Management) -> None:
    with pytest.raises(Refused, match="nil event"):
        await mgmt_handlers(management)[MGMT["ClusterEvent"].path](event_pb2.ClusterEventReq(sequence=1), OTHER_HOST)
    assert await listed(management) == []


async def test_the_same_death_from_many_is_heard_once(management: Management) -> None:
    death = event(EventId.SWIM_RANK_DEAD, rank=3, incarnation=100)
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(forwarded(management, death))
    assert len(await listed(management)) == 1
    await forwarded(management, event(EventId.SWIM_RANK_DEAD, rank=3, incarnation=101))
    assert len(await listed(management)) == 2


async def test_a_death_that_could_not_be_stored_is_heard_again(bench: Bench, management: Management) -> None:
    death = event(EventId.SWIM_RANK_DEAD, rank=3, incarnation=100)
    bench.store.fail_next(StoreUnavailable("disk full"))
    with pytest.raises(NotStored, match="disk full"):
        await forwarded(management, death)
    assert await listed(management) == []
    await forwarded(management, death)
    assert management.system.members[3].state is MemberState.EXCLUDED


async def test_a_death_is_forgotten_an_hour_after_it_was_heard_last(bench: Bench, management: Management) -> None:
    for pause_s in (0, 3000, 3000, 3700):
        bench.clock.advance(pause_s)
        await forwarded(management, event(EventId.SWIM_RANK_DEAD, rank=3, incarnation=100))
        await forwarded(
            management, event(EventId.SWIM_RANK_DEAD, rank=2, incarnation=100 + int(bench.clock.monotonic()))
        )
    about = [entry for entry in await listed(management) if entry.fact.event.rank == 3]  # type: ignore[union-attr]
    assert len(about) == 2


async def test_late_news_of_a_pool_service_do_not_undo_newer_ones(management: Management) -> None:
    def moved_to(term: int) -> Event:
        return event(EventId.POOL_REPLICAS_UPDATED, pool_uuid="x", info=PoolServiceInfo((term,), term))

    management.reactions._terms["x"] = 5
    await forwarded(management, moved_to(4))
    (entry,) = await listed(management, newest=True, limit=1)
    assert told([entry])[0][1] == "nothing done: the pool service is at term 5 already, and this is news of term 4"


async def test_a_command_is_the_cause_of_what_it_moves(management: Management) -> None:
    request = mgmt_pb2.SystemExcludeReq(sys="daos_server", ranks="2")
    await mgmt_handlers(management)[MGMT["SystemExclude"].path](request, ADMIN)
    (entry,) = await listed(management, moves=True, newest=True, limit=1)
    assert told([entry]) == [("rank 2", "Joined->AdminExcluded")]
    assert isinstance(entry.fact, Moved)
    assert entry.fact.cause == Cause(origin=Origin.COMMAND, what="SystemExclude", source="10.0.0.9:4711")


async def test_joins_are_the_causes_of_theirs(management: Management) -> None:
    entries = await listed(management, moves=True)
    assert told(entries) == [(f"rank {rank}", "Unknown->Joined") for rank in (1, 2, 3)]
    assert [entry.fact.cause for entry in entries if isinstance(entry.fact, Moved)] == [
        Cause(origin=Origin.JOIN, source=f"10.0.0.{rank}:10001") for rank in (1, 2, 3)
    ]


async def test_other_servers_report_what_the_leader_need_not_act_on(management: Management) -> None:
    events = [event_to_pb(event(EventId.POOL_REBUILD_STARTED, type=EventType.INFO, rank=rank)) for rank in (1, 2)]
    await ask(management, "ReportEvents", OTHER_HOST, reporter="10.0.0.2:10001", events=events)
    await ask(management, "ReportEvents", OTHER_HOST, events=events[:1])
    entries = await listed(management)
    assert [entry.fact.reporter for entry in entries] == ["10.0.0.2:10001", "10.0.0.2:10001", "10.0.0.2"]  # type: ignore[union-attr]
    with pytest.raises(Refused, match="too many"):
        await ask(management, "ReportEvents", OTHER_HOST, events=[events[0]] * (MOST_REPORTED + 1))


async def noted(management: Management, *messages: str, **changes: Any) -> None:
    await management.note_events([event(8, type=EventType.INFO, message=message, **changes) for message in messages])


def messages(entries: list[Entry]) -> list[str]:
    return [entry.fact.event.message for entry in entries if isinstance(entry.fact, Heard)]


async def test_lists_begin_and_end_where_they_are_asked_to(management: Management) -> None:
    await noted(management, *"abcde")
    first = management.journal.last - 4
    assert messages(await listed(management, limit=2)) == ["a", "b"]
    assert messages(await listed(management, limit=2, newest=True)) == ["d", "e"]
    assert messages(await listed(management, after=first + 2)) == ["d", "e"]
    reply = await ask(management, "ListEvents", limit=2)
    assert (reply.more, reply.last, reply.oldest) == (True, first + 1, 1)
    reply = await ask(management, "ListEvents", after=reply.last)
    assert (reply.more, reply.last, len(reply.entries)) == (False, first + 4, 3)


async def test_a_reply_has_a_size(management: Management) -> None:
    for _ in range(5):
        await noted(management, *["x"] * 500)
    reply = await ask(management, "ListEvents")
    assert (len(reply.entries), reply.more) == (MOST, True)
    assert len((await ask(management, "ListEvents", after=reply.last)).entries) == 500


async def test_who_waits_is_answered_when_something_he_wants_happens(management: Management) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(listed(management, after=management.journal.last, ranks=[2], wait_ms=30_000))
        await noted(management, "not wanted", rank=1)
        assert not waiting.done()
        await noted(management, "wanted", rank=2)
        assert messages(await waiting) == ["wanted"]


async def test_who_waits_in_vain_learns_how_far_he_is(management: Management) -> None:
    await noted(management, "not wanted", rank=1)
    reply = await ask(management, "ListEvents", ranks=[2], wait_ms=1)
    assert (len(reply.entries), reply.last) == (0, management.journal.last)


async def test_who_is_ahead_of_the_journal_learns_that_it_begins_anew(management: Management) -> None:
    reply = await ask(management, "ListEvents", after=10_000, wait_ms=30_000)
    assert reply.last == management.journal.last


async def test_who_waits_when_the_leadership_ends_is_sent_on(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        async with bench.leading() as management:
            waiting = group.create_task(_error_of(listed(management, wait_ms=30_000)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert isinstance(await waiting, Exception)


async def _error_of(work: Any) -> object:
    try:
        return await work
    except Exception as error:  # noqa: BLE001  this is what the test looks at
        return error


async def test_pools_are_named_by_label_or_uuid(management: Management) -> None:
    uuid = "11111111-2222-4333-8444-555555555555"
    await noted(management, "of a pool that is gone", pool_uuid=uuid)
    assert messages(await listed(management, pool=uuid.upper())) == ["of a pool that is gone"]
    with pytest.raises(PoolNotFound):
        await listed(management, pool="tank")


@pytest.mark.parametrize("since", ["yesterday", "2026-01-02T03:04:05"])
async def test_times_are_to_be_times(management: Management, since: str) -> None:
    with pytest.raises(Refused, match=since):
        await listed(management, since=since)


async def test_a_rank_is_explained(management: Management) -> None:
    await forwarded(management, event(EventId.SWIM_RANK_DEAD, rank=3, incarnation=100))
    reply = await ask(management, "ExplainRank", rank=3)
    assert (reply.rank, reply.state, reply.addr) == (3, "excluded", "10.0.0.3:10001")
    assert any("swim_rank_dead of rank 3, reported by 10.0.0.2," in sentence for sentence in reply.story)
    assert "dmg system start --ranks=3" in [remedy.command for remedy in reply.remedies]
    assert told([entry_from_pb(entry) for entry in reply.moves]) == [
        ("rank 3", "Unknown->Joined"),
        ("rank 3", "Joined->Excluded"),
    ]
    assert len(reply.events) == 1
    with pytest.raises(Refused, match="there is no rank 12: there are ranks 1-3"):
        await ask(management, "ExplainRank", rank=12)


@pytest.mark.parametrize("name", list(SYSTEM))
async def test_only_a_leader_has_a_history(bench: Bench, name: str) -> None:
    follower = Bench(settings=some_settings(address=None)).management()
    with pytest.raises(NotReplica):
        await ask(follower, name)
    async with bench.leading() as management:
        await until(lambda: management.leading)
        bench.store.depose("mgmt")
        with pytest.raises(NotLeader):
            await noted(management, "x")


def test_entries_travel_unchanged() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    for fact in (
        Heard(event=event(10, info=PoolServiceInfo((1, 2), 3), rank=4), reporter="h", received=now, effect="e"),
        Moved(
            rank=1,
            before=MemberState.UNKNOWN,
            after=MemberState.JOINED,
            at=now,
            reason="r",
            addr="a:1",
            incarnation=1 << 63,
            map_version=9,
            cause=Cause(origin=Origin.COMMAND, what="w", source="s"),
            event=3,
        ),
    ):
        assert entry_from_pb(entry_to_pb(Entry(5, fact))) == Entry(5, fact)
    with pytest.raises(ValueError, match="says nothing"):
        entry_from_pb(system_pb2.Entry(sequence=1))
