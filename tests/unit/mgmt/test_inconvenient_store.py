"""Many commands at once, on a store that fails as stores do: what was answered is so, and everything ends right."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from daos_control.base.errors import DaosControlError, EmptyGroupMap
from daos_control.mgmt import records
from daos_control.mgmt.rules import membership
from daos_control.mgmt.rules.group_map import group_map
from daos_control.mgmt.service import ELECTION, Management
from daos_control.mgmt.system import Change, System
from daos_control.model.member_state import MemberState
from daos_control.model.rank_result import RankResult
from daos_control.net.drpc import methods as drpc
from daos_control.store.api import Conflict, StoreUnavailable
from daos_control.testing.management import Bench, a_join, until

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENGINES = st.integers(1, 5)
RANKS = st.integers(0, 6)
TAKERS = [a_join(number).uuid for number in (101, 102)]

Rule = Callable[[System], Change[Any]]


def joining(number: int, rank: int | None) -> Rule:
    request = a_join(number) if rank is None else a_join(number, rank=rank)
    return partial(membership.join, request=request, now=NOW)


def taking_over(number: int, name: int) -> Rule:
    """An engine asks for the rank of the one that was where it is."""
    request = a_join(number, uuid=TAKERS[name], replace=True)

    def decide(system: System) -> Change[Any]:
        replaced = membership.rank_to_replace(system, request, now=NOW)
        return membership.join(system, request, now=NOW, replaced=replaced)

    return decide


def dying(rank: int, incarnation: int) -> Rule:
    return partial(membership.rank_dead, rank=rank, incarnation=incarnation, now=NOW)


def excluding(rank: int, clear: bool) -> Rule:
    def decide(system: System) -> Change[Any]:
        return membership.exclude(system, {rank} & system.members.keys(), clear=clear, now=NOW)

    return decide


def reporting(rank: int, state: MemberState) -> Rule:
    return partial(membership.record_results, results=[RankResult(rank=rank, state=state)], now=NOW)


COMMANDS = st.one_of(
    st.builds(joining, ENGINES, st.one_of(st.none(), st.none(), RANKS)),
    st.builds(joining, ENGINES, st.none()),
    st.builds(taking_over, ENGINES, st.integers(0, 1)),
    st.builds(dying, RANKS, st.sampled_from([0, 99, 100])),
    st.builds(excluding, RANKS, st.booleans()),
    st.builds(reporting, RANKS, st.sampled_from(MemberState)),
)


async def outcome_of(management: Management, rule: Rule) -> Any:
    """Return what comes of a command; a refusal by its words."""
    try:
        return await management.apply(rule)
    except DaosControlError as error:
        return f"{type(error).__name__}: {error}"


async def stored(bench: Bench) -> System:
    return records.load(await bench.store.get(records.ROOT))


@given(st.lists(COMMANDS, max_size=12))
@settings(max_examples=settings.default.max_examples // 2)
def test_commands_in_one_commit_come_to_the_same_as_one_by_one(commands: list[Rule]) -> None:
    asyncio.run(one_commit_or_many(commands))


async def one_commit_or_many(commands: list[Rule]) -> None:
    one_by_one, together = Bench(), Bench()
    async with one_by_one.leading() as first, together.leading() as second:
        expected = [await outcome_of(first, rule) for rule in commands]
        together.store.hold()
        before = together.store.commits
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(outcome_of(second, rule)) for rule in commands]
            for _ in range(5):
                await asyncio.sleep(0)
            together.store.release()
        assert [task.result() for task in tasks] == expected
        assert together.store.commits - before <= 2
        assert first.system == second.system == await stored(one_by_one) == await stored(together)


@dataclass(frozen=True)
class Trouble:
    """The next commit fails; ``written``: but what it said is in the store all the same. No error: a rival leads."""

    error: type[Exception] | None
    written: bool = False

    def strike(self, bench: Bench) -> None:
        if self.error is None:
            bench.store.depose(ELECTION)
        else:
            bench.store.fail_next(self.error("as a test wants it"), written=self.written)


TROUBLE = st.builds(Trouble, st.sampled_from([Conflict, StoreUnavailable, None]), st.booleans())


@given(st.lists(st.tuples(st.lists(TROUBLE, max_size=2), st.lists(COMMANDS, max_size=6)), max_size=6))
@settings(max_examples=settings.default.max_examples // 2)
def test_on_a_store_that_fails_nothing_is_promised_that_is_not_so(
    bursts: list[tuple[list[Trouble], list[Rule]]],
) -> None:
    asyncio.run(through_trouble(bursts))


async def through_trouble(bursts: list[tuple[list[Trouble], list[Rule]]]) -> None:
    bench = Bench()
    bench.engines.open()
    async with bench.leading() as management:
        for troubles, rules in bursts:
            for trouble in troubles:
                trouble.strike(bench)
            async with asyncio.TaskGroup() as group:
                for rule in rules:
                    group.create_task(promised(bench, management, rule))
            await until(lambda: management.leading)
        for number in range(1, 6):  # whoever was refused for the store's sake may try again
            await eventually(management, joining(number, None))
        assert management.system == await stored(bench)
        await until(lambda: told(bench) == wanted(management.system))
    updates = bench.engines.requests(drpc.Mgmt.GROUP_UPDATE)
    versions = [update.map_version for update in updates]
    assert versions == sorted(versions), "an older map never follows a newer one"
    maps = {update.SerializeToString(deterministic=True) for update in updates}
    assert len(maps) == len(set(versions)), "a new leader may repeat a version, but not with another map"


async def promised(bench: Bench, management: Management, rule: Rule) -> None:
    """Give a command; what it says is done must be in the store when it says so."""
    outcome = await outcome_of(management, rule)
    if isinstance(outcome, membership.Joined):
        there = (await stored(bench)).members[outcome.member.rank]
        assert outcome.map_version <= (await stored(bench)).map_version
        assert there.uuid == outcome.member.uuid or there.uuid in TAKERS


async def eventually(management: Management, rule: Rule) -> None:
    """Repeat a command until it is decided; what the rules refuse stays refused."""
    for _ in range(20):
        await until(lambda: management.leading)
        outcome = await outcome_of(management, rule)
        if not str(outcome).startswith(("NotStored", "NotLeader", "SteppingUp")):
            return
    raise AssertionError(f"never decided: {outcome}")


def told(bench: Bench) -> list[tuple[int, int]]:
    updates = bench.engines.requests(drpc.Mgmt.GROUP_UPDATE)
    return [(engine.rank, engine.incarnation) for engine in updates[-1].engines] if updates else []


def wanted(system: System) -> list[tuple[int, int]]:
    try:
        return [(member.rank, member.incarnation) for member in group_map(system).members]
    except EmptyGroupMap:
        return []
