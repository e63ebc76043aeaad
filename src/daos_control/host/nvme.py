"""NVMe controllers, from sysfs.

``controllers`` are those that the kernel drives: of those bound to a user-space driver only the engine that uses them
knows more than where they are. ``drives`` are all, by their place on PCI.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daos_control.base.pci import PciAddress
from daos_control.host.sysfs import names, number, pci_address, read

_NAMESPACE = re.compile(r"nvme\d+(?:c\d+)?n(\d+)")
_HIDDEN_PATH = re.compile(r"(nvme\d+)c\d+(n\d+)")
"""One of several ways to a namespace, whose own name is without the middle."""
_SECTOR = 512
_PCI_CLASS = "0x010802"


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """One NVMe controller."""

    pci_address: str
    model: str
    serial: str
    firmware: str
    numa_node: int
    namespaces: tuple[tuple[int, int], ...]
    """Number and size in bytes of each namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """An NVMe controller as a place on PCI, whoever drives it."""

    address: PciAddress
    """Behind a VMD, as DAOS writes it: with the VMD's place in it."""
    numa_node: int
    in_use: str = ""
    """What the kernel uses it for; such a drive must be left alone."""
    driver: str = ""
    """Which driver has it; empty for none."""


def controllers(root: Path = Path("/")) -> tuple[Controller, ...]:
    """Return the controllers on PCI, by address; those reached over a network are not storage of this host."""
    found = []
    for name in names(root / "sys/class/nvme"):
        entry = root / "sys/class/nvme" / name
        address = read(entry / "address")
        if read(entry / "transport") == "pcie" and address:
            found.append(
                Controller(
                    pci_address=address,
                    model=read(entry / "model"),
                    serial=read(entry / "serial"),
                    firmware=read(entry / "firmware_rev"),
                    numa_node=number(entry / "device" / "numa_node"),
                    namespaces=_namespaces(entry),
                )
            )
    return tuple(sorted(found, key=lambda controller: controller.pci_address))


def drives(root: Path = Path("/")) -> tuple[Drive, ...]:
    """Return all NVMe controllers on PCI, in the order of their addresses."""
    found = []
    for name in names(root / "sys/bus/pci/devices"):
        folder = root / "sys/bus/pci/devices" / name
        if read(folder / "class") == _PCI_CLASS:
            found.append(
                Drive(
                    address=_address(folder),
                    numa_node=number(folder / "numa_node"),
                    in_use=_use(root, folder),
                    driver=(folder / "driver").resolve().name if (folder / "driver").exists() else "",
                )
            )
    return tuple(sorted(found, key=lambda drive: drive.address))


def _address(folder: Path) -> PciAddress:
    """Return a controller's address; what a VMD hides the kernel has in domains of its own making."""
    address = PciAddress.parse(folder.name)
    if address.vmd is None:
        return address
    vmd = pci_address(folder)
    if vmd is None:
        return address
    return PciAddress.parse(
        f"{vmd.bus:02x}{vmd.device:02x}{vmd.function:02x}:{address.bus:02x}:{address.device:02x}.{address.function:x}"
    )


def _use(root: Path, folder: Path) -> str:
    """Say what a controller's namespaces are used for: the first thing that is found."""
    mounts = [line.split(" ")[:2] for line in read(root / "proc/mounts").splitlines()]
    swaps = read(root / "proc/swaps")
    for name in _blocks(folder):
        entry = root / "sys/class/block" / name
        for source, target in mounts:
            if source.startswith(f"/dev/{name}"):
                return f"{name} is mounted at {target}"
        if f"/dev/{name}" in swaps:
            return f"{name} is swap space"
        if holders := names(entry / "holders"):
            return f"{name} is part of {', '.join(holders)}"
        if any((entry / below / "partition").exists() for below in names(entry)):
            return f"{name} has partitions"
        told = read(root / f"run/udev/data/b{read(entry / 'dev')}")
        if "E:ID_FS_TYPE=" in told or "E:ID_PART_TABLE_TYPE=" in told:
            return f"{name} has a file system or a table of partitions"
    return ""


def _blocks(folder: Path) -> Iterator[str]:
    for controller in names(folder / "nvme"):
        for name in names(folder / "nvme" / controller):
            if _NAMESPACE.fullmatch(name):
                yield _HIDDEN_PATH.sub(r"\1\2", name)


def _namespaces(entry: Path) -> tuple[tuple[int, int], ...]:
    found = {}
    for name in names(entry):
        match = _NAMESPACE.fullmatch(name)
        if match and (entry / name / "size").is_file():
            found[int(match[1])] = number(entry / name / "size") * _SECTOR
    return tuple(sorted(found.items()))
