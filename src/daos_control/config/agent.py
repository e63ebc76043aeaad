"""``daos_agent.yml``: how a compute node's agent reaches its system and serves the node's applications."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

from daos_control.base.logs import Level
from daos_control.config import document, system, transport
from daos_control.config.document import ConfigError, Scalar, UInt, internal, setting
from daos_control.config.go_text import Duration, LogLevel
from daos_control.config.transport import TransportConfig

FILE_NAME = "daos_agent.yml"
_NAMED_BY = "--config-path"  # some commands have a -o of their own
DEFAULT_USER = "default"
_RESERVED_UID = 0xFFFFFFFF


def _pattern(text: str) -> re.Pattern[str]:
    if not text:
        raise ValueError("an empty pattern matches every name; remove it, or write one")
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f'"{text}" is no regular expression: {error}') from error


Pattern = Annotated[re.Pattern[str], Scalar(_pattern, lambda pattern: pattern.pattern)]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedUser:
    """Whom an application is taken for whose uid this node cannot name."""

    user: str = setting("")
    """Name of the user."""
    group: str = setting("")
    """Name of the group."""
    groups: tuple[str, ...] = setting(())
    """Names of further groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialConfig:
    """How credentials are made."""

    cache_expiration: Duration = setting(0.0, omit=True)
    """How long a credential is kept for the same user; 0 makes a new one for each request."""
    client_user_map: Mapping[str, MappedUser] = setting(omit=True, factory=dict)
    """Whom applications are taken for that have no name here: by decimal uid, or ``default``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FabricDevice:
    """A network device that applications may use."""

    iface: str = setting("")
    """Network interface."""
    domain: str = setting("")
    """Its device, as the provider names it; the interface itself for TCP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumaFabric:
    """The devices near one NUMA node."""

    numa_node: int = setting(0)
    """The node."""
    devices: tuple[FabricDevice, ...] = setting(())
    """Its devices, in the order in which they are handed out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """All that can be set for an agent."""

    name: str = setting(system.SYSTEM_NAME)
    """The system's name, as its servers have it."""
    access_points: tuple[str, ...] = setting((system.LOCAL_SERVER,))
    """Replicas of the management service; ``node[1-3]`` names three."""
    port: int = setting(system.CONTROL_PORT)
    """Where access points listen that are listed without a port."""
    runtime_dir: str = setting("/var/run/daos_agent")
    """Holds the socket that applications connect to."""
    log_file: str = setting("")
    """Where the agent logs besides standard output."""
    control_log_mask: LogLevel = setting(Level.INFO, omit=True)
    """What the agent logs: DISABLED, TRACE, DEBUG, INFO, NOTICE or ERROR, and what is worse."""
    credential_config: CredentialConfig = setting(CredentialConfig())
    """How credentials are made."""
    transport_config: TransportConfig = setting(transport.AGENT)
    """Certificates, or none."""
    disable_caching: bool = setting(False, omit=True)
    """Ask the system anew for each application."""
    cache_expiration: UInt = setting(0, omit=True)
    """Minutes until what the system said is asked for again; 0 keeps it until told to refresh."""
    disable_auto_evict: bool = setting(False, omit=True)
    """Leave the pool handles of applications open when the agent stops."""
    enable_evict_on_start: bool = setting(False, omit=True)
    """Close the pool handles that this node left open, when the agent starts."""
    exclude_fabric_ifaces: tuple[str, ...] = setting((), omit=True)
    """Interfaces that are never offered to applications."""
    include_fabric_ifaces: tuple[str, ...] = setting((), omit=True)
    """The only interfaces that are offered; not together with exclude_fabric_ifaces."""
    fabric_ifaces: tuple[NumaFabric, ...] = setting((), omit=True)
    """The devices to offer, in place of those found."""
    provideridx: UInt = setting(0, omit=True)
    """Which of several providers applications are told to use; an experiment of DAOS's."""
    telemetry_port: int = setting(0, omit=True)
    """Port on which metrics of applications are published for Prometheus, usually 9192; 0 publishes none."""
    telemetry_enabled: bool = setting(False, omit=True)
    """Let applications keep metrics."""
    telemetry_retain: Duration = setting(0.0, omit=True)
    """How long an application's metrics outlive it."""
    telemetry_enabled_procs: Pattern | None = setting(None, omit=True)
    """Which programs' metrics are exported, as a regular expression; without it, all are."""
    telemetry_disabled_procs: Pattern | None = setting(None, omit=True)
    """Which programs' metrics are not exported, as a regular expression."""
    path: Path | None = internal(None)
    """The file it was read from."""

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the file and check what it says. Raises ConfigError; OSError if it cannot be read."""
        config = document.load(path, cls(path=Path(path)))
        config.check()
        return config

    @classmethod
    def find(cls, path: str | Path | None = None) -> Self:
        """Read the file that was named, or else the system's. Raises ConfigError."""
        path = path or system.find_file(FILE_NAME, option=_NAMED_BY)
        try:
            return cls.load(path)
        except OSError as error:
            raise system.unreadable(path, error, option=_NAMED_BY) from error

    def check(self) -> None:
        """Raise ConfigError if the settings contradict each other."""
        source = str(self.path or FILE_NAME)
        system.check_system_name(self.name, source)
        problems = [*_whom_to_ask(self), *_user_map_problems(self.credential_config.client_user_map)]
        if problems := [*problems, *_contradictions(self)]:
            raise ConfigError(source, problems)

    def insecure(self) -> Self:
        """The same, without certificates."""
        return replace(self, transport_config=self.transport_config.insecure())

    def dump(self) -> str:
        """Write it as YAML."""
        return document.dump(self)


