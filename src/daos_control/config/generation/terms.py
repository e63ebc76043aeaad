"""What goes into a generated configuration and what comes out: hardware, wishes, reasons."""

from dataclasses import dataclass
from typing import Final

from daos_control.base.errors import DaosControlError
from daos_control.base.pci import PciAddress
from daos_control.config.server import ServerConfig

ETHERNET: Final = "ethernet"
INFINIBAND: Final = "infiniband"
NET_CLASSES: Final = {ETHERNET: 1, INFINIBAND: 32}
"""Classes of interface that an engine can be given, with the kernel's numbers for them."""

Place = tuple[str | int, ...]
"""Where a value is in a document: ``("engines", 0, "targets")``."""


class CannotGenerate(DaosControlError):
    """The hardware does not allow what is wished for, and the text says why and what else to wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network interface as one provider may use it; a lower ``priority`` is better."""

    provider: str
    name: str
    net_class: int
    numa_node: int
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssd:
    """An NVMe SSD."""

    address: PciAddress
    numa_node: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pmem:
    """Persistent memory, as the block device ``/dev/NAME``."""

    name: str
    numa_node: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What one host has, and every other host for which the configuration is meant."""

    interfaces: tuple[Interface, ...] = ()
    ssds: tuple[Ssd, ...] = ()
    pmem: tuple[Pmem, ...] = ()
    numa_nodes: int = 0
    cores_per_node: int = 0
    memory_kib: int = 0
    hugepage_kib: int = 0
    left_alone: tuple[str, ...] = ()
    """Devices that the host itself needs, and for what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What somebody wants of the configuration."""

    replicas: tuple[str, ...] = ("localhost",)
    """Hosts of the management service, with a port or without."""
    engines: int = 0
    """0 is one for each NUMA node."""
    scm_only: bool = False
    """Leave the SSDs alone."""
    net_class: str = INFINIBAND
    provider: str = ""
    """Empty takes the best."""
    tmpfs: bool = False
    """Memory instead of persistent memory."""
    metadata_path: str = ""
    """Keep metadata on SSDs, and the control plane's own here."""
    fabric_ports: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a value is what it is, and what else there was."""

    place: Place
    because: str
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A configuration, and why it is as it is."""

    config: ServerConfig
    reasons: tuple[Reason, ...]
