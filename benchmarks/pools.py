"""A hundred pools on 64 simulated ranks: making them one after another, listing them, asking them, removing them.

One real daos_server leads, in a process of its own that is charged alone; hosts and engines are one other process.
"""

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.processes import cpu_s, program
from benchmarks.report import Figure, Report
from benchmarks.simulation import Simulated, simulated
from daos_control.client.pool_size import PerRank
from daos_control.client.sync import SyncDaosClient

RANKS, POOLS = 64, 100
SIZE = PerRank(tier_bytes=(32 << 20, 0))
SOME = 20
"""As many of the first pools as of the last are compared."""
LIST_S = 1.0
GROWTH = 1.25
TRIES = 3


def run(report: Report) -> None:
    """Measure one system; each pool lies on all ranks."""
    report.section(f"{POOLS} pools on {RANKS} simulated ranks, insecure; once each", f"the first {SOME}")
    with simulated("--ranks", str(RANKS), "--targets", "1", "--insecure") as system:
        _print_creations(report, system)
        _print_looks(report, system)
        _print_removals(report, system)


def _print_creations(report: Report, system: Simulated) -> None:
    with SyncDaosClient.from_config(system.lab.plan.control_config_path) as client:
        _print_growth(report, system, "create a pool", lambda label: client.pools.create(label, SIZE))


def _print_looks(report: Report, system: Simulated) -> None:
    command = [program("dmg"), "-o", str(system.lab.plan.control_config_path), "pool"]
    for verb, goal in (("list", LIST_S), ("list --no-query", None), (f"query {_labels()[0]}", None)):
        cpu, theirs = cpu_s([system.server]), cpu_s([system.pid])
        took = _timed(_run, [[*command, *verb.split()]] * TRIES)
        cpu, theirs = cpu_s([system.server]) - cpu, cpu_s([system.pid]) - theirs
        report.add(Figure(name=f"dmg pool {verb}, least of {TRIES}", value=min(took), unit="s", at_most=goal))
        report.add(Figure(name="    CPU time of the management service", value=1000 * cpu / TRIES, unit="ms"))
        report.add(Figure(name="    CPU time of the simulation", value=1000 * theirs / TRIES, unit="ms"))


def _print_removals(report: Report, system: Simulated) -> None:
    with SyncDaosClient.from_config(system.lab.plan.control_config_path) as client:
        _print_growth(report, system, "destroy a pool", lambda label: client.pools.destroy(label, recursive=True))


def _print_growth(report: Report, system: Simulated, what: str, act: Callable[[str], object]) -> None:
    """Do something to every pool; compare the last with the first, by the clock and by what they cost."""
    labels = _labels()
    first = _cost(system, act, labels[:SOME])
    _cost(system, act, labels[SOME:-SOME])
    last = _cost(system, act, labels[-SOME:])
    names = (
        f"{what}, median of the last {SOME}",
        "    CPU time of the management service",
        "    CPU time of the simulation",
    )
    for name, value, before in zip(names, last, first, strict=True):
        report.add(Figure(name=name, value=value, unit="ms", reference=before, ratio_at_most=GROWTH))


def _cost(system: Simulated, act: Callable[[str], object], labels: Sequence[str]) -> tuple[float, float, float]:
    """Return milliseconds for each: their median by the clock, the service's CPU time and the simulation's."""
    server, engines = cpu_s([system.server]), cpu_s([system.pid])
    times = _timed(act, labels)
    server, engines = cpu_s([system.server]) - server, cpu_s([system.pid]) - engines
    return 1000 * statistics.median(times), 1000 * server / len(labels), 1000 * engines / len(labels)


def _timed(act: Callable[[Any], object], items: Sequence[Any]) -> list[float]:
    times = []
    for item in items:
        began = time.perf_counter()
        act(item)
        times.append(time.perf_counter() - began)
    return times


def _labels() -> list[str]:
    return [f"pool{number:03}" for number in range(POOLS)]


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
