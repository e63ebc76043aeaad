"""Starting, finding, signalling and ending a lab's processes.

Daemons are started detached, with their output in files: the lab's own process ends while they go on.
They are found again by the lab's notes, and engines as the children of their server.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daos_control.apps.lab.plan import Host
from daos_control.apps.lab.records import Lab, Process, children, command_line
from daos_control.base.rankset import RankSet

POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine process and what it is."""

    host: str
    index: int
    rank: int | None
    """None before it first joined."""
    incarnation: int
    """Of its last start that got as far as talking to its server; later starts have higher ones."""
    process: Process | None
    log: Path


def program(name: str) -> str:
    """Return the path of one of our own programs, installed beside the running interpreter."""
    return str(Path(sys.executable).parent / name)


def spawn(arguments: Sequence[str], *, output: Path, environment: Mapping[str, str]) -> Process:
    """Start a daemon in a session of its own, appending what it prints to ``output``."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawn(arguments[0], list(arguments), dict(environment), file_actions=actions, setsid=True)
    return Process.of(pid)


def engines(lab: Lab) -> list[Engine]:
    """Return every engine of the plan, running or not, by host and instance."""
    return [engine for host in lab.plan.hosts for engine in _engines_of(lab, host)]


def frozen(lab: Lab) -> list[Process]:
    """Return the processes that were told to pause."""
    found = [*lab.processes.values(), *(engine.process for engine in engines(lab))]
    return [process for process in found if process is not None and process.is_frozen]


def members(lab: Lab, target: str) -> list[Process]:
    """Return the running processes that ``target`` means: a rank, a host by name or address, or ``agent``.

    A host is its server and all its engines. Raises LookupError saying what there is to choose from.
    """
    if target.isdigit():
        by_rank = {engine.rank: engine.process for engine in engines(lab) if engine.rank is not None}
        if by_rank and int(target) not in by_rank:
            raise LookupError(f"no rank {target} in this lab: there are {RankSet(by_rank)}")
        found = [by_rank.get(int(target))]
    elif target == "agent":
        found = [lab.processes.get("agent")]
    elif host := lab.plan.host(target):
        found = [lab.processes.get(host.name), *(engine.process for engine in _engines_of(lab, host))]
    else:
        names = ", ".join(host.name for host in lab.plan.hosts)
        raise LookupError(f"no {target!r} in this lab: name a host ({names}), a rank, or agent")
    return [process for process in found if process is not None and process.is_running]


def send(processes: Iterable[Process], number: signal.Signals) -> None:
    """Send a signal to each process that still runs."""
    for process in processes:
        if process.is_running:
            os.kill(process.pid, number)


async def end(processes: Sequence[Process], *, grace_s: float) -> None:
    """Ask processes to end, wait, and kill those that did not."""
    send(processes, signal.SIGCONT)
    send(processes, signal.SIGTERM)
    try:
        async with asyncio.timeout(grace_s):
            await gone(processes)
    except TimeoutError:
        send(processes, signal.SIGKILL)
        async with asyncio.timeout(grace_s):
            await gone(processes)


async def gone(processes: Sequence[Process]) -> None:
    """Wait until none of the processes runs."""
    while any(process.is_running for process in processes):
        _reap()
        await asyncio.sleep(POLL_S)


def _engines_of(lab: Lab, host: Host) -> list[Engine]:
    running = _running_engines(lab.processes.get(host.name))
    superblocks = [_numbers_in(storage / "superblock") for storage in host.storage]
    return [
        Engine(
            host=host.name,
            index=index,
            rank=numbers.get("rank"),
            incarnation=numbers.get("incarnation", 0),
            process=running.get(index),
            log=host.folder / f"daos_engine.{index}.log",
        )
        for index, numbers in enumerate(superblocks)
    ]


def _running_engines(server: Process | None) -> dict[int, Process]:
    if server is None or not server.is_running:
        return {}
    found: dict[int, Process] = {}
    for pid in children(server.pid):
        arguments = command_line(pid)
        if "-I" in arguments:
            found[int(arguments[arguments.index("-I") + 1])] = Process.of(pid)
    return found


def _numbers_in(superblock: Path) -> dict[str, int]:
    """Read the numbers from a superblock: lines like ``rank: 3`` of a flat YAML file."""
    try:
        lines = superblock.read_text().splitlines()
    except (FileNotFoundError, PermissionError):
        return {}
    pairs = [line.partition(":")[::2] for line in lines]
    return {key: int(value) for key, value in pairs if value.strip().isdigit()}


def _reap() -> None:
    """Collect children of ours that ended, so that they do not count as running."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
