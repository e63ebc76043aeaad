"""What carries calls to hosts, as far as a client cares."""

from typing import Any, Final, Protocol

from google.protobuf.message import Message

DEADLINE_S: Final = 300.0
"""How long an answer may take, unless somebody says otherwise."""


class Transport(Protocol):
    """Carries calls to hosts: ``net.grpc.channels.Channels`` does, and so may a fake."""

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None:
        """See to it that a call to ``host:port`` can go out at once. Raises the faults ClientConnection..."""
        ...

    async def call(self, address: str, method: Any, request: Message, *, timeout_s: float | None = None) -> Any:
        """Return the reply, or raise an error of ``base.errors``."""
        ...

    async def aclose(self) -> None:
        """End what is under way."""
        ...
