"""A dRPC listener: accepts connections on a SEQPACKET socket and answers their calls, one after another on each.

Made to be reached by any local user: what a peer sends can cost it its own connection and nothing else. Messages are
bounded, so are connections, and a handler keeps running when its caller has left (engines report events that way).
"""

import asyncio
import contextlib
import errno
import functools
import os
import resource
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError, EncodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from daos_control.base import logs
from daos_control.base.aio import task_scope
from daos_control.base.fault_codes import FaultCode
from daos_control.net.complaints import Complaints
from daos_control.net.drpc.errors import CannotListen, DrpcFailure, FrameError, Status
from daos_control.net.drpc.frames import HEADER, MAX_DATA, MAX_MESSAGE, MAX_PACKET, Assembler, Rules, encode
from daos_control.net.drpc.methods import Method
from daos_control.wire.pb import drpc_pb2

log = logs.get(__name__)

BACKLOG = 4096  # the kernel lowers it to net.core.somaxconn
MAX_SESSIONS = 4096
GRACE_S = 5.0
_UCRED = struct.Struct("=iII")
_MAX_LABEL = 4096
_BODY_TAG = bytes([drpc_pb2.Response.BODY_FIELD_NUMBER << 3 | 2])  # 2: a length and so many bytes
_SO_PEERSEC = 31  # asm-generic/socket.h; the socket module does not name it
_SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_SHORTAGE_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Peer:
    """The process at the other end, as the kernel vouches for it at the time it connected."""

    pid: int
    uid: int
    gid: int
    label: str = ""
    """Its security label (SELinux and the like); empty where the kernel has none."""


Handler: TypeAlias = Callable[[Any, Peer], Awaitable[Message | bytes | None]]
Handlers: TypeAlias = Mapping[Method[Any, Any], Handler]


