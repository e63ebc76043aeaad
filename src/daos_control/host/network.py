"""Network interfaces and what a fabric can make of them, as sysfs tells it.

DAOS asks libfabric which providers an interface has. We do without it, and say only what the kernel vouches for:

- an interface that is up and has an address can carry ``ofi+tcp`` (and ``ofi+tcp;ofi_rxm``), whose domain is the
  interface's own name;
- one whose device has an InfiniBand device beside it can carry ``ofi+verbs;ofi_rxm`` under that device's name, or
  ``ofi+opx`` if it is an Omni-Path device;
- one whose device has a Slingshot device beside it can carry ``ofi+cxi`` under that device's name.

An interface made of software (a VLAN, a bond) has what the hardware has that it stands on. Providers are as good as
their place in that list, from the bottom up, and as good on every interface.

Every path is below ``root``, so that a test can bring its own machine.
"""

import array
import fcntl
import socket
import struct
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address
from pathlib import Path

from daos_control.host.sysfs import names, number, read
from daos_control.host.topology import lower_interfaces

LOOPBACK = 772
INFINIBAND = 32
ETHERNET = 1
"""Kinds of interface: the kernel's ARPHRD numbers."""

_CXI = "ofi+cxi"
_OPX = "ofi+opx"
_VERBS = "ofi+verbs;ofi_rxm"
_TCP = ("ofi+tcp;ofi_rxm", "ofi+tcp")
_BEST_FIRST = (_CXI, _OPX, _VERBS, *_TCP)

_OMNI_PATH = "hfi1_"
_POINT_TO_POINT = 0x10
_SIOCGIFCONF = 0x8912
_IFREQ_SIZE = 40
_MOST_ADDRESSES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class NetInterface:
    """One interface of the operating system."""

    name: str
    device_class: int
    numa_node: int = 0
    up: bool = True
    point_to_point: bool = False
    """A tunnel, which only two hosts share."""
    verbs: str = ""
    """The InfiniBand device beside it."""
    cxi: str = ""
    """The Slingshot device beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FabricInterface:
    """One way onto the fabric: a provider over an interface."""

    provider: str
    interface: str
    domain: str
    """The fabric's own name for it: what an engine gets as ``D_DOMAIN``."""
    device_class: int
    numa_node: int
    priority: int
    """Lower is better."""


class Readiness(Enum):
    """Whether an interface can be used now."""

    READY = "ready"
    NOT_READY = "not ready"
    DOWN = "down"
    UNKNOWN = "unknown"


def net_interfaces(root: Path = Path("/")) -> tuple[NetInterface, ...]:
    """Return every interface, by name."""
    entries = (root / "sys/class/net" / name for name in names(root / "sys/class/net"))
    return tuple(_interface(entry) for entry in entries if (entry / "type").is_file())


def fabric_interfaces(interfaces: Iterable[NetInterface], addressed: Container[str]) -> tuple[FabricInterface, ...]:
    """Return what the interfaces are good for, best first for each; ``addressed`` are those with an address."""
    offers = [
        (interface, provider, domain)
        for interface in interfaces
        if interface.up
        for provider, domain in _providers(interface, interface.name in addressed)
    ]
    there = {provider for _, provider, _ in offers}
    ranking = {provider: place for place, provider in enumerate(best for best in _BEST_FIRST if best in there)}
    return tuple(
        FabricInterface(
            provider=provider,
            interface=interface.name,
            domain=domain,
            device_class=interface.device_class,
            numa_node=interface.numa_node,
            priority=ranking[provider],
        )
        for interface, provider, domain in offers
    )


def local_fabric_interfaces(root: Path = Path("/")) -> tuple[FabricInterface, ...]:
    """Return what this host's interfaces are good for; in a copy of another host all are taken to have an address."""
    interfaces = net_interfaces(root)
    addressed = addressed_interfaces() if root == Path("/") else {interface.name for interface in interfaces}
    return fabric_interfaces(interfaces, addressed)


def supports(offered: str, wanted: str) -> bool:
    """Whether an offered provider satisfies a configured one: ``ofi+verbs`` is short for its full name.

    >>> supports("ofi+verbs;ofi_rxm", "ofi+verbs"), supports("ofi+tcp", "ofi+tcp;ofi_rxm")
    (True, False)
    """
    return offered == (_VERBS if wanted == "ofi+verbs" else wanted)


