"""``kill -9`` of servers at random moments of every system verb: repeated, each verb ends right, and nothing is lost.

Two hosts with two emulated engines each, on loopback addresses of their own; the first has the management service. In
a round a verb is begun, one server or both are killed while it is under way (and with them their engines), sometimes
once more on the way up; then they are started again and the verb is repeated until it succeeds. After that the system
must be as commanded: the same ranks with the same identities, the same pools, and of what had been acknowledged before
the kill nothing undone, even before the verb was repeated. No pool is half made or half destroyed, and no engine keeps
a share of a pool that is not there.

One round of each verb belongs to the suite. Hundreds, each verb rehearsed first to know how long it takes::

    python -m tests.chaos.test_verb_kills --rounds 300 [--verbs stop,start] [--seed 7] [--keep]

A seed repeats the choices; the moments at which processes die remain their own.
"""

# ruff: noqa: T201 - a runner tells on standard output how it goes

import argparse
import asyncio
import functools
import os
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

import pytest

from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError, PoolNotFound, Uninitialized
from daos_control.client import DaosClient
from daos_control.client.errors import InvalidRequest
from daos_control.client.pool_size import PerRank
from daos_control.model.member_state import MemberState
from daos_control.model.pool_property import PoolQuery
from daos_control.net.rpc.status import Code, StatusError
from daos_control.testing.storage_host import Server, StorageHost, children

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("verb_kills")]

log = logs.get(__name__)

SEED = int(os.environ.get("DAOS_CHAOS_SEED", random.SystemRandom().randrange(1 << 32)))
HOSTS, ENGINES = 2, 2
RANKS = HOSTS * ENGINES
SIZE = PerRank(tier_bytes=(64 << 20, 0))
POOL = "tank"
MACHINE = "client1"
PATIENCE_S = 60.0
TRY_S = 15.0
"""How long a verb is given before it is asked for anew."""


