"""What every call that reaches a server goes through, whatever carries it.

In this order: the request is decoded, the caller is identified and its release judged (``net.rpc.versions``), its
certificate must allow the method (``security.components``), the handler runs, a reply whose ``status`` is a DER code
becomes an error, and errors are encoded (``net.rpc.status``). In insecure mode all callers may call everything.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, DaosError, Redirect, ServiceUnavailable
from daos_control.net.rpc.handlers import Caller, Handler, Handlers, Reply
from daos_control.net.rpc.headers import COMPONENT_HEADER, VERSION_HEADER
from daos_control.net.rpc.methods import Method, find
from daos_control.net.rpc.status import Code, Status, StatusError, access_denied, to_status
from daos_control.net.rpc.versions import Claim, Identity, Version, identify
from daos_control.security.components import Component, may_call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logs.get(__name__)

_COMPONENT: Final = COMPONENT_HEADER.encode()
_VERSION: Final = VERSION_HEADER.encode()
_Claims: TypeAlias = tuple[bytes | None, bytes | None]
"""The values of both headers."""


class Peer:
    """Who is at the other end of a connection."""

    __slots__ = ("address", "component", "is_secure", "subject")

    def __init__(self, address: str, *, is_secure: bool, component: Component | None = None, subject: str = "") -> None:
        self.address = address
        self.is_secure = is_secure
        self.component = component
        """Whom its certificate speaks for; None if nobody, or if there is none."""
        self.subject = subject


class Endpoint:
    """One method being served."""

    def __init__(self, method: Method, handler: Handler, own: Version) -> None:
        self._method = method
        self._handler: Callable[[Any, Caller], Awaitable[Reply]] = handler
        self._own = own
        status = method.reply.DESCRIPTOR.fields_by_name.get("status")
        self._has_status = status is not None and status.type == FieldDescriptor.TYPE_INT32 and not status.is_repeated

    async def answer(
        self, body: bytes, fields: dict[bytes, bytes], peer: Peer, deadline: float | None
    ) -> bytes | Status:
        """Return the reply, serialised, or the error as it goes to the caller; ``deadline`` is on the loop's clock."""
        try:
            return await self._reply(body, fields, peer, deadline)
        except DaosControlError as error:
            if not isinstance(error, Redirect | ServiceUnavailable):  # the everyday talk of finding the leader
                log.error(f"{self._method.name} failed: {error}", peer=peer.address)
            return to_status(error)
        except TimeoutError as error:
            log.error(f"{self._method.name} took too long", peer=peer.address)
            return Status(Code.DEADLINE_EXCEEDED, str(error) or "deadline exceeded")
        except Exception as error:  # noqa: BLE001 - the edge of the server: a bug in one handler fails one call
            log.error(f"{self._method.name} failed unexpectedly", exception=error, peer=peer.address)
            return Status(Code.UNKNOWN, f"internal error in {self._method.name}: {error!r}")

    async def _reply(self, body: bytes, fields: dict[bytes, bytes], peer: Peer, deadline: float | None) -> bytes:
        try:
            request = self._method.request.FromString(body)
        except DecodeError as error:
            raise StatusError(Code.INTERNAL, f"undecodable {self._method.name} request: {error}") from error
        caller = self._identify(request, fields, peer, deadline)
        if peer.is_secure and not may_call(caller.component, self._method.path):
            who = caller.component or "undefined"
            raise access_denied(f"{who} does not have permission to call {self._method.path}")
        reply = await self._handler(request, caller)
        if isinstance(reply, bytes):
            return reply
        if self._has_status and (der := getattr(reply, "status", 0)):
            raise DaosError(der)
        encoded: bytes = reply.SerializeToString()
        return encoded

    def _identify(self, request: Message, fields: dict[bytes, bytes], peer: Peer, deadline: float | None) -> Caller:
        claims = fields.get(_COMPONENT), fields.get(_VERSION)
        if None in claims:
            identity = _judge(claims, peer.is_secure, peer.component, self._own, getattr(request, "sys", None))
        else:
            identity = _judge_by_headers(claims, peer.is_secure, peer.component, self._own)
        return Caller(
            component=identity.component,
            address=peer.address,
            version=None if identity.version is None else str(identity.version),
            subject=peer.subject,
            deadline=deadline,
        )


def _judge(
    claims: _Claims, is_secure: bool, certificate: Component | None, own: Version, sys: str | None = None
) -> Identity:
    """Judge a caller by its headers or, if one is missing, by the name of the system in its request."""
    claim = Claim(
        component_header=_text(claims[0]),
        version_header=_text(claims[1]),
        secure=is_secure,
        certificate=certificate,
    )
    return identify(claim, own, lambda: sys)


_judge_by_headers = lru_cache(maxsize=64)(_judge)
"""Thousands of callers say the same few things in their headers. Requests may say anything, so that is not kept."""


def endpoints_of(handlers: Handlers, version: str) -> dict[bytes, Endpoint]:
    """Return the endpoints of handlers, by path as it comes in requests. Raises ValueError for what is no method."""
    own = Version.parse(version)
    endpoints = {}
    for path, handler in handlers.items():
        method = find(path)
        if method is None:
            raise ValueError(f"{path} is no method of any service")
        endpoints[path.encode()] = Endpoint(method, handler, own)
    return endpoints


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="replace")
