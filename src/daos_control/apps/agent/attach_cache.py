"""Keeps the attach info: one call to the management service serves every client that asks meanwhile.

The cache is filled on demand. While a call is under way, other clients wait for its outcome, good or bad;
a failure is told to those who waited and then forgotten. There is no refresh in the background: a changed
rank table reaches clients when the entry has aged, or on request (SIGUSR2).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from daos_control.apps.agent.attach_info import AttachInfo
from daos_control.base import logs
from daos_control.base.clock import Clock

log = logs.get(__name__)

Fetch: TypeAlias = Callable[[], Awaitable[AttachInfo]]


class AttachInfoCache:
    """The attach info of the agent's system."""

    def __init__(self, fetch: Fetch, *, clock: Clock, enabled: bool = True, max_age_s: float = 0) -> None:
        """``max_age_s`` 0 keeps an entry for ever; a cache that is not enabled fetches each time."""
        self._fetch = fetch
        self._clock = clock
        self._enabled = enabled
        self._max_age_s = max_age_s
        self._lock = asyncio.Lock()
        self._info: AttachInfo | None = None
        self._fetched_at = 0.0
        self._attempts = 0
        self._failure: Exception | None = None

    @property
    def enabled(self) -> bool:
        """Whether anything is ever kept."""
        return self._enabled

    async def get(self) -> AttachInfo:
        """Return fresh attach info, fetching it if need be. Raises what the fetch raises."""
        if not self._enabled:
            return await self._fetch()
        if self._info is not None and self._is_fresh():
            return self._info
        attempts_seen = self._attempts
        async with self._lock:
            if self._info is not None and self._is_fresh():
                return self._info
            if self._failure is not None and self._attempts > attempts_seen:
                raise self._failure
            return await self._fill()

    async def refresh(self) -> None:
        """Fetch anew what was fetched before; on failure the old entry stays. Raises what the fetch raises."""
        if not self._enabled or self._info is None:
            return
        async with self._lock:
            await self._fill()

    async def _fill(self) -> AttachInfo:
        """Fetch while holding the lock."""
        try:
            info = await self._fetch()
        except Exception as error:  # whatever it is, those who wait for this very attempt get it too
            self._failure = error
            raise
        finally:
            self._attempts += 1
        self._failure = None
        self._info = info
        self._fetched_at = self._clock.monotonic()
        log.debug("attach info cached", bytes=len(info.common), provider=info.provider)
        return info

    def _is_fresh(self) -> bool:
        return not self._max_age_s or self._clock.monotonic() - self._fetched_at <= self._max_age_s
