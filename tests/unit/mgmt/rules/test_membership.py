"""Joins and their refusals, deaths, exclusions, and what hosts report."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from daos_control.base.errors import DaosControlError, Fault, SteppingUp
from daos_control.base.rankset import NIL_RANK
from daos_control.mgmt.errors import JoinRefused, Refused
from daos_control.mgmt.rules.membership import (
    JoinRequest,
    engine_died,
    exclude,
    join,
    rank_dead,
    rank_to_replace,
    record_results,
)
from daos_control.mgmt.system import System
from daos_control.model.event import Event, EventId, EventType, Severity
from daos_control.model.fault_domain import FaultDomain
from daos_control.model.member_state import MemberState
from daos_control.model.rank_result import RankResult
from daos_control.model.system_property import Note
from daos_control.testing.management import a_join

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = datetime(2026, 1, 3, tzinfo=UTC)
S = MemberState


def fresh() -> System:
    return System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp")


def joined(*requests: JoinRequest, system: System | None = None) -> System:
    system = system or fresh()
    for request in requests:
        system = join(system, request, now=NOW).system
    return system


def in_state(state: MemberState) -> System:
    system = joined(a_join(1), a_join(2))
    return system.with_member(system.members[1].placed(state, now=NOW))


# -- joining for the first time --------------------------------------------------------------------------------------


def test_ranks_are_handed_out_from_one_and_zero_is_for_who_asks() -> None:
    system = joined(a_join(1), a_join(2, rank=0), a_join(3))
    assert {rank: member.uuid[-1] for rank, member in system.members.items()} == {1: "1", 0: "2", 2: "3"}


def test_a_rank_somebody_asked_for_is_not_handed_out_again() -> None:
    system = joined(a_join(1, rank=1), a_join(2, rank=2), a_join(3))
    assert set(system.members) == {1, 2, 3}


def test_a_joiner_is_told_a_version_older_than_the_update_that_follows() -> None:
    system = fresh()
    for number in range(1, 5):
        change = join(system, a_join(number), now=NOW)
        assert system.map_version < change.outcome.map_version < change.system.map_version
        assert change.outcome.created
        system = change.system


def test_a_new_member_is_joined_even_in_check_mode() -> None:
    assert joined(a_join(1, check_mode=True)).members[1].state is S.JOINED


def test_a_known_uuid_cannot_take_a_second_rank() -> None:
    with pytest.raises(Refused, match=r"member with uuid .* already exists"):
        join(joined(a_join(1)), a_join(1, rank=7), now=NOW)


# -- refusals, in order ----------------------------------------------------------------------------------------------

BAD_UUID = {"uuid": "nonsense"}
BAD_DOMAIN = {"fault_domain": "nonsense"}
NO_DOMAIN = {"fault_domain": "/"}
OTHER_LABELS = {"fault_domain": "/host=h9"}
OTHER_PROVIDER = {"uri": "ofi+verbs://10.0.0.9:1"}
NO_URI = {"uri": ""}


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ([BAD_UUID, BAD_DOMAIN], 'invalid uuid "nonsense"'),
        ([BAD_DOMAIN, OTHER_PROVIDER], "code = 717"),
        ([NO_DOMAIN, OTHER_PROVIDER], "no fault domain in join request"),
        ([OTHER_LABELS, OTHER_PROVIDER], "code = 620"),
        ([OTHER_PROVIDER], 'fabric provider "ofi.verbs" does not match system provider "ofi.tcp"'),
        ([{"uri": "nonsense"}], 'unable to parse fabric provider from URI "nonsense"'),
        ([NO_URI], "no primary fabric URI"),
    ],
)
def test_a_first_join_is_refused_for_the_first_thing_that_is_wrong(wrong: list[dict[str, str]], text: str) -> None:
    request = a_join(9)
    for changes in wrong:
        request = replace(request, **changes)
    with pytest.raises(DaosControlError, match=text):
        join(joined(a_join(1)), request, now=NOW)
    with pytest.raises(DaosControlError, match=text):
        rank_to_replace(joined(a_join(1)), replace(request, replace=True), now=NOW)


def test_all_fault_domains_are_equally_deep() -> None:
    system = joined(a_join(1, fault_domain="/rack1/host1"))
    for other in ("/rack1/host1/slot", "/host2"):
        with pytest.raises(Fault, match=rf"{other}.* cannot join a system .* 2 levels") as refusal:
            join(system, a_join(2, fault_domain=other), now=NOW)
        assert refusal.value.code == 401


def test_a_leader_that_knows_no_provider_yet_is_not_ready() -> None:
    with pytest.raises(SteppingUp):
        join(System(), a_join(1), now=NOW)


def test_the_first_joiner_sets_the_labels_for_all() -> None:
    system = joined(a_join(1, fault_domain="/rack=r1/node=n1"))
    assert joined(a_join(2, fault_domain="/rack=r1/node=n2"), system=system).members.keys() == {1, 2}
    for other in ("/row=r1/node=n1", "/r1/n1", "/rack=r1"):
        with pytest.raises(Fault) as refusal:
            join(system, a_join(3, fault_domain=other), now=NOW)
        assert refusal.value.code == 620


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"rank": 1, "uuid": a_join(9).uuid}, "can't rejoin member with rank 1: uuid changed from .*1 -> .*9"),
        (
            {"addr": "10.9.9.9:10001"},
            r"can't rejoin member .*1 \(rank 1\): control address changed from 10.0.0.1:10001 -> 10.9.9.9:10001",
        ),
        ({"rank": 2}, "can't rejoin member with rank 2: uuid changed from .*2 -> .*1"),
    ],
)
def test_an_engine_that_comes_back_as_somebody_else_is_refused(changes: dict[str, object], text: str) -> None:
    with pytest.raises(JoinRefused, match=text) as refusal:
        join(joined(a_join(1), a_join(2)), a_join(1, **changes), now=NOW)
    event = refusal.value.event
    assert (event.name, event.type, event.incarnation) == ("engine_join_failed", EventType.INFO, 100)
    assert event.info == str(refusal.value)
    assert "dmg storage format -l" in str(refusal.value), "what to do is told as well"


def test_an_admin_excluded_rank_cannot_join() -> None:
    ways = r"member .*1 \(rank 1\) has been administratively excluded; .*clear-exclude --ranks=1.* start --ranks=1"
    with pytest.raises(JoinRefused, match=ways):
        join(in_state(S.ADMIN_EXCLUDED), a_join(1), now=NOW)


# -- joining again ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", sorted(set(MemberState) - {S.ADMIN_EXCLUDED}))
def test_a_known_engine_joins_again_from_any_other_state(state: MemberState) -> None:
    change = join(in_state(state), a_join(1, incarnation=200, uri="ofi+tcp://new:1", contexts=9), now=LATER)
    member = change.outcome.member
    assert (member.state, member.info, member.incarnation) == (S.JOINED, "", 200)
    assert (member.fabric_uri, member.fabric_contexts, member.last_update) == ("ofi+tcp://new:1", 9, LATER)
    assert change.outcome.before is state
    assert not change.outcome.created


def test_an_engine_in_check_mode_is_noted_as_such() -> None:
    assert join(in_state(S.STOPPED), a_join(1, check_mode=True), now=NOW).outcome.member.state is S.CHECKER_STARTED


def test_a_lone_member_may_change_the_depth_of_its_domain() -> None:
    system = joined(a_join(1))
    assert join(system, a_join(1, fault_domain="/r/h"), now=NOW).outcome.member.fault_domain == FaultDomain(("r", "h"))
    with pytest.raises(Fault):
        join(joined(a_join(1), a_join(2)), a_join(1, fault_domain="/r/h"), now=NOW)


def test_updates_paused_for_a_new_provider_go_on_when_the_last_rank_is_back() -> None:
    system = joined(a_join(1), a_join(2), a_join(3))
    for rank in (1, 2):
        system = system.with_member(system.members[rank].placed(S.STOPPED, now=NOW))
    system = system.with_member(system.members[3].placed(S.ADMIN_EXCLUDED, now=NOW))
    system = system.with_note(Note.GROUP_UPDATE_PAUSED, "true")
    one_back = join(system, a_join(1), now=NOW).system
    assert one_back.paused
    assert not join(one_back, a_join(2), now=NOW).system.paused


# -- replacing -------------------------------------------------------------------------------------------------------


def test_a_lost_engine_is_replaced_by_one_like_it() -> None:
    system = in_state(S.EXCLUDED)
    request = replace(a_join(1), uuid=a_join(9).uuid, replace=True)
    assert rank_to_replace(system, request, now=NOW) == 1
    change = join(system, request, now=NOW, replaced=1)
    assert (change.outcome.member.rank, change.outcome.created) == (1, False)
    assert change.system.by_uuid == {a_join(2).uuid: 2, a_join(9).uuid: 1}
    assert change.system.members[1].state is S.JOINED
    again = join(change.system, request, now=NOW).outcome
    assert (again.member.rank, again.created) == (1, False), "the first answer may have been lost on its way"


def test_a_late_word_of_the_lost_engine_does_not_harm_the_one_in_its_place() -> None:
    request = replace(a_join(1), uuid=a_join(9).uuid, replace=True, incarnation=200)
    system = join(in_state(S.EXCLUDED), request, now=NOW, replaced=1).system
    assert engine_died(system, died(1, 100), now=NOW).system is system
    assert rank_dead(system, 1, 100, now=NOW).system is system


def test_the_lost_engine_cannot_come_back_beside_the_one_in_its_place() -> None:
    request = replace(a_join(1), uuid=a_join(9).uuid, replace=True)
    system = join(in_state(S.EXCLUDED), request, now=NOW, replaced=1).system
    with pytest.raises(JoinRefused, match=r"uuid changed from .*9 -> .*1; the rank belongs to another engine now"):
        join(system, a_join(1, rank=1), now=NOW)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (a_join(9, replace=True, rank=1), "unexpected rank in replace-rank request"),
        (
            replace(a_join(1), uuid=a_join(9).uuid, contexts=4, replace=True),
            "code = 403 .* rank 1 comes nearest but differs: fabric contexts 3 there, 4 here",
        ),
        (
            replace(a_join(1), uuid=a_join(9).uuid, contexts=4, addr="10.0.0.7:1", replace=True),
            "code = 403 .* even the nearest, rank 1, differs: control address .*; fabric contexts ",
        ),
        (replace(a_join(1), uuid=a_join(2).uuid, replace=True), "control address changed"),
    ],
)
def test_what_replaces_nobody_is_refused(request_: JoinRequest, text: str) -> None:
    with pytest.raises(DaosControlError, match=text):
        join(in_state(S.EXCLUDED), request_, now=NOW, replaced=1)


def test_an_admin_excluded_rank_is_not_replaced() -> None:
    with pytest.raises(JoinRefused, match="administratively excluded"):
        join(in_state(S.ADMIN_EXCLUDED), replace(a_join(1), uuid=a_join(9).uuid, replace=True), now=NOW, replaced=1)


# -- deaths ----------------------------------------------------------------------------------------------------------


def died(rank: int, incarnation: int) -> Event:
    return Event(
        id=EventId.ENGINE_DIED,
        type=EventType.STATE_CHANGE,
        severity=Severity.ERROR,
        message="engine exited: signal: killed",
        timestamp="",
        rank=rank,
        incarnation=incarnation,
    )


def test_a_dead_engine_is_errored_and_says_why() -> None:
    move = engine_died(in_state(S.JOINED), died(1, 100), now=LATER).outcome
    assert move is not None
    assert (move.member.state, move.member.info) == (S.ERRORED, "engine exited: signal: killed")


@pytest.mark.parametrize("incarnation", [0, 100, 101])
def test_a_death_counts_unless_it_is_of_an_earlier_life(incarnation: int) -> None:
    assert engine_died(in_state(S.JOINED), died(1, incarnation), now=NOW).outcome is not None


def test_news_of_an_earlier_life_changes_nothing() -> None:
    system = in_state(S.JOINED)
    assert engine_died(system, died(1, 99), now=NOW).system is system
    assert rank_dead(system, 1, 99, now=NOW).system is system


def test_a_dead_rank_is_excluded_once() -> None:
    system = rank_dead(in_state(S.JOINED), 1, 100, now=NOW).system
    assert system.members[1].state is S.EXCLUDED
    assert rank_dead(system, 1, 100, now=NOW).system is system


def test_nobody_is_excluded_if_self_healing_is_off() -> None:
    system = in_state(S.JOINED).with_attributes({"prop.self_heal": "pool_exclude;pool_rebuild"})
    assert rank_dead(system, 1, 100, now=NOW).system is system


# -- orders and their results ----------------------------------------------------------------------------------------


def test_results_are_noted_if_the_move_is_legal_and_skipped_if_not() -> None:
    results = [
        RankResult(rank=1, state=S.READY, message="system start"),
        RankResult(rank=2, state=S.STOPPED, message="system stop"),
    ]
    change = record_results(in_state(S.JOINED), results, now=NOW)
    assert [move.member.rank for move in change.outcome] == [2]
    assert change.system.members[1].state is S.JOINED
    assert change.system.members[2].info == "system stop"


def test_failures_are_noted_unless_told_not_to() -> None:
    failure = [RankResult(rank=1, state=S.UNRESPONSIVE, errored=True, message="no answer")]
    assert record_results(in_state(S.JOINED), failure, now=NOW).system.members[1].state is S.UNRESPONSIVE
    assert not record_results(in_state(S.JOINED), failure, now=NOW, update_on_fail=False).outcome


@pytest.mark.parametrize(
    "result",
    [RankResult(rank=9, state=S.STOPPED), RankResult(rank=1, state=S.STOPPED, errored=True)],
    ids=["a rank nobody knows", "an error in a state that is none"],
)
def test_senseless_results_are_refused(result: RankResult) -> None:
    with pytest.raises(Refused):
        record_results(in_state(S.JOINED), [result], now=NOW)


def test_exclusion_overrules_the_table_and_clearing_leaves_a_rank_to_join() -> None:
    out = exclude(in_state(S.ERRORED), {1}, clear=False, now=NOW).system
    assert out.members[1].state is S.ADMIN_EXCLUDED
    cleared = exclude(out, {1}, clear=True, now=NOW)
    assert cleared.system.members[1].state is S.EXCLUDED
    assert cleared.outcome[0].action == "clear admin-excluded state"
    assert join(cleared.system, a_join(1), now=NOW).outcome.member.state is S.JOINED


# -- any history -----------------------------------------------------------------------------------------------------

STEP = st.one_of(
    st.tuples(st.just("join"), st.integers(1, 6), st.sampled_from([NIL_RANK, 0, 1, 2, 5])),
    st.tuples(st.just("dead"), st.integers(0, 6), st.integers(0, 200)),
    st.tuples(st.just("out"), st.integers(0, 6), st.booleans()),
)


@given(st.lists(STEP, max_size=30))
def test_after_any_history_the_system_is_consistent(steps: list[tuple[str, int, int]]) -> None:
    system = fresh()
    ranks: dict[str, int] = {}
    for what, number, detail in steps:
        before = system
        try:
            match what:
                case "join":
                    system = join(system, a_join(number, rank=detail), now=NOW).system
                case "dead":
                    system = rank_dead(system, number, detail, now=NOW).system
                case _:
                    known = {number} & set(system.members)
                    system = exclude(system, known, clear=bool(detail), now=NOW).system
        except DaosControlError:
            assert system is before
        assert system.map_version >= before.map_version
        assert system.members == before.members or system.map_version > before.map_version
        assert set(system.tree.ranks) == set(system.members)
        assert {member.uuid: rank for rank, member in system.members.items()} == system.by_uuid
        for uuid, rank in system.by_uuid.items():
            assert ranks.setdefault(uuid, rank) == rank, "an engine keeps its rank for life"
