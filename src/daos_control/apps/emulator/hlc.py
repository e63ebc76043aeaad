"""Hybrid logical clock stamps: what engines use as incarnations.

46 bits of physical time in sixteenths of a nanosecond since 2021, then 18 logical bits. Values only grow, also across
restarts with a clock that was set back.
"""

import time

START_UNIX_NS = 1_609_459_200 * 10**9
LOGICAL_BITS = 18
_TICK = 1 << LOGICAL_BITS


def stamp(unix_ns: int, *, after: int = 0) -> int:
    """Return the stamp of a moment, or the first one later than ``after`` if that moment is not.

    >>> stamp(1795397016_000_000_000) < stamp(1795397016_000_000_000, after=1 << 62)
    True
    """
    now = ((unix_ns - START_UNIX_NS) * 16) & ~(_TICK - 1)
    if now > after:
        return now
    return (after & ~(_TICK - 1)) + _TICK


def next_stamp(after: int) -> int:
    """Return the present stamp, later than ``after``."""
    return stamp(time.time_ns(), after=after)
