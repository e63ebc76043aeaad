"""The checker (``-C``): compares what engines have with what the management service knows, and repairs on demand.

Methods of an engine that is not in checker mode answer as if the module did not exist.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message

from daos_control.apps.emulator.checker import Checker
from daos_control.apps.emulator.engine import Engine
from daos_control.apps.emulator.handlers import EngineHandler, bind, parse_uuid
from daos_control.net.drpc.errors import DrpcFailure, Status
from daos_control.net.drpc.methods import Method, Mgmt
from daos_control.net.drpc.server import Handler, Peer
from daos_control.wire.pb.mgmt import check_pb2, svc_pb2

METHODS = (Mgmt.CHK_START, Mgmt.CHK_STOP, Mgmt.CHK_QUERY, Mgmt.CHK_PROP, Mgmt.CHK_ACT, Mgmt.CHK_SET_POLICY)


def bind_all(engine: Engine) -> dict[Method[Any, Any], Handler]:
    """Make the checker's handlers, or in normal mode what stands in for them."""
    if not engine.arguments.check_mode:
        return dict.fromkeys(METHODS, _not_here)
    return bind(engine, _handlers(Checker(engine)))


async def _not_here(_request: Message, _peer: Peer) -> Message:
    raise DrpcFailure(Status.UNKNOWN_MODULE, "not in checker mode")


def _handlers(checker: Checker) -> Mapping[Method[Any, Any], EngineHandler]:
    async def start(_engine: Engine, request: check_pb2.CheckStartReq) -> check_pb2.CheckStartResp:
        pools = [parse_uuid(text) for text in request.uuids]
        reset = await checker.start(request.flags, list(request.ranks), pools, _policies(request.policies))
        return check_pb2.CheckStartResp(status=int(reset))

    async def stop(_engine: Engine, request: check_pb2.CheckStopReq) -> check_pb2.CheckStopResp:
        await checker.stop([parse_uuid(text) for text in request.uuids])
        return check_pb2.CheckStopResp()

    async def query(_engine: Engine, request: check_pb2.CheckQueryReq) -> check_pb2.CheckQueryResp:
        return checker.query([parse_uuid(text) for text in request.uuids])

    async def prop(_engine: Engine, _request: check_pb2.CheckPropReq) -> check_pb2.CheckPropResp:
        return checker.properties()

    async def act(_engine: Engine, request: check_pb2.CheckActReq) -> check_pb2.CheckActResp:
        await checker.act(request.seq, request.act)
        return check_pb2.CheckActResp()

    async def set_policy(_engine: Engine, request: check_pb2.CheckSetPolicyReq) -> svc_pb2.DaosResp:
        checker.set_policies(request.flags, _policies(request.policies))
        return svc_pb2.DaosResp()

    return {
        Mgmt.CHK_START: start,
        Mgmt.CHK_STOP: stop,
        Mgmt.CHK_QUERY: query,
        Mgmt.CHK_PROP: prop,
        Mgmt.CHK_ACT: act,
        Mgmt.CHK_SET_POLICY: set_policy,
    }


def _policies(given: Any) -> dict[int, int]:
    return {policy.inconsist_cas: policy.inconsist_act for policy in given}
