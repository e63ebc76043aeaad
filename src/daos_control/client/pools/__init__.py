"""Pools: making, finding, looking into and removing them, and everything else that is done to one.

``Pools`` has the verbs, the other names are what they take and answer. A name is imported when it is first used.
"""

from typing import TYPE_CHECKING

from daos_control.base.lazy_names import lazy_names

if TYPE_CHECKING:
    from daos_control.client.pools.foresight import AtStake, Foreseen
    from daos_control.client.pools.plan import LargestPool, PoolPlan, RankShare
    from daos_control.client.pools.records import Acl, CreatedPool, Pool, PoolList, Rebuild, Target, TierStats
    from daos_control.client.pools.verbs import HEALTH_ONLY, Pools

__all__ = [
    "HEALTH_ONLY",
    "Acl",
    "AtStake",
    "CreatedPool",
    "Foreseen",
    "LargestPool",
    "Pool",
    "PoolList",
    "PoolPlan",
    "Pools",
    "RankShare",
    "Rebuild",
    "Target",
    "TierStats",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "daos_control.client.pools.foresight": "AtStake Foreseen",
        "daos_control.client.pools.plan": "LargestPool PoolPlan RankShare",
        "daos_control.client.pools.records": "Acl CreatedPool Pool PoolList Rebuild Target TierStats",
        "daos_control.client.pools.verbs": "HEALTH_ONLY Pools",
    },
)
