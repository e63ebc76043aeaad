"""Notices the end of processes that are not our children.

The kernel makes a pidfd readable when its process ends, which costs nothing meanwhile and cannot confuse a process
with a later one of the same number. Where that is not to be had (kernels before 5.3, or no file descriptor left) the
process is looked at every three seconds, its start time telling it from a successor.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

POLL_S = 3.0


class Watch(Protocol):
    """Tells when processes end."""

    def start(self, pid: int, ended: Callable[[int], None]) -> None:
        """Call ``ended(pid)`` once, when the process has ended. Raises ProcessLookupError if it is gone already."""
        ...

    def stop(self, pid: int) -> None:
        """Forget about a process."""
        ...


@dataclass(frozen=True, slots=True)
class _Polled:
    start_time: str
    ended: Callable[[int], None]


class ProcessWatch:
    """Watches processes from the running event loop; close it when done."""

    def __init__(self, *, open_pidfd: Callable[[int], int] = os.pidfd_open, poll_s: float = POLL_S) -> None:
        self._loop = asyncio.get_running_loop()
        self._open_pidfd = open_pidfd
        self._poll_s = poll_s
        self._pidfds: dict[int, int] = {}
        self._polled: dict[int, _Polled] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, pid: int, ended: Callable[[int], None]) -> None:
        """Call ``ended(pid)`` once, when the process has ended. Raises ProcessLookupError if it is gone already."""
        try:
            pidfd = self._open_pidfd(pid)
        except ProcessLookupError:
            raise
        except OSError:
            self._poll(pid, ended)
        else:
            self._pidfds[pid] = pidfd
            self._loop.add_reader(pidfd, self._readable, pid, ended)

    def stop(self, pid: int) -> None:
        """Forget about a process."""
        self._polled.pop(pid, None)
        pidfd = self._pidfds.pop(pid, None)
        if pidfd is not None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)

    def close(self) -> None:
        """Forget about all processes."""
        for pid in [*self._pidfds, *self._polled]:
            self.stop(pid)
        if self._timer is not None:
            self._timer.cancel()

    def _readable(self, pid: int, ended: Callable[[int], None]) -> None:
        self.stop(pid)
        ended(pid)

    def _poll(self, pid: int, ended: Callable[[int], None]) -> None:
        start_time = _start_time(pid)
        if start_time is None:
            raise ProcessLookupError(f"process {pid} is gone")
        self._polled[pid] = _Polled(start_time, ended)
        if self._timer is None:
            self._timer = self._loop.call_later(self._poll_s, self._look_round)

    def _look_round(self) -> None:
        self._timer = None
        for pid, polled in list(self._polled.items()):
            if _start_time(pid) != polled.start_time:
                del self._polled[pid]
                polled.ended(pid)
        if self._polled:
            self._timer = self._loop.call_later(self._poll_s, self._look_round)


def _start_time(pid: int) -> str | None:
    """Return when the process started, in the kernel's ticks; None if it is no more, or a mere zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and parentheses
    return None if fields[0] in "ZX" else fields[19]
