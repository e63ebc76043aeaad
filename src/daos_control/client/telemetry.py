"""Metrics of a host: what its server publishes for Prometheus."""

import asyncio
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from daos_control.client.connection import Connection
from daos_control.client.errors import InvalidRequest, UnexpectedReply
from daos_control.client.given import texts
from daos_control.client.waiting import Wait, end
from daos_control.net import http1
from daos_control.net.http1 import HttpError, HttpTimeoutError
from daos_control.telemetry import exposition
from daos_control.telemetry.metrics import MetricSet

PORT: Final = 9191
"""Where servers publish metrics, unless their configuration says otherwise."""
PATH: Final = "/metrics"
ATTEMPT_S: Final = 30.0
RETRIES: Final = 5
PAUSE_S: Final = 1.0


class NoMetrics(HttpError):
    """A host does not publish metrics where they were looked for."""

    def __str__(self) -> str:
        return f"{super().__str__()}; a server publishes metrics if telemetry_port is set in its configuration"


class UnknownMetrics(InvalidRequest):
    """A host does not publish metrics of these names; the text tells those that come nearest."""

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(tuple(names), tuple(known))
        self.names = tuple(names)
        self.known = tuple(known)

    def __str__(self) -> str:
        return "; ".join(_unknown(name, self.known) for name in self.names)


class Telemetry:
    """What is asked about metrics; part of a ``DaosClient``. They come over plain HTTP, to whoever asks."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def metrics(
        self, host: str, *, port: int = PORT, names: Sequence[str] = (), timeout_s: float = ATTEMPT_S
    ) -> tuple[MetricSet, ...]:
        """Return what a host publishes, or of it the sets of these names, in this order.

        A host that does not answer in time is asked again, five times; every other failure is final. Raises
        UnknownMetrics if there are none of such a name.
        """
        names = texts(names)
        page = await self._page(host, port, timeout_s)
        try:
            found = exposition.parse(page.decode())
        except UnicodeDecodeError as error:
            raise UnexpectedReply(f"http://{host}:{port}{PATH} is no text: {error}") from error
        if not names:
            return tuple(found)
        by_name = {one.name: one for one in found}
        if missing := [name for name in names if name not in by_name]:
            raise UnknownMetrics(missing, tuple(by_name))
        return tuple(by_name[name] for name in names)

    async def _page(self, host: str, port: int, timeout_s: float) -> bytes:
        connection, where = self._connection, f"{host}:{port}"
        try:
            async with asyncio.timeout(connection.management.left_s((RETRIES + 1) * (timeout_s + PAUSE_S))) as limit:
                with connection.waiting.on("metrics", stop=lambda: end(limit)) as wait, wait.asking(where):
                    return await _attempts(host, port, timeout_s, wait)
        except TimeoutError as error:
            raise HttpTimeoutError(f"http://{where}{PATH} did not answer in time") from error


async def _attempts(host: str, port: int, timeout_s: float, wait: Wait) -> bytes:
    for _ in range(RETRIES):
        try:
            return await _attempt(host, port, timeout_s)
        except HttpTimeoutError as error:
            wait.trouble = str(error)
        await asyncio.sleep(PAUSE_S)
    return await _attempt(host, port, timeout_s)


async def _attempt(host: str, port: int, timeout_s: float) -> bytes:
    try:
        return await http1.get(host, port, PATH, timeout_s=timeout_s)
    except HttpTimeoutError:
        raise
    except HttpError as error:
        raise NoMetrics(str(error)) from error


def _unknown(name: str, known: Sequence[str]) -> str:
    text = f"the host has no metric {name!r}"
    near = get_close_matches(name, known, n=3)
    return f"{text}; nearest: {', '.join(near)}" if near else f"{text}: dmg telemetry metrics list shows what it has"
