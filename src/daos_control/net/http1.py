"""HTTP/1.1 on asyncio, as little as metrics need of it: a GET, whole and cancelled at once, and pages for GETs.

The standard library reads answers; only the waiting is ours, since its own cannot be cancelled.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from typing import Any, Final, TypeAlias

from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.net.unreachable import why_unreachable

log = logs.get(__name__)

MOST_BYTES: Final = 1 << 28
"""No page of metrics is larger."""
_PIECE: Final = 1 << 16
_MOST_HEAD: Final = 1 << 13
_GUESTS: Final = 16
_GUEST_S: Final = 30.0


class HttpError(DaosControlError):
    """A GET did not bring what was asked for."""


class HttpTimeoutError(HttpError):
    """There was no whole answer in time."""


async def get(host: str, port: int, path: str, *, timeout_s: float) -> bytes:
    """Return the body of an answer of success. Raises HttpError, or its subclass if time has run out."""
    where = f"http://{host}:{port}{path}"
    try:
        async with asyncio.timeout(timeout_s):
            answer = await _exchange(host, port, path)
    except TimeoutError as error:
        raise HttpTimeoutError(f"{where} did not answer in {timeout_s:g} seconds") from error
    except OSError as error:
        raise HttpError(f"{where} cannot be reached: {why_unreachable(error)}") from error
    return await asyncio.to_thread(_body, answer, where)


async def _exchange(host: str, port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        name = f"[{host}]" if ":" in host else host
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n".encode())
        received = bytearray()
        while piece := await reader.read(_PIECE):
            received += piece
            if len(received) > MOST_BYTES:
                raise HttpError(f"http://{host}:{port}{path} answers with more than {MOST_BYTES >> 20} MiB")
        return bytes(received)
    finally:
        writer.close()


class _Received:
    """What ``HTTPResponse`` needs of a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> BytesIO:
        return BytesIO(self._data)


def _body(answer: bytes, where: str) -> bytes:
    socket: Any = _Received(answer)
    try:
        response = HTTPResponse(socket, method="GET")
        response.begin()
        body = response.read()
    except (HTTPException, ValueError) as error:
        raise HttpError(f"{where} does not answer as HTTP has it, or not to the end: {error!r}") from error
    if response.status // 100 != 2:
        raise HttpError(f"{where} answers {response.status} {response.reason}")
    return body


Answer: TypeAlias = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a path has to show."""

    kind: str
    """Its media type."""
    text: Answer


@asynccontextmanager
async def serve(host: str, port: int, pages: Mapping[str, Page]) -> AsyncIterator[int]:
    """Answer GETs of pages by path while inside, and yield the port; a query behind the path counts for nothing.

    Every connection brings one answer. Those that take their time with their question are dropped, and so are those
    beyond a few at a time: the pages are for one or two programs that gather. Raises OSError if the port is taken.
    """
    places = asyncio.Semaphore(_GUESTS)

    async def guest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not places.locked():
                async with places, asyncio.timeout(_GUEST_S):
                    await _answer(reader, writer, pages)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            log.debug("a question over HTTP was not answered")
        finally:
            writer.close()

    server = await asyncio.start_server(guest, host, port, limit=_MOST_HEAD)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pages: Mapping[str, Page]) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    words = head.partition(b"\r\n")[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        status, page = HTTPStatus.BAD_REQUEST, None
    elif words[0] not in {"GET", "HEAD"}:
        status, page = HTTPStatus.METHOD_NOT_ALLOWED, None
    else:
        page = pages.get(words[1].partition("?")[0])
        status = HTTPStatus.OK if page else HTTPStatus.NOT_FOUND
    body = (await page.text() if page else f"{status} {status.phrase}\n").encode()
    kind = page.kind if page else "text/plain; charset=utf-8"
    writer.write(
        f"HTTP/1.1 {status} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    if words[0] != "HEAD":
        writer.write(body)
    await writer.drain()
