r"""Prometheus's text format, read: lines to metrics, without I/O.

It is read as the library reads it that DAOS 2.8's dmg is built on, so that both find the same in the same text: metrics
that nobody declared have no type, a set without metrics is none, and lines about ``x_count`` or ``x_bucket`` belong to
the histogram ``x`` once that was declared. A text that is wrong somewhere, or cut off, is wrong altogether.

>>> [metrics] = parse('# TYPE engine_up gauge\nengine_up{rank="0"} 1\n')
>>> metrics.name, metrics.type.value, metrics.metrics
('engine_up', 'gauge', (Value(labels={'rank': '0'}, value=1.0),))
"""

import math
import re
from dataclasses import dataclass, field
from typing import Final

from daos_control.base.errors import DaosControlError
from daos_control.telemetry.metrics import Bucket, Histogram, Metric, MetricSet, MetricType, Summary, Value

_NAME: Final = re.compile(r"[ \t]*([A-Za-z_:][A-Za-z0-9_:]*)[ \t]*")
_COMMENT: Final = re.compile(r"[ \t]*#[ \t]*(HELP|TYPE)[ \t]+([^ \t]+)[ \t]+(.*)")
_LABEL: Final = re.compile(r'[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*')
_ESCAPE: Final = re.compile(r"\\(.?)", re.DOTALL)
_IN_LABELS: Final = {"\\": "\\", "n": "\n", '"': '"'}
_IN_HELP: Final = {"\\": "\\", "n": "\n"}
_TYPES: Final = {
    "counter": MetricType.COUNTER,
    "gauge": MetricType.GAUGE,
    "untyped": MetricType.GENERIC,
    "summary": MetricType.SUMMARY,
    "histogram": MetricType.HISTOGRAM,
}
_PARTS: Final = {
    MetricType.SUMMARY: ("_count", "_sum"),
    MetricType.HISTOGRAM: ("_count", "_sum", "_bucket"),
}
_SPECIAL: Final = {MetricType.SUMMARY: "quantile", MetricType.HISTOGRAM: "le"}
_SHOWN = 60


class MalformedMetrics(DaosControlError):
    """A text is not in Prometheus's format."""

    def __init__(self, line: int, problem: str, text: str) -> None:
        super().__init__(line, problem, text)
        self.line = line
        self.problem = problem
        self.text = text

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}..."
        return f"these are no metrics in Prometheus's text format: line {self.line}: {self.problem}: {shown!r}"


def parse(text: str) -> list[MetricSet]:
    """Read a text; sets come in the order of their names. Raises MalformedMetrics."""
    reader = _Reader()
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        cut_off = number == len(lines) and line.strip(" \t")
        try:
            if cut_off:
                raise ValueError("the text ends in the middle of a line")
            reader.read(line)
        except ValueError as error:
            raise MalformedMetrics(number, str(error), line) from error
    return reader.finish()


@dataclass(slots=True)
class _Samples:
    """A summary or histogram in the making."""

    labels: dict[str, str]
    count: int = 0
    sum: float = 0.0
    points: list[tuple[float, float]] = field(default_factory=list)
    """Quantiles with their values, or bounds with their counts."""

    def finished(self, kind: MetricType) -> Metric:
        if kind is MetricType.SUMMARY:
            quantiles = dict(self.points)
            return Summary(labels=self.labels, sample_count=self.count, sample_sum=self.sum, quantiles=quantiles)
        buckets = tuple(Bucket(upper_bound=bound, cumulative_count=_count(count)) for bound, count in self.points)
        return Histogram(labels=self.labels, sample_count=self.count, sample_sum=self.sum, buckets=buckets)


@dataclass(slots=True)
class _Family:
    """A set in the making."""

    name: str
    description: str | None = None
    type: MetricType | None = None
    values: list[Value] = field(default_factory=list)
    samples: dict[frozenset[tuple[str, str]], _Samples] = field(default_factory=dict)

    def finished(self) -> MetricSet:
        kind = self.type or MetricType.GENERIC
        metrics: list[Metric] = [*self.values] or [samples.finished(kind) for samples in self.samples.values()]
        return MetricSet(type=kind, name=self.name, description=self.description or "", metrics=tuple(metrics))


