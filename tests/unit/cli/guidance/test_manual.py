"""Manual pages, examples and help texts: complete, true to the tables, and read by groff as they are meant."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from daos_control.cli.daos_agent import PROGRAM as DAOS_AGENT
from daos_control.cli.daos_lab import PROGRAM as DAOS_LAB
from daos_control.cli.daos_server import PROGRAM as DAOS_SERVER
from daos_control.cli.dmg import run
from daos_control.cli.dmg.commands import PROGRAM as DMG
from daos_control.cli.flags import Command, Option, parse
from daos_control.cli.guidance.help import help_text
from daos_control.cli.guidance.man_page import leaves, page
from daos_control.cli.guidance.manual import EXAMPLES, FACTS

PROGRAMS = {program.name: program for program in (DMG, DAOS_SERVER, DAOS_AGENT, DAOS_LAB)}
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "FILES", "ENVIRONMENT", "SEE ALSO"]
LEAVES = [path for program in PROGRAMS.values() for path in leaves((program,))]
every_program = pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
every_command = pytest.mark.parametrize("path", LEAVES, ids=lambda path: " ".join(command.name for command in path))


def plain(program: Command) -> str:
    """A page as groff makes it, without overstriking."""
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("there is no groff here")
    command = [groff, "-man", "-ww", "-Tascii", "-P-c", "-P-b", "-P-u", "-rLL=500n"]
    result = subprocess.run(command, input=page(program), capture_output=True, text=True, check=True)
    assert result.stderr == ""
    return result.stdout


@every_program
def test_pages_have_their_sections(program: Command) -> None:
    headings = re.findall(r'^\.SH "?([A-Z ]+)"?$', page(program), re.MULTILINE)
    assert headings == SECTIONS


@every_program
def test_groff_shows_every_command_and_option_as_it_is_typed(program: Command) -> None:
    shown = plain(program)
    for path in leaves((program,)):
        if len(path) > 1:
            assert re.search(rf"^   {' '.join(command.name for command in path[1:])}\b", shown, re.MULTILINE)
        for option in path[-1].options:
            if not option.hidden and option.name:
                assert f"--{option.name}" in shown
        for _, line in EXAMPLES.get(" ".join(command.name for command in path), ()):
            assert f"    {line}\n" in shown, "examples are shown letter by letter"


@every_program
def test_a_careful_reader_finds_nothing_to_complain_of(program: Command) -> None:
    mandoc = shutil.which("mandoc")
    if mandoc is None:
        pytest.skip("there is no mandoc here")
    command = [mandoc, "-T", "lint", "-W", "warning"]
    complaints = subprocess.run(command, input=page(program), capture_output=True, text=True, check=False).stdout
    assert [line for line in complaints.splitlines() if "missing date" not in line] == []


def test_text_is_never_taken_for_an_instruction() -> None:
    nasty = r".nf \fBx\fR 'y' -- \n~^`" + '"'
    program = Command(
        "dmg", help=nasty, commands=(Command("x", help=nasty, run="a:b", options=(Option("o", help=nasty),)),)
    )
    assert plain(program).count(nasty) >= 2
    for line in page(program).splitlines():
        assert not line.startswith((".nf ", "'")), line


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["manpage"]) == 0
    assert capsys.readouterr().out == page(DMG)
    target = tmp_path / "dmg.8"
    assert run(["manpage", "-o", str(target)]) == 0
    assert target.read_text() == page(DMG)
    assert run(["manpage", "--output", str(tmp_path / "no" / "dmg.8")]) == 1
    assert capsys.readouterr().err.startswith(f"ERROR: dmg: {tmp_path}/no/dmg.8 cannot be written: ")


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_belong_to_commands_and_are_understood(name: str) -> None:
    assert name in {" ".join(command.name for command in path) for path in LEAVES}
    for purpose, line in EXAMPLES[name]:
        assert purpose[0].isupper(), "examples say what they are for"
        assert name in line
        words = shlex.split(line.replace("$(", "").replace('"', "").replace(")", "") if "eval" in line else line)
        begin = next(position for position, word in enumerate(words) if word.lstrip("<(") in PROGRAMS)
        program = PROGRAMS[words[begin].lstrip("<(")]
        end = words.index(">") if ">" in words else len(words)
        parsed = parse(program, [word.rstrip(")") if "<(" in line else word for word in words[begin + 1 : end]])
        assert " ".join(command.name for command in parsed.path) == name


def _groups(path: tuple[Command, ...]) -> Iterator[tuple[Command, ...]]:
    yield path
    for command in path[-1].commands:
        yield from _groups((*path, command))


@every_program
def test_every_command_option_and_argument_says_what_it_is_for(program: Command) -> None:
    for path in _groups((program,)):
        command = path[-1]
        name = " ".join(inner.name for inner in path)
        assert command.help, name
        assert command.help[0].isupper() or command.help.startswith(("dmg", "daos")), f"{name}: {command.help}"
        assert len(path) == 1 or not command.help.endswith("."), f"{name}: {command.help}"
        for option in command.options:
            told = option.help
            assert option.hidden or told, f"{name} --{option.name} says nothing"
            assert not told or (told[0].isupper() or not told[0].isalpha()), f"{name} --{option.name}: {told}"
            assert not told.endswith(".") or told.endswith("..."), f"{name} --{option.name}: {told}"


@every_command
def test_help_fits_a_terminal(path: tuple[Command, ...]) -> None:
    lines = help_text(path, width=80).partition("\nExamples:\n")[0].splitlines()
    assert [line for line in lines[1:] if len(line) > 80 and " " in line.strip()] == []
    assert not re.search(r"\(default: .*\(default: ", "\n".join(lines))


def test_every_program_has_facts() -> None:
    assert FACTS.keys() == PROGRAMS.keys()
