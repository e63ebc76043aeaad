"""A machine of its own for genuine DAOS 2.8 programs, and whole systems on it that mix them with ours.

``DAOS_GENUINE`` names the prefix that DAOS 2.8 is installed in; without it, or without root, these tests are skipped.
Processes run in private network, mount, process and IPC namespaces: they can use DAOS's own ports and paths, and the
kernel ends every one of them with the first.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

OURS = Path(sys.executable).parent
PATIENCE_S = 300
INTERFACE = "eth0"
FORMAT_REQUIRED = r"(SCM format required)(?!;)"
STARTED = r"DAOS I/O Engine.*process [0-9]+ started on"

ON_A_SMALL_MACHINE = (
    "D_LOG_FILE_APPEND_PID=0",
    "DAOS_TARGET_OVERSUBSCRIBE=1",
    "DAOS_MD_CAP=128",  # MiB of a pool service's replica
    "DAOS_SCHED_RELAX_INTVL=5",  # ms that an idle engine waits for requests at a time
)
"""Environment of engines of which several share two cores and some memory."""
OPENS_A_POOL = """
import ctypes, signal, sys
_, library, pool = sys.argv
daos = ctypes.CDLL(library)
handle = ctypes.c_uint64()
READ_WRITE = 2
assert daos.daos_init() == 0
assert daos.daos_pool_connect2(pool.encode(), None, READ_WRITE, ctypes.byref(handle), None, None) == 0
print("it is open", flush=True)
signal.pause()
"""
"""A program for the genuine client library."""


class Machine:
    """Private namespaces, with an address in a network that is shared with the machines added to a first one."""

    def __init__(self, *, first: "Machine | None" = None, number: int = 1) -> None:
        self.address = f"10.98.0.{number}"
        namespaces = ["unshare", "--net", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        script = "mount -t sysfs sysfs /sys && ip link set lo up && echo up && exec sleep infinity"
        self._first = subprocess.Popen([*namespaces, "sh", "-c", script], stdout=subprocess.PIPE, text=True)
        try:
            self._set_up(first or self, number)
        except BaseException:
            self.end()
            raise

    def _set_up(self, hub: "Machine", number: int) -> None:
        assert self._first.stdout is not None
        assert self._first.stdout.readline() == "up\n"
        [self._pid] = children(self._first.pid)
        if hub is self:
            self._ip("link add br0 type bridge")
            self._ip("link set br0 up")
        hub._ip(f"link add port{number} type veth peer name {INTERFACE} netns {self._pid}")
        hub._ip(f"link set port{number} master br0 up")
        self._ip(f"address add {self.address}/24 dev {INTERFACE}")
        self._ip(f"link set {INTERFACE} up")

    def _ip(self, words: str) -> None:
        subprocess.run([*self.entering("--net"), "ip", *words.split()], check=True)

    def entering(self, *namespaces: str) -> list[str]:
        """Return words to put before a command so that it runs here."""
        return ["nsenter", f"--target={self._pid}", *(namespaces or ("--net", "--mount", "--pid", "--ipc")), "--"]

    def end(self) -> None:
        self._first.kill()
        self._first.wait()
        assert self._first.stdout is not None
        self._first.stdout.close()


@dataclass(frozen=True, kw_only=True)
class Programs:
    """Which programs a system is made of."""

    server: Path
    engine: Path
    agent: Path
    dmg: Path


class Process:
    """A daemon, with what it has printed."""

    def __init__(self, machine: Machine, words: Sequence[object], output: Path, environment: dict[str, str]) -> None:
        self._output = output
        self._from = output.stat().st_size if output.exists() else 0
        with output.open("a") as file:
            self._process = subprocess.Popen(
                [*machine.entering(), *map(str, words)],
                stdout=file,
                stderr=file,
                stdin=subprocess.DEVNULL,
                env=environment,
            )

    @property
    def output(self) -> str:
        return self._output.read_bytes()[self._from :].decode(errors="replace")

    @property
    def pid(self) -> int:
        """Of the program itself; nsenter waits for it."""
        [pid] = children(self._process.pid)
        return pid

    def shows(self, pattern: str, times: int = 1) -> None:
        """Wait until a pattern was printed that often; more often is wrong."""

        def shown() -> bool:
            assert self._process.poll() is None, f"ended before {pattern!r}:\n{self.output}"
            return self.counts(pattern) >= times

        until(shown, lambda: f"{pattern!r} {times} times in:\n{self.output}")
        assert self.counts(pattern) == times

    def counts(self, pattern: str) -> int:
        return len(re.findall(pattern, self.output))

    def send(self, number: int) -> int:
        """Send a signal that ends it, and wait; return its exit code."""
        os.kill(self.pid, number)
        return self.end()

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it do nothing meanwhile; nsenter stops with the program that it waits for."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)
            self._process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Wait for its end; return its exit code."""
        return self._process.wait(PATIENCE_S)


