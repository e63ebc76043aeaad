"""What an engine keeps on its storage path, so that it is there after a restart, however the engine ended.

::

    <path>/<pool uuid>/shard.json      this engine's share of the pool: sizes of its targets
    <path>/<pool uuid>/vos-<target>    the memory file of each target: empty, but of its size
    <path>/<pool uuid>/service.json    this engine's replica of the pool service, if it has one
    <path>/<pool uuid>/rdb-pool        the memory file of that replica: empty, but of its size
    <path>/NEWBORNS/, ZOMBIES/         pools on their way in and out; emptied at start
    <path>/daos_sys/engine.json        last incarnation
    <path>/daos_sys/devices.json       the devices and their state

Files are replaced as a whole: written beside, synced, renamed. A pool appears and disappears by one rename. By memory
files daos_server sees a pool's size. Nothing is allocated for them: a lab's pools would not fit its memory.
"""

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from daos_control.apps.emulator.pool import PoolRecord
from daos_control.apps.emulator.space import Size
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.durable import replace_file, sync_folder
from daos_control.base.errors import DaosError

log = logs.get(__name__)

SERVICE_FILE = "rdb-pool"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DER_OF_ERRNO = {
    errno.ENOSPC: Der.NOSPACE,
    errno.EDQUOT: Der.NOSPACE,
    errno.ENOENT: Der.NONEXIST,
    errno.EPERM: Der.NO_PERM,
    errno.EACCES: Der.NO_PERM,
    errno.EEXIST: Der.EXIST,
    errno.ENOMEM: Der.NOMEM,
    errno.ENOTDIR: Der.NOTDIR,
    errno.EIO: Der.IO,
}
_Kept = TypeVar("_Kept", bound=msgspec.Struct)


class StorageError(Exception):
    """The storage path cannot be used; the text says why."""


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """This engine's share of a pool: so many targets of one size."""

    size: Size
    targets: int

    @property
    def scm_bytes(self) -> int:
        """Bytes of memory files."""
        return self.size.scm * self.targets


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """A replica of a pool service: the newest record it took, and the newest leader it promised to listen to."""

    promised: int
    record: PoolRecord


