"""Listing, following and explaining: what is asked for, and how a follower gets over trouble."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from daos_control.base.errors import DaosControlError, NotLeader, NotReplica
from daos_control.base.fault_codes import FaultCode
from daos_control.client import events as module
from daos_control.client.daos import DaosClient
from daos_control.client.errors import InvalidRequest, NotOffered, UnexpectedReply
from daos_control.client.sync import SyncDaosClient
from daos_control.model.event import Event, EventId, Severity
from daos_control.model.journal import Entry, Heard
from daos_control.model.member_state import MemberState
from daos_control.net.rpc.status import Code, StatusError
from daos_control.testing.answers import Answers
from daos_control.wire.convert.journal import entry_to_pb
from daos_control.wire.pb.control import system_pb2
from daos_control.wire.pb.control.system_pb2 import ListEventsReq, ListEventsResp
from daos_control.wire.pb.mgmt import svc_pb2

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def entry(number: int) -> Entry:
    event = Event(id=8, type=2, severity=3, message=str(number), timestamp="t", rank=1)
    return Entry(number, Heard(event=event, reporter="h", received=NOW))


Trouble = DaosControlError | Callable[[], None]


class Journal:
    """A leader's journal, which answers at once; ``trouble`` comes first."""

    def __init__(self, last: int = 0, oldest: int = 1, most: int = 1000) -> None:
        self.last, self.oldest, self.most = last, oldest, most
        self.trouble: list[Trouble] = []
        self.requests: list[ListEventsReq] = []

    def answer(self, request: ListEventsReq) -> ListEventsResp:
        copy = ListEventsReq()
        copy.CopyFrom(request)
        self.requests.append(copy)
        if self.trouble:
            trouble = self.trouble.pop(0)
            if isinstance(trouble, DaosControlError):
                raise trouble
            trouble()
        numbers = list(range(max(request.after + 1, self.oldest), self.last + 1))
        most = min(request.limit or self.most, self.most)
        shown = numbers[-most:] if request.newest else numbers[:most]
        more = len(shown) < len(numbers) and not request.newest
        return ListEventsResp(
            entries=[entry_to_pb(entry(number)) for number in shown],
            last=shown[-1] if more else self.last,
            oldest=self.oldest,
            more=more,
        )


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0.0)


def client(journal: Journal) -> DaosClient:
    return DaosClient(Answers(ListEvents=journal.answer), ["a"])


async def test_who_stops_asking_is_not_told_that_something_may_happen() -> None:
    journal = Journal()
    daos = client(journal)
    changes: list[bool] = []
    journal.trouble = [lambda: changes.extend(wait.changes for wait in daos.waiting.waits)]
    await daos.events.list()
    assert changes == [False]


async def test_what_is_wanted_is_asked_for() -> None:
    journal = Journal(last=3)
    history = await client(journal).events.list(
        since=datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        after=1,
        ranks="0-1,7",
        pool="tank",
        severity=Severity.WARNING,
        events=["swim_rank_dead", EventId.ENGINE_DIED],
        moves=True,
    )
    assert [found.sequence for found in history.entries] == [2, 3]
    assert (history.last, history.oldest) == (3, 1)
    (request,) = journal.requests
    assert request == ListEventsReq(
        sys="daos_server-2.8.0",
        after=1,
        since="2026-01-02T00:00:00+02:00",
        ranks=[0, 1, 7],
        pool="tank",
        severity=2,
        ids=[17, 2],
        moves=True,
    )


async def test_a_long_history_comes_in_pieces_and_ends_at_the_limit() -> None:
    journal = Journal(last=250, most=100)
    events = client(journal).events
    assert [found.sequence for found in (await events.list()).entries] == list(range(1, 251))
    assert [found.sequence for found in (await events.list(limit=120)).entries] == list(range(1, 121))
    assert [found.sequence for found in (await events.list(limit=2, newest=True)).entries] == [249, 250]


async def follow(daos: DaosClient, count: int, **options: Any) -> list[int]:
    stream = daos.events.follow(**options)
    found = [(await anext(stream)).sequence for _ in range(count)]
    await stream.aclose()
    return found


async def test_who_follows_hears_what_comes_and_nothing_else() -> None:
    journal = Journal(last=5)
    journal.trouble = [lambda: None, lambda: setattr(journal, "last", 7), lambda: setattr(journal, "last", 8)]
    assert await follow(client(journal), 3) == [6, 7, 8]
    assert [request.after for request in journal.requests] == [0, 5, 7]
    assert all(request.wait_ms for request in journal.requests[1:])


