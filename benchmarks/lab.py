"""The lab: a system of 3 hosts and 6 engines with certificates, from one command to six ranks and a pool."""

import tempfile
import time
from pathlib import Path

from benchmarks import systems
from benchmarks.processes import Memory, children_cpu_s, cpu_s, family, memory
from benchmarks.report import Figure, Report

ROUNDS = 3
SECONDS = 10.0
MIB = 500.0


def run(report: Report) -> None:
    """Bring the lab up a few times; the memory is that of the last."""
    walls, cpus, pids, used = [], [], list[int](), Memory(0, 0, 0)
    with tempfile.TemporaryDirectory(prefix="daos-bench-") as scratch:
        folder = Path(scratch) / "lab"
        for _ in range(ROUNDS):
            began, before = time.perf_counter(), children_cpu_s()
            try:
                systems.lab_command(folder, "up")
                walls.append(time.perf_counter() - began)
                pids = family(process.pid for process in systems.the_lab(folder).processes.values())
                cpus.append(cpu_s(pids) + children_cpu_s() - before)
                used = memory(pids)
            finally:
                systems.lab_command(folder, "down")
    report.section(f"The lab, 3 hosts with 2 engines each: least of {ROUNDS}")
    report.add(Figure(name="daos_lab up, with what it shows", value=min(walls), unit="s", at_most=SECONDS))
    report.add(Figure(name="CPU time of everything", value=min(cpus), unit="s"))
    report.add(Figure(name=f"memory of its {len(pids)} processes (PSS)", value=used.pss, unit="MiB", at_most=MIB))
    report.add(Figure(name="the same, shared pages counted for each", value=used.rss, unit="MiB"))
    report.add(Figure(name="sum of the peaks of each", value=used.peak_rss, unit="MiB"))
