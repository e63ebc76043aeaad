"""The way up and down: from a wish to a running system with a pool, told step by step.

What already runs or exists is left alone, so the same call finishes an interrupted start, restarts what
was killed, and does nothing to a healthy lab.
"""

import asyncio
import fcntl
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import yaml

from daos_control.apps.lab import processes
from daos_control.apps.lab.plan import CONTROL_PORT, Host, Place, Plan, Wish, place_number, refuse_mixture
from daos_control.apps.lab.processes import Engine
from daos_control.apps.lab.records import FILE_NAME, Lab
from daos_control.base.aio import map_bounded
from daos_control.base.errors import DaosControlError, Fault, ServiceUnavailable
from daos_control.base.rankset import RankSet
from daos_control.client import DaosClient
from daos_control.client.errors import ManagementServiceUnreachable
from daos_control.client.pool_size import Total
from daos_control.model.member_state import MemberState
from daos_control.security.authority import issue_certificates

FIRST_POOL = "tank"
PLACES = 100
START_LIMIT_S = 60.0
START_LIMIT_GENUINE_S = 300.0
"""Genuine engines start one after another on few cores: each polls its network without pause."""
STOP_GRACE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that begins, or, with ``done``, what came of it."""

    title: str
    done: str = ""


async def up(folder: Path, wish: Wish, *, pool_bytes: int) -> AsyncIterator[Step]:
    """Bring the lab in ``folder`` up; raises Fault saying which log to read when a part does not start."""
    lab = await asyncio.to_thread(_take_place, folder, wish)
    plan = lab.plan
    yield Step(title="Configuration")
    await asyncio.to_thread(_write_files, plan)
    yield Step(title="Configuration", done=f"{plan.extent} below {folder}")
    if not wish.insecure and not plan.certificates.exists():
        yield Step(title="Certificates")
        await asyncio.to_thread(issue_certificates, plan.certificates)
        yield Step(title="Certificates", done="authority, server, agent and admin: mutual TLS everywhere")
    yield Step(title="Servers")
    processes.send(processes.frozen(lab), signal.SIGCONT)
    dead = [engine for engine in processes.engines(lab) if engine.process is None]
    lab, started = await _start_servers(lab)
    more = f" to {plan.hosts[-1].address}" if len(plan.hosts) > 1 else ""
    yield Step(title="Servers", done=f"listening on {plan.hosts[0].address}{more}")
    lab = _start_agent(lab)  # it needs nobody before it is asked, and gets ready while ranks join
    async with DaosClient.from_config(plan.control_config_path) as client:
        yield Step(title="Ranks")
        await _start_engines(lab, client, dead, starting=started)
        await _all_joined(lab, client, dead)
        yield Step(title="Ranks", done=f"storage formatted, {f'all {plan.ranks}' if plan.ranks > 1 else '1'} joined")
        yield Step(title="Agent")
        await _until(lambda: _accepts(_agent_socket(plan)), lab, "agent", plan.agent_folder / "daos_agent.out")
        yield Step(title="Agent", done="answers on " + str(_agent_socket(plan)))
        if pool_bytes and not (await client.pools.list(query=False)).pools:
            yield Step(title="Pool")
            created = await client.pools.create(FIRST_POOL, Total(total_bytes=pool_bytes))
            yield Step(title="Pool", done=f"{FIRST_POOL} on ranks {RankSet(created.tgt_ranks)}")


async def down(lab: Lab, *, keep: bool) -> None:
    """Stop every process of the lab and, unless ``keep``, remove its mounts and files."""
    engines = [engine.process for engine in processes.engines(lab) if engine.process]
    running = [process for process in lab.processes.values() if process.is_running]
    await processes.end(running, grace_s=STOP_GRACE_S)
    await processes.end(engines, grace_s=STOP_GRACE_S)
    replace(lab, processes={}).save()
    if not keep:
        await asyncio.to_thread(_remove, lab)


def _take_place(folder: Path, wish: Wish) -> Lab:
    """Return the lab of this folder, or found one in a place that no other lab uses."""
    existing = Lab.load(folder)
    if existing is not None:
        refuse_mixture(existing.wish, wish)
        existing.place.run.mkdir(parents=True, exist_ok=True)
        return existing
    folder.mkdir(parents=True, exist_ok=True)
    runs = _runs_folder()
    with _one_at_a_time(runs):
        for number in range(PLACES):
            place = place_number(number, folder, runs)
            if _is_free(place, wish):
                place.run.mkdir()
                (place.run / "folder").write_text(str(folder))
                lab = Lab(wish=wish, place=place)
                lab.save()
                return lab
    raise Fault(
        "lab",
        0,
        f"all {PLACES} places for labs on this machine are taken",
        resolution=f"end labs you no longer need with 'daos_lab --dir DIR down'; {runs}/*/folder name their folders",
    )


def _runs_folder() -> Path:
    """Return a short private folder of this user: sockets live below it."""
    runs = Path("/tmp") / f"daos_lab-{os.geteuid()}"  # noqa: S108 - owner and mode are checked below
    runs.mkdir(mode=0o700, exist_ok=True)
    if runs.is_symlink() or runs.stat().st_uid != os.geteuid():
        raise Fault("lab", 0, f"{runs} belongs to somebody else", resolution="have it removed; labs keep sockets there")
    return runs


@contextmanager
def _one_at_a_time(runs: Path) -> Iterator[None]:
    """Keep two labs that start together from taking the same place."""
    descriptor = os.open(runs / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _is_free(place: Place, wish: Wish) -> bool:
    """Tell whether no lab lives here, and nobody else listens on its addresses."""
    if place.run.exists():
        owner = place.run / "folder"
        if owner.exists() and Lab.load(Path(owner.read_text())) is not None:
            return False
        shutil.rmtree(place.run)
    addresses = [(f"{place.network}.{number + 1}", CONTROL_PORT) for number in range(wish.hosts)]
    ports = range(place.first_fabric_port, place.first_fabric_port + wish.fabric_ports)
    return all(map(_can_bind, addresses)) and all(_can_bind(("127.0.0.1", port)) for port in ports)


def _can_bind(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


def _write_files(plan: Plan) -> None:
    for host in plan.hosts:
        for folder in (host.folder, *host.storage, plan.place.run / host.name):
            folder.mkdir(parents=True, exist_ok=True)
        _write(host.config_path, dict(host.config))
    for folder in (plan.agent_folder, plan.place.run / "agent", plan.programs):
        folder.mkdir(parents=True, exist_ok=True)
    _write(plan.agent_folder / "daos_agent.yml", dict(plan.agent_config))
    _write(plan.control_config_path, dict(plan.control_config))
    engine = plan.programs / "daos_engine"
    engine.unlink(missing_ok=True)
    engine.symlink_to(plan.wish.engine or processes.program("daos_engine_emulator"))


def _write(path: Path, document: dict[str, object]) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False))


async def _start_servers(lab: Lab) -> tuple[Lab, list[Host]]:
    """Start the servers that do not run; return which those were."""
    started: list[Host] = []
    for host in lab.plan.hosts:
        process = lab.processes.get(host.name)
        if process is None or not process.is_running:
            lab = _start(lab, host.name, _server_arguments(lab, host), host.folder / "daos_server.out")
            started.append(host)
    # Also those that run: they may have been started a moment ago, by somebody else.
    await map_bounded(len(lab.plan.hosts), partial(_listening, lab), lab.plan.hosts)
    return lab, started


async def _start_engines(lab: Lab, client: DaosClient, dead: list[Engine], *, starting: list[Host]) -> None:
    """Have engines started that died under a living server; servers that are ``starting`` see to their own."""
    starts_itself = {host.name for host in starting}
    ranks = [engine.rank for engine in dead if engine.rank is not None and engine.host not in starts_itself]
    if not ranks:
        return

    async def ordered() -> bool:
        try:
            await client.system.start(ranks=ranks)
        except (ServiceUnavailable, ManagementServiceUnreachable):
            return False  # The service is on its way up itself.
        return True

    await _eventually(ordered, lab, f"{RankSet(ranks)} could not be started")


def _server_arguments(lab: Lab, host: Host) -> list[str]:
    server = processes.program("daos_server")
    arguments = [server, "start", "-o", str(host.config_path), "--control-address", host.address, "--auto-format"]
    if lab.wish.engine and os.geteuid() == 0:
        # Genuine engines of one index share System V keys; an IPC namespace for each host keeps them apart.
        return [shutil.which("unshare") or "/usr/bin/unshare", "--ipc", *arguments]
    return arguments


def _start_agent(lab: Lab) -> Lab:
    process = lab.processes.get("agent")
    if process is not None and process.is_running:
        return lab
    folder = lab.plan.agent_folder
    arguments = [processes.program("daos_agent"), "start", "-o", str(folder / "daos_agent.yml")]
    return _start(lab, "agent", arguments, folder / "daos_agent.out")


def _start(lab: Lab, name: str, arguments: list[str], output: Path) -> Lab:
    path = f"{lab.plan.programs}:{os.environ.get('PATH', os.defpath)}"
    process = processes.spawn(arguments, output=output, environment={**os.environ, "PATH": path})
    lab = replace(lab, processes={**lab.processes, name: process})
    lab.save()
    return lab


def _agent_socket(plan: Plan) -> Path:
    return plan.place.run / "agent" / "daos_agent.sock"


async def _listening(lab: Lab, host: Host) -> None:
    await _until(lambda: _connects((host.address, CONTROL_PORT)), lab, host.name, host.folder / "daos_server.out")


_THERE = frozenset({MemberState.JOINED, MemberState.CHECKER_STARTED})


async def _all_joined(lab: Lab, client: DaosClient, dead: list[Engine]) -> None:
    """Wait until every rank of the plan has joined; a server that ends meanwhile ends the wait.

    A restarted service remembers ranks as joined that died with it: those count once they are there anew.
    """
    before = {engine.rank: engine.incarnation for engine in dead}

    async def joined() -> bool:
        try:
            members = (await client.system.query()).members
        except DaosControlError:
            return False  # The service starts once the first engine's storage is ready.
        there = [m for m in members if m.state in _THERE and m.incarnation > before.get(m.rank, 0)]
        return len(there) >= lab.plan.ranks

    await _eventually(joined, lab, f"not all {lab.plan.ranks} joined")


async def _eventually(done: Callable[[], Awaitable[bool]], lab: Lab, otherwise: str) -> None:
    """Wait until ``done``; a server that ends first, or the time limit, is a Fault that shows a log."""
    try:
        async with asyncio.timeout(START_LIMIT_GENUINE_S if lab.wish.engine else START_LIMIT_S):
            while not await done():
                for host in lab.plan.hosts:
                    _must_run(lab, host.name, host.folder / "daos_server.out")
                await asyncio.sleep(processes.POLL_S)
    except TimeoutError:
        missing = next((engine for engine in processes.engines(lab) if engine.process is None), None)
        host = lab.plan.hosts[0] if missing is None else lab.plan.host(missing.host) or lab.plan.hosts[0]
        raise _did_not_start("ranks", otherwise, host.folder / "daos_server.out") from None


async def _until(ready: Callable[[], bool], lab: Lab, name: str, log: Path) -> None:
    """Wait until ``ready`` says so; a process that ends first, or takes too long, is a Fault that shows its log."""
    try:
        async with asyncio.timeout(START_LIMIT_S):
            while not ready():
                _must_run(lab, name, log)
                await asyncio.sleep(processes.POLL_S)
    except TimeoutError:
        raise _did_not_start(name, f"is not ready after {START_LIMIT_S:.0f} s", log) from None


def _must_run(lab: Lab, name: str, log: Path) -> None:
    if not lab.processes[name].is_running:
        raise _did_not_start(name, "ended", log)


def _did_not_start(name: str, what: str, log: Path) -> Fault:
    try:
        last = log.read_text(errors="replace").splitlines()[-5:]
    except FileNotFoundError:
        last = []
    said = "".join(f"\n    {line}" for line in last)
    return Fault("lab", 0, f"{name} {what}; its last words:{said}", resolution=f"read {log}")


def _connects(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(address) == 0


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        return probe.connect_ex(str(path)) == 0


def _remove(lab: Lab) -> None:
    """Remove what the lab put there, and nothing else that may be in its folder."""
    plan = lab.plan
    for mount in _mounts_below(plan.place.folder):
        subprocess.run(["umount", str(mount)], check=True)
    for folder in (*(host.folder for host in plan.hosts), plan.agent_folder, plan.certificates, plan.programs):
        if folder.exists():
            shutil.rmtree(folder)
    for file in (plan.control_config_path, plan.simulation_log):
        file.unlink(missing_ok=True)
    for folder in (*plan.place.simulated_folders, plan.place.run):
        shutil.rmtree(folder, ignore_errors=True)
    (plan.place.folder / FILE_NAME).unlink()
    with suppress(OSError):  # Somebody keeps other files there.
        plan.place.folder.rmdir()


def _mounts_below(folder: Path) -> list[Path]:
    with Path("/proc/self/mounts").open() as mounts:
        points = [Path(line.split()[1]) for line in mounts]
    return sorted((point for point in points if folder in point.parents), reverse=True)
