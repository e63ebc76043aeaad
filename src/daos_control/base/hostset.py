"""Sets of host names, as people write them: ``node[1-4,7],login1``.

The grammar is DAOS's. Outside brackets commas, blanks and tabs separate; inside one ``[...]`` stand numbers and ranges;
what follows the bracket (a domain, a port) is part of every name. A name without brackets folds with its like by one
number: that right after the last hyphen, or else after the leading letters, or the last part of an IPv4 address. A name
without such a number is kept as it is. Zeros in front count: ``node01`` is not ``node1``.

Inside, all names with the same text around a number of the same length are one row of intervals, so that a hundred
thousand hosts are folded and compared by looking at a handful of pairs.
"""
# ruff: noqa: SLF001  sets of one class look into each other

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import NamedTuple, NoReturn, Self, overload

from daos_control.base import intervals
from daos_control.base.intervals import Interval, Intervals


class Row(NamedTuple):
    """Names that differ in one number; sorted by this, and then by number, sets print in DAOS's order.

    ``digits`` is how many digits the number is written with. A name without a number is a row of its own, with no
    digits and the only "number" 0.
    """

    prefix: str
    suffix: str
    digits: int

    def name(self, number: int) -> str:
        """The host of this number."""
        return f"{self.prefix}{number:0{self.digits}d}{self.suffix}" if self.digits else self.prefix

    def number(self, name: str) -> int | None:
        """The number with which this row spells ``name``, if it does."""
        if not self.digits:
            return 0 if name == self.prefix else None
        middle = name[len(self.prefix) : len(name) - len(self.suffix)]
        spelt = len(middle) == self.digits and middle.isascii() and middle.isdigit()
        return int(middle) if spelt and name == f"{self.prefix}{middle}{self.suffix}" else None


Piece = tuple[Row, Interval]

_STRUCTURED = re.compile(r"[\[\], \t]")
_TOKEN = re.compile(r"(?:\[[^\]]*(?:\]|$)|[^, \t\[])+")
_BRACKETED = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]([^\[\]]*)")
_HYPHENATED = re.compile(r"([A-Za-z0-9-]+-)([0-9]+)?(.*)")
_PLAIN = re.compile(r"([A-Za-z]+)([0-9]+)?(.*)")
_IPV4 = re.compile(r"([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.)([0-9]{1,3}+)(:[0-9]+)?")
_LONGEST_NUMBER = 20


class HostSet(Set[str]):
    """An immutable set of host names that is sorted and prints folded.

    >>> hosts = HostSet.parse("node[2-3],node1,login") - HostSet(["node3"])
    >>> str(hosts), len(hosts), "node2" in hosts, list(hosts)
    ('login,node[1-2]', 3, True, ['login', 'node1', 'node2'])
    """

    __slots__ = ("_odd", "_rows")

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        """Collect names; each may itself be folded, as in the ``hostlist`` of a configuration file."""
        if isinstance(hosts, str):
            raise TypeError("a text is read with HostSet.parse(text)")
        pieces = hosts._pieces() if isinstance(hosts, HostSet) else (piece for text in hosts for piece in _pieces(text))
        self._rows, self._odd = _collect(pieces)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a folded set; ValueError begins with ``invalid range`` or ``invalid hostname`` and names the part."""
        return cls((text,))

    @classmethod
    def _of(cls, rows: Mapping[Row, Intervals], odd: frozenset[Row]) -> Self:
        hosts = cls.__new__(cls)
        hosts._rows, hosts._odd = rows, odd & rows.keys()
        return hosts

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        split = _split(name)
        if split is not None and intervals.contains(self._rows.get(split[0], ()), split[1]):
            return True
        return any(_spells(row, self._rows[row], name) for row in self._odd)

    def __iter__(self) -> Iterator[str]:
        return (row.name(number) for row, spans in self._rows.items() for number in intervals.numbers(spans))

    def __len__(self) -> int:
        return sum(intervals.count(spans) for spans in self._rows.values())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, HostSet) and (self._rows == other._rows or not (self._odd or other._odd)):
            return self._rows == other._rows
        return bool(super().__eq__(other))

    def __hash__(self) -> int:
        return self._hash()

    def __or__(self, other: Iterable[str]) -> Self:  # type: ignore[override]  # closed: hosts or'ed with hosts
        more = _hosts(other)
        return self._of(*_collect((*self._pieces(), *more._pieces())))

    def __sub__(self, other: Iterable[str]) -> Self:
        gone = _hosts(other)
        if self._odd or gone._odd:
            left = {row: _others(row, spans, gone.__contains__) for row, spans in self._rows.items()}
        else:
            left = {row: intervals.subtract(spans, gone._rows.get(row, ())) for row, spans in self._rows.items()}
        return self._of({row: spans for row, spans in left.items() if spans}, self._odd)

    def __and__(self, other: Iterable[str]) -> Self:
        return self - (self - other)

    def __str__(self) -> str:
        return _fold(self._pieces())

    def __repr__(self) -> str:
        return f"HostSet.parse({str(self)!r})"

    def _pieces(self) -> Iterator[Piece]:
        return ((row, span) for row, spans in self._rows.items() for span in spans)


class HostList(Sequence[str]):
    """Host names in the order given, duplicates and all, that print folded where neighbours allow it.

    >>> hosts = HostList.parse("node3,node[1-2],node1")
    >>> str(hosts), len(hosts), hosts[1]
    ('node[3,1-2,1]', 4, 'node1')
    """

    __slots__ = ("_pieces",)

    def __init__(self, hosts: Iterable[str] = ()) -> None:
        """Take names in order; each may itself be folded."""
        if isinstance(hosts, str):
            raise TypeError("a text is read with HostList.parse(text)")
        self._pieces = tuple(piece for text in hosts for piece in _pieces(text))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a folded list; errors as in ``HostSet.parse``."""
        return cls((text,))

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return HostList(list(self)[index])
        left = index if index >= 0 else index + len(self)
        for row, (lo, hi) in self._pieces:
            if 0 <= left <= hi - lo:
                return row.name(lo + left)
            left -= hi - lo + 1
        raise IndexError(f"no host {index} among {len(self)}")

    def __len__(self) -> int:
        return sum(hi - lo + 1 for _, (lo, hi) in self._pieces)

    def __iter__(self) -> Iterator[str]:
        return (row.name(number) for row, (lo, hi) in self._pieces for number in range(lo, hi + 1))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HostList) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __str__(self) -> str:
        return _fold(self._pieces)

    def __repr__(self) -> str:
        return f"HostList.parse({str(self)!r})"


