"""Handles of dead clients are given back, and nobody's else."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import pytest

from daos_control.apps.agent.process_monitor import MAX_HANDLES, ProcessMonitor, TooManyHandles, process_monitor
from daos_control.base.errors import DaosError

POOL, OTHER_POOL = UUID(int=1), UUID(int=2)


def handle(number: int) -> UUID:
    return UUID(int=1000 + number)


class Processes:
    """A watch whose processes end when the test says so."""

    def __init__(self) -> None:
        self.watched: dict[int, Callable[[int], None]] = {}
        self.dead: set[int] = set()

    def start(self, pid: int, ended: Callable[[int], None]) -> None:
        if pid in self.dead:
            raise ProcessLookupError
        self.watched[pid] = ended

    def stop(self, pid: int) -> None:
        del self.watched[pid]

    def die(self, pid: int) -> None:
        self.watched.pop(pid)(pid)


class Pools:
    """Records evictions; they take until the gate is open, and fail for pools that are broken."""

    def __init__(self) -> None:
        self.evicted: list[tuple[UUID, frozenset[UUID]]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.broken: set[UUID] = set()

    async def evict(self, pool: UUID, handles: frozenset[UUID]) -> None:
        self.evicted.append((pool, handles))
        await self.open.wait()
        if pool in self.broken:
            raise DaosError(-1006)


@pytest.fixture
def processes() -> Processes:
    return Processes()


@pytest.fixture
async def pools() -> Pools:
    return Pools()


@pytest.fixture
async def monitor(processes: Processes, pools: Pools) -> AsyncIterator[ProcessMonitor]:
    async with process_monitor(evict=pools.evict, watch=processes, name_of=lambda pid: f"app{pid}") as monitor:
        yield monitor


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_a_dead_client_left_open_is_evicted(monitor: ProcessMonitor, processes: Processes, pools: Pools):
    monitor.opened(10, POOL, handle(1))
    monitor.opened(10, POOL, handle(2))
    monitor.opened(10, OTHER_POOL, handle(3))
    monitor.closed(10, POOL, handle(2))

    processes.die(10)
    await settle()

    assert sorted(pools.evicted) == [(POOL, {handle(1)}), (OTHER_POOL, {handle(3)})]


async def test_a_client_that_closes_everything_is_forgotten(
    monitor: ProcessMonitor, processes: Processes, pools: Pools
):
    monitor.opened(10, POOL, handle(1))
    monitor.closed(10, POOL, handle(1))
    monitor.exiting(10)
    await settle()

    assert not processes.watched
    assert not pools.evicted


async def test_a_client_that_says_goodbye_gives_back_the_rest(
    monitor: ProcessMonitor, processes: Processes, pools: Pools
):
    monitor.opened(10, POOL, handle(1))

    monitor.exiting(10)
    await settle()

    assert pools.evicted == [(POOL, {handle(1)})]
    assert not processes.watched


async def test_closing_what_was_never_opened_means_nothing(monitor: ProcessMonitor, processes: Processes):
    monitor.closed(10, POOL, handle(1))
    monitor.exiting(10)
    monitor.opened(10, POOL, handle(1))
    monitor.closed(10, OTHER_POOL, handle(1))

    assert set(processes.watched) == {10}


async def test_one_client_cannot_close_anothers_handle(monitor: ProcessMonitor, processes: Processes, pools: Pools):
    monitor.opened(10, POOL, handle(1))
    monitor.opened(11, POOL, handle(2))

    monitor.closed(11, POOL, handle(1))
    processes.die(10)
    await settle()

    assert pools.evicted == [(POOL, {handle(1)})]


async def test_a_client_that_died_before_its_report_was_read_loses_the_handle_at_once(
    monitor: ProcessMonitor, processes: Processes, pools: Pools
):
    processes.dead.add(10)

    monitor.opened(10, POOL, handle(1))
    await settle()

    assert pools.evicted == [(POOL, {handle(1)})]


async def test_a_client_of_another_pid_namespace_keeps_its_handles(monitor: ProcessMonitor, pools: Pools):
    monitor.opened(0, POOL, handle(1))
    await monitor.flush()

    assert not pools.evicted


async def test_a_crowd_that_dies_together_is_evicted_together(
    monitor: ProcessMonitor, processes: Processes, pools: Pools
):
    for pid in range(100, 228):
        monitor.opened(pid, POOL, handle(pid))
    pools.open.clear()

    for pid in range(100, 228):
        processes.die(pid)
        await asyncio.sleep(0)
    pools.open.set()
    await monitor.flush()

    assert len(pools.evicted) == 2
    assert frozenset().union(*(handles for _, handles in pools.evicted)) == {handle(pid) for pid in range(100, 228)}


async def test_a_pool_that_does_not_answer_holds_up_no_other(
    monitor: ProcessMonitor, processes: Processes, pools: Pools
):
    pools.open.clear()
    monitor.opened(10, POOL, handle(1))
    monitor.opened(11, OTHER_POOL, handle(2))

    processes.die(10)
    await settle()
    processes.die(11)
    await settle()

    assert len(pools.evicted) == 2
    pools.open.set()


async def test_a_failed_eviction_is_dropped_and_the_next_one_goes_ahead(
    monitor: ProcessMonitor, processes: Processes, pools: Pools
):
    pools.broken.add(POOL)
    monitor.opened(10, POOL, handle(1))
    processes.die(10)
    await settle()
    pools.broken.clear()

    monitor.opened(11, POOL, handle(2))
    processes.die(11)
    await settle()

    assert pools.evicted == [(POOL, {handle(1)}), (POOL, {handle(2)})]


async def test_flush_evicts_everything_of_everybody_and_waits_for_it(
    monitor: ProcessMonitor, processes: Processes, pools: Pools
):
    monitor.opened(10, POOL, handle(1))
    monitor.opened(11, POOL, handle(2))
    monitor.opened(11, OTHER_POOL, handle(3))

    await monitor.flush()

    assert sorted(pools.evicted) == [(POOL, {handle(1), handle(2)}), (OTHER_POOL, {handle(3)})]
    assert not processes.watched


async def test_flush_with_nothing_open_returns(monitor: ProcessMonitor, pools: Pools):
    await monitor.flush()

    assert not pools.evicted


async def test_an_eviction_under_way_does_not_outlive_the_monitor(processes: Processes, pools: Pools):
    pools.open.clear()
    async with process_monitor(evict=pools.evict, watch=processes, name_of=str) as monitor:
        monitor.opened(10, POOL, handle(1))
        processes.die(10)
        await settle()

    assert pools.evicted


async def test_a_process_cannot_fill_the_agents_memory(monitor: ProcessMonitor):
    for number in range(MAX_HANDLES):
        monitor.opened(10, POOL, handle(number))

    with pytest.raises(TooManyHandles):
        monitor.opened(10, POOL, handle(MAX_HANDLES))
