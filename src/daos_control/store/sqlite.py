"""A store in one SQLite file: the default for a single replica.

Write-ahead log, ``synchronous=FULL``: what ``commit`` returned from survives ``kill -9`` and power loss.
One thread owns the connection, so the event loop never waits for a disk. An exclusive lock beside the
file keeps a second daos_server from opening the same data.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self, TypeVar

from daos_control.base.durable import sync_folder
from daos_control.store.api import (
    Conflict,
    Leadership,
    LostLeadership,
    Snapshot,
    StoreUnavailable,
    Update,
    Versioned,
)
from daos_control.store.elections import Elections
from daos_control.store.feed import Feed

SCHEMA_VERSION = 2
MODE = 0o660
"""Of the file."""
_LAST_CHARACTER = "\U0010ffff"
_LEASES = "CREATE TABLE leased (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID"
NOTHING_EXPECTED: Final[Mapping[str, int]] = MappingProxyType({})
_T = TypeVar("_T")


class SqliteStore:
    """One process's store in one file; open it with ``SqliteStore.open``, close it with ``aclose``."""

    def __init__(self, database: "_Database", thread: ThreadPoolExecutor) -> None:
        self._database = database
        self._thread = thread
        self._feed = Feed(start=database.revision)
        self._elections = Elections(self.lease)
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create the file at ``path``; its folder must exist.

        Raises StoreUnavailable when the file is in use, damaged, of another version, or cannot be written.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            database = await asyncio.get_running_loop().run_in_executor(thread, _Database, path)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(database, thread)

    async def get(self, prefix: str) -> Snapshot:
        """Return everything under ``prefix``."""
        return await self._run(lambda: self._database.get(prefix))

    async def commit(
        self,
        writes: Mapping[str, bytes | None],
        *,
        expect: Mapping[str, int] | None = None,
        fence: Leadership | None = None,
    ) -> int:
        """Write all or nothing; on return the data is on the disk."""
        return await self._commit(dict(writes), dict(expect or {}), fence)

    async def _commit(
        self,
        writes: Mapping[str, bytes | None],
        expect: Mapping[str, int] = NOTHING_EXPECTED,
        fence: Leadership | None = None,
        *,
        leased: bool = False,
    ) -> int:
        def work() -> int:
            revision = self._database.commit(writes, expect, fence, leased=leased)
            # From the thread: watchers hear of it even if the caller was cancelled meanwhile.
            self._loop.call_soon_threadsafe(self._feed.publish, Update(revision, writes))
            return revision

        return await self._run(work)

    def watch(self, prefix: str, after: int) -> AsyncIterator[Update]:
        """Yield later commits that touch ``prefix``."""
        return self._feed.watch(prefix, after)

    def lead(self, name: str, candidate: str) -> AbstractAsyncContextManager[Leadership]:
        """Wait for the election of ``name`` to be free in this process (no other has the file), then hold it."""
        return self._elections.lead(name, candidate)

    @asynccontextmanager
    async def lease(self, writes: Mapping[str, bytes], ttl_s: float) -> AsyncIterator[int]:
        """Write keys that are gone on exit.

        No other process has the file, so a holder that died is noticed by whoever opens it next, which takes its keys
        away: nobody can see them outlive ``ttl_s``, or the holder at all.
        """
        revision = await self._commit(dict(writes), leased=True)
        try:
            yield revision
        finally:
            await self._give_up(writes, revision)

    async def aclose(self) -> None:
        """Finish what is under way, then close the file and release its lock."""
        await self._run(self._database.close)
        self._thread.shutdown(wait=True)
        self._feed.close()

    async def _give_up(self, keys: Iterable[str], revision: int) -> None:
        try:
            for key in keys:
                with suppress(Conflict):  # somebody else's now
                    await self.commit({key: None}, expect={key: revision})
        except StoreUnavailable:
            # The disk is full or gone. Nobody is fooled: the next process to open the file takes the keys away.
            return

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await self._loop.run_in_executor(self._thread, work)


