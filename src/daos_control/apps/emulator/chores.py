"""Short pieces of work that nobody waits for: each is owned, named, and cancelled with the block that owns it.

A chore that fails is logged and costs nothing but itself.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

from daos_control.base import aio, logs

log = logs.get(__name__)


class Chores:
    """Runs chores; made by ``chores``."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._running: set[asyncio.Task[None]] = set()

    def start(self, name: str, work: Coroutine[object, object, object]) -> None:
        """Begin a piece of work."""
        task = self._group.create_task(_logged(name, work), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: work.close())  # one cancelled before its first step never awaits its work

    def cancel(self) -> None:
        """End what still runs."""
        for task in self._running:
            task.cancel()


@asynccontextmanager
async def chores() -> AsyncIterator[Chores]:
    """Own chores for the length of a block."""
    async with aio.task_scope() as group:
        owned = Chores(group)
        try:
            yield owned
        finally:
            owned.cancel()


async def _logged(name: str, work: Coroutine[object, object, object]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001  the edge of a task nobody awaits
        log.error(f"{name} failed", exception=error)
