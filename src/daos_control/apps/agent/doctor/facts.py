"""What is known of an agent's host, and of the system it asks, before it is judged. ``look`` finds it out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from daos_control.apps.doctor.checks.certificates import CertificateFacts
from daos_control.apps.doctor.checks.places import LogFile, SocketFolder
from daos_control.apps.doctor.view import View
from daos_control.base.errors import DaosControlError
from daos_control.config.agent import AgentConfig
from daos_control.host.network import FabricInterface, NetInterface
from daos_control.host.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPoint:
    """A server that the agent would ask."""

    address: str
    problem: str = ""
    """Why it does not take connections; nothing if it does."""
    is_named: bool = True
    """Whether its name stands for an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What the system said of itself."""

    name: str
    version: str
    ranks: int
    provider: str
    device_class: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFacts:
    """All of it."""

    path: Path | None
    config: AgentConfig | None
    problem: Exception | None = None
    """What kept the configuration from being loaded."""
    view: View
    environment: Mapping[str, str] = field(default_factory=dict)
    certificates: CertificateFacts | None = None
    runtime: SocketFolder | None = None
    socket: Place | None = None
    logs: tuple[LogFile, ...] = ()
    access_points: tuple[AccessPoint, ...] = ()
    system: System | None = None
    system_problem: DaosControlError | None = None
    """Why the system did not say."""
    interfaces: tuple[NetInterface, ...] = ()
    fabric: tuple[FabricInterface, ...] = ()
    addressed: frozenset[str] = frozenset()
    """Interfaces that clients can use, as far as their addresses go."""
    numa_nodes: tuple[int, ...] = (0,)
