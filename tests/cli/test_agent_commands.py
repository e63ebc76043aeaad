"""daos_agent's commands that need no servers; the others are in tests/system."""

import json
import os
import sys
from pathlib import Path

import pytest

from daos_control.base.version import DAOS_VERSION
from daos_control.cli import daos_agent


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str) -> Result:
        self._monkeypatch.setattr(sys, "argv", ["daos_agent", *arguments])
        code = daos_agent.main()
        printed = self._capsys.readouterr()
        return Result(code, printed.out, printed.err)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(capsys, monkeypatch)


def test_version(run: Run):
    assert run("version").out == f"DAOS Agent version {DAOS_VERSION}\n"


@pytest.mark.parametrize("arguments", [("-j", "version"), ("version", "-j")])
def test_version_in_json(run: Run, arguments: tuple[str, ...]):
    document = json.loads(run(*arguments).out)

    assert (document["error"], document["status"]) == (None, 0)
    assert document["response"]["name"] == "DAOS Agent"
    assert document["response"]["version"] == DAOS_VERSION


def test_net_scan_has_the_documents_keys(run: Run):
    document = json.loads(run("net-scan", "-j").out)

    ((key, found),) = document["response"].items()
    assert key.isdecimal()
    assert set(found) == {"HostFabric", "HostSet"}
    assert set(found["HostFabric"]) == {"Interfaces", "Providers", "NumaCount", "CoresPerNuma"}
    assert found["HostSet"] == "localhost"


def test_net_scan_lists_only_what_was_asked_for(run: Run):
    result = run("-j", "net-scan", "--provider", "no+such")

    assert (result.code, json.loads(result.out)["response"]) == (0, None)
    assert "no fabric interfaces found with provider no+such" in result.err


def test_net_scan_for_people(run: Run):
    assert run("net-scan").out.startswith("---------\nlocalhost\n---------\n")


def test_a_configuration_that_is_not_there_is_an_error_that_names_it(run: Run, tmp_path: Path):
    result = run("-o", str(tmp_path / "absent.yml"), "start")

    assert result.code == 1
    assert result.err.startswith("ERROR: daos_agent: ")
    assert "absent.yml" in result.err
    assert not result.out


def test_an_error_in_json_comes_in_an_envelope_and_in_words(run: Run, tmp_path: Path):
    result = run("-j", "-o", str(tmp_path / "absent.yml"), "server-version")

    document = json.loads(result.out)
    assert (result.code, document["response"], document["status"]) == (1, None, -1025)
    assert document["error"] in result.err


def test_a_folder_for_the_socket_that_is_not_there_is_told_with_what_to_do(run: Run, tmp_path: Path):
    config = tmp_path / "daos_agent.yml"
    config.write_text("transport_config: {allow_insecure: true}\n")

    result = run("-o", str(config), "-s", str(tmp_path / "absent"), "start")

    assert result.code == 1
    assert f"{tmp_path}/absent is no directory: create it" in result.err


def test_a_log_that_cannot_be_written_is_told_with_what_to_do(run: Run, tmp_path: Path):
    config = tmp_path / "daos_agent.yml"
    config.write_text(f"access_points: [localhost]\nlog_file: {tmp_path}/absent/a.log\n")

    result = run("-o", str(config))

    assert result.code == 1
    told = f"cannot use {config}: log_file: cannot write {tmp_path}/absent/a.log: No such file or directory; "
    assert told in result.err


def test_missing_certificates_are_told_with_what_to_do(run: Run, tmp_path: Path):
    config = tmp_path / "daos_agent.yml"
    config.write_text(f"transport_config: {{ca_cert: {tmp_path}/absent.crt}}\n")

    result = run("-o", str(config), "start")

    assert result.code == 1
    assert len(result.err.splitlines()) == 2
    assert "absent.crt" in result.err


def test_the_topology_goes_to_a_file_and_into_a_document(run: Run, tmp_path: Path):
    assert run("dump-topology", "-o", str(tmp_path / "topology")).out == ""
    assert (tmp_path / "topology").read_text() == run("dump-topology").out
    assert "0" in json.loads(run("-j", "dump-topology").out)["response"]["numa_nodes"]


def test_help(run: Run):
    result = run("-h")

    assert result.code == 0
    for option in ("--runtime_dir", "--logfile", "--insecure", "--json-logging", "--allow-proxy", "--config-path"):
        assert option in result.out


def test_an_unknown_command_is_an_error(run: Run):
    assert run("launch").code == 1


def test_a_reader_who_has_gone_is_no_error(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def gone(*_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("daos_control.cli.local.topology.dump_topology", gone)
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["daos_agent", "dump-topology"])
    assert daos_agent.main() == 1
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("verb", ["server-version", "dump-attachinfo"])
def test_a_question_does_without_a_log_that_cannot_be_written(run: Run, tmp_path: Path, verb: str):
    config = tmp_path / "a.yml"
    config.write_text(
        f"access_points: ['127.0.0.1:1']\nlog_file: {tmp_path}/absent/a.log\n"
        "transport_config:\n  allow_insecure: true\n"
    )
    result = run("-o", str(config), verb)
    assert result.code == 1
    assert f"nothing is logged to {tmp_path}/absent/a.log: No such file or directory" in result.err
    assert "refused the connection" in result.err
    asked_for = run("-o", str(config), "-l", f"{tmp_path}/absent/b.log", verb)
    assert f"{tmp_path}/absent/b.log: No such file or directory" in asked_for.err
    assert "refused the connection" not in asked_for.err
