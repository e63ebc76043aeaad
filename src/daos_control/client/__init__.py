"""The client library: every administrator verb as a typed coroutine, against our servers and genuine ones.

``DaosClient`` is the way in, ``SyncDaosClient`` the same for programs without an event loop. Names are imported when
they are first used, so that importing this package costs nothing.
"""

from typing import TYPE_CHECKING

from daos_control.base.lazy_names import lazy_names

# fmt: off
# isort: off
if TYPE_CHECKING:
    from daos_control.base.errors import (
        ClientClosed, DaosControlError, DaosError, Fault, PoolNotFound, Redirect, ServiceUnavailable,
    )
    from daos_control.base.fault_codes import FaultCode
    from daos_control.base.hostset import HostSet
    from daos_control.base.rankset import RankSet
    from daos_control.client.checker import CheckPolicies, CheckState, Checker, PoolCheck
    from daos_control.client.configuration import Configuration, HostsDiffer, ScanFailed
    from daos_control.client.connection import Connection
    from daos_control.client.daos import DaosClient
    from daos_control.client.engines import Engine, Engines, EnginesReport, LastExit, RestartLimits
    from daos_control.client.errors import (
        ConfigUnreadable, HostError, Interrupted, InvalidRequest, ManagementServiceUnreachable, NotOffered,
        PartlyFailed, UnexpectedReply,
    )
    from daos_control.client.events import Events, Explanation, History, Remedy
    from daos_control.client.fan_out import HostAnswers, fan_out
    from daos_control.client.fault_injection import FaultInjection
    from daos_control.client.firmware import (
        DeviceKind, Firmware, FirmwareReport, ModuleFirmware, ModuleUpdate, SsdUpdate, UpdateReport,
    )
    from daos_control.client.invoke import ManagementClient
    from daos_control.client.network import HostFabric, HostFabricInterface, Network
    from daos_control.client.pool_properties import PropertyValue
    from daos_control.client.pool_size import PerRank, PoolSize, Share, Total
    from daos_control.client.pools import (
        Acl, AtStake, CreatedPool, Foreseen, LargestPool, Pool, PoolList, PoolPlan, Pools, RankShare, Rebuild, Target,
        TierStats,
    )
    from daos_control.client.pools.plan import Limit
    from daos_control.client.rehearsal import Intended
    from daos_control.client.reports import HostGroup, HostProblem, HostReport
    from daos_control.client.server import Server, ServerVersion
    from daos_control.client.storage import Storage
    from daos_control.client.storage_records import (
        BdevRoles, HostStorage, MemInfo, NvmeController, NvmeHealth, NvmeNamespace, ScmModule, ScmMountPoint,
        ScmNamespace, SmdDevice, SmdInfo, SmdPool, SysMemInfo,
    )
    from daos_control.client.support import Collection, Support
    from daos_control.client.sync import (
        SyncChecker, SyncConfiguration, SyncDaosClient, SyncEngines, SyncEvents, SyncFaultInjection, SyncFirmware,
        SyncNetwork, SyncPools, SyncServer, SyncStorage, SyncSupport, SyncSystem, SyncTelemetry,
    )
    from daos_control.client.system import (
        CleanedPool, Leader, Member, PoolRanksResult, RankResults, RebuildResult, System, SystemState,
    )
    from daos_control.client.telemetry import NoMetrics, Telemetry, UnknownMetrics
    from daos_control.client.waiting import Wait, Waiting
    from daos_control.config.document import ConfigError
    from daos_control.config.generation.terms import CannotGenerate, Generated, Reason, Wishes
    from daos_control.host.support.steps import Item, Step
    from daos_control.model.acl import AccessControlList, AclEntry, InvalidAcl, Principal
    from daos_control.model.checker import (
        Action, CheckFlag, CheckPhase, CheckStatus, Finding, Inconsistency, PoolCheckStatus,
    )
    from daos_control.model.event import EngineStateInfo, Event, EventId, PoolServiceInfo, Severity
    from daos_control.model.journal import Cause, Entry, Heard, Moved, Origin
    from daos_control.model.member_state import MemberState
    from daos_control.model.pool_property import PoolQuery
    from daos_control.model.rank_result import RankResult
    from daos_control.net.http1 import HttpError
    from daos_control.net.rpc.status import Code, StatusError
    from daos_control.security.certificates import CertificateError, CertificateFiles, Certificates
    from daos_control.telemetry.exposition import MalformedMetrics
    from daos_control.telemetry.metrics import Bucket, Histogram, MetricSet, MetricType, Summary, Value

