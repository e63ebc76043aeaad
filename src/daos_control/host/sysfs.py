"""Reading the kernel's small files: one value in each, or none."""

import re
from collections.abc import Iterator
from pathlib import Path

from daos_control.base.pci import PciAddress

_PCI_FOLDER = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]")
"""A device of the machine's own; what a VMD hides is in domains of five digits and more."""


def read(path: Path) -> str:
    """Return a file's text, and nothing if the kernel does not tell: no such file, or a driver that does not answer."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def number(path: Path) -> int:
    """Return a file's number; 0 where there is none, or a negative one, which is how the kernel says "none"."""
    text = read(path)
    return int(text) if text.isdigit() else 0


def names(folder: Path) -> list[str]:
    """Return what is in a folder, in order; nothing if there is no such folder."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def pci_address(path: Path) -> PciAddress | None:
    """Return the PCI device that a device hangs on, by its place in the tree of devices."""
    return next((PciAddress.parse(part) for part in reversed(path.resolve().parts) if _is_pci(part)), None)


def pci_devices(root: Path) -> Iterator[tuple[PciAddress, Path]]:
    """Yield all PCI devices with their folders, in the order of their addresses."""
    folder = root / "sys/bus/pci/devices"
    found = [(PciAddress.parse(name), folder / name) for name in names(folder) if _is_pci(name)]
    yield from sorted(found)


def _is_pci(name: str) -> bool:
    return _PCI_FOLDER.fullmatch(name) is not None
