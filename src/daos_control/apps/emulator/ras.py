"""The events an engine raises: their numbers, kinds and texts, and the message that carries them."""

import time
from enum import IntEnum

from daos_control.base.rankset import NIL_RANK
from daos_control.wire.pb.shared import event_pb2

MAX_TEXT = 127


class Event(IntEnum):
    """Event numbers engines use."""

    CLOCK_DRIFT = 4
    SELF_TERMINATED = 5
    REBUILD_STARTED = 7
    REBUILD_FINISHED = 8
    REBUILD_FAILED = 9
    REPLICAS_UPDATED = 10
    POOL_START_FAILED = 13
    SWIM_RANK_DEAD = 17
    DEVICE_SET_FAULTY = 20
    DEVICE_MEDIA_ERROR = 21
    DEVICE_UNPLUGGED = 22
    DEVICE_PLUGGED = 23
    DEVICE_REPLACE = 24
    DEVICE_LED_SET = 29


class Type(IntEnum):
    """Whether an event changes the state of the system."""

    STATE_CHANGE = 1
    INFO = 2


class Severity(IntEnum):
    """How bad it is."""

    ERROR = 1
    WARNING = 2
    NOTICE = 3


def event(
    number: int,
    text: str,
    *,
    rank: int | None,
    kind: Type = Type.INFO,
    severity: Severity = Severity.NOTICE,
    incarnation: int = 0,
    pool: str = "",
) -> event_pb2.RASEvent:
    """Compose an event; extended information is up to the caller, and who raises it to ``upcalls``."""
    return event_pb2.RASEvent(
        id=number,
        msg=text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "$",
        timestamp=timestamp(time.time()),
        type=kind,
        severity=severity,
        rank=NIL_RANK if rank is None else rank,
        incarnation=incarnation,
        pool_uuid=pool,
    )


def timestamp(unix_s: float) -> str:
    """Write a moment as engines do: local time, microseconds, and a zone without colon."""
    microseconds = int(unix_s % 1 * 1_000_000)
    local = time.localtime(unix_s)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', local)}.{microseconds:06d}{time.strftime('%z', local)}"


def rank_dead(rank: int, incarnation: int) -> event_pb2.RASEvent:
    """SWIM holds a peer for dead."""
    return event(
        Event.SWIM_RANK_DEAD,
        "SWIM marked rank as dead.",
        rank=rank,
        kind=Type.STATE_CHANGE,
        incarnation=incarnation,
    )


def self_terminated(rank: int, incarnation: int) -> event_pb2.RASEvent:
    """This engine was excluded and is about to end itself."""
    return event(
        Event.SELF_TERMINATED,
        "excluded rank self terminated detected",
        rank=rank,
        incarnation=incarnation,
    )


def replicas_updated(rank: int | None, pool: str, replicas: tuple[int, ...], term: int) -> event_pb2.RASEvent:
    """A pool service has a new leader, which tells where its replicas are."""
    raised = event(
        Event.REPLICAS_UPDATED,
        "List of pool service replica ranks has been updated.",
        rank=rank,
        kind=Type.STATE_CHANGE,
        pool=pool,
    )
    raised.pool_svc_info.svc_reps.extend(replicas)
    raised.pool_svc_info.version = term
    return raised


def rebuild(number: Event, rank: int | None, pool: str, version: int, operation: str) -> event_pb2.RASEvent:
    """A rebuild of a pool begins or ends."""
    word = {Event.REBUILD_STARTED: "started", Event.REBUILD_FINISHED: "finished", Event.REBUILD_FAILED: "failed"}
    severity = Severity.ERROR if number is Event.REBUILD_FAILED else Severity.NOTICE
    raised = event(number, f"Pool rebuild {word[number]}.", rank=rank, severity=severity, pool=pool)
    raised.str_info = f"map_ver: [{version}] op: [{operation}]"
    return raised
