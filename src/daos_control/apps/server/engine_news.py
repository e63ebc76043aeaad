"""What happens to this host's engines, as RAS events."""

import asyncio
import os

from daos_control.base.clock import Clock
from daos_control.base.rankset import NIL_RANK
from daos_control.engine.harness import Harness
from daos_control.engine.ports import Change
from daos_control.engine.restarts import Exit
from daos_control.engine.state import EngineState
from daos_control.mgmt.events import Events
from daos_control.model.event import EngineStateInfo, Event, EventId, EventType, Severity, cut, timestamp


class EngineNews:
    """Listens to engines and publishes; ``run`` does the publishing, in order."""

    def __init__(self, *, hostname: str, clock: Clock) -> None:
        self._hostname = hostname
        self._clock = clock
        self._waiting: asyncio.Queue[Event] = asyncio.Queue()

    def heard(self, change: Change) -> None:
        """Take note of a move."""
        if change.state is EngineState.AWAIT_FORMAT:
            self._waiting.put_nowait(self._format_required(change))
        elif change.exit is not None and not change.exit.wanted:
            self._waiting.put_nowait(self._died(change.index, change.exit))
        elif change.left_down:
            self._waiting.put_nowait(self._left_down(change))

    async def run(self, events: Events) -> None:
        """Publish until cancelled."""
        while True:
            await events.publish(await self._waiting.get())

    def _format_required(self, change: Change) -> Event:
        return Event(
            id=EventId.ENGINE_FORMAT_REQUIRED,
            type=EventType.INFO,
            severity=Severity.NOTICE,
            message=cut(f"DAOS engine {change.index} requires a {change.format_kind} format"),
            timestamp=timestamp(self._clock.now()),
            hostname=self._hostname,
            proc_id=os.getpid(),
            info=EngineStateInfo(change.index),
        )

    def _died(self, index: int, gone: Exit) -> Event:
        return Event(
            id=EventId.ENGINE_DIED,
            type=EventType.STATE_CHANGE,
            severity=Severity.ERROR,
            message=cut(f"DAOS engine {index} exited unexpectedly: {gone.text}"),
            timestamp=timestamp(self._clock.now()),
            hostname=self._hostname,
            rank=NIL_RANK if gone.rank is None else gone.rank,
            incarnation=gone.incarnation,
            proc_id=gone.pid or os.getpid(),
            info=EngineStateInfo(index, gone.text),
        )

    def _left_down(self, change: Change) -> Event:
        return Event(
            id=EventId.ENGINE_LEFT_DOWN,
            type=EventType.INFO,
            severity=Severity.ERROR,
            message=cut(f"DAOS engine {change.index}: {change.left_down}"),
            timestamp=timestamp(self._clock.now()),
            hostname=self._hostname,
            rank=NIL_RANK if change.rank is None else change.rank,
            proc_id=os.getpid(),
            info=EngineStateInfo(change.index, change.left_down),
        )


def restart_after_self_termination(harness: Harness, event: Event) -> None:
    """Have an engine of this host started again that says it ends itself because it was excluded."""
    if event.id == EventId.ENGINE_SELF_TERMINATED and not event.forwarded:
        for engine in harness.with_ranks(lambda rank: rank == event.rank):
            engine.self_terminated(event.incarnation)