class _Database:
    """The blocking half; lives in the store's thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = lock_file(path)
        try:
            with self._translated():
                self._connection = self._connect()
                self._end_leases()
                self.revision = self._read_revision()
        except BaseException:
            os.close(self._lock)
            raise

    def get(self, prefix: str) -> Snapshot:
        with self._translated():
            rows = self._connection.execute(
                "SELECT key, value, revision FROM item WHERE key >= ? AND key < ? ORDER BY key",
                (prefix, prefix + _LAST_CHARACTER),
            )
            return Snapshot({key: Versioned(value, revision) for key, value, revision in rows}, self.revision)

    def commit(
        self,
        writes: Mapping[str, bytes | None],
        expect: Mapping[str, int],
        fence: Leadership | None,
        *,
        leased: bool,
    ) -> int:
        self._check_place()
        with self._translated(), self._transaction():
            if fence is not None and self._revision_of(fence.key) != fence.revision:
                raise LostLeadership(fence.key)
            for key, revision in expect.items():
                if self._revision_of(key) != revision:
                    raise Conflict(key)
            revision = self.revision + 1
            gone = [(key,) for key, value in writes.items() if value is None]
            kept = [(key, value, revision) for key, value in writes.items() if value is not None]
            self._connection.executemany("DELETE FROM item WHERE key = ?", gone)
            self._connection.executemany("INSERT OR REPLACE INTO item VALUES (?, ?, ?)", kept)
            self._connection.executemany("DELETE FROM leased WHERE key = ?", [(key,) for key in writes])
            if leased:
                self._connection.executemany("INSERT INTO leased VALUES (?, ?)", [(key, revision) for key in writes])
            self._connection.execute("UPDATE store SET revision = ?", (revision,))
        self.revision = revision
        return revision

    def _end_leases(self) -> None:
        """Take away what the file's last user held while it lived: it is dead, or we would not have the lock."""
        if self._connection.execute("SELECT 1 FROM leased LIMIT 1").fetchone() is None:
            return
        with self._transaction():
            self._connection.execute("DELETE FROM item WHERE (key, revision) IN (SELECT key, revision FROM leased)")
            self._connection.execute("DELETE FROM leased")
            self._connection.execute("UPDATE store SET revision = revision + 1")

    def _check_place(self) -> None:
        """Refuse to write into a file that is not at its path any more: whoever opens that path next will not see it.

        This is how it is when the file system was unmounted under us: what was open stays open until we let go of it.
        """
        try:
            there = os.path.samestat(os.fstat(self._lock), lock_path(self._path).stat())
        except OSError:
            there = False
        if not there:
            raise StoreUnavailable(
                f"{self._path} is not where it was: was its file system unmounted, or the folder removed? "
                "Bring it back and restart daos_server; changes are refused until then"
            )

    def close(self) -> None:
        try:
            with self._translated():
                self._connection.close()
        finally:
            os.close(self._lock)

    def _connect(self) -> sqlite3.Connection:
        if not self._path.exists():
            self._create()
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=True)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise damaged(self._path, verdict)
            self._check_version(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _create(self) -> None:
        """Make an empty database beside the path and move it there: one that is there and empty has been damaged."""
        new = self._path.with_name(self._path.name + ".new")
        for left_over in (f"{new}", f"{new}-journal", f"{self._path}-wal", f"{self._path}-shm"):
            Path(left_over).unlink(missing_ok=True)
        connection = sqlite3.connect(new, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN IMMEDIATE")
            create_tables(connection, revision=0)
            connection.execute("COMMIT")
        finally:
            connection.close()
        new.chmod(MODE)
        new.rename(self._path)
        sync_folder(self._path.parent)

    def _check_version(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            raise damaged(self._path, "it is empty")
        if version == 1:
            _add_leases(connection)
        elif version != SCHEMA_VERSION:
            raise StoreUnavailable(
                f"{self._path} was written by another version of daos-control (schema {version}, this one knows "
                f"{SCHEMA_VERSION}): start the version that wrote it, or restore a backup"
            )

    def _read_revision(self) -> int:
        (revision,) = self._connection.execute("SELECT revision FROM store").fetchone()
        return int(revision)

    def _revision_of(self, key: str) -> int:
        row = self._connection.execute("SELECT revision FROM item WHERE key = ?", (key,)).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # A full disk makes SQLite roll back by itself; a second ROLLBACK would then be an error of its own.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise unavailable(self._path, error) from error
        except OSError as error:
            raise StoreUnavailable(
                f"{self._path}: {error.strerror}: check that the folder exists and is writable"
            ) from error


def create_tables(connection: sqlite3.Connection, *, revision: int) -> None:
    """Make the tables of an empty store."""
    connection.execute(
        "CREATE TABLE item (key TEXT PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID"
    )
    connection.execute("CREATE TABLE store (revision INTEGER NOT NULL)")
    connection.execute(_LEASES)
    connection.execute("INSERT INTO store VALUES (?)", (revision,))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _add_leases(connection: sqlite3.Connection) -> None:
    """Bring a file of schema 1 up to date."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_LEASES)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def lock_path(path: Path) -> Path:
    """Return the file whose lock is held by the process that has the store at ``path`` open."""
    return path.with_name(path.name + ".lock")


def lock_file(path: Path) -> int:
    """Take the lock that says that a process has the store at ``path`` open; closing the descriptor gives it up.

    Raises StoreUnavailable if another has it.
    """
    lock = lock_path(path)
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    except OSError as error:
        raise StoreUnavailable(f"{lock}: {error.strerror}: check that the folder exists and is writable") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StoreUnavailable(f"{path} is in use by another daos_server: stop that one first") from error
    return descriptor


def damaged(path: Path, what: str) -> StoreUnavailable:
    """Say that a file is damaged, and the ways out."""
    return StoreUnavailable(
        f"{path} is damaged ({what}): with the server stopped, run daos_server ms recover, which saves what can be "
        "read, or daos_server ms restore with a backup; if neither helps, move it away, format again and let the ranks "
        "rejoin"
    )


def unavailable(path: Path, error: sqlite3.DatabaseError) -> StoreUnavailable:
    """Word an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreUnavailable(f"no space left for {path}: make room; nothing that was acknowledged is lost")
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return damaged(path, str(error))
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}:
        return StoreUnavailable(f"{path} cannot be read or written ({error}): check the mount, its owner and its mode")
    return StoreUnavailable(f"{path}: {error}")
