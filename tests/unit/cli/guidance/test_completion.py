"""What shells are offered: the protocol of DAOS 2.8's own bash script, and our scripts in real shells."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daos_control.cli.daos_agent import PROGRAM as DAOS_AGENT
from daos_control.cli.daos_lab import PROGRAM as DAOS_LAB
from daos_control.cli.daos_server import PROGRAM as DAOS_SERVER
from daos_control.cli.dmg import run
from daos_control.cli.dmg.commands import PROGRAM as DMG
from daos_control.cli.flags import Command, Option, Positional, load
from daos_control.cli.guidance.completion import ORIGINAL, OWN, answer, candidates
from daos_control.cli.guidance.shells import SCRIPTS
from daos_control.model.checker import Inconsistency

PROGRAMS = (DMG, DAOS_SERVER, DAOS_AGENT, DAOS_LAB)


def offered(line: str, program: Command = DMG) -> list[str]:
    return [candidate.short for candidate in candidates(program, shlex.split(line))]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("po", ["pool"]),
        ("pool rebuild ''", ["start", "stop"]),
        ("sys del", ["del-attr"]),
        ("pool create --p", ["--properties"]),
        ("pool create -P rec", ["reclaim:"]),
        ("pool create -P reclaim:", ["disabled", "lazy", "time"]),
        ("pool create -P reclaim:lazy,rec", []),
        ("pool create -P reclaim:lazy,scrub_", ["reclaim:lazy,scrub_freq:", "reclaim:lazy,scrub_thresh:"]),
        ("pool create -Preclaim:l", ["-Plazy"]),
        ("pool create -P=reclaim:l", ["-P=lazy"]),
        ("pool create --properties=reclaim:l", ["--properties=lazy"]),
        ("pool create -jP reclaim:l", ["lazy"]),
        ("pool create -z", []),
        ("pool create tank rec", []),
        ("pool set-prop tank scrub:", ["lazy", "off", "timed"]),
        ("pool set-prop -j tank scrub:t", ["timed"]),
        ("pool get-prop tank reclaim,rec", []),
        ("pool get-prop tank reclaim,sp", ["reclaim,space_rb"]),
        ("system set-prop pool_scrub_mode:", ["lazy", "off", "timed"]),
        ("system get-prop daos_", ["daos_system", "daos_version"]),
        ("system query --with-states j", ["Joined"]),
        ("system query --with-states Joined,e", ["Joined,Errored", "Joined,Excluded"]),
        ("system query -v", ["-v"]),
        ("system query -- -", []),
        ("system events --event swim", ["swim_rank_alive", "swim_rank_dead"]),
        ("system events --severity=w", ["--severity=warning"]),
        ("check set-policy POOL_BAD_LABEL:TRUST_M", ["TRUST_MAJORITY", "TRUST_MS"]),
        ("check start --auto ''", ["off", "on"]),
        ("explain der_nosp", ["DER_NOSPACE"]),
        ("explain 611 der_nosp", ["DER_NOSPACE"]),
        ("explain -1007 der_nosp", ["DER_NOSPACE"]),
        ("help pool ev", ["evict"]),
        ("completion ''", ["bash", "fish", "zsh"]),
        ("--json=", []),
        ("pool create --nonsense=", []),
        ("version ''", []),
    ],
)
def test_candidates(line: str, expected: list[str]) -> None:
    assert offered(line) == expected


def test_every_class_of_inconsistency_is_offered() -> None:
    assert offered("check get-policy ''") == sorted(kind.name for kind in Inconsistency)


def test_options_are_those_of_the_command_and_of_outer_ones_but_hidden_ones() -> None:
    found = offered("storage led identify -")
    assert {"--json", "--reset", "--timeout", "--help"} <= set(found)
    assert "--host-list" not in offered("-")


def test_paths_are_offered_where_a_file_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.yml").touch()
    (tmp_path / "once").mkdir()
    (tmp_path / ".hidden").touch()
    monkeypatch.chdir(tmp_path)
    assert offered("-o on") == ["once/", "one.yml"]
    assert offered(f"-o {tmp_path}/one") == [f"{tmp_path}/one.yml"]
    assert offered("--config-path=one") == ["--config-path=one.yml"]
    assert offered("-o ''") == ["once/", "one.yml"]
    assert offered("-o nowhere/x") == []


def test_the_protocols(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ORIGINAL, "1")
    assert answer(DMG, ["pool", "get-a"]) == "get-acl\n"
    assert answer(DMG, ["pool", "nothing"]) == ""
    monkeypatch.setenv(ORIGINAL, "verbose")
    assert answer(DMG, ["pool", "li"]) == "list\n"
    assert answer(DMG, ["pool", "re"]).splitlines()[0] == "rebuild      # A pool's rebuild"
    monkeypatch.setenv(OWN, "1")
    assert answer(DMG, ["pool", "create", "-P", "reclaim:l"]) == "reclaim:lazy\t\n"
    assert answer(DMG, ["pool", "li"]) == "list\tList pools\n"


def test_a_shell_that_asks_runs_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(ORIGINAL, "1")
    assert run(["pool", "destroy", "tank", "--rec"]) == 0
    assert capsys.readouterr() == ("--recursive\n", "")


def _takers(command: Command) -> Iterator[Option | Positional]:
    yield from (*command.options, *command.positionals)
    for inner in command.commands:
        yield from _takers(inner)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_every_completer_offers_something(program: Command) -> None:
    completers = {taker.complete for taker in _takers(program) if taker.complete}
    for completer in completers:
        assert list(load(completer)("")), completer


# -- real shells -------------------------------------------------------------------------------------------------------


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One in which ``dmg`` is what these tests test."""
    program = tmp_path / "bin" / "dmg"
    program.parent.mkdir()
    call = "import sys; from daos_control.cli.dmg import main; main()"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(call)} "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    home = tmp_path / "home"
    return {**os.environ, "PATH": path, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}


