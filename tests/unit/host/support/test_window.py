"""Lines of a log by their stamps."""

from datetime import datetime

import pytest

from daos_control.host.support.window import BadWindow, Window

LOG = [
    b"no stamp yet\n",
    b"h INFO 2026/01/30 23:59:59 before\n",
    b"  more of before\n",
    b"h INFO 2026/01/31 00:00:00 first\n",
    b"  more of first\n",
    b'{"time":"2026-02-01T12:00:00+0100","message":"json"}\n',
    b"h INFO 2026/02/01 23:59:59 last\n",
    b"  more of last\n",
    b"h INFO 2026/02/02 00:00:00 after\n",
    b"h INFO 2026/02/01 00:00:00 out of order\n",
]


def chosen(window: Window | None, *, stamp_first: bool = False) -> list[bytes]:
    assert window is not None
    return list(window.select(LOG, stamp_first=stamp_first))


def test_whole_days_and_what_belongs_to_their_lines() -> None:
    assert chosen(Window.parse("2026-01-31", "2026-02-01")) == LOG[3:8]


def test_times_narrow_the_first_and_the_last_day() -> None:
    assert chosen(Window.parse("2026-01-31", "2026-02-01", "00:00:01", "12:00:00")) == LOG[5:6]


def test_in_engine_logs_only_what_a_line_begins_with_is_its_stamp() -> None:
    lines = [b"2026/01/31 12:00:00.123456 a\n", b"told of 2027/01/01 00:00:00\n", b"2026/01/31 12:00:00.5 b\n"]
    window = Window.parse("2026-01-31", "2026-01-31")
    assert window is not None
    assert list(window.select(lines, stamp_first=True)) == lines
    assert list(window.select(lines, stamp_first=False)) == lines[:1]


def test_a_stamp_that_is_no_time_is_none() -> None:
    window = Window.parse("2026-01-31", "2026-01-31")
    assert window is not None
    lines = [b"2026/01/31 12:00:00 a\n", b"2026/13/31 12:00:00 b\n"]
    assert list(window.select(lines, stamp_first=True)) == lines


def test_without_dates_there_is_no_window() -> None:
    assert Window.parse("", "") is None
    assert Window.parse("", "", "12:00:00", "13:00:00") is None


def test_a_window() -> None:
    assert Window.parse("2026-01-31", "2026-01-31") == Window(
        datetime.fromisoformat("2026-01-31T00:00:00"), datetime.fromisoformat("2026-01-31T23:59:59")
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("2026-01-31", ""), "end date is missing"),
        (("", "2026-01-31"), "start date is missing"),
        (("31.1.2026", "2026-02-01"), "'31.1.2026' is no start date: write YYYY-MM-DD"),
        (("2026-02-30", "2026-03-01"), "no start date"),
        (("2026-02-02", "2026-02-01"), "is after"),
        (("2026-02-01", "2026-02-01", "12:00:00", "11:59:59"), "is after"),
        (("", "", "noon"), "'noon' is no start time: write HH:MM:SS"),
        (("", "", "", "25:00:00"), "no end time"),
    ],
)
def test_what_is_no_window(words: tuple[str, ...], problem: str) -> None:
    with pytest.raises(BadWindow, match=problem):
        Window.parse(*words)
