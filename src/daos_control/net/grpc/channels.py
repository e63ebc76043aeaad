"""Calls other hosts over gRPC: one connection per host, kept and shared by all calls to it.

A call fails in one of the ways ``base.errors`` knows. A host that cannot be reached is known soon (``CONNECT_S``), and
tried anew by the next call; one that took a request and never answers costs that call its own time limit and nothing
else.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.base.version import DAOS_VERSION
from daos_control.net.grpc.tls import SERVER_OPTIONS, channel_credentials
from daos_control.net.rpc.headers import COMPONENT_HEADER, VERSION_HEADER
from daos_control.net.rpc.methods import Method
from daos_control.net.rpc.status import Code, Status, StatusError, from_status
from daos_control.security.certificates import Certificates
from daos_control.security.components import Component

MAX_REPLY = 256 << 20
"""Bytes of the largest reply taken; genuine clients stop at 4 MiB, which a list of many containers exceeds."""
CONNECT_S = 5.0
"""How long connecting may take, handshake included."""
MAX_IDLE = 256
"""Connections kept that are not in use; beyond, the one unused for longest is closed."""
DETAILS = "grpc-status-details-bin"


class Channels:
    """Connections to any number of hosts, as one component; used from one event loop, closed by ``aclose``."""

    def __init__(
        self,
        tls: Certificates | None,
        component: Component,
        version: str = DAOS_VERSION,
        *,
        connect_s: float = CONNECT_S,
        max_idle: int = MAX_IDLE,
        allow_proxy: bool = False,
    ) -> None:
        self._credentials = None if tls is None else channel_credentials(tls)
        self._headers = ((COMPONENT_HEADER, component.value), (VERSION_HEADER, version))
        self._options = _options(connect_s, allow_proxy=allow_proxy) + (SERVER_OPTIONS if tls else ())
        self._max_idle = max_idle
        self._peers: OrderedDict[str, _Peer] = OrderedDict()

    async def call(self, address: str, method: Method, request: Message, *, timeout_s: float | None = None) -> Any:
        """Send a request to ``host:port`` and return the reply.

        Raises what the peer raised, the faults ClientConnection... if it cannot be reached or is lost before it has
        answered, ClientRpcTimeout if it does not answer in time, and StatusError for what has no better name.
        """
        peer = self._peer(address)
        peer.calls += 1
        try:
            body = await peer.send(method, request.SerializeToString(), timeout_s, self._headers)
        except grpc.aio.AioRpcError as error:
            raise _explained(error, address, method, timeout_s) from error
        except asyncio.CancelledError:
            if peer.closed and not _cancelled():
                raise StatusError(Code.CANCELLED, f"{method.name}: the connection to {address} was closed") from None
            raise
        finally:
            peer.calls -= 1
            await self._close_unused()
        try:
            return method.reply.FromString(body)
        except DecodeError as error:
            raise StatusError(Code.INTERNAL, f"{address}: undecodable reply to {method.name}: {error}") from error

    async def aclose(self) -> None:
        """Close all connections; calls under way fail."""
        while self._peers:
            _, peer = self._peers.popitem()
            await peer.close()

    def _peer(self, address: str) -> "_Peer":
        peer = self._peers.get(address)
        if peer is None:
            peer = self._peers[address] = _Peer(self._open(address))
        self._peers.move_to_end(address)
        return peer

    def _open(self, address: str) -> grpc.aio.Channel:
        if self._credentials is None:
            return grpc.aio.insecure_channel(address, self._options)
        return grpc.aio.secure_channel(address, self._credentials, self._options)

    async def _close_unused(self) -> None:
        if len(self._peers) <= self._max_idle:
            return
        idle = [address for address, peer in self._peers.items() if not peer.calls]
        for address in idle[: max(0, len(idle) - self._max_idle)]:
            await self._peers.pop(address).close()


class _Peer:
    """A connection and what was made of it."""

    __slots__ = ("_channel", "_methods", "calls", "closed")

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self.calls = 0
        self.closed = False
        self._methods: dict[str, Any] = {}

    async def send(
        self, method: Method, body: bytes, timeout_s: float | None, headers: tuple[tuple[str, str], ...]
    ) -> bytes:
        send = self._methods.get(method.path)
        if send is None:
            send = self._methods[method.path] = self._channel.unary_unary(method.path)
        reply: bytes = await send(body, timeout=timeout_s, metadata=headers)
        return reply

    async def close(self) -> None:
        self.closed = True  # grpcio ends calls under way as if their tasks were cancelled
        await self._channel.close()


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _options(connect_s: float, *, allow_proxy: bool) -> tuple[tuple[str, int | str], ...]:
    return (
        ("grpc.max_receive_message_length", MAX_REPLY),
        ("grpc.min_reconnect_backoff_ms", int(connect_s * 1000)),  # which is the time limit of an attempt
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 250),
        ("grpc.use_local_subchannel_pool", 1),  # what one user of this library does is no other's business
        ("grpc.enable_http_proxy", int(allow_proxy)),
        ("grpc.service_config_disable_resolution", 1),
    )


def _explained(error: grpc.aio.AioRpcError, address: str, method: Method, timeout_s: float | None) -> DaosControlError:
    code, text = error.code().value[0], error.details() or ""
    if code == Code.DEADLINE_EXCEEDED and timeout_s is not None:
        return FaultCode.CLIENT_RPC_TIMEOUT.fault(request=method.name, limit=f"{timeout_s:g}s")
    trailers = error.trailing_metadata() or ()
    details = next((value for name, value in trailers if name == DETAILS), b"")
    told = from_status(Status(code, text, details if isinstance(details, bytes) else b""), address=address)
    if code == Code.UNAVAILABLE and isinstance(told, StatusError):
        return unreachable(text, address)
    return told


def unreachable(text: str, address: str) -> Fault:
    """Tell from grpcio's words why there is no connection (any more)."""
    words = text.lower()
    if any(piece in words for piece in _OUT_OF_DATE):
        return FaultCode.SECURITY_INVALID_CERT.fault(reason=text)
    for code, pieces in _REASONS.items():
        if any(piece in words for piece in pieces):
            return code.fault(address=address, reason=text)
    return FaultCode.CLIENT_CONNECTION_CLOSED.fault(address=address, reason=text)


_OUT_OF_DATE = ("certificate has expired", "certificate is not yet valid", "certificate expired")
_REASONS: Mapping[FaultCode, tuple[str, ...]] = {
    FaultCode.CLIENT_CONNECTION_REFUSED: ("connection refused",),
    FaultCode.CLIENT_CONNECTION_NO_ROUTE: ("no route to host", "network is unreachable", "host is unreachable"),
    FaultCode.CLIENT_CONNECTION_BAD_HOST: ("errors resolving", "name resolution", "dns resolution"),
    # The last three are what attempts say that the time limit on connecting cuts short.
    FaultCode.CLIENT_CONNECTION_TIMED_OUT: (
        "timed out",
        "timeout",
        "fd shutdown",
        "handshaker shutdown",
        "endpoint closing",
    ),
}