# -- reading -----------------------------------------------------------------------------------------------------------


def _pieces(text: str) -> Iterator[Piece]:
    """The names in a text, in order, as pieces of rows."""
    for token in _TOKEN.findall(text) if _STRUCTURED.search(text) else filter(None, (text,)):
        if not token.isprintable():
            raise ValueError(f"invalid hostname {token!r}: it contains unprintable characters")
        if "[" in token or "]" in token:
            yield from _bracketed(token)
        else:
            row, number = _split(token) or _refuse(token)
            yield row, (number, number)


def _split(name: str) -> tuple[Row, int] | None:
    """A single name's row and number; None if it is no host name."""
    match = _HYPHENATED.match(name) if "-" in name else _PLAIN.match(name)
    match = match or _IPV4.fullmatch(name)
    if match is None:
        return None
    prefix, digits, suffix = match.groups(default="")
    if not digits or len(digits) > _LONGEST_NUMBER:
        return Row(name, "", 0), 0
    return Row(prefix, suffix, len(digits)), int(digits)


def _refuse(name: str) -> NoReturn:
    if "-" in name and _PLAIN.match(name):
        why = "with a hyphen, one stands before the first dot and the port (so it is in DAOS 2.8)"
    else:
        why = "names begin with a letter (or with digits and a hyphen), or are IPv4 addresses"
    raise ValueError(f'invalid hostname "{name}": {why}; ranges stand in brackets, as in node[1-4]')


def _bracketed(token: str) -> Iterator[Piece]:
    match = _BRACKETED.fullmatch(token)
    if match is None:
        raise ValueError(f'invalid range "{token}": a name, then one pair of brackets around numbers, as in node[1-4]')
    prefix, items, suffix = match.groups()
    for item in items.split(","):
        lo, hi = intervals.parse_item(item)
        written = item.partition("-")[0].strip()
        if len(str(hi)) > _LONGEST_NUMBER or len(written) > _LONGEST_NUMBER:
            raise ValueError(f'invalid range "{item}": more than {_LONGEST_NUMBER} digits')
        one = f"{prefix}{written}{suffix}"
        if _split(one) is None:
            _refuse(one)
        for digits, span in _by_length(lo, hi, len(written)):
            yield from _canonical(prefix, suffix, digits, span)


def _by_length(lo: int, hi: int, width: int) -> Iterator[tuple[int, Interval]]:
    """Cut a range where its numbers grow a digit: 8-12 is 8-9 of one digit and 10-12 of two."""
    digits = max(width, len(str(lo)))
    while lo <= hi:
        last = min(hi, 10**digits - 1)
        yield digits, (lo, last)
        lo, digits = last + 1, digits + 1