def _whom_to_ask(config: AgentConfig) -> list[str]:
    """Say what keeps the agent from asking anybody, or anybody from asking for its metrics."""
    problems = []
    if not config.access_points:
        problems.append("access_points is empty: list the replicas of the management service")
    if not 0 < config.port <= system.LAST_PORT:
        problems.append(f"port is {config.port}, and has to be from 1 to {system.LAST_PORT}: that of daos_server.yml")
    if not 0 <= config.telemetry_port <= system.LAST_PORT:
        problems.append(
            f"telemetry_port is {config.telemetry_port}, and has to be from 1 to {system.LAST_PORT}, usually 9192"
        )
    return problems


def _user_map_problems(users: Mapping[str, MappedUser]) -> list[str]:
    problems = []
    for uid in users:
        if uid == DEFAULT_USER:
            continue
        if not (uid.isascii() and uid.isdigit() and int(uid) <= _RESERVED_UID):
            problems.append(f'client_user_map: "{uid}" is neither a uid nor {DEFAULT_USER}')
        elif int(uid) == _RESERVED_UID:
            problems.append(f"client_user_map: uid {uid} is reserved; write {DEFAULT_USER} for all other users")
    return problems


def _contradictions(config: AgentConfig) -> list[str]:
    enabled = config.telemetry_enabled
    only, never = config.telemetry_enabled_procs, config.telemetry_disabled_procs
    rules = {
        "exclude_fabric_ifaces and include_fabric_ifaces are both set: keep one of them": (
            config.exclude_fabric_ifaces and config.include_fabric_ifaces
        ),
        "telemetry_retain is set without telemetry_enabled: add telemetry_enabled: true": (
            config.telemetry_retain > 0 and not enabled
        ),
        "telemetry_enabled is set without telemetry_port: add a port, usually 9192": (
            enabled and not config.telemetry_port
        ),
        "telemetry_enabled_procs is set without telemetry_enabled: add telemetry_enabled: true": (
            only is not None and not enabled
        ),
        "telemetry_disabled_procs is set without telemetry_enabled: add telemetry_enabled: true": (
            never is not None and not enabled
        ),
        "telemetry_enabled_procs and telemetry_disabled_procs are both set: keep one of them": (
            only is not None and never is not None
        ),
    }
    return [problem for problem, broken in rules.items() if broken]
