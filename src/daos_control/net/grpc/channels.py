"""Calls other hosts over gRPC: one connection per host, kept and shared by all calls to it.

A call fails in one of the ways ``base.errors`` knows. A host that cannot be reached is known soon (``CONNECT_S``), and
tried anew by the next call; one that took a request and never answers costs that call its own time limit and nothing
else. A call that the other end has certainly not looked at is made again, on a new connection if need be.
"""
# ruff: noqa: PLC0415 - clients without certificates, and those whose certificates are good, pay nothing for judging them

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from google.protobuf.message import DecodeError, Message

from daos_control.base.errors import ClientClosed, DaosControlError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.base.version import DAOS_VERSION
from daos_control.net.grpc import dialling, messages
from daos_control.net.grpc.client_link import ClientLink, LinkLost, NotProcessed
from daos_control.net.grpc.failures import connection_fault
from daos_control.net.grpc.tls import client_context
from daos_control.net.http2.headers import indexed, literal
from daos_control.net.rpc.headers import COMPONENT_HEADER, VERSION_HEADER
from daos_control.net.rpc.methods import Method
from daos_control.net.rpc.status import Code, Status, StatusError, from_status
from daos_control.security.components import Component

if TYPE_CHECKING:
    from daos_control.security.certificates import Certificates

MAX_REPLY: Final = 256 << 20
"""Bytes of the largest reply taken; genuine clients stop at 4 MiB, which a list of many containers exceeds."""
CONNECT_S: Final = 5.0
"""How long connecting may take, handshake included."""
MAX_IDLE: Final = 256
"""Connections kept that are not in use; beyond, the one unused for longest is closed."""
IDLE_S: Final = 300.0
"""How long a connection is kept that is not in use."""
_BLAMELESS_S: Final = 60.0
"""How long our own certificates are good once they were found to be."""
_ATTEMPTS: Final = 3
"""How often a call is made that servers, one after the other, have not looked at."""


class Channels:
    """Connections to any number of hosts, as one component; used from one event loop, closed by ``aclose``.

    Raises what is wrong with ``tls`` if it cannot be used, CertificateError for one.
    """

    def __init__(
        self,
        tls: "Certificates | None",
        component: Component,
        version: str = DAOS_VERSION,
        *,
        connect_s: float = CONNECT_S,
        max_idle: int = MAX_IDLE,
        idle_s: float = IDLE_S,
        allow_proxy: bool = False,
    ) -> None:
        self._certificates = tls
        self._context = None if tls is None else _context(tls)
        self._scheme = indexed(b":method", b"POST") + indexed(b":scheme", b"http" if tls is None else b"https")
        self._fields = (
            literal(b"content-type", messages.CONTENT_TYPE)
            + literal(b"te", b"trailers")
            + literal(b"user-agent", b"grpc-python-daos-control")
            + literal(COMPONENT_HEADER.encode(), component.value.encode())
            + literal(VERSION_HEADER.encode(), version.encode())
        )
        self._connect_s = connect_s
        self._max_idle = max_idle
        self._idle_s = idle_s
        self._allow_proxy = allow_proxy
        self._peers: OrderedDict[str, _Peer] = OrderedDict()
        self._blameless_until = 0.0
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def call(self, address: str, method: Method, request: Message, *, timeout_s: float | None = None) -> Any:
        """Send a request to ``host:port`` and return the reply.

        Raises what the peer raised, the faults ClientConnection... if it cannot be reached or is lost before it has
        answered, ClientRpcTimeout if it does not answer in time, and StatusError for what has no better name.
        """
        peer = self._peer(address)
        peer.calls += 1
        try:
            async with asyncio.timeout(timeout_s) as limit:
                outcome = await self._ask(peer, method, request.SerializeToString(), limit.when())
        except TimeoutError as error:
            raise _late(method, timeout_s) from error
        except LinkLost as error:
            raise self._lost(error, peer, method.name) from error
        finally:
            peer.calls -= 1
            self._close_unused()
        if isinstance(outcome, Status):
            raise _explained(outcome, address, method, timeout_s)
        try:
            return method.reply.FromString(outcome)
        except DecodeError as error:
            raise StatusError(Code.INTERNAL, f"{address}: undecodable reply to {method.name}: {error}") from error

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None:
        """Connect to ``host:port`` if that is yet to be done. Raises the faults ClientConnection..."""
        peer = self._peer(address)
        peer.calls += 1
        try:
            async with asyncio.timeout(timeout_s):
                await peer.link()
        except TimeoutError as error:
            raise connection_fault(error, address) from error
        except LinkLost as error:
            raise self._lost(error, peer, "connecting") from error
        finally:
            peer.calls -= 1
            self._close_unused()

    async def aclose(self) -> None:
        """Close all connections; calls under way fail, and later ones with ClientClosed."""
        self._is_closed = True
        peers = list(self._peers.values())
        self._peers.clear()
        for peer in peers:
            peer.close()
        for peer in peers:
            await peer.closed()

    async def _ask(self, peer: "_Peer", method: Method, message: bytes, deadline: float | None) -> bytes | Status:
        loop = asyncio.get_running_loop()
        block = peer.blocks.get(method.path)
        if block is None:
            where = literal(b":path", method.path.encode()) + literal(b":authority", peer.address.encode())
            block = peer.blocks[method.path] = self._scheme + where + self._fields
        for _ in range(_ATTEMPTS):
            link = await peer.link()
            wait = b"" if deadline is None else literal(messages.TIMEOUT, messages.timeout(deadline - loop.time()))
            try:
                return await link.call(block + wait, message)
            except NotProcessed:
                continue
        return Status(Code.UNAVAILABLE, "the server takes no more calls")

    def _peer(self, address: str) -> "_Peer":
        loop = asyncio.get_running_loop()
        if self._is_closed:
            raise ClientClosed
        if self._loop not in {None, loop}:
            raise ClientClosed("this client belongs to another event loop: make one in each")
        self._loop = loop
        peer = self._peers.get(address)
        if peer is None:
            peer = self._peers[address] = _Peer(address, self._connect)
        self._peers.move_to_end(address)
        return peer

    async def _connect(self, address: str) -> ClientLink:
        """Open a connection. Raises LinkLost with the reason as its cause."""
        link: ClientLink | None = None
        try:
            async with asyncio.timeout(self._connect_s):
                sock = await dialling.connect(address, allow_proxy=self._allow_proxy)
                link = ClientLink(self._context, most_reply=MAX_REPLY, idle_s=self._idle_s)
                link.begin(sock)
                await link.opened
        except OSError as error:  # TimeoutError and all of TLS are among them
            if link is not None:
                link.abort()
            raise LinkLost from error
        except asyncio.CancelledError:
            if link is not None:
                link.abort()
            raise
        if link.is_closing:
            raise LinkLost from link.error
        return link

    def _lost(self, error: LinkLost, peer: "_Peer", doing: str) -> DaosControlError:
        if self._is_closed or peer.is_closed:
            return StatusError(Code.CANCELLED, f"{doing}: the connection to {peer.address} was closed")
        return self._why_lost(error.__cause__, peer.address)

    def _why_lost(self, error: BaseException | None, address: str) -> DaosControlError:
        """Name what went wrong with a connection; our own certificates may be to blame, or be bad besides."""
        ours, now = self._certificates, asyncio.get_running_loop().time()
        suspect = ours is not None and (isinstance(error, ssl.SSLError) or not ours.is_checked)
        if ours is not None and suspect and now >= self._blameless_until:
            from daos_control.security.certificates import explain

            try:
                explain(ours)
            except DaosControlError as own:
                return own
            self._blameless_until = now + _BLAMELESS_S
        return connection_fault(error, address)

    def _close_unused(self) -> None:
        if len(self._peers) <= self._max_idle:
            return
        idle = [address for address, peer in self._peers.items() if not peer.calls]
        for address in idle[: max(0, len(idle) - self._max_idle)]:
            self._peers.pop(address).close()


