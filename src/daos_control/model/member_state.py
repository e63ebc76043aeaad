"""The states of a member, the legal moves between them, and their bits in masks."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self


class MemberState(StrEnum):
    """What the service last heard of a member; the value is the state's text on the wire."""

    UNKNOWN = "unknown"
    AWAIT_FORMAT = "awaitformat"
    STARTING = "starting"
    READY = "ready"
    JOINED = "joined"
    STOPPING = "stopping"
    STOPPED = "stopped"
    EXCLUDED = "excluded"
    ERRORED = "errored"
    UNRESPONSIVE = "unresponsive"
    ADMIN_EXCLUDED = "adminexcluded"
    CHECKER_STARTED = "checkerstarted"

    @property
    def bit(self) -> int:
        """This state's bit in a ``state_mask``; ``UNKNOWN`` has none."""
        return _BITS[self]

    @property
    def words(self) -> str:
        """The name as people write it: ``AdminExcluded``.

        >>> MemberState.ADMIN_EXCLUDED.words
        'AdminExcluded'
        """
        return "".join(word.capitalize() for word in self.name.split("_"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a state's name in any case; whatever is not one is ``UNKNOWN``."""
        try:
            return cls(text.lower())
        except ValueError:
            return cls("unknown")


_BITS: Final[Mapping[MemberState, int]] = MappingProxyType(
    {state: 0 if index == 0 else 1 << (index - 1) for index, state in enumerate(MemberState)}
)

ALL_STATES: Final = 0xFFFF
AVAILABLE: Final = frozenset({MemberState.READY, MemberState.JOINED})
"""States in which an engine can serve."""
OUT_OF_GROUP: Final = frozenset({MemberState.AWAIT_FORMAT, MemberState.EXCLUDED, MemberState.ADMIN_EXCLUDED})
"""States that keep a member out of the group map. A stopped member stays in it: it may be back any moment."""

_S = MemberState
_ANYWHERE: Final = frozenset(MemberState) - {_S.UNKNOWN}
_FAILED: Final = _ANYWHERE - {_S.READY, _S.JOINED, _S.STOPPING}

NEXT: Final[Mapping[MemberState, frozenset[MemberState]]] = MappingProxyType(
    {
        _S.UNKNOWN: frozenset(),
        _S.AWAIT_FORMAT: _ANYWHERE - {_S.AWAIT_FORMAT, _S.EXCLUDED},
        _S.STARTING: _ANYWHERE - {_S.STARTING, _S.EXCLUDED},
        _S.READY: _ANYWHERE - {_S.READY, _S.EXCLUDED},
        _S.JOINED: _ANYWHERE - {_S.JOINED, _S.READY},
        _S.STOPPING: _ANYWHERE - {_S.STOPPING},
        _S.STOPPED: _ANYWHERE - {_S.STOPPED},
        _S.EXCLUDED: frozenset({_S.AWAIT_FORMAT, _S.JOINED, _S.ADMIN_EXCLUDED, _S.CHECKER_STARTED}),
        _S.ERRORED: _FAILED - {_S.ERRORED},
        _S.UNRESPONSIVE: _FAILED - {_S.UNRESPONSIVE},
        _S.ADMIN_EXCLUDED: frozenset(),
        _S.CHECKER_STARTED: _ANYWHERE - {_S.CHECKER_STARTED, _S.READY, _S.JOINED},
    }
)
"""Every legal move. An excluded member comes back by joining; an admin-excluded one by an administrator."""


def states_in(mask: int) -> frozenset[MemberState]:
    """Return the states whose bit is in ``mask``; no bit at all means every state.

    >>> sorted(states_in(0x000C))
    [<MemberState.JOINED: 'joined'>, <MemberState.READY: 'ready'>]
    """
    mask = mask or ALL_STATES
    return frozenset(state for state in MemberState if state.bit & mask)


def mask_of(states: Iterable[MemberState]) -> int:
    """Return the ``state_mask`` that asks for these states."""
    mask = 0
    for state in states:
        mask |= state.bit
    return mask
