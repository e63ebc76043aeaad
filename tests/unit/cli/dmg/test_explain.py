"""What ``dmg explain`` prints, without any system or configuration."""

import json
import os
import subprocess
import sys

import pytest

from daos_control.cli.dmg import run


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs tests side by side tells them a width of its own."""
    monkeypatch.delenv("COLUMNS", raising=False)


def told(line: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    assert run(["explain", *line]) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def test_one_thing_is_told_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        told(["swim_rank_alive"], capsys)
        == """\
event 16 swim_rank_alive: NOTICE, state change

  Engines hear a rank that was silent. Nothing in DAOS 2.8 raises it; its number is kept.

  Usual causes:
    - the fabric works again

  What to do:
    - See how the rank stands: dmg system query --explain RANK

  What the system does by itself: None.
"""
    )


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("line", [[], ["510"], ["self_heal"], ["--all"], ["1101"]], ids=" ".join)
def test_lines_fit_the_terminal(
    line: list[str], columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    _, *others = told(line, capsys).splitlines()
    assert max(map(len, others)) <= max(80, min(columns, 100))


def test_facts_of_a_fault_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(["6"], capsys)
    assert "fault 6 SOCKET_FILE_IN_USE (drpc)\n" in text
    assert "    <path> is path of the socket\n" in text


def test_situations_of_a_fault_are_numbered(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(["fault", "403"], capsys)
    assert "  Case 1 of 2\n" in text
    assert "  Case 2 of 2\n" in text


@pytest.mark.parametrize("number", ["-1007", "1007"])
def test_a_negative_number_is_no_option(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert told([number], capsys).startswith("DER_NOSPACE(-1007): No space on storage target\n")


def test_several_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(["901", "902"], capsys)
    assert "fault 901 " in text
    assert "fault 902 " in text


def test_a_copied_line_need_not_be_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(["ERROR:", "dmg:", "server:", "code", "=", "611", "description", "=", "no", "engine"], capsys)
    assert text.startswith("fault 611 ")


def test_many_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(["hugepage"], capsys)
    assert "fault 107 STORAGE_HUGEPAGES_DISABLED " in text
    assert "found; say which, such as: dmg explain " in text
    assert max(map(len, text.splitlines())) <= 100


def test_nothing_found_names_what_is_near(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(["no_spce"], capsys, 1) == (
        "ERROR: dmg: nothing is known about 'no_spce'; did you mean DER_NOSPACE, DER_NOSCHEMA or DER_NOTYPE?\n"
        "ERROR: dmg: see all that can be explained: dmg explain --all\n"
    )


def test_without_words_it_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert "It knows 148 faults, 99 DER codes, 31 events, " in told([], capsys)
    assert len(told(["--all"], capsys).splitlines()) > 300


def test_documents(capsys: pytest.CaptureFixture[str]) -> None:
    (entry,) = json.loads(told(["-j", "DER_BUSY"], capsys))["response"]["entries"]
    assert (entry["kind"], entry["number"], entry["name"]) == ("DER code", -1012, "DER_BUSY")
    assert entry["situations"][0]["steps"]
    assert json.loads(told(["--json"], capsys))["response"]["kinds"]["DER code"] == 99
    assert run(["-j", "explain", "nonsense-of-sorts"]) == 1
    assert json.loads(capsys.readouterr().out)["status"] == -1025


def test_it_needs_no_configuration_and_no_network() -> None:
    script = "import sys; from daos_control.cli.dmg import run; run(['explain', '611']); print(*sys.modules)"
    environment = {**os.environ, "HOME": "/nonexistent"}
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert not {"asyncio", "ssl", "yaml", "daos_control.client.daos"} & set(result.stdout.split())
