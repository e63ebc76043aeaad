"""The states of one local engine and the only moves between them.

::

                AWAIT_FORMAT
                     ▲│
                     │▼
    STOPPED ───▶ CHECKING ───▶ STARTING ───▶ JOINING ───▶ READY
       ▲             │             │             │           │
       └─────────────┴─────────────┴─────────────┴───────────┘

``reported`` is the word that other hosts know for it.
"""

from collections.abc import Mapping
from enum import Enum


class EngineState(Enum):
    """Where an engine is in its life; the value is for logs."""

    STOPPED = "stopped"
    """No process, and none wanted for now."""
    CHECKING = "checking storage"
    """About to start: is its storage formatted, mounted, marked with a superblock?"""
    AWAIT_FORMAT = "awaiting format"
    """Somebody has to format its storage."""
    STARTING = "starting"
    """The process runs and has not called back yet."""
    JOINING = "joining"
    """The process called back; it becomes a member of the system."""
    READY = "ready"
    """A member, set up, serving."""

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self in {EngineState.STARTING, EngineState.JOINING, EngineState.READY}

    @property
    def reported(self) -> str:
        """The member state that DAOS reports for a rank in this local state."""
        return _REPORTED[self]


LEGAL: Mapping[EngineState, frozenset[EngineState]] = {
    EngineState.STOPPED: frozenset({EngineState.CHECKING}),
    EngineState.CHECKING: frozenset({EngineState.AWAIT_FORMAT, EngineState.STARTING, EngineState.STOPPED}),
    EngineState.AWAIT_FORMAT: frozenset({EngineState.CHECKING}),
    EngineState.STARTING: frozenset({EngineState.JOINING, EngineState.STOPPED}),
    EngineState.JOINING: frozenset({EngineState.READY, EngineState.STOPPED}),
    EngineState.READY: frozenset({EngineState.STOPPED}),
}
"""Every move there is. A move that is not here is a bug in the supervisor."""

_REPORTED: Mapping[EngineState, str] = {
    EngineState.STOPPED: "stopped",
    EngineState.CHECKING: "stopped",
    EngineState.AWAIT_FORMAT: "awaitformat",
    EngineState.STARTING: "starting",
    EngineState.JOINING: "starting",
    EngineState.READY: "ready",
}


class IllegalMoveError(Exception):
    """The supervisor tried a move that the table does not have: a bug."""


def moved(now: EngineState, to: EngineState) -> EngineState:
    """Return ``to`` if an engine may go there from ``now``."""
    if to not in LEGAL[now]:
        raise IllegalMoveError(f"an engine that is {now.value} cannot become {to.value}")
    return to
