"""The one writer of the system: decisions one after another in memory, many of them in one commit.

Commands that arrive while a commit is under way wait together; then each is decided on the outcome of the one
before, and all that they change is written at once. A caller is answered when its change is durable, not before:
a lone command costs one commit and no waiting. Where many have come, many more are likely on their way: as long as
commands keep arriving, commits are a quarter of a second apart, and two thousand joins cost a dozen of them. Refusals
cost nothing.

The journal grows in the same commits: what a decision says of itself is written with it, and what was only heard
travels with the next decision, or after a moment with others of its kind. So a storm of events costs few commits, and
decisions do not wait for it.

Every commit is fenced by the leadership, and expects the map to be as this writer left it: a deposed leader can
never write. When a commit fails nothing is known of its fate, so memory is dropped and read anew.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, SteppingUp
from daos_control.mgmt import journal, records
from daos_control.mgmt.errors import NotStored
from daos_control.mgmt.journal import Journal
from daos_control.mgmt.system import Change, System
from daos_control.model.event import Event
from daos_control.model.journal import Fact
from daos_control.store.api import Conflict, Leadership, LostLeadership, Store, StoreUnavailable

log = logs.get(__name__)

T = TypeVar("T")
Rule = Callable[[System], Change[T]]

GATHER_S: Final = 0.25
"""The longest that a crowd is given to come together in one commit."""
QUIET_S: Final = 0.005
"""When nobody has joined a crowd for so long, for each command of the last one, it is complete."""
LONGEST_QUIET_S: Final = 0.04
MAX_BATCH: Final = 256
"""Commands in one commit, so that a flood is answered in portions."""
MAX_NOTES: Final = 256
"""Facts, beside those of the decisions, in one commit."""
MAX_WAITING_NOTES: Final = 8192
"""Facts that may wait; more are refused, and whoever brought them tries again."""
NOTE_PAUSE_S: Final = 0.1
"""How long facts without a decision wait for company."""


@dataclass(frozen=True, slots=True)
class _Command:
    rule: Rule[Any]
    answer: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Note:
    facts: Sequence[Fact]
    answer: asyncio.Future[None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """What came of a batch of commands."""

    system: System
    accepted: Sequence[_Command]
    outcomes: Sequence[object]
    events: Sequence[Event]
    facts: Sequence[Fact]


class Writer:
    """Decides and records; lives as long as one leadership."""

    def __init__(
        self,
        *,
        store: Store,
        leadership: Leadership,
        publish: Callable[[Event], None],
        deposed: Callable[[], DaosControlError],
        note_pause_s: float = NOTE_PAUSE_S,
    ) -> None:
        self._store = store
        self._deposed = deposed
        self._leadership = leadership
        self._publish = publish
        self._listeners: list[Callable[[], None]] = []
        self._queue: deque[_Command] = deque()
        self._notes: deque[_Note] = deque()
        self._notes_waiting = 0
        self._note_pause_s = note_pause_s
        self._note_timer: asyncio.TimerHandle | None = None
        self._arrived = asyncio.Event()
        self.closed = False
        """Whether the leadership has ended; nothing is decided here any more."""
        self._map_revision = 0
        self.system = System()
        self.journal = Journal()
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
        self.journal.load(await self._store.get(journal.ROOT))
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

    async def note(self, facts: Sequence[Fact]) -> None:
        """Return once the journal has these facts for good; raises what says that it has not."""
        if self.closed:
            raise self._deposed()
        if self._notes_waiting + len(facts) > MAX_WAITING_NOTES:
            raise NotStored("too much is waiting to be written into the journal: try again later")
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._notes.append(_Note(facts, answer))
        self._notes_waiting += len(facts)
        self._look_at_notes()
        await answer

    def _look_at_notes(self) -> None:
        """Have facts written that wait: soon if they are many, else after a moment."""
        if self._notes_waiting >= MAX_NOTES:
            self._arrived.set()
        elif self._notes and self._note_timer is None:
            self._note_timer = asyncio.get_running_loop().call_later(self._note_pause_s, self._notes_are_due)

    def _notes_are_due(self) -> None:
        self._note_timer = None
        self._arrived.set()

    async def run(self) -> None:
        """Serve commands until the leadership is lost; whoever still waits then is sent to the next leader."""
        crowd = 0
        try:
            while True:
                await self._arrived.wait()
                if crowd > 1:
                    await self._gather(min(LONGEST_QUIET_S, crowd * QUIET_S))
                crowd = min(MAX_BATCH, len(self._queue))
                await self._commit([self._queue.popleft() for _ in range(crowd)])
                if not self._queue:
                    self._arrived.clear()
                    self._look_at_notes()
        finally:  # whatever ends us: nobody may wait for an answer that will not come
            self.closed = True
            self.journal.close()
            if self._note_timer is not None:
                self._note_timer.cancel()
            _fail([*self._queue, *self._notes], self._deposed)
            self._queue.clear()
            self._notes.clear()

    async def _gather(self, quiet_s: float) -> None:
        """Wait while commands keep arriving, up to a point. Two who take turns hardly wait; hundreds are hundreds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + GATHER_S
        seen = 0
        while seen < len(self._queue) < MAX_BATCH and loop.time() < end:
            seen = len(self._queue)
            await asyncio.sleep(quiet_s)

    async def _commit(self, batch: list[_Command]) -> None:
        before = self.system
        decided, notes = self._decide(batch), self._take_notes()
        waiting: list[_Command | _Note] = [*decided.accepted, *notes]
        try:
            await self._write(
                before, decided.system, [*decided.facts, *(fact for note in notes for fact in note.facts)]
            )
        except LostLeadership:
            _fail(waiting, self._deposed)
            raise
        except Conflict as error:
            log.error("somebody else wrote into the management database", key=str(error))
            _fail(waiting, SteppingUp)
            await self.load()
            return
        except StoreUnavailable as error:
            log.error("the management database takes no changes", reason=str(error))
            reason = str(error)
            _fail(waiting, lambda: NotStored(f"the change could not be stored: {reason}"))
            await self.load()
            return
        except BaseException:
            _fail(waiting, self._deposed)
            raise
        self._answer(before, decided, notes)

    def _answer(self, before: System, decided: _Decided, notes: list[_Note]) -> None:
        """Let everybody know of a commit that was made."""
        self.system = decided.system
        for command, outcome in zip(decided.accepted, decided.outcomes, strict=True):
            if not command.answer.done():
                command.answer.set_result(outcome)
        for note in notes:
            if not note.answer.done():
                note.answer.set_result(None)
        for event in decided.events:
            self._publish(event)
        if decided.system is not before:
            self._changed()

    def _decide(self, batch: list[_Command]) -> _Decided:
        """Run the rules one after another; a command that is refused, or breaks, leaves no trace for the next."""
        system = self.system
        accepted: list[_Command] = []
        outcomes: list[object] = []
        events: list[Event] = []
        facts: list[Fact] = []
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
            facts += change.facts
        return _Decided(system=system, accepted=accepted, outcomes=outcomes, events=events, facts=facts)

    def _take_notes(self) -> list[_Note]:
        """Return the facts for the next commit; what was heard is so even if its bringer has gone away."""
        taken: list[_Note] = []
        count = 0
        while self._notes and (not taken or count + len(self._notes[0].facts) <= MAX_NOTES):
            taken.append(self._notes.popleft())
            count += len(taken[-1].facts)
        self._notes_waiting -= count
        return taken

    async def _write(self, before: System, after: System, facts: Sequence[Fact]) -> None:
        addition = self.journal.adding(facts)
        writes = records.writes(before, after) | addition.writes
        if not writes:
            return
        self.revision = await self._store.commit(
            writes, expect={records.MAP: self._map_revision}, fence=self._leadership
        )
        if records.MAP in writes:
            self._map_revision = self.revision
        self.journal.added(addition)


def _fail(waiting: Iterable[_Command | _Note], error: Callable[[], DaosControlError]) -> None:
    for one in waiting:
        if not one.answer.done():
            one.answer.set_exception(error())