class Server:
    """A running listener; made by ``serve``."""

    def __init__(
        self,
        listener: socket.socket,
        handlers: Handlers,
        *,
        modules: Collection[int],
        max_sessions: int,
        max_message: int,
        rules: Rules,
    ) -> None:
        self._listener = listener
        self._handlers = {(int(method.module), method.id): (method, handler) for method, handler in handlers.items()}
        self._modules = {int(method.module) for method in handlers} | {int(module) for module in modules}
        self._max_sessions = max_sessions
        self._max_message = max_message
        self._rules = rules
        self._sessions: set[_Session] = set()
        self._changed = asyncio.Event()
        self._complaints = Complaints(log, "dRPC peers")

    @property
    def sessions(self) -> int:
        """How many peers are connected."""
        return len(self._sessions)

    async def accept_forever(self, group: asyncio.TaskGroup) -> None:
        """Take connections until cancelled; each gets a task in ``group``."""
        loop = asyncio.get_running_loop()
        while True:
            await self._make_room()
            try:
                sock, _ = await loop.sock_accept(self._listener)
            except OSError as error:
                if error.errno in _SHORTAGES:
                    log.error("cannot take dRPC connections", reason=error.strerror, sessions=self.sessions)
                    await asyncio.sleep(_SHORTAGE_PAUSE_S)
                elif error.errno != errno.ECONNABORTED:
                    raise
                continue
            session = _Session(sock, peer_of(sock))
            self._sessions.add(session)
            session.task = group.create_task(self._serve(session), name=f"drpc peer {session.peer.pid}")
            session.task.add_done_callback(functools.partial(self._forget, session))

    async def close(self, grace_s: float) -> None:
        """Drop peers we wait for; give calls under way ``grace_s`` to finish, then cancel them."""
        try:
            async with asyncio.timeout(grace_s):
                while True:
                    for session in self._sessions:
                        if not session.handling:
                            session.drop()
                    if not self._sessions:
                        return
                    await self._next_change()
        except TimeoutError:
            for session in self._sessions:
                log.warning("dRPC call cancelled at shutdown", method=session.handling, pid=session.peer.pid)
                session.drop()

    async def _make_room(self) -> None:
        """Wait for a free place; a peer that has kept us waiting longest gives up its own.

        It is taken from whoever holds most places, so that nobody can keep others out by holding connections open.
        Genuine clients connect for every call and never notice.
        """
        while len(self._sessions) >= self._max_sessions:
            waiting = [session for session in self._sessions if not session.handling]
            if waiting:
                held = Counter(session.peer.uid for session in waiting)
                greediest = max(held.values())
                victim = min(
                    (session for session in waiting if held[session.peer.uid] == greediest),
                    key=lambda session: session.since,
                )
                victim.drop()
            await self._next_change()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _forget(self, session: "_Session", _task: "asyncio.Task[None]") -> None:
        # Called when the task is done, even if it was cancelled before it began.
        session.sock.close()
        self._sessions.discard(session)
        self._changed.set()

    async def _serve(self, session: "_Session") -> None:
        try:
            await self._converse(session)
        except FrameError as error:
            self._complaints.error("dropped a dRPC peer", reason=error, pid=session.peer.pid, uid=session.peer.uid)
        except OSError as error:  # reset, or a reply nobody waits for: the peer is gone, as after an orderly close
            log.debug("dRPC peer left", reason=error.strerror, pid=session.peer.pid)

    async def _converse(self, session: "_Session") -> None:
        loop = asyncio.get_running_loop()
        sock = session.sock
        incoming = Assembler(max_message=self._max_message, rules=self._rules)
        while packet := await loop.sock_recv(sock, MAX_PACKET):
            message = incoming.feed(packet)
            if message is None:
                continue
            response, body = await self._answer(message, session)
            await _send(sock, response.SerializeToString(), body)
            if int(response.status) == Status.FAILED_UNMARSHAL_CALL and self._rules is Rules.C:
                return

    async def _answer(self, message: bytes, session: "_Session") -> tuple[drpc_pb2.Response, bytes]:
        """Return the response without its body, and the body."""
        try:
            call = drpc_pb2.Call.FromString(message)
        except DecodeError:
            self._complaints.error("undecodable dRPC call", pid=session.peer.pid, uid=session.peer.uid)
            return _response(-1, Status.FAILED_UNMARSHAL_CALL), b""
        if call.module not in self._modules:
            self._complaints.error("dRPC call to an unknown module", module=call.module, pid=session.peer.pid)
            return _response(call.sequence, Status.UNKNOWN_MODULE), b""
        found = self._handlers.get((call.module, call.method))
        if found is None:
            self._complaints.error(
                "dRPC call of an unknown method", module=call.module, method=call.method, pid=session.peer.pid
            )
            return _response(call.sequence, Status.UNKNOWN_METHOD), b""
        method, handler = found
        session.handling = str(method)
        try:
            body = await self._handle(method, handler, call.body, session.peer)
        except DrpcFailure as failure:
            self._complaints.error("dRPC call failed", method=method, reason=str(failure), pid=session.peer.pid)
            return _response(call.sequence, failure.status), b""
        finally:
            session.handling = ""
            session.since = asyncio.get_running_loop().time()
            self._changed.set()
        return _response(call.sequence, Status.SUCCESS), body

    async def _handle(self, method: Method[Any, Any], handler: Handler, body: bytes, peer: Peer) -> bytes:
        try:
            request = method.parse_request(body)
        except DecodeError as error:
            raise DrpcFailure(Status.FAILED_UNMARSHAL_PAYLOAD, f"undecodable body of {len(body)} bytes") from error
        if self._rules is Rules.C and request is not None and _has_mistyped_field(request):
            raise DrpcFailure(Status.FAILED_UNMARSHAL_PAYLOAD, "a field has the wrong type")
        try:
            reply = await handler(request, peer)
        except DrpcFailure:
            raise
        except Exception as error:  # the edge of the server: whatever a handler did not foresee fails one call only
            self._complaints.error("dRPC handler failed", exception=error, method=method, pid=peer.pid)
            raise DrpcFailure(Status.FAILURE, repr(error)) from error
        return _encoded(method, reply)


class _Session:
    """One connected peer, for the book-keeping of places."""

    __slots__ = ("handling", "peer", "since", "sock", "task")

    def __init__(self, sock: socket.socket, peer: Peer) -> None:
        self.sock = sock
        self.peer = peer
        self.handling = ""
        self.since = asyncio.get_running_loop().time()
        self.task: asyncio.Task[None] | None = None

    def drop(self) -> None:
        if self.task is not None:
            self.task.cancel()


