"""SmdQuery: what engines know of their devices and of the pools on them."""

from collections.abc import Iterator

from daos_control.base.errors import DaosControlError, DaosError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import NIL_RANK
from daos_control.engine.harness import Harness, serving
from daos_control.engine.link import EngineLink
from daos_control.engine.state import EngineState
from daos_control.net.drpc.errors import DrpcError
from daos_control.net.drpc.methods import Mgmt
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import CTL
from daos_control.wire.pb.ctl import smd_pb2

_ALIVE = (smd_pb2.NORMAL, smd_pb2.EVICTED)


class AmbiguousError(DaosControlError):
    """The request does not say of what the uuid is."""

    def __str__(self) -> str:
        return "UUID is ambiguous when querying both pools and devices"


class EngineSilentError(DaosControlError):
    """An engine did not answer properly."""


class SmdService:
    """The device calls of CtlSvc; engines that do not serve are passed over."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness

    def handlers(self) -> Handlers:
        """Return the methods by path."""
        return {CTL["SmdQuery"].path: self.query}

    async def query(self, request: smd_pb2.SmdQueryReq, _: Caller) -> smd_pb2.SmdQueryResp:
        """List devices, pools or both; an engine's devices and its pools are two entries of the reply."""
        if not any(engine.state is EngineState.READY for engine in self._harness.engines):
            raise FaultCode.SERVER_DATA_PLANE_NOT_STARTED.fault()
        if request.uuid and not (request.omit_devices or request.omit_pools):
            raise AmbiguousError
        try:
            return await self._query(request)
        except DrpcError as error:
            raise EngineSilentError(f"an engine of this host did not answer: {error}") from error

    async def _query(self, request: smd_pb2.SmdQueryReq) -> smd_pb2.SmdQueryResp:
        reply = smd_pb2.SmdQueryResp()
        if not request.omit_devices:
            for rank, link in self._serving(request.rank):
                devices = await _devices(link, health=request.include_bio_health)
                reply.ranks.add(rank=rank, devices=[one for one in devices if request.uuid in {"", one.uuid}])
        if not request.omit_pools:
            for rank, link in self._serving(request.rank):
                pools = [one for one in await _pools(link) if request.uuid in {"", one.uuid}]
                reply.ranks.add(rank=rank, pools=pools)
        return reply

    def _serving(self, wanted: int) -> Iterator[tuple[int, EngineLink]]:
        for engine in self._harness.engines:
            if engine.state is EngineState.READY and engine.rank is not None and wanted in {NIL_RANK, engine.rank}:
                yield engine.rank, serving(engine)


async def _devices(link: EngineLink, *, health: bool) -> list[smd_pb2.SmdDevice]:
    reply = await link.call(Mgmt.SMD_LIST_DEVS, smd_pb2.SmdDevReq())
    _accept(reply.status)
    for device in reply.devices if health else ():
        if device.ctrlr.dev_state in _ALIVE:
            found = await link.call(Mgmt.BIO_HEALTH_QUERY, smd_pb2.BioHealthReq(dev_uuid=device.uuid))
            _accept(found.status)
            found.ClearField("status")
            device.ctrlr.health_stats.CopyFrom(found)
    return list(reply.devices)


async def _pools(link: EngineLink) -> list[smd_pb2.SmdQueryResp.Pool]:
    reply = await link.call(Mgmt.SMD_LIST_POOLS, smd_pb2.SmdPoolReq())
    _accept(reply.status)
    return [smd_pb2.SmdQueryResp.Pool(uuid=one.uuid, tgt_ids=one.tgt_ids, blobs=one.blobs) for one in reply.pools]


def _accept(status: int) -> None:
    if status != 0:
        raise DaosError(status)
