"""The table that the documentation is drawn from is what the rules do: every move in it, and none besides."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from daos_control.base.errors import DaosControlError
from daos_control.mgmt.rules import membership
from daos_control.mgmt.rules.group_map import group_map
from daos_control.mgmt.rules.membership import join
from daos_control.mgmt.system import Change, System
from daos_control.model.event import Event, EventId, EventType, Severity
from daos_control.model.member_moves import MEANINGS, OCCASIONS, Occasion
from daos_control.model.member_state import MemberState
from daos_control.model.rank_result import RankResult
from daos_control.model.system_property import Note
from daos_control.testing.management import a_join

NOW = datetime(2026, 1, 2, tzinfo=UTC)
S = MemberState
RANK = 1


def report(state: MemberState) -> Callable[[System], Change[Any]]:
    failed = state in {S.ERRORED, S.UNRESPONSIVE}
    result = RankResult(rank=RANK, state=state, errored=failed)
    return lambda system: membership.record_results(system, [result], now=NOW)


def take_over(system: System) -> Change[Any]:
    request = replace(a_join(RANK), uuid=a_join(9).uuid, replace=True)
    return join(system, request, now=NOW, replaced=membership.rank_to_replace(system, request, now=NOW))


DIED = Event(
    id=EventId.ENGINE_DIED,
    type=EventType.STATE_CHANGE,
    severity=Severity.ERROR,
    message="",
    timestamp="",
    rank=RANK,
    incarnation=100,
)
RULES: Mapping[str, Callable[[System], Change[Any]]] = {
    "joins": lambda system: join(system, a_join(RANK), now=NOW),
    "takes over": take_over,
    "joins in checker mode": lambda system: join(system, a_join(RANK, check_mode=True), now=NOW),
    "started": report(S.READY),
    "prepared": report(S.STOPPING),
    "stopped": report(S.STOPPED),
    "failed": report(S.ERRORED),
    "no answer": report(S.UNRESPONSIVE),
    "erased": report(S.AWAIT_FORMAT),
    "died": lambda system: membership.engine_died(system, DIED, now=NOW),
    "found dead": lambda system: membership.rank_dead(system, RANK, 100, now=NOW),
    "excluded": lambda system: membership.exclude(system, {RANK}, clear=False, now=NOW),
    "exclusion cleared": lambda system: membership.exclude(system, {RANK}, clear=True, now=NOW),
}


def in_state(state: MemberState) -> System:
    system = System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp")
    for number in (RANK, 2):
        system = join(system, a_join(number), now=NOW).system
    return system.with_member(system.members[RANK].placed(state, now=NOW))


@pytest.mark.parametrize("state", MemberState)
@pytest.mark.parametrize("occasion", OCCASIONS, ids=lambda occasion: occasion.name)
def test_every_occasion_moves_a_rank_from_the_states_in_the_table_and_no_others(
    occasion: Occasion, state: MemberState
) -> None:
    before = in_state(state)
    try:
        after = RULES[occasion.name](before).system
    except DaosControlError:
        after = before
    if state not in occasion.origins:
        assert after is before
        return
    assert after.members[RANK].state is occasion.to
    assert after.map_version > before.map_version
    effects = {
        (True, True): "stays in",
        (False, False): "stays out",
        (False, True): "comes in",
        (True, False): "goes out",
    }
    there = tuple(RANK in group_map(system).ranks for system in (before, after))
    assert occasion.effect_on_group(state) == effects[there]


def test_only_joins_make_members() -> None:
    assert [occasion.name for occasion in OCCASIONS if occasion.admits_new] == ["joins"]
    nobody = System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp")
    assert RULES["joins"](nobody).system.members[RANK].state is S.JOINED


def test_the_picture_shows_every_state_that_ranks_get_into_and_legal_moves_alone() -> None:
    reached = {occasion.to for occasion in OCCASIONS}
    assert reached == set(MemberState) - {S.UNKNOWN, S.STARTING}
    assert all(occasion.usual <= occasion.origins for occasion in OCCASIONS)
    assert set(MEANINGS) == set(MemberState)
    usual = {(origin, occasion.to) for occasion in OCCASIONS for origin in occasion.usual}
    for state in reached - {S.AWAIT_FORMAT}:
        assert any(origin is state for origin, _ in usual), f"{state} is drawn as a dead end"
