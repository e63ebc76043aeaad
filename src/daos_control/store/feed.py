"""Commits on their way to watchers: a bounded history, and whoever waits at its end."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from daos_control.store.api import Compacted, Update


class Feed:
    """Remembers the last ``keep`` commits, so that a watcher who starts a little late misses nothing."""

    def __init__(self, *, start: int, keep: int = 4096) -> None:
        self._history: deque[Update] = deque(maxlen=keep)
        self._complete_after = start
        self._news = asyncio.Event()
        self._closed = False

    def publish(self, update: Update) -> None:
        """Hand one commit to every watcher; revisions must come in order."""
        if len(self._history) == self._history.maxlen:
            self._complete_after = self._history[0].revision
        self._history.append(update)
        self._wake()

    def close(self) -> None:
        """End every watch after what was already published."""
        self._closed = True
        self._wake()

    async def watch(self, prefix: str, after: int) -> AsyncIterator[Update]:
        """Yield commits above ``after`` that touch ``prefix``, reduced to the keys under it."""
        while True:
            if after < self._complete_after:
                raise Compacted(after, self._complete_after)
            news = self._news
            for update in [update for update in self._history if update.revision > after]:
                after = update.revision
                writes = {key: value for key, value in update.writes.items() if key.startswith(prefix)}
                if writes:
                    yield Update(update.revision, writes)
            if self._closed:
                return
            if news is self._news:
                await news.wait()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
