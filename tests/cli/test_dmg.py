"""dmg as people and scripts meet it: exit codes, which stream says what, help that costs nothing."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess
from types import MappingProxyType

import pytest

from daos_control.cli.dmg import run
from daos_control.cli.dmg.commands import PROGRAM
from daos_control.cli.flags import Command, load
from daos_control.config import system

NOBODY = "hostlist: ['127.0.0.1:1']\ntransport_config:\n  allow_insecure: true\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "daos_control.yml"
    path.write_text(NOBODY)
    return path


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == 0
    assert capsys.readouterr().out == "DAOS Admin Tool version 2.8.0\n"


def test_version_as_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-j", "version"]) == 0
    read = json.loads(capsys.readouterr().out)
    assert (read["response"]["version"], read["error"], read["status"]) == ("2.8.0", None, 0)


@pytest.mark.parametrize("line", ["-h", "pool -h", "pool create --help", "system query -h extra"])
def test_help_goes_to_standard_output(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 0
    assert capsys.readouterr().out.startswith("Usage: dmg")


@pytest.mark.parametrize(
    "line",
    ["", "pool", "nonsense", "system query --bogus", "pool query", "-l host1 system query", "pool create t -z 150%"],
)
def test_wrong_usage_is_told_on_standard_error(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(line.split()) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ERROR: dmg: ")


def test_wrong_usage_is_a_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-j", "system", "query", "--bogus"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"response": None, "error": "unknown flag `bogus'", "status": -1025}
    assert captured.err == "ERROR: dmg: unknown flag `bogus'\n"


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("pool update-acl tank", None),
        ("pool delete-acl --principal= tank", None),
        ("pool overwrite-acl -a /nonexistent tank", None),
        ("pool get-acl tank", {"ACL": {"entries": None, "owner_user": "", "owner_group": ""}}),
    ],
)
def test_the_document_of_what_was_not_asked_has_no_reply(
    line: str, reply: object, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-j", "-o", str(config), *line.split()]) == 1
    assert json.loads(capsys.readouterr().out)["response"] == reply


def test_help_after_json_prints_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-j", "pool", "-h"]) == 0
    out = capsys.readouterr().out
    assert json.JSONDecoder().raw_decode(out)[0]["status"] == -1025
    assert "\nUsage: dmg pool" in out


def test_a_configuration_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-o", "/nonexistent.yml", "-j", "system", "query"]) == 1
    captured = capsys.readouterr()
    assert "/nonexistent.yml" in json.loads(captured.out)["error"]
    assert captured.err.startswith("ERROR: dmg: system query failed: cannot read the configuration /nonexistent.yml")
    assert "--config-path" in captured.err


def test_a_configuration_that_only_the_environment_names_is_told_as_such(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAOS_CONTROL_CONFIG", "/nonexistent.yml")  # a lab that was taken down, in a shell that was its
    assert run(["system", "query"]) == 1
    assert "DAOS_CONTROL_CONFIG names it: unset that, or name another with --config-path" in capsys.readouterr().err
    assert run(["-o", "/absent.yml", "system", "query"]) == 1
    assert "DAOS_CONTROL_CONFIG" not in capsys.readouterr().err


@pytest.mark.skipif(Path("/etc/daos/certs/daosCA.crt").exists(), reason="a system is administered from here")
def test_without_any_configuration_it_is_not_the_certificates_that_are_missed_first(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DAOS_CONTROL_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(system, "DIRECTORY", tmp_path)
    assert run(["system", "query"]) == 1
    assert 'resolution = "no daos_control.yml was found: name one with --config-path' in capsys.readouterr().err


@pytest.mark.parametrize("options", [["-j"], ["-j", "-d"], []], ids=["json", "json and debug", "for people"])
def test_a_system_that_is_down(options: list[str], config: Path) -> None:
    command = [sys.executable, "-c", "from daos_control.cli.dmg import main; main()", "-o", str(config), *options]
    done = subprocess.run([*command, "system", "query"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ERROR: dmg: system query failed: unable to contact the DAOS Management Service" in done.stderr
    assert "ERROR: dmg: client: code = 506 resolution = " in done.stderr
    if options:
        assert json.loads(done.stdout)["response"] is None
    else:
        assert done.stdout == ""


def test_the_log_file_has_what_was_said_and_nothing_else_is_said(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_file = tmp_path / "dmg.log"
    assert run(["-o", str(config), f"--log-file={log_file}", "storage", "scan"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    details, problem = captured.err.replace("ERROR: ", "").strip().rsplit("\n", 1)
    logged = log_file.read_text()
    assert details in logged
    assert problem in logged
    assert all(line.startswith("dmg ERROR 2") for line in logged.splitlines() if "ERROR" in line)


@pytest.mark.parametrize("options", [[], ["-j"], ["-J"]], ids=["for people", "json", "json logging"])
def test_a_log_file_that_cannot_be_written(
    options: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*options, "-o", str(config), "--log-file=/nonexistent/dmg.log", "system", "query"]) == 1
    captured = capsys.readouterr()
    words = "cannot write the log file /nonexistent/dmg.log: No such file or directory"
    assert captured.err.count(words) == 1
    if options == ["-j"]:
        assert words in json.loads(captured.out)["error"]
    else:
        assert captured.out == ""


@pytest.mark.parametrize("line", ["system query", "storage scan"])
def test_errors_are_log_lines_as_json_too(line: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-J", "-o", str(config), *line.split()]) == 1
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.err.splitlines()]
    assert {line["level"] for line in lines} == {"ERROR"}
    assert any("refused the connection" in line["message"] for line in lines)
    assert captured.out == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
@pytest.mark.parametrize(("line", "code"), [("version", 0), ("pool lisst", 1), ("-o CONFIG system query", 1)])
def test_streams_may_be_closed(line: str, code: int, closed: str, config: Path) -> None:
    done = at_a_shell(line.replace("CONFIG", str(config)), closed)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    if closed == "2>&-" and line == "version":
        assert done.stdout == "DAOS Admin Tool version 2.8.0\n"


@pytest.mark.parametrize("line", ["version", "-h", "-j version", "explain --all", "-j -o CONFIG system query"])
def test_a_full_disk_is_told(line: str, config: Path) -> None:
    done = at_a_shell(line.replace("CONFIG", str(config)), ">/dev/full")
    assert done.returncode == 1
    assert done.stderr == "ERROR: dmg: cannot write to standard output: No space left on device\n"


def test_no_character_is_too_much_for_an_old_locale(tmp_path: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = at_a_shell("-o $'/nonexistent/\u00fc' system query -j", env=plain)
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["error"]
    assert done.returncode == 1


def at_a_shell(line: str, redirected: str = "", env: Mapping[str, str] = MappingProxyType({})) -> CompletedProcess[str]:
    program = shlex.join([sys.executable, "-c", "from daos_control.cli.dmg import main; main()"])
    command = ["bash", "-c", f"{program} {line} {redirected}"]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **env})


@pytest.mark.parametrize("line", ["-h", "version", "pool create -h", "-j version", "nonsense"])
def test_what_needs_no_server_imports_next_to_nothing(line: str) -> None:
    heavy = {"asyncio", "grpc", "google.protobuf", "logging", "dataclasses", "typing", "yaml", "msgspec", "argparse"}
    script = f"import sys; from daos_control.cli.dmg import run; run({line.split()!r}); print('\\n', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not heavy & set(done.stdout.splitlines()[-1].split())


def leaves(command: Command, path: str = "") -> list[tuple[str, Command]]:
    here = f"{path} {command.name}".strip()
    return [(here, command)] * bool(command.run) + [leaf for inner in command.commands for leaf in leaves(inner, here)]


@pytest.mark.parametrize(("path", "command"), leaves(PROGRAM), ids=[path for path, _ in leaves(PROGRAM)])
def test_every_command_in_the_table_can_be_loaded(path: str, command: Command) -> None:
    assert callable(load(command.run))
    assert command.help, "every command says what it does"
    for value in (*command.options, *command.positionals):
        if isinstance(value.parse, str):
            assert callable(load(value.parse))


def test_people_are_pointed_to_explanations_and_programs_are_not(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ["-o", str(config), "system", "leader-query"]
    assert run(line) == 1
    assert "explain" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert run(line) == 1
    assert capsys.readouterr().err.endswith("More about it: dmg explain 506\n")


@pytest.mark.parametrize("buffered", [True, False], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("program", ["dmg", "daos_server", "daos_agent", "daos_lab"])
def test_nobody_reads_and_nobody_is_shouted_at(program: str, buffered: bool) -> None:
    script = f"import sys; from daos_control.cli.{program} import main; sys.exit(main())"
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, *([] if buffered else ["-u"]), "-c", script, "manpage"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")
