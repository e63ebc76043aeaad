"""support collect-log of daos_server and daos_agent: what is collected on this machine, and how failures are told."""

import errno
import io
import os
import re
import signal
import socket
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from daos_control.cli import daos_agent, daos_server, program
from daos_control.cli.ui import progress
from daos_control.cli.ui.progress import WIPE
from daos_control.host.support.collector import Collector
from daos_control.host.support.steps import Item

Collect = Callable[..., int]
HOST = socket.gethostname()
SERVER = """
mgmt_svc_replicas: [localhost]
control_log_file: {0}/control.log
helper_log_file: {0}/helper.log
fabric_auth_key: topsecret
"""
AGENT = "access_points: [localhost]\nlog_file: {0}/agent.log\ntransport_config:\n  allow_insecure: true\n"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("control.log", "helper.log", "agent.log", "client.log", "client.log.1"):
        (tmp_path / name).write_text(f"h INFO 2026/01/31 12:00:00 {name} token=topsecret\n")
    (tmp_path / "daos_server.yml").write_text(SERVER.format(tmp_path))
    (tmp_path / "daos_agent.yml").write_text(AGENT.format(tmp_path))
    monkeypatch.setenv("D_LOG_FILE", str(tmp_path / "client.log"))
    monkeypatch.setenv("SOME_PASSWORD", "topsecret")


@pytest.fixture
def server(tmp_path: Path) -> Collect:
    words = ("support", "collect-log", "-o", str(tmp_path / "daos_server.yml"), "-t", str(tmp_path / "out"))
    return lambda *more: program.main(daos_server.PROGRAM, [*words, *more])


@pytest.fixture
def agent(tmp_path: Path) -> Collect:
    words = ("support", "collect-log", "-o", str(tmp_path / "daos_agent.yml"), "-t", str(tmp_path / "out"))
    return lambda *more: program.main(daos_agent.PROGRAM, [*words, *more])


def collected(tmp_path: Path) -> dict[str, bytes]:
    top = tmp_path / "out" / HOST
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def test_a_storage_host(server: Collect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert server() == 0
    found = collected(tmp_path)
    assert {
        "DaosServerConfig/daos_server.yml",
        "ControlLogs/control.log",
        "AdminLogs/helper.log",
        "DmgNodeLogs/daos_server_version",
        "DmgNodeLogs/daos_server_dump-topology",
        "GenSystemInfo/printenv",
    } <= set(found)
    assert not [name for name, text in found.items() if b"topsecret" in text]
    out = capsys.readouterr().out
    assert f"Support logs are in {tmp_path}/out\n" in out
    assert "not collected: EngineLog" not in out


def test_a_client_node(agent: Collect, tmp_path: Path) -> None:
    assert agent() == 0
    found = collected(tmp_path)
    assert {
        "AgentConfig/daos_agent.yml",
        "AgentLogs/agent.log",
        "ClientLogs/client.log",
        "ClientLogs/client.log.1",
        "DaosAgentCmdInfo/daos_agent_version",
        "DaosAgentCmdInfo/daos_agent_net-scan",
        "DaosAgentCmdInfo/daos_agent_dump-topology",
        "GenSystemInfo/mount",
    } <= set(found)
    assert found["DaosAgentCmdInfo/daos_agent_version"].startswith(b"DAOS Agent version ")
    assert not [name for name, text in found.items() if b"topsecret" in text]


def test_an_archive_takes_the_place_of_a_new_folder(server: Collect, tmp_path: Path) -> None:
    assert server("-z", "-e", "control") == 0
    assert not (tmp_path / "out").exists()
    with tarfile.open(tmp_path / "out.tar.gz") as tar:
        assert f"out/{HOST}/ControlLogs/control.log" in tar.getnames()


def test_a_folder_that_was_there_stays(server: Collect, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").touch()
    assert server("-z", "-e", "control") == 0
    assert (tmp_path / "out" / "precious").exists()


def test_failures_are_told_and_passed_over(server: Collect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "control.log").unlink()
    assert server("-e", "control,admin") == 0
    assert f"not collected: ControlLog: there is no {tmp_path}/control.log\n" in capsys.readouterr().out
    assert "AdminLogs/helper.log" in collected(tmp_path)


def test_the_first_failure_may_be_the_last(server: Collect, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "control.log").unlink()
    assert server("-s", "-e", "control") == 1
    assert f"ERROR: there is no {tmp_path}/control.log" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["-D", "2026-01-31"], "end date is missing"),
        (["-S", "noon"], "no start time"),
        (["-t", "/etc/daos/x"], "inside /etc"),
        (["-e", "engine"], "no type of log (there are: admin, control, server)"),
    ],
)
def test_what_makes_no_sense_is_refused(
    words: list[str], problem: str, server: Collect, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert server(*words) == 1
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_will_not_do_is_told_once(
    server: Collect, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert server("-t", str(shared)) == 1
    shown = capsys.readouterr()
    assert shown.err.count("everybody may write in") == 1
    assert "not collected" not in shown.out
    assert "Support logs are in" not in shown.out


def test_a_full_disk_is_told_once(
    server: Collect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_collector: Collector, _item: Item, _wishes: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Collector, "carry_out", full)
    assert server() == 1
    shown = capsys.readouterr()
    assert f"ERROR: no space is left for {tmp_path}/out: " in shown.err
    assert "--target-folder" in shown.err
    assert "not collected" not in shown.out


def test_times_without_dates_are_remarked(server: Collect, capsys: pytest.CaptureFixture[str]) -> None:
    assert server("-S", "12:00:00", "-e", "control") == 0
    assert "NOTICE: times of logs count together with --start-date" in capsys.readouterr().err


def test_without_a_configuration_there_is_nothing_to_collect(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(daos_server.PROGRAM, ["support", "collect-log", "-o", "/nonexistent.yml"]) == 1
    assert "/nonexistent.yml" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_person_sees_which_step_takes_so_long(server: Collect, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, seen = Terminal(), []

    def look_until_shown(_collector: Collector, item: Item, _wishes: object) -> None:
        end = time.monotonic() + 10
        while not (shown := terminal.getvalue().rpartition(WIPE)[2]).endswith(item.title) and time.monotonic() < end:
            time.sleep(0.01)
        seen.append(re.sub(r"\d+ s,", "... s,", shown))

    monkeypatch.setattr(Collector, "carry_out", look_until_shown)
    monkeypatch.setattr(progress, "LIVE_AFTER_S", 0.0)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    assert server("-e", "control,admin") == 0
    assert seen == [
        f"collect-log {progress.bar(done / 2)} {done} of 2 steps, ... s, waiting for {title}"
        for done, title in enumerate(["HelperLog", "ControlLog"])
    ]
    assert terminal.getvalue().endswith(WIPE), "the line is gone in the end"


def test_ctrl_c_ends_it_after_the_step_that_is_under_way(
    server: Collect, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = []

    def interrupted(_collector: Collector, item: Item, _wishes: object) -> None:
        signal.raise_signal(signal.SIGINT)
        done.append(item.title)

    monkeypatch.setattr(Collector, "carry_out", interrupted)
    assert server("-e", "control,admin") == 1
    assert len(done) == 1
    assert f"interrupted while waiting for collect-log: {done[0]} (1 of 2 steps are done)" in capsys.readouterr().err
