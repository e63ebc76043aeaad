"""A hundred pools on 64 simulated ranks: making them one after another, listing them, asking them, removing them.

One real daos_server leads, in a process of its own that is charged alone; hosts and engines are one other process.
Whether a pool costs more the more there are is told by a straight line through the cost of each: how much it rises
from the first to the last, in percent of the mean, and how uncertain that is. By the clock others have a say in it,
so the CPU time of the management service decides.
"""

import math
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.processes import cpu_s, program
from benchmarks.report import Figure, Report
from benchmarks.simulation import Simulated, simulated
from daos_control.client.pool_size import PerRank
from daos_control.client.sync import SyncDaosClient

RANKS, POOLS = 64, 100
SIZE = PerRank(tier_bytes=(32 << 20, 0))
PART = 5
"""So many pools are charged together: the kernel counts CPU time in hundredths of a second."""
LIST_S = 1.0
GROWTH_PERCENT = 25.0
"""More than this, even at the lower end of its uncertainty, is growth."""
TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """A straight line through costs, first to last."""

    mean: float
    rise_percent: float
    """From the first to the last, of the mean."""
    uncertain_percent: float
    """Twice the standard error of the rise: 19 of 20 repetitions are that near."""

    @classmethod
    def of(cls, costs: Sequence[float]) -> "Trend":
        """Fit the line by least squares."""
        places, mean = range(len(costs)), statistics.fmean(costs)
        slope, start = statistics.linear_regression(places, costs)
        spread = sum((place - statistics.fmean(places)) ** 2 for place in places)
        misses = sum((cost - start - slope * place) ** 2 for place, cost in zip(places, costs, strict=True))
        error = math.sqrt(misses / (len(costs) - 2) / spread)
        percent = 100 * (len(costs) - 1) / mean if mean else 0.0
        return cls(mean=mean, rise_percent=slope * percent, uncertain_percent=2 * error * percent)


def run(report: Report) -> None:
    """Measure one system; each pool lies on all ranks."""
    report.section(f"{POOLS} pools on {RANKS} simulated ranks, insecure", f"the first {POOLS // 4}")
    with (
        simulated("--ranks", str(RANKS), "--targets", "1", "--insecure") as system,
        SyncDaosClient.from_config(system.lab.plan.control_config_path) as client,
    ):
        _print_growth(report, system, "create", lambda label: client.pools.create(label, SIZE))
        _print_looks(report, system)
        _print_growth(report, system, "destroy", lambda label: client.pools.destroy(label, recursive=True))


def _print_looks(report: Report, system: Simulated) -> None:
    command = [program("dmg"), "-o", str(system.lab.plan.control_config_path), "pool"]
    for verb, goal in (("list", LIST_S), ("list --no-query", None), (f"query {_labels()[0]}", None)):
        before = _charged(system)
        took = [_timed(_run, [*command, *verb.split()]) for _ in range(TRIES)]
        report.add(Figure(name=f"dmg pool {verb}, least of {TRIES}", value=min(took), unit="s", at_most=goal))
        for name, was, now in zip(_CHARGED, before, _charged(system), strict=True):
            report.add(Figure(name=f"    CPU time of {name}", value=1000 * (now - was) / TRIES, unit="ms"))


def _print_growth(report: Report, system: Simulated, verb: str, act: Callable[[str], object]) -> None:
    """Do something to every pool; compare the last quarter with the first, and draw the line through all parts."""
    clocks: list[float] = []
    charges: list[list[float]] = [[] for _ in _CHARGED]
    labels = _labels()
    for start in range(0, POOLS, PART):
        before = _charged(system)
        clocks.append(min(_timed(act, label) for label in labels[start : start + PART]))
        for costs, was, now in zip(charges, before, _charged(system), strict=True):
            costs.append((now - was) / PART)
    _print_trend(report, f"{verb} a pool, least of {PART} each", clocks, goal=None)
    for name, costs in zip(_CHARGED, charges, strict=True):
        _print_trend(report, f"    CPU time of {name}", costs, goal=GROWTH_PERCENT if name == _SERVICE else None)


def _print_trend(report: Report, name: str, costs: Sequence[float], *, goal: float | None) -> None:
    quarter, trend = len(costs) // 4, Trend.of(costs)
    first, last = statistics.fmean(costs[:quarter]), statistics.fmean(costs[-quarter:])
    report.add(Figure(name=f"{name}, the last {POOLS // 4}", value=1000 * last, unit="ms", reference=1000 * first))
    surely = max(0.0, abs(trend.rise_percent) - trend.uncertain_percent) * math.copysign(1, trend.rise_percent)
    text = f"rises by {trend.rise_percent:+.0f} % from first to last, give or take {trend.uncertain_percent:.0f} %"
    if goal is None:
        report.note(f"    {text}")
    else:
        report.add(Figure(name=f"    {text}: surely", value=surely, unit="%", at_most=goal))


_SERVICE = "the management service"
_CHARGED = (_SERVICE, "the simulation")


def _charged(system: Simulated) -> tuple[float, ...]:
    """Return CPU seconds so far, in the order of ``_CHARGED``."""
    return cpu_s([system.server]), cpu_s([system.pid])


def _timed(act: Callable[[Any], object], item: Any) -> float:
    began = time.perf_counter()
    act(item)
    return time.perf_counter() - began


def _labels() -> list[str]:
    return [f"pool{number:03}" for number in range(POOLS)]


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
