"""``kill -9`` of any process, at any moment, in a whole system: after a restart nothing that was promised is lost.

Pools are created and destroyed while servers, engines and the agent are killed at random; then the lab is brought up
again and looked at. ``DAOS_CHAOS_ROUNDS`` says how many rounds, ``DAOS_CHAOS_SEED`` repeats the choices of an earlier
run (the moments at which processes die are their own), ``DAOS_CHAOS_KEEP`` leaves the lab's files and logs behind.
"""

import asyncio
import os
import random
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import pytest

from daos_control.apps.lab import bringup, processes
from daos_control.apps.lab.plan import Wish
from daos_control.apps.lab.records import Lab, Process, command_line, start_time
from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.client import DaosClient
from daos_control.client.pool_size import PerRank
from daos_control.model.member_state import MemberState
from daos_control.model.pool_property import PoolQuery
from daos_control.net.drpc import client as drpc
from daos_control.net.drpc.methods import Mgmt
from daos_control.wire.pb.mgmt import svc_pb2

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("lab")]

log = logs.get(__name__)

ROUNDS = int(os.environ.get("DAOS_CHAOS_ROUNDS", "15"))
KEEP = "DAOS_CHAOS_KEEP" in os.environ
SEED = int(os.environ.get("DAOS_CHAOS_SEED", random.SystemRandom().randrange(1 << 32)))
WISH = Wish(hosts=2, engines=2, targets=1, insecure=True)
SIZE = PerRank(tier_bytes=(64 << 20, 0))
MOST_POOLS = 6
PATIENCE_S = 60.0
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(kw_only=True)
class Promises:
    """What the system has acknowledged, and what it was doing when it died."""

    pools: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Ranks of the pools that were created and not destroyed."""
    doubtful: set[str] = field(default_factory=set)
    """Pools whose creation or destruction was under way: they may be there or not."""


class Workload:
    """A client that makes and removes pools for as long as it may."""

    def __init__(self, client: DaosClient, promises: Promises, chance: random.Random) -> None:
        self._client = client
        self._promises = promises
        self._chance = chance
        self.stopping = False
        self.acknowledged = 0

    async def run(self) -> None:
        """Work until told to stop, or until the system has failed us."""
        while not self.stopping:
            pools = self._promises.pools
            crowded = len(pools) >= MOST_POOLS
            step = self._destroy if pools and (crowded or self._chance.random() < 0.4) else self._create
            try:
                await step()
            except DaosControlError as error:
                log.info(f"{step.__name__}: {error}")
                return
            self.acknowledged += 1

    async def _create(self) -> None:
        uuid = str(uuid4())
        self._promises.doubtful.add(uuid)
        made = await self._client.pools.create(f"p{uuid[:8]}", SIZE, uuid=uuid)
        self._promises.doubtful.remove(uuid)
        self._promises.pools[uuid] = made.tgt_ranks

    async def _destroy(self) -> None:
        uuid = self._chance.choice(sorted(self._promises.pools))
        del self._promises.pools[uuid]
        self._promises.doubtful.add(uuid)
        await self._client.pools.destroy(uuid, force=self._chance.random() < 0.5, recursive=True)
        self._promises.doubtful.remove(uuid)


class LabUnderFire:
    """A lab, and what must be true of it whenever it is up."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.promises = Promises()
        self.kills = 0
        self._chance = chance
        self._identities: dict[int, str] = {}

    @property
    def lab(self) -> Lab:
        lab = Lab.load(self.folder)
        assert lab is not None
        return lab

    async def up(self) -> None:
        async for _ in bringup.up(self.folder, WISH, pool_bytes=0):
            pass

    def victims(self) -> dict[str, Process]:
        """Name everything that runs and may be killed."""
        lab = self.lab
        found = dict(lab.processes)
        found |= {f"{one.host}/e{one.index}": one.process for one in processes.engines(lab) if one.process}
        return {name: process for name, process in found.items() if process.is_running}

    async def kill_some(self) -> list[str]:
        victims = self.victims()
        names = self._chance.sample(sorted(victims), min(len(victims), self._chance.choice([1, 1, 2, 2, 3, 7])))
        processes.send([victims[name] for name in names], signal.SIGKILL)
        await processes.gone([victims[name] for name in names])
        self.kills += len(names)
        return names

    async def check(self, client: DaosClient) -> None:
        await self._ranks_are_the_same(client)
        await self._pools_are_as_promised(client)
        self._nothing_else_runs()
        await self._agent_answers()

    async def _ranks_are_the_same(self, client: DaosClient) -> None:
        members = (await client.system.query()).members
        assert {member.state for member in members} == {MemberState.JOINED}, members
        found = {member.rank: member.uuid for member in members}
        self._identities = self._identities or found
        assert found == self._identities

    async def _pools_are_as_promised(self, client: DaosClient) -> None:
        async def whole() -> bool:
            listed = await client.pools.list(query=False)
            return all(pool.state == "Ready" for pool in listed.pools)

        await until(whole, "no pool to be half made or half destroyed")
        promises = self.promises
        present = {pool.uuid for pool in (await client.pools.list(query=False)).pools}
        assert promises.pools.keys() <= present, "a pool that was acknowledged is gone"
        assert present <= promises.pools.keys() | promises.doubtful, "a pool that was destroyed is back"
        await self._pools_serve(client)
        for uuid in promises.doubtful & present:
            found = await client.pools.query(uuid, mask=int(PoolQuery.ENGINES_ENABLED | PoolQuery.ENGINES_DISABLED))
            assert found.enabled_ranks is not None
            assert found.disabled_ranks is not None
            promises.pools[uuid] = (*found.enabled_ranks, *found.disabled_ranks)
        promises.doubtful.clear()
        await self._space_is_accounted()

    async def _pools_serve(self, client: DaosClient) -> None:
        """Every pool answers; ranks that were dead for long may be out of it, as in a genuine system."""

        async def answering() -> bool:
            listed = await client.pools.list()
            for uuid, error in listed.query_errors.items():
                log.info(f"{uuid}: {error}")
            return not listed.query_errors and {pool.state for pool in listed.pools} <= {"Ready", "TargetsExcluded"}

        await until(answering, "all pools to answer")

    async def _space_is_accounted(self) -> None:
        """What engines keep is what the pools need: nothing is missing, nothing left over."""
        expected = {
            rank: {uuid for uuid, ranks in self.promises.pools.items() if rank in ranks} for rank in self._identities
        }

        async def accounted() -> bool:
            return self._kept() == expected

        try:
            await until(accounted, "space to be accounted for", patience_s=PATIENCE_S / 2)
        except AssertionError:
            assert self._kept() == expected
            raise

    def _kept(self) -> dict[int, set[str]]:
        """Return what each rank has on its storage."""
        mounts = [storage for host in self.lab.plan.hosts for storage in host.storage]
        kept: dict[int, set[str]] = {}
        for engine, mount in zip(processes.engines(self.lab), mounts, strict=True):
            assert engine.rank is not None
            kept[engine.rank] = {path.name for path in mount.iterdir() if UUID.fullmatch(path.name)}
        return kept

    def _nothing_else_runs(self) -> None:
        """Engines are children of living servers, and no other process knows of this lab."""
        lab = self.lab
        ours = {process.pid for process in lab.processes.values()}
        ours |= {engine.process.pid for engine in processes.engines(lab) if engine.process}
        assert len(ours) == WISH.hosts + WISH.hosts * WISH.engines + 1
        names = (str(self.folder), str(lab.place.run))
        pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        found = {pid for pid in pids if any(name in word for word in command_line(pid) for name in names)}
        strangers = {pid: command_line(pid) for pid in found - ours - {os.getpid()} if start_time(pid)}
        assert not strangers

    async def _agent_answers(self) -> None:
        path = str(self.lab.place.run / "agent" / "daos_agent.sock")
        request = svc_pb2.GetAttachInfoReq(sys="daos_server", all_ranks=True)

        async def attached() -> bool:
            reply = await drpc.call(path, Mgmt.GET_ATTACH_INFO, request, timeout_s=PATIENCE_S)
            return reply.status == 0 and sorted(uri.rank for uri in reply.rank_uris) == sorted(self._identities)

        await until(attached, "the agent to know all ranks")