class Host:
    """A storage host: its machine, its folder, its server."""

    def __init__(
        self,
        system: "MixedSystem",
        machine: Machine,
        name: str,
        *,
        engines: int,
        targets: int,
        settings: dict[str, Any],
    ) -> None:
        self.settings = settings
        """Of its configuration, beside the usual ones."""
        self.system = system
        self.machine = machine
        self.folder = system.folder / name
        self.engines = engines
        self._targets = targets
        self.programs = system.programs
        self.environment: dict[str, str] = {}
        """What its server has more in its environment."""
        self.server: Process
        for part in ("sock", "bin"):
            (self.folder / part).mkdir(parents=True)

    @property
    def address(self) -> str:
        return f"{self.machine.address}:10001"

    def start(self) -> Process:
        """Start the server, wherever it gets from there."""
        config = self.folder / "daos_server.yml"
        config.write_text(yaml.safe_dump(self._config()))
        return self.start_with(config)

    def start_with(self, config: Path) -> Process:
        """Start the server with a configuration of any kind."""
        engine = self.folder / "bin" / "daos_engine"
        engine.unlink(missing_ok=True)
        engine.symlink_to(self.programs.engine)
        path = f"{engine.parent}:{self.programs.server.parent}:{os.environ['PATH']}"
        self.server = Process(
            self.machine,
            [self.programs.server, "start", "-o", config],
            self.folder / "daos_server.out",
            {**os.environ, "PATH": path, **self.environment},
        )
        return self.server

    def start_unformatted(self) -> None:
        """Start the server and wait until all its engines wait for a format."""
        self.start().shows(FORMAT_REQUIRED, self.engines)

    def stop(self, number: int) -> int:
        return self.server.send(number)

    def lose_storage(self) -> None:
        """Have the host die, and with it what its engines hold."""
        engines = self.engine_pids()
        self.stop(signal.SIGKILL)
        self.system.are_gone(engines)
        for index in range(self.engines):
            self._unmount(self.folder / f"daos{index}")

    def _unmount(self, folder: Path) -> None:
        """Unmount as soon as the last thread of the last user has ended."""
        said: list[str] = []

        def unmounted() -> bool:
            words = [*self.machine.entering(), "umount", str(folder)]
            ran = subprocess.run(words, capture_output=True, text=True, check=False)
            said[:] = [ran.stderr]
            return ran.returncode == 0

        until(unmounted, lambda: f"{folder} to be unmounted: {said}")

    def engine_pids(self) -> list[int]:
        return [pid for pid in children(self.server.pid) if any("daos_engine" in word for word in command(pid)[:2])]

    def engine_pid(self, index: int) -> int:
        """Of one engine, which its server told its index."""
        [pid] = [pid for pid in self.engine_pids() if ("-I", str(index)) in pairwise(command(pid))]
        return pid

    def _config(self) -> dict[str, Any]:
        return {
            "name": "daos_server",
            "mgmt_svc_replicas": [self.system.hosts[0].address],
            "port": 10001,
            "provider": "ofi+tcp",
            "socket_dir": str(self.folder / "sock"),
            "fault_path": f"/{self.folder.name}",
            "disable_hugepages": True,
            "system_ram_reserved": 1,
            "control_log_mask": "INFO",
            "control_log_file": str(self.folder / "daos_server.log"),
            "helper_log_file": str(self.folder / "helper.log"),
            "transport_config": self.system.transport("server"),
            "engines": [self._engine(index) for index in range(self.engines)],
            **self.settings,
        }

    def _engine(self, index: int) -> dict[str, Any]:
        return {
            "targets": self._targets,
            "nr_xs_helpers": 0,
            "first_core": 0,
            "fabric_iface": INTERFACE,
            "fabric_iface_port": 20000 + 100 * index,
            "log_mask": "ERR",
            "log_file": str(self.folder / f"engine{index}.log"),
            "env_vars": list(ON_A_SMALL_MACHINE),
            "storage": [
                {
                    "class": "ram",
                    "scm_size": 4,
                    "scm_mount": str(self.folder / f"daos{index}"),
                    "scm_hugepages_disabled": True,
                }
            ],
        }


