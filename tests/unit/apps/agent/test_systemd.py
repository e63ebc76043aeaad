"""systemd is told, if it listens."""

import socket
import uuid
from pathlib import Path

import pytest

from daos_control.apps.agent.systemd import READY, notify


def test_nobody_to_tell():
    assert notify(READY, {}) is False


@pytest.mark.parametrize("abstract", [False, True], ids=["file", "abstract"])
def test_the_state_arrives(tmp_path: Path, abstract: bool):
    name = f"@{uuid.uuid4()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name[1:]}" if abstract else name)
        assert notify(READY, {"NOTIFY_SOCKET": name})
        assert systemd.recv(100) == b"READY=1"


def test_a_socket_that_does_not_work_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        notify(READY, {"NOTIFY_SOCKET": str(tmp_path / "absent")})
