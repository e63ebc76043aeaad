"""The history of a system: what was heard and what became of it, and how every member came to its state."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from daos_control.model.event import Event, Severity
from daos_control.model.member_state import MemberState


class Origin(StrEnum):
    """What kind of thing made the management service decide."""

    SERVICE = "service"
    """The service itself, in the course of its duties."""
    JOIN = "join"
    """An engine asked to join."""
    EVENT = "event"
    """Something happened, and was reported."""
    COMMAND = "command"
    """An administrator wanted it."""


class Cause(Struct, frozen=True, kw_only=True):
    """Why something was decided: ``what`` was asked or heard, and ``source``, the address it came from."""

    origin: Origin = Origin.SERVICE
    what: str = ""
    source: str = ""

    def __str__(self) -> str:
        where = f" from {self.source}" if self.source else ""
        match self.origin:
            case Origin.JOIN:
                return f"it joined{where}"
            case Origin.EVENT:
                return f"event {self.what}{where}"
            case Origin.COMMAND:
                return f"command {self.what}{where}"
            case _:
                return "the management service itself"


class Heard(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="heard"):
    """An event that reached the leader."""

    event: Event
    reporter: str
    """The host that told the leader: an address, or the leader's own host name."""
    received: datetime
    effect: str = ""
    """What the leader did about it; empty if there is nothing to do about such events."""


class Moved(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="moved"):
    """A member that went from one state to another, or came back as another engine."""

    rank: int
    before: MemberState
    """``UNKNOWN`` for one that is new."""
    after: MemberState
    at: datetime
    reason: str = ""
    """What was said of it, if that was new."""
    addr: str
    incarnation: int = 0
    map_version: int
    cause: Cause
    event: int = 0
    """The number of the event that caused it, if one did."""


Fact = Heard | Moved


class Entry(Struct, frozen=True):
    """One line of the journal; the numbers never end, whoever leads, and have no gaps."""

    sequence: int
    fact: Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries somebody asks for: all, or those that pass every test that is given."""

    since: datetime | None = None
    """Received, or done, then or later."""
    ranks: frozenset[int] = frozenset()
    pool: str = ""
    """The pool's uuid."""
    severity: int = 0
    """At least as bad as this."""
    ids: frozenset[int] = frozenset()
    moves: bool = False
    """Members' moves, too; they concern no pool, and are of every severity."""

    def accepts(self, entry: Entry) -> bool:
        """Whether an entry passes."""
        fact = entry.fact
        if isinstance(fact, Moved):
            return (
                self.moves
                and not self.pool
                and (not self.ranks or fact.rank in self.ranks)
                and (self.since is None or fact.at >= self.since)
            )
        event = fact.event
        return (
            (not self.ranks or event.rank in self.ranks)
            and (not self.pool or event.pool_uuid == self.pool)
            and (not self.severity or (event.severity or Severity.NOTICE) <= self.severity)
            and (not self.ids or event.id in self.ids)
            and (self.since is None or fact.received >= self.since)
        )
