"""What a server method is: a plain coroutine from a request and its caller to a reply.

A service is a mapping from full method path (``/mgmt.MgmtSvc/Join``) to such a coroutine. A handler
raises ``daos_control.base.errors`` and never touches a transport.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from google.protobuf.message import Message

from daos_control.security.components import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: established by certificate when secure, by header (and hence a claim only) when not."""

    component: Component | None
    address: str
    """``ip:port`` of the peer."""
    version: str | None = None
    """DAOS version the peer claims, ``X.Y.Z``."""
    subject: str = ""
    """Subject of the peer's certificate; empty when insecure. For audit records."""


Reply: TypeAlias = Message | bytes
"""A reply that many ask for may be returned serialised."""

Handler: TypeAlias = Callable[[Any, Caller], Awaitable[Reply]]
Handlers: TypeAlias = Mapping[str, Handler]
