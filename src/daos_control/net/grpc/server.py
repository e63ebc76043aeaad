"""Serves plain coroutines as gRPC methods.

``serve`` listens; ``server_link`` is one connection, ``endpoints`` what every call goes through. Any host that can
reach the port may connect: connections are bounded, those that only hold a place give way to others, and what a peer
sends can cost it its own connection and nothing else.
"""

import asyncio
import contextlib
import errno
import resource
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from daos_control.base import logs
from daos_control.base.aio import task_scope
from daos_control.base.errors import DaosControlError
from daos_control.base.version import DAOS_VERSION
from daos_control.net.complaints import Complaints
from daos_control.net.grpc.endpoints import Endpoint, endpoints_of
from daos_control.net.grpc.server_link import MAX_REQUEST, ServerLink
from daos_control.net.grpc.tls import server_context
from daos_control.net.rpc.handlers import Handlers
from daos_control.security.certificates import Certificates, explain

__all__ = ["MAX_REQUEST", "CannotListen", "Server", "serve"]

log = logs.get(__name__)

GRACE_S: Final = 5.0
BACKLOG: Final = 4096  # the kernel lowers it to net.core.somaxconn
MAX_LINKS: Final = 8192
"""Connections at most; a low limit of open files lowers it."""
MAX_CALLS: Final = 16_384
"""Calls at most that are under way; more are refused so that their callers can try again."""
_ACCEPTED_AT_ONCE: Final = 64
_MADE_ROOM: Final = 16
"""When there is no room, this part of the places is made free."""
_SWEEP_S: Final = 5.0
_SHORTAGES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_SHORTAGE_PAUSE_S: Final = 0.1
_OF_EACH: Final = (
    (socket.TCP_NODELAY, 1),
    (socket.TCP_KEEPIDLE, 60),
    (socket.TCP_KEEPINTVL, 15),
    (socket.TCP_KEEPCNT, 4),
)
"""What connections have from the listening socket. Replies go out at once; hosts that are gone without a word are found
out after two minutes, by the kernel."""


class CannotListen(DaosControlError):
    """The control port cannot be opened; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; ``port`` is the real one if 0 was asked for."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{self.host}:{self.port}"


@contextlib.asynccontextmanager
async def serve(
    handlers: Handlers,
    *,
    host: str,
    port: int,
    tls: Certificates | None,
    version: str = DAOS_VERSION,
    grace_s: float = GRACE_S,
) -> AsyncIterator[Server]:
    """Answer calls on ``host:port`` while inside; calls under way at the end get ``grace_s`` to finish.

    ``handlers`` are by full method path; methods without one are answered UNIMPLEMENTED. Without ``tls`` nobody is
    authenticated. Raises CannotListen.
    """
    endpoints = endpoints_of(handlers, version)
    context = None if tls is None else _context(tls)
    listener = _listen(host, port)
    try:
        async with task_scope() as tasks:
            links = _Links(listener, endpoints, context, tasks)
            links.accept()
            try:
                yield Server(host, listener.getsockname()[1])
            finally:
                await links.close(grace_s)
    finally:
        listener.close()


def _context(certificates: Certificates) -> ssl.SSLContext:
    try:
        return server_context(certificates)
    except ssl.SSLError as error:
        explain(certificates)
        raise CannotListen(f"the certificates cannot be used: {error}") from error


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _OF_EACH:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
        listener.setblocking(False)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        taken = error.errno == errno.EADDRINUSE
        way_out = "stop the program that uses the port (perhaps another daos_server), or " if taken else ""
        raise CannotListen(
            f"cannot listen on {host}:{port}: {error.strerror}; {way_out}set another port in daos_server.yml"
        ) from error
    return listener


class _Links:
    """The connections of a server."""

    def __init__(
        self,
        listener: socket.socket,
        endpoints: Mapping[bytes, Endpoint],
        context: ssl.SSLContext | None,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self.tasks = tasks
        self.endpoints = endpoints
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._context = context
        self._links: set[ServerLink] = set()
        self._calls = 0
        self._most = _affordable_links()
        self._is_accepting = False
        self._is_closing = False
        self._changed = asyncio.Event()
        self._complaints = Complaints(log, "gRPC peers")
        self._sweeping: asyncio.TimerHandle | None = None

    # What connections ask of their owner.

    def takes_a_call(self) -> bool:
        """Whether one more call may be worked on."""
        return self._calls < MAX_CALLS

    def began(self) -> None:
        """Hear that a call has begun."""
        self._calls += 1

    def ended(self) -> None:
        """Hear that a call has ended."""
        self._calls -= 1

    def lost(self, link: ServerLink) -> None:
        """Hear that a connection is gone."""
        self._links.discard(link)
        self._changed.set()
        error = link.error
        if isinstance(error, ssl.SSLError):
            self._complaints.info("a TLS handshake failed", peer=link.address, reason=error)
        elif error is not None:
            log.debug("a gRPC connection ended", peer=link.address, reason=error)
        self.accept()

    # Accepting.

    def accept(self) -> None:
        """Take connections from now on, unless there is no room."""
        if not self._is_accepting and not self._is_closing and len(self._links) < self._most:
            self._is_accepting = True
            self._loop.add_reader(self._listener, self._take_some)

    def _pause(self) -> None:
        if self._is_accepting:
            self._is_accepting = False
            self._loop.remove_reader(self._listener)

    def _take_some(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            if len(self._links) >= self._most and not self._make_room():
                self._pause()
                return
            try:
                sock, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._complaints.error("cannot take gRPC connections", reason=error.strerror, links=len(self._links))
                if error.errno not in _SHORTAGES:
                    return
                self._pause()
                self._loop.call_later(_SHORTAGE_PAUSE_S, self.accept)
                return
            sock.setblocking(False)
            link = ServerLink(self, self._context, _shown(peer))
            self._links.add(link)
            link.begin(sock)
            if self._sweeping is None:
                self._sweeping = self._loop.call_later(_SWEEP_S, self._sweep)

    def _make_room(self) -> bool:
        """Close connections that have been idle for longest, of whoever has most; tell whether there were any.

        Nobody can keep others out by holding connections open. Genuine clients connect for every call and never notice.
        """
        idle = [link for link in self._links if not link.is_busy]
        held = Counter(link.host for link in idle)
        idle.sort(key=lambda link: (-held[link.host], link.moved_at))
        for link in idle[: max(1, self._most // _MADE_ROOM)]:
            link.abort()
        return bool(idle)

    # The passing of time, and the end.

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._loop.time()
        for link in list(self._links):
            link.sweep(now)
        if self._links:
            self._sweeping = self._loop.call_later(_SWEEP_S, self._sweep)

    async def close(self, grace_s: float) -> None:
        """Take no more connections and calls; give calls under way ``grace_s`` to finish, then cancel them."""
        self._is_closing = True
        self._pause()
        if self._sweeping is not None:
            self._sweeping.cancel()
        for link in list(self._links):
            link.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._emptied()
        for link in list(self._links):
            link.drop()
        await self._emptied()

    async def _emptied(self) -> None:
        while self._links:
            self._changed.clear()
            await self._changed.wait()


def _shown(peer: tuple[Any, ...]) -> str:
    host, port, *_ = peer
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _affordable_links() -> int:
    """Half the descriptors we may open: accepting peers must not take away what answering them needs."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_LINKS if files == resource.RLIM_INFINITY else max(1, min(MAX_LINKS, files // 2))
