"""Prometheus's text format: what every kind of line means, and what is wrong with wrong ones."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.telemetry.exposition import MalformedMetrics, parse
from daos_control.telemetry.metrics import Bucket, Histogram, MetricSet, MetricType, Summary, Value


def one(text: str) -> MetricSet:
    [found] = parse(text)
    return found


def test_a_gauge_for_every_combination_of_labels() -> None:
    found = one(
        "# HELP engine_io_ops_fetch_active number of active RPCs\n"
        "# TYPE engine_io_ops_fetch_active gauge\n"
        'engine_io_ops_fetch_active{rank="0",target="0"} 0\n'
        'engine_io_ops_fetch_active{rank="0",target="1"} 2\n'
    )
    assert found == MetricSet(
        type=MetricType.GAUGE,
        name="engine_io_ops_fetch_active",
        description="number of active RPCs",
        metrics=(
            Value(labels={"rank": "0", "target": "0"}, value=0.0),
            Value(labels={"rank": "0", "target": "1"}, value=2.0),
        ),
    )


def test_a_counter_keeps_the_name_it_has() -> None:
    found = one("# TYPE go_frees_total counter\ngo_frees_total 12\n")
    assert (found.name, found.type, found.metrics) == (
        "go_frees_total",
        MetricType.COUNTER,
        (Value(labels={}, value=12.0),),
    )


@pytest.mark.parametrize("text", ["up 1\n", "# TYPE up untyped\nup 1\n"], ids=["not declared", "declared so"])
def test_a_metric_of_no_type(text: str) -> None:
    assert one(text).type is MetricType.GENERIC


def test_lines_of_a_histogram_make_one_metric_for_each_combination_of_labels() -> None:
    found = one(
        "# TYPE latency histogram\n"
        'latency_bucket{rank="0",le="1"} 3\n'
        'latency_bucket{le="+Inf",rank="0"} 5\n'
        'latency_sum{rank="0"} 9.5\n'
        'latency_count{rank="0"} 5\n'
        'latency_bucket{rank="1",le="+Inf"} 1\n'
    )
    assert found.metrics == (
        Histogram(
            labels={"rank": "0"},
            sample_count=5,
            sample_sum=9.5,
            buckets=(Bucket(upper_bound=1.0, cumulative_count=3), Bucket(upper_bound=math.inf, cumulative_count=5)),
        ),
        Histogram(labels={"rank": "1"}, buckets=(Bucket(upper_bound=math.inf, cumulative_count=1),)),
    )


def test_lines_of_a_summary_make_one_metric() -> None:
    found = one('# TYPE pause summary\npause{quantile="0"} 1e-05\npause{quantile="1"} 1\npause_sum 2\npause_count 12\n')
    assert found.metrics == (Summary(labels={}, sample_count=12, sample_sum=2.0, quantiles={0.0: 1e-05, 1.0: 1.0}),)


def test_what_ends_like_part_of_a_histogram_is_its_own_metric_unless_there_is_that_histogram() -> None:
    assert [found.name for found in parse("# TYPE retries gauge\nretries 1\nretries_count 2\nother_sum 3\n")] == [
        "other_sum",
        "retries",
        "retries_count",
    ]


def test_sets_come_in_the_order_of_their_names_and_those_without_metrics_not_at_all() -> None:
    text = "# HELP nothing at all\n# TYPE nothing gauge\n# any other comment\n\nb 1\n \t\na 1\n#\n"
    assert [found.name for found in parse(text)] == ["a", "b"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("+Inf", math.inf), ("-Inf", -math.inf), ("1.048576e+06", 1048576.0), ("-0.5", -0.5), ("1 1700000000000", 1.0)],
)
def test_values_with_or_without_a_time(written: str, meant: float) -> None:
    assert one(f"x {written}\n").metrics == (Value(labels={}, value=meant),)


def test_a_value_that_is_none() -> None:
    [metric] = one("x NaN\n").metrics
    assert isinstance(metric, Value)
    assert math.isnan(metric.value)


def test_escapes_and_blanks_and_braces_inside_labels() -> None:
    found = one('x { a = "say \\"hi\\"" , b="c:\\\\d\\n" , e="}{,=" , } 1\n')
    assert found.metrics[0].labels == {"a": 'say "hi"', "b": "c:\\d\n", "e": "}{,="}


def test_escapes_in_descriptions() -> None:
    assert one("# HELP x two\\nlines \\\\ one backslash\nx 1\n").description == "two\nlines \\ one backslash"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("x 1\ny 2", 2, "ends in the middle"),
        ("<html>\n", 1, "begins with the name of a metric"),
        ("x\n", 1, "no value"),
        ("x one\n", 1, "no number"),
        ("x 1_000\n", 1, "no number"),
        ("x 1 soon\n", 1, "time in milliseconds"),
        ("x 1 2 3\n", 1, "time in milliseconds"),
        ('x{a="1} 3\n', 1, "labels are written"),
        ("x{a=1} 3\n", 1, "labels are written"),
        ('x{a="1" b="2"} 3\n', 1, "comma or a brace"),
        ('x{a="1",a="2"} 3\n', 1, "given twice"),
        ('x{__name__="y"} 3\n', 1, "reserved"),
        ('x{a="\\t"} 3\n', 1, "means nothing"),
        ("# HELP x \\t\n", 1, "means nothing"),
        ("# HELP x a\n# HELP x b\n", 2, "described twice"),
        ("# TYPE x gauge\n# TYPE x gauge\n", 2, "told twice"),
        ("x 1\n# TYPE x gauge\n", 2, "after its first value"),
        ("# TYPE x thermometer\n", 1, "no type"),
        ("# HELP 1x text\n", 1, "no name"),
        ('# TYPE h histogram\nh_bucket{le="low"} 1\n', 2, "label le is no number"),
        ("# TYPE h histogram\nh_count NaN\n", 2, "no number of samples"),
        ("# TYPE h histogram\nh_count -1\n", 2, "no number of samples"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(MalformedMetrics, match=problem) as raised:
        parse(text)
    assert raised.value.line == line
    assert f"line {line}: " in str(raised.value)


@given(st.text(alphabet='ab_{}=",\\ \n#0.+-TYPEHLcounter\t'))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse(text)
    except MalformedMetrics:
        return
    assert all(one.metrics for one in found)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(), max_size=4), st.floats(allow_nan=False))
def test_what_is_written_as_the_format_has_it_comes_back(labels: dict[str, str], value: float) -> None:
    def escaped(text: str) -> str:
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

    inside = ",".join(f'{name}="{escaped(text)}"' for name, text in labels.items())
    assert one(f"x{{{inside}}} {value!r}\n").metrics == (Value(labels=labels, value=value),)
