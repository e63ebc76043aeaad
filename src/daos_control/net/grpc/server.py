"""Serves plain coroutines as gRPC methods.

What every call goes through, in this order: the caller is identified and its release judged (``net.rpc.versions``),
its certificate must allow the method (``security.components``), the handler runs, a reply whose ``status`` is a DER
code becomes an error, and errors are encoded (``net.rpc.status``). In insecure mode all callers may call everything.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import grpc
import grpc.aio
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, DaosError, Redirect, ServiceUnavailable
from daos_control.base.version import DAOS_VERSION
from daos_control.net.grpc.tls import server_credentials
from daos_control.net.rpc.handlers import Caller, Handler, Handlers, Reply
from daos_control.net.rpc.headers import COMPONENT_HEADER, VERSION_HEADER
from daos_control.net.rpc.methods import Method, find
from daos_control.net.rpc.status import Code, Status, StatusError, access_denied, to_status
from daos_control.net.rpc.versions import Claim, Version, identify
from daos_control.security.certificates import Certificates
from daos_control.security.components import Component, may_call

log = logs.get(__name__)

MAX_REQUEST = 4 << 20
"""Bytes of the largest request taken: what genuine servers take."""
GRACE_S = 5.0
DETAILS = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_OPTIONS = (
    ("grpc.so_reuseport", 0),  # or two servers could share one port without noticing
    ("grpc.max_receive_message_length", MAX_REQUEST),
)


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
    own = Version.parse(version)
    endpoints = {
        path: _Endpoint(_known(path), handler, own, secure=tls is not None) for path, handler in handlers.items()
    }
    _probe(host, port)
    server = grpc.aio.server(options=_OPTIONS)
    server.add_generic_rpc_handlers((_Routes(endpoints),))
    target = f"{host}:{port}"
    try:
        if tls is None:
            port = server.add_insecure_port(target)
        else:
            port = server.add_secure_port(target, server_credentials(tls))
    except RuntimeError as error:
        raise CannotListen(f"cannot listen on {target}: {error}") from error
    await server.start()
    try:
        yield Server(host, port)
    finally:
        await server.stop(grace_s)


def _known(path: str) -> Method:
    method = find(path)
    if method is None:
        raise ValueError(f"{path} is no method of any service")
    return method


def _probe(host: str, port: int) -> None:
    """Find out from the system, in its words, whether the port can be had; grpcio would only say that it cannot."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            way_out = "stop the program that uses the port (perhaps another daos_server), or " if taken else ""
            raise CannotListen(
                f"cannot listen on {host}:{port}: {error.strerror}; {way_out}set another port in daos_server.yml"
            ) from error


async def _missing(body: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
    context.set_code(grpc.StatusCode.UNIMPLEMENTED)
    context.set_details("this server does not have that method (yet)")
    return b""


class _Routes(grpc.GenericRpcHandler):
    """Finds the endpoint of a path; bodies stay bytes here."""

    _MISSING: Any = grpc.unary_unary_rpc_method_handler(_missing)

    def __init__(self, endpoints: dict[str, "_Endpoint"]) -> None:
        self._handlers: dict[str, Any] = {
            path: grpc.unary_unary_rpc_method_handler(endpoint.answer) for path, endpoint in endpoints.items()
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        return self._handlers.get(handler_call_details.method, self._MISSING)


class _Endpoint:
    """One method being served."""

    def __init__(self, method: Method, handler: Handler, own: Version, *, secure: bool) -> None:
        self._method = method
        self._handler: Callable[[Any, Caller], Awaitable[Reply]] = handler
        self._own = own
        self._secure = secure
        status = method.reply.DESCRIPTOR.fields_by_name.get("status")
        self._has_status = status is not None and status.type == FieldDescriptor.TYPE_INT32 and not status.is_repeated

    async def answer(self, body: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        try:
            return await self._reply(body, context)
        except DaosControlError as error:
            status = to_status(error)
            if not isinstance(error, Redirect | ServiceUnavailable):  # the everyday talk of finding the leader
                log.error(f"{self._method.name} failed: {error}", peer=_address(context))
        except TimeoutError as error:
            status = Status(Code.DEADLINE_EXCEEDED, str(error) or "deadline exceeded")
            log.error(f"{self._method.name} took too long", peer=_address(context))
        except Exception as error:  # noqa: BLE001 - the edge of the server: a bug in one handler fails one call
            status = Status(Code.UNKNOWN, f"internal error in {self._method.name}: {error!r}")
            log.error(f"{self._method.name} failed unexpectedly", exception=error, peer=_address(context))
        context.set_code(_CODES[status.code])
        context.set_details(status.message)
        if status.details:
            context.set_trailing_metadata(((DETAILS, status.details),))
        return b""

    async def _reply(self, body: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        try:
            request = self._method.request.FromString(body)
        except DecodeError as error:
            raise StatusError(Code.INTERNAL, f"undecodable {self._method.name} request: {error}") from error
        caller = self._identify(request, context)
        if self._secure and not may_call(caller.component, self._method.path):
            who = caller.component or "undefined"
            raise access_denied(f"{who} does not have permission to call {self._method.path}")
        reply = await self._handler(request, caller)
        if isinstance(reply, bytes):
            return reply
        if self._has_status and (der := getattr(reply, "status", 0)):
            raise DaosError(der)
        encoded: bytes = reply.SerializeToString()
        return encoded

    def _identify(self, request: Message, context: "grpc.aio.ServicerContext[bytes, bytes]") -> Caller:
        headers = {name: str(value) for name, value in context.invocation_metadata() or () if name in _HEADERS}
        certificate, subject = _certificate(context) if self._secure else (None, "")
        claim = Claim(
            component_header=headers.get(COMPONENT_HEADER),
            version_header=headers.get(VERSION_HEADER),
            secure=self._secure,
            certificate=certificate,
        )
        component, version = identify(claim, self._own, lambda: getattr(request, "sys", None))
        return Caller(
            component=component,
            address=_address(context),
            version=None if version is None else str(version),
            subject=subject,
            deadline=_deadline(context),
        )


_HEADERS = frozenset({COMPONENT_HEADER, VERSION_HEADER})


def _certificate(context: "grpc.aio.ServicerContext[bytes, bytes]") -> tuple[Component | None, str]:
    known = context.auth_context()
    names, subjects = list(known.get("x509_common_name", ())), list(known.get("x509_subject", ()))
    component = Component.of_common_name(names[0].decode(errors="replace")) if len(names) == 1 else None
    return component, subjects[0].decode(errors="replace") if subjects else ""


def _deadline(context: "grpc.aio.ServicerContext[bytes, bytes]") -> float | None:
    left_s: Any = context.time_remaining()  # None without a limit, though its type denies it
    return None if left_s is None else asyncio.get_running_loop().time() + float(left_s)


def _address(context: "grpc.aio.ServicerContext[bytes, bytes]") -> str:
    """Turn grpcio's ``ipv4:10.0.0.1:1234`` or ``ipv6:%5B::1%5D:1234`` into an address."""
    return unquote(str(context.peer()).partition(":")[2])
