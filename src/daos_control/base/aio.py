"""Who owns which task, and how a scope of tasks ends.

Tasks are started only in an ``asyncio.TaskGroup`` (``asyncio.create_task`` is banned in this project). What the
standard library leaves out:

- ``guard``: a long-lived task that ends is news, one that fails is logged at once, with its name;
- ``task_scope``: a task group that does not wrap a single error;
- ``background``: tasks that live exactly as long as a block of code;
- ``map_bounded``: the same call on many things, so many at a time;
- ``signals``: Unix signals as something to wait for.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from daos_control.base import logs
from daos_control.base.errors import DaosControlError

log = logs.get(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


async def guard(name: str, work: Coroutine[object, object, Result]) -> Result:
    """Run a piece of work that should go on until it is cancelled.

    An error is logged when it happens, not when somebody gets round to awaiting the task; it still rises. One that is
    meant for people comes without a traceback.
    """
    try:
        result = await work
    except asyncio.CancelledError:
        log.trace(f"{name}: cancelled")
        raise
    except Exception as error:
        bug = None if isinstance(error, DaosControlError) else error
        log.error(f"{name} failed: {str(error) or type(error).__name__}", exception=bug)
        raise
    log.notice(f"{name} ended, though it was meant to run on")
    return result


@asynccontextmanager
async def task_scope() -> AsyncIterator[asyncio.TaskGroup]:
    """Own a task group for the length of a block.

    A single error, the block's or a task's, rises as itself; several rise as an exception group.
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        if len(errors.exceptions) == 1:
            raise errors.exceptions[0] from errors.exceptions[0].__cause__  # without the group, with its own cause
        raise


class Background:
    """Starts guarded tasks that end with their block. Made by ``background``."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: list[asyncio.Task[object]] = []

    def start(self, name: str, work: Coroutine[object, object, object]) -> None:
        """Run ``work`` beside the block; if it fails, the block is cancelled and the failure rises from it."""
        self._tasks = [task for task in self._tasks if not task.done()]
        task = self._group.create_task(guard(name, work), name=name)
        task.add_done_callback(lambda _: work.close())  # a task cancelled before its first step never awaits its work
        self._tasks.append(task)

    def cancel(self) -> None:
        """End what still runs; the block's exit waits until it has."""
        for task in self._tasks:
            task.cancel()


@asynccontextmanager
async def background() -> AsyncIterator[Background]:
    """Own tasks for the length of a block; leaving it cancels them and waits for their end.

    Errors rise as from ``task_scope``.
    """
    async with task_scope() as group:
        tasks = Background(group)
        try:
            yield tasks
        finally:
            tasks.cancel()


async def map_bounded(limit: int, function: Callable[[Item], Awaitable[Result]], items: Iterable[Item]) -> list[Result]:
    """Await ``function(item)`` for all items, at most ``limit`` at once; results come in the items' order.

    The first failure cancels the others and rises as itself.
    """
    numbered = enumerate(items)
    results: dict[int, Result] = {}

    async def worker() -> None:
        for number, item in numbered:
            results[number] = await function(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, limit)):
                group.create_task(worker())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors.exceptions[0].__cause__
    return [results[number] for number in sorted(results)]


@contextmanager
def signals(*wanted: signal.Signals) -> Iterator["asyncio.Queue[signal.Signals]"]:
    """Receive Unix signals in order, none lost, while the block runs: ``signum = await received.get()``."""
    loop = asyncio.get_running_loop()
    received: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for signum in wanted:
        loop.add_signal_handler(signum, received.put_nowait, signum)
    try:
        yield received
    finally:
        for signum in wanted:
            loop.remove_signal_handler(signum)