class Stage:
    """The system, and what must be true of it whenever it is left alone."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.chance = chance
        self.hosts: list[StorageHost] = []
        for number in range(1, HOSTS + 1):
            first = self.hosts[0] if self.hosts else None
            self.hosts.append(StorageHost(folder / f"h{number}", engines=ENGINES, number=number, beside=first))
        for host in self.hosts:
            for engine in host.config["engines"]:
                engine["env_vars"] += ["DAOS_EMULATOR_REBUILD_MS=100"]
        self.servers: dict[int, Server] = {}
        self.daos = DaosClient.from_config(self.hosts[0].control_config())
        self.identities: dict[int, str] = {}
        self.pools: dict[str, str] = {}
        self.rank = 0
        """The rank that this round is about."""
        self.value = ""
        """The value that this round is about."""
        self.uuid = ""
        """The pool that this round is about, where that is not the founded one."""
        self.given_up: set[str] = set()
        """Pools that were asked for and not again: they are there as a whole, or not at all."""

    def addresses(self) -> list[str]:
        return [f"{host.address}:{host.port}" for host in self.hosts]

    # Processes

    def start_servers(self) -> list[int]:
        """Start those that do not run; return which."""
        started = [number for number in range(HOSTS) if number not in self.servers]
        for number in started:
            host = self.hosts[number]
            self.servers[number] = host.start("--control-address", host.address)
        return started

    def kill(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.servers.pop(number).end()

    def some_servers(self) -> list[int]:
        there = sorted(self.servers)
        return self.chance.sample(there, self.chance.choice([1, 1, len(there)])) if there else []

    def end(self) -> None:
        self.kill(sorted(self.servers))

    def engine_pids(self) -> list[int]:
        return [pid for server in self.servers.values() for pid in children(server.process.pid)]

    def must_run(self) -> None:
        for server in self.servers.values():
            code = server.process.poll()
            assert code is None, f"a server ended with {code}:\n{server.output}"
            own = [line for line in server.output.splitlines() if "daos_engine:" not in line]
            assert not any("Traceback" in line for line in own), server.output

    def empty_storage(self) -> None:
        """Lose all that the engines hold, and the system with it."""
        for host in self.hosts:
            for path in host.folder.glob("daos?"):
                shutil.rmtree(path)
        self.identities, self.pools = {}, {}

    # The system

    async def until(self, accept: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait for something; errors on the way mean that it is not there yet."""
        trouble = ""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        async with asyncio.timeout(TRY_S):
                            if await accept():
                                return
                            trouble = ""
                    except (DaosControlError, TimeoutError) as error:
                        trouble = f": {error!r}"
                    self.must_run()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}{trouble}\n{await self.sight()}") from None

    async def sight(self) -> str:
        """Say how things are."""
        lines = []
        with suppress(DaosControlError, TimeoutError):
            async with asyncio.timeout(TRY_S):
                lines += [f"{m.rank} {m.state} {m.addr} {m.info}" for m in (await self.daos.system.query()).members]
        with suppress(DaosControlError, TimeoutError):
            async with asyncio.timeout(TRY_S):
                told = await self.daos.engines.query(hosts=self.addresses())
                lines += [f"{e.host} {e.index}: rank {e.rank} {e.state} {e.stays_down}" for e in told.engines]
        lines += [f"pools: {self.pools}, given up: {self.given_up}, shares: {self.shares()}"]
        lines += [f"--- {server.host.folder.name}\n{server.output[-6000:]}" for server in self.servers.values()]
        return "\n".join(lines)

    async def states(self) -> dict[int, MemberState]:
        return {member.rank: member.state for member in (await self.daos.system.query()).members}

    async def waiting_for_format(self) -> dict[str, int]:
        """Count the engines that wait for a format, by host."""
        told = await self.daos.engines.query(hosts=self.addresses())
        told.check()
        return Counter(engine.host for engine in told.engines if engine.state == "awaiting format")

    async def settle(self) -> None:
        """Bring everything up as it was founded: all servers, all ranks, the pool whole."""
        self.start_servers()
        if not self.identities:
            await self._found()
            return
        await self.until(self._all_joined, "all ranks to join")
        await self.until(self._pool_is_whole, "the pool to be whole")

    async def _all_joined(self) -> bool:
        states = await self.states()
        if barred := [rank for rank, state in states.items() if state is MemberState.ADMIN_EXCLUDED]:
            await self.daos.system.clear_exclude(ranks=barred)
        if set(states.values()) == {MemberState.JOINED} and len(states) == RANKS:
            told = (await self.daos.engines.query(hosts=self.addresses())).engines
            return [engine.state for engine in told] == ["ready"] * RANKS
        await self.daos.system.start()
        return False

    async def _pool_is_whole(self) -> bool:
        mask = int(PoolQuery.ENGINES_ENABLED | PoolQuery.ENGINES_DISABLED)
        pool = await self.daos.pools.query(POOL, mask=mask)
        if pool.disabled_ranks:
            await self.daos.pools.reintegrate(POOL, pool.disabled_ranks)
        whole = await self.daos.pools.query(POOL)
        return not whole.disabled_targets and whole.rebuild is not None and whole.rebuild.state != "busy"

    async def _found(self) -> None:
        await self.until(functools.partial(format_all, self), "a format")
        await self.until(self._all_joined, "all ranks to join")
        self.identities = {m.rank: m.uuid for m in (await self.daos.system.query()).members}
        made = await self.daos.pools.create(POOL, SIZE)
        self.pools = {made.uuid: POOL}

    async def check(self) -> None:
        """See that the system is the one that was founded."""
        members = (await self.daos.system.query()).members
        if self.identities:
            assert {member.rank: member.uuid for member in members} == self.identities
        self.must_run()

    async def pools_are_whole(self) -> bool:
        """Whether the pools are those there should be, each of them ready, and on the engines nothing of others."""
        listed = await self.daos.pools.list()
        wanted = {pool.uuid: pool.label for pool in listed.pools if pool.uuid not in self.given_up}
        shares = self.shares()
        return (
            wanted == self.pools
            and not listed.query_errors
            and {pool.state for pool in listed.pools} <= {"Ready", "TargetsExcluded"}
            and set(shares) == {pool.uuid for pool in listed.pools}
            and all(shares[pool.uuid] >= pool.total_engines for pool in listed.pools)
        )

    def shares(self) -> Counter[str]:
        """Count the engines that have something of each pool on their storage."""
        found = Counter(path.name for host in self.hosts for path in host.folder.glob("daos?/????????-*"))
        found.update(path.name for host in self.hosts for path in host.folder.glob("daos?/NEWBORNS/*"))
        return found

    async def only_the_founded(self) -> bool:
        """Destroy all other pools; return whether none is left."""
        listed = await self.daos.pools.list(query=False)
        others = [pool.uuid for pool in listed.pools if pool.label != POOL]
        for uuid in others:
            await self.daos.pools.destroy(uuid, force=True, recursive=True)
        self.pools = {uuid: label for uuid, label in self.pools.items() if label == POOL}
        self.given_up.clear()
        return not others