class EngineFile(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives one process of an engine."""

    incarnation: int = 0


class Store:
    """The storage path; everything is read at ``open_store`` and kept in memory beside the files."""

    def __init__(self, path: Path, *, scm_bytes: int | None) -> None:
        self._path = path
        self._declared = scm_bytes
        self.shards: dict[str, Shard] = {}
        self.replicas: dict[str, Replica] = {}
        self.damaged: list[str] = []
        """Pools whose files cannot be understood."""

    @property
    def scm_free(self) -> int:
        """Bytes that new memory files may take."""
        shards = sum(shard.scm_bytes for shard in self.shards.values())
        return self._capacity() - shards - sum(replica.record.service_bytes for replica in self.replicas.values())

    def load(self) -> None:
        """Read what is there and finish what a crash interrupted; raises StorageError."""
        try:
            for name in ("NEWBORNS", "ZOMBIES"):
                shutil.rmtree(self._path / name, ignore_errors=True)
                (self._path / name).mkdir(mode=0o770)
            (self._path / "daos_sys").mkdir(mode=0o775, exist_ok=True)
            pools = [entry.name for entry in self._path.iterdir() if UUID.fullmatch(entry.name)]
        except OSError as error:
            raise StorageError(f"cannot use storage path {self._path}: {error.strerror}") from error
        for uuid in sorted(pools):
            self._load_pool(uuid)

    def next_incarnation(self, stamp_after: int) -> None:
        """Remember the incarnation of this process."""
        self.keep("engine", EngineFile(incarnation=stamp_after))

    def kept(self, name: str, kind: type[_Kept]) -> _Kept | None:
        """Read one of the engine's own files; None if it is missing or unreadable."""
        try:
            return msgspec.json.decode((self._path / "daos_sys" / f"{name}.json").read_bytes(), type=kind)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            log.error("ignoring a file of this engine", file=f"daos_sys/{name}.json", reason=error)
            return None

    def keep(self, name: str, content: msgspec.Struct) -> None:
        """Replace one of the engine's own files; raises DaosError."""
        with _errors_as_der():
            replace_file(self._path / "daos_sys" / f"{name}.json", msgspec.json.encode(content))

    def create_shard(self, uuid: str, shard: Shard) -> None:
        """Add a pool's share; one that is there stays as it is. Raises DaosError, NOSPACE if it does not fit."""
        if uuid in self.shards:
            return
        if shard.scm_bytes > self.scm_free:
            raise DaosError(Der.NOSPACE)
        newborn = self._path / "NEWBORNS" / uuid
        with _errors_as_der():
            shutil.rmtree(newborn, ignore_errors=True)
            newborn.mkdir(mode=0o770)
            replace_file(newborn / "shard.json", msgspec.json.encode(shard))
            _make_memory_files(newborn, shard)
            newborn.rename(self._path / uuid)
            sync_folder(self._path)
        self.shards[uuid] = shard

    def destroy(self, uuid: str) -> None:
        """Remove a pool's share and replica; nothing there is fine."""
        zombie = self._path / "ZOMBIES" / uuid
        with _errors_as_der():
            try:
                (self._path / uuid).rename(zombie)
            except FileNotFoundError:
                return
            finally:
                self.shards.pop(uuid, None)
                self.replicas.pop(uuid, None)
            sync_folder(self._path)
            shutil.rmtree(zombie, ignore_errors=True)

    def write_replica(self, replica: Replica) -> None:
        """Replace this engine's replica of a pool service; raises DaosError, NONEXIST without a share of the pool.

        A leader that has not heard of its pool's destruction yet must not bring it back to life. Raises NOSPACE for a
        new replica that does not fit.
        """
        uuid = replica.record.uuid
        if uuid not in self.shards:
            raise DaosError(Der.NONEXIST)
        is_new = uuid not in self.replicas
        if is_new and replica.record.service_bytes > self.scm_free:
            raise DaosError(Der.NOSPACE)
        with _errors_as_der():
            if is_new:
                _make_memory_file(self._path / uuid / SERVICE_FILE, replica.record.service_bytes)
            replace_file(self._path / uuid / "service.json", msgspec.json.encode(replica))
        self.replicas[uuid] = replica

    def remove_replica(self, uuid: str) -> None:
        """Drop this engine's replica; its share of the pool stays."""
        with _errors_as_der():
            (self._path / uuid / "service.json").unlink(missing_ok=True)
            (self._path / uuid / SERVICE_FILE).unlink(missing_ok=True)
        self.replicas.pop(uuid, None)

    def _load_pool(self, uuid: str) -> None:
        folder = self._path / uuid
        try:
            if (file := folder / "shard.json").exists():
                shard = self.shards[uuid] = msgspec.json.decode(file.read_bytes(), type=Shard)
                _make_memory_files(folder, shard)  # they are not synced
            if (file := folder / "service.json").exists():
                replica = self.replicas[uuid] = msgspec.json.decode(file.read_bytes(), type=Replica)
                _make_memory_file(folder / SERVICE_FILE, replica.record.service_bytes)
        except (OSError, msgspec.DecodeError) as error:
            log.error("pool cannot be started", pool=uuid, reason=error)
            self.damaged.append(uuid)

    def _capacity(self) -> int:
        if self._declared is not None:
            return self._declared
        with _errors_as_der():
            system = os.statvfs(self._path)
        return system.f_blocks * system.f_frsize


def read_json(path: Path) -> object:
    """Read a document somebody else wrote; raises StorageError."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StorageError(f"cannot read {path}: {error}") from error


def _make_memory_files(folder: Path, shard: Shard) -> None:
    for target in range(shard.targets):
        _make_memory_file(folder / f"vos-{target}", shard.size.scm)


def _make_memory_file(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.truncate(size)


@contextmanager
def _errors_as_der() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.error("storage failed", reason=error)
        raise DaosError(_DER_OF_ERRNO.get(error.errno or 0, Der.MISC)) from error
