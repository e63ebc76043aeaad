"""The checker from request to engine and back, on a management service that leads."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from msgspec import structs

from daos_control.base.der import Der
from daos_control.base.errors import DaosError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import NIL_RANK
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.service import Management
from daos_control.mgmt.system import Change
from daos_control.model.checker import Action, Inconsistency
from daos_control.model.event import Event, EventId, EventType, Severity
from daos_control.model.member_state import MemberState
from daos_control.model.pool import PoolService
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcStatus
from daos_control.testing.data_plane import FakeHosts
from daos_control.testing.management import Bench, a_join, until
from daos_control.wire.pb.chk import chk_pb2
from daos_control.wire.pb.ctl import check_pb2 as ctl_check_pb2
from daos_control.wire.pb.mgmt import check_pb2, pool_pb2, svc_pb2, system_pb2

SYS = "daos_server-2.8.0"
POOL = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
ENABLE, DISABLE = check_pb2.CheckEnableReq(sys=SYS), check_pb2.CheckDisableReq(sys=SYS)


class CheckingHosts(FakeHosts):
    """Hosts whose engines take decisions, with ``status``; ``meanwhile`` happens before they say so.

    ``before_stop`` happens once, while they are about to stop ranks.
    """

    status = 0
    before_stop: Callable[[], Awaitable[Any]] | None = None

    async def meanwhile(self, request: ctl_check_pb2.CheckEngineActReq) -> None: ...

    async def call(self, address: str, method: Any, request: Any, /, *, timeout_s: float | None = None) -> Any:
        if method.name == "StopRanks" and self.before_stop is not None:
            happens, self.before_stop = self.before_stop, None
            await happens()
        reply = await super().call(address, method, request, timeout_s=timeout_s)
        if method.name == "CheckEngineRepair":
            await self.meanwhile(request)
            return ctl_check_pb2.CheckEngineActResp(rank=request.rank, resp=check_pb2.CheckActResp(status=self.status))
        return reply


@pytest.fixture
def bench() -> Bench:
    return Bench(hosts=CheckingHosts())


async def _stop(bench: Bench, management: Management) -> None:
    bench.engines.open()
    await bench.with_members(management)
    await management.ranks.stop(system_pb2.SystemStopReq(force=True))


async def _enter_mode(management: Management) -> None:
    await management.checker.enable(ENABLE)
    for number in (1, 2):
        await management.join(a_join(number, rank=number, index=1, check_mode=True))


@pytest.fixture
async def stopped(bench: Bench) -> AsyncIterator[Management]:
    """A system of two ranks, stopped."""
    async with bench.leading() as management:
        bench.engines.ranks = (2, 1)
        await _stop(bench, management)
        yield management


@pytest.fixture
async def checking(bench: Bench, stopped: Management) -> Management:
    """The same in checker mode, its ranks joined."""
    await _enter_mode(stopped)
    bench.hosts.calls.clear()
    bench.engines.calls.clear()
    return stopped


def report(seq: int = 1, **changes: Any) -> chk_pb2.CheckReport:
    given: dict[str, Any] = {
        "seq": seq,
        "class": 4,
        "action": 1,
        "rank": 2,
        "pool_uuid": POOL,
        "act_choices": [4, 3, 2],
        "act_details": ["bring it back", "destroy it", "leave it"],
    }
    return chk_pb2.CheckReport(**{**given, **changes})


def states(management: Management) -> list[MemberState]:
    return [management.system.members[rank].state for rank in sorted(management.system.members)]


# -- mode


async def test_enabling_starts_the_ranks_for_the_checker(bench: Bench, stopped: Management) -> None:
    bench.hosts.calls.clear()
    await stopped.checker.enable(ENABLE)
    orders = {request.ranks: request.check_mode for _, _, request in bench.hosts.calls}
    assert orders == {"1": True, "2": True}
    joined, _ = await stopped.join(a_join(1, rank=1, index=1, check_mode=True))
    assert joined.checking
    assert joined.member.state is MemberState.CHECKER_STARTED


async def test_our_own_first_engine_is_not_opened_in_the_other_mode(bench: Bench, stopped: Management) -> None:
    """It is told to start again, and were it set up it would lead pools until then."""
    ours = a_join(1, uuid="00000000-0000-4000-8000-000000000009", rank=0)
    await stopped.join(ours)
    await stopped.ranks.stop(system_pb2.SystemStopReq(force=True))
    await stopped.checker.enable(ENABLE)
    bench.engines.set_ups.clear()
    joined, set_up = await stopped.join(ours)
    assert (joined.checking, set_up, bench.engines.set_ups) == (True, False, [])
    joined, set_up = await stopped.join(structs.replace(ours, check_mode=True))
    assert (joined.checking, set_up, bench.engines.set_ups) == (True, True, [(0, 0, joined.map_version)])
    await stopped.checker.disable(DISABLE)
    bench.engines.set_ups.clear()
    joined, set_up = await stopped.join(structs.replace(ours, check_mode=True))
    assert (joined.checking, set_up, bench.engines.set_ups) == (False, False, [])


async def test_who_enables_hears_of_ranks_that_did_not_start_and_can_go_on(bench: Bench, stopped: Management) -> None:
    bench.hosts.failing = {2: "no such luck"}
    with pytest.raises(Refused, match=r"rank 2 did not start.*no such luck"):
        await stopped.checker.enable(ENABLE)
    assert stopped.system.checking
    bench.hosts.failing.clear()
    bench.hosts.calls.clear()
    await stopped.ranks.start(system_pb2.SystemStartReq(ranks="2"))
    assert [request.check_mode for _, _, request in bench.hosts.calls] == [True]


async def test_disabling_stops_what_runs_for_the_checker(bench: Bench, checking: Management) -> None:
    await checking.checker.disable(DISABLE)
    assert not checking.system.checking
    assert states(checking) == [MemberState.STOPPED, MemberState.STOPPED]
    assert {name for _, name, _ in bench.hosts.calls} == {"PrepShutdownRanks", "StopRanks"}
    assert not any(request.force for _, _, request in bench.hosts.calls)


async def test_a_rank_that_comes_back_while_others_are_stopped_is_stopped_as_well(
    bench: Bench, checking: Management
) -> None:
    """Else it ran on for the checker in a system in normal mode, where nobody would start it again."""
    died = Event(
        id=EventId.ENGINE_DIED,
        type=EventType.STATE_CHANGE,
        severity=Severity.ERROR,
        message="DAOS engine 1 exited unexpectedly",
        timestamp="",
        hostname="host1",
        rank=1,
    )
    await checking.on_event(died)
    assert states(checking) == [MemberState.ERRORED, MemberState.CHECKER_STARTED]
    bench.hosts.before_stop = lambda: checking.join(a_join(1, rank=1, index=1, check_mode=True))
    await checking.checker.disable(DISABLE)
    assert not checking.system.checking
    assert states(checking) == [MemberState.STOPPED, MemberState.STOPPED]
    stopped = [request.ranks for _, name, request in bench.hosts.calls if name == "StopRanks"]
    assert stopped == ["2", "1"]


async def test_what_was_to_be_stopped_when_the_leader_died_is_stopped_by_the_next(bench: Bench) -> None:
    """Engines that were prepared for a stop still run, and for the checker."""
    dying = asyncio.Event()
    async with bench.leading() as management:
        await _stop(bench, management)
        await _enter_mode(management)
        bench.hosts.before_stop = lambda: _until_killed(dying)
        async with asyncio.TaskGroup() as group:
            disabling = group.create_task(management.checker.disable(DISABLE))
            await dying.wait()
            disabling.cancel()
        assert states(management) == [MemberState.STOPPING, MemberState.STOPPING]
    async with bench.leading() as successor:
        assert successor.system.checking
        await successor.checker.disable(DISABLE)
        assert not successor.system.checking
        assert states(successor) == [MemberState.STOPPED, MemberState.STOPPED]


async def _until_killed(dying: asyncio.Event) -> None:
    dying.set()
    await asyncio.Event().wait()


async def test_disabling_when_nothing_runs_stops_nothing(bench: Bench, stopped: Management) -> None:
    bench.hosts.failing = {1: "x", 2: "x"}
    with pytest.raises(Refused):
        await stopped.checker.enable(ENABLE)
    bench.hosts.calls.clear()
    await stopped.checker.disable(DISABLE)
    assert not stopped.system.checking
    assert bench.hosts.calls == []


async def test_the_mode_is_left_though_a_rank_does_not_stop(bench: Bench, checking: Management) -> None:
    bench.hosts.failing = {1: "stuck"}
    with pytest.raises(Refused, match=r"rank 1 did not stop.*stuck"):
        await checking.checker.disable(DISABLE)
    assert not checking.system.checking


async def test_the_mode_is_left_though_a_host_says_nothing_of_a_rank(bench: Bench, checking: Management) -> None:
    bench.hosts.silent = {1}
    async with asyncio.timeout(10):
        await checking.checker.disable(DISABLE)
    assert not checking.system.checking


async def test_the_mode_outlives_the_leader(bench: Bench) -> None:
    async with bench.leading() as management:
        await _stop(bench, management)
        await _enter_mode(management)
        await management.checker.report(report())
        await management.checker.set_policies(
            check_pb2.CheckSetPolicyReq(policies=[check_pb2.CheckInconsistPolicy(inconsist_cas=7, inconsist_act=1)])
        )
        before = management.system.check
    async with bench.leading() as successor:
        assert successor.system.checking
        assert successor.system.check == before
        assert successor.system.check.policies[Inconsistency.POOL_BAD_LABEL] is Action.INTERACT


async def test_pools_are_left_alone_while_the_system_is_checked(bench: Bench, checking: Management) -> None:
    with pytest.raises(Fault) as refused:
        await checking.pools.pass_on(drpc.Mgmt.POOL_QUERY, pool_pb2.PoolQueryReq(sys=SYS, id=POOL))
    assert refused.value.code == 1103
    half_made = PoolService(uuid=POOL, label="tank", last_update=bench.clock.now())
    await checking.apply(lambda system: Change(system=system.with_pool(half_made), outcome=None))
    await checking.checker.stop(check_pb2.CheckStopReq(sys=SYS))
    assert not bench.engines.requests(drpc.Mgmt.POOL_DESTROY)
    await checking.checker.disable(DISABLE)
    await bench.engines.asked(drpc.Mgmt.POOL_DESTROY)


# -- checks


async def test_a_check_is_begun_with_its_ranks_pools_and_policies(bench: Bench, checking: Management) -> None:
    await checking.pools.register(POOL, "tank", [1])
    policy = check_pb2.CheckInconsistPolicy(inconsist_cas=7, inconsist_act=6)
    request = check_pb2.CheckStartReq(sys=SYS, flags=17, uuids=["tank", OTHER], policies=[policy])
    assert (await checking.checker.start(request)).status == 0
    (asked,) = bench.engines.requests(drpc.Mgmt.CHK_START)
    assert (asked.sys, asked.flags, list(asked.ranks), list(asked.uuids)) == (SYS, 17, [1, 2], [POOL, OTHER])
    assert [entry.inconsist_cas for entry in asked.policies] == list(range(1, 21))
    assert {entry.inconsist_cas: entry.inconsist_act for entry in asked.policies}[7] == 6
    last = await checking.checker.get_policies(check_pb2.CheckGetPolicyReq(classes=[7], last_used=True))
    usual = await checking.checker.get_policies(check_pb2.CheckGetPolicyReq(classes=[7]))
    assert [last.policies[0].inconsist_act, usual.policies[0].inconsist_act] == [6, 0]


async def test_an_engine_that_began_anew_makes_us_forget_too(bench: Bench, checking: Management) -> None:
    await checking.checker.report(report(1, action=3, act_choices=[]))

    async def begin(_: Any) -> check_pb2.CheckStartResp:
        await checking.checker.report(report(2))  # it is faster than its own answer
        return check_pb2.CheckStartResp(status=1)

    bench.engines.answer(drpc.Mgmt.CHK_START, begin)
    assert (await checking.checker.start(check_pb2.CheckStartReq(sys=SYS))).status == 0
    assert set(checking.system.check.findings) == {2}


async def test_a_check_that_an_engine_refuses_changes_nothing(bench: Bench, checking: Management) -> None:
    await checking.checker.report(report())
    bench.engines.answer(drpc.Mgmt.CHK_START, check_pb2.CheckStartResp(status=Der.BUSY), DrpcStatus(3))
    assert (await checking.checker.start(check_pb2.CheckStartReq(sys=SYS))).status == Der.BUSY
    with pytest.raises(Refused, match="UNKNOWN_MODULE"):
        await checking.checker.start(check_pb2.CheckStartReq(sys=SYS))
    assert checking.system.check.findings[1].open
    assert checking.system.check.last_policies is None


async def test_what_was_begun_is_noted_though_its_caller_goes_away(bench: Bench, checking: Management) -> None:
    await checking.checker.report(report())
    going_on = asyncio.Event()

    async def begin(_: Any) -> check_pb2.CheckStartResp:
        await going_on.wait()
        return check_pb2.CheckStartResp(status=1)

    bench.engines.answer(drpc.Mgmt.CHK_START, begin)
    async with asyncio.TaskGroup() as group:
        caller = group.create_task(checking.checker.start(check_pb2.CheckStartReq(sys=SYS)))
        await bench.engines.asked(drpc.Mgmt.CHK_START)
        caller.cancel()
    going_on.set()
    await until(lambda: not checking.system.check.findings)


@pytest.mark.parametrize("verb", ["start", "stop", "query", "set_policies", "get_policies", "repair"])
async def test_nothing_is_asked_of_engines_unless_all_run_for_the_checker(
    bench: Bench, stopped: Management, verb: str
) -> None:
    requests: dict[str, Any] = {
        "start": check_pb2.CheckStartReq(),
        "stop": check_pb2.CheckStopReq(),
        "query": check_pb2.CheckQueryReq(),
        "set_policies": check_pb2.CheckSetPolicyReq(),
        "get_policies": check_pb2.CheckGetPolicyReq(),
        "repair": check_pb2.CheckActReq(),
    }
    bench.engines.calls.clear()
    with pytest.raises(Fault) as disabled:
        await getattr(stopped.checker, verb)(requests[verb])
    assert disabled.value.code == 1102
    bench.hosts.failing = {2: "no"}
    with pytest.raises(Refused):
        await stopped.checker.enable(ENABLE)
    with pytest.raises(Fault) as astray:
        await getattr(stopped.checker, verb)(requests[verb])
    assert astray.value.code == 1101
    checker_calls = [method for method, _ in bench.engines.calls if method.name.startswith("CHK_")]
    assert checker_calls == []


# -- queries


async def test_a_query_puts_together_what_engines_and_we_know(bench: Bench, checking: Management) -> None:
    await checking.pools.register(POOL, "tank", [1])
    await checking.checker.report(report(2))
    await checking.checker.report(report(1, pool_uuid=OTHER))
    answer = check_pb2.CheckQueryResp(ins_status=1, reports=[report(3), report(2, msg="older words")])
    bench.engines.answer(drpc.Mgmt.CHK_QUERY, answer, answer)
    reply = await checking.checker.query(check_pb2.CheckQueryReq(sys=SYS))
    assert [entry.seq for entry in reply.reports] == [1, 2, 3]
    assert reply.reports[1].msg == "inconsistency of class POOL_NONEXIST_ON_MS"
    assert (reply.ins_status, reply.leader) == (1, 2)
    reply = await checking.checker.query(check_pb2.CheckQueryReq(sys=SYS, uuids=["tank"]))
    assert [entry.seq for entry in reply.reports] == [2, 3]
    assert list(bench.engines.requests(drpc.Mgmt.CHK_QUERY)[1].uuids) == [POOL]


async def test_findings_are_told_without_any_engine(bench: Bench, stopped: Management, checking: Management) -> None:
    await checking.checker.report(report(2))
    await checking.checker.disable(DISABLE)
    bench.engines.calls.clear()
    for request in (check_pb2.CheckQueryReq(shallow=True), check_pb2.CheckQueryReq(seqs=[2])):
        reply = await stopped.checker.query(request)
        assert [entry.seq for entry in reply.reports] == [2]
        assert reply.leader == NIL_RANK
    with pytest.raises(Refused, match="finding 0x3 not found"):
        await stopped.checker.query(check_pb2.CheckQueryReq(seqs=[3]))
    assert not bench.engines.requests(drpc.Mgmt.CHK_QUERY)


async def test_an_engine_that_never_led_a_check_may_say_so(bench: Bench, checking: Management) -> None:
    bench.engines.answer(drpc.Mgmt.CHK_QUERY, check_pb2.CheckQueryResp(req_status=Der.NOTLEADER))
    assert (await checking.checker.query(check_pb2.CheckQueryReq())).req_status == Der.NOTLEADER


# -- policies and decisions


async def test_policies_that_an_engine_refuses_are_not_kept(bench: Bench, checking: Management) -> None:
    request = check_pb2.CheckSetPolicyReq(policies=[check_pb2.CheckInconsistPolicy(inconsist_cas=7, inconsist_act=1)])
    bench.engines.answer(drpc.Mgmt.CHK_SET_POLICY, svc_pb2.DaosResp(status=Der.INVAL))
    assert (await checking.checker.set_policies(request)).status == Der.INVAL
    assert checking.system.check.policies[Inconsistency.POOL_BAD_LABEL] is Action.DEFAULT
    await checking.checker.set_policies(request)
    assert checking.system.check.policies[Inconsistency.POOL_BAD_LABEL] is Action.INTERACT


async def test_a_decision_goes_to_the_rank_that_waits_for_it(bench: Bench, checking: Management) -> None:
    await checking.checker.report(report())
    request = check_pb2.CheckActReq(sys=SYS, seq=1, act=report(act_choices=[3]).act_choices[0])
    assert (await checking.checker.repair(request)).status == 0
    ((address, name, order),) = bench.hosts.calls
    assert (address, name, order.rank, order.req) == ("10.0.0.2:10001", "CheckEngineRepair", 2, request)
    settled = checking.system.check.findings[1]
    assert (settled.action, settled.details) == (Action.DISCARD, ("destroy it",))
    with pytest.raises(Refused, match="settled"):
        await checking.checker.repair(request)


async def test_a_decision_that_is_not_taken_can_be_made_again(bench: Bench, checking: Management) -> None:
    await checking.checker.report(report())
    request = check_pb2.CheckActReq(sys=SYS, seq=1, act=report(act_choices=[3]).act_choices[0])
    assert isinstance(bench.hosts, CheckingHosts)
    bench.hosts.status = Der.INVAL
    assert (await checking.checker.repair(request)).status == Der.INVAL
    bench.hosts.down = {"10.0.0.2:10001": FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="10.0.0.2:10001")}
    with pytest.raises(Fault):
        await checking.checker.repair(request)
    assert checking.system.check.findings[1].open


async def test_the_outcome_may_be_reported_before_the_decision_is_acknowledged(
    bench: Bench, checking: Management, monkeypatch: pytest.MonkeyPatch
) -> None:
    await checking.checker.report(report())

    async def outcome(_: Any) -> None:
        await checking.checker.report(report(1, action=3, result=-1012, act_choices=[], act_details=[]))

    monkeypatch.setattr(bench.hosts, "meanwhile", outcome)
    request = check_pb2.CheckActReq(sys=SYS, seq=1, act=report(act_choices=[3]).act_choices[0])
    assert (await checking.checker.repair(request)).status == 0
    assert checking.system.check.findings[1].result == -1012


async def test_a_report_of_nothing_is_refused(checking: Management) -> None:
    with pytest.raises(DaosError) as nothing:
        await checking.checker.report(None)
    assert nothing.value.status == Der.INVAL
