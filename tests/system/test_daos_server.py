"""daos_server as a process, with emulated engines: start, format, service, and every kind of end."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from daos_control.base.errors import DaosControlError
from daos_control.client.pool_size import PerRank
from daos_control.testing.storage_host import (
    PROGRAMS,
    STARTED,
    StorageHost,
    children,
    gone,
    runs,
)

pytestmark = pytest.mark.system


@pytest.fixture
def host() -> Iterator[StorageHost]:
    folder = Path("/tmp") / f"ds{os.getpid()}-{time.monotonic_ns() % 10**9}"  # socket paths must be short
    folder.mkdir()
    yield StorageHost(folder)
    shutil.rmtree(folder)


def test_it_waits_for_a_format_and_says_so_exactly_once_an_engine(host):
    with host.server() as server:
        server.shows(r"(SCM format required)(?!;)", 2)
        server.shows(r"&&& RAS id: \[engine_format_required\]" if not Path("/dev/log").exists() else "listening on", 2)
        server.process.send_signal(signal.SIGTERM)
        assert server.code() == 0
        assert "plain directories" in server.output
        assert "shutting down" in server.output


def test_from_start_to_service_and_a_clean_end(host):
    with host.server("--auto-format") as server:
        engines = server.ready()
        server.shows("listening on ")
        server.shows("MS leader running on")
        server.shows(r"Starting I/O Engine instance", 2)
        assert sorted(children(server.process.pid)) == sorted(engines)
        server.process.send_signal(signal.SIGINT)
        assert server.code() == 0
        assert not any(runs(pid) for pid in engines)
        assert [path.name for path in (host.folder / "run").glob("*.sock") if path.name.startswith("daos")] == []
        assert "Traceback" not in server.output


def test_identities_survive_a_kill_and_no_engine_does(host):
    ranks = []
    for life in range(3):
        with host.server("--auto-format") as server:
            engines = server.ready()
            ranks.append([yaml.safe_load((host.folder / f"daos{i}/superblock").read_text()) for i in range(2)])
            server.process.kill()
            server.code()
            gone(engines)
            if life:
                server.shows("format required", 0)
    kept = [[(one["uuid"], one["rank"], one["validrank"]) for one in life] for life in ranks]
    assert kept[0] == kept[1] == kept[2]
    assert {rank for _, rank, _ in kept[0]} == {0, 1}
    assert ranks[2][0]["incarnation"] > ranks[0][0]["incarnation"]


def test_a_dead_engine_is_noticed_and_stays_dead(host):
    with host.server("--auto-format") as server:
        engines = server.ready()
        os.kill(engines[1], signal.SIGKILL)
        server.shows(
            rf"instance 1, pid {engines[1]}, rank \d exited with status: .*/daos_engine exited: signal: killed"
        )
        server.shows(r"rank \d: Joined->Errored")
        assert runs(engines[0])
        assert len(children(server.process.pid)) == 1


def test_two_servers_do_not_share_a_place(host):
    with host.server() as first:
        first.shows("SCM format required", 2)
        second = subprocess.run(
            [PROGRAMS / "daos_server", "start", "-o", host.folder / "daos_server.yml"],
            env={**os.environ, "PATH": f"{host.folder / 'bin'}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert f"another daos_server (pid {first.process.pid}) is running" in second.stderr


def refused(host: StorageHost, *options: str) -> str:
    """Start a server that cannot, and return what it complains of: one error, no traceback, code 1."""
    with host.server(*options) as server:
        assert server.code() == 1
        assert "Traceback" not in server.output
        assert "ERROR: " in server.output
        return server.output


def test_a_taken_port_is_named(host):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # it is reserved for who asks so
        taken.bind(("0.0.0.0", host.port))
        taken.listen()
        assert f"cannot listen on 0.0.0.0:{host.port}: Address already in use" in refused(host)


def test_a_missing_engine_is_named_with_the_way_out(host):
    (host.folder / "bin" / "daos_engine").unlink()
    host.config["engines"][0]["env_vars"] = []
    assert "daos_engine not found in PATH" in refused(host)


def test_a_missing_socket_directory_is_named(host):
    host.config["socket_dir"] = str(host.folder / "absent")
    assert "must exist and be writable" in refused(host)


def test_missing_certificates_are_named(host):
    host.config["transport_config"] = {"allow_insecure": False, "client_cert_dir": str(host.folder)}
    assert "code = 901" in refused(host)


def test_storage_that_comes_later_is_named(host):
    host.config["engines"][0]["storage"].append({"class": "file", "bdev_size": 4, "bdev_list": ["/var/tmp/b0"]})
    assert "storage of class file" in refused(host)


def test_a_directory_with_somebodys_files_is_left_alone(host):
    (host.folder / "daos0").mkdir()
    (host.folder / "daos0" / "thesis.tex").write_text("years of work")
    with host.server("--auto-format") as server:
        server.shows("holds files that no storage format put there")
        server.shows("DAOS I/O Engine instance 1 storage ready")
        server.shows("DAOS I/O Engine instance 0 storage ready", 0)
    assert (host.folder / "daos0" / "thesis.tex").read_text() == "years of work"


def test_an_engine_that_cannot_start_keeps_no_other_from_its_format(host):
    with host.server("--auto-format") as server:
        server.ready()
    (host.folder / "daos1" / "superblock").write_text("damaged")
    shutil.rmtree(host.folder / "daos0")
    with host.server("--auto-format") as server:
        server.shows("instance 1 did not start: superblock .* is damaged")
        server.shows("DAOS I/O Engine instance 0 storage ready")
        server.shows(STARTED)
        server.process.send_signal(signal.SIGTERM)
        assert server.code() == 0
        assert "Traceback" not in server.output


def test_a_damaged_store_is_told_and_not_served(host):
    with host.server("--auto-format") as server:
        server.ready()
    for path in (host.folder / "daos0" / "control_raft").glob("*.sqlite*"):
        path.write_bytes(b"not a database" * 1000)
    assert "the management service's store cannot be used" in refused(host)


def script(host: StorageHost, text: str) -> None:
    """Put a shell script into the place of the engine."""
    engine = host.folder / "bin" / "daos_engine"
    engine.unlink()
    engine.write_text(f"#!/bin/sh\n{text}\n")
    engine.chmod(0o755)


def test_an_engine_that_ends_at_once_is_told_and_the_server_serves_on(host):
    script(host, "echo no fabric >&2; exit 3")
    with host.server("--auto-format") as server:
        server.shows("ERROR: daos_engine:1 no fabric")
        server.shows("exited with status: .*/daos_engine exited: exit status 3", 2)
        server.process.send_signal(signal.SIGTERM)
        assert server.code() == 0
        assert "Traceback" not in server.output


def test_an_engine_that_never_calls_back_does_not_keep_the_server_from_ending(host):
    script(host, "echo here I am; exec sleep 1000")
    with host.server("--auto-format") as server:
        server.shows("here I am", 2)
        engines = children(server.process.pid)
        server.process.send_signal(signal.SIGTERM)
        assert server.code() == 0
        assert not any(runs(pid) for pid in engines)
        assert "Traceback" not in server.output


def test_an_engine_that_was_removed_meanwhile_is_told_to_who_starts_it(host):
    with host.server("--auto-format") as server, host.client() as client:
        engines = server.ready()
        (host.folder / "bin" / "daos_engine").unlink()
        os.kill(engines[1], signal.SIGKILL)
        server.shows("instance 1, .* exited with status")
        results = client.system.start().results
        assert [result.errored for result in results] == [False, True]
        server.shows(r"daos_engine exited: exit status 127", 2)  # the log line, and the event
        assert runs(engines[0])


def test_logs_that_cannot_be_written_stop_nobody(host):
    host.config["control_log_file"] = "/dev/full"
    with host.server("--auto-format") as server:
        server.ready()
        server.shows("ERROR: cannot write log file /dev/full: .*No space left")
        assert "Traceback" not in server.output


@pytest.mark.parametrize("keep", [0, 1000])
def test_a_truncated_store_is_no_new_system(host, keep):
    with host.server("--auto-format") as server:
        server.ready()
    (store,) = [path for path in (host.folder / "daos0" / "control_raft").iterdir() if path.suffix == ".sqlite"]
    os.truncate(store, keep)
    for path in store.parent.glob("*-wal"):
        path.unlink()
    assert re.search("damaged .* daos_server ms recover", refused(host, "--auto-format"))


@contextlib.contextmanager
def own_mounts(host: StorageHost) -> Iterator[Path]:
    """Let the host mount as root does, in a mount namespace of its own, so that nothing stays mounted; yield its /."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("mounting needs root")
    keeper = subprocess.Popen(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE
    )
    assert keeper.stdout is not None
    try:
        keeper.stdout.readline()
        host.prefix = ["nsenter", "--mount", f"--target={keeper.pid}"]
        yield Path(f"/proc/{keeper.pid}/root")
    finally:
        keeper.kill()
        keeper.wait()
        keeper.stdout.close()


