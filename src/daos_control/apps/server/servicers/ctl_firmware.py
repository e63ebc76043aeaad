"""FirmwareQuery and FirmwareUpdate: refused, as by a DAOS 2.8 server that has no helper for firmware.

An update is refused earlier while an engine runs: that is what an administrator can change.
"""

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.engine.harness import Harness
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import CTL
from daos_control.wire.pb.ctl import firmware_pb2


class FirmwareRefusedError(DaosControlError):
    """Nothing is done about firmware here."""


def _unsupported(kind: str) -> FirmwareRefusedError:
    return FirmwareRefusedError(f"{kind} firmware operations are not supported on this system")


class FirmwareService:
    """The firmware calls of CtlSvc."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness

    def handlers(self) -> Handlers:
        """Return the methods by path."""
        return {CTL["FirmwareQuery"].path: self.query, CTL["FirmwareUpdate"].path: self.update}

    async def query(self, request: firmware_pb2.FirmwareQueryReq, _: Caller) -> firmware_pb2.FirmwareQueryResp:
        """Say for which kind of devices nothing can be told; somebody who asks about none is told nothing."""
        if request.queryScm:
            raise _unsupported("SCM")
        if request.queryNvme:
            raise _unsupported("NVMe")
        return firmware_pb2.FirmwareQueryResp()

    async def update(self, request: firmware_pb2.FirmwareUpdateReq, _: Caller) -> firmware_pb2.FirmwareUpdateResp:
        """Say what stands in the way of an update."""
        for engine in self._harness.engines:
            if engine.state.running and engine.rank is None:
                raise FirmwareRefusedError("an engine runs that has not been given its rank yet")
            if engine.state.running:
                raise FaultCode.SERVER_INSTANCES_NOT_STOPPED.fault(action="firmware update", rank=engine.rank)
        kinds = firmware_pb2.FirmwareUpdateReq
        if request.type not in {kinds.SCM, kinds.NVMe}:
            raise FirmwareRefusedError("unrecognized device type")
        raise _unsupported("SCM" if request.type == kinds.SCM else "NVMe")
