"""What every check may know of the machine, looked at once."""

import os
import pwd
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from daos_control.host import clock, limits, processes, sockets
from daos_control.host.clock import KernelClock
from daos_control.host.limits import Limits
from daos_control.host.processes import Process
from daos_control.host.sockets import Listener

_ROOT = Path("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A machine at one moment, as one user sees it."""

    now: datetime
    user: str
    uid: int = -1
    is_root: bool
    hostname: str
    pid: int = 0
    """Of the process that looks, which does not count."""
    running: tuple[Process, ...] = ()
    listeners: tuple[Listener, ...] = ()
    holders: Mapping[int, Process] = field(default_factory=dict)
    """Of listening sockets, by inode, as far as this user may know."""
    bound_paths: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=lambda: Limits(open_files=limits.UNLIMITED, locked_bytes=limits.UNLIMITED))
    limited: str = "processes started from here"
    """Whose the limits are."""
    clock: KernelClock | None = None
    """None if the kernel does not tell."""
    is_container: bool = False

    def others(self, program: str) -> tuple[Process, ...]:
        """Return the running processes of a program, without this one."""
        return tuple(one for one in self.running if one.program == program and one.pid != self.pid)

    def serving(self, program: str, path: Path | None) -> Process | None:
        """Return the process of a program that was started with this configuration file."""
        if path is None:
            return None
        wanted = str(path.resolve())
        return next((one for one in self.others(program) if wanted in one.words and "doctor" not in one.words), None)

    def limited_as(self, process: Process | int | None, root: Path = _ROOT) -> "View":
        """Return the same with the limits of a process that runs already, if this user may see them."""
        if process is None:
            return self
        pid = process if isinstance(process, int) else process.pid
        try:
            return replace(self, limits=limits.limits_of(str(pid), root), limited=f"the running program (pid {pid})")
        except OSError:
            return self

    def operator(self, process: Process | None) -> str:
        """Return the other user who runs a process; nothing if it is this one, or there is none, or root looks."""
        if process is None or self.is_root or process.uid == self.uid:
            return ""
        return user_name(process.uid)

    def blocker(self, address: str, port: int) -> Listener | None:
        """Return the socket that keeps others from listening there, if there is one."""
        blocking = (one for one in self.listeners if one.port == port and one.is_in_the_way_of(address))
        return next(blocking, None)


def look_around(root: Path = _ROOT, *, ports: Sequence[int] = ()) -> View:
    """Look at the machine; who holds a port is looked up for these ``ports``."""
    running = tuple(processes.processes(root))
    listening = sockets.listeners(root)
    return View(
        now=datetime.now(UTC),
        user=user_name(os.geteuid()),
        uid=os.geteuid(),
        is_root=os.geteuid() == 0,
        hostname=socket.gethostname(),
        pid=os.getpid(),
        running=running,
        listeners=listening,
        holders=sockets.holders((one.inode for one in listening if one.port in ports), root),
        bound_paths=sockets.bound_paths(root),
        limits=limits.limits_of(root=root),
        clock=_clock(),
        is_container=(root / ".dockerenv").exists() or (root / "run/.containerenv").exists(),
    )


def _clock() -> KernelClock | None:
    try:
        return clock.kernel_clock()
    except OSError:  # some sandboxes forbid the question
        return None


def user_name(uid: int) -> str:
    """Return a user's name, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
