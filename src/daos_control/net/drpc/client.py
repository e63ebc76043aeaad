"""One call at a time over a fresh connection, as all genuine dRPC clients do it.

Calls to one listener may run side by side, because each has its own connection. On one connection there is never
more than one call under way: engines could mix up the answers.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from daos_control.net.drpc.errors import (
    BadReply,
    DrpcDisconnected,
    DrpcStatus,
    DrpcTimeout,
    DrpcUnreachable,
    Status,
)
from daos_control.net.drpc.frames import MAX_PACKET, Assembler, Rules, encode
from daos_control.net.drpc.methods import Method
from daos_control.wire.pb import drpc_pb2

RequestT = TypeVar("RequestT", bound=Message | None)
ReplyT = TypeVar("ReplyT", bound=Message | None)

MAX_REPLY = 256 << 20
"""Bytes of the largest reply we take; peers we call are trusted more than those who call us."""
FIRST_RETRY_S, LAST_RETRY_S = 0.001, 0.05


class Session:
    """A connection to a listener; calls are numbered from ``first_sequence``.

    1 for our own programs. Engines and libdaos number from 0, which must never be sent to an engine: it dies of its
    own empty answer.
    """

    def __init__(self, sock: socket.socket, path: str, *, first_sequence: int = 1, rules: Rules = Rules.GO) -> None:
        self._sock = sock
        self._path = path
        self._sequence = first_sequence
        self._incoming = Assembler(max_message=MAX_REPLY, rules=rules)

    async def call(self, method: Method[RequestT, ReplyT], request: RequestT) -> ReplyT:
        """Send a request and wait for its reply, however long it takes.

        Raises DrpcStatus if the peer refuses, DrpcDisconnected if it goes away, BadReply if it talks nonsense.
        """
        sequence = self._sequence
        await self.send(method, request)
        response = await self._receive(method)
        if int(response.status) != Status.SUCCESS:
            raise DrpcStatus(response.status)
        if response.sequence != sequence:
            raise BadReply(f"{self._path}: answer number {response.sequence} to {method} number {sequence}")
        try:
            return method.parse_reply(response.body)
        except DecodeError as error:
            raise BadReply(f"{self._path}: undecodable reply to {method}") from error

    async def send(self, method: Method[RequestT, Any], request: RequestT) -> None:
        """Send a request without waiting for the reply; nothing else may follow on this connection."""
        call = drpc_pb2.Call(module=method.module, method=method.id, sequence=self._sequence)
        if request is not None:
            call.body = request.SerializeToString()
        self._sequence += 1
        loop = asyncio.get_running_loop()
        try:
            for packet in encode(call.SerializeToString()):
                await loop.sock_sendall(self._sock, packet)
        except OSError as error:
            raise DrpcDisconnected(self._path, f"connection lost while sending {method}: {error}") from error

    async def _receive(self, method: Method[Any, Any]) -> drpc_pb2.Response:
        loop = asyncio.get_running_loop()
        message = None
        while message is None:
            try:
                packet = await loop.sock_recv(self._sock, MAX_PACKET)
            except OSError as error:
                raise DrpcDisconnected(self._path, f"connection lost before {method} was answered: {error}") from error
            if not packet:
                raise DrpcDisconnected(self._path, f"closed the connection instead of answering {method}")
            message = self._incoming.feed(packet)
        try:
            return drpc_pb2.Response.FromString(message)
        except DecodeError as error:
            raise BadReply(f"{self._path}: undecodable response to {method}") from error


@asynccontextmanager
async def session(
    path: str, *, first_sequence: int = 1, rules: Rules = Rules.GO, timeout_s: float | None = None
) -> AsyncIterator[Session]:
    """Connect, and close on exit. ``timeout_s`` covers connecting and everything done inside."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    with sock:
        try:
            async with asyncio.timeout(timeout_s):
                await _connect(sock, path)
                yield Session(sock, path, first_sequence=first_sequence, rules=rules)
        except TimeoutError as error:
            raise DrpcTimeout(path, f"no answer within {timeout_s} s") from error


async def call(
    path: str,
    method: Method[RequestT, ReplyT],
    request: RequestT,
    *,
    timeout_s: float | None = None,
    sequence: int = 1,
) -> ReplyT:
    """Connect, make one call, close.

    Raises DrpcUnreachable if nobody listens at ``path``, DrpcTimeout after ``timeout_s``, and what ``Session.call``
    raises.
    """
    async with session(path, first_sequence=sequence, timeout_s=timeout_s) as connection:
        return await connection.call(method, request)


async def notify(
    path: str,
    method: Method[RequestT, Any],
    request: RequestT,
    *,
    timeout_s: float | None = None,
    sequence: int = 1,
) -> None:
    """Connect, send one request and close at once: the way engines raise events nobody needs to confirm."""
    async with session(path, first_sequence=sequence, timeout_s=timeout_s) as connection:
        await connection.send(method, request)


async def _connect(sock: socket.socket, path: str) -> None:
    # Not loop.sock_connect: where the listener's queue is full, a non-blocking connect of a Unix socket fails for good
    # (EAGAIN) instead of going on in the background, and asyncio would take that for a connection in the making.
    pause_s = FIRST_RETRY_S
    while True:
        try:
            sock.connect(path)
        except BlockingIOError:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_RETRY_S)
        except OSError as error:
            raise DrpcUnreachable(path, error.strerror or str(error)) from error
        else:
            return
