"""The group map's way to the engines: few updates however many changes, and never an older one after a newer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from daos_control.base import aio
from daos_control.mgmt.leader import GroupMapPusher, Pace, Tally
from daos_control.mgmt.rules import membership
from daos_control.mgmt.system import Change, System
from daos_control.model.member_state import MemberState
from daos_control.model.system_property import Note
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcDisconnected
from daos_control.testing.clock import ManualClock
from daos_control.testing.data_plane import FakeDataPlane
from daos_control.testing.management import a_join
from daos_control.testing.virtual_time import in_virtual_time
from daos_control.wire.pb.mgmt import svc_pb2

UPDATE = drpc.Mgmt.GROUP_UPDATE
PACE = Pace()
KNOWING = System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp")


@dataclass
class Play:
    """A system that changes, and engines that are told of it, and when."""

    system: System = KNOWING
    engines: FakeDataPlane = field(default_factory=FakeDataPlane)
    clock: ManualClock = field(default_factory=ManualClock)
    tally: Tally = field(default_factory=Tally)
    told: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engines.open()
        self.pusher = GroupMapPusher(self.engines, lambda: self.system, pace=PACE, tally=self.tally)

    def decide(self, rule: Callable[[System], Change[Any]]) -> None:
        self.clock.advance(0.001)
        self.system = rule(self.system).system
        self.pusher.changed()

    def join(self, number: int, **changes: Any) -> None:
        self.decide(partial(membership.join, request=a_join(number, **changes), now=self.clock.now()))

    def die(self, rank: int) -> None:
        self.decide(partial(membership.rank_dead, rank=rank, incarnation=0, now=self.clock.now()))

    def move(self, rank: int, state: MemberState) -> None:
        member = self.system.members[rank].placed(state, now=self.clock.now())
        self.decide(lambda system: Change(system=system.with_member(member), outcome=None))

    @property
    def versions(self) -> list[int]:
        return [request.map_version for request in self.engines.requests(UPDATE)]


def watch(script: Callable[[Play], Awaitable[None]]) -> Play:
    """Run a script beside the pusher, and a minute longer."""

    async def run() -> Play:
        play = Play()
        async with aio.background() as tasks:
            tasks.start("pusher", play.pusher.run())
            await script(play)
            await asyncio.sleep(60)
        assert play.versions == sorted(play.versions)
        return play

    return in_virtual_time(run())


def test_a_change_is_told_at_once() -> None:
    async def script(play: Play) -> None:
        play.join(1)
        await asyncio.sleep(2 * PACE.gather_s)
        assert play.versions == [play.system.map_version]

    assert watch(script).tally == Tally(pushes=1)


def test_five_hundred_joins_at_once_are_one_update() -> None:
    async def script(play: Play) -> None:
        for number in range(1, 513):
            play.join(number)

    play = watch(script)
    (update,) = play.engines.requests(UPDATE)
    assert len(update.engines) == 512


def test_five_hundred_joins_over_some_seconds_are_a_handful_and_so_are_deaths() -> None:
    async def script(play: Play) -> None:
        for number in range(1, 513):
            play.join(number)
            await asyncio.sleep(0.01)
        await asyncio.sleep(10)
        joins = play.tally.pushes
        assert joins <= 10
        assert play.pusher.pushed == play.system.map_version
        for rank in range(1, 512):
            play.die(rank)
            await asyncio.sleep(0.01)
        await asyncio.sleep(10)
        assert play.tally.pushes - joins <= 10
        assert play.pusher.pushed == play.system.map_version

    last = watch(script).engines.requests(UPDATE)[-1]
    assert [engine.rank for engine in last.engines] == [512]


def test_a_storm_is_never_further_behind_than_the_longest_pause() -> None:
    async def script(play: Play) -> None:
        for number in range(1, 1025):
            play.join(number)
            await asyncio.sleep(0.015)
            if number % 100 == 0:
                behind = play.system.map_version - play.pusher.pushed
                assert behind <= 2 * (2 * PACE.longest_gather_s / 0.015), "two map versions to a join"

    assert watch(script).tally.pushes <= 25


def test_what_engines_do_not_see_is_not_told() -> None:
    async def script(play: Play) -> None:
        play.join(1)
        play.join(2)
        await asyncio.sleep(10)
        for state in (MemberState.STOPPING, MemberState.STOPPED, MemberState.READY):
            for rank in (1, 2):
                play.move(rank, state)
        await asyncio.sleep(10)
        assert play.tally == Tally(pushes=1, spared_pushes=1)
        play.move(1, MemberState.ADMIN_EXCLUDED)
        await asyncio.sleep(10)
        assert play.tally.pushes == 2

    watch(script)


def test_an_engine_whose_join_is_repeated_gets_a_map_that_is_new_enough_for_it() -> None:
    async def script(play: Play) -> None:
        play.join(1)
        await asyncio.sleep(10)
        play.join(1)  # its server has not heard the answer to the first
        await asyncio.sleep(10)
        assert play.versions[-1] == play.system.map_version
        assert play.tally.pushes == 2

    watch(script)


def test_an_engine_that_hangs_costs_its_limit_and_the_next_try_has_the_newest_map() -> None:
    async def script(play: Play) -> None:
        play.engines.answer(UPDATE, lambda _: asyncio.sleep(3600), svc_pb2.GroupUpdateResp())
        play.join(1)
        await asyncio.sleep(1)
        play.join(2)
        await asyncio.sleep(PACE.limit_s + PACE.retry_s + PACE.longest_gather_s)
        assert play.versions == [2, 4]
        assert play.tally == Tally(pushes=1, failed_pushes=1)

    watch(script)


def test_failures_are_tried_again_ever_more_seldom_until_one_works() -> None:
    async def script(play: Play) -> None:
        failures = [svc_pb2.GroupUpdateResp(status=-1025), DrpcDisconnected("sock", "gone")] * 5
        play.engines.answer(UPDATE, *failures)
        play.join(1)
        await asyncio.sleep(3 * PACE.longest_retry_s + 1)
        assert 5 <= play.tally.failed_pushes <= 8
        await asyncio.sleep(10 * PACE.longest_retry_s)
        assert play.tally == Tally(pushes=1, failed_pushes=10)
        play.engines.answer(UPDATE, DrpcDisconnected("sock", "gone"))
        play.join(2)
        await asyncio.sleep(PACE.retry_s + 2 * PACE.longest_gather_s)
        assert play.tally.pushes == 2, "patience starts anew"

    watch(script)


def test_without_an_engine_it_waits_for_one() -> None:
    async def script(play: Play) -> None:
        play.engines.close()
        play.join(1)
        await asyncio.sleep(100)
        assert play.versions == []
        play.engines.open()
        await asyncio.sleep(1)
        assert play.versions == [play.system.map_version]

    watch(script)


def test_while_the_provider_changes_nothing_is_told_until_all_are_back() -> None:
    async def script(play: Play) -> None:
        play.system = play.system.with_note(Note.GROUP_UPDATE_PAUSED, "true")
        play.decide(
            lambda system: Change(
                system=system.with_member(_stopped(1)).with_member(_stopped(2)),
                outcome=None,
            )
        )
        await asyncio.sleep(10)
        assert play.versions == []
        play.join(1)
        await asyncio.sleep(10)
        assert play.versions == []
        play.join(2)
        await asyncio.sleep(10)
        assert play.versions == [play.system.map_version]

    watch(script)


def _stopped(number: int) -> Any:
    joined = membership.join(KNOWING, a_join(number, rank=number), now=ManualClock().now()).outcome
    return joined.member.placed(MemberState.STOPPED, now=ManualClock().now())
