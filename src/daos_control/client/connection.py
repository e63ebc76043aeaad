"""What every part of the client shares: the channels, the hosts, the system's name."""
# ruff: noqa: PLC0415 - most commands ask the management service, and pay nothing for asking many hosts

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from daos_control.client.hosts import addresses
from daos_control.client.invoke import ManagementClient
from daos_control.client.transport import DEADLINE_S, Transport
from daos_control.client.waiting import Waiting
from daos_control.net.rpc.methods import CTL, MGMT, Method

if TYPE_CHECKING:
    from daos_control.client.fan_out import HostAnswers, Patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The way to a system: to its management service, and to its hosts."""

    channels: Transport
    management: ManagementClient
    system: str

    @property
    def waiting(self) -> Waiting:
        """What calls are out."""
        return self.management.waiting

    async def ask(self, method: str, request: Message, **options: Any) -> Any:
        """Call a method of the management service by its short name; options are those of ``ManagementClient.call``."""
        return await self.management.call(MGMT[method], request, **options)

    async def each(
        self,
        method: str,
        request: Message | Callable[[str], Message],
        hosts: Sequence[str] = (),
        *,
        deadline_s: float = DEADLINE_S,
        looks: bool = False,
    ) -> "HostAnswers[Any]":
        """Call a method of every host, or of those named, by its short name; ``looks`` says that it changes nothing."""
        message = self.management.addressed(request) if isinstance(request, Message) else request
        patience = self.patience(deadline_s, looks=looks)
        return await self.fan_out(self.addresses(hosts), CTL[method], message, patience)

    async def each_replica(
        self, method: str, request: Message, replicas: Sequence[str], deadline_s: float
    ) -> "HostAnswers[Any]":
        """Call a method of the management service on each of these replicas, without following where they point."""
        message = self.management.addressed(request)
        return await self.fan_out(replicas, MGMT[method], message, self.patience(deadline_s, looks=True))

    async def fan_out(
        self,
        hosts: Sequence[str],
        method: Method,
        request: Message | Callable[[str], Message],
        patience: "Patience",
    ) -> "HostAnswers[Any]":
        """Call any method on each of these addresses."""
        from daos_control.client.fan_out import fan_out

        return await fan_out(self.channels, hosts, method, request, patience=patience, waiting=self.waiting)

    def patience(self, deadline_s: float, *, looks: bool) -> "Patience":
        """Return how long hosts are waited for: as usual, or as somebody said."""
        from daos_control.client.fan_out import Patience

        left_s = self.management.left_s(deadline_s)
        return Patience(deadline_s=left_s, looks=looks, strict=self.management.timeout_s is not None)

    def addresses(self, hosts: Sequence[str] = ()) -> list[str]:
        """Return the addresses of these hosts, or of all configured ones."""
        configured = addresses(self.management.hosts, self.management.port)
        return addresses(hosts, self.management.port) if hosts else configured
