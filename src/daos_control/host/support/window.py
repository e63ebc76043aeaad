"""Which lines of a log lie between two times, as their stamps say.

A line without a stamp goes with the one before it. The first line after the end is the last one looked at.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from daos_control.base.errors import DaosControlError

_STAMP: Final = rb"(\d{4})[/-](\d\d)[/-](\d\d)[ T](\d\d):(\d\d):(\d\d)"
_ANYWHERE: Final = re.compile(rb"(?<!\d)" + _STAMP)
_AT_START: Final = re.compile(_STAMP)
DAY: Final = "%Y-%m-%d"
TIME: Final = "%H:%M:%S"


class BadWindow(DaosControlError, ValueError):
    """The dates or times that somebody gave are none, or make no sense together."""


@dataclass(frozen=True, slots=True)
class Window:
    """Two local times; a line of that second counts as inside."""

    start: datetime
    end: datetime

    @classmethod
    def parse(cls, start_date: str, end_date: str, start_time: str = "", end_time: str = "") -> Self | None:
        """Read dates (``2026-01-31``) and times (``12:00:00``); without dates there is no window.

        Without a time, the first day counts from its beginning and the last to its end. Raises BadWindow.
        """
        start_clock = _read(start_time or "00:00:00", TIME, "start time", "HH:MM:SS")
        end_clock = _read(end_time or "23:59:59", TIME, "end time", "HH:MM:SS")
        if not start_date and not end_date:
            return None
        first = _read(start_date, DAY, "start date", "YYYY-MM-DD")
        last = _read(end_date, DAY, "end date", "YYYY-MM-DD")
        window = cls(datetime.combine(first, start_clock.time()), datetime.combine(last, end_clock.time()))
        if window.start > window.end:
            raise BadWindow(f"the time {window.start} to start from is after the time {window.end} to end at")
        return window

    def select(self, lines: Iterable[bytes], *, stamp_first: bool) -> Iterator[bytes]:
        """Return the lines inside; with ``stamp_first``, a time further on in a line is none of its own."""
        find = _AT_START.match if stamp_first else _ANYWHERE.search
        inside = False
        for line in lines:
            stamp = _moment(find(line))
            if stamp is not None:
                if stamp > self.end:
                    return
                inside = stamp >= self.start
            if inside:
                yield line


def _moment(found: re.Match[bytes] | None) -> datetime | None:
    if found is None:
        return None
    try:
        return datetime(*map(int, found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001 - logs tell local time
    except ValueError:
        return None


def _read(text: str, form: str, what: str, wanted: str) -> datetime:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - as in the logs
    except ValueError:
        raise BadWindow(
            f"{text!r} is no {what}: write {wanted}" if text else f"the {what} is missing: give both dates, or neither"
        ) from None
