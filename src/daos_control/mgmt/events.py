"""RAS events of this host: written down, told to who listens, and brought to whoever leads.

Engines raise events by calling their server; servers raise some themselves. There are two ways to the leader:

- an event that *changes the system's state* is acted on. On the leader's host that happens at once; on others it waits
  in line and is forwarded as DAOS 2.8 does it, and the engine that raised it does not wait for that;
- all others are *only told*, for the history. DAOS's own servers keep them to themselves, and a leader of theirs does
  not know what to do with them: so ours go by a method of our own, many at a time, and not to a leader that has none.

A leader that is away loses nothing: both lines wait, bounded, for it or for its successor.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count
from typing import Final, Protocol

from daos_control.base import logs, syslog
from daos_control.base.errors import DaosControlError, Redirect, ServiceUnavailable
from daos_control.base.rankset import NIL_RANK
from daos_control.base.syslog import Syslog
from daos_control.mgmt.errors import NotStored
from daos_control.model.event import Event, EventId, EventType, Severity

log = logs.get(__name__)

MAX_WAITING: Final = 4096
"""Events in each line; an endless outage of the leader must not eat the memory."""
TOLD_AT_ONCE: Final = 256
ATTEMPTS: Final = 20
"""How often the leader is asked to take what it refuses; that takes minutes. A leader that is away is waited for."""
RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 10.0
NO_HISTORY_S: Final = 600.0
"""After so long a leader that keeps no history is tried again: it may have been replaced by one that does."""
_PRIORITIES: Final[Mapping[int, int]] = {
    Severity.ERROR: syslog.ERR,
    Severity.WARNING: syslog.WARNING,
}

Listener = Callable[[Event], None]


class LeaderAway(DaosControlError):
    """Nobody who leads could be reached."""


class KeepsNoHistory(Exception):
    """The leader is one of DAOS's own, which has no use for events that change nothing."""


_MATTERS_OF_TIME: Final = (LeaderAway, Redirect, ServiceUnavailable, NotStored)


class Leader(Protocol):
    """The management service of this host."""

    @property
    def leading(self) -> bool:
        """Whether it leads at the moment."""
        ...

    def debounced(self, event: Event, /) -> bool:
        """Whether a leader has heard the same before."""
        ...

    async def on_event(self, event: Event, /) -> None:
        """Act on an event; raises what says that this must be tried again, here or elsewhere."""
        ...

    async def note_events(self, events: Sequence[Event], /) -> None:
        """Put events into the history."""
        ...


class Post(Protocol):
    """The way to a leader elsewhere; both methods raise LeaderAway if nobody leads."""

    async def forward(self, sequence: int, event: Event, /) -> None:
        """Have it act on an event, which has this number among those of this server."""
        ...

    async def report(self, events: Sequence[Event], /) -> None:
        """Tell it of events; raises KeepsNoHistory if it does not want to know."""
        ...


