"""A store's file as a file: looked at, copied while it is in use, saved from when it is damaged, put in place.

Nothing here opens a store for service. What reads only reads: a file that no process has open is taken as it lies
there, and one in use is read beside its user, as SQLite allows.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from daos_control.base.durable import sync_folder
from daos_control.store.api import Snapshot, StoreUnavailable, Versioned
from daos_control.store.sqlite import (
    MODE,
    SCHEMA_VERSION,
    create_tables,
    damaged,
    lock_file,
    unavailable,
)

_MAGIC: Final = b"SQLite format 3\0"
_PARTS: Final = ("", "-wal", "-shm")
"""What the files of one store are called, after its path."""
_DRAFT: Final = ".draft"
_ITEMS: Final = "SELECT key, value, revision FROM item"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a store's file is."""

    path: Path
    size_bytes: int
    schema: int
    revision: int
    verdict: str
    """``ok``, or what SQLite's check says."""

    @property
    def is_sound(self) -> bool:
        """Whether the check found nothing."""
        return self.verdict == "ok"


@dataclass(frozen=True, slots=True)
class Saved:
    """What could be read of a store; ``is_whole`` if that is all there was."""

    snapshot: Snapshot
    is_whole: bool


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep every server from opening the store at ``path``. Raises StoreUnavailable if one has it open."""
    descriptor = lock_file(path)
    try:
        yield
    finally:
        os.close(descriptor)


def is_database(path: Path) -> bool:
    """Whether a file is one of SQLite's at all. Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def examine(path: Path) -> Health:
    """Check a file through and through, in use or not. Raises StoreUnavailable if it is no store, or unreadable."""
    with _reading(path) as connection:
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if schema not in range(1, SCHEMA_VERSION + 1):
            raise StoreUnavailable(
                f"{path} is no database of this release: its schema is {schema}, and this release knows "
                f"{SCHEMA_VERSION}; take another file, or the release that wrote it"
            )
        try:
            verdict = "; ".join(str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)"))
        except sqlite3.DatabaseError as error:
            verdict = str(error)
        try:
            (revision,) = connection.execute("SELECT revision FROM store").fetchone()
        except (sqlite3.DatabaseError, TypeError) as error:
            revision, verdict = 0, f"{verdict}; {error}" if verdict != "ok" else str(error)
    return Health(path=path, size_bytes=path.stat().st_size, schema=schema, revision=int(revision), verdict=verdict)


def read(path: Path) -> Snapshot:
    """Return all that a sound file holds. Raises StoreUnavailable if it is damaged."""
    with _reading(path) as connection:
        rows = connection.execute(f"{_ITEMS} ORDER BY key")
        items = {key: Versioned(value, revision) for key, value, revision in rows}
        (revision,) = connection.execute("SELECT revision FROM store").fetchone()
    return Snapshot(items, int(revision))


def salvage(path: Path, starts: Iterable[str] = ()) -> Saved:
    """Read what can be read of a file that may be damaged.

    From both ends, and then from each of ``starts`` both ways: where those keys lie in sound parts of the file, what
    is around them is found as well. Raises StoreUnavailable if the file cannot even be opened as a database.
    """
    found: dict[str, Versioned] = {}
    with _reading(path) as connection:
        is_whole = _scan(connection, found, f"{_ITEMS} ORDER BY key")
        if not is_whole:
            _scan(connection, found, f"{_ITEMS} ORDER BY key DESC")
            for start in starts:
                _scan(connection, found, f"{_ITEMS} WHERE key >= ? ORDER BY key", start)
                _scan(connection, found, f"{_ITEMS} WHERE key < ? ORDER BY key DESC", start)
        revision = max((one.revision for one in found.values()), default=0)
        try:
            (noted,) = connection.execute("SELECT revision FROM store").fetchone()
            revision = max(revision, int(noted))
        except (sqlite3.DatabaseError, TypeError, ValueError):
            is_whole = False
    return Saved(Snapshot(dict(sorted(found.items())), revision), is_whole)


def _scan(connection: sqlite3.Connection, found: dict[str, Versioned], query: str, *given: str) -> bool:
    """Take rows until they are known, damaged or at an end; whether it was the end."""
    try:
        for key, value, revision in connection.execute(query, given):
            if key in found:
                return False
            if not (isinstance(key, str) and isinstance(value, bytes) and isinstance(revision, int)):
                return False
            found[key] = Versioned(value, revision)
    except (sqlite3.DatabaseError, UnicodeDecodeError, OverflowError):
        return False
    return True


def copy(source: Path, target: Path) -> None:
    """Copy a store as it is at one moment, in use or not, into one file; it is there whole or not at all.

    Raises FileExistsError if there is something, StoreUnavailable if the source cannot be read or the target written.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists already: name another file, or move it away")
    with _drafted(target) as draft, _reading(source) as reading, _writing(draft) as writing:
        reading.backup(writing)
        writing.execute("PRAGMA journal_mode = DELETE")  # one file, and no others beside it


def put_in_place(path: Path, snapshot: Snapshot, *, aside: str) -> Path | None:
    """Make a store of ``snapshot`` the one at ``path``, which must be ``held``.

    What was there is kept beside it, its name ending in ``aside``; its path is returned, None if there was nothing.
    """
    with _drafted(path) as draft:
        with _writing(draft) as connection:
            connection.execute("BEGIN IMMEDIATE")
            create_tables(connection, revision=snapshot.revision)
            rows = ((key, one.value, one.revision) for key, one in snapshot.items.items())
            connection.executemany("INSERT INTO item VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
        return _set_aside(path, aside)


def _set_aside(path: Path, aside: str) -> Path | None:
    kept = path.with_name(path.name + aside)
    if not any(Path(f"{path}{part}").exists() for part in _PARTS):
        return None
    for part in reversed(_PARTS):  # the database last: until then it is still there for whoever looks
        former = Path(f"{path}{part}")
        if former.exists():
            former.rename(f"{kept}{part}")
    return kept


@contextlib.contextmanager
def _drafted(target: Path) -> Iterator[Path]:
    """Yield a path to write to, which becomes ``target`` when the block is left without an error."""
    draft = target.with_name(target.name + _DRAFT)
    try:
        for part in (*_PARTS, "-journal"):
            Path(f"{draft}{part}").unlink(missing_ok=True)
        yield draft
        draft.chmod(MODE)
        give_to_owner_of(target.parent, draft)
        draft.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise StoreUnavailable(f"{target}: {error.strerror}: see to the folder, its owner and its space") from error
    finally:
        draft.unlink(missing_ok=True)


def give_to_owner_of(folder: Path, path: Path) -> None:
    """Have what root has made belong to the user that a folder belongs to: root works for the server's user here."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def is_there(path: Path) -> bool:
    """Whether there is such a file. Raises StoreUnavailable if this user may not look."""
    try:
        return path.is_file()
    except PermissionError as error:
        raise StoreUnavailable(f"{path}: {error.strerror}: run this as the user of daos_server, or as root") from error


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not is_there(path):
        raise StoreUnavailable(f"{path}: there is no such file")
    # Where nobody has the file open, it stands still; SQLite would want to make files beside it otherwise.
    still = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    with (
        _translated(path),
        contextlib.closing(
            sqlite3.connect(f"file:{quote(str(path))}?mode=ro{still}", uri=True, isolation_level=None)
        ) as connection,
    ):
        connection.execute("PRAGMA schema_version").fetchone()
        yield connection


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    with _translated(path), contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        yield connection


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError | sqlite3.InterfaceError):
            raise unavailable(path, error) from error
        raise damaged(path, str(error)) from error