def _canonical(prefix: str, suffix: str, digits: int, span: Interval) -> Iterator[Piece]:
    """Let the number take in the digits on both its sides: node1[0-3] are the same hosts as node[10-13]."""
    name = prefix.rstrip("0123456789")
    before = prefix[len(name) :]
    if before and name:
        shift = int(before) * 10**digits
        prefix, digits, span = name, digits + len(before), (span[0] + shift, span[1] + shift)
    domain = suffix.lstrip("0123456789")
    after = suffix[: len(suffix) - len(domain)]
    if not after:
        yield Row(prefix, suffix, digits), span
        return
    row, factor = Row(prefix, domain, digits + len(after)), 10 ** len(after)
    for number in range(span[0], span[1] + 1):
        yield row, (number * factor + int(after), number * factor + int(after))


# -- sets --------------------------------------------------------------------------------------------------------------


def _hosts(hosts: Iterable[str]) -> HostSet:
    return hosts if isinstance(hosts, HostSet) else HostSet(hosts)


def _collect(pieces: Iterable[Piece]) -> tuple[Mapping[Row, Intervals], frozenset[Row]]:
    """Rows in order with their intervals joined, and which of them are odd."""
    found: dict[Row, list[Interval]] = {}
    for row, span in pieces:
        spans = found.setdefault(row, [])
        if spans and spans[-1][1] + 1 == span[0]:
            spans[-1] = (spans[-1][0], span[1])
        else:
            spans.append(span)
    rows = {row: intervals.union(found[row]) for row in sorted(found)}
    odd = frozenset(row for row, spans in rows.items() if _is_odd(row, spans))
    return (_without_doubles(rows, odd) if odd else rows), odd


def _is_odd(row: Row, spans: Intervals) -> bool:
    """Whether brackets stand at another number than the one that the bare names fold by, as in rack1-node[1-4].

    The bare name rack1-node1 is a row of its own, so the same host may be spelt in two ways.
    """
    if not row.digits:
        return False
    split = _split(row.name(spans[0][0]))
    return split is None or split[0] != row


def _without_doubles(rows: Mapping[Row, Intervals], odd: frozenset[Row]) -> dict[Row, Intervals]:
    """Keep a host that is spelt in two ways once, in its odd row."""
    kept: dict[Row, Intervals] = {}
    for row in sorted(rows, key=lambda row: row not in odd):
        spans = rows[row]
        for other in [other for other in odd & kept.keys() if _may_share(row, other)]:
            spans = _others(row, spans, partial(_spells, other, kept[other]))
        if spans:
            kept[row] = spans
    return {row: kept[row] for row in rows if row in kept}


def _others(row: Row, spans: Intervals, gone: Callable[[str], bool]) -> Intervals:
    """The numbers of a row whose names are not ``gone``: name by name, for sets with odd rows."""
    return intervals.union((number, number) for number in intervals.numbers(spans) if not gone(row.name(number)))


def _may_share(row: Row, other: Row) -> bool:
    return row.prefix.startswith(other.prefix) or other.prefix.startswith(row.prefix)


def _spells(row: Row, spans: Intervals, name: str) -> bool:
    number = row.number(name)
    return number is not None and intervals.contains(spans, number)


# -- printing ----------------------------------------------------------------------------------------------------------


def _fold(pieces: Iterable[Piece]) -> str:
    """Consecutive pieces with the same text around their numbers share a pair of brackets."""
    groups: list[tuple[str, str, list[tuple[int, int, int]]]] = []
    for (prefix, suffix, digits), (lo, hi) in pieces:
        if not (groups and digits and groups[-1][2] and groups[-1][:2] == (prefix, suffix)):
            groups.append((prefix, suffix, []))
        if digits:
            _append(groups[-1][2], digits, lo, hi)
    return ",".join(_group(prefix, suffix, spans) for prefix, suffix, spans in groups)


def _append(spans: list[tuple[int, int, int]], digits: int, lo: int, hi: int) -> None:
    """Add a range, joined to the last one if it goes on where that ends: 8-9 and 10-12, but not 08-09 and 10-12."""
    if spans:
        width, first, last = spans[-1]
        grown = max(width, len(str(last + 1)))
        if lo == last + 1 and digits == grown:
            spans[-1] = (width, first, hi)
            return
    spans.append((digits, lo, hi))


def _group(prefix: str, suffix: str, spans: Sequence[tuple[int, int, int]]) -> str:
    if not spans:
        return prefix
    cuts = [(digits, *span) for digits, lo, hi in spans for span in intervals.cut(lo, hi)]
    items = [f"{lo:0{digits}d}" if lo == hi else f"{lo:0{digits}d}-{hi:0{digits}d}" for digits, lo, hi in cuts]
    if len(items) == 1 and cuts[0][1] == cuts[0][2]:
        name = f"{prefix}{items[0]}{suffix}"
        return name if _split(name) else f"{prefix}[{items[0]}]{suffix}"
    return f"{prefix}[{','.join(items)}]{suffix}"
