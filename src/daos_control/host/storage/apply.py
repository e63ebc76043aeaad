"""Doing what a plan says, on this machine. Blocking: call it in a thread.

These functions run in the server itself when it may mount or needs no mounts, and in the privileged helper otherwise.
"""

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.host import mounts
from daos_control.host.storage.plan import (
    MARKER,
    MARKER_TEXT,
    Clear,
    Found,
    MakeDirectory,
    Mark,
    MountTmpfs,
    Own,
    RamDisk,
    Step,
    Unmount,
    tmpfs_options,
)

_DIRECTORY_MODE = 0o775
_NUMA = Path("/sys/devices/system/node/node0")


class StorageError(DaosControlError):
    """A step on storage that failed; the text says which, and why."""


def look(target: Path) -> Found:
    """Return what is at a mount point. Raises fault 105 if it may not be looked at."""
    try:
        mounted = mounts.mounted_at(target) is not None
        names = set(os.listdir(target))  # noqa: PTH208  names are what is wanted
    except FileNotFoundError:
        return Found()
    except PermissionError as error:
        raise FaultCode.STORAGE_PATH_ACCESS_DENIED.fault(path=str(target)) from error
    except OSError as error:
        raise StorageError(f"{target}: {error.strerror}") from error
    return Found(exists=True, mounted=mounted, marked=MARKER in names, empty=not names)


def apply(steps: Sequence[Step], *, uid: int, gid: int) -> None:
    """Do the steps in order; what is made belongs to ``uid`` and ``gid``.

    Raises StorageError or MountError at the first that fails; what was done before stays done.
    """
    for step in steps:
        try:
            _do(step, uid, gid)
        except OSError as error:
            raise StorageError(f"{type(step).__name__} {step.target}: {error.strerror or error}") from error


def clear_out(target: Path, *, last: str) -> None:
    """Remove everything from a formatted disk and leave it formatted; the file named ``last`` goes at the very end.

    Raises StorageError; what was removed before stays removed.
    """
    try:
        for entry in target.iterdir():
            if entry.name not in {MARKER, last}:
                _remove(entry)
        (target / last).unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot clear {target}: {error.strerror or error}") from error


def usage(disk: RamDisk) -> mounts.Space:
    """Return how full a formatted disk is; a stand-in counts as a disk of the configured size.

    Files count with their whole size. Engines reserve all of it when they make a pool; emulated ones, whose pools are
    to fit into any machine, leave them empty.
    """
    try:
        space = mounts.space(disk.target)
        total = space.total_bytes if mounts.mounted_at(disk.target) else disk.size_gib << 30
        taken = sum(_taken(entry) for entry in disk.target.rglob("*"))
        return mounts.Space(total, max(0, min(total - taken, space.available_bytes)))
    except OSError as error:
        raise StorageError(f"cannot tell how full {disk.target} is: {error.strerror or error}") from error


def _do(step: Step, uid: int, gid: int) -> None:
    match step:
        case Unmount(target):
            mounts.unmount(target)
        case Clear(target):
            _clear(target)
        case MakeDirectory(target):
            _make_directories(target, uid, gid)
        case MountTmpfs(target):
            options = tmpfs_options(step, numa=_NUMA.is_dir())
            mounts.mount("tmpfs", target, "tmpfs", flags=mounts.MS_NOATIME, options=options)
            target.chmod(_DIRECTORY_MODE)
        case Mark(target):
            _write_durably(target / MARKER, MARKER_TEXT)
        case Own(target):
            os.chown(target, uid, gid)


def _clear(target: Path) -> None:
    """Empty a stand-in; its marker goes first, so that a half-done clearing counts as unformatted."""
    (target / MARKER).unlink(missing_ok=True)
    for entry in target.iterdir():
        _remove(entry)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def _make_directories(target: Path, uid: int, gid: int) -> None:
    missing = [folder for folder in (target, *target.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        folder.chmod(_DIRECTORY_MODE)
        os.chown(folder, uid, gid)


def _write_durably(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _taken(entry: Path) -> int:
    try:
        status = entry.lstat()
        return max(status.st_blocks * 512, status.st_size if stat.S_ISREG(status.st_mode) else 0)
    except FileNotFoundError:  # an engine removed it while we looked
        return 0
