"""Persistent memory, as far as the kernel tells without the vendor's tools: modules, and namespaces made of them."""

from dataclasses import dataclass
from pathlib import Path

from daos_control.host.sysfs import names, number, read

_SECTOR = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace:
    """A namespace that is there as a block device, ``/dev/BLOCKDEV``."""

    blockdev: str
    name: str
    """The kernel's name of the namespace itself, such as ``namespace0.0``."""
    uuid: str
    numa_node: int
    size: int
    """Bytes."""


def modules(root: Path = Path("/")) -> tuple[str, ...]:
    """Return the kernel's names of this host's memory modules that keep what they hold, such as ``nmem0``."""
    return tuple(sorted(entry.name for entry in (root / "sys/bus/nd/devices").glob("nmem*")))


def namespaces(root: Path = Path("/")) -> tuple[Namespace, ...]:
    """Return the namespaces with a block device, by its name."""
    found = []
    for blockdev in names(root / "sys/class/block"):
        entry = root / "sys/class/block" / blockdev
        device = entry / "device"
        if not read(device / "devtype").startswith("nd_") or (entry / "partition").exists():
            continue
        found.append(
            Namespace(
                blockdev=blockdev,
                name=read(device / "namespace") or device.resolve().name,
                uuid=read(device / "uuid"),
                numa_node=number(device / "numa_node"),
                size=number(entry / "size") * _SECTOR,
            )
        )
    return tuple(found)
