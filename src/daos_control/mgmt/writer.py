"""The one writer of the system: decisions one after another in memory, many of them in one commit.

Commands that arrive while a commit is under way wait together; then each is decided on the outcome of the one
before, and all that they change is written at once. A caller is answered when its change is durable, not before:
a lone command costs one commit and no waiting, two thousand joins cost as many commits as fit into the time they
take to arrive. Refusals cost nothing.

Every commit is fenced by the leadership, and expects the map to be as this writer left it: a deposed leader can
never write. When a commit fails nothing is known of its fate, so memory is dropped and read anew.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, SteppingUp
from daos_control.mgmt import records
from daos_control.mgmt.errors import NotStored
from daos_control.mgmt.system import Change, System
from daos_control.model.event import Event
from daos_control.store.api import Conflict, Leadership, LostLeadership, Store, StoreUnavailable

log = logs.get(__name__)

T = TypeVar("T")
Rule = Callable[[System], Change[T]]

MAX_BATCH: Final = 256
"""Commands in one commit, so that a flood is answered in portions."""


@dataclass(frozen=True, slots=True)
class _Command:
    rule: Rule[Any]
    answer: asyncio.Future[Any]


class Writer:
    """Decides and records; lives as long as one leadership."""

    def __init__(
        self,
        *,
        store: Store,
        leadership: Leadership,
        publish: Callable[[Event], None],
        deposed: Callable[[], DaosControlError],
    ) -> None:
        self._store = store
        self._deposed = deposed
        self._leadership = leadership
        self._publish = publish
        self._listeners: list[Callable[[], None]] = []
        self._queue: deque[_Command] = deque()
        self._arrived = asyncio.Event()
        self.closed = False
        """Whether the leadership has ended; nothing is decided here any more."""
        self._map_revision = 0
        self.system = System()
        self.revision = 0

    def listen(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called now, and whenever the recorded system has changed."""
        self._listeners.append(listener)
        listener()

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()

    async def load(self) -> None:
        """Read the system as it stands in the store."""
        snapshot = await self._store.get(records.ROOT)
        self.system = records.load(snapshot)
        self.revision = snapshot.revision
        held = snapshot.items.get(records.MAP)
        self._map_revision = held.revision if held else 0
        self._changed()

    async def apply(self, rule: Rule[T]) -> T:
        """Decide by ``rule`` and return its outcome once it is durable; raises what the rule raises."""
        if self.closed:
            raise self._deposed()
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.append(_Command(rule, answer))
        self._arrived.set()
        return await answer

    async def run(self) -> None:
        """Serve commands until the leadership is lost; whoever still waits then is sent to the next leader."""
        try:
            while True:
                await self._arrived.wait()
                await self._commit([self._queue.popleft() for _ in range(min(MAX_BATCH, len(self._queue)))])
                if not self._queue:
                    self._arrived.clear()
        finally:  # whatever ends us: nobody may wait for an answer that will not come
            self.closed = True
            _fail(self._queue, self._deposed)
            self._queue.clear()

    async def _commit(self, batch: list[_Command]) -> None:
        before = self.system
        after, accepted, outcomes, events = self._decide(batch)
        try:
            await self._write(before, after)
        except LostLeadership:
            _fail(accepted, self._deposed)
            raise
        except Conflict as error:
            log.error("somebody else wrote into the management database", key=str(error))
            _fail(accepted, SteppingUp)
            await self.load()
            return
        except StoreUnavailable as error:
            log.error("the management database takes no changes", reason=str(error))
            reason = str(error)
            _fail(accepted, lambda: NotStored(f"the change could not be stored: {reason}"))
            await self.load()
            return
        except BaseException:
            _fail(accepted, self._deposed)
            raise
        self.system = after
        for command, outcome in zip(accepted, outcomes, strict=True):
            if not command.answer.done():
                command.answer.set_result(outcome)
        for event in events:
            self._publish(event)
        if after is not before:
            self._changed()

    def _decide(self, batch: list[_Command]) -> tuple[System, list[_Command], list[object], list[Event]]:
        """Run the rules one after another; a command that is refused, or breaks, leaves no trace for the next."""
        system = self.system
        accepted: list[_Command] = []
        outcomes: list[object] = []
        events: list[Event] = []
        for command in batch:
            if command.answer.done():  # its caller has gone away
                continue
            try:
                change: Change[Any] = command.rule(system)
            except Exception as error:  # noqa: BLE001  not swallowed: it belongs to the caller, not to the others
                command.answer.set_exception(error)
                continue
            system = change.system
            accepted.append(command)
            outcomes.append(change.outcome)
            events += change.events
        return system, accepted, outcomes, events

    async def _write(self, before: System, after: System) -> None:
        writes = records.writes(before, after)
        if not writes:
            return
        self.revision = await self._store.commit(
            writes, expect={records.MAP: self._map_revision}, fence=self._leadership
        )
        if records.MAP in writes:
            self._map_revision = self.revision


def _fail(commands: Iterable[_Command], error: Callable[[], DaosControlError]) -> None:
    for command in commands:
        if not command.answer.done():
            command.answer.set_exception(error())
