"""RAS events: what happened that somebody may have to act on."""

from datetime import datetime
from enum import IntEnum
from typing import Final

from msgspec import Struct

from daos_control.base.rankset import NIL_RANK

MESSAGE_LIMIT: Final = 127
"""Engines cut longer messages."""


class EventId(IntEnum):
    """What happened; the lower-case name is the event's name."""

    UNKNOWN_RAS_EVENT = 0
    ENGINE_FORMAT_REQUIRED = 1
    ENGINE_DIED = 2
    ENGINE_ASSERTED = 3
    ENGINE_CLOCK_DRIFT = 4
    ENGINE_SELF_TERMINATED = 5
    POOL_CORRUPTION_DETECTED = 6
    POOL_REBUILD_STARTED = 7
    POOL_REBUILD_FINISHED = 8
    POOL_REBUILD_FAILED = 9
    POOL_REPLICAS_UPDATED = 10
    POOL_DURABLE_FORMAT_INCOMPATIBLE = 11
    POOL_DESTROY_DEFERRED = 12
    POOL_START_FAILED = 13
    CONTAINER_DURABLE_FORMAT_INCOMPATIBLE = 14
    RDB_DURABLE_FORMAT_INCOMPATIBLE = 15
    SWIM_RANK_ALIVE = 16
    SWIM_RANK_DEAD = 17
    SYSTEM_START_FAILED = 18
    SYSTEM_STOP_FAILED = 19
    DEVICE_SET_FAULTY = 20
    DEVICE_MEDIA_ERROR = 21
    DEVICE_UNPLUGGED = 22
    DEVICE_PLUGGED = 23
    DEVICE_REPLACE = 24
    SYSTEM_FABRIC_PROVIDER_CHANGED = 25
    ENGINE_JOIN_FAILED = 26
    DEVICE_LINK_SPEED_CHANGED = 27
    DEVICE_LINK_WIDTH_CHANGED = 28
    DEVICE_LED_SET = 29
    ENGINE_LEFT_DOWN = 1000
    """Our own: restarts have not helped an engine that the system excludes again and again."""

    @classmethod
    def name_of(cls, number: int) -> str:
        """The event's name; a number nobody knows is an unknown event."""
        try:
            return cls(number).name.lower()
        except ValueError:
            return cls.UNKNOWN_RAS_EVENT.name.lower()


class EventType(IntEnum):
    """Whether the event changes the system's state, and so must reach the leader."""

    ANY = 0
    STATE_CHANGE = 1
    INFO = 2


class Severity(IntEnum):
    """How bad it is."""

    UNKNOWN = 0
    ERROR = 1
    WARNING = 2
    NOTICE = 3


class EngineStateInfo(Struct, frozen=True, tag="engine_state"):
    """Which engine of its host changed, and how it ended."""

    instance: int
    error: str = ""


class PoolServiceInfo(Struct, frozen=True, tag="pool_service"):
    """A pool service's replicas after a change; ``version`` is its term."""

    replicas: tuple[int, ...]
    version: int = 0


ExtendedInfo = str | EngineStateInfo | PoolServiceInfo | None


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event. ``timestamp`` stays text: engines and servers write it differently and nobody computes with it."""

    id: int
    type: int
    severity: int
    message: str
    timestamp: str
    hostname: str = ""
    rank: int = NIL_RANK
    incarnation: int = 0
    hw_id: str = ""
    proc_id: int = 0
    thread_id: int = 0
    job_id: str = ""
    pool_uuid: str = ""
    cont_uuid: str = ""
    obj_id: str = ""
    ctl_op: str = ""
    info: ExtendedInfo = None
    forwarded: bool = False
    """It came from another host, which has logged it already."""

    @property
    def name(self) -> str:
        """The event's name, as in ``engine_died``."""
        return EventId.name_of(self.id)

    @property
    def forwardable(self) -> bool:
        """Whether the leader should hear of it: a dead engine without a rank is no news to the system."""
        return self.type == EventType.STATE_CHANGE and not (self.id == EventId.ENGINE_DIED and self.rank == NIL_RANK)


def timestamp(now: datetime) -> str:
    """Write a time the way events carry it.

    >>> from datetime import UTC
    >>> timestamp(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC))
    '2026-01-02T03:04:05.678+00:00'
    """
    return now.isoformat(timespec="milliseconds")


def cut(message: str) -> str:
    """Shorten a message to what an event can carry; a ``$`` at its end says that something is missing."""
    encoded = message.encode()
    if len(encoded) <= MESSAGE_LIMIT:
        return message
    return encoded[: MESSAGE_LIMIT - 1].decode(errors="ignore") + "$"
