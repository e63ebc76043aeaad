"""CheckEngineRepair: what an administrator decided about a finding, told to the engine that waits for it."""

from daos_control.base.errors import DaosControlError
from daos_control.base.rankset import NIL_RANK
from daos_control.engine.harness import Harness, serving
from daos_control.net.drpc.errors import DrpcError
from daos_control.net.drpc.methods import Mgmt
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import CTL
from daos_control.wire.pb.ctl import check_pb2


class NotToldError(DaosControlError):
    """There is no such engine here, or it did not answer; the text says which."""


class CheckService:
    """The checker's part of CtlSvc; only the management service's leader calls it."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness

    def handlers(self) -> Handlers:
        """Return the methods by path."""
        return {CTL["CheckEngineRepair"].path: self.repair}

    async def repair(self, request: check_pb2.CheckEngineActReq, _: Caller) -> check_pb2.CheckEngineActResp:
        """Pass a decision on; the engine's status is in the reply."""
        if not request.HasField("req"):
            raise NotToldError("no decision in request")
        if request.rank == NIL_RANK:
            raise NotToldError("nil rank in request")
        engines = self._harness.with_ranks(lambda rank: rank == request.rank)
        if not engines:
            raise NotToldError(f"rank {request.rank} is not managed by this server")
        try:
            reply = await serving(engines[0]).call(Mgmt.CHK_ACT, request.req)
        except DrpcError as error:
            raise NotToldError(f"the engine of rank {request.rank} did not take the decision: {error}") from error
        return check_pb2.CheckEngineActResp(rank=request.rank, resp=reply)
