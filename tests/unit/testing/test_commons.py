"""What engines of one process have in common: their map, who is dead, and what those outside hear of it."""

import asyncio
from random import Random

import pytest

from daos_control.apps.emulator.chores import Chores, chores
from daos_control.apps.emulator.fabric import Service
from daos_control.apps.emulator.membership import GroupMap, Member
from daos_control.apps.emulator.neighbourhood import Gossip, Listener, Ping, SpreadMap, WantMap
from daos_control.apps.emulator.settings import Swim
from daos_control.apps.emulator.swim import Health, Rumour
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.testing.simulation.commons import Commons, Resident, SharedFabric
from daos_control.testing.virtual_time import in_virtual_time

SWIM = Swim(period_s=1.0, ping_s=0.5, suspect_s=6.0)


def is_here(host: str) -> bool:
    return host.startswith("127.")


class Village:
    """A few engines in one process."""

    def __init__(self) -> None:
        self.commons = Commons(SharedFabric(is_here), is_here, SWIM, Random(1))
        self.reports: list[tuple[int, Rumour]] = []
        self.left_out: list[int] = []
        self.residents: dict[int, Resident] = {}

    def uri(self, rank: int) -> str:
        return f"ofi+tcp://127.0.0.{rank}:31416"

    def engine(self, rank: int, owned: Chores, *, incarnation: int = 10) -> Resident:
        found: list[Resident] = []
        self.commons.founder(found.append)(
            incarnation,
            SWIM,
            owned,
            self.commons.fabric,
            Listener(
                changed=lambda: None,
                died=lambda deaths: self.reports.extend((rank, death) for death in deaths),
                left_out=lambda: self.left_out.append(rank),
            ),
        )
        [resident] = found
        resident.uri = self.uri(rank)
        self.residents[rank] = resident
        return resident

    def map_of(self, version: int, *ranks: int) -> GroupMap:
        return GroupMap(version=version, members=tuple(Member(rank, self.uri(rank), 10) for rank in ranks))

    def services(self, resident: Resident) -> dict[str, Service]:
        return {
            "Ping": Service(Ping, resident.on_ping),
            "WantMap": Service(WantMap, resident.on_want_map),
        }


def test_one_map_is_everybodys() -> None:
    async def play() -> None:
        village = Village()
        async with chores() as owned:
            one, two = (village.engine(rank, owned) for rank in (1, 2))
            with village.commons.residing(one, {}), village.commons.residing(two, {}):
                one.set_rank(1, 1)
                two.set_rank(2, 1)
                one.update(village.map_of(3, 1, 2), spread=True)
                assert one.group.members is two.group.members
                assert two.group.version == 3
                one.update(village.map_of(2, 1), spread=True)
                assert two.group.version == 3
                one.update(village.map_of(4, 1), spread=True)
                assert village.left_out == [2]

    in_virtual_time(play())


def test_a_map_from_before_an_engines_time_is_not_for_it() -> None:
    async def play() -> None:
        village = Village()
        async with chores() as owned:
            one, two = (village.engine(rank, owned) for rank in (1, 2))
            with village.commons.residing(one, {}), village.commons.residing(two, {}):
                one.set_rank(1, 1)
                one.update(village.map_of(5, 1), spread=False)
                two.set_rank(2, 7)
                assert (two.group.version, village.left_out) == (0, [])
                one.update(village.map_of(7, 1, 2), spread=False)
                assert two.group.version == 7

    in_virtual_time(play())


def test_a_death_is_reported_by_witnesses_after_the_time_of_suspicion_and_once() -> None:
    async def play() -> None:
        village = Village()
        async with chores() as owned, asyncio.TaskGroup() as group:
            watch = group.create_task(village.commons.watch())
            engines = [village.engine(rank, owned) for rank in range(1, 6)]
            living = [village.commons.residing(engine, {}) for engine in engines]
            for engine, residing in zip(engines, living, strict=True):
                residing.__enter__()
                engine.set_rank(int(engine.uri.split(".")[3].split(":")[0]), 1)
            engines[0].update(village.map_of(2, 1, 2, 3, 4, 5), spread=False)
            living[1].__exit__(None, None, None)
            await asyncio.sleep(5)
            assert village.reports == []
            assert engines[0].usable(2)
            await asyncio.sleep(30)
            assert {death for _, death in village.reports} == {Rumour(2, 10, Health.DEAD)}
            witnesses = [rank for rank, _ in village.reports]
            assert len(witnesses) == len(set(witnesses)) == village.commons.witnesses
            assert 2 not in witnesses
            assert not engines[0].usable(2)
            assert village.commons.dead == [2]
            engines[0].update(village.map_of(3, 1, 3, 4, 5), spread=False)
            assert village.commons.dead == []
            for number in (0, 2, 3, 4):
                living[number].__exit__(None, None, None)
            watch.cancel()

    in_virtual_time(play())


def test_an_engine_that_came_back_in_time_is_nobodys_loss() -> None:
    async def play() -> None:
        village = Village()
        async with chores() as owned, asyncio.TaskGroup() as group:
            watch = group.create_task(village.commons.watch())
            one, two = (village.engine(rank, owned) for rank in (1, 2))
            with village.commons.residing(one, {}):
                one.set_rank(1, 1)
                with village.commons.residing(two, {}):
                    two.set_rank(2, 1)
                    one.update(village.map_of(2, 1, 2), spread=False)
                await asyncio.sleep(3)
                again = village.engine(2, owned, incarnation=20)
                with village.commons.residing(again, {}):
                    again.set_rank(2, 3)
                    members = (Member(1, village.uri(1), 10), Member(2, village.uri(2), 20))
                    one.update(GroupMap(version=3, members=members), spread=False)
                    await asyncio.sleep(60)
            assert village.reports == []
            watch.cancel()

    in_virtual_time(play())


async def test_calls_reach_the_living_and_nobody_else() -> None:
    village = Village()
    async with chores() as owned:
        one = village.engine(1, owned)
        fabric = village.commons.fabric
        with village.commons.residing(one, village.services(one)):
            one.set_rank(1, 1)
            one.update(village.map_of(2, 1), spread=False)
            answer = await fabric.call(village.uri(1), WantMap(), SpreadMap, timeout_s=1.0)
            assert answer.map.version == 2
            with pytest.raises(DaosError) as stranger:
                await fabric.call(village.uri(9), WantMap(), SpreadMap, timeout_s=1.0)
            assert stranger.value.status == Der.UNREACH
        with pytest.raises(DaosError) as dead:
            await fabric.call(village.uri(1), WantMap(), SpreadMap, timeout_s=1.0)
        assert dead.value.status == Der.UNREACH


async def test_the_living_defend_themselves_against_rumours_from_outside() -> None:
    village = Village()
    async with chores() as owned:
        one = village.engine(1, owned)
        with village.commons.residing(one, village.services(one)):
            one.set_rank(1, 1)
            one.update(village.map_of(2, 1), spread=False)
            gossip = Gossip(rumours=[Rumour(1, 10, Health.SUSPECT)], map_version=2)
            heard = await one.on_ping(Ping(uri="ofi+tcp://10.0.0.1:1", gossip=gossip))
            assert Rumour(1, 11, Health.ALIVE) in heard.rumours
            assert village.reports == []
