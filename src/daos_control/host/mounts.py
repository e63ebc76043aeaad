"""What is mounted where, mounting and unmounting, and how full a file system is.

The system calls are made through libc, not through mount(8): the program that may do this as root should not look up
other programs.
"""

import ctypes
import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode

MS_NOATIME = 1024
_CAP_SYS_ADMIN = 21
_ESCAPE = re.compile(r"\\([0-7]{3})")


class MountError(DaosControlError):
    """A mount or unmount that failed; the text says what was tried and why it failed."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of the kernel's mount table."""

    target: str
    filesystem: str


@dataclass(frozen=True, slots=True)
class Space:
    """Size of a file system and what unprivileged users can still take of it."""

    total_bytes: int
    available_bytes: int


def parse_mountinfo(text: str) -> list[Mount]:
    r"""Read ``/proc/self/mountinfo``; later lines lie over earlier ones.

    >>> parse_mountinfo("36 35 0:32 / /mnt/a\\040b rw,noatime shared:1 - tmpfs tmpfs rw,size=4g\n")
    [Mount(target='/mnt/a b', filesystem='tmpfs')]
    """
    mounts = []
    for line in text.splitlines():
        place, _, source = line.partition(" - ")
        fields = place.split(" ")
        if len(fields) > 4 and source:
            target = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])
            mounts.append(Mount(target, source.split(" ", 1)[0]))
    return mounts


def mounted_at(target: Path) -> Mount | None:
    """Return what is mounted at this very place, or None."""
    text = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    wanted = os.path.realpath(target)
    return next((mount for mount in reversed(parse_mountinfo(text)) if mount.target == wanted), None)


def mount(source: str, target: Path, filesystem: str, *, flags: int = 0, options: str = "") -> None:
    """Mount; fault 104 if something is mounted there already, MountError if the kernel refuses."""
    if mounted_at(target):
        raise FaultCode.STORAGE_TARGET_ALREADY_MOUNTED.fault(target=str(target))
    _call("mount", source.encode(), os.fsencode(target), filesystem.encode(), flags, options.encode())


def unmount(target: Path) -> None:
    """Unmount; MountError if it is in use or not mounted."""
    _call("umount2", os.fsencode(target), 0)


def space(path: Path) -> Space:
    """Return the size of the file system that holds ``path``."""
    status = os.statvfs(path)
    return Space(status.f_frsize * status.f_blocks, status.f_frsize * status.f_bavail)


def may_mount() -> bool:
    """Whether the kernel would let this process mount: root in a container often may not."""
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff":
            return bool(int(value, 16) >> _CAP_SYS_ADMIN & 1)
    return os.geteuid() == 0


def _call(name: str, *arguments: bytes | int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    passed = [ctypes.c_ulong(value) if isinstance(value, int) else ctypes.c_char_p(value) for value in arguments]
    if getattr(libc, name)(*passed) != 0:
        number = ctypes.get_errno()
        shown = " ".join(value.decode(errors="replace") for value in arguments if isinstance(value, bytes))
        hint = "; is it still in use?" if number == errno.EBUSY else ""
        raise MountError(f"{name} {shown}: {os.strerror(number)}{hint}")
