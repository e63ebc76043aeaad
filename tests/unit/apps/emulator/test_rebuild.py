"""Rebuilds that take their time, fail, are stopped, or lose the engine that leads them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from daos_control.apps.emulator import properties, ras
from daos_control.apps.emulator.chores import chores
from daos_control.apps.emulator.pool import (
    AddObjects,
    ChangeTargets,
    Command,
    PoolRecord,
    Query,
    SetProperties,
    new_record,
)
from daos_control.apps.emulator.pool_map import Operation, TargetState
from daos_control.apps.emulator.rebuild import BUSY, DONE, IDLE, RECORDS, Caretaker
from daos_control.apps.emulator.replicas import DomainTree
from daos_control.apps.emulator.services import Outcome, Services, Write
from daos_control.apps.emulator.space import Size
from daos_control.apps.emulator.storage import Shard, Store
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.testing.virtual_time import in_virtual_time

UUID = "1e9e8d43-59dd-42ac-8843-6de1f5513952"
OBJECTS = 40
"""On each of the two targets."""
DRAIN = ChangeTargets(operation=Operation.DRAIN, rank=1)
EXCLUDE = ChangeTargets(operation=Operation.EXCLUDE, rank=1)
REINTEGRATE = ChangeTargets(operation=Operation.REINTEGRATE, rank=1)


def healing(policy: int) -> SetProperties:
    return SetProperties({properties.SELF_HEAL: policy})


DELAYED = healing(properties.SELF_HEAL_EXCLUDE | properties.SELF_HEAL_DELAY_REBUILD)


class OneReplica:
    """An engine that is its pool's only replica, and a server that listens."""

    rank = 0

    def __init__(self, folder: Path) -> None:
        self.told: list[tuple[int, str]] = []
        self.midway: Callable[[], Any] = lambda: asyncio.sleep(0)
        self.store = Store(folder, scm_bytes=1 << 20)
        self.store.load()
        self.store.create_shard(UUID, Shard(size=Size(scm=100, nvme=0), targets=1))
        self.caretaker: Caretaker
        self.services = Services(self.store, self, patience_s=1, on_lead=self._lead, on_change=self._change)
        self.services.open = True

    def _lead(self, record: PoolRecord) -> None:
        self.caretaker.lead(record)

    def _change(self, before: PoolRecord, after: PoolRecord) -> None:
        self.caretaker.change(before, after)

    def usable(self, rank: int) -> bool:
        return rank == self.rank

    async def ask(self, _: int, request: msgspec.Struct, __: type[Any], *, timeout_s: float) -> Any:
        handler: Any = self.services.on_write if isinstance(request, Write) else self.services.on_read
        return await handler(request)

    async def self_heal(self, _: str) -> set[str]:
        await asyncio.sleep(0)
        return {"pool_exclude", "pool_rebuild"}

    async def event(self, event: Any, *, wait: bool) -> None:
        await asyncio.sleep(0)
        self.told.append((event.id, event.str_info.partition("op: ")[2]))

    async def in_the_middle(self) -> None:
        await self.midway()

    async def do(self, command: Command) -> Outcome:
        return await self.services.lead(UUID, command)

    async def stop(self) -> None:
        self.caretaker.stop(self.services.records[UUID])

    async def until(self, so: Callable[[Outcome], bool]) -> Outcome:
        """Look until the rebuild is as wanted."""
        async with asyncio.timeout(10):
            while True:
                seen = await self.do(Query())
                if so(seen):
                    return seen
                await asyncio.sleep(0.001)

    async def until_settled(self) -> Outcome:
        return await self.until(lambda seen: seen.rebuild.state != BUSY)

    def targets(self, rank: int) -> TargetState:
        return self.services.records[UUID].map.engine(rank).targets[0]


@asynccontextmanager
async def engine(folder: Path, *, phase_s: float = 0.02) -> AsyncIterator[OneReplica]:
    async with chores() as work:
        one = OneReplica(folder)
        one.caretaker = Caretaker(
            one.services,
            one,  # type: ignore[arg-type]  # it listens as a server does
            work,
            group="daos_server",
            rank=lambda: 0,
            phase_s=phase_s,
            midway=one.in_the_middle,
        )
        tree = DomainTree({0: 1, 1: 2}, count=2)
        record = new_record(UUID, given={1: "p0", 19: 0}, entries=[], tree=tree, targets=1)
        await one.services.on_write(Write(msgspec.structs.replace(record, replicas=(0,))))
        await one.do(AddObjects(2 * OBJECTS))
        yield one


async def fail() -> None:
    await asyncio.sleep(0)
    raise DaosError(Der.NOSPACE)


