"""What this process may use, as the system has it."""

import resource
from dataclasses import dataclass
from pathlib import Path

UNLIMITED = -1


def allow_many_files() -> None:
    """Raise the limit of open files to what is allowed: every peer that stays in touch takes one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that a process can allow itself; -1 stands for no limit."""

    open_files: int
    locked_bytes: int


def limits_of(process: str = "self", root: Path = Path("/")) -> Limits:
    """Return the hard limits of a process. Raises OSError if it is not there or not ours to look at."""
    hard = {}
    for line in (root / "proc" / process / "limits").read_text().splitlines()[1:]:
        name, value = line[:26].strip(), line[26:].split()[1]
        hard[name] = UNLIMITED if value == "unlimited" else int(value)
    return Limits(open_files=hard["Max open files"], locked_bytes=hard["Max locked memory"])
