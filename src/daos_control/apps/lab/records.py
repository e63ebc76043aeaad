"""What is there: a lab's own notes, in ``lab.json`` beside its data, replaced atomically.

A process is remembered by its pid *and* its start time, so a pid that the kernel has given to somebody
else meanwhile is never taken for one of ours.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec

from daos_control.apps.lab.plan import Place, Plan, Wish, plan
from daos_control.base.errors import Fault

FILE_NAME = "lab.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process we started; ``started`` is its start time in clock ticks since boot."""

    pid: int
    started: int

    @classmethod
    def of(cls, pid: int) -> Self:
        """Take note of a process that is running now."""
        started = start_time(pid)
        if started is None:
            raise ProcessLookupError(pid)
        return cls(pid=pid, started=started)

    @property
    def is_running(self) -> bool:
        """Whether it still runs (a zombie does not)."""
        return start_time(self.pid) == self.started

    @property
    def is_frozen(self) -> bool:
        """Whether it was told to pause, and has not been told to go on."""
        return self.is_running and _stat(self.pid)[:1] == ["T"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """The notes: what was asked for, where it is, and which processes run it (by host name, or ``agent``)."""

    wish: Wish
    place: Place
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """The layout, worked out anew: it follows from the wish and the place."""
        return plan(self.wish, self.place)

    def save(self) -> None:
        """Replace the notes on disk."""
        path = self.place.folder / FILE_NAME
        new = path.with_suffix(".new")
        new.write_bytes(msgspec.json.format(msgspec.json.encode(self, enc_hook=str), indent=2))
        new.replace(path)

    def must_be_ours(self) -> None:
        """Raise Fault if it is another user's, who alone may signal its processes; root may do anything."""
        owner = (self.place.folder / FILE_NAME).stat().st_uid
        if os.geteuid() not in {0, owner}:
            raise Fault(
                "lab",
                0,
                f"the lab in {self.place.folder} is another user's (uid {owner})",
                resolution="leave it to them, and have one of your own: daos_lab --dir DIR up",
            )

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read the notes of the lab in ``folder``; None if there is none. Raises Fault if they cannot be read."""
        try:
            text = (folder / FILE_NAME).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return msgspec.json.decode(text, type=cls, dec_hook=_decode)
        except msgspec.MsgspecError as error:
            raise Fault(
                "lab",
                0,
                f"{folder / FILE_NAME} is damaged ({error})",
                resolution=f"end the lab's processes and mounts by hand, remove {folder}, and start anew",
            ) from error


def start_time(pid: int) -> int | None:
    """Return when ``pid`` started, in clock ticks since boot; None if it runs no more."""
    fields = _stat(pid)
    return None if not fields or fields[0] in {"Z", "X"} else int(fields[19])


def _stat(pid: int) -> list[str]:
    """Read what the kernel tells of a process, from its state on; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def children(pid: int) -> list[int]:
    """Return the pids that ``pid`` has started, directly, and that still run."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return [child for child in found if start_time(child) is not None]


def command_line(pid: int) -> list[str]:
    """Return the arguments ``pid`` was started with; empty if it runs no more."""
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _decode(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(f"notes hold no {kind}")
