"""A rehearsal: verbs run as ever, and what they would send to change something is written down instead.

Whatever only reads is asked for real, so what is written down is what would have been sent, to the byte.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from google.protobuf.message import Message

from daos_control.client.connection import Connection
from daos_control.client.errors import InvalidRequest
from daos_control.client.fan_out import HostAnswers
from daos_control.client.transport import DEADLINE_S
from daos_control.net.rpc.methods import MGMT

READS: Final = frozenset({"StorageScan", "NetworkScan"})
"""Methods of hosts that change nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """A request that was not sent."""

    method: str
    """Short name of a method of the management service."""
    request: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal(Connection):
    """A connection on which nothing changes; what should have been sent is in ``intended``."""

    intended: list[Intended] = field(default_factory=list)

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Rehearse on somebody's connection."""
        return cls(channels=connection.channels, management=connection.management, system=connection.system)

    async def ask(self, method: str, request: Message, **options: Any) -> Any:
        """Ask what only reads; write down what would change something, and give an empty answer."""
        if options.get("read"):
            return await Connection.ask(self, method, request, **options)
        self.intended.append(Intended(method=method, request=self.management.addressed(request)))
        return MGMT[method].reply()

    async def each(
        self,
        method: str,
        request: Message | Callable[[str], Message],
        hosts: Sequence[str] = (),
        *,
        deadline_s: float = DEADLINE_S,
        looks: bool = False,
    ) -> HostAnswers[Any]:
        """Ask hosts what only reads; what changes hosts cannot be rehearsed."""
        if method not in READS:
            raise InvalidRequest(f"{method} goes to the hosts themselves, and cannot be rehearsed")
        return await Connection.each(self, method, request, hosts, deadline_s=deadline_s, looks=looks)
