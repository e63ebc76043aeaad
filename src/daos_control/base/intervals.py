"""Sets of whole numbers as sorted, disjoint intervals: a hundred thousand members cost no more than one.

An interval is a pair ``(lo, hi)``, both ends included. Rank sets and host sets are built on these functions.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Interval = tuple[int, int]
Intervals = tuple[Interval, ...]

WIDEST = 16384
"""The largest ``hi - lo`` that DAOS reads in one item of a range list."""


def union(intervals: Iterable[Interval]) -> Intervals:
    """Sort, and join what overlaps or touches.

    >>> union([(5, 7), (1, 2), (3, 3), (6, 9)])
    ((1, 3), (5, 9))
    """
    joined: list[Interval] = []
    for lo, hi in sorted(intervals):
        if joined and lo <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(hi, joined[-1][1]))
        else:
            joined.append((lo, hi))
    return tuple(joined)


def subtract(first: Intervals, second: Intervals) -> Intervals:
    """Return the members of ``first`` that are not in ``second``.

    >>> subtract(((1, 9),), ((3, 4), (9, 12)))
    ((1, 2), (5, 8))
    """
    left: list[Interval] = []
    holes = iter(second)
    hole = next(holes, None)
    for begin, end in first:
        lo = begin
        while hole is not None and hole[0] <= end:
            if hole[0] > lo:
                left.append((lo, hole[0] - 1))
            lo = max(lo, hole[1] + 1)
            if hole[1] > end:
                break  # it may reach into the next interval too
            hole = next(holes, None)
        if lo <= end:
            left.append((lo, end))
    return tuple(left)


def contains(intervals: Intervals, number: int) -> bool:
    """Whether ``number`` is in one of them."""
    place = bisect_right(intervals, (number, number)) - 1
    after = intervals[place + 1 : place + 2]
    return (place >= 0 and number <= intervals[place][1]) or bool(after and after[0][0] == number)


def count(intervals: Intervals) -> int:
    """How many numbers they hold."""
    return sum(hi - lo + 1 for lo, hi in intervals)


def numbers(intervals: Intervals) -> Iterator[int]:
    """Each number, ascending."""
    for lo, hi in intervals:
        yield from range(lo, hi + 1)


def cut(lo: int, hi: int) -> Iterator[Interval]:
    """One interval as items that readers accept: usually itself, several where it is too wide."""
    while hi - lo > WIDEST:
        yield lo, lo + WIDEST
        lo += WIDEST + 1
    yield lo, hi


def parse_item(text: str) -> Interval:
    """Read ``7`` or ``3-9``; ValueError begins with ``invalid range``, as DAOS's does."""
    lo_text, dash, hi_text = text.partition("-")
    lo = _number(lo_text, text)
    hi = _number(hi_text, text) if dash else lo
    if hi < lo:
        raise ValueError(f'invalid range "{text}": it ends ({hi}) before it begins ({lo})')
    if hi - lo > WIDEST:
        raise ValueError(f'invalid range "{text}" (> {WIDEST} hosts): write it as several ranges')
    return lo, hi


def _number(text: str, item: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f'invalid range "{item}": "{text}" is not a whole number')
    return int(digits)
