"""The parties of a DAOS system, and which of them may call what.

A certificate's common name is the component; nothing else of the subject counts. The table is DAOS 2.8's, method by
method, and below it our own services'; a method that is not in it may be called by nobody. A test holds it against
the service descriptors.
"""

from collections.abc import Mapping
from enum import StrEnum


class Component(StrEnum):
    """A party; the value is the certificate's common name and the ``x-daos-component`` header's text."""

    SERVER = "server"
    ADMIN = "admin"
    AGENT = "agent"
    CLIENT = "client"

    @classmethod
    def of_common_name(cls, name: str) -> "Component | None":
        """Return the component that a certificate with this common name speaks for, if any.

        >>> Component.of_common_name("admin")
        <Component.ADMIN: 'admin'>
        >>> Component.of_common_name("Admin"), Component.of_common_name("client")  # libdaos has no certificate
        (None, None)
        """
        return _CERTIFIED.get(name)


_CERTIFIED = {component.value: component for component in (Component.SERVER, Component.ADMIN, Component.AGENT)}

_ADMIN = frozenset({Component.ADMIN})
_AGENT = frozenset({Component.AGENT})
_SERVER = frozenset({Component.SERVER})

MGMT_SERVICE = "/mgmt.MgmtSvc/"
CTL_SERVICE = "/ctl.CtlSvc/"
SYSTEM_SERVICE = "/daos_control.SystemSvc/"
HOST_SERVICE = "/daos_control.HostSvc/"

_MGMT = {
    "Join": _SERVER,
    "ClusterEvent": _SERVER,
    "LeaderQuery": _ADMIN,
    "PoolCreate": _ADMIN,
    "PoolDestroy": _ADMIN,
    "PoolEvict": _ADMIN | _AGENT,
    "PoolExclude": _ADMIN,
    "PoolDrain": _ADMIN | _SERVER,
    "PoolExtend": _ADMIN,
    "PoolReintegrate": _ADMIN | _SERVER,
    "PoolQuery": _ADMIN,
    "PoolQueryTarget": _ADMIN,
    "PoolSetProp": _ADMIN,
    "PoolGetProp": _ADMIN,
    "PoolGetACL": _ADMIN,
    "PoolOverwriteACL": _ADMIN,
    "PoolUpdateACL": _ADMIN,
    "PoolDeleteACL": _ADMIN,
    "PoolUpgrade": _ADMIN,
    "PoolRebuildStart": _ADMIN | _SERVER,
    "PoolRebuildStop": _ADMIN | _SERVER,
    "PoolSelfHealEval": _ADMIN | _SERVER,
    "GetAttachInfo": _AGENT,
    "ListPools": _ADMIN,
    "ListContainers": _ADMIN,
    "ContSetOwner": _ADMIN,
    "SystemQuery": _ADMIN,
    "SystemStop": _ADMIN,
    "SystemStart": _ADMIN,
    "SystemExclude": _ADMIN,
    "SystemDrain": _ADMIN,
    "SystemRebuildManage": _ADMIN,
    "SystemSelfHealEval": _ADMIN,
    "SystemErase": _ADMIN | _SERVER,  # the leader's to other replicas; DAOS 2.8 forgets to allow it
    "SystemCleanup": _ADMIN | _AGENT,
    "SystemCheckEnable": _ADMIN,
    "SystemCheckDisable": _ADMIN,
    "SystemCheckStart": _ADMIN,
    "SystemCheckStop": _ADMIN,
    "SystemCheckQuery": _ADMIN,
    "SystemCheckSetPolicy": _ADMIN,
    "SystemCheckGetPolicy": _ADMIN,
    "SystemCheckRepair": _ADMIN,
    "SystemCheckEngineReport": _SERVER,
    "SystemSetAttr": _ADMIN,
    "SystemGetAttr": _ADMIN,
    "SystemSetProp": _ADMIN,
    "SystemGetProp": _ADMIN | _SERVER,
    "FaultInjectReport": _ADMIN,
    "FaultInjectPoolFault": _ADMIN,
    "FaultInjectMgmtPoolFault": _ADMIN,
}

_CTL = {
    "StorageScan": _ADMIN,
    "StorageFormat": _ADMIN,
    "StorageNvmeRebind": _ADMIN,
    "StorageNvmeAddDevice": _ADMIN,
    "NetworkScan": _ADMIN,
    "CollectLog": _ADMIN,
    "FirmwareQuery": _ADMIN,
    "FirmwareUpdate": _ADMIN,
    "SmdQuery": _ADMIN,
    "SmdManage": _ADMIN,
    "SetEngineLogMasks": _ADMIN,
    "PrepShutdownRanks": _SERVER,
    "StopRanks": _SERVER,
    "ResetFormatRanks": _SERVER,
    "StartRanks": _SERVER,
    "CheckEngineRepair": _SERVER,
}

_SYSTEM = {
    "ListEvents": _ADMIN,
    "ExplainRank": _ADMIN,
    "ReportEvents": _SERVER,
}

_HOST = {
    "Engines": _ADMIN,
}

ALLOWED: Mapping[str, frozenset[Component]] = {
    **{MGMT_SERVICE + name: components for name, components in _MGMT.items()},
    **{CTL_SERVICE + name: components for name, components in _CTL.items()},
    **{SYSTEM_SERVICE + name: components for name, components in _SYSTEM.items()},
    **{HOST_SERVICE + name: components for name, components in _HOST.items()},
}
"""Who may call what, by full method path."""


def may_call(component: Component | None, path: str) -> bool:
    """Decide whether this component may call the method; ``None`` stands for a certificate of nobody's."""
    return component in ALLOWED.get(path, ())
