"""The system as a whole: its members, its leader, starting and stopping it.

``System`` has the verbs, the other names are what they answer. A name is imported when it is first used: a program that
asks for the members does not pay for the answers of all other verbs.
"""

from typing import TYPE_CHECKING

from daos_control.base.lazy_names import lazy_names

if TYPE_CHECKING:
    from daos_control.client.system.leader import Leader
    from daos_control.client.system.members import Member, SystemState
    from daos_control.client.system.pools import CleanedPool, RebuildResult
    from daos_control.client.system.ranks import PoolRanksResult, RankResults
    from daos_control.client.system.selection import Absent
    from daos_control.client.system.verbs import System

__all__ = [
    "Absent",
    "CleanedPool",
    "Leader",
    "Member",
    "PoolRanksResult",
    "RankResults",
    "RebuildResult",
    "System",
    "SystemState",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "daos_control.client.system.leader": "Leader",
        "daos_control.client.system.members": "Member SystemState",
        "daos_control.client.system.pools": "CleanedPool RebuildResult",
        "daos_control.client.system.ranks": "PoolRanksResult RankResults",
        "daos_control.client.system.selection": "Absent",
        "daos_control.client.system.verbs": "System",
    },
)
