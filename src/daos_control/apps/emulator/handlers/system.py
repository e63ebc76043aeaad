"""The engine as part of the system: rank, set-up, group map, shutdown, logging."""

from collections.abc import Mapping
from typing import Any

from daos_control.apps.emulator.engine import Engine
from daos_control.apps.emulator.handlers import EngineHandler
from daos_control.apps.emulator.membership import GroupMap, Member
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.net.drpc.methods import Method, Mgmt
from daos_control.wire.pb.ctl import server_pb2
from daos_control.wire.pb.mgmt import svc_pb2

log = logs.get(__name__)


async def set_rank(engine: Engine, request: svc_pb2.SetRankReq) -> svc_pb2.DaosResp:
    """Take a rank."""
    engine.neighbours.set_rank(request.rank, request.map_version)
    return svc_pb2.DaosResp()


async def set_up(engine: Engine, _request: None) -> svc_pb2.DaosResp:
    """Open for service."""
    engine.open()
    return svc_pb2.DaosResp()


async def prep_shutdown(engine: Engine, _request: svc_pb2.PrepShutdownReq) -> svc_pb2.DaosResp:
    """Expect others to go, and do not exclude them for it."""
    engine.caretaker.excludes = False
    return svc_pb2.DaosResp()


async def ping_rank(_engine: Engine, _request: svc_pb2.PingRankReq) -> svc_pb2.DaosResp:
    """Be there."""
    return svc_pb2.DaosResp()


async def group_update(engine: Engine, request: svc_pb2.GroupUpdateReq) -> svc_pb2.GroupUpdateResp:
    """Take a group map and pass it on."""
    members = tuple(Member(member.rank, member.uri, member.incarnation) for member in request.engines)
    engine.neighbours.update(GroupMap(version=request.map_version, members=members), spread=True)
    return svc_pb2.GroupUpdateResp()


async def group_status(engine: Engine, request: svc_pb2.GetGroupStatusReq) -> svc_pb2.GetGroupStatusResp:
    """Tell who is held for dead; version 0 means whatever version there is."""
    if request.map_version not in {0, engine.group.version}:
        raise DaosError(Der.GRPVER)
    return svc_pb2.GetGroupStatusResp(dead_ranks=engine.neighbours.dead)


async def set_log_masks(engine: Engine, request: server_pb2.SetLogMasksReq) -> server_pb2.SetLogMasksResp:
    """Change what is logged; no mask changes nothing."""
    if request.masks:
        engine.set_log_mask(request.masks)
        log.info("log masks set", masks=request.masks, streams=request.streams)
    return server_pb2.SetLogMasksResp()


HANDLERS: Mapping[Method[Any, Any], EngineHandler] = {
    Mgmt.SET_RANK: set_rank,
    Mgmt.SET_UP: set_up,
    Mgmt.PREP_SHUTDOWN: prep_shutdown,
    Mgmt.PING_RANK: ping_rank,
    Mgmt.GROUP_UPDATE: group_update,
    Mgmt.GROUP_STATUS_GET: group_status,
    Mgmt.SET_LOG_MASKS: set_log_masks,
}