class Events:
    """The events of one server."""

    def __init__(self, post: Post, *, system_log: Syslog | None = None, retry_s: float = RETRY_S) -> None:
        self._post = post
        self._leader: Leader | None = None
        self._syslog = Syslog() if system_log is None else system_log
        self._retry_s = retry_s
        self._to_act_on = _Line("acted on")
        self._to_tell = _Line("told of")
        self._listeners: list[Listener] = []

    def attach(self, leader: Leader) -> None:
        """Let the management service of this host have its events whenever it leads."""
        self._leader = leader

    @property
    def _here(self) -> Leader | None:
        """Return whom to turn to if this server leads."""
        return self._leader if self._leader is not None and self._leader.leading else None

    def listen(self, listener: Listener) -> None:
        """Have ``listener`` called with every event of this host; it must not block."""
        self._listeners.append(listener)

    def record(self, event: Event) -> None:
        """Write an event down, tell the listeners, and see that it gets into the system's history."""
        self._make_known(event)
        if not event.forwarded:
            self._to_tell.put(event)

    async def publish(self, event: Event) -> None:
        """Record an event that was raised on this host, and see that the leader acts on it."""
        if not event.forwardable:
            self.record(event)
            return
        if (leader := self._here) is not None:
            if leader.debounced(event):
                return
            self._make_known(event)
            try:
                await leader.on_event(event)
            except DaosControlError as error:
                log.notice(f"event {event.name} waits for a leader: {error}", rank=event.rank)
                self._to_act_on.put(event)
        else:
            self._make_known(event)
            if not event.forwarded and not self._waits_already(event):
                self._to_act_on.put(event)

    async def run(self) -> None:
        """Bring events to the leader until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._bring())
            group.create_task(self._tell())

    async def _bring(self) -> None:
        """Have the leader act on events, one after another and in order."""
        for sequence in count(1):
            (event,) = await self._to_act_on.some(1)

            async def deliver(sequence: int = sequence, event: Event = event) -> None:
                leader = self._here
                await (self._post.forward(sequence, event) if leader is None else leader.on_event(event))

            await self._persist(deliver, f"event {event.name} of rank {event.rank}")
            self._to_act_on.done([event])

    async def _tell(self) -> None:
        """Tell the leader of events, as many at a time as have come together."""
        while True:
            events = await self._to_tell.some(TOLD_AT_ONCE)

            async def deliver(events: Sequence[Event] = events) -> None:
                leader = self._here
                await (self._post.report(events) if leader is None else leader.note_events(events))

            try:
                await self._persist(deliver, f"{len(events)} event(s) for the history")
            except KeepsNoHistory:
                self._to_tell.close_for(NO_HISTORY_S)
            self._to_tell.done(events)

    async def _persist(self, deliver: Callable[[], Awaitable[None]], what: str) -> None:
        """Try until it is delivered, as long as that is only a matter of time."""
        for attempt in count(1):
            try:
                await deliver()
            except _MATTERS_OF_TIME as error:
                log.debug(f"{what}: not delivered yet", reason=str(error))
            except DaosControlError as error:
                if attempt == ATTEMPTS:
                    log.error(f"{what}: not delivered", reason=str(error))
                    return
                log.debug(f"{what}: not taken yet", reason=str(error))
            else:
                return
            await asyncio.sleep(min(self._retry_s * 2 ** min(attempt - 1, 10), LONGEST_RETRY_S))

    def _waits_already(self, event: Event) -> bool:
        """Whether the same death waits to be forwarded: every engine of this host reports it."""
        return event.id == EventId.SWIM_RANK_DEAD and any(
            (other.id, other.rank, other.incarnation) == (event.id, event.rank, event.incarnation)
            for other in self._to_act_on.waiting
        )

    def _make_known(self, event: Event) -> None:
        if not event.forwarded:  # one that was is written down where it comes from
            text = describe(event)
            if not self._syslog.write(_PRIORITIES.get(event.severity, syslog.NOTICE), text):
                log.info(f"&&& RAS {text}")
        for listener in self._listeners:
            listener(event)


class _Line:
    """Events that wait for the leader, oldest first; if there are too many, the oldest leave."""

    def __init__(self, purpose: str) -> None:
        self.waiting: deque[Event] = deque()
        self._purpose = purpose
        self._filled = asyncio.Event()
        self._open_again = 0.0

    def put(self, event: Event) -> None:
        if self._open_again:
            if asyncio.get_running_loop().time() < self._open_again:
                return
            self._open_again = 0.0
        if len(self.waiting) == MAX_WAITING:
            lost = self.waiting.popleft()
            log.error(f"event lost: too many wait to be {self._purpose}", event_name=lost.name, rank=lost.rank)
        self.waiting.append(event)
        self._filled.set()

    async def some(self, most: int) -> list[Event]:
        """Return the oldest, up to so many; they stay in line until they are ``done``."""
        await self._filled.wait()
        return [event for _, event in zip(range(most), self.waiting, strict=False)]

    def done(self, events: Sequence[Event]) -> None:
        for event in events:
            if self.waiting and self.waiting[0] is event:  # else it was among the oldest and has left
                self.waiting.popleft()
        if not self.waiting:
            self._filled.clear()

    def close_for(self, seconds: float) -> None:
        """Turn events away for some time, those that wait too."""
        self.waiting.clear()
        self._open_again = asyncio.get_running_loop().time() + seconds


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
