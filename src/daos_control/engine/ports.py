"""What an engine's supervisor needs from the program it runs in, and what it tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

from daos_control.base.errors import DaosControlError
from daos_control.engine.process import Launch, running
from daos_control.engine.restarts import Exit
from daos_control.engine.state import EngineState
from daos_control.host.mounts import Space


class Standing(Enum):
    """What the system says to an engine that wants to join."""

    MEMBER = "member"
    OUT = "excluded"
    CHECK = "to run in checker mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An engine that wants to join."""

    index: int
    uuid: str
    rank: int | None
    uri: str
    contexts: int
    fault_domain: str
    incarnation: int
    check_mode: bool
    replace: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The system's answer."""

    rank: int
    map_version: int
    standing: Standing = Standing.MEMBER
    set_up_already: bool = False
    """The management service has given this engine its rank and set it up itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyNotice:
    """What an engine says of itself once it is up."""

    uri: str
    contexts: int
    socket: str
    incarnation: int
    check_mode: bool = False
    """Whether its process was started for the checker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A move that others may care about."""

    index: int
    state: EngineState
    format_kind: str = ""
    """With AWAIT_FORMAT: what has to be formatted, ``SCM`` or ``Metadata``."""
    exit: Exit | None = None
    """With STOPPED."""
    left_down: str = ""
    """With STOPPED, after its exit was told: restarts have not helped, so it stays down; what to do about it."""
    rank: int | None = None
    """With that."""


class Scm(Protocol):
    """The storage under one engine."""

    async def needs_format(self) -> bool:
        """Whether it has to be formatted before an engine can use it."""
        ...

    async def usage(self) -> Space:
        """How full it is."""
        ...


class Membership(Protocol):
    """The way into the system."""

    async def join(self, candidate: Candidate) -> Admission:
        """Ask to join until there is an answer; raises the system's refusal."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an engine finds where it runs."""

    binary: Path
    superblock: Path
    fault_domain: str
    inherited: Mapping[str, str]
    """The server's own environment, for ``env_pass_through``."""
    first_rank: int | None = None
    """The rank to claim if none was ever given: 0 for the first engine of the system."""
    launch: Launch = running
    """Gives it a process."""


class RefusedError(DaosControlError):
    """The system does not want this engine as it is."""
