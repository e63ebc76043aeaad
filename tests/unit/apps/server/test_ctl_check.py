"""An administrator's decision finds the engine that waits for it, or its caller hears why not."""

import pytest

from daos_control.apps.server.servicers.ctl_check import CheckService, NotToldError
from daos_control.base.errors import Fault
from daos_control.base.rankset import NIL_RANK
from daos_control.net.drpc.errors import DrpcFailure, Status
from daos_control.net.drpc.methods import Mgmt
from daos_control.net.rpc.handlers import Caller
from daos_control.security.components import Component
from daos_control.testing.engine import stage
from daos_control.wire.pb.ctl.check_pb2 import CheckEngineActReq
from daos_control.wire.pb.mgmt import check_pb2

LEADER = Caller(component=Component.SERVER, address="10.0.0.1:10001")
DECISION = check_pb2.CheckActReq(sys="daos_server-2.8.0", seq=9, act=check_pb2.CheckActReq(act=3).act)


async def test_the_engine_of_that_rank_is_told_and_its_status_comes_back(tmp_path):
    answers = {Mgmt.CHK_ACT: lambda request: check_pb2.CheckActResp(status=-1000 - request.seq)}
    async with stage(tmp_path, engines=2, answers=answers) as play:
        await play.make_ready(0)
        await play.make_ready(1)
        reply = await CheckService(play.harness).repair(CheckEngineActReq(rank=8, req=DECISION), LEADER)
        assert (reply.rank, reply.resp.status) == (8, -1009)
        assert not [name for name, _ in play.engines[0].told if name == "CHK_ACT"]


async def test_what_makes_no_sense_reaches_no_engine(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        service = CheckService(play.harness)
        with pytest.raises(NotToldError, match="no decision"):
            await service.repair(CheckEngineActReq(rank=7), LEADER)
        with pytest.raises(NotToldError, match="nil rank"):
            await service.repair(CheckEngineActReq(rank=NIL_RANK, req=DECISION), LEADER)
        with pytest.raises(NotToldError, match="rank 9 is not managed"):
            await service.repair(CheckEngineActReq(rank=9, req=DECISION), LEADER)


async def test_an_engine_that_does_not_run_or_does_not_check(tmp_path):
    def refuse(_):
        raise DrpcFailure(Status.UNKNOWN_MODULE)

    async with stage(tmp_path, answers={Mgmt.CHK_ACT: refuse}) as play:
        await play.make_ready()
        service = CheckService(play.harness)
        with pytest.raises(NotToldError, match="rank 7 did not take the decision"):
            await service.repair(CheckEngineActReq(rank=7, req=DECISION), LEADER)
        await play.engines[0].supervisor.stop(2)
        with pytest.raises(Fault) as stopped:
            await service.repair(CheckEngineActReq(rank=7, req=DECISION), LEADER)
        assert stopped.value.code == 611
