"""A system without any sockets: a real management service, and engines that are no more than what they know.

For ``testing.virtual_time``, where hours of it take milliseconds. Engines join, die, are noticed by others after a
while, learn that they were left out and come back; what the store and the engines take for their work is time of the
loop. Everything that happens by chance follows from the seed.

::

    async with in_memory(2048, seed=1) as system:
        await system.join_all(within_s=4.0)
        system.die(range(1, 513))
        await asyncio.sleep(60)
        assert system.unserved == 0
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from daos_control.base import aio
from daos_control.base.rankset import NIL_RANK
from daos_control.mgmt.rules.membership import JoinRequest
from daos_control.mgmt.service import Management
from daos_control.model.event import Event, EventId, EventType, Severity, timestamp
from daos_control.net.drpc import methods as drpc
from daos_control.net.rpc.methods import Method
from daos_control.store.api import Leadership
from daos_control.store.memory import MemoryStore
from daos_control.testing.data_plane import CapturedEvents, FakePremises
from daos_control.testing.management import some_settings
from daos_control.wire.pb.mgmt import svc_pb2

COMMIT_S = 0.003
"""What a commit takes: a disk that is no faster than most."""
PUSH_S = 0.03
"""What an engine takes to take a large group map."""
NOTICE_S = (6.0, 8.0)
"""From a death to the reports of it: the time of suspicion, and when it began."""
RETURN_S = (2.0, 20.0)
"""From an engine's end to its next start, where there is one."""
WITNESSES = 3


class LoopClock:
    """A ``base.clock.Clock`` that goes by the event loop's time."""

    def now(self) -> datetime:
        """Return the loop's time, as if it had begun with a year."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the loop's time."""
        return asyncio.get_running_loop().time()


class SlowStore(MemoryStore):
    """A store whose commits take their time."""

    async def commit(
        self,
        writes: Mapping[str, bytes | None],
        *,
        expect: Mapping[str, int] | None = None,
        fence: Leadership | None = None,
    ) -> int:
        """Write all or nothing, a little later."""
        await asyncio.sleep(COMMIT_S)
        return await super().commit(writes, expect=expect, fence=fence)


