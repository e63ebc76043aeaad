"""Hours in milliseconds: an event loop on which time passes only while everybody waits, and then at once.

::

    def test_something_slow() -> None:
        async def play() -> None:
            await asyncio.sleep(3600)

        in_virtual_time(play())

What waits for the outside world (a thread, a socket, a process) has no place here: time would not wait for it.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class StuckError(Exception):
    """Everybody waits for something that no passing of time brings about."""


class _NoWaiting(selectors.DefaultSelector):
    """Looks at what is ready and never waits; what the loop would have waited is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise StuckError("no timer is set, and nothing is left to be done")
            self.now += max(0.0, timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """See the module; ``time()`` starts at 0."""

    def __init__(self) -> None:
        self._clockwork = _NoWaiting()
        super().__init__(self._clockwork)

    def time(self) -> float:
        """Return the seconds that have passed on this loop."""
        return self._clockwork.now


def in_virtual_time(work: Coroutine[Any, Any, Result]) -> Result:
    """Run ``work`` to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
