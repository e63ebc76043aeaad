"""When the checker may do what, and what becomes of findings."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.base.der import Der
from daos_control.base.errors import DaosError, EmptyGroupMap, Fault, PoolNotFound
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.rules import checker
from daos_control.mgmt.rules.membership import join
from daos_control.mgmt.system import System
from daos_control.model.checker import DEFAULT_POLICIES, Action, CheckRecords, Finding, Inconsistency
from daos_control.model.member_state import MemberState
from daos_control.model.pool import PoolService, PoolState
from daos_control.model.system_property import Note
from daos_control.testing.management import a_join

NOW = datetime(2026, 1, 2, tzinfo=UTC)
S = MemberState
POOL = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def a_system(*states: MemberState, checking: bool = False, findings: tuple[Finding, ...] = ()) -> System:
    system = System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp")
    for number, state in enumerate(states, start=1):
        system = join(system, a_join(number), now=NOW).system
        system = system.with_member(system.members[number].placed(state, now=NOW))
    if checking:
        system = system.with_note(Note.CHECKER_ENABLED, "true")
    return system.with_check(CheckRecords(findings={finding.seq: finding for finding in findings}))


def a_finding(seq: int = 1, action: Action = Action.INTERACT, pool: str = POOL, **more: object) -> Finding:
    offered = (Action.READD, Action.IGNORE) if action is Action.INTERACT else ()
    given: dict[str, object] = {"kind": Inconsistency.POOL_NONEXIST_ON_MS, "choices": offered, "pool_uuid": pool}
    return Finding(seq=seq, action=action, **{**given, **more})  # type: ignore[arg-type]


CHECKING = a_system(S.CHECKER_STARTED, S.ADMIN_EXCLUDED, S.CHECKER_STARTED, checking=True)


# -- mode


def test_a_system_that_is_stopped_enters_the_mode_with_all_ranks_that_are_not_kept_out() -> None:
    change = checker.enable(a_system(S.STOPPED, S.ADMIN_EXCLUDED, S.STOPPED))
    assert change.system.checking
    assert change.outcome == {1, 3}


@pytest.mark.parametrize("state", sorted(set(S) - {S.STOPPED, S.ADMIN_EXCLUDED}))
def test_a_rank_in_any_other_state_keeps_the_system_from_it(state: MemberState) -> None:
    with pytest.raises(Fault) as refused:
        checker.enable(a_system(S.STOPPED, state, state))
    assert refused.value.code == 1101
    assert "2-3" in refused.value.description
    assert "AdminExcluded|Stopped" in refused.value.description
    assert "dmg system stop" in refused.value.resolution


def test_enabling_and_disabling_twice() -> None:
    for twice in (
        lambda: checker.enable(CHECKING),
        lambda: checker.disable(a_system(S.STOPPED)),
    ):
        with pytest.raises(DaosError) as already:
            twice()
        assert already.value.status == Der.ALREADY


@pytest.mark.parametrize("states", [(), (S.ADMIN_EXCLUDED,)], ids=["no member", "all kept out"])
def test_without_a_rank_to_start_there_is_nothing_to_check(states: tuple[MemberState, ...]) -> None:
    with pytest.raises(EmptyGroupMap):
        checker.enable(a_system(*states))


def test_leaving_the_mode_keeps_what_was_found() -> None:
    system = checker.reported(CHECKING, a_finding()).system
    after = checker.disable(system, given_up=(1, 3)).system
    assert not after.checking
    assert after.check is system.check


def test_the_mode_is_left_when_no_rank_runs_for_the_checker_but_those_given_up() -> None:
    for given_up, to_stop in ((), {1, 3}), ((3,), {1}):
        change = checker.disable(CHECKING, given_up=given_up)
        assert (change.system.checking, change.outcome) == (True, to_stop)
    change = checker.disable(CHECKING, given_up=(1, 2, 3))
    assert (change.system.checking, change.outcome) == (False, frozenset())


@pytest.mark.parametrize("state", sorted(S))
def test_the_mode_is_not_left_while_a_rank_may_run_for_the_checker(state: MemberState) -> None:
    """New ranks are joined even then; those that were to be stopped when a leader died may never have heard of it."""
    change = checker.disable(a_system(S.STOPPED, state, checking=True))
    runs = {S.CHECKER_STARTED, S.STARTING, S.READY, S.JOINED, S.STOPPING}
    assert change.outcome == (frozenset({2}) if state in runs else frozenset())
    assert change.system.checking == (state in runs)


def test_only_ranks_that_run_for_the_checker_take_part() -> None:
    checker.check_ready(CHECKING)
    assert checker.checker_ranks(CHECKING) == (1, 3)
    with pytest.raises(Fault) as disabled:
        checker.check_ready(a_system(S.CHECKER_STARTED))
    assert disabled.value.code == 1102
    with pytest.raises(Fault) as astray:
        checker.check_ready(a_system(S.CHECKER_STARTED, S.ERRORED, checking=True))
    assert astray.value.code == 1101
    assert "AdminExcluded|CheckerStarted" in astray.value.description


# -- policies


def test_policies_are_merged_in_the_order_of_their_classes() -> None:
    given = {Inconsistency.UNKNOWN: Action.IGNORE, Inconsistency.POOL_BAD_LABEL: Action.INTERACT}
    system = checker.set_policies(CHECKING, given).system
    found = checker.policies(system, (), last_used=False)
    assert list(found) == [*DEFAULT_POLICIES, Inconsistency.UNKNOWN]
    assert found[Inconsistency.POOL_BAD_LABEL] is Action.INTERACT
    assert checker.policies(CHECKING, (), last_used=False) == DEFAULT_POLICIES


def test_policies_of_the_last_check_are_the_usual_ones_until_there_was_one() -> None:
    system = checker.set_policies(CHECKING, {Inconsistency.POOL_BAD_LABEL: Action.INTERACT}).system
    wanted = [Inconsistency.POOL_BAD_LABEL, Inconsistency.NONE, Inconsistency.POOL_MORE_SVC]
    assert checker.policies(system, wanted, last_used=True) == {
        Inconsistency.POOL_MORE_SVC: Action.DEFAULT,
        Inconsistency.POOL_BAD_LABEL: Action.INTERACT,
    }
    used = checker.merged(system, {Inconsistency.POOL_BAD_LABEL: Action.TRUST_PS})
    system = checker.started(system, used=used, scope=(), reset=True, known=()).system
    assert checker.policies(system, wanted[:1], last_used=True) == {Inconsistency.POOL_BAD_LABEL: Action.TRUST_PS}
    assert checker.policies(system, wanted[:1], last_used=False) == {Inconsistency.POOL_BAD_LABEL: Action.INTERACT}


# -- checks


def test_pools_are_meant_by_label_or_by_uuid_which_need_not_be_known() -> None:
    pool = PoolService(uuid=POOL, label="tank", state=PoolState.CREATING, last_update=NOW)
    system = CHECKING.with_pool(pool)
    assert checker.pool_uuids(system, ["tank", OTHER.upper()]) == (POOL, OTHER)
    label = "0123456789abcdef-0123456789abcdef"  # Python would take it for a uuid, and DAOS does not
    assert checker.pool_uuids(system.with_pool(pool.changed(now=NOW, label=label)), [label]) == (POOL,)
    with pytest.raises(PoolNotFound, match="nosuch"):
        checker.pool_uuids(system, ["tank", "nosuch"])
    with pytest.raises(Refused, match="empty"):
        checker.pool_uuids(system, [""])


BEFORE = (
    a_finding(1, Action.INTERACT, POOL),
    a_finding(2, Action.READD, POOL),
    a_finding(3, Action.STALE, POOL),
    a_finding(4, Action.INTERACT, OTHER),
    a_finding(5, Action.READD, OTHER),
    a_finding(6, Action.STALE, OTHER),
)


@pytest.mark.parametrize(
    ("scope", "reset", "kept", "stale"),
    [
        ((), False, {2, 5}, set()),
        ((), True, set(), set()),
        ((POOL,), False, {2, 4, 5, 6}, {4, 6}),
        ((POOL,), True, {4, 5, 6}, {4, 6}),
    ],
    ids=["all", "all anew", "one pool", "one pool anew"],
)
def test_a_check_supersedes_what_nobody_has_decided(
    scope: tuple[str, ...], reset: bool, kept: set[int], stale: set[int]
) -> None:
    system = a_system(S.CHECKER_STARTED, checking=True, findings=BEFORE)
    known = frozenset(system.check.findings)
    fresh = a_finding(7, Action.INTERACT, POOL)  # reported while the engine's answer to the start was under way
    system = checker.reported(system, fresh).system
    after = checker.started(system, used=DEFAULT_POLICIES, scope=scope, reset=reset, known=known).system.check
    assert set(after.findings) == kept | {7}
    assert {seq for seq, finding in after.findings.items() if finding.action is Action.STALE} == stale
    assert after.findings[7].open
    if 4 in kept:
        assert after.findings[4].choices == ()
        assert "check the pool again" in after.findings[4].words[0]


# -- findings


def test_a_report_is_completed_with_label_and_words() -> None:
    system = CHECKING.with_pool(PoolService(uuid=POOL, label="tank", state=PoolState.READY, last_update=NOW))
    told = a_finding(details=("bring it back \n",), msg="lost \n", timestamp="Mon Jan  1\n")
    kept = checker.reported(system, told).system.check.findings[1]
    assert (kept.pool_label, kept.msg, kept.timestamp) == ("tank", "lost", "Mon Jan  1")
    assert kept.details == ("bring it back", "")
    assert kept.words == (f"enter pool {POOL} into the management service's records", "leave the pool as it is")
    settled = checker.reported(system, a_finding(action=Action.DISCARD, pool="")).system.check.findings[1]
    assert settled.words == ("destroy what engines have of the pool",)
    assert settled.msg == "inconsistency of class POOL_NONEXIST_ON_MS"


def test_a_report_without_sense_or_at_the_wrong_time_is_refused() -> None:
    with pytest.raises(DaosError) as bad:
        checker.reported(CHECKING, a_finding(pool="tank"))
    assert bad.value.status == Der.INVAL
    with pytest.raises(Fault):
        checker.reported(a_system(S.CHECKER_STARTED), a_finding())


def test_a_second_report_replaces_the_first() -> None:
    system = checker.reported(CHECKING, a_finding()).system
    system = checker.reported(system, a_finding(action=Action.READD, result=-1012)).system
    assert len(system.check.findings) == 1
    assert system.check.findings[1].result == -1012


def full(action: Action, *, first: Action) -> System:
    findings = [a_finding(1, first)] + [a_finding(seq, action) for seq in range(2, checker.MAX_FINDINGS + 1)]
    return a_system(S.CHECKER_STARTED, checking=True, findings=tuple(findings))


def test_findings_are_bounded_and_settled_ones_make_room_first() -> None:
    system = checker.reported(full(Action.INTERACT, first=Action.IGNORE), a_finding(9999)).system
    assert len(system.check.findings) == checker.MAX_FINDINGS
    assert 1 not in system.check.findings
    system = checker.reported(full(Action.IGNORE, first=Action.STALE), a_finding(9999)).system
    assert 1 in system.check.findings
    assert 2 not in system.check.findings
    with pytest.raises(Refused, match="4096 findings wait"):
        checker.reported(full(Action.INTERACT, first=Action.INTERACT), a_finding(9999))
    known = checker.reported(full(Action.INTERACT, first=Action.INTERACT), a_finding(5, Action.READD)).system
    assert known.check.findings[5].action is Action.READD


def test_a_decision_must_be_one_that_is_offered() -> None:
    system = a_system(S.CHECKER_STARTED, checking=True, findings=(a_finding(1, rank=1), a_finding(2, Action.IGNORE)))
    finding, address = checker.to_repair(system, 1, Action.READD)
    assert (finding.seq, address) == (1, "10.0.0.1:10001")
    for seq, action, why in (
        (1, Action.TRUST_PS, "offers READD, IGNORE"),
        (2, Action.READD, "settled"),
        (3, Action.READD, "finding 0x3 not found"),
    ):
        with pytest.raises(Refused, match=why):
            checker.to_repair(system, seq, action)
    stray = a_system(S.CHECKER_STARTED, checking=True, findings=(a_finding(1, rank=5),))
    with pytest.raises(Refused, match="rank 5"):
        checker.to_repair(stray, 1, Action.READD)
    with pytest.raises(Fault):
        checker.to_repair(a_system(S.CHECKER_STARTED), 1, Action.READD)


def test_a_decision_is_noted_unless_its_outcome_was_reported_before() -> None:
    system = checker.reported(CHECKING, a_finding(1)).system
    settled = checker.decided(system, 1, Action.READD).system.check.findings[1]
    assert (settled.action, settled.choices, len(settled.words)) == (Action.READD, (), 1)
    reported = checker.reported(system, a_finding(1, Action.READD, result=-1)).system
    assert checker.decided(reported, 1, Action.READD).system is reported
    assert checker.decided(CHECKING, 1, Action.READD).system is CHECKING


def test_findings_are_found_by_number_or_all() -> None:
    system = a_system(S.CHECKER_STARTED, checking=True, findings=BEFORE)
    assert [finding.seq for finding in checker.found(system, [5, 2])] == [5, 2]
    assert len(checker.found(system, [])) == len(BEFORE)
    with pytest.raises(Refused, match="finding 0x3e7 not found"):
        checker.found(system, [1, 999])


@given(st.sampled_from(Inconsistency), st.sampled_from(Action))
def test_there_are_words_for_everything(kind: Inconsistency, action: Action) -> None:
    words = checker.words_for(Finding(seq=1, kind=kind, action=action, pool_uuid=POOL), action)
    assert words
    assert "{" not in words


def test_even_for_what_is_not_known_here() -> None:
    assert checker.words_for(a_finding(), Action(77)) == "77 the pool"
