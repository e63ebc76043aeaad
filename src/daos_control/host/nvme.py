"""NVMe controllers that the kernel drives, from sysfs.

Controllers bound to a user-space driver are not among them: what is on those only the engine that uses them knows.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_NAMESPACE = re.compile(r"nvme\d+(?:c\d+)?n(\d+)")
_SECTOR = 512


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


def controllers(root: Path = Path("/")) -> tuple[Controller, ...]:
    """Return the controllers on PCI, by address; those reached over a network are not storage of this host."""
    found = []
    for entry in (root / "sys/class/nvme").glob("nvme*"):
        address = _read(entry / "address")
        if _read(entry / "transport") == "pcie" and address:
            found.append(
                Controller(
                    pci_address=address,
                    model=_read(entry / "model"),
                    serial=_read(entry / "serial"),
                    firmware=_read(entry / "firmware_rev"),
                    numa_node=_number(entry / "device" / "numa_node"),
                    namespaces=_namespaces(entry),
                )
            )
    return tuple(sorted(found, key=lambda controller: controller.pci_address))


def _namespaces(entry: Path) -> tuple[tuple[int, int], ...]:
    found = {}
    for child in entry.iterdir():
        match = _NAMESPACE.fullmatch(child.name)
        if match and (child / "size").is_file():
            found[int(match[1])] = _number(child / "size") * _SECTOR
    return tuple(sorted(found.items()))


def _number(path: Path) -> int:
    text = _read(path)
    return int(text) if text.isdigit() else 0


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # absent, or a device that is going away
        return ""