# What is done


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """Something that is begun, interrupted, and repeated until it succeeds."""

    operate: Callable[[Stage], Awaitable[object]]
    """Raises DaosControlError unless all went well."""
    holds: Callable[[Stage], Awaitable[bool]]
    """Whether the system is as commanded."""
    prepare: Callable[[Stage], Awaitable[object]] | None = None
    takes_s: float = 0.1
    """About how long it takes."""
    durable: bool = False
    """What was acknowledged holds after a restart. (A server that starts starts its engines, so a stop does not.)"""


async def stop(stage: Stage) -> None:
    (await stage.daos.system.stop()).check()


async def stopped(stage: Stage) -> bool:
    """No engine runs, and the system knows; peers that noticed a death, as of the kill, may be heard after the stop."""
    return (
        set((await stage.states()).values()) <= {MemberState.STOPPED, MemberState.EXCLUDED} and not stage.engine_pids()
    )


async def stop_orderly(stage: Stage) -> None:
    (await stage.daos.system.stop(force=False)).check()


async def be_stopped(stage: Stage) -> None:
    await repeat(stage, stop)
    await stage.until(functools.partial(stopped, stage), "all ranks to be stopped")


async def start(stage: Stage) -> None:
    (await stage.daos.system.start()).check()


async def started(stage: Stage) -> bool:
    states = await stage.states()
    return set(states.values()) == {MemberState.JOINED} and len(stage.engine_pids()) == RANKS


async def exclude(stage: Stage) -> None:
    (await stage.daos.system.exclude(ranks=[stage.rank])).check()


async def excluded(stage: Stage) -> bool:
    return (await stage.states())[stage.rank] is MemberState.ADMIN_EXCLUDED


async def be_excluded(stage: Stage) -> None:
    await repeat(stage, exclude)
    await stage.until(functools.partial(excluded, stage), "the exclusion")


async def clear_exclude(stage: Stage) -> None:
    (await stage.daos.system.clear_exclude(ranks=[stage.rank])).check()


async def cleared(stage: Stage) -> bool:
    """An engine that has been started since may have joined, or be about to."""
    return (await stage.states())[stage.rank] is not MemberState.ADMIN_EXCLUDED


async def set_attribute(stage: Stage) -> None:
    await stage.daos.system.set_attributes({"color": stage.value})


async def attribute_is_set(stage: Stage) -> bool:
    return await stage.daos.system.get_attributes(["color"]) == {"color": stage.value}


async def set_property(stage: Stage) -> None:
    await stage.daos.system.set_properties({"pool_scrub_thresh": stage.value})


async def property_is_set(stage: Stage) -> bool:
    return await stage.daos.system.get_properties(["pool_scrub_thresh"]) == {"pool_scrub_thresh": stage.value}


async def connect(stage: Stage) -> None:
    """Pretend that a machine has the pool open."""
    [uuid] = stage.pools
    await asyncio.to_thread(stage.hosts[0].tell_engine, 0, f"connect {uuid} {MACHINE}")


async def clean_up(stage: Stage) -> None:
    for pool in await stage.daos.system.cleanup(MACHINE):
        if pool.status:
            raise StatusError(Code.INTERNAL, f"{pool.pool_id}: {pool.message}")


async def cleaned_up(stage: Stage) -> bool:
    return not sum(pool.count for pool in await stage.daos.system.cleanup(MACHINE))


async def drain(stage: Stage) -> None:
    await unless_done(stage, stage.daos.system.drain(ranks=[stage.rank]), drained)


async def drained(stage: Stage) -> bool:
    targets = await stage.daos.pools.query_targets(POOL, stage.rank)
    return {target.target_state for target in targets} <= {"drain", "down", "down_out"}


async def be_drained(stage: Stage) -> None:
    await repeat(stage, drain)
    await stage.until(functools.partial(drained, stage), "the drain")


async def reintegrate(stage: Stage) -> None:
    await unless_done(stage, stage.daos.system.reintegrate(ranks=[stage.rank]), reintegrated)


async def reintegrated(stage: Stage) -> bool:
    targets = await stage.daos.pools.query_targets(POOL, stage.rank)
    return {target.target_state for target in targets} <= {"up", "up_in"}


