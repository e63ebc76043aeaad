"""Record ten commands at a terminal and draw them: ``python scripts/record_terminal.py`` writes docs/ten-commands.svg.

A lab is started in a folder of its own, every command runs as at a person's terminal, and what the terminal got is
drawn as it looked. Nothing is made up or cut. Between two commands the system comes to rest, as while a person reads.
"""

import html
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "ten-commands.svg"
PROGRAMS = Path(sys.executable).parent
WIDTH = 100
"""Columns of the terminal."""

COMMANDS = (
    "dmg system query",
    "dmg pool create --size=50% tank",
    "dmg pool list",
    "daos_lab kill 3",
    "dmg system query",
    "dmg system query --explain 3",
    "dmg pool query tank",
    "dmg system start --ranks=3",
    "dmg system reintegrate --ranks=3",
    "dmg pool list",
)
RESTLESS = {"errored", "starting", "stopping", "ready"}
"""States that members do not stay in."""
PATIENCE_S = 60

COLOURS = {"": "#d4d4d4", "1": "#ffffff", "2": "#808080", "31": "#f48771", "32": "#89d185", "33": "#e2c08d"}
"""What the codes that our programs send to terminals look like."""
BACKGROUND = "#1e1e1e"
COLUMN, ROW, MARGIN = 8.4, 19, 20
"""Pixels of a character, of a line, and around all."""
_CODE = re.compile(r"\x1b\[([\d;]*)m")
_WIPED = re.compile(r".*\x1b\[K", re.DOTALL)


def record(commands: Sequence[str] = COMMANDS) -> str:
    """Return what a terminal shows when these commands are typed one after the other."""
    shown = []
    with _lab() as environment:
        for line in commands:
            shown.append(f"\x1b[32m$\x1b[0m \x1b[1m{line}\x1b[0m\n{typed(line, environment)}")
            _rest(environment)
    return "\n".join(shown)


def typed(line: str, environment: Mapping[str, str]) -> str:
    """Run a command at a terminal of its own and return what is to be seen there in the end."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(shlex.split(line), stdin=theirs, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        printed = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    lines = printed.decode().replace("\r\n", "\n").split("\n")
    return "\n".join(_WIPED.sub("", line) for line in lines)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed: that is how a terminal ends
        return b""


@contextmanager
def _lab() -> Iterator[Mapping[str, str]]:
    """Keep a lab running that has no pool, and yield the environment in which its commands work."""
    with tempfile.TemporaryDirectory(prefix="daos-") as folder:
        lab = [str(PROGRAMS / "daos_lab"), "-D", f"{folder}/lab"]
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        environment |= {"TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
        subprocess.run([*lab, "up", "--pool", "0"], check=True, stdout=subprocess.DEVNULL)
        try:
            exports = subprocess.run([*lab, "env"], check=True, capture_output=True, text=True).stdout
            for line in exports.splitlines():
                name, _, value = line.removeprefix("export ").partition("=")
                environment[name] = shlex.split(value)[0].replace("$PATH", os.environ["PATH"])
            yield environment
        finally:
            subprocess.run([*lab, "down"], check=True, stdout=subprocess.DEVNULL)


def _rest(environment: Mapping[str, str]) -> None:
    """Wait until no member is between two states and no pool is being rebuilt."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        members = _ask(environment, "system", "query")["members"]
        pools = _ask(environment, "pool", "list")["pools"] or []
        busy = [pool for pool in pools if pool["rebuild"]["state"] == "busy"]
        if not busy and not {member["state"] for member in members} & RESTLESS:
            return
        time.sleep(0.5)
    raise TimeoutError(f"the system did not come to rest within {PATIENCE_S} s")


def _ask(environment: Mapping[str, str], *question: str) -> dict:
    done = subprocess.run([PROGRAMS / "dmg", "-j", *question], env=environment, capture_output=True, check=True)
    return json.loads(done.stdout)["response"]


def draw(shown: str) -> str:
    """Draw what a terminal shows."""
    lines = shown.rstrip("\n").split("\n")
    width, height = WIDTH * COLUMN + 2 * MARGIN, len(lines) * ROW + 2 * MARGIN
    rows = (_row(line, MARGIN + (number + 0.75) * ROW) for number, line in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}">\n'
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>\n'
        '<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14" '
        'xml:space="preserve">\n' + "".join(rows) + "</g>\n</svg>\n"
    )


def _row(line: str, y: float) -> str:
    """Draw a line; every piece says how wide it is, so that columns stay columns in any font."""
    drawn, column, code = "", 0, ""
    for number, piece in enumerate(_CODE.split(line)):
        if number % 2:
            code = "" if piece == "0" else piece
        elif piece:
            if text := piece.strip():
                x = MARGIN + (column + len(piece) - len(piece.lstrip())) * COLUMN
                bold = ' font-weight="bold"' if code == "1" else ""
                drawn += (
                    f'<text x="{x:g}" y="{y:g}" textLength="{len(text) * COLUMN:g}" '
                    f'fill="{COLOURS[code]}"{bold}>{html.escape(text, quote=False)}</text>\n'
                )
            column += len(piece)
    return drawn


if __name__ == "__main__":
    PICTURE.write_text(draw(record()), encoding="utf-8")
