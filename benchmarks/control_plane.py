"""The control plane under load: CPU time per call of daos_server and daos_agent, and the latency of a join.

The loads are those of the baseline, call for call; the server's engine is not charged. Attaches of agents are *cold*
with a new connection for each, and *warm* on a connection that is kept.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks import baseline, loads, systems
from benchmarks.report import Figure, Report
from benchmarks.systems import System

ROUNDS = 3
Found: TypeAlias = Iterator[tuple[str, float]]
"""Names and figures."""

COLD_TLS = "attach, cold, TLS"
SINGLE_JOIN = "join, single"
RATIOS = {COLD_TLS: 0.8}
SINGLE_JOIN_MS = 50.0
MANY = 2048
AT_SIX, AT_MANY = "agent attach, 6 ranks", f"agent attach, {MANY + 1} ranks"
FLAT = 1.2
"""Ratio up to which two figures of this kind count as equal; CPU time is counted in steps of 10 ms."""


def run(report: Report) -> None:
    """Load systems, ours and (if there is one) a genuine one in turn."""
    if loads.folder() is None:
        report.section("The control plane under load: left out")
        report.note(f"it needs the load programs, whose folder {loads.FOLDER_VARIABLE} may name")
        return
    report.section(f"The control plane under load, CPU per call: least of {ROUNDS}", "DAOS 2.8")
    report.note(f"DAOS 2.8: {baseline.SOURCE}")
    prefix = systems.genuine_prefix()
    if prefix is None:
        report.note(f"genuine: not measured; that needs root, and {systems.PREFIX_VARIABLE} to name DAOS's prefix")
    ours = _print_all(report, prefix, _attaches_and_calls, insecure=True)
    _print_all(report, prefix, _attaches_and_calls, insecure=False)
    for joins in (256, 1024):
        _print_all(report, prefix, partial(_join, joins=joins), insecure=True)
    _print_all(report, prefix, partial(_join, joins=256), insecure=False)
    ours |= _print_all(report, prefix, _many_ranks, insecure=True)
    report.add(
        Figure(
            name=f"agent attach: {MANY + 1} ranks against 6",
            value=ours[AT_MANY],
            unit="ms",
            reference=ours[AT_SIX],
            ratio_at_most=FLAT,
        )
    )


def _print_all(
    report: Report, prefix: Path | None, measure: Callable[[System], Found], *, insecure: bool
) -> dict[str, float]:
    """Measure our system and the genuine one, print both, and return ours."""
    theirs = _measure(systems.genuine(prefix, insecure=insecure), measure) if prefix else {}
    ours = _measure(systems.ours(insecure=insecure), measure)
    for name, value in ours.items():
        latency = name == SINGLE_JOIN
        report.add(
            Figure(
                name=f"{name}, latency" if latency else name,
                value=value,
                unit="ms",
                reference=baseline.latency_ms(name) if latency else baseline.cpu_ms(name),
                genuine=theirs.get(name),
                at_most=SINGLE_JOIN_MS if latency else None,
                ratio_at_most=RATIOS.get(name),
            )
        )
    return ours


def _measure(running: AbstractContextManager[System], measure: Callable[[System], Found]) -> dict[str, float]:
    least: dict[str, float] = {}
    with running as system:
        for name, value in measure(system):
            least[name] = min(value, least.get(name, value))
    return least


def _attaches_and_calls(system: System) -> Found:
    """Attaches and agent calls in a system of one rank; then, if it is insecure, of six."""
    tls = ", TLS" if system.certificates else ""
    for _ in range(ROUNDS):
        yield f"attach, cold{tls}", _attach(system, "cold", 400 if tls else 1000)
        yield f"attach, warm{tls}", _attach(system, "warm", 4000)
        for phase, value in _agent(system, 100 if tls else 300, "attach,creds,pool,exit", system.agent).items():
            yield f"agent {phase}{tls}", value
    if tls:
        return
    system.administer("system", "set-prop", "self_heal:none")
    yield SINGLE_JOIN, _storm(system, 5, 1)["p50_ms"]
    with system.new_agent() as agent:
        for _ in range(ROUNDS):
            yield AT_SIX, _agent(system, 300, "attach", agent)["attach"]


def _join(system: System, joins: int) -> Found:
    system.administer("system", "set-prop", "self_heal:none")
    tls = ", TLS" if system.certificates else ""
    yield f"join, {joins}{tls}", _storm(system, joins, 256)["cpu_ms_per_op"]


def _many_ranks(system: System) -> Found:
    """Join many ranks, then attach to them; the engine rests meanwhile, it would only look for the others in vain."""
    yield from _join(system, MANY)
    engines = system.engines
    for engine in engines:
        os.kill(engine, signal.SIGSTOP)
    try:
        with system.new_agent() as agent:
            for _ in range(ROUNDS):
                yield f"attach, cold, {MANY + 1} ranks", _attach(system, "cold", 400)
                yield f"attach, warm, {MANY + 1} ranks", _attach(system, "warm", 800)
                yield AT_MANY, _agent(system, 25, "attach", agent)["attach"]
    finally:
        for engine in engines:
            os.kill(engine, signal.SIGCONT)


def _attach(system: System, mode: str, calls: int) -> float:
    options = ("--pid", str(system.server), "--mode", mode, "-n", str(calls))
    return float(loads.run("attach_storm", system.address, *options, certificates=system.certificates)["cpu_ms_per_op"])


def _storm(system: System, joins: int, at_once: int) -> Any:
    options = ("--pid", str(system.server), "-n", str(joins), "-c", str(at_once))
    return loads.run("join_storm", system.address, *options, certificates=system.certificates)


def _agent(system: System, rounds: int, phases: str, agent: int) -> dict[str, float]:
    options = ("--pid", str(agent), "-n", str(rounds), "--phases", phases)
    found = loads.run("agent_load", str(system.agent_socket), *options)
    return {phase: float(figures["cpu_ms_per_op"]) for phase, figures in found["phase"].items()}
