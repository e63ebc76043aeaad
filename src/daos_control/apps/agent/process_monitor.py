"""Gives back the pool handles of clients that died without doing so.

Clients report the handles they open and close. When a process ends with handles open, they are evicted from their
pools through the management service.

Deaths come in crowds (a whole job is killed), so evictions are collected for each pool: what dies while one call is
under way waits for the next. Reports are never held up by an eviction. An eviction that fails is logged and dropped;
its call has been repeated for as long as that made sense.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from daos_control.apps.agent.process_watch import Watch
from daos_control.base import aio, logs
from daos_control.base.errors import DaosControlError

log = logs.get(__name__)

MAX_HANDLES = 4096
"""Handles one process may have open: no sane program comes near, and no insane one can fill our memory."""

Evict: TypeAlias = Callable[[UUID, frozenset[UUID]], Awaitable[None]]


class TooManyHandles(Exception):
    """A process reports more open pool handles than the agent keeps."""


@dataclass(slots=True)
class _Client:
    """A process and what it has open."""

    name: str
    handles: set[tuple[UUID, UUID]] = field(default_factory=set)


class ProcessMonitor:
    """What local clients have open, and what becomes of it. Made by ``process_monitor``."""

    def __init__(self, group: asyncio.TaskGroup, *, evict: Evict, watch: Watch, name_of: Callable[[int], str]) -> None:
        self._group = group
        self._evict = evict
        self._watch = watch
        self._name_of = name_of
        self._clients: dict[int, _Client] = {}
        self._waiting: dict[UUID, set[UUID]] = {}  # by pool; a pool is listed while its evictions are under way
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def opened(self, pid: int, pool: UUID, handle: UUID) -> None:
        """Note that a process has opened a handle; if it is dead already, evict the handle at once.

        Raises TooManyHandles.
        """
        if pid <= 0:
            log.notice("cannot watch a client of another pid namespace: its pool handles stay if it dies", pool=pool)
            return
        client = self._clients.get(pid)
        if client is None:
            client = _Client(self._name_of(pid))
            try:
                self._watch.start(pid, self._ended)
            except ProcessLookupError:
                self._give_back({(pool, handle)}, reason="client died", pid=pid)
                return
            self._clients[pid] = client
        if len(client.handles) >= MAX_HANDLES:
            raise TooManyHandles(f"process {pid} ({client.name}) has {MAX_HANDLES} pool handles open")
        client.handles.add((pool, handle))

    def closed(self, pid: int, pool: UUID, handle: UUID) -> None:
        """Note that a process has closed a handle; of unknown ones there is nothing to note."""
        client = self._clients.get(pid)
        if client is None:
            return
        client.handles.discard((pool, handle))
        if not client.handles:
            self._watch.stop(pid)
            del self._clients[pid]

    def exiting(self, pid: int) -> None:
        """Evict what a process leaves open; it says that it is done with DAOS."""
        if pid in self._clients:
            self._watch.stop(pid)
            self._leave(pid, reason="client left pool handles open")

    async def flush(self) -> None:
        """Evict everything that is open, forget all processes, and wait until that is done."""
        handles: set[tuple[UUID, UUID]] = set()
        for pid in list(self._clients):
            self._watch.stop(pid)
            handles |= self._clients.pop(pid).handles
        self._give_back(handles, reason="flushing pool handles")
        await self._idle.wait()

    def abandon(self) -> None:
        """Give up the evictions under way; the servers will be left with those handles."""
        for task in self._tasks:
            task.cancel()

    def _ended(self, pid: int) -> None:
        self._leave(pid, reason="client died with pool handles open")

    def _leave(self, pid: int, *, reason: str) -> None:
        client = self._clients.pop(pid)
        self._give_back(client.handles, reason=reason, pid=pid, name=client.name)

    def _give_back(self, handles: Iterable[tuple[UUID, UUID]], *, reason: str, **about: object) -> None:
        by_pool: dict[UUID, set[UUID]] = {}
        for pool, handle in handles:
            by_pool.setdefault(pool, set()).add(handle)
        for pool, of_pool in by_pool.items():
            log.info(reason, pool=pool, handles=len(of_pool), **about)
            if pool in self._waiting:
                self._waiting[pool] |= of_pool
            else:
                self._waiting[pool] = of_pool
                self._idle.clear()
                task = self._group.create_task(self._evict_from(pool), name=f"evict from {pool}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _evict_from(self, pool: UUID) -> None:
        try:
            while handles := self._waiting[pool]:
                self._waiting[pool] = set()
                try:
                    await self._evict(pool, frozenset(handles))
                except DaosControlError as error:
                    log.error(f"cannot evict pool handles: {error}", pool=pool, handles=len(handles))
        finally:
            del self._waiting[pool]
            if not self._waiting:
                self._idle.set()


@asynccontextmanager
async def process_monitor(
    *, evict: Evict, watch: Watch, name_of: Callable[[int], str]
) -> AsyncIterator[ProcessMonitor]:
    """Own the evictions for the length of a block; leaving it abandons those still under way."""
    async with aio.task_scope() as group:
        monitor = ProcessMonitor(group, evict=evict, watch=watch, name_of=name_of)
        try:
            yield monitor
        finally:
            monitor.abandon()
