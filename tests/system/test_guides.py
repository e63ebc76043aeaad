"""The examples of the guides run, from top to bottom, and print what the guides say."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("lab")]

PROGRAMS = Path(sys.executable).parent
GUIDES = Path(__file__).parents[2] / "docs" / "guides"
LOOKS = re.compile(r"dmg (system|pool|check) query")
"""Commands that only look. They are repeated until they show what the guide shows ..."""
PATIENCE_S = 60
"""... or for so long."""

ANYTHING = "(?s:.*)"
DOTS = re.escape("...")


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A shell's environment in which plain ``dmg`` and ``daos_lab`` are about a lab."""
    lab = tmp_path / "lab"
    found = {
        **os.environ,
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "COLUMNS": "100",  # what runs tests side by side has a width of its own
        "DAOS_LAB_DIR": str(lab),
        "DAOS_CONTROL_CONFIG": str(lab / "daos_control.yml"),
    }
    try:
        subprocess.run(["daos_lab", "up", "--hosts=2", "--engines=2", "--pool=1GiB"], env=found, check=True)
        yield found
    finally:
        subprocess.run(["daos_lab", "down"], env=found, check=True)


@pytest.mark.parametrize(
    ("guide", "examples"),
    [
        ("python.md", 4),
        ("system.md", 30),
        ("pools.md", 20),
        ("checker.md", 12),
        ("support.md", 3),
        ("doctor.md", 3),
        ("management-database.md", 9),
        ("command-lines.md", 8),
    ],
)
def test_the_examples_of_a_guide_run(guide: str, examples: int, environment: dict[str, str]) -> None:
    ran = 0
    for language, text in re.findall(r"```(console|python)\n(.*?)```", told_of_this_lab(guide, environment), re.DOTALL):
        if language == "python":
            subprocess.run([sys.executable, "-c", text], env=environment, check=True)
            ran += 1
            continue
        for example in text.removeprefix("$ ").split("\n$ "):
            command, _, shown = example.partition("\n")
            prints(command, shown, environment)
            ran += 1
    assert ran > examples


def told_of_this_lab(guide: str, environment: dict[str, str]) -> str:
    """Return a guide with the addresses of this lab; those in the text are of the first lab of a machine."""
    network = re.search(r"127\.64\.\d+\.", Path(environment["DAOS_CONTROL_CONFIG"]).read_text())
    assert network is not None
    return (GUIDES / guide).read_text().replace("127.64.0.", network.group())


def prints(command: str, shown: str, environment: dict[str, str]) -> None:
    """Run a command as a shell does, and compare what it prints with what a guide shows."""
    until = time.monotonic() + (PATIENCE_S if LOOKS.match(command) else 0)
    while True:
        done = subprocess.run(
            command,
            shell=True,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if re.fullmatch(pattern(shown), plain(done.stdout)):
            return
        assert time.monotonic() < until, f"$ {command}\n{done.stdout}\ninstead of\n{shown}"
        time.sleep(0.5)


def pattern(shown: str) -> str:
    """Return what matches the text that is shown: dots stand for anything in a line, or, alone, for any lines."""
    lines = [ANYTHING if line == "..." else re.escape(line).replace(DOTS, ".*") for line in plain(shown).splitlines()]
    return "\n".join(lines)


def plain(text: str) -> str:
    """Leave out what does not matter: blanks and empty lines of tables, and what dmg says when it is kept waiting."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("waiting for "))