async def unless_done(stage: Stage, call: Awaitable[Sequence[Any]], holds: Callable[[Stage], Awaitable[bool]]) -> None:
    """Await a call about ranks of pools; as in DAOS 2.8, it is refused where no pool has anything left to do."""
    try:
        pools = await call
    except StatusError as error:
        if "no pool-ranks found" in str(error) and await holds(stage):
            return
        raise
    if failed := [problem for pool in pools if (problem := pool.problem())]:
        raise StatusError(Code.INTERNAL, ", ".join(failed))


async def rebuild_start(stage: Stage) -> None:
    check_rebuilds(await stage.daos.system.rebuild_start())


async def rebuild_stop(stage: Stage) -> None:
    check_rebuilds(await stage.daos.system.rebuild_stop())


def check_rebuilds(pools: Sequence[Any]) -> None:
    """Raise if one failed; a pool that does not rebuild has nothing to stop, and says so."""
    if failed := [f"{pool.id}: {pool.message}" for pool in pools if pool.errored and "NONEXIST" not in pool.message]:
        raise StatusError(Code.INTERNAL, ", ".join(failed))


async def self_heal(stage: Stage) -> None:
    await stage.daos.system.self_heal_eval()


async def pool_answers(stage: Stage) -> bool:
    return (await stage.daos.pools.query(POOL)).state in {"Ready", "TargetsExcluded"}


async def erase(stage: Stage) -> None:
    """Erase; a system that is no more cannot be erased again, and ranks that a new server has started are stopped."""
    try:
        (await stage.daos.system.erase()).check()
    except InvalidRequest:
        await stage.daos.system.stop()
        raise
    except Uninitialized:
        if not await erased(stage):
            raise


async def erased(stage: Stage) -> bool:
    """All engines wait for a format, and no management service runs."""
    return sum((await stage.waiting_for_format()).values()) == RANKS


async def create(stage: Stage) -> None:
    """Create a pool. Its uuid makes that safe to repeat."""
    stage.pools[stage.uuid] = stage.uuid[:8]
    await stage.daos.pools.create(stage.uuid[:8], SIZE, uuid=stage.uuid)


async def create_another(stage: Stage) -> None:
    """Create a pool, and never mind those that were begun before."""
    stage.given_up.add(stage.uuid)
    stage.pools.pop(stage.uuid, None)
    stage.uuid = str(uuid4())
    await create(stage)


async def created(stage: Stage) -> bool:
    return (await stage.daos.pools.query(stage.uuid)).total_engines > 0


async def have_a_pool(stage: Stage) -> None:
    await repeat(stage, create)


async def destroy(stage: Stage) -> None:
    """Destroy the pool; whether an attempt before this one has done so is seen afterwards."""
    stage.pools.pop(stage.uuid, None)
    with suppress(PoolNotFound):
        await stage.daos.pools.destroy(stage.uuid, force=stage.rank % 2 == 0, recursive=True)


async def destroyed(stage: Stage) -> bool:
    return stage.uuid not in {pool.uuid for pool in (await stage.daos.pools.list(query=False)).pools}


async def have_a_smaller_pool(stage: Stage) -> None:
    stage.pools[stage.uuid] = stage.uuid[:8]
    others = [rank for rank in range(RANKS) if rank != stage.rank]

    async def without_one(stage: Stage) -> None:
        await stage.daos.pools.create(stage.uuid[:8], SIZE, uuid=stage.uuid, ranks=others)

    await repeat(stage, without_one)


async def extend(stage: Stage) -> None:
    try:
        await stage.daos.pools.extend(stage.uuid, [stage.rank])
    except DaosError as error:
        if error.status != Der.ALREADY:
            raise


async def extended(stage: Stage) -> bool:
    targets = await stage.daos.pools.query_targets(stage.uuid, stage.rank, [0])
    return {target.target_state for target in targets} <= {"up", "up_in"}


async def be_stopped_for_good(stage: Stage) -> None:
    await be_stopped(stage)
    stage.identities, stage.pools = {}, {}


async def format_all(stage: Stage) -> bool:
    """Format what waits for it, host by host; return whether all was formatted and has joined."""
    for host, count in (await stage.waiting_for_format()).items():
        if count:
            (await stage.daos.storage.format(hosts=[host])).check()
    return len(await stage.states()) == RANKS


async def formatted(stage: Stage) -> bool:
    states = await stage.states()
    return len(states) == RANKS and set(states.values()) == {MemberState.JOINED}


async def format_storage(stage: Stage) -> None:
    await format_all(stage)


