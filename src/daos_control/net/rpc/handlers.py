"""What a server method is: a plain coroutine from a request and its caller to a reply.

A service is a mapping from full method path (``/mgmt.MgmtSvc/Join``) to such a coroutine. A handler
raises ``daos_control.base.errors`` and never touches a transport.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from google.protobuf.message import Message
from msgspec import Struct

from daos_control.security.components import Component

WAY_BACK_S: Final = 2.0
"""What a reply may need at most from here to a caller who waits for long."""


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks: established by certificate when secure, by header (and hence a claim only) when not."""

    component: Component | None
    address: str
    """``ip:port`` of the peer."""
    version: str | None = None
    """DAOS version the peer claims, ``X.Y.Z``."""
    subject: str = ""
    """Subject of the peer's certificate; empty when insecure. For audit records."""
    deadline: float | None = None
    """When the caller stops waiting, on the event loop's clock; None if it waits for as long as it takes."""

    def time_to_answer_s(self, *, at_most: float) -> float:
        """Return how long work may take so that a reply, be it about what did not get done, is still in time."""
        if self.deadline is None:
            return at_most
        left_s = max(0.0, self.deadline - asyncio.get_running_loop().time())
        return min(at_most, left_s - min(WAY_BACK_S, left_s / 10))


Reply: TypeAlias = Message | bytes
"""A reply that many ask for may be returned serialised."""

Handler: TypeAlias = Callable[[Any, Caller], Awaitable[Reply]]
Handlers: TypeAlias = Mapping[str, Handler]
