"""What the client asks of the checker, and what it makes of the answers."""

from typing import Any

import pytest

from daos_control.base.rankset import NIL_RANK
from daos_control.client.daos import DaosClient
from daos_control.client.errors import InvalidRequest
from daos_control.model.checker import Action, CheckFlag, CheckPhase, CheckStatus, Inconsistency, PoolCheckStatus
from daos_control.testing.answers import Answers
from daos_control.wire.pb.chk import chk_pb2
from daos_control.wire.pb.mgmt import check_pb2, svc_pb2

TARGETS = [check_pb2.CheckQueryTarget(rank=1)], [check_pb2.CheckQueryTarget(rank=0)]


def a_pool(uuid: str, status: int, targets: Any = (), start: int = 0, misc: int = 0) -> check_pb2.CheckQueryPool:
    pool = check_pb2.CheckQueryPool(uuid=uuid, phase=chk_pb2.CSP_POOL_MBS, targets=targets)
    pool.status = status  # type: ignore[assignment]  # an int at run time
    pool.time.start_time, pool.time.misc_time = start, misc
    return pool


async def test_options_become_flags_and_only_those_that_were_given() -> None:
    answers = Answers(SystemCheckStart=check_pb2.CheckStartResp())
    checker = DaosClient(answers, ["a"]).checker
    await checker.start()
    await checker.start(dry_run=True, reset=True, find_orphans=True, failout=True, auto=False)
    await checker.start(["tank"], failout=False, auto=True, policies={Inconsistency.POOL_BAD_LABEL: Action.TRUST_PS})
    plain, full, opposite = answers.requests("SystemCheckStart")
    assert (plain.flags, full.flags, opposite.flags) == (0, 87, 40)
    assert list(opposite.uuids) == ["tank"]
    assert [(policy.inconsist_cas, policy.inconsist_act) for policy in opposite.policies] == [(7, 6)]


async def test_all_policies_are_all_there_are() -> None:
    answers = Answers(SystemCheckSetPolicy=svc_pb2.DaosResp())
    checker = DaosClient(answers, ["a"]).checker
    await checker.reset_policies()
    await checker.ask_always()
    defaults, questions = answers.requests("SystemCheckSetPolicy")
    assert [policy.inconsist_cas for policy in defaults.policies] == [*range(21), 100]
    assert {policy.inconsist_act for policy in defaults.policies} == {0}
    assert {policy.inconsist_act for policy in questions.policies} == {1}
    with pytest.raises(InvalidRequest, match="no policies"):
        await checker.set_policies({})


async def test_a_check_is_told_of_rank_by_rank_and_put_together() -> None:
    reply = check_pb2.CheckQueryResp(ins_status=chk_pb2.CIS_RUNNING, ins_phase=chk_pb2.CSP_POOL_MBS)
    reply.time.start_time = 100
    reply.pools.append(a_pool("p", chk_pb2.CPS_CHECKING, TARGETS[0], 100, 9))
    reply.pools.append(a_pool("p", chk_pb2.CPS_CHECKED, TARGETS[1], 100, 0))
    reply.pools.append(a_pool("q", chk_pb2.CPS_CHECKED, TARGETS[0], 100, 112))
    reply.pools.append(a_pool("r", chk_pb2.CPS_PENDING))
    for seq, kind in ((9, 7), (3, 7), (5, 4)):
        report = reply.reports.add(seq=seq, action=chk_pb2.CIA_INTERACT if seq == 9 else chk_pb2.CIA_IGNORE)
        setattr(report, "class", kind)
    state = await DaosClient(Answers(SystemCheckQuery=reply), ["a"]).checker.query()
    assert (state.status, state.phase, state.leader) == (CheckStatus.RUNNING, CheckPhase.POOL_MBS, 0)
    assert state.started.timestamp() == 100
    assert {uuid: pool.ranks for uuid, pool in state.pools.items()} == {"p": (0, 1), "q": (1,), "r": (NIL_RANK,)}
    assert {uuid: pool.lasted_s for uuid, pool in state.pools.items()} == {"p": None, "q": 12, "r": None}
    assert state.pools["p"].checking
    assert state.pools["r"].status is PoolCheckStatus.PENDING
    assert [finding.seq for finding in state.findings] == [5, 3, 9]
    assert [finding.seq for finding in state.open] == [9]


async def test_an_engine_that_cannot_lead() -> None:
    reply = check_pb2.CheckQueryResp(req_status=-2008, leader=NIL_RANK)
    answers = Answers(SystemCheckQuery=reply)
    state = await DaosClient(answers, ["a"]).checker.query(["tank"], findings=[7], shallow=True)
    assert (state.leader, state.request_status, state.status) == (None, -2008, CheckStatus.INIT)
    (request,) = answers.requests("SystemCheckQuery")
    assert (list(request.uuids), list(request.seqs), request.shallow) == (["tank"], [7], True)


async def test_policies_are_told_in_their_order() -> None:
    reply = check_pb2.CheckGetPolicyResp(flags=9)
    reply.policies.add(inconsist_cas=7, inconsist_act=1)  # type: ignore[arg-type]
    reply.policies.add(inconsist_cas=4)  # type: ignore[arg-type]
    answers = Answers(SystemCheckGetPolicy=reply)
    found = await DaosClient(answers, ["a"]).checker.get_policies([Inconsistency.POOL_BAD_LABEL], last_used=True)
    assert found.flags == CheckFlag.DRY_RUN | CheckFlag.AUTO
    assert found.policies == (
        (Inconsistency.POOL_BAD_LABEL, Action.INTERACT),
        (Inconsistency.POOL_NONEXIST_ON_MS, Action.DEFAULT),
    )
    (request,) = answers.requests("SystemCheckGetPolicy")
    assert (list(request.classes), request.last_used) == ([7], True)


async def test_the_rest_is_said_as_it_is() -> None:
    answers = Answers(
        SystemCheckEnable=svc_pb2.DaosResp(),
        SystemCheckDisable=svc_pb2.DaosResp(),
        SystemCheckStop=check_pb2.CheckStopResp(),
        SystemCheckRepair=check_pb2.CheckActResp(),
    )
    checker = DaosClient(answers, ["a"]).checker
    await checker.enable()
    await checker.disable()
    await checker.stop(["tank"])
    await checker.repair(0x7FFFFFFFFFFFFFFF, Action.READD)
    assert [name for _, name, _ in answers.asked] == [
        "SystemCheckEnable",
        "SystemCheckDisable",
        "SystemCheckStop",
        "SystemCheckRepair",
    ]
    (repair,) = answers.requests("SystemCheckRepair")
    assert (repair.seq, repair.act) == (0x7FFFFFFFFFFFFFFF, 4)
