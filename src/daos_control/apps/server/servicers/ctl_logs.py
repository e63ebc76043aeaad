"""SetEngineLogMasks: how loud the engines of this host are, changed while they run."""

from collections.abc import Sequence

from daos_control.apps.server.local import LocalEngine
from daos_control.base.errors import DaosControlError, DaosError
from daos_control.engine.command import parse_assignments
from daos_control.engine.harness import serving
from daos_control.engine.logmasks import LogMaskError, merge_subsystems
from daos_control.net.drpc.errors import DrpcError
from daos_control.net.drpc.methods import Mgmt
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import CTL
from daos_control.wire.pb.ctl import server_pb2


class LogService:
    """The logging call of CtlSvc."""

    def __init__(self, engines: Sequence[LocalEngine]) -> None:
        self._engines = tuple(engines)

    def handlers(self) -> Handlers:
        """Return the methods by path."""
        return {CTL["SetEngineLogMasks"].path: self.set_masks}

    async def set_masks(self, request: server_pb2.SetLogMasksReq, _: Caller) -> server_pb2.SetLogMasksResp:
        """Set masks and streams, or put back what is configured; one error text for each engine, empty if it did."""
        return server_pb2.SetLogMasksResp(errors=[await _set(engine, request) for engine in self._engines])


async def _set(engine: LocalEngine, request: server_pb2.SetLogMasksReq) -> str:
    try:
        reply = await serving(engine.supervisor).call(Mgmt.SET_LOG_MASKS, effective(engine, request))
        if reply.status != 0:
            raise DaosError(reply.status)
    except (DaosControlError, DrpcError, LogMaskError) as error:
        return str(error)
    return ""


def effective(engine: LocalEngine, request: server_pb2.SetLogMasksReq) -> server_pb2.SetLogMasksReq:
    """Return what the engine is told: resets replaced by what is configured, subsystems folded into the masks."""
    settings = engine.supervisor.settings
    configured = parse_assignments(settings.env_vars)
    masks = settings.log_mask if request.reset_masks else request.masks
    streams = configured.get("DD_MASK", "") if request.reset_streams else request.streams
    subsystems = configured.get("DD_SUBSYS", "") if request.reset_subsystems else request.subsystems
    if not masks:
        raise LogMaskError("no log masks given, and none configured (key log_mask of the engine)")
    return server_pb2.SetLogMasksReq(masks=merge_subsystems(masks, subsystems), streams=streams)
