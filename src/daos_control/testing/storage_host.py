"""A storage host as processes: one ``daos_server`` with emulated engines, in a folder, for tests that kill things.

::

    host = StorageHost(folder)
    with host.server("--auto-format") as server, host.client() as client:
        pids = server.ready()

Nothing is mounted, and no process outlives the block. ``StorageHost.config`` may be changed between servers.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import yaml

from daos_control.client.sync import SyncDaosClient

PROGRAMS = Path(sys.executable).parent
STARTED = r"DAOS I/O Engine.*process [0-9]+ started on"
PATIENCE_S = 40


class StorageHost:
    """A storage host in a folder, which must have a short path: its configuration, and what runs from it.

    ``beside`` is the host whose system it belongs to; that one has the management service. Hosts of one system have
    loopback addresses of their own, by their ``number``, and the same port.
    """

    def __init__(self, folder: Path, *, engines: int = 2, number: int = 1, beside: "StorageHost | None" = None) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        (folder / "run").mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "daos_engine").symlink_to(PROGRAMS / "daos_engine_emulator")
        port, *ports = reserved_ports(self, 1 + engines)
        self.port: int = beside.port if beside else port
        self.address = f"127.0.0.{number}"
        replica = beside.address if beside else self.address
        self.config: dict[str, Any] = {
            "name": "daos_server",
            "mgmt_svc_replicas": [f"{replica}:{self.port}"],
            "port": self.port,
            "provider": "ofi+tcp",
            "socket_dir": str(folder / "run"),
            "system_ram_reserved": 1,
            "disable_hugepages": True,
            "engine_auto_restart_min_delay": 1,
            "fault_path": f"/h{number}",
            "transport_config": {"allow_insecure": True},
            "engines": [
                {
                    "targets": 1,
                    "first_core": 0,
                    "fabric_iface": "lo",
                    "fabric_iface_port": port,
                    "log_file": str(folder / f"engine{index}.log"),
                    "env_vars": ["DAOS_MD_CAP=128"],  # MiB of a pool service's replica: many fit
                    "storage": [{"class": "ram", "scm_size": 4, "scm_mount": str(folder / f"daos{index}")}],
                }
                for index, port in enumerate(ports)
            ],
        }
        self.prefix: list[str] = without_mounting()
        """Words before the server's command."""

    @contextlib.contextmanager
    def server(self, *options: str) -> Iterator["Server"]:
        """Run a server for the length of a block."""
        server = self.start(*options)
        try:
            yield server
        finally:
            server.end()

    def start(self, *options: str) -> "Server":
        """Start a server, which is the caller's to end. It serves on its own address alone if there are others."""
        self.server_config()
        output = self.folder / "out.txt"
        with output.open("w") as file:
            return Server(self, self._start(options, file), output)

    def server_config(self) -> Path:
        """Write the server's configuration, and return its path."""
        path = self.folder / "daos_server.yml"
        path.write_text(yaml.safe_dump(self.config))
        return path

    def client(self) -> SyncDaosClient:
        """Make a client of this host's system."""
        return SyncDaosClient.from_config(self.control_config())

    def control_config(self) -> Path:
        """Write the configuration of a client, and return its path."""
        config = {"hostlist": [self.address], "port": self.port, "transport_config": {"allow_insecure": True}}
        path = self.folder / "daos_control.yml"
        path.write_text(yaml.safe_dump(config))
        return path

    def tell_engine(self, index: int, command: str) -> None:
        """Give an emulated engine a command of its script language, which must be accepted."""
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.settimeout(PATIENCE_S)
            visitor.connect(str(self.folder / "run" / f"emulator_{index}.sock"))
            visitor.sendall(f"{command}\n".encode())
            answer = visitor.recv(4096).decode().strip()
        if answer != "ok":
            raise AssertionError(f"engine {index} answered {command!r} with {answer!r}")

    def _start(self, options: Sequence[str], output: IO[str]) -> "subprocess.Popen[bytes]":
        arguments = [str(PROGRAMS / "daos_server"), "start", "-o", str(self.folder / "daos_server.yml"), *options]
        environment = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        return subprocess.Popen([*self.prefix, *arguments], stdout=output, stderr=output, env=environment)


class Server:
    """A running daos_server."""

    def __init__(self, host: StorageHost, process: "subprocess.Popen[bytes]", output: Path) -> None:
        self.host = host
        self.process = process
        self._output = output

    @property
    def output(self) -> str:
        """What it has printed."""
        return self._output.read_text()

    def counts(self, pattern: str) -> int:
        """Count what was printed."""
        return len(re.findall(pattern, self.output))

    def shows(self, pattern: str, times: int = 1) -> None:
        """Wait until a pattern was printed that often; more often is wrong."""
        until(lambda: self.counts(pattern) >= times, lambda: f"{pattern!r} {times} times in:\n{self.output}")
        if (found := self.counts(pattern)) != times:
            raise AssertionError(f"{pattern!r} was printed {found} times, not {times}:\n{self.output}")

    def ready(self) -> list[int]:
        """Wait until all engines serve; return their pids by instance."""
        self.shows(STARTED, len(self.host.config["engines"]))
        found = re.findall(r"daos_engine:(\d+) DAOS I/O Engine.*process (\d+) started", self.output)
        return [int(pid) for _, pid in sorted(found)]

    def code(self) -> int:
        """Wait for its end; return its exit code."""
        return self.process.wait(PATIENCE_S)

    def end(self) -> None:
        """Kill it and what it started."""
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


def reserved_ports(owner: object, count: int) -> list[int]:
    """Return so many ports of 127.0.0.1 that the system gives to nobody who asks for just any, as long as ``owner`` is.

    They are bound and not listened at: whoever asks for one of them by its number, as servers do, can have it.
    """
    ports = []
    for _ in range(count):
        holder = socket.socket()
        weakref.finalize(owner, holder.close)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        ports.append(holder.getsockname()[1])
    return ports


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that have not been reaped."""
    with contextlib.suppress(FileNotFoundError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def runs(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def gone(pids: list[int]) -> None:
    """Wait until none of these processes lives."""
    until(lambda: not any(runs(pid) for pid in pids), lambda: f"the end of {pids}")


def until(condition: Callable[[], bool], what: Callable[[], str], *, patience_s: float = PATIENCE_S) -> None:
    """Wait for what other processes do; ``what`` says what was waited for in vain."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what()}")
        time.sleep(0.02)
