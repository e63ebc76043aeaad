"""What a command waits for, on standard error: a line that lives at a terminal, plain lines elsewhere.

At a terminal, one line is drawn again and again from the first second on, with a bar where it is known how much there
is to do, and wiped off before anything else is printed. Elsewhere (a file, a pipe) a line of text follows after two
seconds and then every ten, if there is something new to say.

This draws its own line. ``rich``, which could, takes longer to load than most commands take to run, draws from a
thread, and knows nothing of what we wait for; what is left of it for one line is forty lines of code.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TextIO

from daos_control.base.aio import background
from daos_control.cli.ui.terminal import width_of
from daos_control.client.waiting import Wait, Waiting

LIVE_AFTER_S: Final = 1.0
DRAW_S: Final = 0.2
LINES_AFTER_S: Final = 2.0
LINES_EVERY_S: Final = 10.0
BAR: Final = 24
SHORT_BAR: Final = 8
"""The least that still looks like a bar, where there is much to say beside it."""
WIPE: Final = "\r\x1b[K"


def is_live(out: TextIO) -> bool:
    """Whether a line can be drawn again: there is a terminal, and it knows how to wipe a line."""
    return out.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class Display:
    """Tells what a client waits for, on ``out``; ``live`` says how."""

    def __init__(self, waiting: Waiting, out: TextIO, *, live: bool, columns: Callable[[], int] | None = None) -> None:
        self.live = live
        self._waiting = waiting
        self._out = out
        self._columns = columns or (lambda: width_of(out))
        self._is_drawn = False

    async def run(self) -> None:
        """Tell, for as long as nobody cancels it."""
        await (self._draw_on() if self.live else self._write_on())

    def clear(self) -> None:
        """Make way for something else."""
        if self._is_drawn:
            self._is_drawn = False
            self._out.write(WIPE)
            self._out.flush()

    async def _draw_on(self) -> None:
        while True:
            await asyncio.sleep(DRAW_S)
            late = [wait for wait in self._waiting.waits if wait.waited_s >= LIVE_AFTER_S]
            if late:
                self._is_drawn = True
                self._out.write(WIPE + line(late[0], len(self._waiting.waits) - 1, self._columns() - 1))
                self._out.flush()
            else:
                self.clear()

    async def _write_on(self) -> None:
        patience_s, said = LINES_AFTER_S, ""
        while True:
            await asyncio.sleep(patience_s)
            if self._waiting and (text := str(self._waiting)) != said:
                for wait in self._waiting.lines():
                    print(f"waiting for {wait}", file=self._out, flush=True)
                said = text
            patience_s = LINES_EVERY_S


def line(wait: Wait, others: int, columns: int) -> str:
    """Lay out a line about a request: how far it is, how long it takes, and who has not answered.

    >>> wait = Wait("StorageScan", total=4)
    >>> wait.done = 3
    >>> line(wait, 0, 80)
    'StorageScan [##################      ] 3 of 4 hosts, 0 s'
    """
    parts = [f"{wait.waited_s:.0f} s"]
    if wait.total > 1:
        parts.insert(0, f"{wait.done} of {wait.total} {wait.unit}")
    if wait.missing or wait.where:
        parts.append(f"waiting for {wait.missing or wait.where}")
    if wait.trouble:
        parts.append(f"so far: {wait.trouble}")
    if others:
        parts.append(f"and {others} more request{'s' if others > 1 else ''}")
    text = ", ".join(parts)
    if wait.total <= 1:
        shown = f"{wait.request}: {text}"
    else:
        room = columns - len(f"{wait.request} [] {text}")
        shown = f"{wait.request} {bar(wait.done / wait.total, max(SHORT_BAR, min(room, BAR)))} {text}"
    return shown if len(shown) <= columns else shown[: max(0, columns - 3)] + "..."


def bar(share: float, length: int = BAR) -> str:
    """Draw a bar.

    >>> bar(0.5)
    '[############            ]'
    """
    return f"[{'#' * int(share * length):<{length}}]"


def display_for(waiting: Waiting, *, document: bool, debug: bool) -> Display | None:
    """Return what suits standard error; nothing if a program reads it, which has a ``document`` to wait for.

    Amid the lines of ``debug`` there is no room for one that stays.
    """
    live = is_live(sys.stderr)
    if document and not sys.stderr.isatty():
        return None
    return Display(waiting, sys.stderr, live=live and not debug)


@asynccontextmanager
async def showing(display: Display | None) -> AsyncIterator[None]:
    """Have a display, if there is one, tell what is waited for during a block."""
    async with background() as beside:
        if display is not None:
            beside.start("waiting notice", display.run())
        try:
            yield
        finally:
            if display is not None:
                display.clear()
