"""daos_server as a process, with emulated engines: start, format, service, and every kind of end."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest
import yaml

pytestmark = pytest.mark.system

PROGRAMS = Path(sys.executable).parent
STARTED = r"DAOS I/O Engine.*process [0-9]+ started on"
PATIENCE_S = 40


class Host:
    """A storage host in a folder: its configuration, and the daos_server that runs from it."""

    def __init__(self, folder: Path, *, engines: int = 2) -> None:
        self.folder = folder
        (folder / "run").mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "daos_engine").symlink_to(PROGRAMS / "daos_engine_emulator")
        self.port, *ports = free_ports(1 + engines)
        self.config = {
            "name": "daos_server",
            "mgmt_svc_replicas": [f"127.0.0.1:{self.port}"],
            "port": self.port,
            "provider": "ofi+tcp",
            "socket_dir": str(folder / "run"),
            "system_ram_reserved": 1,
            "disable_hugepages": True,
            "engine_auto_restart_min_delay": 1,
            "fault_path": "/h1",
            "transport_config": {"allow_insecure": True},
            "engines": [
                {
                    "targets": 1,
                    "first_core": 0,
                    "fabric_iface": "lo",
                    "fabric_iface_port": port,
                    "log_file": str(folder / f"engine{index}.log"),
                    "storage": [{"class": "ram", "scm_size": 4, "scm_mount": str(folder / f"daos{index}")}],
                }
                for index, port in enumerate(ports)
            ],
        }
        self.prefix: list[str] = without_mounting()

    @contextlib.contextmanager
    def server(self, *options: str) -> Iterator["Server"]:
        (self.folder / "daos_server.yml").write_text(yaml.safe_dump(self.config))
        output = self.folder / "out.txt"
        with output.open("w") as file:
            server = Server(self, self._start(options, file), output)
            try:
                yield server
            finally:
                server.end()

    def _start(self, options: tuple[str, ...], output: IO[str]) -> "subprocess.Popen[bytes]":
        arguments = [PROGRAMS / "daos_server", "start", "-o", self.folder / "daos_server.yml", *options]
        environment = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        return subprocess.Popen([*self.prefix, *arguments], stdout=output, stderr=output, env=environment)


class Server:
    """A running daos_server."""

    def __init__(self, host: Host, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self.host = host
        self.process = process
        self._output = output

    @property
    def output(self) -> str:
        return self._output.read_text()

    def counts(self, pattern: str) -> int:
        return len(re.findall(pattern, self.output))

    def shows(self, pattern: str, times: int = 1) -> None:
        until(lambda: self.counts(pattern) >= times, lambda: f"{pattern!r} {times} times in:\n{self.output}")
        assert self.counts(pattern) == times

    def ready(self) -> list[int]:
        """Wait until all engines serve; return their pids by instance."""
        self.shows(STARTED, len(self.host.config["engines"]))
        found = re.findall(r"daos_engine:(\d+) DAOS I/O Engine.*process (\d+) started", self.output)
        return [int(pid) for _, pid in sorted(found)]

    def code(self) -> int:
        return self.process.wait(PATIENCE_S)

    def end(self) -> None:
        engines = children(self.process.pid)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        for pid in engines:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def without_mounting() -> list[str]:
    """Words to put before a command so that it may not mount, whoever runs it: nothing is left behind by a test."""
    return ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"] if os.geteuid() == 0 else []


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def children(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def runs(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def gone(pids: list[int]) -> None:
    until(lambda: not any(runs(pid) for pid in pids), lambda: f"the end of {pids}")


def until(condition: Callable[[], bool], what: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what()}"
        time.sleep(0.02)


@pytest.fixture
def host() -> Iterator[Host]:
    folder = Path("/tmp") / f"ds{os.getpid()}-{time.monotonic_ns() % 10**9}"  # socket paths must be short
    folder.mkdir()
    yield Host(folder)
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


def refused(host: Host, *options: str) -> str:
    """Start a server that cannot, and return what it complains of: one error, no traceback, code 1."""
    with host.server(*options) as server:
        assert server.code() == 1
        assert "Traceback" not in server.output
        assert "ERROR: " in server.output
        return server.output


def test_a_taken_port_is_named(host):
    with socket.socket() as taken:
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


def test_a_damaged_store_is_told_and_not_served(host):
    with host.server("--auto-format") as server:
        server.ready()
    for path in (host.folder / "daos0" / "control_raft").glob("*.sqlite*"):
        path.write_bytes(b"not a database" * 1000)
    assert "the management service's store cannot be used" in refused(host)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="mounting needs root")
def test_as_root_storage_is_a_tmpfs_that_outlives_the_server(host):
    host.prefix = []
    mounts = host.folder / "mounts"
    # A mount namespace of its own, kept by the first process in it, so that nothing stays mounted after the test.
    keeper = subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sleep", "1000"])
    try:
        host.prefix = ["nsenter", "--mount", f"--target={keeper.pid}"]
        with host.server("--auto-format") as server:
            server.ready()
            mounts.write_bytes(Path(f"/proc/{keeper.pid}/mounts").read_bytes())
            assert f"tmpfs {host.folder}/daos0 tmpfs rw,noatime,size=4194304k" in mounts.read_text()
        with host.server() as server:
            server.ready()
            server.shows("format required", 0)
            assert "plain directories" not in server.output
        subprocess.run([*host.prefix, "umount", host.folder / "daos1"], check=True)
        with host.server() as server:
            server.shows("SCM format required on instance 1")
            server.shows(STARTED)
    finally:
        keeper.kill()
        keeper.wait()
