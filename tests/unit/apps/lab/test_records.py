"""A lab's notes, and how processes are told apart from later ones with the same pid."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from daos_control.apps.lab.plan import Wish, place_number
from daos_control.apps.lab.records import Lab, Process, children, command_line, start_time
from daos_control.base.errors import Fault


def test_notes_come_back_as_they_were_written(tmp_path: Path) -> None:
    lab = Lab(
        wish=Wish(hosts=4, insecure=True),
        place=place_number(3, tmp_path, Path("/run/labs")),
        processes={"h1": Process(pid=12, started=34)},
    )
    lab.save()
    assert Lab.load(tmp_path) == lab
    assert not list(tmp_path.glob("*.new"))


def test_a_lab_is_its_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(wish=Wish(), place=place_number(3, tmp_path, Path("/run/labs")))
    lab.save()
    lab.must_be_ours()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(Fault, match=rf"is another user's \(uid {os.getuid()}\)") as refused:
        lab.must_be_ours()
    assert "--dir" in refused.value.resolution


def test_no_notes_no_lab(tmp_path: Path) -> None:
    assert Lab.load(tmp_path) is None


def test_a_pid_given_to_somebody_else_is_not_ours() -> None:
    me = Process.of(os.getpid())
    assert me.is_running
    assert not Process(pid=me.pid, started=me.started - 1).is_running


def test_a_process_runs_is_frozen_and_once_ended_runs_no_more_even_before_it_is_collected() -> None:
    waits = "print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", waits], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # for a moment after it was started, the kernel shows no arguments
        noted = Process.of(child.pid)
        assert child.pid in children(os.getpid())
        assert command_line(child.pid)[1:] == ["-c", waits]
        assert not noted.is_frozen
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        assert noted.is_running
        assert noted.is_frozen
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie now
        assert not noted.is_running
    assert start_time(child.pid) is None
    assert not noted.is_frozen
    assert command_line(child.pid) == []
