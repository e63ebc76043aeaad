"""The same order to many hosts at once; each gets its own time, and nobody waits for somebody else's.

What limits us is connecting: it costs files and, with TLS, much computing at both ends. So only so many hosts connect
at once; the orders themselves are all under way together, and a thousand hosts whose engines take a minute to start all
start them in the same minute.

A host that is not there would keep its turn for as long as connecting may take. So a turn is over, though connecting
goes on, when it has taken several times what it usually takes: a hundred hosts that swallow packets hold the others up
for two seconds at most, and not for their own time limits. How long it usually takes is learnt on the way, because on a
busy machine all are slow, and then more of them at once would only be slower.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from daos_control.base.errors import DaosControlError
from daos_control.mgmt.ports import Hosts
from daos_control.net.rpc.methods import Method

TURNS: Final = 32
"""Hosts that connect at once."""
TURN_S: Final = 0.5
"""How long a host may keep the next one from connecting, as long as nothing is known of how long it takes."""
PATIENCE: Final = 3.0
"""How many times longer than usual a turn may be."""
_LATEST: Final = 0.2
"""How much the latest turn says of what is usual."""


class Turns:
    """Lets so many connect at once; a turn ends with its block, or when it is overdue though the block goes on."""

    def __init__(self, at_once: int, longest_s: float) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._longest_s = longest_s
        self._usual_s = 0.0

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a turn; it is then over soon, by itself. One that ends well says how long they take."""
        await self._slots.acquire()
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._slots.release()

        loop = asyncio.get_running_loop()
        began = loop.time()
        timer = loop.call_later(max(self._longest_s, PATIENCE * self._usual_s), end)
        try:
            yield
            self._usual_s += _LATEST * (loop.time() - began - self._usual_s)
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
    loop = asyncio.get_running_loop()
    ends = loop.time() + limit_s
    gate = Turns(turns, turn_s)

    def left_s() -> float:
        return max(0.0, ends - loop.time())

    async def one(address: str, request: Any) -> None:
        try:
            async with gate.take():
                await hosts.reach(address, timeout_s=left_s())
            answer = await hosts.call(address, method, request, timeout_s=left_s())
        except DaosControlError as error:
            await hear(address, error)
        else:
            await hear(address, answer)

    async with asyncio.TaskGroup() as group:
        for address in sorted(requests):
            group.create_task(one(address, requests[address]), name=f"{method.name} to {address}")
