"""Incarnations."""

from daos_control.apps.emulator.hlc import LOGICAL_BITS, stamp

NOON = 1_795_397_016_000_000_000


def test_stamps_have_the_size_of_recorded_ones() -> None:
    # NotifyReady of a genuine engine at 2026-11-23 01:09 UTC
    assert abs(stamp(1_795_396_139_000_000_000) - 2_975_003_209_876_897_792) < 16 * 10**9 * 86_400


def test_stamps_grow_when_the_clock_was_set_back() -> None:
    before = stamp(NOON)
    after = stamp(NOON - 10**9, after=before)
    assert after > before
    assert after % (1 << LOGICAL_BITS) == 0
