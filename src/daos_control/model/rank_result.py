"""How something that was tried on many ranks went on one of them."""

from dataclasses import dataclass

from daos_control.model.member_state import MemberState


@dataclass(frozen=True, slots=True, kw_only=True)
class RankResult:
    """How something that was tried on one rank went."""

    rank: int
    state: MemberState
    action: str = ""
    errored: bool = False
    message: str = ""
    addr: str = ""