def readiness(name: str, root: Path = Path("/")) -> Readiness:
    """Return whether an interface can be used now; for InfiniBand it is the ports of its device that count."""
    entry = root / "sys/class/net" / name
    if not entry.is_dir():
        return Readiness.UNKNOWN
    kind = number(entry / "type")
    if kind == INFINIBAND:
        return _ports_readiness(_parent_of(entry))
    word = read(entry / "operstate")
    if word == "unknown":
        return Readiness.READY if kind == LOOPBACK else Readiness.UNKNOWN
    return _OPERSTATES.get(word, Readiness.UNKNOWN)


def ipv4_addresses() -> dict[str, list[IPv4Address]]:
    """Return the IPv4 addresses of every interface that has one, lowest first."""
    found: dict[str, list[IPv4Address]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        buffer = array.array("B", bytes(_IFREQ_SIZE * _MOST_ADDRESSES))
        request = struct.pack("iP", len(buffer), buffer.buffer_info()[0])
        (used,) = struct.unpack_from("i", fcntl.ioctl(probe.fileno(), _SIOCGIFCONF, request))
    for start in range(0, used, _IFREQ_SIZE):
        record = bytes(buffer[start : start + _IFREQ_SIZE])
        name = record[:16].partition(b"\0")[0].decode().partition(":")[0]  # an alias counts as its interface
        found.setdefault(name, []).append(IPv4Address(record[20:24]))
    return {name: sorted(addresses) for name, addresses in found.items()}


def lowest_ipv4(name: str) -> IPv4Address | None:
    """Return the interface's lowest IPv4 address, or None if it has none; OSError if there is no such interface."""
    if name not in {known for _, known in socket.if_nameindex()}:
        raise OSError(f"there is no network interface {name!r}")
    return min(ipv4_addresses().get(name, []), default=None)


def addressed_interfaces() -> frozenset[str]:
    """Return the names of the interfaces that have an address of any family, link-local ones included."""
    try:
        lines = Path("/proc/net/if_inet6").read_text().splitlines()
    except FileNotFoundError:  # a kernel without IPv6
        lines = []
    return frozenset(ipv4_addresses()) | {line.split()[-1] for line in lines}


def is_local(address: str) -> bool:
    """Whether an IP address belongs to this machine: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


_OPERSTATES = {
    "up": Readiness.READY,
    "down": Readiness.DOWN,
    "lowerlayerdown": Readiness.DOWN,
    "notpresent": Readiness.DOWN,
    "testing": Readiness.NOT_READY,
    "dormant": Readiness.NOT_READY,
}
_PORT_STATES = {"1": Readiness.DOWN, "2": Readiness.NOT_READY, "3": Readiness.NOT_READY, "4": Readiness.READY}


def _ports_readiness(entry: Path) -> Readiness:
    ports = entry.glob("device/infiniband/*/ports/*/state")
    seen = {_PORT_STATES.get(read(port).partition(":")[0], Readiness.UNKNOWN) for port in ports}
    for verdict in (Readiness.NOT_READY, Readiness.READY, Readiness.DOWN):
        if verdict in seen:
            return verdict
    return Readiness.UNKNOWN


def _providers(interface: NetInterface, addressed: bool) -> Iterator[tuple[str, str]]:
    if interface.cxi:
        yield _CXI, interface.cxi
    if interface.verbs.startswith(_OMNI_PATH):
        yield _OPX, interface.verbs
    if interface.verbs:
        yield _VERBS, interface.verbs
    if addressed and not interface.point_to_point:
        yield from ((provider, interface.name) for provider in _TCP)


def _interface(entry: Path) -> NetInterface:
    device = _parent_of(entry) / "device"
    return NetInterface(
        name=entry.name,
        device_class=number(entry / "type"),
        numa_node=number(device / "numa_node"),
        up=read(entry / "operstate") in {"up", "unknown"},
        point_to_point=bool(_flags(entry) & _POINT_TO_POINT),
        verbs=_first_name(device / "infiniband"),
        cxi=_first_name(device / "cxi"),
    )


def _parent_of(entry: Path) -> Path:
    """Return the interface with hardware that a virtual one stands on, or the interface itself."""
    if (entry / "device").exists():
        return entry
    below = (entry.with_name(name) for name in lower_interfaces(entry))
    return next((parent for parent in below if (parent / "device").exists()), entry)


def _flags(entry: Path) -> int:
    text = read(entry / "flags")
    return int(text, 16) if text.startswith("0x") else 0


def _first_name(folder: Path) -> str:
    return min(names(folder), default="")
