"""Record ten commands at a terminal and draw them, for docs/ten-commands.svg: ``python scripts/record_terminal.py``.

A lab is started in a folder of its own, every command runs as at a person's terminal, and what the terminal got is drawn
as it looked. Nothing is made up or cut; run it again when what commands print has changed.
"""

import os
import pty
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "ten-commands.svg"
PROGRAMS = Path(sys.executable).parent
WIDTH, HEIGHT = 100, 50

COMMANDS = (
    "dmg system query",
    "dmg storage query usage",
    "dmg pool create --size=50% tank",
    "dmg pool list",
    "daos_lab kill 3",
    "dmg system query",
    "dmg pool query tank",
    "dmg system query --explain 3",
    "dmg system start --ranks=3",
    "dmg pool reintegrate tank --ranks=3",
)


def record(commands: Sequence[str] = COMMANDS) -> str:
    """Return what a terminal shows when these commands are typed one after the other."""
    with _lab() as environment:
        return "\n".join(f"\x1b[1;32m$\x1b[0m {line}\n{typed(line, environment)}" for line in commands)


def typed(line: str, environment: dict[str, str]) -> str:
    """Run a command at a terminal of its own and return all that it printed there."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, True)
    with subprocess.Popen(
        shlex.split(line), stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ):
        os.close(theirs)
        printed = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return printed.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed: that is how a terminal ends
        return b""


@contextmanager
def _lab() -> Iterator[dict[str, str]]:
    """Keep a lab running without a pool, and yield the environment in which its commands work."""
    with tempfile.TemporaryDirectory() as folder:
        lab = [PROGRAMS / "daos_lab", "-D", f"{folder}/lab"]
        environment = os.environ | {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "DAOS_LAB_DIR": f"{folder}/lab",
            "TERM": "xterm-256color",
            "COLUMNS": str(WIDTH),
            "LINES": str(HEIGHT),
        }
        environment.pop("NO_COLOR", None)
        subprocess.run([*lab, "up", "--pool", "0"], check=True, stdout=subprocess.DEVNULL)
        try:
            exports = subprocess.run([*lab, "env"], check=True, capture_output=True, text=True).stdout
            for line in exports.splitlines():
                name, _, value = line.removeprefix("export ").partition("=")
                if name != "PATH":
                    environment[name] = shlex.split(value)[0]
            yield environment
        finally:
            subprocess.run([*lab, "down"], check=True, stdout=subprocess.DEVNULL)


def draw(shown: str, title: str) -> str:
    """Draw what a terminal shows."""
    console = Console(record=True, width=WIDTH, force_terminal=True, color_system="truecolor", file=open(os.devnull, "w"))
    console.print(Text.from_ansi(shown))
    return console.export_svg(title=title, theme=MONOKAI)


if __name__ == "__main__":
    PICTURE.write_text(draw(record(), "ten commands"), encoding="utf-8")