class MixedSystem:
    """A system of one or more hosts, an agent and an administrator, made of any mixture of programs."""

    def __init__(self, folder: Path, prefix: Path, certificates: Path | None) -> None:
        genuine = prefix / "bin"
        self.folder = folder
        self.ours = Programs(
            server=OURS / "daos_server",
            engine=OURS / "daos_engine_emulator",
            agent=OURS / "daos_agent",
            dmg=OURS / "dmg",
        )
        self.genuine = Programs(
            server=genuine / "daos_server",
            engine=genuine / "daos_engine",
            agent=genuine / "daos_agent",
            dmg=genuine / "dmg",
        )
        self.programs = replace(self.ours, engine=self.genuine.engine)
        self._daos = genuine / "daos"
        self._certificates = certificates
        self._machines: list[Machine] = []
        self._others: list[Process] = []
        self.hosts: list[Host] = []

    def add_host(self, *, engines: int = 1, targets: int = 1, **settings: object) -> Host:
        """Add a host; the first one holds the management service."""
        number = len(self._machines) + 1
        self._machines.append(Machine(first=self._machines[0] if self._machines else None, number=number))
        host = Host(self, self._machines[-1], f"h{number}", engines=engines, targets=targets, settings=settings)
        self.hosts.append(host)
        return self.hosts[-1]

    def bring_up(self, *, engines: int = 1, **settings: object) -> Host:
        """Start one more host, format it, and wait until all engines have joined."""
        host = self.add_host(engines=engines, **settings)
        host.start_unformatted()
        self.dmg("storage", "format", "-l", host.address)
        host.server.shows(STARTED, engines)
        self.all_joined(sum(host.engines for host in self.hosts))
        return host

    def start_agent(self, **settings: object) -> Process:
        folder = self.folder / "agent"
        folder.mkdir()
        config = {
            "name": "daos_server",
            "access_points": [self.hosts[0].address],
            "port": 10001,
            "runtime_dir": str(folder),
            "log_file": str(folder / "daos_agent.log"),
            "fabric_ifaces": [{"numa_node": 0, "devices": [{"iface": INTERFACE, "domain": INTERFACE}]}],
            "transport_config": self.transport("agent"),
            **settings,
        }
        (folder / "daos_agent.yml").write_text(yaml.safe_dump(config))
        words = [self.programs.agent, "start", "-o", folder / "daos_agent.yml"]
        agent = Process(self._machines[0], words, folder / "daos_agent.out", dict(os.environ))
        self._others.append(agent)
        agent.shows("listening on ")
        return agent

    def dmg(self, *words: str, program: Path | None = None, code: int = 0) -> str:
        """Run dmg; return what it printed."""
        config = self.folder / "daos_control.yml"
        hosts = [host.address for host in self.hosts]
        document = {"name": "daos_server", "hostlist": hosts, "transport_config": self.transport("admin")}
        config.write_text(yaml.safe_dump(document))
        return self._run([program or self.programs.dmg, "-o", config, *words], code)

    def ask(self, *words: str, program: Path | None = None, code: int = 0) -> dict[str, Any]:
        """Run dmg with --json; return the whole document."""
        document: dict[str, Any] = json.loads(self.dmg("--json", *words, program=program, code=code))
        return document

    def answer(self, *words: str, program: Path, patience_s: float = PATIENCE_S) -> tuple[int, dict[str, Any]]:
        """Run dmg with --json whatever comes of it; return its exit code and document."""
        ran = self._ran([program, "-o", self.folder / "daos_control.yml", "--json", *words], patience_s)
        return ran.returncode, json.loads(ran.stdout)

    def members(self) -> list[dict[str, Any]]:
        return list(self.ask("system", "query")["response"]["members"] or [])

    def until_states_are(self, *states: str) -> None:
        """Wait until the members, by rank, are in these states."""

        def there() -> bool:
            return tuple(member["state"] for member in self.members()) == states

        until(there, lambda: f"the states {states}; there are {self.members()}")

    def disabled_ranks(self, pool: str) -> list[int]:
        return list(self.ask("pool", "query", "--health-only", pool)["response"]["disabled_ranks"] or [])

    def until_disabled_ranks_are(self, pool: str, *ranks: int) -> None:
        """Wait until a pool does without these ranks, and no others."""
        until(
            lambda: self.disabled_ranks(pool) == list(ranks),
            lambda: f"pool {pool} to do without {ranks}; it does without {self.disabled_ranks(pool)}",
        )

    def all_joined(self, count: int) -> None:
        def joined() -> bool:
            return [member["state"] for member in self.members()] == ["joined"] * count

        until(joined, lambda: f"{count} members to join; there are {self.members()}")

    def daos(self, *words: object, code: int = 0) -> str:
        """Run the genuine ``daos``, a client of the agent."""
        return self._run([self._daos, *words], code)

    def open_pool(self, pool: str) -> Process:
        """Start a genuine client that opens a pool, and return it when it has; it keeps it open to its end."""
        library = self._daos.parent.parent / "lib64" / "libdaos.so"
        words = [sys.executable, "-c", OPENS_A_POOL, library, pool]
        client = Process(self._machines[0], words, self.folder / "client.out", self._environment)
        self._others.append(client)
        client.shows("it is open")
        return client

    def have_rejoined(self, before: list[dict[str, Any]]) -> None:
        """Wait until each of these members has joined in a later life, as who it was."""

        def rejoined() -> bool:
            return all(_is_later_life(now, old) for now, old in zip(self.members(), before, strict=True))

        until(rejoined, lambda: f"{before} to join again; there are {self.members()}")

    def are_gone(self, pids: Sequence[int]) -> None:
        """Wait until none of these processes runs."""
        until(lambda: not any(runs(pid) for pid in pids), lambda: f"the end of {pids}")

    def segments(self) -> set[int]:
        """Return the keys of all shared memory on the first host's machine."""
        _, *rows = self._run(["cat", "/proc/sysvipc/shm"], 0).splitlines()
        return {int(row.split()[0]) for row in rows}

    def until(self, condition: Callable[[], bool], what: Callable[[], str], *, patience_s: float = PATIENCE_S) -> None:
        """Wait until something is so; ``what`` describes it if that is in vain."""
        until(condition, what, patience_s=patience_s)

    def until_segments_are(self, keys: set[int]) -> None:
        until(lambda: self.segments() == keys, lambda: f"{keys} alone to remain of {self.segments()}")

    def serve(self, words: Sequence[object], ready: str) -> Process:
        """Start any daemon on the first host, and wait until it says that it is ready."""
        daemon = Process(self._machines[0], words, self.folder / "daemon.out", dict(os.environ))
        self._others.append(daemon)
        daemon.shows(ready)
        return daemon

    def run(self, *words: object, code: int = 0) -> str:
        """Run any program on the first host; return what it printed."""
        return self._run(words, code)

    def daos_metrics(self, *words: object) -> str:
        """Run the genuine ``daos_metrics`` on the first host."""
        return self._run([self._daos.with_name("daos_metrics"), *words], 0)

    def transport(self, component: str) -> dict[str, Any]:
        if self._certificates is None:
            return {"allow_insecure": True}
        certificates = {
            "ca_cert": str(self._certificates / "daosCA.crt"),
            "cert": str(self._certificates / f"{component}.crt"),
            "key": str(self._certificates / f"{component}.key"),
        }
        if component == "server":
            certificates["client_cert_dir"] = str(self._certificates / "clients")
        return certificates

    def end(self) -> None:
        for machine in self._machines:
            machine.end()
        for process in (*self._others, *(host.server for host in self.hosts if hasattr(host, "server"))):
            process.end()

    def _run(self, words: Sequence[object], code: int) -> str:
        ran = self._ran(words)
        assert ran.returncode == code, f"{words} ended with {ran.returncode}:\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def _ran(self, words: Sequence[object], patience_s: float = PATIENCE_S) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._machines[0].entering(), *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=patience_s,
            env=self._environment,
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": f"{self._daos.parent}:{os.environ['PATH']}",  # genuine programs look for each other there
            "DAOS_AGENT_DRPC_DIR": str(self.folder / "agent"),
            "D_LOG_MASK": "CRIT",
        }


