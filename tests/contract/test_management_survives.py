"""The management service killed at every single commit: after a restart and a retry all is as if nothing had been."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from daos_control.base import aio
from daos_control.base.der import Der
from daos_control.base.errors import Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt.service import Management
from daos_control.net.drpc import methods as drpc
from daos_control.store.api import Leadership
from daos_control.store.memory import MemoryStore
from daos_control.store.sqlite import SqliteStore
from daos_control.testing.management import Bench, a_join, until
from daos_control.wire.pb.mgmt import pool_pb2

KEPT, GONE = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"


class KilledStore(MemoryStore):
    """Hangs for good at one commit, before or after it is written: its writer can only be killed."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 10_000
        self.written = False
        self.hangs = asyncio.Event()

    async def commit(
        self,
        writes: Mapping[str, bytes | None],
        *,
        expect: Mapping[str, int] | None = None,
        fence: Leadership | None = None,
    ) -> int:
        self.left -= 1
        if self.left >= 0:
            return await super().commit(writes, expect=expect, fence=fence)
        if self.written:
            await super().commit(writes, expect=expect, fence=fence)
        self.hangs.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody wakes the dead")


async def everything(bench: Bench, management: Management) -> None:
    """Two engines join, two pools are made, one is destroyed; clients retry what they are told to retry."""
    for number in (1, 2):
        joined, _ = await management.join(a_join(number, index=1))
        assert joined.member.rank == number
    for uuid, label in ((KEPT, "kept"), (GONE, "gone")):
        request = pool_pb2.PoolCreateReq(uuid=uuid, tier_bytes=[1 << 30, 0])
        request.properties.add(number=1, strval=label)
        bench.engines.answer(drpc.Mgmt.POOL_CREATE, *[pool_pb2.PoolCreateResp(svc_reps=[1, 2])] * 2)
        for _ in range(100):
            if await created(management, request):
                break
    await management.pools.destroy(pool_pb2.PoolDestroyReq(id="gone", recursive=True))


async def created(management: Management, request: pool_pb2.PoolCreateReq) -> bool:
    """Try to create a pool; False means: try again, as DAOS clients do."""
    try:
        return (await management.pools.create(request)).status != Der.AGAIN
    except Fault as fault:
        if fault.code != FaultCode.SYSTEM_POOL_LOCKED:
            raise
        return False


async def ready(management: Management) -> None:
    """Wait until a service that was just started leads."""
    await asyncio.sleep(0)
    await management.check_leader()


def check(management: Management) -> None:
    system = management.system
    assert {rank: member.uuid for rank, member in system.members.items()} == {n: a_join(n).uuid for n in (1, 2)}
    assert {pool.uuid: (pool.label, pool.replicas, pool.ready) for pool in system.pools.values()} == {
        KEPT: ("kept", (1, 2), True)
    }


@pytest.mark.parametrize("written", [False, True], ids=["before it is written", "after it is written"])
@pytest.mark.parametrize("commit", range(9))
async def test_killed_at_a_commit(commit: int, *, written: bool) -> None:
    store = KilledStore()
    store.left, store.written = commit, written
    bench = Bench()
    bench.engines.open()
    async with aio.background() as tasks:
        doomed = bench.management()
        tasks.start("management", doomed.run(store))

        async def clients() -> None:
            await until(lambda: doomed.leading)
            await everything(bench, doomed)

        async with asyncio.TaskGroup() as group:
            busy = group.create_task(clients())
            await store.hangs.wait()
            tasks.cancel()
            busy.cancel()
    store.left = 10_000
    survivor = bench.management()
    async with aio.background() as tasks:
        tasks.start("management", survivor.run(store))
        await until(lambda: survivor.leading)
        await everything(bench, survivor)
        check(survivor)


async def test_a_restart_on_a_real_database(tmp_path: Path) -> None:
    bench = Bench()
    bench.engines.open()
    store = await SqliteStore.open(tmp_path / "db")
    management = bench.management()
    async with aio.background() as tasks:
        tasks.start("management", management.run(store))
        await ready(management)
        await everything(bench, management)
        before = management.system
    await store.aclose()
    store = await SqliteStore.open(tmp_path / "db")
    async with aio.background() as tasks:
        tasks.start("management", management.run(store))
        await ready(management)
        assert management.system == before
        check(management)
    await store.aclose()
