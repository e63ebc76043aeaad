"""The store's port: five operations that memory, SQLite and etcd all offer alike.

Keys are ``/``-separated text, values bytes. Every commit has a *revision*, a number that only grows; a
key's revision is that of the commit that wrote it last, and 0 stands for "absent". Contract tests
(``tests/contract/test_store.py``) hold every backend to what is written here.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


class StoreError(Exception):
    """The store could not do what was asked; nothing was changed."""


class Conflict(StoreError):
    """An expected revision was not current: somebody wrote first. Look again and decide anew."""


class LostLeadership(StoreError):
    """The election key this commit was fenced by is held by somebody else now."""


class Compacted(StoreError):
    """A watch asked for commits that are no longer kept: get the present state and watch from there."""

    def __init__(self, after: int, kept_after: int) -> None:
        super().__init__(f"commits after revision {after} were asked for; those up to {kept_after} are no longer kept")


class StoreUnavailable(StoreError):
    """The backend does not answer, is full, or its data is damaged; the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """A value and the revision of the commit that wrote it."""

    value: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What ``get`` saw: a consistent picture as of ``revision``."""

    items: Mapping[str, Versioned]
    revision: int


@dataclass(frozen=True, slots=True)
class Update:
    """One commit as watchers see it: keys with their new values, None where deleted."""

    revision: int
    writes: Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Leadership:
    """Proof of being leader: pass it to ``commit`` to be refused once it is no longer true."""

    key: str
    revision: int


class Store(Protocol):
    """Implemented by ``memory`` and ``sqlite``; safe to use from one event loop."""

    async def get(self, prefix: str) -> Snapshot:
        """Return everything under ``prefix`` at one moment, keys in order."""
        ...

    async def commit(
        self,
        writes: Mapping[str, bytes | None],
        *,
        expect: Mapping[str, int] | None = None,
        fence: Leadership | None = None,
    ) -> int:
        """Write all or nothing; return the new revision once it is durable.

        ``None`` deletes. Raises Conflict unless every key of ``expect`` has just that revision, and
        LostLeadership unless ``fence`` still holds.
        """
        ...

    def watch(self, prefix: str, after: int) -> AsyncIterator[Update]:
        """Yield every commit that touches ``prefix`` with a revision above ``after``, in order, without gaps.

        Raises Compacted when that cannot be done; ends when the store is closed.
        """
        ...

    def lead(self, name: str, candidate: str) -> AbstractAsyncContextManager[Leadership]:
        """Wait to become the leader of ``name``; on exit the leadership is given up.

        ``candidate`` is the value of the election key ``election/<name>``, where others read who leads.
        """
        ...

    def lease(self, writes: Mapping[str, bytes], ttl_s: float) -> AbstractAsyncContextManager[int]:
        """Write keys that last as long as their holder does, and yield the revision they were written with.

        They are gone on exit, and at the latest ``ttl_s`` after the holder's process has died, whatever it died of.
        What somebody else has written under these keys meanwhile stays. Election keys are held this way.
        """
        ...

    async def aclose(self) -> None:
        """Release files, threads and connections; calls still under way are finished first."""
        ...
