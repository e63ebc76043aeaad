"""The database of a real system: backed up while it is in use, lost, restored, damaged, recovered."""

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daos_control.client.pool_size import PerRank
from daos_control.testing.storage_host import PROGRAMS, StorageHost, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]  # many processes, one after another


@pytest.fixture
def host() -> Iterator[StorageHost]:
    folder = Path("/tmp") / f"ms{os.getpid()}-{time.monotonic_ns() % 10**9}"  # socket paths must be short
    folder.mkdir()
    yield StorageHost(folder)
    shutil.rmtree(folder)


def ms(host: StorageHost, *words: str, code: int = 0) -> str:
    """Run ``daos_server ms ...``; return all that it printed."""
    ran = subprocess.run(
        [PROGRAMS / "daos_server", "ms", *words, "-o", host.folder / "daos_server.yml"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == code, ran.stdout
    assert "Traceback" not in ran.stdout
    return ran.stdout


def query(host: StorageHost) -> Any:
    """Return what ``dmg system query`` says, but for what changes with every start."""
    ran = subprocess.run(
        [PROGRAMS / "dmg", "-o", host.control_config(), "-j", "system", "query"],
        capture_output=True,
        text=True,
        check=True,
    )
    members = json.loads(ran.stdout)["response"]["members"]
    for member in members:
        del member["incarnation"], member["last_update"]
    return members


def joined(host: StorageHost, count: int = 2) -> None:
    def all_joined() -> bool:
        return [member["state"] for member in query(host)] == ["joined"] * count

    until(all_joined, lambda: f"{count} members to join: {query(host)}")


def stop(server: Any) -> None:
    server.process.send_signal(signal.SIGTERM)
    assert server.code() == 0


def test_a_system_that_lost_its_database_is_as_it_was(host):
    backup = host.folder / "backup"
    with host.server("--auto-format") as server, host.client() as client:
        server.ready()
        joined(host)
        client.pools.create("tank", PerRank(tier_bytes=(16 << 20, 0)))
        before = query(host)
        assert "In use by    : daos_server (pid" in ms(host, "status")
        assert "2 ranks (0-1) and 1 pool" in ms(host, "backup", "-p", str(backup))
        assert "stop it first" in ms(host, "restore", "-f", "-p", str(backup), code=1)
        assert "stop it first" in ms(host, "recover", "-f", code=1)
        stop(server)
    shutil.rmtree(host.folder / "daos0" / "control_raft")
    assert "none found" in ms(host, "status")
    assert "control_raft" in ms(host, "restore", "-f", "-p", str(backup))
    with host.server() as server, host.client() as client:
        server.ready()
        joined(host)
        assert query(host) == before
        [pool] = client.pools.list().pools
        assert pool.label == "tank"
        assert client.pools.query("tank").uuid == pool.uuid
        stop(server)


def test_a_system_with_a_damaged_database_recovers_what_can_be_read(host):
    with host.server("--auto-format") as server:
        server.ready()
        joined(host)
        before = query(host)
        stop(server)
    database = host.folder / "daos0" / "control_raft" / "daos_system.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'leased'").fetchone()
    with database.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xde\xad" * 2048)
    with host.server() as server:
        assert server.code() == 1
        assert "daos_server ms recover" in server.output
    assert "Integrity    : ok" not in ms(host, "status")
    printed = ms(host, "recover", "-f")
    assert "The former database is kept" in printed
    assert list(database.parent.glob("*.before-recover-*"))
    with host.server() as server:
        server.ready()
        joined(host)
        assert query(host) == before
        stop(server)


def test_who_is_asked_and_does_not_answer_has_changed_nothing(host):
    with host.server("--auto-format") as server:
        server.ready()
        joined(host)
        stop(server)
    before = (host.folder / "daos0" / "control_raft" / "daos_system.sqlite").read_bytes()
    assert "(yes/no)" in ms(host, "recover")
    assert (host.folder / "daos0" / "control_raft" / "daos_system.sqlite").read_bytes() == before
