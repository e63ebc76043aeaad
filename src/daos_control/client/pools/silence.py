"""Questions that the engines of a pool do not answer because one of them is dead: noticing that before the time is up.

To know a pool's space, its service asks all ranks in the pool's map. For one that is dead it waits a minute, and asks
again. By then the pool does without it, or never will: where healing is switched off, or where more ranks are dead than
the pool can lose. Then DAOS 2.8 goes on like that for five minutes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from daos_control.base import logs
from daos_control.base.aio import background
from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.client.waiting import end

log = logs.get(__name__)

LOOK_AFTER_S: Final = 20.0
"""How long a pool may be silent before it is looked which of its ranks are dead."""
LOOK_AGAIN_S: Final = 40.0
"""How long a rank stays dead in the pool's map before nobody waits any more: a pool that heals takes 10 s, or some more
where engines have little of their processors."""

Answer = TypeVar("Answer")


async def unless_dead(pool: str, answer: Awaitable[Answer], dead: Callable[[], Awaitable[RankSet]]) -> Answer:
    """Return the answer to a question about a pool. Raises Fault when ``dead`` ranks stay in the pool meanwhile."""
    watch = _Watch(dead)
    try:
        async with background() as beside, asyncio.timeout(None) as limit:
            beside.start("look for dead ranks", watch.run(limit))
            return await answer
    except TimeoutError as silence:
        raise FaultCode.CLIENT_RPC_TIMEOUT.fault(pool=pool, ranks=watch.staying) from silence


class _Watch:
    def __init__(self, dead: Callable[[], Awaitable[RankSet]]) -> None:
        self._dead = dead
        self.staying = RankSet()

    async def run(self, limit: asyncio.Timeout) -> None:
        """Look for dead ranks again and again; let the time be over when some have stayed for long enough."""
        await asyncio.sleep(LOOK_AFTER_S)
        before = await self._seen()
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            now = await self._seen()
            self.staying, before = before & now, now
            if self.staying:
                end(limit)

    async def _seen(self) -> RankSet:
        try:
            return await self._dead()
        except DaosControlError as error:
            log.debug("not known which ranks are dead", error=error)
            return RankSet()