async def be_unformatted(stage: Stage) -> None:
    stage.end()
    stage.empty_storage()
    stage.start_servers()

    async def waits() -> bool:
        return sum((await stage.waiting_for_format()).values()) == RANKS

    await stage.until(waits, "all engines to wait for a format")


async def be_down(stage: Stage) -> None:
    stage.end()


async def join(stage: Stage) -> None:
    """Start all servers, whose engines join on their own."""
    stage.start_servers()
    await stage.until(functools.partial(started, stage), "all ranks to join")


VERBS: Mapping[str, Verb] = {
    "stop": Verb(operate=stop, holds=stopped),
    "stop-orderly": Verb(operate=stop_orderly, holds=stopped),
    "start": Verb(prepare=be_stopped, operate=start, holds=started, takes_s=3.0),
    "exclude": Verb(operate=exclude, holds=excluded, durable=True),
    "clear-exclude": Verb(prepare=be_excluded, operate=clear_exclude, holds=cleared, durable=True),
    "set-attr": Verb(operate=set_attribute, holds=attribute_is_set, durable=True),
    "set-prop": Verb(operate=set_property, holds=property_is_set, durable=True),
    "cleanup": Verb(prepare=connect, operate=clean_up, holds=cleaned_up, durable=True),
    "drain": Verb(operate=drain, holds=drained, durable=True),
    "reintegrate": Verb(prepare=be_drained, operate=reintegrate, holds=reintegrated),
    "rebuild-start": Verb(operate=rebuild_start, holds=pool_answers),
    "rebuild-stop": Verb(operate=rebuild_stop, holds=pool_answers),
    "self-heal": Verb(operate=self_heal, holds=pool_answers),
    "create": Verb(operate=create, holds=created, durable=True),
    "create-another": Verb(operate=create_another, holds=created, durable=True),
    "destroy": Verb(prepare=have_a_pool, operate=destroy, holds=destroyed, durable=True),
    "extend": Verb(prepare=have_a_smaller_pool, operate=extend, holds=extended, durable=True),
    "join": Verb(prepare=be_down, operate=join, holds=started, takes_s=5.0),
    "format": Verb(prepare=be_unformatted, operate=format_storage, holds=formatted, takes_s=2.0),
    "erase": Verb(prepare=be_stopped_for_good, operate=erase, holds=erased),
}


async def repeat(stage: Stage, operate: Callable[[Stage], Awaitable[object]]) -> dict[str, int]:
    """Do something until it succeeds; return what it was refused with, and how often."""
    refused: Counter[str] = Counter()

    async def succeeds() -> bool:
        try:
            await operate(stage)
        except DaosControlError as error:
            refused[f"{type(error).__name__}: {error}"] += 1
            raise
        return True

    await stage.until(succeeds, "success")
    return refused


# Rounds


@dataclass(kw_only=True)
class Record:
    """What came of the rounds of one verb."""

    took_s: float = 0.0
    """Without interruption."""
    longest_s: float = 0.0
    """Repeated, from the start of the servers to success."""
    rounds: int = 0
    kills: int = 0
    acknowledged: int = 0
    """Rounds in which the verb had succeeded before the kill."""
    refused: Counter[str] = field(default_factory=Counter)
    """What it was refused with when it was repeated, and in how many rounds."""


async def rehearse(stage: Stage, name: str, verb: Verb, record: Record) -> None:
    """Do it once without interruption, to know how long it takes."""
    await set_out(stage, verb)
    began = time.monotonic()
    await repeat(stage, verb.operate)
    record.took_s = time.monotonic() - began
    await stage.until(functools.partial(verb.holds, stage), f"{name} to have its effect")


async def set_out(stage: Stage, verb: Verb) -> None:
    await stage.settle()
    await stage.until(stage.only_the_founded, "other pools to go")
    stage.uuid = str(uuid4())
    stage.rank = stage.chance.randrange(RANKS)
    stage.value = str(stage.chance.randrange(1 << 20))
    if verb.prepare is not None:
        await verb.prepare(stage)