def shell(name: str) -> str:
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"there is no {name} here")
    return program


def output(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_read_by_their_shells(name: str, environment: dict[str, str], tmp_path: Path) -> None:
    program = shell(name)
    script = tmp_path / "script"
    script.write_text(output(["dmg", "completion", name], environment))
    assert output([program, "-n", str(script)], environment) == ""


BASH = """
source <(dmg completion bash)
compopt() { echo "compopt $*"; }
COMP_LINE=$1 COMP_POINT=${#1}
_complete_dmg
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dmg po", ["pool"]),
        ("dmg pool rebuild ", ["start", "stop"]),
        ("dmg pool create -P rec", ["compopt -o nospace", "reclaim:"]),
        ("dmg pool create -P reclaim:", ["disabled", "lazy", "time"]),
        ("dmg pool create --properties=reclaim:l", ["lazy"]),
        ("dmg system query --with-states=Joined,Er", ["Joined,Errored"]),
        ("dmg pool set-prop tank self_heal:exclude", ["exclude", r"exclude\;delay_rebuild", r"exclude\;rebuild"]),
        (r"dmg pool set-prop tank self_heal:exclude\;r", [r"exclude\;rebuild"]),
        ("dmg nonsense-", [""]),
    ],
)
def test_bash_completes(line: str, expected: list[str], environment: dict[str, str]) -> None:
    assert output([shell("bash"), "-c", BASH, "bash", line], environment).splitlines() == expected


def test_bash_completes_by_the_script_of_the_original(environment: dict[str, str]) -> None:
    """Its essence: the words up to the cursor, in the variable's mode, one candidate a line."""
    script = """
    COMPREPLY=($(GO_FLAGS_COMPLETION=1 dmg pool create -P reclaim:)); printf '%s\\n' "${COMPREPLY[@]}"
    """
    assert output([shell("bash"), "-c", script], environment).split() == ["disabled", "lazy", "time"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("dmg po", [f"pool\t{next(command.help for command in DMG.commands if command.name == 'pool')}"]),
        ("dmg pool create -P rec", ["reclaim:\tReclaim strategy"]),
        ("dmg pool create -P reclaim:", ["reclaim:disabled", "reclaim:lazy", "reclaim:time"]),
    ],
)
def test_fish_completes(line: str, expected: list[str], environment: dict[str, str]) -> None:
    script = f"dmg completion fish | source; complete -C {shlex.quote(line)}"
    assert output([shell("fish"), "--no-config", "-c", script], environment).splitlines() == expected
