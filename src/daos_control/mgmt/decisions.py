"""Where the system is known and changed, as those see it who act for a request."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from daos_control.base.errors import DaosControlError
from daos_control.mgmt.system import Change, System

T = TypeVar("T")


class Decisions(Protocol):
    """The management service, while it leads."""

    @property
    def system(self) -> System:
        """The system as last recorded."""
        ...

    async def apply(self, rule: Callable[[System], Change[T]], /) -> T:
        """Decide and record."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None], /) -> "asyncio.Task[None]":
        """Run something that outlives the request it is for, but not the leadership."""
        ...


async def see_through(decisions: Decisions, work: Coroutine[Any, Any, T], *, deposed: DaosControlError) -> T:
    """Return what comes of ``work``, which goes on when its caller goes away; raises ``deposed`` if leadership ends."""
    return await asyncio.shield(begin(decisions, work, deposed=deposed))


def begin(decisions: Decisions, work: Coroutine[Any, Any, T], *, deposed: DaosControlError) -> asyncio.Future[T]:
    """Begin ``work`` and return what will come of it: its result, its error, or ``deposed`` if leadership ends.

    Any number of callers may wait for that, each behind a shield: none of them takes it from the others by going away.
    """
    outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    async def run() -> None:
        try:
            result = await work
        except Exception as error:  # noqa: BLE001  not swallowed: it belongs to the callers, not to the leadership
            outcome.set_exception(error)
        else:
            outcome.set_result(result)

    def ended(_: "asyncio.Task[None]") -> None:
        work.close()
        if not outcome.done():
            outcome.set_exception(deposed)
        outcome.exception()  # looked at, though the callers may have gone away

    decisions.spawn(run()).add_done_callback(ended)
    return outcome
