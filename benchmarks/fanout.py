"""dmg among many hosts of which some are ill: how long until the good answers are there, and what a host costs.

The hosts are played by a process of their own, see ``daos_control.testing.fake_hosts``; no privileges are needed. If
``DAOS_GENUINE`` names the prefix that DAOS 2.8 is installed at, its dmg asks the same hosts in turn with ours. It waits
for 20 seconds or five minutes at times, so it runs once and is ended after half a minute: then that is its figure.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from benchmarks import baseline, systems
from benchmarks.processes import Usage, program
from benchmarks.report import Figure, Report
from daos_control.testing.fake_hosts import FakeHosts, as_text

HOSTS: Final = 256
SCANS: Final = 5
QUERIES: Final = 20
GENUINE_LIMIT_S: Final = 30.0
GENUINE_QUERIES: Final = 3
LIMIT_S: Final = 60.0
SCAN_S: Final = 2.0
QUERY_S: Final = 0.3
ILL: Final[Mapping[str, dict[str, int]]] = {
    "all well": {},
    "1 % dead": {"dead": 3},
    "1 % silent": {"silent": 3},
    "1 % mute": {"mute": 3},
    "10 % dead": {"dead": 26},
}
REPLICAS: Final[Mapping[str, dict[str, int]]] = {
    "5 replicas": {},
    "5 replicas, 1 dead": {"dead": 1},
    "5 replicas, 1 silent": {"silent": 1},
    "5 replicas, 1 mute": {"mute": 1},
}


@dataclass(slots=True)
class Runs:
    """What some runs of a command took."""

    usages: list[Usage] = field(default_factory=list)
    ended: int = 0
    """How many of them had to be ended."""

    @property
    def median_s(self) -> float:
        """The middle of their wall times."""
        return statistics.median(usage.wall_s for usage in self.usages)

    @property
    def worst_s(self) -> float:
        """The longest of their wall times."""
        return max(usage.wall_s for usage in self.usages)

    @property
    def cpu_s(self) -> float:
        """The least of their CPU times."""
        return min(usage.cpu_s for usage in self.usages)


def run(report: Report) -> None:
    """Scan hosts, then ask for the system's members; some hosts are ill."""
    genuine = _genuine()
    report.section(f"dmg storage scan of {HOSTS} hosts: median of {SCANS}", "DAOS 2.8")
    report.note(f"DAOS 2.8: {baseline.SOURCE_OF_SCANS}")
    if genuine is None:
        report.note(f"genuine: not measured; {systems.PREFIX_VARIABLE} may name DAOS's prefix")
    for name, ill in ILL.items():
        _scan(report, name, ill, genuine)
    report.section(f"dmg system query: the longest of {QUERIES}", "all well")
    for hosts, replicas, cases in ((HOSTS, 3, ILL), (5, 0, REPLICAS)):
        all_well: float | None = None
        for name, ill in cases.items():
            title = f"{HOSTS} hosts, 3 of them replicas, {name}" if replicas else name
            with _playing(hosts, replicas=replicas, **ill) as config:
                ours, theirs = _both(config, ["system", "query"], genuine, QUERIES, GENUINE_QUERIES)
            report.add(
                Figure(
                    name=title,
                    value=ours.worst_s,
                    unit="s",
                    reference=all_well,
                    genuine=theirs.worst_s if theirs else None,
                    at_most=QUERY_S,
                )
            )
            all_well = all_well or ours.worst_s
            _tell_ended(report, theirs)


def _scan(report: Report, name: str, ill: Mapping[str, int], genuine: str | None) -> None:
    with _playing(HOSTS, **ill) as config:
        ours, theirs = _both(config, ["storage", "scan"], genuine, SCANS, 1)
    report.add(
        Figure(
            name=name,
            value=ours.median_s,
            unit="s",
            reference=baseline.scan_s(HOSTS, in_trouble=True) if name == "1 % dead" else None,
            genuine=theirs.median_s if theirs else None,
            at_most=SCAN_S,
        )
    )
    if not ill:
        cpu = theirs.cpu_s * 1e3 / HOSTS if theirs else None
        report.add(Figure(name="CPU time for each host", value=ours.cpu_s * 1e3 / HOSTS, unit="ms", genuine=cpu))
    _tell_ended(report, theirs)


def _both(
    config: str, command: Sequence[str], genuine: str | None, rounds: int, genuine_rounds: int
) -> tuple[Runs, Runs | None]:
    """Run a command of our dmg, and of the genuine one if there is one."""
    ours = _measure([program("dmg"), "-o", config, *command], rounds, LIMIT_S)
    if genuine is None:
        return ours, None
    return ours, _measure([genuine, "-o", config, *command], genuine_rounds, GENUINE_LIMIT_S)


def _tell_ended(report: Report, runs: Runs | None) -> None:
    if runs and runs.ended:
        report.note(f"genuine: {runs.ended} of {len(runs.usages)} ended after {GENUINE_LIMIT_S:g} s")


def _genuine() -> str | None:
    prefix = os.environ.get(systems.PREFIX_VARIABLE)
    path = Path(prefix) / "bin" / "dmg" if prefix else None
    return str(path) if path is not None and path.exists() else None


@contextmanager
def _playing(count: int, *, replicas: int = 0, **ill: int) -> Iterator[str]:
    """Play hosts, and give the path of a configuration that lists them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hosts = FakeHosts.many(count, port=port, replicas=replicas, **ill)
    command = [sys.executable, "-m", "daos_control.testing.fake_hosts", as_text(hosts)]
    with (
        tempfile.TemporaryDirectory(prefix="daos-bench-") as folder,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise ChildProcessError("the hosts do not start")
        path = Path(folder) / "daos_control.yml"
        config = {"port": port, "hostlist": hosts.hosts, "transport_config": {"allow_insecure": True}}
        path.write_text(yaml.safe_dump(config))
        try:
            yield str(path)
        finally:
            process.communicate("")


def _measure(command: Sequence[str], rounds: int, limit_s: float) -> Runs:
    """Run a command some times; it may fail, for some hosts do, and that it does not end is noted.

    Raises ChildProcessError if it ends without the answers of those that are well.
    """
    runs = Runs()
    for _ in range(rounds):
        with tempfile.TemporaryFile() as answers:
            began = time.perf_counter()
            process = subprocess.Popen(command, stdout=answers, stderr=subprocess.DEVNULL)
            while (waited := os.wait4(process.pid, os.WNOHANG))[0] == 0:
                if time.perf_counter() - began > limit_s:
                    process.kill()
                    runs.ended += 1
                    waited = os.wait4(process.pid, 0)
                    break
                time.sleep(0.002)
            wall_s = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(waited[1])
            if process.returncode >= 0 and not answers.seek(0, os.SEEK_END):
                raise ChildProcessError(f"{' '.join(command)} has no answers, and ended with {process.returncode}")
        runs.usages.append(Usage(wall_s, waited[2].ru_utime + waited[2].ru_stime))
    return runs
