"""What a pool service's leader does by itself: rebuilds, and keeping dead ranks out.

A rebuild moves no data here. It takes its time, counts the objects that the pool pretends to have, tells the server
when it begins and ends, and settles the pool map: first the rebuild proper, then the reclaim of what it left behind.
One that fails or is stopped takes back what it was to bring, and reclaims that.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import msgspec

from daos_control.apps.emulator import pool_map, properties, ras
from daos_control.apps.emulator.chores import Chores
from daos_control.apps.emulator.pool import ChangeTargets, FinishRebuild, PoolRecord, RevertRebuild
from daos_control.apps.emulator.pool_map import Operation, PoolMap, TargetState
from daos_control.apps.emulator.services import Leadership, RebuildStatus, Services
from daos_control.apps.emulator.upcalls import Upcalls
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

log = logs.get(__name__)

BUSY, IDLE, DONE = 0, 1, 2
STEPS = 10
"""A rebuild's progress is seen to grow so many times."""
RECORDS = 16
"""What every object has."""


class Caretaker:
    """Looks after the pools this engine leads."""

    def __init__(
        self,
        services: Services,
        upcalls: Upcalls,
        chores: Chores,
        *,
        group: str,
        rank: Callable[[], int],
        phase_s: float,
        midway: Callable[[], Awaitable[None]],
    ) -> None:
        self._services = services
        self._upcalls = upcalls
        self._chores = chores
        self._group = group
        self._rank = rank
        self._phase_s = phase_s
        self._midway = midway
        self.excludes = True
        """False once the server prepares a shutdown: ranks that go now are not to be excluded."""

    def lead(self, record: PoolRecord) -> None:
        """Greet a new leadership: tell the server, and go on with a rebuild the last leader left."""
        print(f"{record.short}: rank {self._rank()} became pool service leader {record.term}", flush=True)  # noqa: T201
        self._chores.start(f"announce pool {record.short}", self._announce(record))
        self.watch(record)

    def change(self, before: PoolRecord, after: PoolRecord) -> None:
        """See to what a committed change entails."""
        if before.map is not after.map:
            for line in _differences(before, after):
                print(line, flush=True)  # noqa: T201  administrators' tools read these lines
        if before.replicas != after.replicas:
            self._chores.start(f"announce pool {after.short}", self._announce(after))
        self.watch(after)

    def watch(self, record: PoolRecord, *, asked: bool = False) -> None:
        """Start a rebuild where the pool needs one and may have it, be it only when ``asked``."""
        leadership = self._services.leading.get(record.uuid)
        if leadership is None or not record.map.rebuilding:
            return
        leadership.rebuild = RebuildStatus(state=BUSY, degraded=_degraded(record.map))
        if leadership.rebuilding or not _may_start(record, asked=asked):
            return
        leadership.rebuilding = True
        leadership.stop.clear()
        self._chores.start(f"rebuild of {record.short}", self._rebuild(record, leadership))

    def start(self, record: PoolRecord) -> None:
        """Start a rebuild by hand; nothing to rebuild is fine, and so is that the pool has it wait."""
        self.watch(record, asked=True)

    def stop(self, record: PoolRecord) -> None:
        """Stop a rebuild by hand; raises DaosError NONEXIST if none is under way."""
        leadership = self._services.leading.get(record.uuid)
        if leadership is None or not leadership.rebuilding or not record.map.rebuilding:
            raise DaosError(Der.NONEXIST)
        leadership.stop.set()

    async def exclude(self, uuid: str, rank: int) -> None:
        """Take a dead rank out of a pool, if the pool and the system want that."""
        record = self._services.records[uuid]
        if not self.excludes or not record.number(properties.SELF_HEAL) & properties.SELF_HEAL_EXCLUDE:
            return
        try:
            if "pool_exclude" not in await self._upcalls.self_heal(self._group):
                return
            command = ChangeTargets(operation=Operation.EXCLUDE, rank=rank, whole_rank=True)
            await self._services.lead(uuid, command)
        except DaosError as error:
            log.error("dead rank stays in the pool map", pool=uuid, rank=rank, reason=error)

    async def _announce(self, record: PoolRecord) -> None:
        try:
            await self._upcalls.self_heal(self._group)
        except DaosError as error:
            log.error("system property not available", pool=record.uuid, reason=error)
        event = ras.replicas_updated(self._rank(), record.uuid, record.replicas, record.term)
        await self._upcalls.event(event, wait=True)

    async def _rebuild(self, record: PoolRecord, leadership: Leadership) -> None:
        uuid = record.uuid
        try:
            print(f"Rebuild [queued] ({record.short} ver={record.map.version})", flush=True)  # noqa: T201
            targets = pool_map.waiting(record.map)
            if status := await self._move(record, leadership, len(targets)):
                if self._leads(uuid, leadership):
                    await self._give_up(record, leadership, targets, status)
                return
            settled = (await self._services.lead(uuid, FinishRebuild(targets))).record
            if settled is not None:
                await self._reclaim(settled, "Reclaim")
            if self._leads(uuid, leadership) and not self._services.records[uuid].map.rebuilding:
                leadership.rebuild = msgspec.structs.replace(leadership.rebuild, state=DONE, degraded=False)
        except DaosError as error:
            log.error("rebuild interrupted", pool=uuid, reason=error)
        finally:
            leadership.rebuilding = False
        if uuid in self._services.leading:
            self.watch(self._services.records[uuid])

    def _leads(self, uuid: str, leadership: Leadership) -> bool:
        return self._services.leading.get(uuid) is leadership

    async def _move(self, record: PoolRecord, leadership: Leadership, targets: int) -> int:
        """Let the rebuild proper pass, step by step; return what ended it early, OP_CANCELED if somebody did."""
        await self._tell(ras.Event.REBUILD_STARTED, record, "Rebuild")
        objects = record.objects * targets // record.map.count(lambda _: True)
        status = 0
        for step in range(1, STEPS + 1):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._phase_s / STEPS):
                    await leadership.stop.wait()
            if leadership.stop.is_set():
                status = int(Der.OP_CANCELED)
            elif step == STEPS // 2:
                status = await self._fails_midway()
            if status:
                break
            moved = objects * step // STEPS
            leadership.rebuild = msgspec.structs.replace(leadership.rebuild, objects=moved, records=RECORDS * moved)
        if self._leads(record.uuid, leadership):
            await self._tell(ras.Event.REBUILD_FAILED if status else ras.Event.REBUILD_FINISHED, record, "Rebuild")
            outcome = "failed" if status else "completed"
            print(f"Rebuild [{outcome}] ({record.short} ver={record.map.version})", flush=True)  # noqa: T201
        return status

    async def _fails_midway(self) -> int:
        try:
            await self._midway()
        except DaosError as error:
            return error.status
        return 0

    async def _give_up(
        self, record: PoolRecord, leadership: Leadership, targets: list[pool_map.Address], status: int
    ) -> None:
        """Take back what a rebuild was to bring. What is lost waits for somebody to start another one."""
        reverted = (await self._services.lead(record.uuid, RevertRebuild(targets))).record or record
        leadership.rebuild = msgspec.structs.replace(leadership.rebuild, state=BUSY, status=status)
        await self._reclaim(reverted, "Fail_reclaim")
        state = IDLE if status == Der.OP_CANCELED else DONE
        leadership.rebuild = msgspec.structs.replace(leadership.rebuild, state=state)

    async def _reclaim(self, record: PoolRecord, operation: str) -> None:
        """Let the removal of what is not needed any more pass; nobody can stop that."""
        await self._tell(ras.Event.REBUILD_STARTED, record, operation)
        await asyncio.sleep(self._phase_s)
        await self._tell(ras.Event.REBUILD_FINISHED, record, operation)
        print(f"{operation} [completed] ({record.short} ver={record.map.version})", flush=True)  # noqa: T201

    async def _tell(self, event: ras.Event, record: PoolRecord, operation: str) -> None:
        await self._upcalls.event(
            ras.rebuild(event, self._rank(), record.uuid, record.map.version, operation), wait=False
        )


