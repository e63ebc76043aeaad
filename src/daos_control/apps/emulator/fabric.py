"""Calls between engines, over TCP at the addresses of the group map: a stand-in for what CaRT does over a real fabric.

A call is one connection: a frame there, a frame back. A frame is a 4-byte length and a msgpack document.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from daos_control.apps.emulator.chores import chores
from daos_control.apps.emulator.membership import address
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

log = logs.get(__name__)

_LENGTH = struct.Struct("!I")
MAX_FRAME = 64 << 20
IDLE_S = 30.0
"""How long a peer may take to say something once it is connected."""

ReplyT = TypeVar("ReplyT", bound=msgspec.Struct)
Handler: TypeAlias = Callable[[Any], Awaitable[msgspec.Struct | None]]


class Service(msgspec.Struct, frozen=True):
    """One thing engines ask of each other."""

    request: type[msgspec.Struct]
    handler: Handler

    async def answer(self, request: msgspec.Struct, reply: type[ReplyT]) -> ReplyT:
        """Answer a caller in this process; raises DaosError."""
        answer = await self.handler(request)
        return answer if isinstance(answer, reply) else msgspec.convert(answer, reply, from_attributes=True)


Services: TypeAlias = Mapping[str, Service]
"""What an engine answers, by the name of the request."""


class Fabric(Protocol):
    """A way to other engines."""

    async def call(self, uri: str, request: msgspec.Struct, reply: type[ReplyT], *, timeout_s: float) -> ReplyT:
        """Ask an engine. Raises DaosError: the engine's, UNREACH, or TIMEDOUT."""
        ...


class _Request(msgspec.Struct):
    name: str
    body: msgspec.Raw


class _Reply(msgspec.Struct):
    status: int
    body: msgspec.Raw


class Network:
    """The fabric as it usually is: every engine listens at its own address."""

    async def call(self, uri: str, request: msgspec.Struct, reply: type[ReplyT], *, timeout_s: float) -> ReplyT:
        """Ask an engine over a connection of its own."""
        host, port = address(uri)
        content = _Request(type(request).__name__, msgspec.Raw(msgspec.msgpack.encode(request)))
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_connection(host, port)
                try:
                    writer.write(_frame(content))
                    await writer.drain()
                    answer = msgspec.msgpack.decode(await _read(reader), type=_Reply)
                finally:
                    writer.close()
            if answer.status != 0:
                raise DaosError(answer.status)
            return msgspec.msgpack.decode(answer.body, type=reply)
        except TimeoutError as error:
            raise DaosError(Der.TIMEDOUT) from error
        except (OSError, EOFError, msgspec.DecodeError) as error:
            raise DaosError(Der.UNREACH) from error


@contextlib.asynccontextmanager
async def listen(host: str, port: int, services_at: Callable[[str], Services]) -> AsyncIterator[int]:
    """Answer peers while inside; yields the port. Raises OSError if the address is taken.

    One listener may stand for several engines: ``services_at`` returns those of the address that a peer has called.
    """
    async with chores() as peers:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            called = writer.get_extra_info("sockname")[0]
            peers.start("fabric peer", _converse(reader, writer, services_at(called)))

        server = await asyncio.start_server(accept, host, port, limit=MAX_FRAME)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, services: Services) -> None:
    try:
        async with asyncio.timeout(IDLE_S):
            request = msgspec.msgpack.decode(await _read(reader), type=_Request)
        writer.write(_frame(await _answer(request, services)))
        await writer.drain()
    except (OSError, EOFError, TimeoutError, msgspec.DecodeError) as error:
        log.debug("fabric peer left", reason=error)
    finally:
        writer.close()


async def _answer(request: _Request, services: Services) -> _Reply:
    service = services.get(request.name)
    if service is None:
        return _failed(Der.UNREG)
    try:
        reply = await service.handler(msgspec.msgpack.decode(request.body, type=service.request))
    except DaosError as error:
        return _failed(error.status)
    except msgspec.DecodeError:
        return _failed(Der.PROTO)
    except Exception as error:  # noqa: BLE001  the edge of the listener: what was not foreseen fails one call only
        log.error("fabric call failed", exception=error, call=request.name)
        return _failed(Der.MISC)
    return _Reply(0, msgspec.Raw(msgspec.msgpack.encode(reply)))


def _failed(status: int) -> _Reply:
    return _Reply(int(status), msgspec.Raw(msgspec.msgpack.encode(None)))


def _frame(message: msgspec.Struct) -> bytes:
    content = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(content)) + content


async def _read(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > MAX_FRAME:
        raise EOFError(f"frame of {length} bytes")
    return await reader.readexactly(length)
