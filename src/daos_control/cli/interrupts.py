"""Ctrl-C: enough of waiting. The first one ends what is waited for and lets the command say what it knows by then."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from daos_control.client.waiting import Waiting

EXIT_CODE: Final = 130
"""What shells give a program that SIGINT ended."""


class Idle(KeyboardInterrupt):
    """Ctrl-C while nothing was out."""


@contextmanager
def ending(waiting: Waiting) -> Iterator[None]:
    """During a block of the running loop, let Ctrl-C end what is out.

    While nothing is out (somebody is being asked a question, say), or the second time, it is a KeyboardInterrupt, as
    ever. This is a handler of the interpreter's and not of the loop's, which would not hear it during such a question.
    """
    loop = asyncio.get_running_loop()

    def heard(_number: int, _frame: FrameType | None) -> None:
        if waiting.is_interrupted:
            raise KeyboardInterrupt
        if not waiting:
            raise Idle
        waiting.is_interrupted = True
        loop.call_soon_threadsafe(waiting.interrupt)

    before = signal.signal(signal.SIGINT, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
