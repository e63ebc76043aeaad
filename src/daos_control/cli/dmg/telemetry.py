"""``dmg telemetry ...``: the metrics that servers publish, and Prometheus to gather them."""

import asyncio
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daos_control.base.hostset import HostSet
from daos_control.base.units import counted
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import Verbatim
from daos_control.cli.ui.numbers import json_number, shortest
from daos_control.cli.ui.tables import indented, table
from daos_control.client.errors import InvalidRequest
from daos_control.telemetry.metrics import Bucket, Histogram, Metric, MetricSet, Summary, Value

if TYPE_CHECKING:
    from daos_control.telemetry.prometheus_setup import Setup

CONFIG_NAME = ".prometheus.yml"
"""In the user's home."""
_TITLES = ("Metric", "Labels", "Value")


@command("unable to list metrics")
async def list_metrics(session: Session, args: Values) -> Output:
    """Show which metrics a host has."""
    host = _announced(session, args)
    sets = await session.daos.telemetry.metrics(host, port=args.port)
    rows = [(one.name, one.type.capitalize(), one.description) for one in sets]
    return Output(
        document=Verbatim({"available_metric_sets": [_set_document(one, None) for one in sets]}),
        text=table(["Metric Set", "Type", "Description"], rows) if rows else _nothing(host, args),
    )


@command("unable to query metrics")
async def query_metrics(session: Session, args: Values) -> Output:
    """Show a host's metrics with their values."""
    host = _announced(session, args)
    sets = await session.daos.telemetry.metrics(host, port=args.port, names=args.metrics)
    documents = [_set_document(one, list(map(_metric_document, one.metrics))) for one in sets]
    text = "".join(map(_set_text, sets)) or _nothing(host, args)
    return Output(document=Verbatim({"metric_sets": documents}), text=text)


@command()
async def configure(session: Session, args: Values) -> Output:
    """Have Prometheus gather metrics."""
    from daos_control.telemetry import prometheus_setup as setup

    if args.system.lower() != "prometheus":
        raise InvalidRequest(f"{args.system!r} is not known to gather metrics; there is: prometheus")
    folder = Path.cwd() / args.install_dir
    setup.check_folder(folder)
    program = setup.find_program(folder)
    if program is None:
        downloads = setup.Downloads(through_proxy=args.allow_proxy)
        with session.daos.waiting.on("Prometheus", stop=downloads.stop) as wait, wait.asking("the internet"):
            program = await asyncio.to_thread(setup.install, folder, downloads, session.say)
    hosts = session.daos.connection.addresses()
    targets = {f"{host.partition(':')[0]}:{args.port}" for host in hosts}
    done = setup.configure(Path.home() / CONFIG_NAME, program, targets, datetime.now().astimezone())
    return Output(text=_setup_text(done, len(targets)))


def _setup_text(done: "Setup", targets: int) -> str:
    lines = [f"Prometheus is {done.program}"]
    gathers = f"gathers metrics of {counted(targets, 'host')}"
    lines.append(f"{done.config} {gathers}" if done.changed else f"{done.config} {gathers} already: nothing changed")
    if done.backup:
        lines.append(f"What it was is in {done.backup}")
    lines.append(f"Start it with: {done.program} --config.file={done.config}")
    return "".join(f"{line}\n" for line in lines)


def _nothing(host: str, args: Values) -> str:
    return f"{host}:{args.port} publishes no metrics yet\n"


def _announced(session: Session, args: Values) -> str:
    """Say where metrics are looked for; a port beside the host is that of another service."""
    host = next(iter(HostSet.parse(args.host))).partition(":")[0]
    session.say(f"connecting to {host}:{args.port}...")
    return host


def _set_document(one: MetricSet, metrics: list[dict[str, Any]] | None) -> dict[str, Any]:
    return {"type": one.type.value, "name": one.name, "description": one.description, "metrics": metrics}


def _metric_document(metric: Metric) -> dict[str, Any]:
    labels: dict[str, Any] = {"labels": dict(sorted(metric.labels.items()))}
    match metric:
        case Value(value=value):
            return labels | {"value": json_number(value)}
        case Summary(quantiles=quantiles):
            shown = {shortest(at): shortest(value) for at, value in quantiles.items()}
            return labels | _samples_document(metric) | {"quantiles": dict(sorted(shown.items()))}
        case Histogram(buckets=buckets):
            return labels | _samples_document(metric) | {"buckets": list(map(_bucket_document, buckets)) or None}


def _samples_document(metric: Summary | Histogram) -> dict[str, Any]:
    return {"sample_count": metric.sample_count, "sample_sum": json_number(metric.sample_sum)}


def _bucket_document(bucket: Bucket) -> dict[str, Any]:
    return {
        "label": "",
        "cumulative_count": bucket.cumulative_count,
        "upper_bound": json_number(bucket.upper_bound),
    }


def _set_text(one: MetricSet) -> str:
    heading = f"- Metric Set: {one.name} (Type: {one.type.capitalize()})\n"
    rows = [(name, _labels_text(metric), value) for metric in one.metrics for name, value in _facts(one, metric)]
    return f"{heading}{indented(one.description, '  ')}\n{table(_TITLES, rows, indent='    ')}\n"


def _labels_text(metric: Metric) -> str:
    shown = ", ".join(f"{name}={value}" for name, value in sorted(metric.labels.items()))
    return f"({shown})" if shown else "N/A"


def _facts(one: MetricSet, metric: Metric) -> Iterator[tuple[str, str]]:
    """Name the numbers that make up a metric."""
    match metric:
        case Value(value=value):
            yield one.type.capitalize(), shortest(value)
            return
        case Summary() | Histogram():
            yield "Sample Count", str(metric.sample_count)
            yield "Sample Sum", shortest(metric.sample_sum)
    if isinstance(metric, Summary):
        for at, value in sorted(metric.quantiles.items()):
            yield f"Quantile({shortest(at)})", shortest(value)
    else:
        for number, bucket in enumerate(metric.buckets):
            yield f"Bucket({number}) Upper Bound", shortest(bucket.upper_bound)
            yield f"Bucket({number}) Cumulative Count", str(bucket.cumulative_count)
