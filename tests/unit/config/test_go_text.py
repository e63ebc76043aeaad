import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.config.go_text import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("1m", 60),
        ("1m30s", 90),
        ("1h0m0.5s", 3600.5),
        ("250ms", 0.25),
        (".5s", 0.5),
        ("-2s", -2),
        ("10us", 1e-5),
        ("10µs", 1e-5),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "1x", "1m 30s", "1,5s", "one minute"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="such as 30s"):
        parse_duration(text)


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_round_trip(milliseconds):
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)