async def until(condition: Callable[[], Awaitable[bool]], what: str, *, patience_s: float = PATIENCE_S) -> None:
    """Wait for what other processes do."""
    try:
        async with asyncio.timeout(patience_s):
            while not await condition():  # noqa: ASYNC110  other processes, nothing to wait on
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what}") from None


@asynccontextmanager
async def lab_under_fire(chance: random.Random) -> AsyncIterator[LabUnderFire]:
    # Not below pytest's folder: what is mounted there, should this process die, would get into every later run's way.
    folder = Path(mkdtemp(prefix="daos_chaos-"))
    under_fire = LabUnderFire(folder, chance)
    try:
        await under_fire.up()
        yield under_fire
    finally:
        if (lab := Lab.load(folder)) is not None:
            await bringup.down(lab, keep=KEEP)


@pytest.mark.timeout(60 + 30 * ROUNDS)
async def test_kills_at_random_lose_nothing() -> None:
    log.info(f"repeat with DAOS_CHAOS_SEED={SEED}")
    chance = random.Random(SEED)
    acknowledged = 0
    async with lab_under_fire(chance) as under_fire:
        for number in range(ROUNDS):
            acknowledged += await one_round(under_fire, chance, number)
    log.info(f"{under_fire.kills} processes killed, {acknowledged} pools created or destroyed")
    assert under_fire.kills >= ROUNDS
    assert acknowledged >= ROUNDS, "hardly anything went on while processes died: the test tests nothing"


async def one_round(under_fire: LabUnderFire, chance: random.Random, number: int) -> int:
    """Let clients work, kill, sometimes kill again on the way up, bring everything up, look; return what was done."""
    async with DaosClient.from_config(under_fire.lab.plan.control_config_path) as client:
        clients = [Workload(client, under_fire.promises, chance) for _ in range(2)]
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one.run()) for one in clients]
            await asyncio.sleep(chance.uniform(0.05, 1.0))
            killed = await under_fire.kill_some()
            if chance.random() < 0.3:
                await asyncio.sleep(chance.uniform(0, 0.5))
                killed += await under_fire.kill_some()
            patient = chance.random() < 0.5
            log.info(f"round {number}: killed {', '.join(killed)}; clients {'wait' if patient else 'leave'}")
            for workload, task in zip(clients, running, strict=True):
                workload.stopping = True
                if not patient:
                    task.cancel()
            if chance.random() < 0.3:
                await interrupted_start(under_fire, chance)
            await under_fire.up()
            async with asyncio.timeout(PATIENCE_S):
                for task in running:
                    with suppress(asyncio.CancelledError):
                        await task
        await under_fire.check(client)
        return sum(one.acknowledged for one in clients)


async def interrupted_start(under_fire: LabUnderFire, chance: random.Random) -> None:
    """Kill again while the lab is on its way up; whoever brings it up may be told so."""
    async with asyncio.TaskGroup() as group:
        start = group.create_task(attempt(under_fire))
        await asyncio.sleep(chance.uniform(0.1, 2.0))
        log.info(f"on the way up: killed {', '.join(await under_fire.kill_some())}")
        start.cancel()


async def attempt(under_fire: LabUnderFire) -> None:
    with suppress(DaosControlError):
        await under_fire.up()