async def one_round(stage: Stage, name: str, verb: Verb, record: Record) -> None:
    """Interrupt it, start what was killed, repeat it, look."""
    await set_out(stage, verb)
    done = asyncio.Event()

    async def operate() -> None:
        with suppress(DaosControlError, AssertionError):  # it is being interrupted
            await verb.operate(stage)
            done.set()

    async with asyncio.TaskGroup() as group:
        running = group.create_task(operate())
        await asyncio.sleep(stage.chance.uniform(0, 1.15 * record.took_s))
        acknowledged = done.is_set()
        victims = stage.some_servers()
        stage.kill(victims)
        running.cancel()
    stage.start_servers()
    if stage.chance.random() < 0.25:
        await asyncio.sleep(stage.chance.uniform(0, 2.0))
        again = stage.some_servers()
        stage.kill(again)
        victims += again
        stage.start_servers()
    if acknowledged and verb.durable:
        await stage.until(functools.partial(verb.holds, stage), f"what was acknowledged to {name} to hold")
    began = time.monotonic()
    refused = await repeat(stage, verb.operate)
    took_s = time.monotonic() - began
    await stage.until(functools.partial(verb.holds, stage), f"{name} to have its effect")
    await stage_check(stage, name)
    record.rounds += 1
    record.kills += len(victims)
    record.acknowledged += acknowledged
    record.refused.update(refused.keys())
    record.longest_s = max(record.longest_s, took_s)
    log.info(f"{name}: killed {victims}", acknowledged=acknowledged, took_s=took_s, refused=refused)


async def stage_check(stage: Stage, name: str) -> None:
    if name == "format":
        stage.identities = {m.rank: m.uuid for m in (await stage.daos.system.query()).members}
        stage.pools = {}
        made = await stage.daos.pools.create(POOL, SIZE)
        stage.pools = {made.uuid: POOL}
    if name != "erase":
        await stage.until(functools.partial(whole, stage), "the system to be the one it was")
    if stage.identities:
        await stage.until(functools.partial(tidy, stage), "the pools to be whole, and nothing left of others")


async def whole(stage: Stage) -> bool:
    await stage.check()
    return True


async def tidy(stage: Stage) -> bool:
    """Whether pools are as they should be; where ranks are down, some cannot be asked, and are none the less there."""
    if set((await stage.states()).values()) == {MemberState.JOINED}:
        return await stage.pools_are_whole()
    listed = {pool.uuid: pool.label for pool in (await stage.daos.pools.list(query=False)).pools}
    return {uuid: label for uuid, label in listed.items() if uuid not in stage.given_up} == stage.pools


@asynccontextmanager
async def stage_at(chance: random.Random, *, keep: bool = False) -> AsyncIterator[Stage]:
    folder = Path(mkdtemp(prefix="vk-"))
    stage = Stage(folder, chance)
    try:
        async with stage.daos:
            yield stage
        keep = False
    finally:
        stage.end()
        if not keep:
            shutil.rmtree(folder)


@pytest.mark.timeout(900)
async def test_killed_at_random_and_repeated_every_verb_ends_right() -> None:
    log.info(f"repeat with DAOS_CHAOS_SEED={SEED}")
    chance = random.Random(SEED)
    records = {name: Record(took_s=verb.takes_s) for name, verb in VERBS.items()}
    async with stage_at(chance) as stage:
        for name in chance.sample(sorted(VERBS), len(VERBS)):
            await one_round(stage, name, VERBS[name], records[name])
    assert all(record.kills for record in records.values())


async def run(names: Sequence[str], rounds: int, seed: int, *, keep: bool) -> None:
    """Do so many rounds, verbs in turn, and tell what came of them."""
    records = {name: Record() for name in names}
    async with stage_at(random.Random(seed), keep=keep) as stage:
        print(f"seed {seed}, folder {stage.folder}", flush=True)
        for name in names:
            await rehearse(stage, name, VERBS[name], records[name])
        for number in range(rounds):
            name = names[number % len(names)]
            try:
                await one_round(stage, name, VERBS[name], records[name])
            except BaseException:
                print(f"round {number} ({name}) failed", flush=True)
                raise
            print(f"round {number}: {name}", flush=True)
    print(f"{'verb':14} {'takes':>7} {'rounds':>6} {'kills':>5} {'ack':>4} {'repeated':>9}  refused with")
    for name, record in records.items():
        print(
            f"{name:14} {record.took_s:6.2f}s {record.rounds:6} {record.kills:5} {record.acknowledged:4}"
            f" {record.longest_s:8.2f}s",
            *(f"\n{'':20}{rounds} rounds: {text}" for text, rounds in record.refused.most_common()),
        )


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--verbs", default=",".join(VERBS))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--keep", action="store_true", help="leave the folder behind if a round fails")
    options = parser.parse_args(arguments)
    asyncio.run(run(options.verbs.split(","), options.rounds, options.seed, keep=options.keep))


if __name__ == "__main__":
    main(sys.argv[1:])
