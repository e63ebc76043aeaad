"""An event loop in a thread of its own, with a client in it, for programs that have no event loop."""

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from threading import Lock, Thread, get_ident
from typing import Any, Generic, TypeVar

from daos_control.base.errors import ClientClosed
from daos_control.client.daos import DaosClient

Result = TypeVar("Result")


class LoopThread:
    """A client and its event loop, in a thread of their own until they are ended: by ``end``, or with the program.

    They also end when nobody refers to them any more, so neither the thread nor ``end`` may refer to this.
    """

    def __init__(self, make: Callable[[], DaosClient]) -> None:
        self._loop = asyncio.new_event_loop()
        self._gate = Lock()
        made: Future[DaosClient] = Future()
        ended = asyncio.Event()
        self._thread = Thread(
            target=_run, args=(self._loop, _serve(make, made, ended)), name="daos-client", daemon=True
        )
        self.end = weakref.finalize(self, _end, self._loop, self._thread, self._gate, ended)
        self._thread.start()
        try:
            self.client = made.result()
        except BaseException:
            self.end()
            raise

    def call(self, make: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run a coroutine and return what it does; it is cancelled if the wait for it is interrupted."""
        if get_ident() == self._thread.ident:
            raise RuntimeError("a callback cannot wait for an answer: the thread that calls it would have to bring it")
        call = _Call(make)
        try:
            with self._gate:
                if not self.end.alive or not self._thread.is_alive():
                    raise ClientClosed
                answer = asyncio.run_coroutine_threadsafe(call.run(), self._loop)
            return answer.result()
        except CancelledError:
            raise ClientClosed from None
        except BaseException:
            with suppress(RuntimeError):  # a loop that is closed has nothing under way
                self._loop.call_soon_threadsafe(call.give_up)
            raise


class _Call(Generic[Result]):
    """A coroutine that can be given up at any moment, also before it has begun: interrupts do not wait for that."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Result]]) -> None:
        self._make = make
        self._task: asyncio.Task[Any] | None = None
        self._is_given_up = False

    async def run(self) -> Result:
        if self._is_given_up:
            raise asyncio.CancelledError
        self._task = asyncio.current_task()
        return await self._make()

    def give_up(self) -> None:
        """Let it end; called in its event loop, after it was sent there."""
        self._is_given_up = True
        if self._task is not None:
            self._task.cancel()


def _run(loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, None]) -> None:
    try:
        loop.run_until_complete(main)
        loop.run_until_complete(_clear())
    finally:
        loop.close()


async def _serve(make: Callable[[], DaosClient], made: "Future[DaosClient]", ended: asyncio.Event) -> None:
    try:
        client = make()
    except BaseException as error:  # noqa: BLE001 - it is for whoever waits for the client
        made.set_exception(error)
        return
    async with client:
        made.set_result(client)
        await ended.wait()


async def _clear() -> None:
    """End what is still under way."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


def _end(loop: asyncio.AbstractEventLoop, thread: Thread, gate: Lock, ended: asyncio.Event) -> None:
    with gate:
        if not thread.is_alive():  # no client could be made, or this is a copy of the process that made it
            return
        with suppress(RuntimeError):  # the loop has just been closed, for want of a client
            loop.call_soon_threadsafe(ended.set)
    if get_ident() != thread.ident:
        thread.join()