def test_as_root_storage_is_a_tmpfs_that_outlives_the_server(host):
    with own_mounts(host) as root:
        with host.server("--auto-format") as server:
            server.ready()
            mounts = root.with_name("mounts").read_text()
            assert f"tmpfs {host.folder}/daos0 tmpfs rw,noatime,size=4194304k" in mounts
        with host.server() as server:
            server.ready()
            server.shows("format required", 0)
            assert "plain directories" not in server.output
        subprocess.run([*host.prefix, "umount", host.folder / "daos1"], check=True)
        with host.server() as server:
            server.shows("SCM format required on instance 1")
            server.shows(STARTED)


SIZE = PerRank(tier_bytes=(16 << 20, 0))


def test_storage_that_is_unmounted_under_an_engine_is_noticed_and_never_written_past(host):
    with own_mounts(host) as root, host.server("--auto-format") as server, host.client() as client:
        engines = server.ready()
        subprocess.run([*host.prefix, "umount", "--lazy", host.folder / "daos1"], check=True)
        with pytest.raises(DaosControlError):
            client.pools.create("tank", SIZE)
        assert client.pools.list(query=False).pools == ()
        os.kill(engines[1], signal.SIGKILL)
        server.shows("instance 1, .* exited with status")
        assert [result.errored for result in client.system.start().results] == [False, True]
        server.shows("instance 1 had formatted storage before and has none now: was .*/daos1 unmounted")
        server.shows("SCM format required on instance 1", 2)  # as at first
        assert list((root / host.folder.relative_to("/") / "daos1").iterdir()) == []
        assert "Traceback" not in server.output