@dataclass(slots=True, kw_only=True)
class Engine:
    """One engine; it may be down."""

    number: int
    incarnation: int = 0
    """0 before its first start; it grows with every one."""
    rank: int | None = None
    up: bool = False
    serves_from: int = 0
    """The map version that it joined with."""

    @property
    def uuid(self) -> str:
        """Who it is, whatever rank it has."""
        return f"00000000-0000-4000-8000-{self.number:012}"

    @property
    def host(self) -> str:
        """Its host's address; two engines share one."""
        block, place = divmod(self.number // 2, 250)
        return f"10.0.{block}.{place + 1}"


class InMemorySystem:
    """The engines, as data plane and as neighbours of each other. Made by ``in_memory``.

    ``comes_back`` says whether engines that were left out of a map start again by themselves.
    """

    def __init__(self, ranks: int, seed: int, tasks: asyncio.TaskGroup) -> None:
        self.engines = [Engine(number=number) for number in range(ranks)]
        self.store = SlowStore()
        self.maps: list[tuple[int, frozenset[int]]] = []
        """Versions and ranks of all group maps that were pushed, in order."""
        self.comes_back = True
        self.random = Random(seed)  # noqa: S311
        self.management = Management(
            settings=some_settings(),
            data_plane=self,
            hosts=NoHosts(),
            premises=FakePremises(),
            events=CapturedEvents(),
            clock=LoopClock(),
        )
        self._tasks = tasks

    @property
    def ranks(self) -> list[int]:
        """The ranks of the engines of the leader's host."""
        return [engine.rank for engine in self.engines[:2] if engine.rank is not None]

    @property
    def unserved(self) -> int:
        """How many engines that are up are not in the newest map."""
        newest = self.maps[-1][1] if self.maps else frozenset()
        return sum(engine.up and engine.rank not in newest for engine in self.engines)

    @property
    def by_rank(self) -> dict[int, Engine]:
        """Engines that have a rank."""
        return {engine.rank: engine for engine in self.engines if engine.rank is not None}

    async def join_all(self, *, within_s: float) -> None:
        """Start all engines that are down, at moments that are spread over some time; returns when all have joined."""
        async with asyncio.TaskGroup() as group:
            for engine in self.engines:
                if not engine.up:
                    group.create_task(self.start(engine, after_s=self.random.uniform(0, within_s)))

    async def start(self, engine: Engine, *, after_s: float = 0.0) -> None:
        """Start an engine and have it join."""
        await asyncio.sleep(after_s)
        if engine.up:
            return
        engine.incarnation += 1
        engine.up = True
        mine = engine.incarnation
        request = JoinRequest(
            uuid=engine.uuid,
            addr=f"{engine.host}:10001",
            uri=f"ofi+tcp://{engine.host}:{31416 + engine.number % 2}",
            contexts=3,
            fault_domain=f"/{engine.host}",
            index=1,
            incarnation=engine.incarnation,
            rank=NIL_RANK if engine.rank is None else engine.rank,
        )
        joined, _ = await self.management.join(request)
        if engine.incarnation == mine:
            engine.rank, engine.serves_from = joined.member.rank, joined.map_version

    def die(self, ranks: Iterable[int]) -> int:
        """Kill engines at the same moment; their hosts tell of it at once, others when they have noticed."""
        by_rank = self.by_rank
        dead = [by_rank[rank] for rank in ranks if rank in by_rank and by_rank[rank].up]
        for engine in dead:
            engine.up = False
            self._tasks.create_task(self._tell(engine, EventId.ENGINE_DIED, 0.0, engine.incarnation))
            noticed_s = self.random.uniform(*NOTICE_S)
            for _ in range(WITNESSES):
                delay_s = noticed_s + self.random.uniform(0, 0.2)
                self._tasks.create_task(self._tell(engine, EventId.SWIM_RANK_DEAD, delay_s, engine.incarnation))
        return len(dead)

    async def _tell(self, engine: Engine, what: EventId, delay_s: float, incarnation: int) -> None:
        await asyncio.sleep(delay_s)
        if engine.rank is None:
            return
        event = Event(
            id=what,
            type=EventType.STATE_CHANGE,
            severity=Severity.NOTICE,
            message=what.name,
            timestamp=timestamp(LoopClock().now()),
            hostname=engine.host,
            rank=engine.rank,
            incarnation=incarnation,
        )
        if not self.management.debounced(event):
            await self.management.on_event(event)

    # The data plane, and the hosts

    async def call(self, method: drpc.Method[Any, Any], request: Any, /, *, timeout_s: float | None = None) -> Any:
        """Take a group map, in time; it must be newer than the last one."""
        del timeout_s
        await asyncio.sleep(PUSH_S)
        if method != drpc.Mgmt.GROUP_UPDATE:
            return method.reply()
        if self.maps and request.map_version <= self.maps[-1][0]:
            raise AssertionError(f"map {request.map_version} came after {self.maps[-1][0]}")
        ranks = frozenset(member.rank for member in request.engines)
        self.maps.append((request.map_version, ranks))
        for engine in self.engines:
            left_out = engine.up and engine.rank is not None and engine.rank not in ranks
            if left_out and engine.serves_from <= request.map_version:
                engine.up = False
                if self.comes_back:
                    self._tasks.create_task(self.start(engine, after_s=self.random.uniform(*RETURN_S)))
        return svc_pb2.GroupUpdateResp()

    async def set_up(self, instance: int, rank: int, map_version: int, /) -> None:
        """Take note of nothing: no engine of this system is the service's own first one."""

    async def usable(self) -> None:
        """Return at once."""


class NoHosts:
    """Orders to hosts are no part of this."""

    async def reach(self, address: str, /, *, timeout_s: float | None = None) -> None:
        """Refuse."""
        raise NotImplementedError(f"connecting to {address} within {timeout_s}")

    async def call(self, address: str, method: Method, request: Any, /, *, timeout_s: float | None = None) -> Any:
        """Refuse."""
        raise NotImplementedError(f"{method.name} to {address} within {timeout_s}: {request}")


@asynccontextmanager
async def in_memory(ranks: int, *, seed: int) -> AsyncIterator[InMemorySystem]:
    """Run a system of so many engines, all down at first, for the length of a block."""
    async with aio.background() as service, asyncio.TaskGroup() as group:
        system = InMemorySystem(ranks, seed, group)
        service.start("management", system.management.run(system.store))
        while not system.management.leading:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(COMMIT_S)
        yield system
