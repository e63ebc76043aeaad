"""dmg at a terminal and in a pipe: colour and advice for a person, and for nobody else."""

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest

from daos_control.cli.ui.progress import WIPE

COMMAND = [sys.executable, "-c", "from daos_control.cli.dmg import main; main()"]
NOBODY = "hostlist: ['127.0.0.1:1']\ntransport_config:\n  allow_insecure: true\n"


def at_a_terminal(*arguments: str, env: Mapping[str, str], until: bytes = b"") -> str:
    """Run dmg at a terminal of its own and return what it printed there, on both streams; interrupt it at a text."""
    ours, theirs = pty.openpty()
    silence(theirs)
    with subprocess.Popen([*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        printed = b""
        try:
            while part := read(ours):
                printed += part
                if until and until in printed:
                    process.send_signal(signal.SIGINT)
                    os.write(ours, b"\n")  # for a read that began just when the signal came
                    until = b""
        finally:
            process.kill()
    os.close(ours)
    return stays(printed.decode().replace("\r\n", "\n"))


def stays(printed: str) -> str:
    """Leave out what dmg wiped off, or says to pass the time: a busy machine keeps it waiting."""
    *lines, last = [line.rpartition(WIPE)[2] for line in printed.split("\n")]
    return "".join(f"{line}\n" for line in lines if not line.startswith("waiting for ")) + last


def silence(terminal: int) -> None:
    """Keep a terminal from printing what is typed, which comes before or after what a program prints as it likes."""
    modes = termios.tcgetattr(terminal)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSANOW, modes)


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # that is how a terminal ends
        return b""


@pytest.fixture
def env() -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return plain | {"TERM": "xterm-256color", "COLUMNS": "100"}


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "daos_control.yml"
    path.write_text(NOBODY)
    return str(path)


def test_an_error_is_red_at_a_terminal_only(config: str, env: dict[str, str]) -> None:
    question = ("-o", config, "system", "query")
    seen = at_a_terminal(*question, env=env)
    assert "\x1b[31mERROR:\x1b[0m dmg: system query failed" in seen
    piped = subprocess.run([*COMMAND, *question], capture_output=True, text=True, check=False, env=env)
    assert piped.stdout == ""
    hint = "More about it: dmg explain 506\n"
    assert stays(piped.stderr) + hint == seen.replace("\x1b[31m", "").replace("\x1b[0m", "")


def test_who_is_asked_and_stops_it_has_sent_nothing(config: str, env: dict[str, str]) -> None:
    line = ("-o", config, "storage", "set", "nvme-faulty", "-l", "127.0.0.1:1", "-u", "x")
    seen = at_a_terminal(*line, env=env, until=b"(yes/no)")
    assert seen.endswith("dmg: interrupted\n")


def test_errors_of_hosts_can_be_looked_up_too(config: str, env: dict[str, str]) -> None:
    seen = at_a_terminal("-o", config, "storage", "scan", env=env)
    assert seen.endswith("dmg: 1 host had errors\nMore about it: dmg explain 506\n")


@pytest.mark.parametrize(
    ("line", "page"),
    [
        ("", "dmg"),
        ("pool lisst", "dmg pool"),
        ("pool create tank -z x", "dmg pool create"),
        ("sys query -Q", "dmg system query"),
    ],
)
def test_a_wrong_command_line_is_sent_to_its_help(line: str, page: str, env: dict[str, str]) -> None:
    seen = at_a_terminal(*line.split(), env=env)
    assert seen.startswith("\x1b[31mERROR:\x1b[0m dmg: ")
    assert seen.endswith(f"\nMore about it: {page} -h\n")
    piped = subprocess.run([*COMMAND, *line.split()], capture_output=True, text=True, check=False, env=env)
    assert "\x1b" not in piped.stderr
    assert "More about it" not in piped.stderr


@pytest.mark.parametrize("quiet", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_colours_can_be_done_without(quiet: dict[str, str], config: str, env: dict[str, str]) -> None:
    assert "\x1b" not in at_a_terminal("-o", config, "system", "query", env=env | quiet)


def test_a_document_is_never_coloured(config: str, env: dict[str, str]) -> None:
    seen = at_a_terminal("-o", config, "-j", "system", "query", env=env)
    assert seen.startswith('{\n  "response": null,')
    assert "\x1b" not in seen[: seen.index("}\n")]
