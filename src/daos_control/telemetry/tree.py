"""A tree of DAOS's metrics in shared memory, read: every metric with its path, value, and what is told about it.

The tree goes over several regions (``region`` tells how they are laid out). A region is copied as a whole before it is
looked at, so that nobody changes it meanwhile; whoever writes it takes no notice. A value may be caught between two
updates, as by any reader that takes no locks. Regions may come from anybody: what makes no sense in them is left out.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntFlag
from struct import Struct, error, unpack_from
from typing import Final, TypeAlias

from daos_control.telemetry.metrics import Bucket
from daos_control.telemetry.region import MAX_NAME

_HEADER: Final = Struct("<QiIQQQQ")
"""Base, key, flags, size, bytes free, next free address, root node."""
_DELETED: Final = 1
_NODE: Final = Struct("<QQQii40sQBB6x")
"""First child, next sibling, name, type, region's key, lock, metric, takes the lock or not, complete or not."""
_METRIC: Final = Struct("<Q24xQQQQ")
"""Value, statistics, histogram, description, units."""
_TIME: Final = Struct("<qq")
_STATS: Final = Struct("<QQQddd" + "Q")
"""Least, greatest, sum, standard deviation, mean, sum of squares, samples."""
_HISTOGRAM: Final = Struct("<QB3xi")
"""Buckets, whether they are found fast, how many there are."""
_BUCKET: Final = Struct("<QQQ")
"""Least, greatest, the node that counts."""
_MAX_TEXT: Final = 256
_MAX_NODES: Final = 1_000_000
_MAX_REGIONS: Final = 20_000
_MAX_BUCKETS: Final = 1_000
_NANOSECONDS: Final = 10**9

Regions: TypeAlias = Callable[[int, int | None], bytes | None]
"""Returns a copy of the region of a key, if it is there; the second key is that of the region that links to it."""


class Kind(IntFlag):
    """What a node is; flags beside these say which clock a time is of."""

    DIRECTORY = 0x001
    COUNTER = 0x002
    TIMESTAMP = 0x004
    SNAPSHOT = 0x008
    DURATION = 0x010
    GAUGE = 0x020
    STATS_GAUGE = 0x040
    LINK = 0x400


_VALUES: Final = (
    Kind.COUNTER | Kind.TIMESTAMP | Kind.SNAPSHOT | Kind.DURATION | Kind.GAUGE | Kind.STATS_GAUGE
)  # one of these, in a node that has a value


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What the values of a metric were like; those of a duration are in microseconds."""

    least: int
    greatest: int
    total: int
    sum_of_squares: float
    samples: int

    @property
    def mean(self) -> float:
        """The mean of the samples, 0 without any."""
        return self.total / self.samples if self.samples else 0.0

    @property
    def deviation(self) -> float:
        """Their standard deviation, 0 for fewer than two."""
        variance = self.sum_of_squares - self.samples * self.mean**2
        return math.sqrt(variance / (self.samples - 1)) if variance > 0 and self.samples > 1 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A metric as it was."""

    path: tuple[str, ...]
    """Below the root."""
    kind: Kind
    value: int
    """Of a snapshot or duration in nanoseconds, of a timestamp in seconds."""
    description: str
    statistics: Statistics | None = None
    buckets: tuple[Bucket, ...] = ()
    """Of a histogram, but for the last, which has no bound."""


def read_tree(regions: Regions, root_key: int) -> Iterator[Reading]:
    """Yield every metric of the tree that begins in the region of this key; nothing if there is none."""
    waiting: list[tuple[int, int | None, tuple[str, ...]]] = [(root_key, None, ())]
    seen: set[int] = set()
    while waiting and len(seen) < _MAX_REGIONS:
        key, linked_from, path = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        data = regions(key, linked_from)
        if data is None:
            continue
        for name, found in _Copy(data).read(path):
            if isinstance(found, Reading):
                yield found
            else:
                waiting.append((found, key, name))


class _Copy:
    """A region's copy."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Reading | int]]:
        """Yield metrics, and keys of regions that the tree goes on in, below a path."""
        try:
            self._base, _, flags, *_, root = _HEADER.unpack_from(self._data)
            child, *_ = self._node(root)
        except (error, IndexError):
            return
        if flags & _DELETED:
            return
        waiting, seen = [(child, path)], {root}
        while waiting and len(seen) < _MAX_NODES:
            address, above = waiting.pop()
            if not address or address in seen:
                continue
            seen.add(address)
            try:
                child, sibling, name, kind, _, _, metric, _, complete = self._node(address)
                waiting.append((sibling, above))
                if not complete and not kind & Kind.DIRECTORY:
                    continue
                here = (*above, self._text(name, MAX_NAME + 1))
                if kind & Kind.DIRECTORY:
                    waiting.append((child, here))
                elif kind & Kind.LINK:
                    yield here, self._link(metric)
                elif kind & _VALUES:
                    yield here, self._reading(here, Kind(kind & _VALUES), metric)
            except (error, IndexError):
                continue

    def _node(self, address: int) -> tuple[int, ...]:
        return _NODE.unpack_from(self._data, self._at(address))

    def _at(self, address: int) -> int:
        offset = address - self._base
        if not 0 <= offset < len(self._data):
            raise IndexError(address)
        return int(offset)

    def _text(self, address: int, limit: int) -> str:
        if not address:
            return ""
        start = self._at(address)
        return self._data[start : start + limit].partition(b"\0")[0].decode(errors="replace")

    def _link(self, metric: int) -> int:
        (key,) = unpack_from("<i", self._data, self._at(metric))
        return int(key)

    def _reading(self, path: tuple[str, ...], kind: Kind, metric: int) -> Reading:
        at = self._at(metric)
        value, statistics, histogram, description, _ = _METRIC.unpack_from(self._data, at)
        if kind in {Kind.SNAPSHOT, Kind.DURATION}:
            seconds, rest = _TIME.unpack_from(self._data, at)
            value = seconds * _NANOSECONDS + rest
        found = self._statistics(statistics) if statistics and kind in {Kind.DURATION, Kind.STATS_GAUGE} else None
        return Reading(
            path=path,
            kind=kind,
            value=value,
            description=self._text(description, _MAX_TEXT),
            statistics=found,
            buckets=self._buckets(histogram) if histogram and found else (),
        )

    def _statistics(self, address: int) -> Statistics:
        least, greatest, total, _, _, squares, samples = _STATS.unpack_from(self._data, self._at(address))
        return Statistics(least=least, greatest=greatest, total=total, sum_of_squares=squares, samples=samples)

    def _buckets(self, address: int) -> tuple[Bucket, ...]:
        first, _, count = _HISTOGRAM.unpack_from(self._data, self._at(address))
        buckets, total = [], 0
        for number in range(min(count, _MAX_BUCKETS) - 1):
            _, greatest, node = _BUCKET.unpack_from(self._data, self._at(first + number * _BUCKET.size))
            metric = self._node(node)[6]
            total += unpack_from("<Q", self._data, self._at(metric))[0]
            buckets.append(Bucket(upper_bound=float(greatest), cumulative_count=total))
        return tuple(buckets)