def children(pid: int) -> list[int]:
    """Return the children of all threads of a process."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):
            found += [int(word) for word in task.read_text().split()]
    return found


def _is_later_life(now: dict[str, Any], old: dict[str, Any]) -> bool:
    same = (now["rank"], now["uuid"]) == (old["rank"], old["uuid"])
    return bool(same and now["state"] == "joined" and now["incarnation"] > old["incarnation"])


def runs(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def command(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def until(condition: Callable[[], bool], what: Callable[[], str], *, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what()}"
        time.sleep(0.1)


@pytest.fixture
def genuine() -> Path:
    """The prefix of an installation of DAOS 2.8."""
    prefix = os.environ.get("DAOS_GENUINE")
    if not prefix:
        pytest.skip("DAOS_GENUINE names no installation of DAOS 2.8")
    if os.geteuid() != 0:
        pytest.skip("private namespaces and tmpfs need root")
    return Path(prefix)


@pytest.fixture
def mixed_systems() -> Iterator[Callable[[Path, Path | None], MixedSystem]]:
    """Make systems of an installation's programs and ours, with certificates or without."""
    with contextlib.ExitStack() as stack:

        def make(prefix: Path, certificates: Path | None) -> MixedSystem:
            folder = Path("/tmp") / f"mix{os.getpid()}-{time.monotonic_ns() % 10**6}"  # socket paths must be short
            folder.mkdir()
            stack.callback(shutil.rmtree, folder)
            system = MixedSystem(folder, prefix, certificates)
            stack.callback(system.end)
            return system

        yield make


@pytest.fixture(params=["insecure", "certificates"])
def mixed(request: pytest.FixtureRequest, genuine: Path, certificates: Path, mixed_systems) -> MixedSystem:
    """A system to be made of genuine programs and ours, without certificates and with ours."""
    return mixed_systems(genuine, certificates if request.param == "certificates" else None)