REBUILD = [
    (ras.Event.REBUILD_STARTED, "[Rebuild]"),
    (ras.Event.REBUILD_FINISHED, "[Rebuild]"),
    (ras.Event.REBUILD_STARTED, "[Reclaim]"),
    (ras.Event.REBUILD_FINISHED, "[Reclaim]"),
]


async def test_a_rebuild_moves_more_and_more_and_then_reclaims(tmp_path: Path) -> None:
    async with engine(tmp_path) as one:
        await one.do(DRAIN)
        some = await one.until(lambda seen: 0 < seen.rebuild.objects < OBJECTS)
        assert (some.rebuild.state, some.rebuild.records) == (BUSY, RECORDS * some.rebuild.objects)
        done = await one.until_settled()
        assert (done.rebuild.state, done.rebuild.status, done.rebuild.objects) == (DONE, 0, OBJECTS)
        assert one.targets(1) is TargetState.DOWN_OUT
        assert [told for told in one.told if told[1]] == REBUILD


async def test_a_rebuild_that_fails_brings_nothing(tmp_path: Path) -> None:
    async with engine(tmp_path) as one:
        one.midway = fail
        await one.do(DRAIN)
        failing = await one.until(lambda seen: seen.rebuild.status != 0)
        assert failing.rebuild.state == BUSY
        failed = await one.until_settled()
        assert (failed.rebuild.state, failed.rebuild.status) == (DONE, Der.NOSPACE)
        assert 0 < failed.rebuild.objects < OBJECTS
        assert one.targets(1) is TargetState.UP_IN
        assert (ras.Event.REBUILD_FAILED, "[Rebuild]") in one.told
        assert one.told[-1] == (ras.Event.REBUILD_FINISHED, "[Fail_reclaim]")


async def test_what_is_lost_stays_lost_until_a_rebuild_of_it_succeeds(tmp_path: Path) -> None:
    async with engine(tmp_path) as one:
        one.midway = fail
        await one.do(EXCLUDE)
        await one.until_settled()
        assert one.targets(1) is TargetState.DOWN
        one.midway = lambda: asyncio.sleep(0)
        one.caretaker.start(one.services.records[UUID])
        assert (await one.until_settled()).rebuild.status == 0
        assert one.targets(1) is TargetState.DOWN_OUT


async def test_a_delayed_rebuild_waits_for_another_policy_even_when_it_is_asked_for(tmp_path: Path) -> None:
    async with engine(tmp_path) as one:
        await one.do(DELAYED)
        await one.do(EXCLUDE)
        one.caretaker.start(one.services.records[UUID])
        delayed = await one.do(Query())
        assert (delayed.rebuild.state, delayed.rebuild.degraded) == (BUSY, True)
        assert not one.services.leading[UUID].rebuilding
        await one.do(healing(properties.SELF_HEAL_EXCLUDE))
        assert not one.services.leading[UUID].rebuilding
        one.caretaker.start(one.services.records[UUID])
        await one.until_settled()
        assert one.targets(1) is TargetState.DOWN_OUT


async def test_a_delayed_rebuild_is_done_with_the_next_one_that_is_not(tmp_path: Path) -> None:
    async with engine(tmp_path) as one:
        await one.do(DELAYED)
        await one.do(EXCLUDE)
        await one.do(REINTEGRATE)
        await one.until_settled()
        assert one.targets(1) is TargetState.UP_IN


def test_a_rebuild_that_is_stopped_takes_a_moment_and_is_idle_then(tmp_path: Path) -> None:
    async def play() -> None:
        async with engine(tmp_path, phase_s=0.1) as one:
            await one.do(DRAIN)
            await one.until(lambda seen: seen.rebuild.objects > 0)
            await one.stop()
            stopping = await one.until(lambda seen: seen.rebuild.status != 0)
            assert (stopping.rebuild.state, stopping.rebuild.status) == (BUSY, Der.OP_CANCELED)
            stopped = await one.until_settled()
            assert (stopped.rebuild.state, stopped.rebuild.status) == (IDLE, Der.OP_CANCELED)
            assert one.targets(1) is TargetState.UP_IN

    in_virtual_time(play())


def test_a_leader_that_lost_its_lead_takes_nothing_back(tmp_path: Path) -> None:
    async def play() -> None:
        async with engine(tmp_path, phase_s=0.1) as one:
            await one.do(DRAIN)
            await one.until(lambda seen: seen.rebuild.objects > 0)
            left = one.services.leading[UUID]
            higher = msgspec.structs.replace(one.services.records[UUID], term=99)
            await one.services.on_write(Write(higher))
            assert UUID not in one.services.leading
            async with asyncio.timeout(10):
                while left.rebuilding:  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(0.001)
            assert one.targets(1) is TargetState.DRAIN
            assert UUID not in one.services.leading

    in_virtual_time(play())
