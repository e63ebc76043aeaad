from datetime import UTC, timedelta

import pytest

from daos_control.base.clock import Clock, SystemClock
from daos_control.testing.clock import ManualClock


@pytest.mark.parametrize("clock", [SystemClock(), ManualClock()], ids=lambda clock: type(clock).__name__)
def test_clocks_are_aware_and_never_run_backwards(clock: Clock):
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


def test_a_manual_clock_moves_when_told():
    clock = ManualClock()
    wall, steady = clock.now(), clock.monotonic()
    clock.advance(5)
    assert (clock.now() - wall, clock.monotonic() - steady) == (timedelta(seconds=5), 5)
    clock.jump(-3600)
    assert (clock.now() - wall, clock.monotonic() - steady) == (timedelta(seconds=5 - 3600), 5)
    with pytest.raises(ValueError, match="jump"):
        clock.advance(-1)
