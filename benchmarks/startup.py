"""Start-up: what a command costs before it does anything, and how soon a daemon listens.

Commands are compared with a bare interpreter run in turn with them, since that is what Python costs anyway; and with
the genuine dmg, if ``DAOS_GENUINE`` names an installation of DAOS 2.8. One that asks servers cannot cost less than
loading the libraries that carry its question, so those are in the table, too.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from benchmarks import baseline, systems
from benchmarks.processes import Usage, answers, listens, program, run_in_turn, until_ready
from benchmarks.report import Figure, Report
from daos_control.apps.lab.records import Lab

ROUNDS = 20
DAEMON_ROUNDS = 5
BARE = "python -c pass"
LIBRARIES = "python with asyncio and protobuf"
LOAD_LIBRARIES = (
    "import asyncio; from google.protobuf import descriptor_pool; from google.protobuf.internal import builder"
)
QUERY, QUERY_INSECURE = "dmg system query", "dmg system query, insecure"
COMMANDS = {
    "dmg version": ("version",),
    "dmg -h": ("-h",),
    "dmg pool create -h": ("pool", "create", "-h"),
    "dmg explain 611": ("explain", "611"),
}
TYPED = {
    "completion of a command": ("pool", "cr"),
    "completion of a property": ("pool", "create", "-P", "rec"),
}
GOALS = {
    BARE: None,
    LIBRARIES: None,
    "dmg version": 3.0,
    "dmg -h": 3.0,
    "dmg pool create -h": 4.0,
    "dmg explain 611": 8.0,
    "completion of a command": 3.0,
    "completion of a property": 6.0,
    QUERY: 12.0,
    QUERY_INSECURE: 12.0,
}
OFFERING = ("/usr/bin/env", "GO_FLAGS_COMPLETION=1")
ORIGINAL = "DAOS 2.8: "
OWN = {"dmg explain 611"}
"""Commands that DAOS 2.8 does not have."""


def run(report: Report) -> None:
    """Measure commands against running labs, then daemons of a stopped one."""
    with systems.lab() as secure, systems.lab(insecure=True) as insecure:
        usages = run_in_turn(
            {
                BARE: [sys.executable, "-c", "pass"],
                LIBRARIES: [sys.executable, "-c", LOAD_LIBRARIES],
                **_commands(program("dmg"), secure, insecure),
                **_original(secure, insecure),
            },
            ROUNDS,
        )
        _print_commands(report, usages)
        _stop(secure)
        _print_daemons(report, secure)


def _commands(dmg: str, secure: Lab, insecure: Lab) -> dict[str, list[str]]:
    return {
        **{name: [dmg, *words] for name, words in COMMANDS.items()},
        **{name: [*OFFERING, dmg, *words] for name, words in TYPED.items()},
        QUERY: _query(dmg, secure),
        QUERY_INSECURE: _query(dmg, insecure),
    }


def _original(secure: Lab, insecure: Lab) -> dict[str, list[str]]:
    prefix = os.environ.get(systems.PREFIX_VARIABLE)
    if not prefix:
        return {}
    commands = _commands(str(Path(prefix) / "bin" / "dmg"), secure, insecure)
    return {ORIGINAL + name: command for name, command in commands.items() if name not in OWN}


def _query(dmg: str, lab: Lab) -> list[str]:
    return [dmg, "-o", str(lab.plan.control_config_path), "system", "query"]


def _print_commands(report: Report, usages: dict[str, list[Usage]]) -> None:
    bare_wall = min(usage.wall_s for usage in usages[BARE])
    bare_cpu = min(usage.cpu_s for usage in usages[BARE])
    report.section(f"Start-up of commands: least of {ROUNDS}", "bare python")
    for name, measured in usages.items():
        goal = GOALS.get(name)
        wall = min(usage.wall_s for usage in measured)
        cpu = min(usage.cpu_s for usage in measured)
        for what, value, bare in (("wall", wall, bare_wall), ("CPU", cpu, bare_cpu)):
            report.add(
                Figure(name=f"{name}, {what}", value=value * 1e3, unit="ms", reference=bare * 1e3, ratio_at_most=goal)
            )
    medians = {name: statistics.median(usage.wall_s for usage in measured) for name, measured in usages.items()}
    report.note("median wall time: " + ", ".join(f"{name} {value * 1e3:.0f} ms" for name, value in medians.items()))


def _print_daemons(report: Report, lab: Lab) -> None:
    report.section(f"Start of daemons until they listen: least of {DAEMON_ROUNDS}", "DAOS 2.8")
    host = lab.plan.hosts[0]
    server = [program("daos_server"), "start", "-o", str(host.config_path), "--control-address", host.address]
    environment = {**os.environ, "PATH": f"{lab.plan.programs}:{os.environ['PATH']}"}
    usages = []
    for _ in range(DAEMON_ROUNDS):
        with until_ready(server, lambda: listens((host.address, 10001)), environment) as usage:
            usages.append(usage)
    _print_daemon(report, "daos_server", usages)
    with tempfile.TemporaryDirectory(prefix="daos-bench-") as folder:
        config = yaml.safe_load((lab.plan.agent_folder / "daos_agent.yml").read_text())
        path = Path(folder) / "daos_agent.yml"
        path.write_text(yaml.safe_dump({**config, "runtime_dir": folder}))
        usages = []
        for _ in range(DAEMON_ROUNDS):
            command = [program("daos_agent"), "start", "-o", str(path)]
            with until_ready(command, lambda: answers(Path(folder) / "daos_agent.sock")) as usage:
                usages.append(usage)
    _print_daemon(report, "daos_agent", usages)


def _print_daemon(report: Report, name: str, usages: Sequence[Usage]) -> None:
    wall = min(usage.wall_s for usage in usages) * 1e3
    cpu = min(usage.cpu_s for usage in usages) * 1e3
    report.add(Figure(name=f"{name}, wall", value=wall, unit="ms", reference=baseline.start_ms(name, "wall_ms")))
    report.add(Figure(name=f"{name}, CPU", value=cpu, unit="ms", reference=baseline.start_ms(name, "cpu_ms")))


def _stop(lab: Lab) -> None:
    systems.lab_command(lab.place.folder, "down", "--keep")
