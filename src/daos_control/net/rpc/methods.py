"""Every gRPC method: its path, its messages, and who may call it.

``MGMT["Join"]`` and ``CTL["StorageScan"]`` look a method up. The tables name messages as ``file.Message`` under
``wire.pb``, and a message is loaded when it is first asked for: a command that calls one method does not pay for the
messages of all others. A test holds the tables to the service descriptors.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from daos_control.security.components import ALLOWED, CTL_SERVICE, HOST_SERVICE, MGMT_SERVICE, SYSTEM_SERVICE, Component

if TYPE_CHECKING:
    from google.protobuf.message import Message


class Method:
    """A method as both sides need it. There is one object for each, so methods can be keys of tables."""

    def __init__(self, path: str, request: str, reply: str, allowed: frozenset[Component]) -> None:
        self.path = path
        """Full name, ``/mgmt.MgmtSvc/Join``."""
        self.allowed = allowed
        self._request = request
        self._reply = reply

    @property
    def name(self) -> str:
        """The last part of the path, ``Join``."""
        return self.path.rpartition("/")[2]

    @cached_property
    def request(self) -> "type[Message]":
        """The message to call it with."""
        return _message(self._request)

    @cached_property
    def reply(self) -> "type[Message]":
        """The message that it answers."""
        return _message(self._reply)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<Method {self.path}>"


def _message(name: str) -> "type[Message]":
    """Load the message called ``file.Message``, as in ``mgmt.svc.JoinReq``."""
    file, _, message = name.rpartition(".")
    found: type[Message] = getattr(import_module(f"daos_control.wire.pb.{file}_pb2"), message)
    return found


class Service(Mapping[str, Method]):
    """The methods of one service, by name."""

    def __init__(self, prefix: str, messages: Mapping[str, tuple[str, str]]) -> None:
        self.prefix = prefix
        self._methods = {
            name: Method(prefix + name, request, reply, ALLOWED.get(prefix + name, frozenset()))
            for name, (request, reply) in messages.items()
        }

    def __getitem__(self, name: str) -> Method:
        return self._methods[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods)

    def __len__(self) -> int:
        return len(self._methods)


MGMT = Service(
    MGMT_SERVICE,
    {
        "Join": ("mgmt.svc.JoinReq", "mgmt.svc.JoinResp"),
        "ClusterEvent": ("shared.event.ClusterEventReq", "shared.event.ClusterEventResp"),
        "LeaderQuery": ("mgmt.svc.LeaderQueryReq", "mgmt.svc.LeaderQueryResp"),
        "GetAttachInfo": ("mgmt.svc.GetAttachInfoReq", "mgmt.svc.GetAttachInfoResp"),
        # Pools
        "PoolCreate": ("mgmt.pool.PoolCreateReq", "mgmt.pool.PoolCreateResp"),
        "PoolDestroy": ("mgmt.pool.PoolDestroyReq", "mgmt.pool.PoolDestroyResp"),
        "PoolEvict": ("mgmt.pool.PoolEvictReq", "mgmt.pool.PoolEvictResp"),
        "PoolExclude": ("mgmt.pool.PoolExcludeReq", "mgmt.pool.PoolExcludeResp"),
        "PoolDrain": ("mgmt.pool.PoolDrainReq", "mgmt.pool.PoolDrainResp"),
        "PoolExtend": ("mgmt.pool.PoolExtendReq", "mgmt.pool.PoolExtendResp"),
        "PoolReintegrate": ("mgmt.pool.PoolReintReq", "mgmt.pool.PoolReintResp"),
        "PoolQuery": ("mgmt.pool.PoolQueryReq", "mgmt.pool.PoolQueryResp"),
        "PoolQueryTarget": ("mgmt.pool.PoolQueryTargetReq", "mgmt.pool.PoolQueryTargetResp"),
        "PoolSetProp": ("mgmt.pool.PoolSetPropReq", "mgmt.pool.PoolSetPropResp"),
        "PoolGetProp": ("mgmt.pool.PoolGetPropReq", "mgmt.pool.PoolGetPropResp"),
        "PoolGetACL": ("mgmt.acl.GetACLReq", "mgmt.acl.ACLResp"),
        "PoolOverwriteACL": ("mgmt.acl.ModifyACLReq", "mgmt.acl.ACLResp"),
        "PoolUpdateACL": ("mgmt.acl.ModifyACLReq", "mgmt.acl.ACLResp"),
        "PoolDeleteACL": ("mgmt.acl.DeleteACLReq", "mgmt.acl.ACLResp"),
        "PoolUpgrade": ("mgmt.pool.PoolUpgradeReq", "mgmt.svc.DaosResp"),
        "PoolRebuildStart": ("mgmt.pool.PoolRebuildStartReq", "mgmt.svc.DaosResp"),
        "PoolRebuildStop": ("mgmt.pool.PoolRebuildStopReq", "mgmt.svc.DaosResp"),
        "PoolSelfHealEval": ("mgmt.pool.PoolSelfHealEvalReq", "mgmt.svc.DaosResp"),
        "ListPools": ("mgmt.pool.ListPoolsReq", "mgmt.pool.ListPoolsResp"),
        "ListContainers": ("mgmt.pool.ListContReq", "mgmt.pool.ListContResp"),
        "ContSetOwner": ("mgmt.cont.ContSetOwnerReq", "mgmt.svc.DaosResp"),
        # The system
        "SystemQuery": ("mgmt.system.SystemQueryReq", "mgmt.system.SystemQueryResp"),
        "SystemStop": ("mgmt.system.SystemStopReq", "mgmt.system.SystemStopResp"),
        "SystemStart": ("mgmt.system.SystemStartReq", "mgmt.system.SystemStartResp"),
        "SystemExclude": ("mgmt.system.SystemExcludeReq", "mgmt.system.SystemExcludeResp"),
        "SystemDrain": ("mgmt.system.SystemDrainReq", "mgmt.system.SystemDrainResp"),
        "SystemRebuildManage": ("mgmt.system.SystemRebuildManageReq", "mgmt.system.SystemRebuildManageResp"),
        "SystemSelfHealEval": ("mgmt.system.SystemSelfHealEvalReq", "mgmt.svc.DaosResp"),
        "SystemErase": ("mgmt.system.SystemEraseReq", "mgmt.system.SystemEraseResp"),
        "SystemCleanup": ("mgmt.system.SystemCleanupReq", "mgmt.system.SystemCleanupResp"),
        "SystemSetAttr": ("mgmt.system.SystemSetAttrReq", "mgmt.svc.DaosResp"),
        "SystemGetAttr": ("mgmt.system.SystemGetAttrReq", "mgmt.system.SystemGetAttrResp"),
        "SystemSetProp": ("mgmt.system.SystemSetPropReq", "mgmt.svc.DaosResp"),
        "SystemGetProp": ("mgmt.system.SystemGetPropReq", "mgmt.system.SystemGetPropResp"),
        # The checker
        "SystemCheckEnable": ("mgmt.check.CheckEnableReq", "mgmt.svc.DaosResp"),
        "SystemCheckDisable": ("mgmt.check.CheckDisableReq", "mgmt.svc.DaosResp"),
        "SystemCheckStart": ("mgmt.check.CheckStartReq", "mgmt.check.CheckStartResp"),
        "SystemCheckStop": ("mgmt.check.CheckStopReq", "mgmt.check.CheckStopResp"),
        "SystemCheckQuery": ("mgmt.check.CheckQueryReq", "mgmt.check.CheckQueryResp"),
        "SystemCheckSetPolicy": ("mgmt.check.CheckSetPolicyReq", "mgmt.svc.DaosResp"),
        "SystemCheckGetPolicy": ("mgmt.check.CheckGetPolicyReq", "mgmt.check.CheckGetPolicyResp"),
        "SystemCheckRepair": ("mgmt.check.CheckActReq", "mgmt.check.CheckActResp"),
        "SystemCheckEngineReport": ("shared.check_engine.CheckReportReq", "shared.check_engine.CheckReportResp"),
        "FaultInjectReport": ("chk.chk.CheckReport", "mgmt.svc.DaosResp"),
        "FaultInjectPoolFault": ("chk.faults.Fault", "mgmt.svc.DaosResp"),
        "FaultInjectMgmtPoolFault": ("chk.faults.Fault", "mgmt.svc.DaosResp"),
    },
)
"""The system's own service: whoever leads, and its replicas, answer."""

