"""What has to be done to an engine's RAM disk, decided from what is there. Pure.

An engine's storage of class ``ram`` is a tmpfs at its mount point. Where nobody may mount (an ordinary user's lab, a
container), a plain directory stands in for it, and a marker file in it says that it does. Nothing is ever removed that
was not put there by a format: a directory with somebody's files in it is left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.units import GIB, KIB

MARKER = ".daos_plain_directory"
MARKER_TEXT = "This directory holds the storage of a DAOS engine in place of a tmpfs. Removing this file loses it.\n"


class OccupiedError(DaosControlError):
    """The directory that is to become storage holds files that no format put there."""

    def __init__(self, target: Path) -> None:
        super().__init__(target)
        self.target = target

    def __str__(self) -> str:
        return (
            f"{self.target} holds files that no storage format put there, and they are not touched: empty it, "
            "or configure another scm_mount"
        )


class Means(Enum):
    """How storage of class ram is made."""

    TMPFS = "tmpfs"
    DIRECTORY = "plain directory"


@dataclass(frozen=True, slots=True, kw_only=True)
class RamDisk:
    """A RAM disk as configured."""

    target: Path
    size_gib: int
    numa_node: int = 0
    hugepages: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is at the mount point."""

    exists: bool = False
    mounted: bool = False
    marked: bool = False
    """A format made it a stand-in."""
    empty: bool = True


@dataclass(frozen=True, slots=True)
class Unmount:
    """Take the file system away, and with it what it holds."""

    target: Path


@dataclass(frozen=True, slots=True)
class Clear:
    """Remove what is in a directory that stands in for a tmpfs."""

    target: Path


@dataclass(frozen=True, slots=True)
class MakeDirectory:
    """Create the directory and what is missing above it, with the owner's id on all that is new."""

    target: Path


@dataclass(frozen=True, slots=True)
class MountTmpfs:
    """Mount a new tmpfs."""

    target: Path
    size_gib: int
    numa_node: int
    hugepages: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Leave the marker of a stand-in."""

    target: Path


@dataclass(frozen=True, slots=True)
class Own:
    """Give the file system to the user that the server runs as."""

    target: Path


Step: TypeAlias = Unmount | Clear | MakeDirectory | MountTmpfs | Mark | Own


def needs_format(found: Found, means: Means) -> bool:
    """Whether a format is needed before an engine can use it. A tmpfs that is gone has lost what it held."""
    return not (found.mounted if means is Means.TMPFS else found.mounted or found.marked)


def plan_format(disk: RamDisk, found: Found, means: Means, *, force: bool) -> tuple[Step, ...]:
    """Return the steps that make it fresh storage.

    Raises fault 101 for formatted storage unless ``force``; 201 and 203 for a configuration that cannot be.
    """
    check_disk(disk)
    if not needs_format(found, means) and not force:
        raise FaultCode.STORAGE_ALREADY_FORMATTED.fault()
    if means is Means.TMPFS:
        return _plan_tmpfs(disk, found)
    return _plan_directory(disk, found)


def check_disk(disk: RamDisk) -> None:
    """Raise the fault of a RAM disk that cannot be formatted as configured."""
    if disk.target == Path():
        raise FaultCode.SCM_FORMAT_MISSING_MOUNTPOINT.fault()
    if disk.size_gib <= 0:
        raise FaultCode.SCM_FORMAT_INVALID_SIZE.fault()


def tmpfs_options(step: MountTmpfs, *, numa: bool) -> str:
    """Return the mount's options; the memory policy only where the kernel has NUMA, for it refuses it elsewhere.

    >>> tmpfs_options(MountTmpfs(Path("/mnt/daos0"), 4, 1, hugepages=True), numa=True)
    'mpol=prefer:1,size=4g,huge=always'
    """
    options = [f"mpol=prefer:{step.numa_node}"] if numa else []
    return ",".join([*options, f"size={step.size_gib}g", *(["huge=always"] if step.hugepages else [])])


def enough_memory(disks_gib: Sequence[int], available_kib: int) -> None:
    """Raise fault 214 unless the memory available is 90 % of what the disks may grow to."""
    required = sum(disks_gib) * GIB // 100 * 90
    available = available_kib * KIB
    if available < required:
        raise FaultCode.SCM_RAMDISK_LOW_MEM.fault(required=required, available=available)


def _plan_tmpfs(disk: RamDisk, found: Found) -> tuple[Step, ...]:
    before: list[Step] = []
    if found.mounted:
        before.append(Unmount(disk.target))
    elif found.marked:
        before.append(Clear(disk.target))
    mount = MountTmpfs(disk.target, disk.size_gib, disk.numa_node, hugepages=disk.hugepages)
    return (*before, MakeDirectory(disk.target), mount, Own(disk.target))


def _plan_directory(disk: RamDisk, found: Found) -> tuple[Step, ...]:
    if found.marked or found.mounted:
        return (Clear(disk.target), Mark(disk.target))
    if not found.empty:
        raise OccupiedError(disk.target)
    return (MakeDirectory(disk.target), Mark(disk.target))
