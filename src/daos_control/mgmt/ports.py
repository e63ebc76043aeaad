"""What the management service needs from the program it runs in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from daos_control.mgmt.rules.pools import EngineStorage
from daos_control.model.event import Event
from daos_control.net.drpc.methods import Method as DrpcMethod
from daos_control.net.rpc.methods import Method as RpcMethod


class DataPlane(Protocol):
    """The engines of this host."""

    @property
    def ranks(self) -> Sequence[int]:
        """The ranks of the engines that have one, in the order in which they are asked."""
        ...

    async def call(self, method: DrpcMethod[Any, Any], request: Any, /, *, timeout_s: float | None = None) -> Any:
        """Ask the first usable engine and return its reply.

        Raises Fault 610 or 611 if there is none, and then nobody was asked; a DrpcError if the engine that was
        asked did not answer properly, and then it may or may not have done what was asked.
        """
        ...

    async def set_up(self, instance: int, rank: int, map_version: int, /) -> None:
        """Give an engine that has just started its rank, and let it open for service.

        Raises a DrpcError or a DaosControlError if it does not.
        """
        ...

    async def usable(self) -> None:
        """Return as soon as at least one engine can be called; at once if one can."""
        ...


class Hosts(Protocol):
    """The control servers of all hosts, this one included."""

    async def reach(self, address: str, /, *, timeout_s: float | None = None) -> None:
        """See to a connection to a host, at once if there is one; raises the faults ClientConnection..."""
        ...

    async def call(self, address: str, method: RpcMethod, request: Any, /, *, timeout_s: float | None = None) -> Any:
        """Call a host, over the connection that is kept to it; raises ``base.errors``."""
        ...


class Premises(Protocol):
    """What this host keeps of the system, on its engines' storage."""

    async def reset_engines(self) -> None:
        """End this host's engines and take their identities: they wait for a format afterwards."""
        ...

    async def erase_replica(self) -> None:
        """Remove this host's replica for good. It serves no more; a new one comes to life after a format."""
        ...


class EventSink(Protocol):
    """Where the service's own events go."""

    def record(self, event: Event, /) -> None:
        """Make an event known on this host: log it, tell who listens. It never waits and never fails."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHint:
    """What clients need to know to talk to engines over one provider."""

    provider: str
    crt_timeout: int = 0
    net_dev_class: int = 0
    srv_srx_set: int = -1
    env_vars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the configuration and the hardware say; none of it changes while the server runs."""

    system_name: str
    hostname: str
    replicas: tuple[str, ...]
    """``ip:port`` of every replica of the management service, as configured."""
    address: str | None
    """Which of them is ours; None on a host without a replica."""
    hints: tuple[ClientHint, ...]
    """The fabric providers, primary first."""
    storage: EngineStorage
    """What the first engine of this host has."""

    @property
    def providers(self) -> tuple[str, ...]:
        """The fabric providers, primary first."""
        return tuple(hint.provider for hint in self.hints)

    @property
    def other_replicas(self) -> tuple[str, ...]:
        """The replicas besides ours."""
        return tuple(replica for replica in self.replicas if replica != self.address)
