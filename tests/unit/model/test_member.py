"""Member states: the table of legal moves against DAOS 2.8's list of illegal ones, and the masks."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.model.fault_domain import FaultDomain
from daos_control.model.member import IllegalMove, Member
from daos_control.model.member_state import NEXT, MemberState, mask_of, states_in

NOW = datetime(2026, 1, 2, tzinfo=UTC)
S = MemberState
REAL = frozenset(MemberState) - {S.UNKNOWN}

ILLEGAL = {
    S.UNKNOWN: REAL,
    S.ADMIN_EXCLUDED: REAL,
    S.AWAIT_FORMAT: {S.EXCLUDED},
    S.STARTING: {S.EXCLUDED},
    S.READY: {S.EXCLUDED},
    S.JOINED: {S.READY},
    S.ERRORED: {S.READY, S.JOINED, S.STOPPING},
    S.UNRESPONSIVE: {S.READY, S.JOINED, S.STOPPING},
    S.CHECKER_STARTED: {S.READY, S.JOINED},
    S.EXCLUDED: {S.ERRORED, S.STOPPING, S.STOPPED, S.STARTING, S.READY, S.UNRESPONSIVE},
}


def member(state: MemberState) -> Member:
    return Member(
        rank=3,
        uuid="u",
        addr="10.0.0.1:10001",
        state=state,
        fault_domain=FaultDomain(("h1",)),
        fabric_uri="ofi+tcp://10.0.0.1:31416",
        info="before",
        last_update=NOW,
    )


@pytest.mark.parametrize("state", MemberState)
def test_legal_moves_are_all_that_daos_does_not_forbid(state: MemberState) -> None:
    assert NEXT[state] == REAL - ILLEGAL.get(state, set()) - {state}


def test_an_illegal_move_is_refused_in_words() -> None:
    with pytest.raises(IllegalMove, match="rank 3 is Excluded and cannot become Ready"):
        member(S.EXCLUDED).moved(S.READY, now=NOW)


def test_a_move_keeps_the_info_unless_told_otherwise() -> None:
    assert member(S.JOINED).moved(S.ERRORED, now=NOW).info == "before"
    assert member(S.JOINED).moved(S.ERRORED, now=NOW, info="").info == ""


def test_an_administrators_word_is_no_move() -> None:
    assert member(S.ADMIN_EXCLUDED).placed(S.EXCLUDED, now=NOW).state is S.EXCLUDED


@pytest.mark.parametrize(
    ("state", "bit"),
    [(S.UNKNOWN, 0), (S.AWAIT_FORMAT, 1), (S.JOINED, 8), (S.EXCLUDED, 0x40), (S.CHECKER_STARTED, 0x400)],
)
def test_bits_are_those_of_the_protocol(state: MemberState, bit: int) -> None:
    assert state.bit == bit


def test_states_are_read_in_any_case_and_rubbish_is_unknown() -> None:
    assert MemberState.parse("AdminExcluded") is S.ADMIN_EXCLUDED
    assert MemberState.parse("nonsense") is S.UNKNOWN


@given(st.sets(st.sampled_from(sorted(REAL)), min_size=1))
def test_masks_and_states_are_the_same_thing(states: set[MemberState]) -> None:
    assert states_in(mask_of(states)) == states


@pytest.mark.parametrize(
    ("state", "within"),
    [(S.STOPPED, True), (S.ERRORED, True), (S.UNRESPONSIVE, True), (S.EXCLUDED, False), (S.AWAIT_FORMAT, False)],
)
def test_only_awaiting_and_excluded_members_are_out_of_the_group(state: MemberState, within: bool) -> None:
    assert member(state).in_group is within
