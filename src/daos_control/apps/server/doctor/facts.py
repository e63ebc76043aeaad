"""What is known of a server's host before it is judged. ``look`` finds it out."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from daos_control.apps.doctor.checks.certificates import CertificateFacts
from daos_control.apps.doctor.checks.places import LogFile, SocketFolder
from daos_control.apps.doctor.view import View
from daos_control.config.server import ServerConfig
from daos_control.engine.superblock import Superblock
from daos_control.host.memory import Memory
from daos_control.host.network import FabricInterface, NetInterface, Readiness
from daos_control.host.nvme import Drive
from daos_control.host.places import Place
from daos_control.host.shm import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a replica's name stands for."""

    replica: str
    """As it is written: host and port."""
    address: str = ""
    """The IP address; empty if it has none."""
    problem: str = ""
    is_local: bool = False
    answers: str | None = ""
    """Nothing if it accepts connections, else why not; None if nobody knocked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The storage under one engine, as it is."""

    place: Place
    filesystem: str = ""
    """What is mounted there; empty for nothing."""
    size_bytes: int = 0
    is_stand_in: bool = False
    """Whether it is a plain folder that was formatted to stand in for a RAM disk."""
    superblock: Superblock | None = None
    problem: str = ""
    """Why its superblock cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The programs that a server needs."""

    engine: Path | None
    engine_problem: str = ""
    engine_version: str = ""
    helper: Place | None = None
    helper_is_script: bool = False
    helper_problem: str = ""
    """Why it did not answer as it should, if it was asked."""
    may_mount: bool = False
    missing_tools: tuple[str, ...] = ()

    @property
    def helper_has_rights(self) -> bool:
        """Whether the helper is there, and is marked to run as root whoever starts it."""
        helper = self.helper
        return helper is not None and helper.uid == 0 and bool(helper.mode & stat.S_ISUID)

    @property
    def helper_is_privileged(self) -> bool:
        """Whether it would do its work: of a script the kernel heeds no such mark."""
        return self.helper_has_rights and not self.helper_is_script and not self.helper_problem

    def makes_ram_disks(self, *, is_root: bool) -> bool:
        """Whether storage of class ram will be in memory, by the rule of ``host.storage.scm.find_maker``."""
        return self.may_mount or (not is_root and self.helper_is_privileged)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """Memory, network and devices."""

    memory: Memory
    nodes: tuple[Memory, ...] = ()
    transparent_hugepages: str = ""
    abandoned_hugepages: tuple[Path, ...] = ()
    interfaces: tuple[NetInterface, ...] = ()
    readiness: Mapping[str, Readiness] = field(default_factory=dict)
    fabric: tuple[FabricInterface, ...] = ()
    has_iommu: bool = False
    has_vfio: bool = False
    drives: tuple[Drive, ...] = ()
    spdk_locks: tuple[str, ...] = ()
    """PCI addresses that a process has, or had, locked for itself."""
    pmem: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    """Shared memory; a kernel without any has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """All of it."""

    path: Path | None
    control_address: str = ""
    """What the server is to go by alone."""
    config: ServerConfig | None
    """As loaded; None if it could not be."""
    problem: Exception | None = None
    """What kept the configuration from being loaded."""
    view: View
    hardware: Hardware
    programs: Programs
    server_pid: int | None = None
    """The server that runs with this configuration, if one does."""
    operator: str = ""
    """Who runs it, if not the user who looks."""
    engine_pids: frozenset[int] = frozenset()
    resolutions: tuple[Resolution, ...] = ()
    own_name_problem: str = ""
    certificates: CertificateFacts | None = None
    socket_folder: SocketFolder | None = None
    logs: tuple[LogFile, ...] = ()
    disks: tuple[Disk, ...] = ()
    stale_sockets: tuple[Path, ...] = ()
    store: Place | None = None
    """The database of this host's replica, if it is to have one."""
    store_problem: str = ""
    """What is wrong with it."""

    @property
    def ours(self) -> frozenset[int]:
        """The processes that run with this configuration."""
        return self.engine_pids | ({self.server_pid} if self.server_pid else set())
