"""What ``daos_server ms`` does: looks after the database of this host's replica of the management service.

Whatever replaces the database keeps the former one beside it. A database that takes up where another has ended goes on
with a version of the group map that no engine has seen; see ``mgmt.upkeep``.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from daos_control.apps.server import addresses, parts
from daos_control.apps.server.replica import FOLDER_MODE, STORE_FILE
from daos_control.base.errors import DaosControlError
from daos_control.config.server import ServerConfig
from daos_control.config.validation import validated
from daos_control.engine import superblock
from daos_control.host import locks
from daos_control.host.lock import LOCK_NAME
from daos_control.mgmt import upkeep
from daos_control.mgmt.upkeep import Summary
from daos_control.store import upkeep as files
from daos_control.store.api import StoreUnavailable
from daos_control.store.sqlite import lock_path
from daos_control.store.upkeep import Health


class UpkeepError(DaosControlError):
    """It cannot be done; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """This host's replica, as it is configured."""

    address: str
    peers: tuple[str, ...]
    database: Path
    socket_dir: Path

    @property
    def holder(self) -> int | None:
        """The process that has the database open, or the socket directory; None if nobody has."""
        for path in (lock_path(self.database), self.socket_dir / LOCK_NAME):
            with contextlib.suppress(OSError):
                if pid := locks.holder(path):
                    return pid
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a replica's database is, and what it holds."""

    replica: Replica
    holder: int | None
    health: Health | None
    """None if there is no database."""
    summary: Summary | None
    problem: str = ""
    """Why there is no summary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a database."""

    summary: Summary
    kept: Path | None
    """Where the former one is; None if there was none."""
    lost: tuple[str, ...] = ()
    """Keys whose values made no sense."""
    is_whole: bool = True
    """Whether all of the former one could be read."""


P = ParamSpec("P")
T = TypeVar("T")


def _told(function: Callable[P, T]) -> Callable[P, T]:
    """Make the store's errors those of upkeep: the store has its own tree of them."""

    @wraps(function)
    def telling(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except StoreUnavailable as error:
            raise UpkeepError(str(error)) from error

    return telling


def locate(config: ServerConfig, *, control_address: str = "") -> Replica:
    """Return this host's replica. Raises UpkeepError if it has none, and what ``validated`` and ``settle`` raise.

    ``control_address`` is what the server is started with, of several hosts that one machine plays.
    """
    config = validated(config)
    settled = addresses.settle(
        replicas=config.mgmt_svc_replicas,
        port=config.port,
        control_address=control_address,
        control_iface=config.control_iface,
    )
    if settled.replica is None:
        raise UpkeepError(
            "this host is no replica of the management service: run this on one of "
            f"{', '.join(settled.replicas)} (mgmt_svc_replicas)"
        )
    if not config.engines:
        raise UpkeepError(
            "the configuration has no engines, and the database lies on the storage of the first: name a complete "
            "configuration with -o"
        )
    return Replica(
        address=settled.replica,
        peers=tuple(one for one in settled.replicas if one != settled.replica),
        database=parts.store_folder(config) / STORE_FILE,
        socket_dir=Path(config.socket_dir),
    )


@_told
def status(replica: Replica) -> Status:
    """Look at the database, in use or not. Raises UpkeepError if it may not be looked at."""
    if not files.is_there(replica.database):
        return Status(replica=replica, holder=replica.holder, health=None, summary=None)
    health = files.examine(replica.database)
    summary, problem = None, ""
    try:
        summary = upkeep.summary(files.read(replica.database))
    except StoreUnavailable as error:
        problem = str(error)
    return Status(replica=replica, holder=replica.holder, health=health, summary=summary, problem=problem)


@_told
def backup(replica: Replica, target: Path) -> Summary:
    """Copy the database into a file, whether it is in use or not, and see that the copy is good.

    Raises FileExistsError, UpkeepError.
    """
    files.copy(replica.database, target)
    return check(target)


@_told
def check(path: Path) -> Summary:
    """Return what a backup holds. Raises UpkeepError if nothing can be restored from it; OSError."""
    if path.is_file() and not files.is_database(path):
        raise UpkeepError(f"{path} is no backup of a system: name a file that daos_server ms backup wrote")
    health = files.examine(path)
    if not health.is_sound:
        raise UpkeepError(f"{path} is damaged ({health.verdict}): take an older backup")
    summary = upkeep.summary(files.read(path))
    if not summary.ranks:
        raise UpkeepError(f"{path} holds a system without ranks: there is nothing to restore from it")
    return summary


@_told
def recover(replica: Replica) -> Outcome:
    """Make a sound database of what can be read of the present one. Raises UpkeepError."""
    with _alone(replica):
        refuse_without_database(replica)
        saved = files.salvage(replica.database, upkeep.likely_keys())
        lost = upkeep.unreadable(saved.snapshot)
        readable = upkeep.without(saved.snapshot, lost)
        if not upkeep.summary(readable).ranks:
            raise UpkeepError(
                f"no member of a system can be read from {replica.database}: use daos_server ms restore with a backup"
            )
        snapshot = upkeep.for_a_new_life(readable)
        kept = files.put_in_place(replica.database, snapshot, aside=_aside("recover"))
        return Outcome(summary=upkeep.summary(snapshot), kept=kept, lost=lost, is_whole=saved.is_whole)


@_told
def restore(replica: Replica, source: Path) -> Outcome:
    """Put what a backup holds in the place of the database. Raises UpkeepError."""
    check(source)
    mount = replica.database.parent.parent
    if not (mount / superblock.FILE_NAME).exists():
        raise UpkeepError(
            f"the storage of the first engine, {mount}, is not formatted, and a format would remove the database "
            "again: start daos_server, run dmg storage format, stop it, and restore then"
        )
    if not replica.database.parent.exists():
        replica.database.parent.mkdir(mode=FOLDER_MODE)
        files.give_to_owner_of(mount, replica.database.parent)
    with _alone(replica):
        snapshot = upkeep.for_a_new_life(files.read(source), seen=_map_version_of(replica.database))
        kept = files.put_in_place(replica.database, snapshot, aside=_aside("restore"))
    return Outcome(summary=upkeep.summary(snapshot), kept=kept)


@_told
def refuse_without_database(replica: Replica) -> None:
    """Raise UpkeepError if there is no database."""
    if not files.is_there(replica.database):
        raise UpkeepError(
            f"there is no {replica.database}: nothing to recover; with a backup, use daos_server ms restore"
        )


def refuse_if_running(replica: Replica) -> None:
    """Raise UpkeepError if a server runs with this database."""
    if pid := replica.holder:
        raise UpkeepError(f"a daos_server (pid {pid}) runs with this database: stop it first")


@contextlib.contextmanager
def _alone(replica: Replica) -> Iterator[None]:
    """Keep servers away. Raises UpkeepError if one runs."""
    refuse_if_running(replica)
    with files.held(replica.database):
        yield


def _map_version_of(database: Path) -> int:
    """Return the version of the group map that a database told last, as far as it can be read."""
    if not database.is_file():
        return 0
    try:
        saved = files.salvage(database, upkeep.likely_keys())
    except StoreUnavailable:
        return 0
    return upkeep.map_version(saved.snapshot)


def _aside(why: str) -> str:
    return f".before-{why}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
