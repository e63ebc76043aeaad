"""Metrics as Prometheus has them: names and labels, types, text that can be read back."""

import pytest

from daos_control.telemetry import exposition
from daos_control.telemetry.metrics import Bucket, Histogram, MetricType, Value
from daos_control.telemetry.publishing import client_name, engine_name, metric_sets, page
from daos_control.telemetry.tree import Kind, Reading, Statistics


@pytest.mark.parametrize(
    ("path", "name", "labels"),
    [
        ("started_at", "started_at", {}),
        ("io/latency/fetch/4KB/tgt_3", "io_latency_fetch", {"size": "4KB", "target": "3"}),
        ("io/ops/update/active/tgt_0", "io_ops_update_active", {"target": "0"}),
        ("io/dtx/committable/tgt_1", "io_dtx_committable", {"target": "1"}),
        ("pool/a-b/ops/fetch/latency/tgt_2", "pool_ops_fetch_latency", {"pool": "a-b", "target": "2"}),
        ("pool/a-b/started_at", "pool_started_at", {"pool": "a-b"}),
        ("pool/a/container/c/ops/open", "pool_ops_open", {"pool": "a", "container": "c"}),
        ("pool/a/container/c/dfs/read_bytes", "dfs_read_bytes", {"pool": "a", "container": "c"}),
        ("net/ofi+tcp/hg/bulks/ctx_0", "net_hg_bulks", {"provider": "ofi+tcp", "context": "0"}),
        ("net/uri/lookup_self/ctx_1", "net_uri_lookup_self", {"context": "1"}),
        ("nvme/0000:81:00.0/Temp.Current", "nvme_temp_current", {"device": "0000:81:00.0"}),
        ("sched/cycle_size/xs_4", "sched_cycle_size", {"xstream": "4"}),
    ],
)
def test_engines_paths(path: str, name: str, labels: dict[str, str]) -> None:
    assert engine_name(path.split("/")) == (name, labels)


@pytest.mark.parametrize(
    ("path", "name", "labels"),
    [
        ("job/12/34/io/ops/fetch/active", "io_ops_fetch_active", {"jobid": "job", "pid": "12", "tid": "34"}),
        ("job/12/started_at", "started_at", {"jobid": "job", "pid": "12"}),
        ("job/pool/p/ops/open", "pool_ops_open", {"jobid": "job", "pool": "p"}),
    ],
)
def test_applications_paths(path: str, name: str, labels: dict[str, str]) -> None:
    assert client_name(path.split("/")) == (name, labels)


def reading(path: str, kind: Kind, value: int, **more: object) -> Reading:
    return Reading(path=tuple(path.split("/")), kind=kind, value=value, description="what it is", **more)  # type: ignore[arg-type]


STATISTICS = Statistics(least=1, greatest=5, total=9, sum_of_squares=35.0, samples=3)


def published(*readings: Reading) -> list[exposition.MetricSet]:
    """Publish readings of two ranks, and read the page."""
    sources = [({"rank": str(rank)}, readings) for rank in range(2)]
    sets = metric_sets(sources, engine_name, prefix="engine")
    found = exposition.parse(page(sets))
    assert found == sets, "what was written is what is read"
    return found


def test_a_counter_of_two_ranks() -> None:
    [one] = published(reading("io/ops/fetch/tgt_0", Kind.COUNTER, 7))
    assert (one.name, one.type, one.description) == ("engine_io_ops_fetch", MetricType.COUNTER, "what it is")
    assert one.metrics == tuple(Value(labels={"target": "0", "rank": rank}, value=7.0) for rank in "01")


def test_statistics_are_metrics_beside_their_own() -> None:
    sets = {one.name: one for one in published(reading("depth", Kind.STATS_GAUGE, 4, statistics=STATISTICS))}
    values = {name: (one.type.value, one.metrics[0].value) for name, one in sets.items()}  # type: ignore[union-attr]
    assert values == {
        "engine_depth": ("gauge", 4.0),
        "engine_depth_min": ("gauge", 1.0),
        "engine_depth_max": ("gauge", 5.0),
        "engine_depth_mean": ("gauge", 3.0),
        "engine_depth_stddev": ("gauge", 2.0),
        "engine_depth_sum": ("counter", 9.0),
        "engine_depth_sumsquares": ("counter", 35.0),
        "engine_depth_samples": ("counter", 3.0),
    }
    assert sets["engine_depth_stddev"].description == "what it is (std dev)"


def test_statistics_of_nothing() -> None:
    nothing = Statistics(least=0, greatest=0, total=0, sum_of_squares=0.0, samples=0)
    assert (nothing.mean, nothing.deviation) == (0.0, 0.0)


def test_a_histogram_stands_for_all_its_statistics() -> None:
    buckets = (Bucket(upper_bound=1.0, cumulative_count=1), Bucket(upper_bound=3.0, cumulative_count=2))
    [one] = metric_sets(
        [({}, [reading("latency", Kind.DURATION, 1_000, statistics=STATISTICS, buckets=buckets)])],
        engine_name,
        prefix="engine",
    )
    assert one.metrics == (Histogram(labels={}, sample_count=3, sample_sum=1000.0, buckets=buckets),)
    assert page([one]).splitlines()[2:] == [
        'engine_latency_bucket{le="1"} 1',
        'engine_latency_bucket{le="3"} 2',
        'engine_latency_bucket{le="+Inf"} 3',
        "engine_latency_sum 1000",
        "engine_latency_count 3",
    ]


def test_of_two_that_are_the_same_the_first_counts() -> None:
    [one] = published(
        reading("depth", Kind.GAUGE, 1), reading("depth", Kind.GAUGE, 2), reading("depth", Kind.COUNTER, 3)
    )
    assert [metric.value for metric in one.metrics] == [1.0, 1.0]  # type: ignore[union-attr]


def test_paths_that_are_too_short_are_left_out() -> None:
    assert published(reading("pool/only", Kind.GAUGE, 1), reading("io", Kind.GAUGE, 1)) == []


def test_labels_and_descriptions_are_escaped() -> None:
    odd = Reading(path=("pool", 'a"b\\c\nd', "x"), kind=Kind.GAUGE, value=1, description="two\nlines \\")
    [one] = published(odd)
    assert (one.metrics[0].labels["pool"], one.description) == ('a"b\\c\nd', "two\nlines \\")
