"""``kill -9`` of the leader while pools are made, grown and destroyed, and while the checker is switched and run.

The leader is a daos_server with one emulated engine in a process of its own; the other ranks are simulated in this
process and live on. So a round takes a second, and hundreds are cheap. In a round several clients work without
pause; at a moment drawn by lot the leader dies, and its engine with it, sometimes once more on its way up, sometimes
with simulated engines beside it. Half of the clients then leave, the others ask again until they are answered.

When the leader is back, what was acknowledged is as it was acknowledged, and what was cut short is there as a whole or
not at all: every pool that is known is ready, on all ranks of its map and on no other, at the size it should have, and
no rank has anything else on its storage.

A few dozen rounds belong to the suite. More::

    python -m tests.chaos.test_leader_kills --rounds 500 [--checks 50] [--seed 7] [--keep]

A seed repeats the choices; the moments at which processes die remain their own.
"""

# ruff: noqa: T201 - a runner tells on standard output how it goes

import argparse
import asyncio
import functools
import itertools
import os
import random
import shutil
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Final
from uuid import uuid4

import msgspec
import pytest

from daos_control.apps.emulator.storage import UUID, Shard
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError, Fault, PoolNotFound
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.client import DaosClient
from daos_control.client.pool_size import PerRank
from daos_control.model.checker import CheckStatus
from daos_control.model.member_state import MemberState
from daos_control.model.pool_property import PoolQuery
from daos_control.testing.leader_process import SWIM, Leader, leaders
from daos_control.testing.simulation.host import Trouble
from daos_control.testing.simulation.layout import Layout
from daos_control.testing.simulation.system import Simulation, simulation
from daos_control.testing.storage_host import StorageHost, reserved_ports

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("leader_kills")]

log = logs.get(__name__)

