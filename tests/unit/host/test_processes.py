"""Processes by name, from a process table in a folder."""

from pathlib import Path

import pytest

from daos_control.host.processes import processes


def add(root: Path, pid: int, *words: str) -> None:
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    add(tmp_path, 2)  # a kernel thread
    add(tmp_path, 10, "/usr/bin/daos_server", "start")
    add(tmp_path, 9, "/usr/bin/python3.11", "-P", "/opt/bin/daos_agent", "start")
    add(tmp_path, 11, "vi", "/etc/daos/daos_server.yml")
    add(tmp_path, 12, "python3")
    (tmp_path / "proc" / "13").mkdir()  # ended while we looked
    return tmp_path


def test_programs_are_told_apart_by_what_they_run(root):
    assert [(one.pid, one.program) for one in processes(root)] == [
        (9, "daos_agent"),
        (10, "daos_server"),
        (11, "vi"),
        (12, "python3"),
    ]