class _Peer:
    """A host, the connection to it, and the calls that use that."""

    def __init__(self, address: str, connect: Callable[[str], Awaitable[ClientLink]]) -> None:
        self.address = address
        self.calls = 0
        self.is_closed = False
        self.blocks: dict[str, bytes] = {}
        """Header fields by path of the method."""
        self._connect = connect
        self._links: list[ClientLink] = []  # the last one is for new calls; others end with the calls they have
        self._attempt: asyncio.Future[BaseException | None] | None = None

    async def link(self) -> ClientLink:
        """Return a connection that can be used. Raises LinkLost; whoever waits for the same attempt shares its fate."""
        while not self._links or not self._links[-1].is_usable:
            if self._attempt is None:
                await self._try()
                continue
            failure = await asyncio.shield(self._attempt)
            if failure is not None:
                raise LinkLost from failure
        return self._links[-1]

    def close(self) -> None:
        """Close the connection; calls under way fail."""
        self.is_closed = True
        for link in self._links:
            link.close()

    async def closed(self) -> None:
        """Wait until it is closed."""
        for link in self._links:
            await link.closed

    async def _try(self) -> None:
        attempt: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        self._attempt = attempt
        failure: BaseException | None = None
        try:
            link = await self._connect(self.address)
            self._links = [*(old for old in self._links if not old.closed.done()), link]
            if self.is_closed:
                link.close()
                raise LinkLost
        except LinkLost as lost:
            failure = lost.__cause__ or lost
            raise
        finally:
            self._attempt = None
            attempt.set_result(failure)


def _context(certificates: "Certificates") -> ssl.SSLContext:
    from daos_control.security.certificates import CertificateError, explain

    try:
        return client_context(certificates)
    except ssl.SSLError as error:
        explain(certificates)
        raise CertificateError(f"the certificates cannot be used: {error}") from error


def _late(method: Method, timeout_s: float | None) -> Fault:
    return FaultCode.CLIENT_RPC_TIMEOUT.fault(request=method.name, limit=f"{timeout_s:g}s")


def _explained(status: Status, address: str, method: Method, timeout_s: float | None) -> DaosControlError:
    if status.code == Code.DEADLINE_EXCEEDED and timeout_s is not None:
        return _late(method, timeout_s)
    told = from_status(status, address=address)
    if status.code == Code.UNAVAILABLE and isinstance(told, StatusError):
        return FaultCode.CLIENT_CONNECTION_CLOSED.fault(address=address, reason=status.message)
    return told