SEED = int(os.environ.get("DAOS_CHAOS_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = int(os.environ.get("DAOS_CHAOS_ROUNDS", "12"))
RANKS: Final = frozenset(range(7))
SCM_BYTES: Final = 64 << 20
SIZE: Final = PerRank(tier_bytes=(SCM_BYTES, 0))
CLIENTS: Final = 4
MOST_POOLS: Final = 8
THINGS: Final = 4.0
"""How many things clients do at most, one after the other, before the leader dies."""
PATIENCE_S: Final = 60.0
HASTE: Final = ("DAOS_EMULATOR_REBUILD_MS=30", "DAOS_EMULATOR_CHECK_MS=50", "DAOS_EMULATOR_SWIM_PING_MS=5000")

MEMORY: Final = Path("/dev/shm")

Ranks = frozenset[int]
GONE: Final[Ranks] = frozenset()
"""The ranks of a pool that is not there."""


@dataclass(kw_only=True)
class Tally:
    """What became of one verb's operations."""

    acknowledged: int = 0
    """Before the kill."""
    later: int = 0
    """Cut short, and acknowledged when they were asked for again."""
    done: int = 0
    """Cut short and given up, and found as if they had been acknowledged."""
    undone: int = 0
    """Cut short and given up, and found as if they had never been asked for."""
    refused: Counter[str] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)

    @property
    def cut(self) -> int:
        """How many the kill came in between."""
        return self.later + self.done + self.undone


def usual_s(tallies: Iterable[Tally]) -> float:
    """Return what an operation usually takes, as this machine is now."""
    return statistics.median([took for tally in tallies for took in tally.took_s[-10:]] or [0.5])


class Stage:
    """The leader's host, the simulated ones, and the way to kill and look at them."""

    def __init__(
        self, folder: Path, host: StorageHost, simulated: Simulation, start: Callable[[Path, Path, str], Leader]
    ) -> None:
        self.folder = folder
        self.host = host
        self.simulated = simulated
        self.daos = DaosClient.from_config(host.control_config())
        self.kills = 0
        self._start = start
        self._leader: Leader | None = None

    def start(self) -> None:
        """Start the leader, unless it runs."""
        if self._leader is None:
            self._leader = self._start(self.host.server_config(), self.host.folder / "out.txt", self.host.address)

    def kill(self) -> None:
        """Kill the leader and its engine."""
        if self._leader is not None:
            self._leader.kill()
            self._leader = None
            self.kills += 1

    def shards(self) -> dict[int, dict[str, Shard]]:
        """Read what each rank has on its storage, rank by rank."""
        mounts = {0: self.host.folder / "daos0"}
        for host in self.simulated.hosts:
            for engine in host.server.harness.engines if host.server else ():
                if engine.rank is not None:
                    mounts[engine.rank] = Path(engine.settings.storage.scm_mount)
        return {rank: _shards_at(mount) for rank, mount in mounts.items()}

    async def until(self, accept: Callable[[], Awaitable[str]], *, patience_s: float = PATIENCE_S) -> None:
        """Wait until nothing is wrong; what is, ``accept`` says."""
        wrong = ""
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    try:
                        wrong = await accept()
                    except DaosControlError as error:
                        wrong = repr(error)
                    if not wrong:
                        return
                    self._must_run()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            output = self._leader.output[-8000:] if self._leader else "(no leader runs)"
            raise AssertionError(f"still not as it should be: {wrong}\n--- the leader\n{output}") from None

    def _must_run(self) -> None:
        if self._leader is not None:
            assert self._leader.runs, f"the leader ended:\n{self._leader.output}"
            assert "Traceback" not in self._leader.output, self._leader.output

    async def all_joined(self) -> str:
        """Say which ranks are not where they should be; those that died and stay down are started."""
        states = {member.rank: member.state for member in (await self.daos.system.query()).members}
        missing = {rank: states.get(rank) for rank in sorted(RANKS) if states.get(rank) is not MemberState.JOINED}
        if {MemberState.ERRORED, MemberState.EXCLUDED}.intersection(missing.values()):
            await self.daos.system.start()
        return f"ranks {missing}" if missing or len(states) != len(RANKS) else ""


def _shards_at(mount: Path) -> dict[str, Shard]:
    """Read the shares of pools below a storage path, those on their way in included."""
    found = {}
    for folder in itertools.chain(mount.iterdir(), (mount / "NEWBORNS").glob("*")):
        if UUID.fullmatch(folder.name):
            with suppress(FileNotFoundError):  # just removed, or not written yet
                found[folder.name] = msgspec.json.decode((folder / "shard.json").read_bytes(), type=Shard)
    return found


# Pools


class Promises:
    """What may be true of each pool, by its uuid: the sets of ranks on which it may be found."""

    def __init__(self) -> None:
        self.may: dict[str, set[Ranks]] = {}
        self.busy: set[str] = set()
        """Pools that somebody does something to."""

    def settled(self) -> list[str]:
        """Pools that are surely there, and nobody's at the moment."""
        return [uuid for uuid, may in self.may.items() if len(may) == 1 and GONE not in may and uuid not in self.busy]

    def ranks(self, uuid: str) -> Ranks:
        """The ranks of a pool of which they are known."""
        [ranks] = self.may[uuid]
        return ranks

    def settle(self, found: Mapping[str, Ranks]) -> str:
        """Compare with what is there; say what must not be, or take it over as the truth."""
        for uuid, may in self.may.items():
            if found.get(uuid, GONE) not in may:
                return f"pool {uuid} is on {_words(found.get(uuid, GONE))}, not {' or '.join(map(_words, may))}"
        if strangers := found.keys() - self.may.keys():
            return f"pools that were destroyed or never asked for: {', '.join(strangers)}"
        self.may = {uuid: {ranks} for uuid, ranks in found.items()}
        return ""


def _words(ranks: Ranks) -> str:
    return f"ranks {RankSet(ranks)}" if ranks else "no rank"


class Worker:
    """A client that does one thing after another to pools, until it is told to stop."""

    def __init__(
        self, daos: DaosClient, promises: Promises, tallies: Mapping[str, Tally], chance: random.Random
    ) -> None:
        self._daos = daos
        self._promises = promises
        self._tallies = tallies
        self._chance = chance
        self.patient = False
        self.leader_is_dead = False
        self.leader_is_back = asyncio.Event()
        self.undecided: list[tuple[str, str, Ranks]] = []
        """Verb, pool, and what it would be on if the verb had been carried out."""

    async def run(self) -> None:
        while not self.leader_is_dead:
            await self._step()
            await asyncio.sleep(0)

    async def _step(self) -> None:
        settled = self._promises.settled()
        verb = self._chance.choice(("create", "destroy", "extend")) if settled else "create"
        if settled and len(self._promises.may) >= MOST_POOLS and verb == "create":
            verb = "destroy"
        if verb == "create":
            uuid, before = str(uuid4()), GONE
            after = frozenset(self._chance.sample(sorted(RANKS), self._chance.randint(2, len(RANKS))))
        else:
            uuid = self._chance.choice(settled)
            before = self._promises.ranks(uuid)
            new = self._chance.sample(sorted(RANKS - before), min(len(RANKS - before), self._chance.randint(1, 2)))
            verb = verb if new else "destroy"
            after = GONE if verb == "destroy" else before.union(new)
        self._promises.may[uuid] = {before, after}
        self._promises.busy.add(uuid)
        try:
            await self._see_through(verb, uuid, before, after)
        finally:
            self._promises.busy.discard(uuid)

    async def _see_through(self, verb: str, uuid: str, before: Ranks, after: Ranks) -> None:
        """Do it; when the leader has died in between, ask again or give up, as it is one's way."""
        tally = self._tallies[verb]
        began = time.monotonic()
        while True:
            dead = self.leader_is_dead
            try:
                await self._do(verb, uuid, before, after)
            except DaosControlError as error:
                if not dead and not self.leader_is_dead:
                    tally.refused[f"{type(error).__name__}: {error}"] += 1
                if not self.patient and self.leader_is_dead:
                    self.undecided.append((verb, uuid, after))
                    return
                await asyncio.sleep(0.05)
                continue
            self._promises.may[uuid] = {after}
            if self.leader_is_dead:
                tally.later += 1
            else:
                tally.acknowledged += 1
                tally.took_s.append(time.monotonic() - began)
            return

    async def _do(self, verb: str, uuid: str, before: Ranks, after: Ranks) -> None:
        pools = self._daos.pools
        match verb:
            case "create":
                await pools.create(f"p{uuid[:8]}", SIZE, uuid=uuid, ranks=after)
            case "destroy":
                try:
                    await pools.destroy(uuid, force=self._chance.random() < 0.5, recursive=True)
                except PoolNotFound:
                    if not self.leader_is_dead:  # an attempt before the kill may have removed it
                        raise
            case _:
                try:
                    await pools.extend(uuid, after - before)
                except DaosError as error:
                    if error.status != Der.ALREADY or not self.leader_is_dead:
                        raise


async def pool_round(
    stage: Stage, promises: Promises, tallies: Mapping[str, Tally], chance: random.Random, options: "Options"
) -> float:
    """Work, kill, start, look; return how long it took from the start until all was as it should be."""
    workers = [Worker(stage.daos, promises, tallies, chance) for _ in range(CLIENTS)]
    for worker in workers:
        worker.patient = chance.random() < 0.5
    async with asyncio.timeout(2 * PATIENCE_S), asyncio.TaskGroup() as group:
        running = [group.create_task(worker.run()) for worker in workers]
        await asyncio.sleep(chance.uniform(0, THINGS * usual_s(tallies.values())))
        for worker in workers:
            worker.leader_is_dead = True
        stage.kill()
        if chance.random() < options.engines:
            stage.simulated.kill(RankSet(chance.sample(sorted(RANKS - {0}), chance.randint(1, 2))))
        stage.start()
        if chance.random() < options.twice:
            await asyncio.sleep(chance.uniform(0, 2.0))
            stage.kill()
            stage.start()
        began = time.monotonic()
        await stage.until(lambda: nothing_promised_is_undone(stage, promises))
        await stage.until(stage.all_joined)
        while not all(task.done() for task in running):  # that a rank has died may become known late
            await stage.until(stage.all_joined)
            await asyncio.sleep(0.05)
    await stage.until(stage.all_joined)
    found: dict[str, Ranks] = {}
    await stage.until(lambda: pools_are_as_promised(stage, promises, found))
    for worker in workers:
        for verb, uuid, after in worker.undecided:
            done = found.get(uuid, GONE) == after
            tallies[verb].done += done
            tallies[verb].undone += not done
    return time.monotonic() - began


async def nothing_promised_is_undone(stage: Stage, promises: Promises) -> str:
    """See that what was acknowledged holds as soon as the new leader says what pools there are."""
    settled = {uuid: next(iter(may)) for uuid, may in promises.may.items() if len(may) == 1}
    listed = {pool.uuid: pool.state for pool in (await stage.daos.pools.list(query=False)).pools}
    for uuid, ranks in settled.items():
        if promises.may.get(uuid) == {ranks} and uuid not in promises.busy:
            state = listed.get(uuid, "gone")
            assert state == ("Ready" if ranks else "gone"), f"pool {uuid} is {state}, acknowledged for {_words(ranks)}"
    return ""


async def pools_are_as_promised(stage: Stage, promises: Promises, found: dict[str, Ranks]) -> str:
    """Say what is wrong with the pools or with what engines keep; ``found`` is what is there."""
    if problem := await stage.all_joined():
        return problem
    listed = (await stage.daos.pools.list(query=False)).pools
    if halves := [f"{pool.uuid} is {pool.state}" for pool in listed if pool.state != "Ready"]:
        return ", ".join(halves)
    found.clear()
    for pool in listed:
        mask = int(PoolQuery.ENGINES_ENABLED | PoolQuery.ENGINES_DISABLED)
        told = await stage.daos.pools.query(pool.uuid, mask=mask)
        found[pool.uuid] = frozenset((*(told.enabled_ranks or ()), *(told.disabled_ranks or ())))
    shards = stage.shards()
    for rank in sorted(RANKS):
        there, wanted = shards[rank].keys(), {uuid for uuid, ranks in found.items() if rank in ranks}
        if there != wanted:
            return f"rank {rank} keeps {sorted(there - wanted)} for nobody, and lacks {sorted(wanted - there)}"
        used, promised = sum(shard.scm_bytes for shard in shards[rank].values()), SCM_BYTES * len(wanted)
        if used != promised:
            return f"rank {rank}: {used} bytes are used, {promised} by pools"
    return promises.settle(found)


# The checker


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckVerb:
    """Something that is done with the checker."""

    prepare: Callable[[Stage], Awaitable[None]]
    operate: Callable[[Stage], Awaitable[None]]
    """Raises DaosControlError unless all went well; doing it once more than needed is fine."""
    holds: Callable[[Stage], Awaitable[str]]
    """What is not as it should be afterwards."""


async def be_stopped(stage: Stage) -> None:
    async def stopped() -> str:
        (await stage.daos.system.stop()).check()
        states = {member.state for member in (await stage.daos.system.query()).members}
        return "" if states == {MemberState.STOPPED} else f"ranks are {states}"

    await stage.until(stopped)


async def be_checking(stage: Stage) -> None:
    await be_stopped(stage)
    await repeat(stage, enable)
    await stage.until(functools.partial(enabled, stage))


async def have_a_check(stage: Stage) -> None:
    await be_checking(stage)
    await repeat(stage, start_check)


async def enable(stage: Stage) -> None:
    """Enable; where that has been begun, ranks that were not started for it yet are started as others are.

    Where it had not been begun when the leader died, the leader's engine came up with it, and must be stopped again.
    """
    try:
        await stage.daos.checker.enable()
    except Fault as fault:
        if fault.code == FaultCode.SYSTEM_CHECKER_INVALID_MEMBER_STATES:
            await stop_again(stage)
        raise
    except DaosError as error:
        if error.status != Der.ALREADY:
            raise
        (await stage.daos.system.start()).check()


async def stop_again(stage: Stage) -> None:
    """Stop ranks; those that one which runs takes for dead must join before they count as stopped."""
    states = {member.state for member in (await stage.daos.system.query()).members}
    if MemberState.EXCLUDED in states:
        (await stage.daos.system.start()).check()
    (await stage.daos.system.stop()).check()


async def enabled(stage: Stage) -> str:
    states = {member.rank: member.state for member in (await stage.daos.system.query()).members}
    stray = {rank: state for rank, state in states.items() if state is not MemberState.CHECKER_STARTED}
    if stray:
        await stage.daos.system.start()
        return f"ranks are {stray}"
    await stage.daos.checker.get_policies()
    return ""


async def disable(stage: Stage) -> None:
    try:
        await stage.daos.checker.disable()
    except DaosError as error:
        if error.status != Der.ALREADY:
            raise


async def disabled(stage: Stage) -> str:
    """See that nobody is in checker mode: pools can be asked, were their engines started."""
    (await stage.daos.system.start()).check()
    return await stage.all_joined()


async def start_check(stage: Stage) -> None:
    await enabled(stage)
    await stage.daos.checker.start()


async def check_started(stage: Stage) -> str:
    await enabled(stage)
    status = (await stage.daos.checker.query()).status
    return "" if status is not CheckStatus.INIT else "no check has been started"


async def stop_check(stage: Stage) -> None:
    await enabled(stage)
    await stage.daos.checker.stop()


async def check_stopped(stage: Stage) -> str:
    await enabled(stage)
    status = (await stage.daos.checker.query()).status
    return "" if status is not CheckStatus.RUNNING else "a check is running"


CHECKS: Final[Mapping[str, CheckVerb]] = {
    "enable": CheckVerb(prepare=be_stopped, operate=enable, holds=enabled),
    "start": CheckVerb(prepare=be_checking, operate=start_check, holds=check_started),
    "stop": CheckVerb(prepare=have_a_check, operate=stop_check, holds=check_stopped),
    "disable": CheckVerb(prepare=be_checking, operate=disable, holds=disabled),
}


async def repeat(stage: Stage, operate: Callable[[Stage], Awaitable[None]]) -> None:
    async def once() -> str:
        await operate(stage)
        return ""

    await stage.until(once)


async def check_round(
    stage: Stage, promises: Promises, name: str, tally: Tally, chance: random.Random, options: "Options"
) -> None:
    """Interrupt something that is done with the checker, repeat it, and see that pools are none the worse for it."""
    verb = CHECKS[name]
    await verb.prepare(stage)
    longest_s = 1.3 * usual_s([tally])
    began = time.monotonic()
    acknowledged = asyncio.Event()

    async def operate() -> None:
        try:
            await verb.operate(stage)
        except DaosControlError as error:
            if not dead:
                tally.refused[f"{type(error).__name__}: {error}"] += 1
        else:
            tally.took_s.append(time.monotonic() - began)
            acknowledged.set()

    dead = False
    async with asyncio.TaskGroup() as group:
        running = group.create_task(operate())
        await asyncio.sleep(chance.uniform(0, longest_s))
        dead = True
        was_acknowledged = acknowledged.is_set()
        stage.kill()
        running.cancel()
    stage.start()
    if chance.random() < options.twice:
        await asyncio.sleep(chance.uniform(0, 2.0))
        stage.kill()
        stage.start()
    if was_acknowledged:
        tally.acknowledged += 1
        await stage.until(lambda: verb.holds(stage))
    else:
        tally.later += 1
        await repeat(stage, verb.operate)
        await stage.until(lambda: verb.holds(stage))
    await repeat(stage, disable)
    await stage.until(lambda: disabled(stage))
    await stage.until(lambda: pools_are_as_promised(stage, promises, {}))


# Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What else may happen, and how likely."""

    twice: float = 0.25
    """The leader is killed once more on its way up."""
    engines: float = 0.1
    """Simulated engines die with the leader."""


CALM: Final = Options(twice=0, engines=0)


@asynccontextmanager
async def stage_at(*, keep: bool = False) -> AsyncIterator[Stage]:
    """Set a system up, with all ranks joined; it is gone afterwards unless it is to be kept for a look at a failure."""
    folder = Path(mkdtemp(prefix="lk-"))
    quick = Path(mkdtemp(prefix="lk-", dir=MEMORY if MEMORY.is_dir() else None))
    host = StorageHost(folder / "h1", engines=1)
    for engine in host.config["engines"]:
        engine["env_vars"] += HASTE
    layout = Layout(
        system="daos_server",
        replicas=(f"{host.address}:{host.port}",),
        network=f"127.{random.SystemRandom().randrange(130, 250)}",
        port=host.port,
        first_fabric_port=reserved_ports(host, 1)[0],
        ranks=len(RANKS) - 1,
        engines=2,
        targets=1,
        folder=quick,
        restart_delay_s=0.5,
        engine_variables=HASTE,
    )
    try:
        with leaders() as start:
            async with simulation(layout, swim=SWIM) as simulated:
                stage = Stage(folder, host, simulated, start)
                async with stage.daos:
                    stage.start()
                    await stage.until(stage.all_joined)
                    yield stage
        keep = False
    finally:
        if not keep:
            shutil.rmtree(folder)
            shutil.rmtree(quick)


def said(tallies: Mapping[str, Tally]) -> str:
    """Tell what became of all operations."""
    lines = [f"{'':10} {'acknowledged':>12} {'cut':>5}: {'later':>5} {'done':>5} {'undone':>6}   usually takes"]
    for verb, tally in tallies.items():
        usual_ms = 1000 * statistics.median(tally.took_s or [0.0])
        lines.append(
            f"{verb:10} {tally.acknowledged:12} {tally.cut:5}: {tally.later:5} {tally.done:5} {tally.undone:6}"
            f"   {usual_ms:.0f} ms"
        )
        lines += [f"{'':12}refused {times} times: {text}" for text, times in tally.refused.most_common()]
    return "\n".join(lines)


@pytest.mark.timeout(120 + 15 * ROUNDS)
async def test_whenever_the_leader_dies_pools_are_there_as_a_whole_or_not_at_all() -> None:
    log.info(f"repeat with DAOS_CHAOS_SEED={SEED}")
    tallies = {verb: Tally() for verb in ("create", "destroy", "extend")}
    chance, promises = random.Random(SEED), Promises()
    async with stage_at() as stage:
        for _ in range(ROUNDS):
            await pool_round(stage, promises, tallies, chance, Options())
    log.info(said(tallies))
    assert all(tally.acknowledged for tally in tallies.values()), said(tallies)
    assert sum(tally.cut for tally in tallies.values()) >= ROUNDS, said(tallies)


@pytest.mark.timeout(300)
async def test_whenever_the_leader_dies_the_checker_is_on_or_off_and_can_be_switched() -> None:
    log.info(f"repeat with DAOS_CHAOS_SEED={SEED}")
    chance, promises = random.Random(SEED), Promises()
    async with stage_at() as stage:
        await pool_round(stage, promises, {verb: Tally() for verb in ("create", "destroy", "extend")}, chance, CALM)
        for name in CHECKS:
            await check_round(stage, promises, name, Tally(), chance, Options())


@pytest.mark.timeout(240)
async def test_a_stop_that_the_leader_dies_in_is_made_good_by_a_start() -> None:
    async with stage_at() as stage:
        members = stage.daos.system.query
        held_up = stage.simulated.hosts[-1]
        stage.simulated.trouble([held_up], Trouble.MUTE)
        before = {member.rank: member.incarnation for member in (await members()).members}

        async def all_others_prepared() -> str:
            states = {member.rank: member.state for member in (await members()).members}
            unprepared = [rank for rank, state in states.items() if state is not MemberState.STOPPING]
            return "" if len(unprepared) == held_up.serving else f"not prepared: {unprepared}"

        async with asyncio.TaskGroup() as group:
            stop = group.create_task(stage.daos.system.stop(force=False))
            await stage.until(all_others_prepared)
            stage.kill()
            stop.cancel()
        stage.simulated.trouble([held_up], Trouble.NONE)
        stage.start()

        async def started() -> str:
            (await stage.daos.system.start()).check()
            return ""

        await stage.until(started)
        renewed = set()

        async def all_joined() -> str:
            now = (await members()).members
            renewed.update(member.rank for member in now if member.incarnation > before[member.rank])
            left = {member.rank: member.state for member in now if member.state is not MemberState.JOINED}
            return f"ranks {left}" if left else ""

        await stage.until(all_joined, patience_s=20)
        assert len(renewed) == len(RANKS) - held_up.serving, "what was prepared for its end has ended and come back"


async def run(rounds: int, checks: int, seed: int, *, keep: bool) -> None:
    """Do so many rounds and tell what came of them."""
    chance, promises = random.Random(seed), Promises()
    pools = {verb: Tally() for verb in ("create", "destroy", "extend")}
    checker = {name: Tally() for name in CHECKS}
    took: list[float] = []
    async with stage_at(keep=keep) as stage:
        print(f"seed {seed}, folder {stage.folder}", flush=True)
        try:
            for number in range(rounds):
                began = time.monotonic()
                whole_s = await pool_round(stage, promises, pools, chance, Options())
                took.append(time.monotonic() - began)
                print(f"round {number}: {took[-1]:.1f} s, all well {whole_s:.1f} s after the start", flush=True)
            for number, name in zip(range(checks), itertools.cycle(CHECKS), strict=False):
                began = time.monotonic()
                await check_round(stage, promises, name, checker[name], chance, Options())
                print(f"check {number}: {name} {time.monotonic() - began:.1f} s", flush=True)
        finally:
            print(f"{len(took)} rounds of {sum(took) / max(1, len(took)):.1f} s, {stage.kills} kills")
            print(said({**pools, **{f"check {name}": tally for name, tally in checker.items()}}), flush=True)
    if rounds >= ROUNDS:
        assert all(tally.acknowledged and tally.cut for tally in pools.values()), "some verb was never cut, or always"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--checks", type=int, default=0)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--keep", action="store_true", help="leave the folders behind if a round fails")
    options = parser.parse_args(arguments)
    asyncio.run(run(options.rounds, options.checks, options.seed, keep=options.keep))


if __name__ == "__main__":
    main(sys.argv[1:])
