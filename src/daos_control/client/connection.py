"""What every part of the client shares: the channels, the hosts, the system's name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from daos_control.base.rankset import RankSet
from daos_control.client.hosts import addresses
from daos_control.client.invoke import DEADLINE_S, HostAnswers, ManagementClient, Transport, fan_out
from daos_control.client.waiting import Waiting
from daos_control.net.rpc.methods import CTL, MGMT


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
    ) -> HostAnswers[Any]:
        """Call a method of every host, or of those named, by its short name."""
        message = self.management.addressed(request) if isinstance(request, Message) else request
        return await fan_out(
            self.channels,
            self.addresses(hosts),
            CTL[method],
            message,
            deadline_s=deadline_s,
            waiting=self.management.waiting,
        )

    async def each_replica(
        self, method: str, request: Message, replicas: Sequence[str], deadline_s: float
    ) -> HostAnswers[Any]:
        """Call a method of the management service on each of these replicas, without following where they point."""
        message = self.management.addressed(request)
        return await fan_out(
            self.channels, replicas, MGMT[method], message, deadline_s=deadline_s, waiting=self.management.waiting
        )

    def addresses(self, hosts: Sequence[str] = ()) -> list[str]:
        """Return the addresses of these hosts, or of all configured ones."""
        configured = addresses(self.management.hosts, self.management.port)
        return addresses(hosts, self.management.port) if hosts else configured


def rank_text(ranks: Iterable[int] | str) -> str:
    """Fold ranks as requests carry them: ``0-3,7``."""
    return str(RankSet.parse(ranks) if isinstance(ranks, str) else RankSet(ranks))
