"""One server at a time in one place.

DAOS's own programs look through the process list for another of their name and refuse to start if they find one. Here
several systems may share a machine, each in a place of its own, so what must not happen twice is the *place*: the
folder of the server's sockets. The kernel drops the lock when its holder dies, however it dies.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daos_control.base.errors import DaosControlError

LOCK_NAME = ".daos_server.lock"


class PlaceTakenError(DaosControlError):
    """Another server runs in this place."""


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Hold the place for the length of a block.

    Raises PlaceTakenError with the pid of the holder, or saying why the folder cannot be used.
    """
    try:
        handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise PlaceTakenError(
            f"cannot use socket directory {folder}: {error.strerror}: it must exist and be writable by the user that "
            "daos_server runs as (key socket_dir, option --socket_dir)"
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            raise PlaceTakenError(
                f"another daos_server (pid {holder}) is running with socket directory {folder}: stop it first, or give "
                "this one another socket_dir"
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)
