"""Storms and days of large systems, in virtual time: what they cost in commits and group maps, and how they end."""

import asyncio

import pytest

from daos_control.model.member_state import MemberState
from daos_control.testing.simulation.in_memory import InMemorySystem, in_memory
from daos_control.testing.virtual_time import in_virtual_time

RANKS = 2048
HOUR_S = 3600.0


def states(system: InMemorySystem) -> dict[MemberState, int]:
    """Count members by state."""
    found: dict[MemberState, int] = {}
    for member in system.management.system.members.values():
        found[member.state] = found.get(member.state, 0) + 1
    return found


def check_maps(system: InMemorySystem) -> None:
    """The newest map has just those that have joined, and its version is the system's own or differs in no rank."""
    joined = {rank for rank, member in system.management.system.members.items() if member.in_group}
    assert system.maps[-1][1] == joined
    versions = [version for version, _ in system.maps]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize(("within_s", "most_commits"), [(0.5, 12), (4.0, 30), (15.0, 80)])
def test_two_thousand_joins_cost_tens_of_commits_and_maps(within_s: float, most_commits: int) -> None:
    async def play() -> None:
        async with in_memory(RANKS, seed=1) as system:
            before = system.store.commits
            await system.join_all(within_s=within_s)
            commits = system.store.commits - before
            await asyncio.sleep(5)
            assert commits <= most_commits
            assert len(system.maps) <= 40
            assert states(system) == {MemberState.JOINED: RANKS}
            assert len({engine.rank for engine in system.engines}) == RANKS
            check_maps(system)

    in_virtual_time(play())


def test_a_storm_of_joins_costs_a_handful_of_maps() -> None:
    async def play() -> None:
        async with in_memory(512, seed=2) as system:
            await system.join_all(within_s=0.0)
            await asyncio.sleep(5)
            assert len(system.maps) <= 5
            check_maps(system)

    in_virtual_time(play())


def test_a_storm_of_deaths_costs_a_handful_of_maps_and_leaves_the_dead_out() -> None:
    async def play() -> None:
        async with in_memory(RANKS, seed=3) as system:
            system.comes_back = False
            await system.join_all(within_s=4.0)
            await asyncio.sleep(5)
            before, commits = len(system.maps), system.store.commits
            assert system.die(range(100, 612)) == 512
            await asyncio.sleep(5)
            assert states(system) == {MemberState.JOINED: RANKS - 512, MemberState.ERRORED: 512}
            await asyncio.sleep(10)
            assert states(system) == {MemberState.JOINED: RANKS - 512, MemberState.EXCLUDED: 512}
            assert len(system.maps) - before <= 8
            assert system.store.commits - commits <= 20
            check_maps(system)

    in_virtual_time(play())


@pytest.mark.parametrize("seed", range(4))
def test_a_day_of_deaths_and_returns(seed: int) -> None:
    """Whatever the order of deaths, reports and returns: nobody is lost, nobody stays out who wants in."""

    async def play() -> None:
        async with in_memory(256, seed=seed) as system:
            await system.join_all(within_s=2.0)
            uuids = {engine.rank: engine.uuid for engine in system.engines}
            for _ in range(24):
                await asyncio.sleep(system.random.uniform(0, 2 * HOUR_S))
                unlucky = system.random.sample(range(1, 257), system.random.choice([1, 3, 40]))
                system.die(unlucky)
                await asyncio.sleep(system.random.uniform(0, 15))  # back before, while or after others notice
                await system.join_all(within_s=system.random.uniform(0, 5))
            await asyncio.sleep(HOUR_S)
            await system.join_all(within_s=1.0)
            await asyncio.sleep(60)
            assert asyncio.get_running_loop().time() > 8 * HOUR_S
            assert states(system) == {MemberState.JOINED: 256}
            assert {rank: member.uuid for rank, member in system.management.system.members.items()} == uuids
            assert system.unserved == 0
            check_maps(system)

    in_virtual_time(play())
