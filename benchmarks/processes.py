"""What processes cost: time until they end or answer, CPU time, memory."""

import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from daos_control.apps.lab.records import children

POLL_S = 0.002
LIMIT_S = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process that ended took, its own children included."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Started(Usage):
    """What a daemon took until it was ready."""

    pid: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of some processes, in MiB."""

    pss: float
    """With pages that are shared divided among those who share them: what they take in all."""
    rss: float
    """With shared pages counted for each."""
    peak_rss: float


def program(name: str) -> str:
    """Return the path of one of our programs."""
    return str(Path(sys.executable).parent / name)


def run(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Usage:
    """Run a program to its end. Raises ChildProcessError if it fails."""
    began = time.perf_counter()
    pid = os.posix_spawn(arguments[0], list(arguments), dict(environment), file_actions=_nothing_on_stdout())
    _, status, used = os.wait4(pid, 0)
    wall_s = time.perf_counter() - began
    if status:
        raise ChildProcessError(f"{' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return Usage(wall_s, used.ru_utime + used.ru_stime)


def run_in_turn(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Usage]]:
    """Run each of some programs ``rounds`` times, one after the other, so that all see the same weather."""
    usages: dict[str, list[Usage]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, arguments in commands.items():
            usages[name].append(run(arguments))
    return usages


@contextmanager
def until_ready(
    arguments: Sequence[str], ready: Callable[[], bool], environment: Mapping[str, str] = os.environ
) -> Iterator[Started]:
    """Start a daemon and give what it took until ``ready``; it is ended on leaving."""
    began = time.perf_counter()
    pid = os.posix_spawn(
        arguments[0], list(arguments), dict(environment), file_actions=_nothing_on_stdout(errors=True), setsid=True
    )
    try:
        while not ready():
            if os.waitpid(pid, os.WNOHANG)[0]:
                pid = 0
                raise ChildProcessError(f"{' '.join(arguments)} ended before it was ready")
            if time.perf_counter() - began > LIMIT_S:
                raise TimeoutError(f"{' '.join(arguments)} is not ready after {LIMIT_S:.0f} s")
            time.sleep(POLL_S)
        yield Started(time.perf_counter() - began, cpu_s([pid]), pid)
    finally:
        if pid:
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)


def listens(address: tuple[str, int]) -> bool:
    """Tell whether somebody accepts connections at an address."""
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0


def answers(path: Path) -> bool:
    """Tell whether somebody accepts connections at a dRPC socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        return probe.connect_ex(str(path)) == 0


def family(pids: Iterable[int]) -> list[int]:
    """Return processes and all their descendants."""
    found: list[int] = []
    left = list(pids)
    while left:
        pid = left.pop()
        found.append(pid)
        left += children(pid)
    return found


def cpu_s(pids: Iterable[int]) -> float:
    """Return the CPU time that running processes have taken so far, with that of children that ended."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / _TICKS


def memory(pids: Iterable[int]) -> Memory:
    """Return the memory of running processes."""
    pss = rss = peak = 0
    for pid in pids:
        pss += _kib(f"/proc/{pid}/smaps_rollup", "Pss:")
        rss += _kib(f"/proc/{pid}/status", "VmRSS:")
        peak += _kib(f"/proc/{pid}/status", "VmHWM:")
    return Memory(pss / 1024, rss / 1024, peak / 1024)


def children_cpu_s() -> float:
    """Return the CPU time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _kib(path: str, key: str) -> int:
    with Path(path).open() as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(key))


def _nothing_on_stdout(*, errors: bool = False) -> list[tuple[int, int, str, int, int]]:
    return [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in ((1, 2) if errors else (1,))]
