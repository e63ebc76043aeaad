"""The client library: every administrator verb as a typed coroutine, against our servers and genuine ones.

``DaosClient`` is the way in, ``SyncDaosClient`` the same for programs without an event loop. Names are imported when
they are first used, so that importing this package costs nothing.
"""

from typing import TYPE_CHECKING

from daos_control.base.lazy_names import lazy_names

if TYPE_CHECKING:
    from daos_control.base.errors import DaosControlError, DaosError, Fault, PoolNotFound
    from daos_control.client.checker import Checker, CheckPolicies, CheckState, PoolCheck
    from daos_control.client.daos import DaosClient
    from daos_control.client.errors import (
        HostError,
        InvalidRequest,
        ManagementServiceUnreachable,
        PartlyFailed,
        UnexpectedReply,
    )
    from daos_control.client.fan_out import HostAnswers, fan_out
    from daos_control.client.invoke import ManagementClient
    from daos_control.client.network import HostFabric, Network
    from daos_control.client.pool_size import PerRank, PoolSize, Share, Total
    from daos_control.client.pools import CreatedPool, Pool, PoolList, PoolPlan, Pools, Rebuild, TierStats
    from daos_control.client.reports import HostGroup, HostProblem, HostReport
    from daos_control.client.storage import Storage
    from daos_control.client.storage_records import HostStorage
    from daos_control.client.sync import SyncDaosClient
    from daos_control.client.system import Leader, Member, RankResults, System, SystemState
    from daos_control.model.acl import AccessControlList, AclEntry, InvalidAcl, Principal

__all__ = [
    "AccessControlList",
    "AclEntry",
    "CheckPolicies",
    "CheckState",
    "Checker",
    "CreatedPool",
    "DaosClient",
    "DaosControlError",
    "DaosError",
    "Fault",
    "HostAnswers",
    "HostError",
    "HostFabric",
    "HostGroup",
    "HostProblem",
    "HostReport",
    "HostStorage",
    "InvalidAcl",
    "InvalidRequest",
    "Leader",
    "ManagementClient",
    "ManagementServiceUnreachable",
    "Member",
    "Network",
    "PartlyFailed",
    "PerRank",
    "Pool",
    "PoolCheck",
    "PoolList",
    "PoolNotFound",
    "PoolPlan",
    "PoolSize",
    "Pools",
    "Principal",
    "RankResults",
    "Rebuild",
    "Share",
    "Storage",
    "SyncDaosClient",
    "System",
    "SystemState",
    "TierStats",
    "Total",
    "UnexpectedReply",
    "fan_out",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "daos_control.base.errors": ("DaosControlError", "DaosError", "Fault", "PoolNotFound"),
        "daos_control.client.checker": ("CheckPolicies", "CheckState", "Checker", "PoolCheck"),
        "daos_control.client.daos": ("DaosClient",),
        "daos_control.client.errors": (
            "HostError",
            "InvalidRequest",
            "ManagementServiceUnreachable",
            "PartlyFailed",
            "UnexpectedReply",
        ),
        "daos_control.client.reports": ("HostGroup", "HostProblem", "HostReport"),
        "daos_control.client.fan_out": ("HostAnswers", "fan_out"),
        "daos_control.client.invoke": ("ManagementClient",),
        "daos_control.client.network": ("HostFabric", "Network"),
        "daos_control.client.pool_size": ("PerRank", "PoolSize", "Share", "Total"),
        "daos_control.client.pools": ("CreatedPool", "Pool", "PoolList", "PoolPlan", "Pools", "Rebuild", "TierStats"),
        "daos_control.model.acl": ("AccessControlList", "AclEntry", "InvalidAcl", "Principal"),
        "daos_control.client.storage": ("Storage",),
        "daos_control.client.storage_records": ("HostStorage",),
        "daos_control.client.sync": ("SyncDaosClient",),
        "daos_control.client.system": ("Leader", "Member", "RankResults", "System", "SystemState"),
    },
)
