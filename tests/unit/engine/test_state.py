"""An engine's states: the table is the whole truth."""

from itertools import product

import pytest

from daos_control.engine.state import LEGAL, EngineState, IllegalMoveError, moved


@pytest.mark.parametrize(("now", "to"), list(product(EngineState, EngineState)))
def test_only_the_moves_of_the_table_are_made(now, to):
    if to in LEGAL[now]:
        assert moved(now, to) is to
    else:
        with pytest.raises(IllegalMoveError, match=f"{now.value} cannot become {to.value}"):
            moved(now, to)


def test_every_state_has_a_row_and_a_reported_word():
    assert set(LEGAL) == set(EngineState)
    assert {state.reported for state in EngineState} == {"stopped", "awaitformat", "starting", "ready"}


def test_every_state_can_be_reached_and_left():
    reachable = {to for moves in LEGAL.values() for to in moves}
    assert reachable == set(EngineState)
    assert all(LEGAL.values())


def test_a_running_engine_can_always_stop():
    assert all(EngineState.STOPPED in LEGAL[state] for state in EngineState if state.running)
