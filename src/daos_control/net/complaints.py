"""Complaints about what peers do wrong, never more than a person can read: any peer could fill the disk otherwise."""

import asyncio
from typing import Final

from daos_control.base.logs import Level, Logger

BURST: Final = 20
WINDOW_S: Final = 10.0


class Complaints:
    """Writes at most ``BURST`` lines in ``WINDOW_S`` to a log, and then how many were left out."""

    def __init__(self, log: Logger, about: str) -> None:
        self._log = log
        self._about = about
        self._since = asyncio.get_running_loop().time()
        self._count = 0

    def error(self, event: str, *, exception: BaseException | None = None, **fields: object) -> None:
        """Complain about something that an administrator should know."""
        if self._may_complain(Level.ERROR):
            self._log.error(event, exception=exception, **fields)

    def info(self, event: str, **fields: object) -> None:
        """Complain about something that explains what the peer may report."""
        if self._may_complain(Level.INFO):
            self._log.info(event, **fields)

    def _may_complain(self, level: Level) -> bool:
        if not self._log.enabled(level):
            return False
        now = asyncio.get_running_loop().time()
        if now - self._since >= WINDOW_S:
            if self._count > BURST:
                self._log.error(f"more complaints about {self._about} were left out", count=self._count - BURST)
            self._since, self._count = now, 0
        self._count += 1
        return self._count <= BURST