def test_a_store_that_is_unmounted_under_the_server_takes_no_changes(host):
    with own_mounts(host), host.server("--auto-format") as server, host.client() as client:
        server.ready()
        client.system.set_attributes({"color": "red"})
        subprocess.run([*host.prefix, "umount", "--lazy", host.folder / "daos0"], check=True)
        with pytest.raises(DaosControlError, match="not where it was: was its file system unmounted"):
            client.system.set_attributes({"color": "blue"})
        assert client.system.get_attributes(["color"]) == {"color": "red"}
        assert "Traceback" not in server.output


def test_a_full_disk_refuses_changes_until_there_is_room(host):
    with own_mounts(host) as root, host.server("--auto-format") as server, host.client() as client:
        server.ready()
        client.pools.create("tank", SIZE)
        storage = root / host.folder.relative_to("/") / "daos0"
        subprocess.run([*host.prefix, "mount", "-o", "remount,size=1m", host.folder / "daos0"], check=True)
        filler = storage / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(DaosControlError, match="no space left"):
            client.system.set_attributes({"story": "x" * 100_000})
        with pytest.raises(DaosControlError):
            client.pools.create("second", SIZE)
        filler.unlink()
        subprocess.run([*host.prefix, "mount", "-o", "remount,size=4g", host.folder / "daos0"], check=True)
        client.pools.create("second", SIZE)
        client.pools.destroy("tank")
        assert [(pool.label, pool.state) for pool in client.pools.list().pools] == [("second", "Ready")]
        assert "Traceback" not in server.output
