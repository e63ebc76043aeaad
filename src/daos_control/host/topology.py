"""How the machine hangs together: NUMA nodes with their cores, PCI buses and devices, and interfaces made of software.

Everything is read from sysfs. DAOS asks libhwloc, which reads the same files, and numbers cores as is done here: in the
order of packages and NUMA nodes, not in that of the kernel's CPU numbers. Every path is below ``root``.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from daos_control.base.pci import PciAddress
from daos_control.host.cpus import core_numbers
from daos_control.host.sysfs import names, number, pci_address, pci_devices, read

NVDIMM = "NVDIMM"
"""The type of a block device that is persistent memory."""

_SECTOR = 512
_GIGA = 1e9


class DeviceKind(IntEnum):
    """What a device is for, with DAOS's numbers."""

    UNKNOWN = 0
    NET_INTERFACE = 1
    OFI_DOMAIN = 2
    BLOCK = 3

    @property
    def words(self) -> str:
        """The kind in words."""
        return _KIND_WORDS[self]


_KIND_WORDS = {
    DeviceKind.UNKNOWN: "unknown device type",
    DeviceKind.NET_INTERFACE: "network interface",
    DeviceKind.OFI_DOMAIN: "OFI domain",
    DeviceKind.BLOCK: "block device",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PciDevice:
    """A device of the operating system on a PCI device, which may have several."""

    name: str
    kind: DeviceKind
    address: PciAddress
    numa_node: int = 0
    speed: float = 0.0
    """Of the link as it is now, in transfers per second; 0 if nobody tells."""
    size: int = 0
    """Bytes of a block device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockDevice:
    """A block device: on PCI, or persistent memory, which is on no bus."""

    name: str
    kind: str = "unknown"
    numa_node: int = 0
    sector_size: int = 0
    size: int = 0
    """Bytes."""
    linux_device_id: str = ""
    vendor: str = ""
    model: str = ""
    revision: str = ""
    serial_number: str = ""
    backing: PciDevice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualDevice:
    """A network interface made of software, and the hardware it stands on, if any."""

    name: str
    backing: PciDevice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PciBus:
    """A PCI bus of the machine with all buses behind it."""

    domain: int
    lo: int
    hi: int
    numa_node: int = 0

    def __contains__(self, address: PciAddress) -> bool:
        return address.domain == self.domain and self.lo <= address.bus <= self.hi

    def __str__(self) -> str:
        buses = f"{self.lo:02x}" if self.lo == self.hi else f"[{self.lo:02x}-{self.hi:02x}]"
        return f"{self.domain:04x}:{buses}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumaNode:
    """A NUMA node and what is near it."""

    number: int
    cores: tuple[int, ...] = ()
    buses: tuple[PciBus, ...] = ()
    devices: tuple[PciDevice, ...] = ()
    """By address."""
    blocks: tuple[BlockDevice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The machine."""

    nodes: tuple[NumaNode, ...]
    virtual: tuple[VirtualDevice, ...] = ()


def read_topology(root: Path = Path("/")) -> Topology:
    """Look at the machine."""
    cores = core_numbers(root)
    buses = tuple(_buses(root))
    blocks = tuple(_blocks(root))
    on_pci = [block.backing for block in blocks if block.backing]
    devices = (*on_pci, *_fabric_devices(root))
    known = set(cores).union(*({thing.numa_node for thing in things} for things in (buses, blocks, devices)))
    nodes = tuple(
        NumaNode(
            number=node,
            cores=cores.get(node, ()),
            buses=tuple(bus for bus in buses if bus.numa_node == node),
            devices=tuple(sorted((one for one in devices if one.numa_node == node), key=lambda device: device.address)),
            blocks=tuple(block for block in blocks if block.numa_node == node),
        )
        for node in sorted(known)
    )
    return Topology(nodes=nodes, virtual=tuple(_virtual_devices(root, {device.name: device for device in devices})))


# -- buses -------------------------------------------------------------------------------------------------------------


def _buses(root: Path) -> Iterator[PciBus]:
    """Yield the buses that hang on the processor, each with what is behind its bridges."""
    roots: dict[tuple[int, int], list[tuple[PciAddress, Path]]] = {}
    for address, folder in pci_devices(root):
        if folder.resolve().parent.name == f"pci{address.domain:04x}:{address.bus:02x}":
            roots.setdefault((address.domain, address.bus), []).append((address, folder))
    for (domain, bus), members in sorted(roots.items()):
        yield PciBus(
            domain=domain,
            lo=bus,
            hi=max(bus, *(number(folder / "subordinate_bus_number") for _, folder in members)),
            numa_node=number(members[0][1] / "numa_node"),
        )


# -- devices -----------------------------------------------------------------------------------------------------------


def _blocks(root: Path) -> Iterator[BlockDevice]:
    """Yield whole block devices: no partitions, and none that are made of software."""
    for name in names(root / "sys/class/block"):
        entry = root / "sys/class/block" / name
        if (entry / "partition").exists() or _is_virtual(entry):
            continue
        address = pci_address(entry)
        if address is not None:
            yield _block(root, entry, _on_pci(root, name, DeviceKind.BLOCK, address, _size(entry)))
        elif read(entry / "device/devtype").startswith("nd_"):
            yield _block(root, entry, None)


def _block(root: Path, entry: Path, backing: PciDevice | None) -> BlockDevice:
    device_id = read(entry / "dev")
    told = _udev(root / f"run/udev/data/b{device_id}") if device_id else {}
    model, vendor = told.get("ID_MODEL", ""), told.get("ID_VENDOR", "")
    return BlockDevice(
        name=entry.name,
        kind=_block_kind(entry.name, told.get("ID_TYPE", "")) if backing else NVDIMM,
        numa_node=backing.numa_node if backing else number(entry / "device/numa_node"),
        sector_size=number(entry / "queue/hw_sector_size"),
        size=_size(entry),
        linux_device_id=device_id,
        vendor=_maker(model) if vendor in {"", "ATA"} else vendor,
        model=model,
        revision=told.get("ID_REVISION", ""),
        serial_number=told.get("ID_SERIAL_SHORT", ""),
        backing=backing,
    )


def _size(entry: Path) -> int:
    return number(entry / "size") // 2 * 2 * _SECTOR  # whole KiB


def _block_kind(name: str, kind: str) -> str:
    if kind == "disk" or name.startswith("nvme"):
        return "Disk"
    words = {"tape": "Tape", "cd": "Removable Media Device", "floppy": "Removable Media Device"}
    return words.get(kind, "unknown")


_MAKERS = {"wd": "Western Digital", "st": "Seagate", "samsung": "Samsung", "sandisk": "SanDisk", "toshiba": "Toshiba"}


def _maker(model: str) -> str:
    """Guess who made a disk that does not say so."""
    return next((maker for start, maker in _MAKERS.items() if model.lower().startswith(start)), "")


def _udev(path: Path) -> Mapping[str, str]:
    """Return the properties that udev keeps about a device."""
    pairs = (line.removeprefix("E:").partition("=") for line in read(path).splitlines() if line.startswith("E:"))
    return {name: value for name, _, value in pairs}


def _fabric_devices(root: Path) -> Iterator[PciDevice]:
    """Yield network interfaces on PCI and the devices of fabrics."""
    for folder, kind in (
        ("net", DeviceKind.NET_INTERFACE),
        ("infiniband", DeviceKind.OFI_DOMAIN),
        ("cxi", DeviceKind.OFI_DOMAIN),
    ):
        for name in names(root / "sys/class" / folder):
            entry = root / "sys/class" / folder / name
            address = pci_address(entry)
            if address is not None and not _is_virtual(entry):
                yield _on_pci(root, name, kind, address)


def _on_pci(root: Path, name: str, kind: DeviceKind, address: PciAddress, size: int = 0) -> PciDevice:
    folder = root / "sys/bus/pci/devices" / str(address)
    return PciDevice(
        name=name,
        kind=kind,
        address=address,
        numa_node=number(folder / "numa_node"),
        speed=link_speed(read(folder / "current_link_speed"), number(folder / "current_link_width")),
        size=size,
    )


def link_speed(text: str, width: int) -> float:
    """Work out what a link carries, less what its encoding takes.

    >>> round(link_speed("8.0 GT/s PCIe", 16) / 1e9, 2), link_speed("Unknown", 0)
    (15.75, 0.0)
    """
    try:
        lane = float(text.split(" ", 1)[0])
    except ValueError:
        return 0.0
    encoding = 0.8 if lane < 8 else 128 / 130
    return _single(lane * encoding * width / 8 * _GIGA)


def _single(value: float) -> float:
    """Round to what 32 bits hold, as the numbers of libhwloc are."""
    (rounded,) = struct.unpack("<f", struct.pack("<f", value))
    return float(rounded)


# -- interfaces made of software ---------------------------------------------------------------------------------------


def _virtual_devices(root: Path, devices: Mapping[str, PciDevice]) -> Iterator[VirtualDevice]:
    for name in names(root / "sys/class/net"):
        if "DRIVER=hv_netvsc" in read(root / "sys/class/net" / name / "device/uevent").splitlines():
            backing = _backing(root / "sys/class/net" / name, devices)
            if backing is not None:
                yield VirtualDevice(name=name, backing=backing)
    for name in names(root / "sys/devices/virtual/net"):
        yield VirtualDevice(name=name, backing=_backing(root / "sys/class/net" / name, devices))


def _backing(entry: Path, devices: Mapping[str, PciDevice]) -> PciDevice | None:
    """Return the hardware that an interface stands on, looking no further than one level down."""
    return next((devices[name] for name in lower_interfaces(entry) if name in devices), None)


def lower_interfaces(entry: Path) -> Iterable[str]:
    """Return the interfaces that one is made of: its parent, or the members of a bond or bridge."""
    parent = read(entry / "parent")
    below = (name.removeprefix("lower_") for name in names(entry) if name.startswith("lower_"))
    return (parent, *below) if parent else tuple(below)


def _is_virtual(entry: Path) -> bool:
    return "/devices/virtual/" in str(entry.resolve())
