"""One engine, put together: its storage, its group, its pools and devices, and what they do to each other.

The fabric's calls come in here; dRPC's come in through the handler modules, which use what is public here.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import cached_property

import msgspec

from daos_control.apps.emulator import fabric, hlc, pool_map, ras, services, space
from daos_control.apps.emulator.argv import EngineArguments
from daos_control.apps.emulator.chores import Chores
from daos_control.apps.emulator.devices import Device, Devices, DevicesFile, DeviceState
from daos_control.apps.emulator.inconsistency import Pretended
from daos_control.apps.emulator.membership import Group
from daos_control.apps.emulator.neighbourhood import BRANCHES, Listener, Ping, SpreadMap, WantMap
from daos_control.apps.emulator.pool import (
    AddContainer,
    AddHandle,
    AddObjects,
    ChangeTargets,
    Command,
    EvaluateSelfHeal,
    PoolRecord,
    Query,
    StartRebuild,
    StopRebuild,
)
from daos_control.apps.emulator.pool_map import Operation, TargetState
from daos_control.apps.emulator.rebuild import Caretaker
from daos_control.apps.emulator.script import REBUILD, Script
from daos_control.apps.emulator.services import Nothing, Outcome, ReplyT, Services
from daos_control.apps.emulator.settings import Settings, log_level
from daos_control.apps.emulator.storage import EngineFile, Shard, Store
from daos_control.apps.emulator.swim import Rumour
from daos_control.apps.emulator.upcalls import Upcalls
from daos_control.apps.emulator.world import World
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

log = logs.get(__name__)

RETRY_S = 2.0


class CreateShard(msgspec.Struct, frozen=True, kw_only=True):
    """Have a rank make its share of a pool."""

    uuid: str
    scm: int
    nvme: int
    meta: int


class DestroyShard(msgspec.Struct, frozen=True):
    """Have a rank remove its share of a pool."""

    uuid: str


class WantSpace(msgspec.Struct, frozen=True):
    """Ask for the space that targets of a pool have here, and have the ranks ``onward`` asked."""

    uuid: str
    onward: tuple[int, ...] = ()


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """All targets of an engine are alike: one usage for each rank."""

    usages: dict[int, space.Usage]


class WantPools(msgspec.Struct, frozen=True):
    """Ask, for the checker, which pools have something on a rank."""


class Pools(msgspec.Struct, frozen=True, kw_only=True):
    """Shares of pools, and records of replicas."""

    shards: list[str]
    records: dict[str, PoolRecord]
    pretended: list[Pretended] = []


class PretendedFile(msgspec.Struct, frozen=True):
    """The inconsistencies that somebody pretends here."""

    all: list[Pretended] = []


class Engine:
    """The emulated engine; ``life`` brings it to life, and ``main`` gives it a process."""

    def __init__(
        self,
        arguments: EngineArguments,
        settings: Settings,
        store: Store,
        devices: Devices,
        chores: Chores,
        *,
        world: World,
    ) -> None:
        self.arguments = arguments
        self.settings = settings
        self.store = store
        self.devices = devices
        self.chores = chores
        self.world = world
        self.script = Script(world.die)
        self.upcalls = Upcalls(arguments.socket_dir, hostname=world.hostname, pid=world.pid)
        self.set_up = asyncio.Event()
        self._stir = asyncio.Event()
        kept = store.kept("engine", EngineFile) or EngineFile()
        self.incarnation = hlc.next_stamp(kept.incarnation)
        store.next_incarnation(self.incarnation)
        self.neighbours = world.neighbourhood(
            self.incarnation,
            settings.swim,
            chores,
            world.fabric,
            Listener(changed=self._stir.set, died=self._mourn, left_out=self._left_out),
        )
        self.services = Services(
            store,
            self,
            patience_s=settings.service_s,
            on_lead=self._lead,
            on_change=self._change,
        )
        self.caretaker = Caretaker(
            self.services,
            self.upcalls,
            chores,
            group=arguments.group,
            rank=lambda: self.rank,
            phase_s=settings.rebuild_s,
            midway=lambda: self.script.before(REBUILD),
        )
        self._device_busy_until: dict[str, float] = {}

    def _lead(self, record: PoolRecord) -> None:
        self.caretaker.lead(record)

    def _change(self, before: PoolRecord, after: PoolRecord) -> None:
        self.caretaker.change(before, after)

    # Who is who

    @property
    def rank(self) -> int:
        """This engine's rank; raises DaosError UNINIT before it has one."""
        if self.group.rank is None:
            raise DaosError(Der.UNINIT)
        return self.group.rank

    def usable(self, rank: int) -> bool:
        """Whether a rank is in the group and not held for dead."""
        return self.neighbours.usable(rank)

    @property
    def group(self) -> Group:
        """The group as it is now."""
        return self.neighbours.group

    def set_log_mask(self, mask: str) -> None:
        """Log from this mask's level on, to where the log went before."""
        level, file = log_level(mask), self.settings.log_file
        logs.configure(program="daos_engine", level=level, file=file, console=file is None)

    def open(self) -> None:
        """Start serving; once more is once too often and harmless."""
        if not self.arguments.check_mode:
            self.services.open = True
        self.set_up.set()
        self._stir.set()

    # The group

    def _mourn(self, deaths: list[Rumour]) -> None:
        for death in deaths:
            log.error("rank is dead", rank=death.rank, incarnation=death.incarnation)
            if not self.arguments.check_mode:
                event = ras.rank_dead(death.rank, death.incarnation)
                self.chores.start("news of a death", self.upcalls.event(event, wait=False))

    def _left_out(self) -> None:
        if self.set_up.is_set() and not self.arguments.check_mode:
            self.chores.start("end of an excluded engine", self._end_excluded())

    async def _end_excluded(self) -> None:
        log.error("this rank was excluded: ending itself", rank=self.rank)
        await self.upcalls.event(ras.self_terminated(self.rank, self.neighbours.incarnation), wait=False)
        self.world.die()

    # Calls to other engines

    async def ask(self, rank: int, request: msgspec.Struct, reply: type[ReplyT], *, timeout_s: float) -> ReplyT:
        """Make a fabric call to a member, or to oneself; raises DaosError, OOG for a stranger."""
        if rank == self.group.rank:
            return await self.fabric_services[type(request).__name__].answer(request, reply)
        return await self.world.fabric.call(self.group.uri(rank), request, reply, timeout_s=timeout_s)

    async def ask_all(
        self, ranks: list[int], request: msgspec.Struct, reply: type[ReplyT]
    ) -> dict[int, ReplyT | DaosError]:
        """Ask several members at once; each gives a reply or the error it failed with."""

        async def one(rank: int) -> ReplyT | DaosError:
            try:
                return await self.ask(rank, request, reply, timeout_s=self.settings.service_s)
            except DaosError as error:
                return error

        async with asyncio.TaskGroup() as group:
            tasks = {rank: group.create_task(one(rank)) for rank in ranks}
        return {rank: task.result() for rank, task in tasks.items()}

    async def command(self, uuid: str, replicas: list[int], command: Command) -> Outcome:
        """Have a pool's service carry out a command; raises DaosError."""
        return await self.services.call(uuid, replicas, command)

    # Pools

    async def create_shard(self, request: CreateShard) -> Nothing:
        """Make this engine's share of a pool; raises DaosError."""
        count = self.arguments.targets
        size = space.per_target(request.scm, request.nvme, request.meta, count, on_ssd=self.devices.md_on_ssd)
        shard = Shard(size=size, targets=count)
        if request.uuid not in self.store.shards:
            self.devices.check_room(shard, self.store.shards)
        self.store.create_shard(request.uuid, shard)
        return Nothing()

    async def destroy_shard(self, request: DestroyShard) -> Nothing:
        """Remove this engine's share of a pool and what it has to do with its service."""
        self.services.forget(request.uuid)
        self.store.destroy(request.uuid)
        return Nothing()

    async def space_of(self, request: WantSpace) -> Space:
        """Tell the space of a pool's targets here and at the ranks onward; raises DaosError NONEXIST."""
        shard = self.store.shards.get(request.uuid)
        if shard is None:
            raise DaosError(Der.NONEXIST)
        others = await self.gather_space(request.uuid, request.onward)
        return Space(usages={self.rank: space.usage(shard.size), **others})

    async def gather_space(self, uuid: str, ranks: Sequence[int]) -> dict[int, space.Usage]:
        """Ask ranks for the space of a pool's targets: a few of them, which ask the rest. Raises the first DaosError.

        So does DAOS ask the ranks of a pool, and one that does not answer spoils it all.
        """
        if not ranks:
            return {}
        parts = [tuple(ranks[branch::BRANCHES]) for branch in range(min(BRANCHES, len(ranks)))]

        async def one(part: tuple[int, ...]) -> Space | DaosError:
            request = WantSpace(uuid, part[1:])
            try:
                return await self.ask(part[0], request, Space, timeout_s=self.settings.service_s)
            except DaosError as error:
                return error

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(part)) for part in parts]
        usages: dict[int, space.Usage] = {}
        for task in tasks:
            answer = task.result()
            if isinstance(answer, DaosError):
                raise answer
            usages |= answer.usages
        return usages

    async def pools(self, _request: WantPools) -> Pools:
        """Tell what is here, for the checker."""
        return Pools(shards=sorted(self.store.shards), records=dict(self.services.records), pretended=self._pretended())

    def _pretended(self) -> list[Pretended]:
        return (self.store.kept("pretended", PretendedFile) or PretendedFile()).all

    def mend(self, pretended: Pretended) -> None:
        """Stop to pretend an inconsistency."""
        self.store.keep("pretended", PretendedFile([one for one in self._pretended() if one != pretended]))

    async def lead(self, request: services.Ask) -> Outcome:
        """Carry out a command as a service's leader, with what it means for a rebuild; raises DaosError."""
        outcome = await self.services.on_ask(request)
        if outcome.record is not None:
            match request.command:
                case StartRebuild():
                    self.caretaker.start(outcome.record)
                case StopRebuild():
                    self.caretaker.stop(outcome.record)
                case EvaluateSelfHeal():
                    self._stir.set()
                case _:
                    pass
        return outcome

    # Devices

    def evict_device(self, device: Device) -> None:
        """Give a device up; pools with data on it do without its targets."""
        self._device_busy_until[device.uuid] = time.monotonic() + self.settings.teardown_s
        self._keep_device(device.uuid, DeviceState.EVICTED)
        for uuid, shard in self.store.shards.items():
            if shard.size.nvme:
                self.chores.start(f"exclusion from {uuid[:8]}", self._exclude_targets(uuid, device.targets))

    def replace_device(self, old: str, new: str) -> None:
        """Put a device into service again; raises DaosError: INVAL unless it is faulty, BUSY while it goes down."""
        if self.devices.find(old).state is not DeviceState.EVICTED or (new != old and self._in_use(new)):
            raise DaosError(Der.INVAL)
        rebuilding = any(leadership.rebuilding for leadership in self.services.leading.values())
        if rebuilding or time.monotonic() < self._device_busy_until.get(old, 0.0):
            raise DaosError(Der.BUSY)
        self._keep_device(new, DeviceState.NORMAL)

    def _in_use(self, uuid: str) -> bool:
        return self.devices.find(uuid).state is not DeviceState.NEW

    def _keep_device(self, uuid: str, state: DeviceState) -> None:
        self.devices.set_state(uuid, state)
        self.store.keep("devices", DevicesFile(devices=self.devices.all))

    async def _exclude_targets(self, pool: str, targets: tuple[int, ...]) -> None:
        command = ChangeTargets(operation=Operation.EXCLUDE, rank=self.rank, indices=list(targets), force=True)
        try:
            await self.command(pool, await self.replicas_of(pool), command)
        except DaosError as error:
            log.error("targets of a faulty device stay in the pool map", pool=pool, reason=error)

    # Care for the pools

    async def tend_pools(self) -> None:
        """Whenever the group has changed, lead what is to be led and keep the dead out, for ever."""
        await self.set_up.wait()
        while True:
            await self._stir.wait()
            self._stir.clear()
            if not self.services.open or not await self._tend_all():
                continue
            try:
                async with asyncio.timeout(RETRY_S):
                    await self._stir.wait()
            except TimeoutError:
                self._stir.set()

    async def _tend_all(self) -> bool:
        """Tend every pool with a replica here; tell if some could not be helped now."""
        failed = False
        for uuid, record in list(self.services.records.items()):
            try:
                await self._tend(uuid, record)
            except DaosError as error:
                log.info("pool service not available", pool=uuid, reason=error)
                failed = True
        return failed

    async def _tend(self, uuid: str, record: PoolRecord) -> None:
        if self.services.leader_of(record) != self.rank:
            return
        if uuid not in self.services.leading:
            await self.services.lead(uuid, Query())
        current = self.services.records[uuid].map
        for engine in current.engines:
            if self.neighbours.is_gone(engine.rank) and not pool_map.engine_is_down(engine):
                await self.caretaker.exclude(uuid, engine.rank)

    # For scripts

    async def add_container(self, pool: str, label: str = "") -> None:
        """Pretend that a client made a container; raises DaosError."""
        await self.command(pool, await self.replicas_of(pool), AddContainer(label))

    async def add_objects(self, pool: str, count: int) -> None:
        """Pretend that clients stored data; raises DaosError."""
        await self.command(pool, await self.replicas_of(pool), AddObjects(count))

    async def pretend(self, kind: int, pool: str, status: int = 0) -> None:
        """Pretend that a pool is inconsistent in some way, from now on and until that is repaired."""
        one = Pretended(kind, pool, status)
        self.store.keep("pretended", PretendedFile([*(it for it in self._pretended() if it != one), one]))

    async def lose(self, pool: str) -> None:
        """Lose everything that is here of a pool, as by a broken disk; raises DaosError NONEXIST if that is nothing."""
        if pool not in self.store.shards:
            raise DaosError(Der.NONEXIST)
        await self.destroy_shard(DestroyShard(pool))

    async def add_handle(self, pool: str, machine: str = "localhost") -> None:
        """Pretend that a client connected; raises DaosError."""
        await self.command(pool, await self.replicas_of(pool), AddHandle(machine))

    async def replicas_of(self, pool: str) -> list[int]:
        """Find a pool's service, here or by asking the server; raises DaosError."""
        record = self.services.records.get(pool)
        return list(record.replicas) if record else await self.upcalls.pool_replicas(pool)

    async def report_damage(self) -> None:
        """Tell the server of pools whose files cannot be understood."""
        for pool in self.store.damaged:
            text = f"pool {pool[:8]} cannot be started: its files are damaged"
            severity = ras.Severity.ERROR
            event = ras.event(ras.Event.POOL_START_FAILED, text, rank=self.group.rank, severity=severity, pool=pool)
            await self.upcalls.event(event, wait=False)

    async def raise_event(self, number: int, text: str) -> None:
        """Raise any event."""
        await self.upcalls.event(ras.event(number, text, rank=self.group.rank), wait=False)

    def offer(self, request: type[msgspec.Struct], handler: fabric.Handler) -> None:
        """Answer one more kind of request of other engines."""
        self.fabric_services[request.__name__] = fabric.Service(request, handler)

    @cached_property
    def fabric_services(self) -> dict[str, fabric.Service]:
        """What other engines may ask of this one, by the name of the request."""
        return {
            request.__name__: fabric.Service(request, handler)
            for request, handler in (
                (Ping, self.neighbours.on_ping),
                (SpreadMap, self.neighbours.on_map),
                (WantMap, self.neighbours.on_want_map),
                (CreateShard, self.create_shard),
                (DestroyShard, self.destroy_shard),
                (WantSpace, self.space_of),
                (WantPools, self.pools),
                (services.Read, self.services.on_read),
                (services.Write, self.services.on_write),
                (services.Remove, self.services.on_remove),
                (services.Ask, self.lead),
            )
        }


def serving(state: TargetState) -> bool:
    """Whether a target in this state has space to tell of."""
    return state in {TargetState.UP_IN, TargetState.UP, TargetState.DRAIN}