def _may_start(record: PoolRecord, *, asked: bool) -> bool:
    """Draining and coming targets are always seen to, and lost ones with them; alone, those wait if the pool says so.

    A pool that delays rebuilds goes on to do so when somebody asks for one: DAOS 2.8 does not take that for a reason.
    """
    if record.map.count(lambda state: state in {TargetState.DRAIN, TargetState.UP}):
        return True
    policy = record.number(properties.SELF_HEAL)
    if policy & properties.SELF_HEAL_DELAY_REBUILD:
        return False
    return asked or bool(policy & properties.SELF_HEAL_REBUILD)


def _degraded(current: PoolMap) -> bool:
    return current.count(lambda state: state is TargetState.DOWN) > 0


_WORDS = {
    TargetState.DOWN: "is down.",
    TargetState.DRAIN: "is draining.",
    TargetState.DOWN_OUT: "is excluded",
    TargetState.UP_IN: "is reintegrated.",
}


def _differences(before: PoolRecord, after: PoolRecord) -> list[str]:
    known = {engine.rank: engine for engine in before.map.engines}
    lines, number = [], 0
    for engine in after.map.engines:
        old = known.get(engine.rank)
        for index, state in enumerate(engine.targets):
            if old is None or old.targets[index] is not state:
                word = _WORDS.get(state) or ("start reintegration." if old else "is being extended.")
                lines.append(f"{after.short}: Target[{number}] (rank {engine.rank} idx {index}) {word}")
            number += 1
    versions = f"version={before.map.version}->{after.map.version}"
    return [*lines, f"{after.short}: committed pool map: {versions}"]