__all__ = [
    "AccessControlList", "Acl", "AclEntry", "Action", "AtStake", "BdevRoles", "Bucket", "CannotGenerate", "Cause",
    "CertificateError", "CertificateFiles", "Certificates", "CheckFlag", "CheckPhase", "CheckPolicies", "CheckState",
    "CheckStatus", "Checker", "CleanedPool", "ClientClosed", "Code", "Collection", "ConfigError", "ConfigUnreadable",
    "Configuration", "Connection", "CreatedPool", "DaosClient", "DaosControlError", "DaosError", "DeviceKind",
    "Engine", "EngineStateInfo", "Engines", "EnginesReport", "Entry", "Event", "EventId", "Events", "Explanation",
    "Fault", "FaultCode", "FaultInjection", "Finding", "Firmware", "FirmwareReport", "Foreseen", "Generated", "Heard",
    "Histogram", "History", "HostAnswers", "HostError", "HostFabric", "HostFabricInterface", "HostGroup",
    "HostProblem", "HostReport", "HostSet", "HostStorage", "HostsDiffer", "HttpError", "Inconsistency", "Intended",
    "Interrupted", "InvalidAcl", "InvalidRequest", "Item", "LargestPool", "LastExit", "Leader", "Limit",
    "MalformedMetrics", "ManagementClient", "ManagementServiceUnreachable", "MemInfo", "Member", "MemberState",
    "MetricSet", "MetricType", "ModuleFirmware", "ModuleUpdate", "Moved", "Network", "NoMetrics", "NotOffered",
    "NvmeController", "NvmeHealth", "NvmeNamespace", "Origin", "PartlyFailed", "PerRank", "Pool", "PoolCheck",
    "PoolCheckStatus", "PoolList", "PoolNotFound", "PoolPlan", "PoolQuery", "PoolRanksResult", "PoolServiceInfo",
    "PoolSize", "Pools", "Principal", "PropertyValue", "RankResult", "RankResults", "RankSet", "RankShare", "Reason",
    "Rebuild", "RebuildResult", "Redirect", "Remedy", "RestartLimits", "ScanFailed", "ScmModule", "ScmMountPoint",
    "ScmNamespace", "Server", "ServerVersion", "ServiceUnavailable", "Severity", "Share", "SmdDevice", "SmdInfo",
    "SmdPool", "SsdUpdate", "StatusError", "Step", "Storage", "Summary", "Support", "SyncChecker",
    "SyncConfiguration", "SyncDaosClient", "SyncEngines", "SyncEvents", "SyncFaultInjection", "SyncFirmware",
    "SyncNetwork", "SyncPools", "SyncServer", "SyncStorage", "SyncSupport", "SyncSystem", "SyncTelemetry",
    "SysMemInfo", "System", "SystemState", "Target", "Telemetry", "TierStats", "Total", "UnexpectedReply",
    "UnknownMetrics", "UpdateReport", "Value", "Wait", "Waiting", "Wishes", "fan_out",
]
# isort: on
# fmt: on

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "daos_control.base.errors": (
            "ClientClosed DaosControlError DaosError Fault PoolNotFound Redirect ServiceUnavailable"
        ),
        "daos_control.base.fault_codes": "FaultCode",
        "daos_control.base.hostset": "HostSet",
        "daos_control.base.rankset": "RankSet",
        "daos_control.client.checker": "CheckPolicies CheckState Checker PoolCheck",
        "daos_control.client.configuration": "Configuration HostsDiffer ScanFailed",
        "daos_control.client.connection": "Connection",
        "daos_control.client.daos": "DaosClient",
        "daos_control.client.engines": "Engine Engines EnginesReport LastExit RestartLimits",
        "daos_control.client.errors": (
            "ConfigUnreadable HostError Interrupted InvalidRequest ManagementServiceUnreachable NotOffered "
            "PartlyFailed UnexpectedReply"
        ),
        "daos_control.client.events": "Events Explanation History Remedy",
        "daos_control.client.fan_out": "HostAnswers fan_out",
        "daos_control.client.fault_injection": "FaultInjection",
        "daos_control.client.firmware": (
            "DeviceKind Firmware FirmwareReport ModuleFirmware ModuleUpdate SsdUpdate UpdateReport"
        ),
        "daos_control.client.invoke": "ManagementClient",
        "daos_control.client.network": "HostFabric HostFabricInterface Network",
        "daos_control.client.pool_properties": "PropertyValue",
        "daos_control.client.pool_size": "PerRank PoolSize Share Total",
        "daos_control.client.pools": (
            "Acl AtStake CreatedPool Foreseen LargestPool Pool PoolList PoolPlan Pools RankShare Rebuild Target "
            "TierStats"
        ),
        "daos_control.client.pools.plan": "Limit",
        "daos_control.client.rehearsal": "Intended",
        "daos_control.client.reports": "HostGroup HostProblem HostReport",
        "daos_control.client.server": "Server ServerVersion",
        "daos_control.client.storage": "Storage",
        "daos_control.client.storage_records": (
            "BdevRoles HostStorage MemInfo NvmeController NvmeHealth NvmeNamespace ScmModule ScmMountPoint "
            "ScmNamespace SmdDevice SmdInfo SmdPool SysMemInfo"
        ),
        "daos_control.client.support": "Collection Support",
        "daos_control.client.sync": (
            "SyncChecker SyncConfiguration SyncDaosClient SyncEngines SyncEvents SyncFaultInjection SyncFirmware "
            "SyncNetwork SyncPools SyncServer SyncStorage SyncSupport SyncSystem SyncTelemetry"
        ),
        "daos_control.client.system": (
            "CleanedPool Leader Member PoolRanksResult RankResults RebuildResult System SystemState"
        ),
        "daos_control.client.telemetry": "NoMetrics Telemetry UnknownMetrics",
        "daos_control.client.waiting": "Wait Waiting",
        "daos_control.config.document": "ConfigError",
        "daos_control.config.generation.terms": "CannotGenerate Generated Reason Wishes",
        "daos_control.host.support.steps": "Item Step",
        "daos_control.model.acl": "AccessControlList AclEntry InvalidAcl Principal",
        "daos_control.model.checker": ("Action CheckFlag CheckPhase CheckStatus Finding Inconsistency PoolCheckStatus"),
        "daos_control.model.event": "EngineStateInfo Event EventId PoolServiceInfo Severity",
        "daos_control.model.journal": "Cause Entry Heard Moved Origin",
        "daos_control.model.member_state": "MemberState",
        "daos_control.model.pool_property": "PoolQuery",
        "daos_control.model.rank_result": "RankResult",
        "daos_control.net.http1": "HttpError",
        "daos_control.net.rpc.status": "Code StatusError",
        "daos_control.security.certificates": "CertificateError CertificateFiles Certificates",
        "daos_control.telemetry.exposition": "MalformedMetrics",
        "daos_control.telemetry.metrics": "Bucket Histogram MetricSet MetricType Summary Value",
    },
)
