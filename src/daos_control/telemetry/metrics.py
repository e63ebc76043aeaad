"""What metrics are, wherever they come from: a set has one name and type, and a metric for every choice of labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class MetricType(StrEnum):
    """The kind of value that a set's metrics have."""

    GENERIC = "generic"
    """Nothing was said about it."""
    COUNTER = "counter"
    GAUGE = "gauge"
    SUMMARY = "summary"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number: of a counter, a gauge, or something that has no type."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What many samples were like: below a quantile's value lies that share of them."""

    labels: Mapping[str, str]
    sample_count: int = 0
    sample_sum: float = 0.0
    quantiles: Mapping[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How many samples were not above a bound."""

    cumulative_count: int
    upper_bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Which values many samples had."""

    labels: Mapping[str, str]
    sample_count: int = 0
    sample_sum: float = 0.0
    buckets: tuple[Bucket, ...]


Metric: TypeAlias = Value | Summary | Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSet:
    """The metrics of one name."""

    type: MetricType
    name: str
    description: str = ""
    metrics: tuple[Metric, ...]
