"""RAS events of this host: written down, told to who listens, and brought to whoever leads.

Engines raise events by calling their server; servers raise some themselves. An event that changes the system's
state is handled by the leader. On other hosts it waits in line to be forwarded; the engine that raised it does not
wait for that.
"""

import asyncio
import syslog
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.model.event import Event, EventType, Severity
from daos_control.model.member import NIL_RANK

log = logs.get(__name__)

MAX_WAITING: Final = 4096
"""Events that may wait to be forwarded; an endless outage of the leader must not eat the memory."""
_SYSLOG_SOCKET: Final = Path("/dev/log")
_PRIORITIES: Final = {
    Severity.ERROR: syslog.LOG_ERR,
    Severity.WARNING: syslog.LOG_WARNING,
    Severity.NOTICE: syslog.LOG_NOTICE,
}

Listener = Callable[[Event], None]


class Events:
    """The events of one server.

    ``handle`` is the leader's handler; ``leading`` says whether this server leads at the moment; ``forward`` brings
    an event to the leader elsewhere, with the number it has in this server's sequence.
    """

    def __init__(
        self,
        *,
        leading: Callable[[], bool],
        handle: Callable[[Event], Awaitable[None]],
        forward: Callable[[int, Event], Awaitable[None]],
    ) -> None:
        self._leading = leading
        self._handle = handle
        self._forward = forward
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(MAX_WAITING)
        self._listeners: list[Listener] = []
        self._sequence = 0

    def listen(self, listener: Listener) -> None:
        """Have ``listener`` called with every event of this host; it must not block."""
        self._listeners.append(listener)

    def record(self, event: Event) -> None:
        """Write an event down and tell the listeners."""
        if not event.forwarded:
            _write_down(event)
        for listener in self._listeners:
            listener(event)

    async def publish(self, event: Event) -> None:
        """Record an event that was raised on this host, and see that the leader acts on it."""
        self.record(event)
        if not event.forwardable:
            return
        if self._leading():
            await self._handle(event)
        elif not event.forwarded:
            try:
                self._waiting.put_nowait(event)
            except asyncio.QueueFull:
                log.error("event lost: too many wait for a leader", event_name=event.name, rank=event.rank)

    async def run(self) -> None:
        """Forward events in order until cancelled; one that cannot be delivered is given up."""
        while True:
            event = await self._waiting.get()
            if self._leading():
                await self._handle(event)
                continue
            self._sequence += 1
            try:
                await self._forward(self._sequence, event)
            except DaosControlError as error:
                log.error("event not forwarded", event_name=event.name, rank=event.rank, reason=str(error))


def _write_down(event: Event) -> None:
    """To syslog, or to the log if this machine has none."""
    text = describe(event)
    if _SYSLOG_SOCKET.exists():
        priority = _PRIORITIES.get(Severity(event.severity) if event.severity in _SEVERITIES else Severity.UNKNOWN)
        syslog.syslog((priority or syslog.LOG_INFO) | syslog.LOG_DAEMON, text)
    else:
        log.info(f"&&& RAS {text}")


_SEVERITIES: Final = frozenset(Severity)
_TYPES: Final = frozenset(EventType)


def describe(event: Event) -> str:
    """Write an event as DAOS's logs do: ``id: [engine_died] ts: [...] ...``, leaving out what is not set."""
    kind = EventType(event.type).name if event.type in _TYPES else str(event.type)
    severity = Severity(event.severity).name if event.severity in _SEVERITIES else str(event.severity)
    parts = {
        "id": event.name,
        "ts": event.timestamp,
        "host": event.hostname,
        "type": kind,
        "sev": severity,
        "msg": event.message,
        "pid": event.proc_id or "",
        "tid": event.thread_id or "",
        "hwid": event.hw_id,
        "rank": "" if event.rank == NIL_RANK else event.rank,
        "incarnation": event.incarnation or "",
        "jobid": event.job_id,
        "pool": event.pool_uuid,
        "container": event.cont_uuid,
        "objid": event.obj_id,
        "ctlop": event.ctl_op,
        "data": event.info if isinstance(event.info, str) else "",
    }
    always = {"id", "ts", "type", "sev", "msg"}
    return " ".join(f"{name}: [{value}]" for name, value in parts.items() if value != "" or name in always)
