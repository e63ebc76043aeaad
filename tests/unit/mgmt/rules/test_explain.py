"""The story of a rank, state by state."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from daos_control.mgmt.errors import Refused
from daos_control.mgmt.rules.explain import STATES, explain
from daos_control.mgmt.system import System
from daos_control.model.event import Event, EventId, EventType, Severity
from daos_control.model.fault_domain import FaultDomain
from daos_control.model.journal import Cause, Entry, Fact, Heard, Moved, Origin
from daos_control.model.member import Member
from daos_control.model.member_state import MemberState
from daos_control.model.pool import PoolService, PoolState

S = MemberState
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MEMBER = Member(
    rank=3,
    uuid="00000000-0000-4000-8000-000000000003",
    addr="10.0.0.3:10001",
    state=S.JOINED,
    fault_domain=FaultDomain.parse("/host3"),
    fabric_uri="ofi+tcp://10.0.0.3:31416",
    incarnation=7,
    last_update=NOW,
)
JOIN = Cause(origin=Origin.JOIN, source="10.0.0.3:10001")
DEATH = Cause(origin=Origin.EVENT, what="swim_rank_dead of rank 3", source="10.0.0.2")
COMMAND = Cause(origin=Origin.COMMAND, what="SystemExclude", source="10.0.0.9:4711")


def moved(before: MemberState, after: MemberState, cause: Cause, **changes: object) -> Moved:
    facts = {"rank": 3, "at": NOW, "addr": "10.0.0.3:10001", "map_version": 5, **changes}
    return Moved(before=before, after=after, cause=cause, **facts)  # type: ignore[arg-type]


def heard(event: EventId, rank: int = 3) -> Heard:
    told = Event(id=event, type=EventType.STATE_CHANGE, severity=Severity.ERROR, message="m", timestamp="t", rank=rank)
    return Heard(event=told, reporter="10.0.0.2", received=NOW)


def entries(*facts: Fact) -> list[Entry]:
    return [Entry(number, fact) for number, fact in enumerate(facts, 1)]


def system(state: MemberState = S.JOINED, **changes: object) -> System:
    pool = PoolService(uuid="u", label="tank", state=PoolState.READY, ranks=(3, 4), last_update=NOW)
    member = replace(MEMBER, state=state, **changes)  # type: ignore[arg-type]
    return System().with_member(member).with_pool(pool)


COMMANDS = {
    S.UNKNOWN: ["dmg system engines --ranks=3"],
    S.AWAIT_FORMAT: [
        "dmg storage format --host-list=10.0.0.3:10001",
        "dmg storage format --host-list=10.0.0.3:10001 --replace",
    ],
    S.STARTING: ["dmg system engines --ranks=3"],
    S.READY: ["dmg system engines --ranks=3"],
    S.JOINED: [],
    S.STOPPING: ["dmg system stop --ranks=3", "dmg system start --ranks=3"],
    S.STOPPED: ["dmg system start --ranks=3"],
    S.EXCLUDED: [
        "dmg system engines --ranks=3",
        "dmg system start --ranks=3",
        "dmg system stop --ranks=3 && dmg system start --ranks=3",
        "dmg system reintegrate --ranks=3",
    ],
    S.ERRORED: ["dmg system start --ranks=3"],
    S.UNRESPONSIVE: ["dmg system start --ranks=3"],
    S.ADMIN_EXCLUDED: [
        "dmg system clear-exclude --ranks=3",
        "dmg system start --ranks=3",
        "dmg system reintegrate --ranks=3",
    ],
    S.CHECKER_STARTED: ["dmg check disable", "dmg system start --ranks=3"],
}


@pytest.mark.parametrize("state", list(MemberState))
def test_every_state_has_a_meaning_and_a_way_back(state: MemberState) -> None:
    told = explain(system(state), [], 3)
    assert [remedy.command for remedy in told.remedies if remedy.command] == COMMANDS[state]
    assert STATES[state][0] in told.story
    assert all(remedy.text for remedy in told.remedies)
    assert bool(told.remedies) == (state is not S.JOINED), "only a rank that serves needs nothing"


@pytest.mark.parametrize("state", list(MemberState))
def test_every_command_is_one_of_dmg(state: MemberState) -> None:
    from daos_control.cli.dmg.commands import PROGRAM
    from daos_control.cli.flags import parse

    for remedy in explain(system(state), [], 3).remedies:
        for command in remedy.command.split(" && ") if remedy.command else ():
            program, *arguments = command.split()
            assert program == "dmg"
            if arguments[0] != "check":  # dmg does not have it yet
                parse(PROGRAM, arguments)


@pytest.mark.parametrize(
    ("facts", "state", "sentence"),
    [
        ([], S.EXCLUDED, "How it came to that is older than the history that is kept."),
        (
            [moved(S.JOINED, S.STOPPED, COMMAND)],
            S.EXCLUDED,
            "How it came to that is older than the history that is kept.",
        ),
        (
            [moved(S.UNKNOWN, S.JOINED, JOIN)],
            S.JOINED,
            "It was not known before; its engine joined from 10.0.0.3:10001.",
        ),
        (
            [moved(S.JOINED, S.EXCLUDED, DEATH)],
            S.EXCLUDED,
            "It was Joined before; the event swim_rank_dead of rank 3, reported by 10.0.0.2, changed that.",
        ),
        (
            [moved(S.JOINED, S.ADMIN_EXCLUDED, COMMAND)],
            S.ADMIN_EXCLUDED,
            "It was Joined before; an administrator's SystemExclude from 10.0.0.9:4711 changed that.",
        ),
        (
            [moved(S.JOINED, S.STOPPED, Cause())],
            S.STOPPED,
            "It was Joined before; the management service changed that by itself.",
        ),
    ],
    ids=["nothing known", "the last move is another", "joined", "dead", "by command", "by itself"],
)
def test_how_it_came(facts: list[Fact], state: MemberState, sentence: str) -> None:
    story = explain(system(state), entries(*facts), 3).story
    assert story[0] == f"Rank 3 is {state.words} since 2026-01-02 03:04:05 UTC."
    assert sentence in story


def test_a_rank_whose_engine_has_ended_is_just_started() -> None:
    history = entries(moved(S.UNKNOWN, S.JOINED, JOIN), heard(EventId.ENGINE_DIED), moved(S.ERRORED, S.EXCLUDED, DEATH))
    told = explain(system(S.EXCLUDED), history, 3)
    assert [remedy.command for remedy in told.remedies] == [
        "dmg system start --ranks=3",
        "dmg system reintegrate --ranks=3",
    ]
    assert "tank" in told.remedies[-1].text
    again = explain(system(S.EXCLUDED), [*history, Entry(9, moved(S.EXCLUDED, S.JOINED, JOIN))], 3)
    assert len(again.remedies) == 4, "it has joined since: whether it runs is not known"


def test_what_its_host_said_is_told() -> None:
    told = explain(system(S.ERRORED, info="signal: killed"), [], 3)
    assert "What was said of it: signal: killed" in told.story


def test_ranks_that_other_engines_give_up_may_be_kept_by_policy() -> None:
    from daos_control.model.system_property import PROPERTY_PREFIX

    kept = system(S.ERRORED).with_attributes({f"{PROPERTY_PREFIX}self_heal": "pool_rebuild"})
    assert any("self_heal" in sentence for sentence in explain(kept, [], 3).story)
    assert not any("self_heal" in sentence for sentence in explain(system(S.ERRORED), [], 3).story)


def test_only_what_concerns_the_rank_and_only_the_newest() -> None:
    history = entries(
        *[heard(EventId.ENGINE_CLOCK_DRIFT) for _ in range(20)],
        heard(EventId.ENGINE_DIED, rank=4),
        *[moved(S.JOINED, S.JOINED, JOIN, incarnation=number) for number in range(20)],
        replace(moved(S.JOINED, S.STOPPED, COMMAND), rank=4),
    )
    told = explain(system(), history, 3, limit=5)
    assert [entry.sequence for entry in told.events] == [16, 17, 18, 19, 20]
    assert [entry.sequence for entry in told.moves] == [37, 38, 39, 40, 41]


def test_a_rank_that_is_not_there() -> None:
    with pytest.raises(Refused, match="there is no rank 9: there are ranks 3"):
        explain(system(), [], 9)
    with pytest.raises(Refused, match="none has joined yet"):
        explain(System(), [], 0)
