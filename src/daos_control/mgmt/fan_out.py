"""The same order to many hosts at once; each gets its own time, and nobody waits for somebody else's.

What limits us is beginning: connecting costs files and handshakes, so only so many hosts have their turn at once. But
a host has answered its call, or not, soon after its turn began; from then on it waits on its own, and the next begins.
So a hundred hosts that swallow packets hold the others up for less than a second, and not for their time limits; and a
thousand hosts whose engines take a minute to start all start them in the same minute.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from daos_control.base.errors import DaosControlError
from daos_control.mgmt.ports import Hosts
from daos_control.net.rpc.methods import Method

TURNS: Final = 128
"""Hosts that begin at once."""
TURN_S: Final = 0.25
"""How long a host may keep the next one from beginning."""


class Turns:
    """Lets so many begin at once; a turn ends with its block, or after ``longest_s`` though the block goes on."""

    def __init__(self, at_once: int, longest_s: float) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._longest_s = longest_s

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a turn; it is then over soon, by itself."""
        await self._slots.acquire()
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._slots.release()

        timer = asyncio.get_running_loop().call_later(self._longest_s, end)
        try:
            yield
        finally:
            timer.cancel()
            end()


async def tell_hosts(
    hosts: Hosts,
    method: Method,
    requests: Mapping[str, Any],
    hear: Callable[[str, Any | DaosControlError], Awaitable[None]],
    *,
    limit_s: float,
    turns: int = TURNS,
    turn_s: float = TURN_S,
) -> None:
    """Call a method of all hosts, each with its own request; ``hear`` is told what each says as soon as it does.

    ``limit_s`` is for all together: a host that has not answered by then is told of with the error that says so.
    """
    ends = asyncio.get_running_loop().time() + limit_s
    gate = Turns(turns, turn_s)

    async def one(address: str, request: Any) -> None:
        try:
            async with gate.take():
                left_s = max(0.0, ends - asyncio.get_running_loop().time())
                answer = await hosts.call(address, method, request, timeout_s=left_s)
        except DaosControlError as error:
            await hear(address, error)
        else:
            await hear(address, answer)

    async with asyncio.TaskGroup() as group:
        for address in sorted(requests):
            group.create_task(one(address, requests[address]), name=f"{method.name} to {address}")
