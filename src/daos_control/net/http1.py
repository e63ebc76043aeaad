"""One HTTP GET on asyncio: the whole answer or an error, and cancelled at once.

The standard library reads the answer; only the waiting is ours, since its own cannot be cancelled.
"""

import asyncio
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from typing import Any, Final

from daos_control.base.errors import DaosControlError

MOST_BYTES: Final = 1 << 28
"""No page of metrics is larger."""
_PIECE: Final = 1 << 16


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
        raise HttpError(f"{where} cannot be reached: {error.strerror or error}") from error
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
