"""Joins by the thousand: CPU time of each, and how many commits and group maps they all cost.

The joins are those of the baseline, from a load program that plays the hosts of engines that do not exist. How many
group maps there were says the one engine that there is, an emulated one.
"""

import subprocess
from pathlib import Path

from benchmarks import baseline, loads, systems
from benchmarks.processes import memory, program
from benchmarks.report import Figure, Report
from benchmarks.simulation import revision_of

STORMS = ((2048, 256), (512, 512))
"""How many join, and how many of them at the same time."""
ROUNDS = 3
AT_MOST = {2048: 40, 512: 8}
"""Commits, and group maps."""
RATIO = 0.5
TAKEN = "group map updated"


def run(report: Report) -> None:
    """Let a few storms of joins come over systems of one engine."""
    if loads.folder() is None:
        report.section("Joins: left out")
        report.note(f"they need the load programs, whose folder {loads.FOLDER_VARIABLE} may name")
        return
    report.section(f"Joins of engines that do not exist, insecure: least of {ROUNDS}", "DAOS 2.8")
    report.note(f"DAOS 2.8: {baseline.SOURCE}")
    for joins, at_once in STORMS:
        costs = [_storm(joins, at_once) for _ in range(ROUNDS)]
        cpu, commits, maps, peak = (min(each) for each in zip(*costs, strict=True))
        name = f"{joins} joins, {at_once} at once"
        reference = baseline.cpu_ms(f"join, {joins}")
        goal = RATIO if reference else None
        report.add(Figure(name=f"{name}: CPU of each", value=cpu, unit="ms", reference=reference, ratio_at_most=goal))
        report.add(Figure(name=f"{name}: commits", value=commits, unit="", at_most=AT_MOST[joins]))
        report.add(Figure(name=f"{name}: group maps", value=maps, unit="", at_most=AT_MOST[joins]))
        report.add(Figure(name=f"{name}: memory (peak)", value=peak, unit="MiB"))


def _storm(joins: int, at_once: int) -> tuple[float, int, int, float]:
    """Return the CPU time of a join in ms, commits, group maps, and the server's memory in MiB."""
    with systems.lab(insecure=True) as lab:
        host = lab.plan.hosts[0]
        dmg = [program("dmg"), "-o", str(lab.plan.control_config_path)]
        for words in (["system", "set-prop", "self_heal:none"], ["server", "set-logmasks", "--masks", "INFO"]):
            subprocess.run([*dmg, *words], check=True, stdout=subprocess.DEVNULL)
        server, address = lab.processes[host.name].pid, f"{host.address}:10001"
        log = host.folder / "daos_engine.0.log"
        before, maps = revision_of(address), _maps(log)
        found = loads.run("join_storm", address, "--pid", str(server), "-n", str(joins), "-c", str(at_once))
        peak = memory([server]).peak_rss
        return float(found["cpu_ms_per_op"]), revision_of(address) - before, _maps(log) - maps, peak


def _maps(log: Path) -> int:
    """Count the group maps that an engine has taken."""
    return log.read_text().count(TAKEN) if log.exists() else 0
