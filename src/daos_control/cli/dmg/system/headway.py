"""How far stopping and starting ranks has come, for somebody at a terminal who waits for it.

The request itself is answered once, at the end. What happens meanwhile, the members' states tell.
"""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from daos_control.base.rankset import RankSet
from daos_control.cli.dmg.session import Headway, Session
from daos_control.model.member_state import MemberState

DOWN = frozenset({MemberState.STOPPED, MemberState.EXCLUDED, MemberState.ADMIN_EXCLUDED, MemberState.ERRORED})
UP = frozenset({MemberState.JOINED})
ASIDE = frozenset({MemberState.ADMIN_EXCLUDED})
"""States of ranks that nobody starts."""


@asynccontextmanager
async def shown(session: Session, selected: dict[str, Any], goal: Collection[MemberState]) -> AsyncIterator[None]:
    """Show during a block how many of the selected ranks are in a state of the goal, and which are not."""

    async def look() -> Headway:
        members = (await session.unwatched().system.query(**selected)).members
        left = [member.rank for member in members if member.state not in goal and member.state not in ASIDE]
        missing = f"rank{'s' if len(left) > 1 else ''} {RankSet(left)}" if left else ""
        return Headway(done=len(members) - len(left), total=len(members), unit="ranks", missing=missing)

    async with session.showing(look):
        yield
