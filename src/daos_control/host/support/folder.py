"""A folder to collect into, which nobody can turn into a trap for a program that may write anywhere.

A server collects wherever an administrator says, often below ``/tmp`` and often as root. So the folder must be one
that others cannot write in and that is not part of the system, links are never followed, and every file is a new one:
what stands in its place is removed first.
"""

import gzip
import os
import stat
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Self

from daos_control.base.errors import DaosControlError

ARCHIVE_SUFFIX: Final = ".tar.gz"
_FOLDER_MODE: Final = 0o700
_FILE_MODE: Final = 0o600
_SYSTEM: Final = tuple(
    Path("/", name) for name in ("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys", "usr")
)
_NOFOLLOW: Final = os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafeFolder(DaosControlError):
    """A folder that must not be collected into; the text says why, and what to do."""


def check_target(target: Path, *, forbidden: Iterable[Path] = ()) -> Path:
    """Return a target as an absolute path without links, if it is a place to collect into. Raises UnsafeFolder.

    ``forbidden`` are places that are somebody else's, such as the storage of engines.
    """
    if not target.is_absolute() or ".." in target.parts:
        raise UnsafeFolder(f"target folder {target}: give a path that starts at / and has no .. in it")
    place = target.parent.resolve() / target.name
    if place == place.parent:
        raise UnsafeFolder("target folder /: give a folder of its own, such as /var/tmp/daos_support")
    for taken in (*_SYSTEM, *forbidden):
        if place.is_relative_to(taken):
            raise UnsafeFolder(
                f"target folder {target} is inside {taken}, which is not for logs; "
                "give another, such as /var/tmp/daos_support"
            )
    return place


class Folder:
    """An open folder below the target, or the target itself."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self.path = path

    @classmethod
    @contextmanager
    def open_target(cls, target: Path) -> Iterator[Self]:
        """Open a target that ``check_target`` has returned, made for its user alone if it is not there."""
        with suppress(FileExistsError):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.mkdir(_FOLDER_MODE)
        try:
            descriptor = os.open(target, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW)
        except OSError as error:
            if target.is_symlink() or not target.is_dir():
                raise UnsafeFolder(f"target folder {target} is no folder, or a link to one; give another") from error
            raise
        try:
            if os.fstat(descriptor).st_mode & stat.S_IWOTH:
                raise UnsafeFolder(
                    f"target folder {target} is one that everybody may write in; give one inside it, of a new name"
                )
            if Path(f"/proc/self/fd/{descriptor}").readlink() != target:
                raise UnsafeFolder(f"target folder {target} has just become another one; look who does that")
            yield cls(descriptor, target)
        finally:
            os.close(descriptor)

    @contextmanager
    def sub(self, *names: str) -> Iterator["Folder"]:
        """Open a folder further down, made if it is not there."""
        descriptor = os.dup(self._descriptor)
        try:
            for name in names:
                with suppress(FileExistsError):
                    os.mkdir(name, _FOLDER_MODE, dir_fd=descriptor)
                below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = below
            yield Folder(descriptor, self.path.joinpath(*names))
        finally:
            os.close(descriptor)

    def create(self, name: str) -> BinaryIO:
        """Make a file, in place of what has that name."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW
        return os.fdopen(os.open(name, flags, _FILE_MODE, dir_fd=self._descriptor), "wb")

    def append(self, name: str, data: bytes) -> None:
        """Add to a file of ours, or make it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _NOFOLLOW
        with os.fdopen(os.open(name, flags, _FILE_MODE, dir_fd=self._descriptor), "ab") as file:
            file.write(data)


def archive(target: Path) -> Path:
    """Pack a target into ``<target>.tar.gz`` beside it, for its user alone, and return that path.

    Another archive of that name is replaced once this one is whole.
    """
    packed = target.with_name(target.name + ARCHIVE_SUFFIX)
    partial = packed.with_name(f".{packed.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW, _FILE_MODE)
    try:
        with (
            os.fdopen(descriptor, "wb") as file,
            gzip.GzipFile(fileobj=file, mode="wb", filename="") as squeezed,
            tarfile.open(fileobj=squeezed, mode="w") as tar,
        ):
            tar.add(target, arcname=target.name, filter=_plain)
        partial.replace(packed)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return packed


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out what is neither file nor folder: nothing that we have put there is anything else."""
    return member if member.isfile() or member.isdir() else None
