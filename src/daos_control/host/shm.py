"""System V shared memory, which the standard library leaves out: segments known by a number, kept until removed.

DAOS publishes metrics in such segments. This module is the only one that touches raw memory. It stays sound because
nothing in it hands out a view of a segment: ``Memory`` copies in and out, within the size that the kernel reports
(such a segment cannot shrink), and refuses when closed.

Who made a segment is read from the kernel's table, which tells it for all of them, readable or not: the creator's
user and process are set once, when the segment is made, and nobody can change them afterwards.
"""

import ctypes
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path("/proc/sysvipc/shm")
_IPC_CREAT = 0o1000
_IPC_EXCL = 0o2000
_IPC_RMID = 0
_SHM_RDONLY = 0o10000
_FAILED = ctypes.c_void_p(-1).value
_WORD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A segment, as the kernel's table of this IPC namespace shows it."""

    key: int
    """What it is found by; signed, and 0 if it cannot be found any more."""
    id: int
    """Which segment it is: unlike a key, it does not soon mean another one."""
    size_bytes: int
    creator_pid: int
    """In our pid namespace; 0 if it is not visible there."""
    creator_uid: int
    owner_uid: int
    """Whom the creator has handed it to; at first itself."""
    attached: int
    """How many times it is mapped now."""


def segments(table: Path = _TABLE) -> list[Segment]:
    """Return all segments. Raises OSError where the kernel has no System V shared memory."""
    head, *rows = table.read_text().splitlines()
    columns = {name: position for position, name in enumerate(head.split())}
    found = []
    for row in rows:
        fields = row.split()
        found.append(
            Segment(
                key=int(fields[columns["key"]]),
                id=int(fields[columns["shmid"]]),
                size_bytes=int(fields[columns["size"]]),
                creator_pid=int(fields[columns["cpid"]]),
                creator_uid=int(fields[columns["cuid"]]),
                owner_uid=int(fields[columns["uid"]]),
                attached=int(fields[columns["nattch"]]),
            )
        )
    return found


def create(key: int, size_bytes: int, *, mode: int) -> int:
    """Make a new segment, all zeros, and return its id. Raises FileExistsError if the key is taken, or OSError."""
    segment = _libc().shmget(key, size_bytes, _IPC_CREAT | _IPC_EXCL | mode)
    if segment < 0:
        raise _error()
    return int(segment)


def remove(segment: int) -> None:
    """Remove a segment, by id: nobody finds it any more, and it is gone when the last process unmaps it.

    Raises OSError; PermissionError unless we own it, have created it, or are root.
    """
    if _libc().shmctl(segment, _IPC_RMID, None) < 0:
        raise _error()


class Memory:
    """A stretch of memory, copied from and to; what is not inside it raises IndexError."""

    def __init__(self, address: int, size_bytes: int) -> None:
        self._address = address
        self.size_bytes = size_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Return a copy of what is there now. Others may be writing."""
        return ctypes.string_at(self._at(offset, length), length)

    def write(self, offset: int, data: bytes) -> None:
        """Copy ``data`` there, in any order: for what no reader has been pointed to yet."""
        ctypes.memmove(self._at(offset, len(data)), data, len(data))

    def store(self, offset: int, word: int) -> None:
        """Set eight aligned bytes at once: readers see the old value or the new, nothing in between."""
        if offset % _WORD:
            raise IndexError(f"offset {offset} is not that of a word")
        ctypes.c_uint64.from_address(self._at(offset, _WORD)).value = word

    def _at(self, offset: int, length: int) -> int:
        if not 0 <= offset <= offset + length <= self.size_bytes:
            raise IndexError(f"{length} bytes at {offset} are not within {self.size_bytes}")
        return self._address + offset


class Mapping(Memory):
    """A segment mapped into this process, until closed."""

    def close(self) -> None:
        """Unmap it; from then on nothing is inside."""
        if self.size_bytes:
            self.size_bytes = 0
            if _libc().shmdt(self._address) < 0:
                raise _error()

    def __enter__(self) -> "Mapping":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_mapping(segment: int, size_bytes: int, *, writable: bool) -> Mapping:
    """Map a segment, by id; ``size_bytes`` is what it was made with, or what the kernel's table says.

    Raises OSError; PermissionError if its owner has not allowed it.
    """
    address = _libc().shmat(segment, None, 0 if writable else _SHM_RDONLY)
    if address == _FAILED:
        raise _error()
    return Mapping(address, size_bytes)


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmget.argtypes = (ctypes.c_int, ctypes.c_size_t, ctypes.c_int)
    libc.shmat.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_int)
    libc.shmat.restype = ctypes.c_void_p
    libc.shmdt.argtypes = (ctypes.c_void_p,)
    libc.shmctl.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
    return libc


def _error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
