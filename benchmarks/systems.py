"""Running systems to measure: one host, one engine, one agent; ours in a lab, or the genuine one.

For a genuine system ``DAOS_GENUINE`` names the prefix that DAOS 2.8 is installed at. It needs root, its engine's
memory (4 GiB), and a machine that looks empty to it, so ``python -m benchmarks`` then moves into namespaces of its own.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import loads
from benchmarks.processes import POLL_S, answers, program, until_ready
from daos_control.apps.lab.records import Lab, children
from daos_control.security.authority import issue_certificates

PREFIX_VARIABLE = "DAOS_GENUINE"
_ISOLATED_VARIABLE = "DAOS_BENCH_ISOLATED"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Where a running system is reached, and whom to charge."""

    address: str
    server: int
    """Process id of its daos_server."""
    agent: int
    """Process id of its daos_agent."""
    agent_command: Sequence[str]
    agent_socket: Path
    dmg: Sequence[str]
    certificates: Path | None

    @property
    def engines(self) -> list[int]:
        """Process ids of its engines."""
        return children(self.server)

    @contextmanager
    def new_agent(self) -> Iterator[int]:
        """Put a new agent, which has nothing cached, in the place of the old one; gives its process id."""
        os.kill(self.agent, signal.SIGTERM)
        while answers(self.agent_socket):
            time.sleep(POLL_S)
        with until_ready(self.agent_command, lambda: answers(self.agent_socket)) as started:
            yield started.pid

    def administer(self, *arguments: str) -> None:
        """Run dmg; raises CalledProcessError if it fails."""
        subprocess.run([*self.dmg, *arguments], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def lab(*, hosts: int = 1, engines: int = 1, insecure: bool = False) -> Iterator[Lab]:
    """Bring a lab up in a folder of its own; it is removed on leaving."""
    with tempfile.TemporaryDirectory(prefix="daos-bench-") as scratch:
        folder = Path(scratch) / "lab"
        options = ["--hosts", str(hosts), "--engines", str(engines), "--targets", "1", "--pool", "0"]
        try:
            lab_command(folder, "up", *options, *["--insecure"] * insecure)
            yield the_lab(folder)
        finally:
            lab_command(folder, "down")


def lab_command(folder: Path, *arguments: str) -> None:
    """Run daos_lab for the lab in a folder; raises CalledProcessError if it fails."""
    subprocess.run([program("daos_lab"), "--dir", str(folder), *arguments], check=True, stdout=subprocess.DEVNULL)


def the_lab(folder: Path) -> Lab:
    """Return the lab in a folder; raises LookupError if there is none."""
    found = Lab.load(folder)
    if found is None:
        raise LookupError(f"no lab in {folder}")
    return found


@contextmanager
def ours(*, insecure: bool) -> Iterator[System]:
    """Run our own programs."""
    with lab(insecure=insecure) as running:
        plan = running.plan
        yield System(
            address=f"{plan.hosts[0].address}:10001",
            server=running.processes[plan.hosts[0].name].pid,
            agent=running.processes["agent"].pid,
            agent_command=[program("daos_agent"), "start", "-o", str(plan.agent_folder / "daos_agent.yml")],
            agent_socket=plan.place.run / "agent" / "daos_agent.sock",
            dmg=[program("dmg"), "-o", str(plan.control_config_path)],
            certificates=None if insecure else plan.certificates,
        )


def genuine_prefix() -> Path | None:
    """Return where DAOS 2.8 is installed, if we were told and can use it."""
    prefix = os.environ.get(PREFIX_VARIABLE)
    return Path(prefix) if prefix and os.geteuid() == 0 and loads.folder() else None


@contextmanager
def genuine(prefix: Path, *, insecure: bool) -> Iterator[System]:
    """Run DAOS 2.8's own programs, in the way of the load programs' own baseline."""
    with tempfile.TemporaryDirectory(prefix="daos-bench-") as scratch:
        run = Path(scratch) / "one"
        dmg = [str(prefix / "bin" / "dmg"), "-o", str(run / "daos_control.yml")]
        environment = {**os.environ, "BENCH_RUN": scratch}
        environment |= {f"BENCH_{name.upper()}": str(prefix / "bin" / f"daos_{name}") for name in ("server", "agent")}
        environment |= {"BENCH_DMG": dmg[0], "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}"}
        certificates = None
        if not insecure:
            certificates = Path(scratch) / "certs"
            issue_certificates(certificates)
            environment["BENCH_CERTS_DIR"] = str(certificates)
        script = ["bash", str(loads.required_folder() / "lab.sh")]
        try:
            subprocess.run([*script, "start", "one"], env=environment, check=True, stdout=subprocess.DEVNULL)
            yield System(
                address="127.0.0.1:10001",
                server=int((run / "server.pid").read_text()),
                agent=int((run / "agent.pid").read_text()),
                agent_command=[environment["BENCH_AGENT"], "start", "-o", str(run / "daos_agent.yml")],
                agent_socket=run / "agent" / "daos_agent.sock",
                dmg=dmg,
                certificates=certificates,
            )
        finally:
            subprocess.run([*script, "stop", "one", "wipe"], env=environment, check=True, stdout=subprocess.DEVNULL)


def isolate() -> None:
    """Start this program anew in its own network, mount, process and IPC namespaces, if a genuine system needs it."""
    if genuine_prefix() is None or _ISOLATED_VARIABLE in os.environ:
        return
    inside = ["sh", "-c", 'ip link set lo up; exec "$@"', "sh", sys.executable, "-m", "benchmarks", *sys.argv[1:]]
    unshare = ["unshare", "--net", "--mount", "--pid", "--ipc", "--fork", "--mount-proc", *inside]
    os.execvpe(unshare[0], unshare, {**os.environ, _ISOLATED_VARIABLE: "1"})