class _Reader:
    def __init__(self) -> None:
        self._families: dict[str, _Family] = {}

    def read(self, line: str) -> None:
        stripped = line.lstrip(" \t")
        if stripped.startswith("#"):
            self._comment(stripped)
        elif stripped:
            self._sample(stripped)

    def finish(self) -> list[MetricSet]:
        return [family.finished() for _, family in sorted(self._families.items()) if family.values or family.samples]

    def _comment(self, line: str) -> None:
        found = _COMMENT.fullmatch(line)
        if found is None:
            return
        keyword, name, rest = found.groups()
        if not _NAME.fullmatch(name):
            raise ValueError("this is no name of a metric")
        family, _ = self._family(name)
        if keyword == "HELP":
            if family.description is not None:
                raise ValueError(f"{family.name} is described twice")
            family.description = _unescaped(rest, _IN_HELP)
        else:
            if family.type is not None:
                raise ValueError(f"the type of {family.name} is told twice, or after its first value")
            if rest.lower() not in _TYPES:
                raise ValueError(f"{rest!r} is no type of metrics (there are: {', '.join(_TYPES)})")
            family.type = _TYPES[rest.lower()]

    def _sample(self, line: str) -> None:
        found = _NAME.match(line)
        if found is None:
            raise ValueError("a line begins with the name of a metric")
        family, part = self._family(found.group(1))
        if family.type is None:
            family.type = MetricType.GENERIC
        labels, position = (
            _labels(line, found.end()) if line[found.end() : found.end() + 1] == "{" else ({}, found.end())
        )
        value = _value_and_time(line[position:])
        special = _SPECIAL.get(family.type)
        if special is None:
            family.values.append(Value(labels=labels, value=value))
            return
        at = _number(labels.pop(special), f"label {special}") if special in labels else math.nan
        samples = family.samples.setdefault(frozenset(labels.items()), _Samples(labels))
        if part == "_count":
            samples.count = _count(value)
        elif part == "_sum":
            samples.sum = value
        elif not math.isnan(at):
            samples.points.append((at, value))

    def _family(self, name: str) -> tuple[_Family, str]:
        """Return the set that a line of this name is about, and which part of a histogram or summary it tells."""
        if name in self._families:
            return self._families[name], ""
        for kind, parts in _PARTS.items():
            for part in parts:
                family = self._families.get(name.removesuffix(part)) if name.endswith(part) else None
                if family is not None and family.type is kind:
                    return family, part
        return self._families.setdefault(name, _Family(name)), ""


def _labels(line: str, start: int) -> tuple[dict[str, str], int]:
    """Read labels from the opening brace on; return them, and where they end."""
    labels: dict[str, str] = {}
    position = start + 1
    while True:
        rest = line[position:].lstrip(" \t")
        if rest.startswith("}"):
            return labels, line.index("}", position) + 1
        found = _LABEL.match(line, position)
        if found is None:
            raise ValueError('labels are written {name="value",...}')
        name, value = found.groups()
        if name == "__name__" or name in labels:
            raise ValueError(f"label {name} is given twice" if name in labels else f"label {name} is reserved")
        labels[name] = _unescaped(value, _IN_LABELS)
        position = found.end()
        if line[position : position + 1] == ",":
            position += 1
        elif line[position : position + 1] != "}":
            raise ValueError(f"a comma or a brace must follow label {name}")


def _value_and_time(text: str) -> float:
    """Read what stands behind a metric's name: the value, and perhaps when it was taken, in milliseconds."""
    words = text.split()
    if not words:
        raise ValueError("there is no value")
    if len(words) > 2 or (len(words) == 2 and not re.fullmatch(r"[+-]?[0-9]+", words[1])):
        raise ValueError("only a time in milliseconds may follow the value")
    return _number(words[0], "the value")


def _number(text: str, what: str) -> float:
    try:
        if "_" in text:  # which Python takes
            raise ValueError
        return float(text)
    except ValueError:
        raise ValueError(f"{what} is no number") from None


def _count(value: float) -> int:
    if not 0 <= value < math.inf:
        raise ValueError(f"{value:g} is no number of samples")
    return int(value)


def _unescaped(text: str, meanings: dict[str, str]) -> str:
    if "\\" not in text:
        return text

    def meaning(found: re.Match[str]) -> str:
        if found.group(1) not in meanings:
            raise ValueError(f"the escape {found.group()} means nothing")
        return meanings[found.group(1)]

    return _ESCAPE.sub(meaning, text)
