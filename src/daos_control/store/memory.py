"""A store in memory, for tests: as inconvenient as the real ones.

It yields before every answer, so that races which a real backend would show are seen here too, and it
fails on request: the next commits can be made to conflict, to be lost, to hang, or to be *uncertain*,
that is written although the caller is told that they failed.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from daos_control.store.api import (
    Conflict,
    Leadership,
    LostLeadership,
    Snapshot,
    Update,
    Versioned,
)
from daos_control.store.elections import Elections, election_key
from daos_control.store.feed import Feed


class MemoryStore:
    """Keeps everything in a dictionary; survives as long as the object does."""

    def __init__(self) -> None:
        self._items: dict[str, Versioned] = {}
        self._revision = 0
        self._feed = Feed(start=0)
        self._elections = Elections(self.lease)
        self._failures: deque[tuple[Exception, bool]] = deque()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self.commits = 0
        """Successful commits so far: what group commit is measured by."""

    def fail_next(self, error: Exception, *, written: bool = False) -> None:
        """Make the next commit raise ``error``; with ``written`` the data is stored all the same."""
        self._failures.append((error, written))

    def hold(self) -> None:
        """Let commits hang until ``release``."""
        self._flowing.clear()

    def release(self) -> None:
        """Let held commits go on."""
        self._flowing.set()

    def depose(self, name: str) -> None:
        """Take the leadership of ``name`` away from whoever has it, as a rival elected elsewhere would."""
        self._apply({election_key(name): b"somebody else"})

    async def get(self, prefix: str) -> Snapshot:
        """Return everything under ``prefix``."""
        await asyncio.sleep(0)
        items = {key: self._items[key] for key in sorted(self._items) if key.startswith(prefix)}
        return Snapshot(items, self._revision)

    async def commit(
        self,
        writes: Mapping[str, bytes | None],
        *,
        expect: Mapping[str, int] | None = None,
        fence: Leadership | None = None,
    ) -> int:
        """Write all or nothing."""
        await asyncio.sleep(0)
        await self._flowing.wait()
        if self._failures:
            error, written = self._failures.popleft()
            if written:
                self._apply(writes)
            raise error
        if fence is not None and self._current(fence.key) != fence.revision:
            raise LostLeadership(fence.key)
        for key, revision in (expect or {}).items():
            if self._current(key) != revision:
                raise Conflict(key)
        self.commits += 1
        return self._apply(writes)

    def watch(self, prefix: str, after: int) -> AsyncIterator[Update]:
        """Yield later commits that touch ``prefix``."""
        return self._feed.watch(prefix, after)

    def lead(self, name: str, candidate: str) -> AbstractAsyncContextManager[Leadership]:
        """Wait for the election of ``name`` to be free, then hold it."""
        return self._elections.lead(name, candidate)

    @asynccontextmanager
    async def lease(self, writes: Mapping[str, bytes], ttl_s: float) -> AsyncIterator[int]:
        """Write keys that are gone on exit; a holder cannot die without the store, so nothing ever runs out."""
        await asyncio.sleep(0)
        revision = self._apply(dict(writes))
        try:
            yield revision
        finally:
            self._apply({key: None for key in writes if self._current(key) == revision})

    async def aclose(self) -> None:
        """End the watches; the contents stay, as on a disk."""
        self._feed.close()
        self._feed = Feed(start=self._revision)

    def _current(self, key: str) -> int:
        held = self._items.get(key)
        return held.revision if held else 0

    def _apply(self, writes: Mapping[str, bytes | None]) -> int:
        self._revision += 1
        for key, value in writes.items():
            if value is None:
                self._items.pop(key, None)
            else:
                self._items[key] = Versioned(value, self._revision)
        self._feed.publish(Update(self._revision, dict(writes)))
        return self._revision
