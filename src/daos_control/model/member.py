"""The engines of a system as the management service knows them.

A member's state is changed in three ways and no other: ``moved`` follows the table of legal moves and
refuses the rest; ``joined`` is what a successful join does; ``placed`` is an administrator's word, which
no table overrules.
"""

from datetime import datetime
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from daos_control.base.rankset import NIL_RANK
from daos_control.model.fault_domain import FaultDomain
from daos_control.model.member_state import AVAILABLE, NEXT, OUT_OF_GROUP, MemberState


class IllegalMove(Exception):
    """A member cannot go from its state to the one asked for."""

    def __init__(self, rank: int, state: MemberState, to: MemberState) -> None:
        super().__init__(f"rank {rank} is {state.words} and cannot become {to.words}")
        self.rank = rank
        self.state = state
        self.to = to


class Member(Struct, frozen=True, kw_only=True):
    """One engine of the system."""

    rank: int
    uuid: str
    addr: str
    """``ip:port`` of the control server on the engine's host."""
    state: MemberState
    fault_domain: FaultDomain
    fabric_uri: str
    fabric_contexts: int = 0
    secondary_fabric_uris: tuple[str, ...] = ()
    secondary_fabric_contexts: tuple[int, ...] = ()
    incarnation: int = 0
    """Grows with every start of the engine."""
    info: str = ""
    last_update: datetime

    @property
    def available(self) -> bool:
        """Whether the engine can serve."""
        return self.state in AVAILABLE

    @property
    def in_group(self) -> bool:
        """Whether engines are told of this member."""
        return self.state not in OUT_OF_GROUP and self.rank != NIL_RANK and bool(self.fabric_uri)

    def can_become(self, to: MemberState) -> bool:
        """Whether ``moved`` would agree."""
        return to in NEXT[self.state]

    def moved(self, to: MemberState, *, now: datetime, info: str | None = None) -> Self:
        """Follow the table of legal moves, or raise IllegalMove. ``info`` None keeps what is there."""
        if not self.can_become(to):
            raise IllegalMove(self.rank, self.state, to)
        return self.placed(to, now=now, info=info)

    def placed(self, to: MemberState, *, now: datetime, info: str | None = None) -> Self:
        """Set the state whatever it was: an administrator excludes a rank or takes that back."""
        return replace(self, state=to, info=self.info if info is None else info, last_update=now)