CTL = Service(
    CTL_SERVICE,
    {
        "StorageScan": ("ctl.storage.StorageScanReq", "ctl.storage.StorageScanResp"),
        "StorageFormat": ("ctl.storage.StorageFormatReq", "ctl.storage.StorageFormatResp"),
        "StorageNvmeRebind": ("ctl.storage.NvmeRebindReq", "ctl.storage.NvmeRebindResp"),
        "StorageNvmeAddDevice": ("ctl.storage.NvmeAddDeviceReq", "ctl.storage.NvmeAddDeviceResp"),
        "NetworkScan": ("ctl.network.NetworkScanReq", "ctl.network.NetworkScanResp"),
        "FirmwareQuery": ("ctl.firmware.FirmwareQueryReq", "ctl.firmware.FirmwareQueryResp"),
        "FirmwareUpdate": ("ctl.firmware.FirmwareUpdateReq", "ctl.firmware.FirmwareUpdateResp"),
        "SmdQuery": ("ctl.smd.SmdQueryReq", "ctl.smd.SmdQueryResp"),
        "SmdManage": ("ctl.smd.SmdManageReq", "ctl.smd.SmdManageResp"),
        "SetEngineLogMasks": ("ctl.server.SetLogMasksReq", "ctl.server.SetLogMasksResp"),
        "PrepShutdownRanks": ("ctl.ranks.RanksReq", "ctl.ranks.RanksResp"),
        "StopRanks": ("ctl.ranks.RanksReq", "ctl.ranks.RanksResp"),
        "ResetFormatRanks": ("ctl.ranks.RanksReq", "ctl.ranks.RanksResp"),
        "StartRanks": ("ctl.ranks.RanksReq", "ctl.ranks.RanksResp"),
        "CollectLog": ("ctl.support.CollectLogReq", "ctl.support.CollectLogResp"),
        "CheckEngineRepair": ("ctl.check.CheckEngineActReq", "ctl.check.CheckEngineActResp"),
    },
)
"""Every storage host's service."""

SYSTEM = Service(
    SYSTEM_SERVICE,
    {
        "ListEvents": ("control.system.ListEventsReq", "control.system.ListEventsResp"),
        "ExplainRank": ("control.system.ExplainRankReq", "control.system.ExplainRankResp"),
        "ReportEvents": ("control.system.ReportEventsReq", "control.system.ReportEventsResp"),
    },
)
"""The system's history, which DAOS's own servers do not keep: they answer UNIMPLEMENTED."""

HOST = Service(HOST_SERVICE, {"Engines": ("control.host.EnginesReq", "control.host.EnginesResp")})
"""The lives of a host's engines, which DAOS's own servers do not tell: they answer UNIMPLEMENTED."""

SERVICES = (MGMT, CTL, SYSTEM, HOST)


def find(path: str) -> Method | None:
    """Return the method of this full path."""
    for service in SERVICES:
        if path.startswith(service.prefix):
            return service.get(path.removeprefix(service.prefix))
    return None
