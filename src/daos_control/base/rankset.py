"""Sets of ranks, as people write them: ``0-19,30``."""
# ruff: noqa: SLF001  sets of one class look into each other

from collections.abc import Iterable, Iterator, Set
from typing import Self

from daos_control.base import intervals
from daos_control.base.intervals import Intervals

NIL_RANK = 0xFFFFFFFF
"""No rank: what an engine has that was never given one."""

MAX_RANK = NIL_RANK - 1


class RankSet(Set[int]):
    """An immutable, sorted set of ranks that prints folded.

    >>> ranks = RankSet.parse("[0-2,7]") | {3}
    >>> str(ranks), len(ranks), 7 in ranks, list(ranks)
    ('0-3,7', 5, True, [0, 1, 2, 3, 7])
    """

    __slots__ = ("_intervals",)

    def __init__(self, ranks: Iterable[int] = ()) -> None:
        if isinstance(ranks, RankSet):
            self._intervals: Intervals = ranks._intervals
            return
        wanted = list(ranks)
        for rank in wanted:
            if not 0 <= rank <= NIL_RANK:
                raise ValueError(f"rank {rank} out of range [0, {MAX_RANK}]")
        self._intervals = intervals.union((rank, rank) for rank in wanted)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``0-19,30``, with or without brackets around it; nothing is the empty set.

        Raises ValueError, in DAOS's words where it has some.
        """
        if any(char.isspace() for char in text):
            raise ValueError(f'invalid ranks "{text}": unexpected whitespace character(s)')
        if any(char.isalpha() for char in text):
            raise ValueError(f'invalid ranks "{text}": unexpected alphabetic character(s)')
        inner = text.removeprefix("[").removesuffix("]")
        items = [intervals.parse_item(item) for item in inner.split(",")] if inner else []
        for _, highest in items:
            if highest > MAX_RANK:
                raise ValueError(f'invalid ranks "{text}": rank {highest} out of range [0, {MAX_RANK}]')
        return cls._of(intervals.union(items))

    @classmethod
    def _of(cls, merged: Intervals) -> Self:
        ranks = cls.__new__(cls)
        ranks._intervals = merged
        return ranks

    def __contains__(self, rank: object) -> bool:
        return isinstance(rank, int) and intervals.contains(self._intervals, rank)

    def __iter__(self) -> Iterator[int]:
        return intervals.numbers(self._intervals)

    def __len__(self) -> int:
        return intervals.count(self._intervals)

    def __or__(self, other: Iterable[int]) -> Self:  # type: ignore[override]  # closed: ranks or'ed with ranks
        return self._of(intervals.union((*self._intervals, *_intervals_of(other))))

    def __sub__(self, other: Iterable[int]) -> Self:
        return self._of(intervals.subtract(self._intervals, _intervals_of(other)))

    def __and__(self, other: Iterable[int]) -> Self:
        return self - (self - other)

    def __hash__(self) -> int:
        return self._hash()

    def __str__(self) -> str:
        readable = (span for lo, hi in self._intervals for span in intervals.cut(lo, hi))
        return ",".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in readable)

    def __repr__(self) -> str:
        return f"RankSet.parse({str(self)!r})"

    def ranged(self) -> str:
        """The form with brackets that DAOS prints in tables: ``[0-3,7]``, a single rank without."""
        return f"[{self}]" if len(self) > 1 else str(self)

    def named(self) -> str:
        """The form for sentences: ``rank 3``, ``ranks 0-2,4``."""
        return f"{'ranks' if len(self) > 1 else 'rank'} {self}"


def _intervals_of(ranks: Iterable[int]) -> Intervals:
    return (ranks if isinstance(ranks, RankSet) else RankSet(ranks))._intervals
