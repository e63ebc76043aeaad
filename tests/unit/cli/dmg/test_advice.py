"""What is suggested next: commands that exist, and only where there is something to do."""

import shlex
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError, PoolNotFound
from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.cli.dmg import advice
from daos_control.cli.dmg.commands import PROGRAM
from daos_control.cli.flags import Values, parse
from daos_control.cli.ui.steps import Step
from daos_control.client.checker import CheckState
from daos_control.client.pools import Pool
from daos_control.client.system import Member, SystemState
from daos_control.model.checker import Action, CheckPhase, CheckStatus, Finding, Inconsistency
from daos_control.model.member_state import MemberState
from daos_control.model.rank_result import RankResult
from daos_control.net.rpc.status import Code, StatusError

TANK = Pool(uuid="11f5e040-f9f2-4d86-8bc5-c0841667e7d5", label="tank", total_targets=8)
BROKEN = replace(TANK, disabled_targets=4, disabled_ranks=RankSet([3]))
FINDING = Finding(seq=0x1F, kind=Inconsistency.POOL_BAD_LABEL, action=Action.INTERACT)
CHECK = CheckState(
    status=CheckStatus.RUNNING, phase=CheckPhase.POOL_LIST, leader=0, start_time=0, pools={}, findings=(FINDING,)
)


def member(rank: int, state: MemberState) -> Member:
    return Member(
        rank=rank,
        uuid="",
        state=state,
        addr=f"10.0.0.{rank}:10001",
        fault_domain="/h1",
        fabric_uri="",
        secondary_fabric_uris=(),
        fabric_contexts=1,
        incarnation=1,
        info="",
        last_update=datetime(2026, 1, 31, tzinfo=UTC),
    )


def given(**values: object) -> Values:
    """Return what somebody has typed."""
    typed = Values()
    for key, value in values.items():
        typed.give(key, value)
    return typed


def result(rank: int, *, errored: bool = False) -> RankResult:
    return RankResult(rank=rank, action="stop", errored=errored, message="", state=MemberState.STOPPED, addr="")


def test_a_system_that_is_well_needs_nothing() -> None:
    assert [*advice.for_members([member(rank, MemberState.JOINED) for rank in range(4)])] == []


@pytest.mark.parametrize(
    ("state", "command"),
    [
        (MemberState.STOPPED, "dmg system start --ranks=1-2"),
        (MemberState.ADMIN_EXCLUDED, "dmg system clear-exclude --ranks=1-2"),
        (MemberState.EXCLUDED, "dmg system query --explain 1"),
        (MemberState.ERRORED, "dmg system query --explain 1"),
        (MemberState.UNRESPONSIVE, "dmg system query --explain 1"),
        (MemberState.AWAIT_FORMAT, "dmg storage format -l '10.0.0.[1-2]:10001'"),
    ],
)
def test_members_that_are_not_there_are_brought_back(state: MemberState, command: str) -> None:
    members = [member(0, MemberState.JOINED), member(1, state), member(2, state)]
    assert [step.command for step in advice.for_members(members)] == [command]


def test_what_failed_is_not_undone() -> None:
    results = [result(1), result(2, errored=True)]
    assert [step.command for step in advice.after_stop(results)] == ["dmg system start --ranks=1"]
    assert [*advice.after_stop(results[1:])] == []


def test_a_pool_that_is_not_there_lets_one_look_which_are() -> None:
    assert [step.command for step in advice.for_error(PoolNotFound(label="nope"), given())] == ["dmg pool list"]
    assert [*advice.for_error(DaosError(Der.TIMEDOUT), given())] == []
    assert [*advice.for_error(DaosError(Der.INVAL), given(pool="tank"))] == []


@pytest.mark.parametrize(
    ("error", "values", "command"),
    [
        (DaosError(Der.NOSPACE), {"label": "tank"}, "dmg pool plan"),
        (DaosError(Der.NONEXIST), {"pool": "tank"}, "dmg pool query --show-enabled tank"),
        (DaosError(Der.NONEXIST), {"pool": "tank", "principal": "u:bob@"}, "dmg pool get-acl tank"),
        (DaosError(Der.NONEXIST), {"pool": "tank", "container": "home"}, "daos container list tank"),
        (StatusError(Code.UNKNOWN, "invalid rank(s): 99"), {"ranks": RankSet([99])}, "dmg system query"),
        (StatusError(Code.UNKNOWN, "zero target ranks"), {"label": "tank"}, "dmg system query"),
        (StatusError(Code.UNKNOWN, "no available service ranks"), {"pool": "tank"}, "dmg system query"),
    ],
)
def test_what_is_not_there_lets_one_look_what_is(
    error: DaosControlError, values: dict[str, object], command: str
) -> None:
    assert [step.command for step in advice.for_error(error, given(**values))] == [command]


def test_ranks_that_are_not_there_let_one_look_which_are() -> None:
    state = SystemState(
        members=(), absent_ranks=RankSet([99]), absent_hosts=HostSet(), providers=(), self_heal_policy=""
    )
    assert [step.command for step in advice.for_absent(state)] == ["dmg system query --verbose"]
    assert [*advice.for_absent(replace(state, absent_ranks=RankSet()))] == []


def test_hosts_are_written_so_that_any_shell_takes_them() -> None:
    waiting = [member(rank, MemberState.AWAIT_FORMAT) for rank in (1, 2)]
    [step] = advice.for_members(waiting)
    assert shlex.split(step.command)[-1] == "10.0.0.[1-2]:10001"


@pytest.mark.parametrize(
    "steps",
    [
        [step for state in MemberState for step in advice.for_members([member(1, state)])],
        advice.for_pools([]),
        advice.for_pools([TANK, BROKEN]),
        advice.for_pool(BROKEN, "tank"),
        advice.after_stop([result(1)]),
        advice.after_exclusion([result(1)]),
        advice.after_clearing([result(1)]),
        advice.after_rebuild_began(["tank", "other"]),
        advice.for_error(PoolNotFound(label="nope"), given()),
        advice.for_error(DaosError(Der.NONEXIST), given(pool="tank")),
        advice.after_refused_ranks("tank"),
        advice.for_silent_pools(),
    ],
    ids=lambda steps: "steps",
)
def test_every_suggestion_can_be_typed(steps: list[Step]) -> None:
    typed = [*steps]
    assert typed
    for step in typed:
        program, *arguments = shlex.split(step.command)
        assert program == "dmg"
        assert parse(PROGRAM, arguments).command.run


def test_a_finding_is_decided_by_its_number() -> None:
    assert [step.command for step in advice.for_check(CHECK)] == ["dmg check repair 0x1f N"]
    assert [*advice.for_check(replace(CHECK, findings=()))] == []