@pytest.mark.parametrize(
    "trouble",
    [
        FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="a:10001"),
        FaultCode.CLIENT_CONNECTION_CLOSED.fault(address="a:10001"),
        StatusError(Code.UNAVAILABLE, "shutting down"),
        NotLeader("b:10001", ["b:10001"]),
        NotReplica(["b:10001"]),
    ],
    ids=lambda error: str(error)[:30],
)
async def test_a_follower_gets_over_trouble_without_gaps_or_repetitions(trouble: DaosControlError) -> None:
    journal = Journal(last=3, most=2)
    journal.trouble = [lambda: None, trouble, lambda: None, trouble, trouble, lambda: setattr(journal, "last", 6)]
    heard: list[DaosControlError] = []
    assert await follow(client(journal), 6, after=0, trouble=heard.append) == [1, 2, 3, 4, 5, 6]


async def test_entries_that_were_not_kept_are_counted() -> None:
    missed: list[int] = []
    assert await follow(client(Journal(last=20, oldest=11)), 1, after=4, missed=missed.append) == [11]
    assert missed == [6]


async def test_a_system_that_begins_anew_is_followed_from_its_beginning() -> None:
    assert await follow(client(Journal(last=2)), 2, after=1000) == [1, 2]


@pytest.mark.parametrize("verb", ["list", "explain", "follow"])
async def test_a_server_of_daos_itself_says_so(verb: str) -> None:
    unknown = StatusError(Code.UNIMPLEMENTED, "unknown service daos_control.SystemSvc")
    leader = svc_pb2.LeaderQueryResp(current_leader="b:10001")
    events = DaosClient(Answers(ListEvents=unknown, ExplainRank=unknown, LeaderQuery=leader), ["a"]).events
    with pytest.raises(NotOffered, match="DAOS's own"):
        await (anext(events.follow()) if verb == "follow" else getattr(events, verb)(*[1] * (verb == "explain")))


async def test_a_server_of_daos_itself_under_a_leader_of_ours_is_passed_over() -> None:
    unknown = StatusError(Code.UNIMPLEMENTED, "unknown service daos_control.SystemSvc")
    leader = svc_pb2.LeaderQueryResp(current_leader="b:10001")
    answers = Answers(ListEvents=Journal(last=3).answer, a_ListEvents=unknown, LeaderQuery=leader)
    assert await follow(DaosClient(answers, ["a"]), 2, after=1) == [2, 3]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [({"events": ["engine_dies"]}, "there are: container_durable"), ({"since": datetime(2026, 1, 2)}, "time zone")],  # noqa: DTZ001
    ids=["event", "time"],
)
async def test_nonsense_is_not_asked(options: dict[str, Any], complaint: str) -> None:
    journal = Journal()
    with pytest.raises(InvalidRequest, match=complaint):
        await client(journal).events.list(**options)
    assert not journal.requests


async def test_an_entry_of_the_future_is_an_error_and_no_gap() -> None:
    reply = ListEventsResp(entries=[system_pb2.Entry(sequence=1)], last=1)
    with pytest.raises(UnexpectedReply, match="says nothing"):
        await DaosClient(Answers(ListEvents=reply), ["a"]).events.list()


async def test_an_explanation() -> None:
    reply = system_pb2.ExplainRankResp(
        rank=3,
        uuid="u",
        addr="a:1",
        state="excluded",
        since=NOW.isoformat(),
        incarnation=7,
        info="i",
        story=["one", "two"],
        remedies=[system_pb2.Remedy(text="do", command="dmg it")],
        events=[entry_to_pb(entry(1))],
    )
    told = await DaosClient(Answers(ExplainRank=reply), ["a"]).events.explain(3)
    assert (told.state, told.since, told.story, told.events) == (
        MemberState.EXCLUDED,
        NOW,
        ("one", "two"),
        (entry(1),),
    )
    assert (told.remedies[0].text, told.remedies[0].command) == ("do", "dmg it")


def test_programs_without_an_event_loop_follow_too() -> None:
    journal = Journal(last=3)
    with SyncDaosClient(lambda: client(journal)) as daos:
        stream = daos.events.follow(after=1)
        assert [next(stream).sequence, next(stream).sequence] == [2, 3]
        stream.close()
        assert [found.sequence for found in daos.events.list(after=2).entries] == [3]
