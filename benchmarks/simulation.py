"""Large systems: two thousand ranks on one machine, storms of deaths and returns, and orders to a thousand hosts.

The ranks are simulated (``daos_lab sim``): one real daos_server leads them, in a process of its own that is charged
alone; the hosts and engines are one other process, which needs about one of two cores for itself.
"""

import asyncio
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import baseline, systems
from benchmarks.processes import cpu_s, memory, program
from benchmarks.report import Figure, Report
from daos_control.apps.lab.records import Lab
from daos_control.net.grpc.channels import Channels
from daos_control.net.rpc.methods import MGMT
from daos_control.security.components import Component
from daos_control.testing.simulation import remote
from daos_control.testing.simulation.lab import layout_of
from daos_control.wire.pb.mgmt import system_pb2

RANKS = 2048
STORM = 512
UP_S = 30.0
QUERY_S = 1.0
UP_LIMIT_S = 600.0
SUSPECT_S = 6.0
MAPS_OF_A_STORM = 8
FAN_OUTS = (256, 1024)
IN_TROUBLE = 0.01
POLL_S = 0.1


def run(report: Report) -> None:
    """Measure one large system, then orders to many hosts."""
    report.section(f"{RANKS} simulated ranks, insecure; once each")
    with simulated("--ranks", str(RANKS), "--insecure") as system:
        _print_start(report, system)
        _print_storms(report, system)
    for hosts in FAN_OUTS:
        _print_fan_out(report, hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """A running simulation."""

    lab: Lab
    pid: int
    up_s: float
    """From the command to its last rank."""

    @property
    def server(self) -> int:
        """The real daos_server's process."""
        return self.lab.processes[self.lab.plan.hosts[0].name].pid

    def dmg(self, *arguments: str) -> Any:
        """Run dmg and return its response, errors or not."""
        command = [program("dmg"), "-o", str(self.lab.plan.control_config_path), "-j", *arguments]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(done.stdout)["response"]

    def order(self, line: str) -> str:
        """Ask the simulation for something."""
        return asyncio.run(remote.ask(remote.socket_of(self.lab.plan), line))

    @property
    def maps(self) -> int:
        """Group maps that have reached it."""
        words = self.order("status").split()
        return int(words[words.index("group") - 1])

    @property
    def revision(self) -> int:
        """Grows by one with every commit of the management service."""
        return revision_of(f"{self.lab.plan.hosts[0].address}:10001")

    def until(self, so: Callable[[dict[str, int]], bool], limit_s: float = 120.0) -> float:
        """Wait until the numbers of members by state are as wanted; returns how long that took."""
        began = time.perf_counter()
        while not so(self.states()):
            if time.perf_counter() - began > limit_s:
                raise TimeoutError(f"the system is {self.states()}")
            time.sleep(POLL_S)
        return time.perf_counter() - began

    def states(self) -> dict[str, int]:
        """Count members by state."""
        found: dict[str, int] = {}
        for member in self.dmg("system", "query")["members"]:
            found[member["state"]] = found.get(member["state"], 0) + 1
        return found


def revision_of(address: str) -> int:
    """Return the revision of an insecure management service's store: it grows by one with every commit."""

    async def ask() -> int:
        channels = Channels(None, Component.ADMIN)
        try:
            request = system_pb2.SystemQueryReq(sys="daos_server", ranks="0")
            return int((await channels.call(address, MGMT["SystemQuery"], request)).data_version)
        finally:
            await channels.aclose()

    return asyncio.run(ask())


@contextmanager
def simulated(*options: str) -> Iterator[Simulated]:
    """Run ``daos_lab sim`` while inside, from when all its ranks serve."""
    with tempfile.TemporaryDirectory(prefix="daos-bench-") as scratch:
        folder, output = Path(scratch) / "lab", Path(scratch) / "out"
        command = [program("daos_lab"), "--dir", str(folder), "sim", *options]
        began = time.perf_counter()
        with output.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            while "Ctrl-C" not in output.read_text():
                if process.poll() is not None or time.perf_counter() - began > UP_LIMIT_S:
                    raise TimeoutError(f"the simulation is not up:\n{output.read_text()}")
                time.sleep(POLL_S)
            yield Simulated(lab=systems.the_lab(folder), pid=process.pid, up_s=time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def _print_start(report: Report, system: Simulated) -> None:
    report.add(Figure(name="daos_lab sim, until all ranks serve", value=system.up_s, unit="s", at_most=UP_S))
    report.add(Figure(name="CPU time of the management service", value=cpu_s([system.server]), unit="s"))
    report.add(Figure(name="CPU time of the simulation", value=cpu_s([system.pid]), unit="s"))
    report.add(Figure(name="memory of the management service (peak)", value=_peak(system.server), unit="MiB"))
    report.add(Figure(name="memory of the simulation (peak)", value=_peak(system.pid), unit="MiB"))
    command = [program("dmg"), "-o", str(system.lab.plan.control_config_path), "system", "query", "-v"]
    took = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        took.append(time.perf_counter() - began)
    report.add(Figure(name="dmg system query -v, least of 3", value=min(took), unit="s", at_most=QUERY_S))


def _peak(pid: int) -> float:
    return memory([pid]).peak_rss


def _print_storms(report: Report, system: Simulated) -> None:
    ranks = f"1-{STORM}"
    with _counted(report, system, f"{STORM} deaths at once"):
        system.order(f"kill {ranks}")
        system.until(lambda states: states.get("excluded", 0) == STORM)
    with _counted(report, system, f"{STORM} returns at once"):
        began = time.perf_counter()
        system.dmg("system", "start", "--ranks", ranks)
        took = time.perf_counter() - began
        system.until(lambda states: states.get("joined", 0) == RANKS)
    report.add(Figure(name=f"dmg system start of {STORM} ranks", value=took, unit="s"))


@contextmanager
def _counted(report: Report, system: Simulated, what: str) -> Iterator[None]:
    """Print what something costs the management service."""
    maps, revision, cpu = system.maps, system.revision, cpu_s([system.server])
    yield
    time.sleep(2)  # what is still on its way to engines belongs to it
    report.add(
        Figure(name=f"{what}: group maps", value=system.maps - maps, unit="", at_most=MAPS_OF_A_STORM),
    )
    report.add(Figure(name=f"{what}: commits", value=system.revision - revision, unit="", at_most=40))
    report.add(Figure(name=f"{what}: CPU time", value=cpu_s([system.server]) - cpu, unit="s"))


def _print_fan_out(report: Report, hosts: int) -> None:
    """Give orders to a system of one engine a host; then some hosts' control ports get into trouble."""
    some = max(1, round(hosts * IN_TROUBLE))
    report.section(f"Orders to {hosts} simulated hosts, then with {some} of them in trouble; once each", "DAOS 2.8")
    report.note(baseline.SOURCE_OF_SCANS)
    with simulated("--hosts", str(hosts + 1), "--ranks", str(hosts + 1), "--insecure") as system:
        names = f"sim[1-{some}]"
        for trouble in ("", "deaf", "silent"):
            suffix = ""
            if trouble:
                system.order(f"{trouble} {names}")
                suffix = f", {some} {trouble}"
            _print_scan(report, system, hosts, suffix)
            _print_order(report, system, "stop", suffix)
            _print_order(report, system, "start", suffix)
            if trouble:
                system.order(f"heal {names}")
                system.dmg("system", "stop", "--force")  # who was taken for unresponsive has to join anew
                system.dmg("system", "start")


def _print_scan(report: Report, system: Simulated, hosts: int, suffix: str) -> None:
    """Ask every host for little: what dmg's own fan-out costs."""
    layout = layout_of(system.lab.plan, Path())
    everybody = ",".join(layout.address(number) for number in range(1, hosts + 1))
    command = [program("dmg"), "-o", str(system.lab.plan.control_config_path), "-l", everybody, "network", "scan"]
    began = time.perf_counter()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - began
    reference = baseline.scan_s(hosts, in_trouble=bool(suffix))
    report.add(Figure(name=f"dmg network scan{suffix}", value=took, unit="s", reference=reference))


def _print_order(report: Report, system: Simulated, verb: str, suffix: str) -> None:
    """Have all ranks stopped or started by their hosts."""
    began, cpu = time.perf_counter(), cpu_s([system.server])
    results = system.dmg("system", verb)["Results"]
    took, charged = time.perf_counter() - began, cpu_s([system.server]) - cpu
    done = sum(not result["Errored"] for result in results)
    report.add(Figure(name=f"dmg system {verb}{suffix}", value=took, unit="s"))
    report.add(Figure(name="    ranks that did as told", value=done, unit=f"of {len(results)}"))
    report.add(Figure(name="    CPU time of the management service", value=charged, unit="s"))