@contextlib.asynccontextmanager
async def serve(
    path: str,
    handlers: Handlers,
    *,
    mode: int,
    modules: Collection[int] = (),
    max_sessions: int | None = None,
    max_message: int = MAX_MESSAGE,
    rules: Rules = Rules.GO,
    grace_s: float = GRACE_S,
    keep_file: bool = False,
) -> AsyncIterator[Server]:
    """Listen at ``path`` with permission bits ``mode`` while inside; the file is gone afterwards, or kept.

    A handler gets the decoded request and the peer, and returns the reply (serialised or not). It raises DrpcFailure
    for a transport-level status; any other error is logged and answered FAILURE. ``modules`` are known beside those
    of the handlers: their methods are unknown, but not they themselves.

    Raises the fault SocketFileInUse if another process answers at ``path``, CannotListen if it cannot be used.
    """
    listener = _listen(path, mode)
    try:
        server = Server(
            listener,
            handlers,
            modules=modules,
            max_sessions=_affordable_sessions() if max_sessions is None else max_sessions,
            max_message=max_message,
            rules=rules,
        )
        async with task_scope() as group:
            accepting = group.create_task(server.accept_forever(group), name=f"drpc accept {path}")
            try:
                yield server
            finally:
                accepting.cancel()
                await server.close(grace_s)
    finally:
        listener.close()
        if not keep_file:
            _unlink(path)


def peer_of(sock: socket.socket) -> Peer:
    """Ask the kernel who is at the other end of a connected Unix socket."""
    pid, uid, gid = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    try:
        label = sock.getsockopt(socket.SOL_SOCKET, _SO_PEERSEC, _MAX_LABEL).rstrip(b"\0").decode(errors="replace")
    except OSError:  # no security module that labels sockets
        label = ""
    return Peer(pid, uid, gid, label)


def _affordable_sessions() -> int:
    """Half the descriptors we may open: accepting peers must not take away what answering them needs."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_SESSIONS if files == resource.RLIM_INFINITY else max(1, min(MAX_SESSIONS, files // 2))


def _response(sequence: int, status: Status) -> drpc_pb2.Response:
    # The enum's own type exists for type checkers alone; both are plain ints.
    return drpc_pb2.Response(sequence=sequence, status=status)  # type: ignore[arg-type]


async def _send(sock: socket.socket, head: bytes, body: bytes) -> None:
    """Send a serialised response without body, and the body to go into it.

    A body may be large and one that many ask for: it goes to the kernel as it is, instead of being copied into the
    response, then behind the response's head, then behind the packet's header.
    """
    if body:
        head += _BODY_TAG + _varint(len(body))
    size = len(head) + len(body)
    if size <= MAX_DATA:
        try:
            sock.sendmsg((HEADER.pack(size, size, 0, 1), head, body))  # all of the packet or, on this socket, nothing
        except BlockingIOError:
            pass
        else:
            return
    loop = asyncio.get_running_loop()
    for part in encode(head + body):
        await loop.sock_sendall(sock, part)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _encoded(method: Method[Any, Any], reply: Message | bytes | None) -> bytes:
    if isinstance(reply, bytes):
        return reply
    if not isinstance(reply, method.reply):
        raise DrpcFailure(Status.FAILED_MARSHAL, f"handler returned a {type(reply).__name__}")
    if reply is None:
        return b""
    try:
        encoded: bytes = reply.SerializeToString()
    except EncodeError as error:
        raise DrpcFailure(Status.FAILED_MARSHAL, str(error)) from error
    return encoded


def _has_mistyped_field(message: Message) -> bool:
    """Tell whether a known field came with a foreign wire type, which protobuf-c refuses and others skip."""
    known = message.DESCRIPTOR.fields_by_number
    unknown = UnknownFieldSet(message)
    if any(unknown[index].field_number in known for index in range(len(unknown))):
        return True
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        if any(_has_mistyped_field(part) for part in (value if field.is_repeated else (value,))):
            return True
    return False


def _listen(path: str, mode: int) -> socket.socket:
    _clear_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        # Before bind, so that nobody finds the file more open than it will be; after it, because of the umask.
        os.fchmod(sock.fileno(), mode)
        sock.bind(path)
        os.chmod(path, mode)  # noqa: PTH101 - paths of sockets are text throughout
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise CannotListen(path, error.strerror or str(error)) from error
    return sock


def _clear_stale(path: str) -> None:
    """Remove a socket file that nobody listens at any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(path)
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            _unlink(path)
            return
        except BlockingIOError:  # a full queue: very much alive
            pass
        except OSError as error:
            raise CannotListen(path, error.strerror or str(error)) from error
    raise FaultCode.SOCKET_FILE_IN_USE.fault(path=path)


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - paths of sockets are text throughout
