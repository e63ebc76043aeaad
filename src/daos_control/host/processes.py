"""Who runs on this machine: processes by name, from the kernel's process table."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that runs."""

    pid: int
    uid: int
    words: tuple[str, ...]
    """Its command line."""

    @property
    def program(self) -> str:
        """The name of the program: of a script, the script's and not its interpreter's.

        >>> Process(pid=1, uid=0, words=("/usr/bin/python3", "-P", "/usr/bin/daos_server", "start")).program
        'daos_server'
        """
        first, *rest = self.words or ("",)
        name = Path(first).name
        if name.startswith("python"):
            script = next((word for word in rest if not word.startswith("-")), "")
            return Path(script).name or name
        return name


def processes(root: Path = Path("/")) -> Iterator[Process]:
    """Yield every process whose command line can be read; kernel threads and the dead have none."""
    for folder in sorted((root / "proc").glob("[0-9]*"), key=lambda folder: int(folder.name)):
        try:
            line = (folder / "cmdline").read_bytes()
            uid = folder.stat().st_uid
        except OSError:  # it ended meanwhile
            continue
        if line:
            words = tuple(os.fsdecode(word) for word in line.rstrip(b"\0").split(b"\0"))
            yield Process(pid=int(folder.name), uid=uid, words=words)
