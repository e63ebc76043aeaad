"""The numbers and names of pool properties, and the pool query's mask bits."""

from enum import IntEnum, IntFlag
from typing import Final


class PoolProperty(IntEnum):
    """A property's number on the wire; ``text`` is its name for people."""

    LABEL = 1
    ACL = 2
    SPACE_RB = 3
    SELF_HEAL = 4
    RECLAIM = 5
    OWNER = 6
    OWNER_GROUP = 7
    SVC_LIST = 8
    EC_CELL_SZ = 9
    DATA_THRESH = 10
    RD_FAC = 11
    EC_PDA = 12
    RP_PDA = 13
    GLOBAL_VERSION = 14
    UPGRADE_STATUS = 15
    SCRUB = 16
    SCRUB_FREQ = 17
    SCRUB_THRESH = 18
    SVC_RF = 19
    OBJ_VERSION = 20
    PERF_DOMAIN = 21
    CHECKPOINT = 22
    CHECKPOINT_FREQ = 23
    CHECKPOINT_THRESH = 24
    REINTEGRATION = 25
    SVC_OPS_ENABLED = 26
    SVC_OPS_ENTRY_AGE = 27

    @property
    def text(self) -> str:
        """The name people use."""
        return self.name.lower()


class PoolQuery(IntFlag):
    """What a pool query should find out."""

    SPACE = 0x1
    REBUILD_STATUS = 0x2
    ENGINES_ENABLED = 0x4
    ENGINES_DISABLED = 0x8
    ENGINES_DEAD = 0x10
    REBUILD_MAX_LAYOUT_VER = 0x20
    SELF_HEAL_POLICY = 0x40


EVERYTHING: Final = 0xFFFFFFFFFFFFFFFF
_COSTLY: Final = int(PoolQuery.ENGINES_ENABLED | PoolQuery.ENGINES_DEAD | PoolQuery.SELF_HEAL_POLICY)
DEFAULT_QUERY: Final = EVERYTHING ^ _COSTLY
"""What an empty mask stands for: everything, also what later versions may add, but for what nobody asks for."""
