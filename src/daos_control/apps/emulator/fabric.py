"""Calls between engines, over TCP at the addresses of the group map: a stand-in for what CaRT does over a real fabric.

One connection leads from an engine to each peer that it calls, for all calls: requests are numbered, and answers come
as they are ready. A frame is a 4-byte length and a msgpack document.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from itertools import count
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from daos_control.apps.emulator.chores import Chores, chores
from daos_control.apps.emulator.membership import address
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

log = logs.get(__name__)

_LENGTH = struct.Struct("!I")
MAX_FRAME = 64 << 20
MOST_LINKS = 64
"""Connections to peers that are kept when nothing is asked over them."""

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
    number: int
    name: str
    body: msgspec.Raw


class _Reply(msgspec.Struct):
    number: int
    status: int
    body: msgspec.Raw


class Network:
    """The fabric as it usually is: every engine listens at its own address. Close it in the end."""

    def __init__(self) -> None:
        self._links: dict[tuple[str, int], _Outgoing] = {}
        """The one used last is the last."""
        self._connecting: dict[tuple[str, int], asyncio.Lock] = {}

    async def call(self, uri: str, request: msgspec.Struct, reply: type[ReplyT], *, timeout_s: float) -> ReplyT:
        """Ask an engine, over the connection that leads there."""
        try:
            async with asyncio.timeout(timeout_s):
                link = await self._link(address(uri))
                answer = await link.ask(type(request).__name__, msgspec.msgpack.encode(request))
            if answer.status != 0:
                raise DaosError(answer.status)
            return msgspec.msgpack.decode(answer.body, type=reply)
        except TimeoutError as error:
            raise DaosError(Der.TIMEDOUT) from error
        except (OSError, msgspec.DecodeError) as error:
            raise DaosError(Der.UNREACH) from error

    def close(self) -> None:
        """End all connections, and what is asked over them."""
        for link in list(self._links.values()):
            link.abort()
        self._links.clear()

    async def _link(self, place: tuple[str, int]) -> "_Outgoing":
        """Return the connection to a peer; raises OSError if nobody is there."""
        async with self._connecting.setdefault(place, asyncio.Lock()):
            link = self._links.pop(place, None)
            if link is None or link.lost:
                link = _Outgoing()
                await asyncio.get_running_loop().create_connection(lambda: link, *place)
            self._links[place] = link
        self._let_go()
        return link

    def _let_go(self) -> None:
        """Close connections that have not been used for longest, down to as many as are kept."""
        for place, link in list(self._links.items())[: max(0, len(self._links) - MOST_LINKS)]:
            if link.idle:
                del self._links[place]
                link.abort()


class _Link(asyncio.Protocol):
    """One connection, cut into frames."""

    def __init__(self) -> None:
        self._incoming = bytearray()
        self._transport: asyncio.Transport
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of TCP it is
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what came, which may be a part of a frame, or several; noise ends the connection."""
        self._incoming += data
        begin = 0
        while len(self._incoming) >= begin + _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._incoming, begin)
            end = begin + _LENGTH.size + length
            if length > MAX_FRAME:
                self.abort()
                return
            if len(self._incoming) < end:
                break
            try:
                self.take(bytes(self._incoming[begin + _LENGTH.size : end]))
            except msgspec.DecodeError as error:
                log.debug("fabric peer talks nonsense", reason=error)
                self.abort()
                return
            begin = end
        del self._incoming[:begin]

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end."""
        self.lost = True

    def take(self, content: bytes) -> None:
        """Act on a frame; raises msgspec.DecodeError."""
        raise NotImplementedError

    def send(self, message: msgspec.Struct) -> None:
        """Write a frame, to a peer that may have gone away."""
        if not self._transport.is_closing():
            content = msgspec.msgpack.encode(message)
            self._transport.write(_LENGTH.pack(len(content)) + content)

    def abort(self) -> None:
        """End at once."""
        self.lost = True
        self._transport.abort()


class _Outgoing(_Link):
    """A connection to a peer that is asked things."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()
        self._waiting: dict[int, asyncio.Future[_Reply]] = {}

    @property
    def idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return not self._waiting

    async def ask(self, name: str, body: bytes) -> _Reply:
        """Return the answer; raises OSError if the peer goes away."""
        number = next(self._numbers)
        answer: asyncio.Future[_Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self.send(_Request(number, name, msgspec.Raw(body)))
            if self.lost:
                raise ConnectionResetError
            return await answer
        finally:
            del self._waiting[number]

    def take(self, content: bytes) -> None:
        """Hand an answer to who waits for it, unless nobody does any more."""
        reply = msgspec.msgpack.decode(content, type=_Reply)
        waiting = self._waiting.get(reply.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell all who wait."""
        super().connection_lost(error)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())


class _Incoming(_Link):
    """A connection from a peer that asks things."""

    def __init__(self, services_at: Callable[[str], Services], calls: Chores, links: "set[_Incoming]") -> None:
        super().__init__()
        self._services_at = services_at
        self._calls = calls
        self._links = links

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be one of those that there are."""
        super().connection_made(transport)
        self._links.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Be one of them no more."""
        super().connection_lost(error)
        self._links.discard(self)

    def take(self, content: bytes) -> None:
        """Begin to answer."""
        request = msgspec.msgpack.decode(content, type=_Request)
        self._calls.start("fabric call", self._answer(request))

    async def _answer(self, request: _Request) -> None:
        called = self._transport.get_extra_info("sockname")[0]
        self.send(await _answer(request, self._services_at(called)))


@contextlib.asynccontextmanager
async def listen(host: str, port: int, services_at: Callable[[str], Services]) -> AsyncIterator[int]:
    """Answer peers while inside; yields the port. Raises OSError if the address is taken.

    One listener may stand for several engines: ``services_at`` returns those of the address that a peer has called.
    """
    links: set[_Incoming] = set()
    async with chores() as calls:
        server = await asyncio.get_running_loop().create_server(
            lambda: _Incoming(services_at, calls, links), host, port
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for link in links:
                link.abort()


async def _answer(request: _Request, services: Services) -> _Reply:
    service = services.get(request.name)
    if service is None:
        return _failed(request, Der.UNREG)
    try:
        reply = await service.handler(msgspec.msgpack.decode(request.body, type=service.request))
    except DaosError as error:
        return _failed(request, error.status)
    except msgspec.DecodeError:
        return _failed(request, Der.PROTO)
    except Exception as error:  # noqa: BLE001  the edge of the listener: what was not foreseen fails one call only
        log.error("fabric call failed", exception=error, call=request.name)
        return _failed(request, Der.MISC)
    return _Reply(request.number, 0, msgspec.Raw(msgspec.msgpack.encode(reply)))


def _failed(request: _Request, status: int) -> _Reply:
    return _Reply(request.number, int(status), msgspec.Raw(msgspec.msgpack.encode(None)))
