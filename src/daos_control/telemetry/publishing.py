"""Metrics of DAOS's trees as Prometheus has them: names and labels from paths, sets from readings, text from sets.

Names, labels and types are those of DAOS 2.8, so that dashboards made for it go on working.

>>> engine_name(("io", "latency", "fetch", "4KB", "tgt_3"))
('io_latency_fetch', {'size': '4KB', 'target': '3'})
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from daos_control.telemetry.metrics import Histogram, MetricSet, MetricType, Summary, Value
from daos_control.telemetry.tree import Kind, Reading

Named: TypeAlias = tuple[str, dict[str, str]]
_LABELS: Final = (("tgt_", "target"), ("xs_", "xstream"), ("ctx_", "context"))
_FORBIDDEN: Final = re.compile(r"[^A-Za-z0-9]")


def engine_name(path: Sequence[str]) -> Named:
    """Return the name and labels of an engine's metric. Raises IndexError if the path is too short for what it begins.

    >>> engine_name(("pool", "tank", "ops", "fetch", "tgt_0"))
    ('pool_ops_fetch', {'pool': 'tank', 'target': '0'})
    """
    labels: dict[str, str] = {}
    match path[0]:
        case "pool":
            labels["pool"] = path[1]
            words, rest = _of_pool(path, labels)
        case "io" if path[1] == "latency":
            labels["size"] = path[3]
            words, rest = ["io", "latency", path[2]], path[4:]
        case "io" if path[1] == "ops":
            words, rest = ["io", "ops", path[2]], path[3:]
        case "net" if path[1] == "uri":
            words, rest = ["net", "uri"], path[2:]
        case "net":
            labels["provider"] = path[1]
            words, rest = ["net"], path[2:]
        case "nvme":
            labels["device"] = path[1]
            words, rest = ["nvme"], path[2:]
        case _:
            words, rest = [], path
    for part in rest:
        for prefix, label in _LABELS:
            if part.startswith(prefix):
                labels[label] = part.removeprefix(prefix)
                break
        else:
            words.append(part)
    return _FORBIDDEN.sub("_", "_".join(words)).lower(), labels


def _of_pool(path: Sequence[str], labels: dict[str, str]) -> tuple[list[str], Sequence[str]]:
    if path[2] == "ops":
        return ["pool", "ops", path[3]], path[4:]
    if path[2] == "container":
        labels["container"] = path[3]
        return ([] if path[4] == "dfs" else ["pool"]), path[4:]
    return ["pool"], path[2:]


def client_name(path: Sequence[str]) -> Named:
    """Return the name and labels of an application's metric: job, process and thread, then as an engine's.

    >>> client_name(("job7", "123", "124", "pool", "tank", "ops", "fetch"))
    ('pool_ops_fetch', {'pool': 'tank', 'jobid': 'job7', 'pid': '123', 'tid': '124'})
    """
    numbers = 0
    while numbers < 2 and path[1 + numbers].isdecimal():
        numbers += 1
    name, labels = engine_name(path[1 + numbers :])
    return name, labels | dict(zip(("jobid", "pid", "tid"), path[: 1 + numbers], strict=False))


def metric_sets(
    sources: Iterable[tuple[Mapping[str, str], Iterable[Reading]]],
    name: Callable[[Sequence[str]], Named],
    *,
    prefix: str,
) -> list[MetricSet]:
    """Gather what sources read into sets, in the order of their names; a source's labels are added to each metric.

    Of two that would be the same, or of one name and different types, the first counts.
    """
    sets: dict[str, MetricSet] = {}
    metrics: dict[str, dict[frozenset[tuple[str, str]], Value | Histogram | Summary]] = {}
    for labels, readings in sources:
        for reading in readings:
            try:
                base, own = name(reading.path)
            except IndexError:
                continue
            if not base:
                continue
            for kind, suffix, told, metric in _metrics(reading, {**own, **labels}):
                full = f"{prefix}_{base}{suffix}"
                known = sets.setdefault(
                    full, MetricSet(type=kind, name=full, description=f"{reading.description}{told}", metrics=())
                )
                if known.type is kind:
                    metrics.setdefault(full, {}).setdefault(frozenset(metric.labels.items()), metric)
    return [replace(one, metrics=tuple(metrics[full].values())) for full, one in sorted(sets.items())]


def _metrics(
    reading: Reading, labels: dict[str, str]
) -> Iterator[tuple[MetricType, str, str, Value | Histogram | Summary]]:
    """Yield type, suffix of the name, addition to the description, and metric."""
    gauge, counter = MetricType.GAUGE, MetricType.COUNTER
    statistics = reading.statistics
    if statistics is not None and reading.buckets:
        histogram = Histogram(
            labels=labels, sample_count=statistics.samples, sample_sum=float(reading.value), buckets=reading.buckets
        )
        yield MetricType.HISTOGRAM, "", "", histogram
        return
    main = counter if reading.kind is Kind.COUNTER else gauge
    yield main, "", "", Value(labels=labels, value=float(reading.value))
    if statistics is None:
        return
    for kind, suffix, told, value in (
        (gauge, "_min", " (min value)", statistics.least),
        (gauge, "_max", " (max value)", statistics.greatest),
        (gauge, "_mean", " (mean)", statistics.mean),
        (gauge, "_stddev", " (std dev)", statistics.deviation),
        (counter, "_sum", " (sum)", statistics.total),
        (counter, "_sumsquares", " (sum of squares)", statistics.sum_of_squares),
        (counter, "_samples", " (samples)", statistics.samples),
    ):
        yield kind, suffix, told, Value(labels=labels, value=float(value))


def page(sets: Iterable[MetricSet]) -> str:
    """Write sets in Prometheus's text format."""
    return "".join(line for one in sets for line in _lines(one))


def _lines(one: MetricSet) -> Iterator[str]:
    description = one.description.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {one.name} {description}\n# TYPE {one.name} {one.type.value}\n"
    for metric in one.metrics:
        inside = [f'{name}="{_quoted(value)}"' for name, value in sorted(metric.labels.items())]
        braces = f"{{{','.join(inside)}}}" if inside else ""
        match metric:
            case Value(value=value):
                yield f"{one.name}{braces} {_number(value)}\n"
            case Histogram(buckets=buckets, sample_count=count, sample_sum=total):
                bounds = [(_number(bucket.upper_bound), bucket.cumulative_count) for bucket in buckets]
                for bound, below in (*bounds, ("+Inf", count)):
                    within = ",".join([*inside, f'le="{bound}"'])
                    yield f"{one.name}_bucket{{{within}}} {below}\n"
                yield f"{one.name}_sum{braces} {_number(total)}\n{one.name}_count{braces} {count}\n"
            case Summary():
                raise TypeError("DAOS's trees have no summaries")


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
