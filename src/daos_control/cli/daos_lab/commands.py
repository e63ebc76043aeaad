"""The commands of daos_lab: call the lab, show what it says."""

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from daos_control.apps.lab import bringup, processes
from daos_control.apps.lab.plan import SIMULATION, Wish
from daos_control.apps.lab.records import Lab, Process
from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.units import parse_size
from daos_control.cli.daos_lab.steps import show_steps, two_columns
from daos_control.cli.flags import Values
from daos_control.cli.ui.errors import error_text
from daos_control.config.control import NAMED_BY


def command(run: Callable[[Values], int]) -> Callable[[Values], int]:
    """Make a command of a function that may raise."""

    @wraps(run)
    def guarded(values: Values) -> int:
        try:
            return run(values)
        except BrokenPipeError:  # whoever read has gone, which the program takes quietly
            raise
        except (DaosControlError, OSError) as error:
            return _complain(error)

    return guarded


@command
def up(values: Values) -> int:
    """Bring a lab up, then show the system as an administrator would see it."""
    folder = _folder(values)
    before = _own_lab(values)
    try:
        asked = _asked(values)
        wish = Wish(**asked) if before is None else before.wish.again(**asked)
        pool_bytes = parse_size(values.pool) if "pool" in values else wish.first_pool_bytes
    except ValueError as error:
        return _complain(str(error))
    began = time.monotonic()
    try:
        asyncio.run(show_steps(bringup.up(folder, wish, pool_bytes=pool_bytes)))
    except KeyboardInterrupt:
        return _complain("interrupted; 'daos_lab up' goes on where this stopped, 'daos_lab down' clears it away")
    lab = Lab.load(folder)
    if lab is None:
        return _complain("the lab was removed while it started: run 'daos_lab up' again")
    print(f"\nThe system is up after {time.monotonic() - began:.1f} s.")
    _demonstrate(lab, ["system", "query", "-v"])
    if before is not None:
        _demonstrate(lab, ["pool", "list"])
    elif pool_bytes:
        _demonstrate(lab, ["pool", "query", bringup.FIRST_POOL])
    print(_what_next(lab))
    return 0


@command
def sim(values: Values) -> int:
    """Simulate a large system, and stay until told to stop."""
    from daos_control.cli.daos_lab import simulation as lab_simulation

    try:
        wish = lab_simulation.wish_of(values)
    except ValueError as error:
        return _complain(error)
    running = lab_simulation.run(_folder(values), wish, suspect_s=float(values.suspect), witnesses=values.witnesses)
    return asyncio.run(running)


@command
def down(values: Values) -> int:
    """Stop a lab and clear it away."""
    lab = _own_lab(values)
    if lab is None:
        return _no_lab(values)
    try:
        asyncio.run(bringup.down(lab, keep=values.keep))
    except (OSError, TimeoutError, subprocess.CalledProcessError) as error:
        return _complain(f"{error}; run 'daos_lab down' again once that is mended")
    print(f"The lab in {lab.place.folder} is stopped{', its data kept' if values.keep else ' and removed'}.")
    return 0


@command
def status(values: Values) -> int:
    """Show every process of a lab; the exit code is 0 if all of them run."""
    lab = _lab(values)
    if lab is None:
        return _no_lab(values)
    engines = processes.engines(lab)
    print(f"{'Part':<8}{'Address':<16}{'Rank':>5}{'PID':>9}  State")
    all_run = True
    for host in lab.plan.hosts:
        server = lab.processes.get(host.name)
        all_run &= _print_row(host.name, host.address, None, server)
        for engine in engines:
            if engine.host == host.name:
                all_run &= _print_row(f"  e{engine.index}", "", engine.rank, engine.process)
    all_run &= _print_row("agent", "", None, lab.processes.get("agent"))
    if lab.wish.simulated:
        simulation = lab.processes.get(SIMULATION)
        all_run &= _print_row(SIMULATION, "", None, simulation)
        if simulation is not None and simulation.is_running:
            _order(lab, "status")
    return 0 if all_run else 1


@command
def logs(values: Values) -> int:
    """Show the end of the logs with tail(1), which knows how to follow files."""
    lab = _lab(values)
    if lab is None:
        return _no_lab(values)
    try:
        files = [path for path in _log_files(lab, values.target) if path.exists()]
    except LookupError as error:
        return _complain(error)
    if not files:
        return _complain("no logs yet: was the lab ever started?")
    if not values.follow and not any(path.stat().st_size for path in files):
        print(f"nothing yet in {', '.join(map(str, files))}", file=sys.stderr)
    sys.stdout.flush()
    follow = ["-F"] if values.follow else []
    try:
        return subprocess.run(
            ["tail", "-n", str(values.lines), *follow, "--", *map(str, files)], check=False
        ).returncode
    except KeyboardInterrupt:
        return 0


@command
def kill(values: Values) -> int:
    """Send SIGKILL; simulated hosts lose their power."""
    if lab := _simulation(values):
        return _order(
            lab, f"{'kill' if values.target[0].isdigit() and '.' not in values.target else 'off'} {values.target}"
        )
    return _signal(values, signal.SIGKILL, "killed")


@command
def pause(values: Values) -> int:
    """Send SIGSTOP; simulated hosts stop answering, in the way that was asked for."""
    if lab := _simulation(values):
        return _order(lab, f"{values.how} {values.target}")
    return _signal(values, signal.SIGSTOP, "frozen; 'daos_lab resume' lets it go on")


@command
def resume(values: Values) -> int:
    """Send SIGCONT; simulated hosts get their power back, and answer again."""
    if lab := _simulation(values):
        return _order(lab, f"on {values.target}") or _order(lab, f"heal {values.target}")
    return _signal(values, signal.SIGCONT, "goes on")


@command
def env(values: Values) -> int:
    """Print shell commands for eval."""
    lab = _lab(values)
    if lab is None:
        return _no_lab(values)
    programs = Path(sys.executable).parent
    print(f"export {NAMED_BY}={shlex.quote(str(lab.plan.control_config_path))}")
    print(f"export DAOS_AGENT_DRPC_DIR={shlex.quote(str(lab.place.run / 'agent'))}")
    print(f"export DAOS_LAB_DIR={shlex.quote(str(lab.place.folder))}")
    print(f'export PATH={shlex.quote(str(programs))}:"$PATH"')
    return 0


def _folder(values: Values) -> Path:
    return Path(values.dir or os.environ.get("DAOS_LAB_DIR") or ".daos_lab").absolute()


def _asked(values: Values) -> dict[str, Any]:
    """Return what was said of how a lab should be; raises ValueError if that cannot be."""
    asked = {name: getattr(values, name) for name in ("hosts", "engines", "targets", "insecure") if name in values}
    if values.engine:
        engine = Path(values.engine).resolve()
        if not (engine.is_file() and os.access(engine, os.X_OK)):
            raise ValueError(f"{values.engine} is no program: give the path of a daos_engine")
        asked["engine"] = str(engine)
    return asked


def _simulation(values: Values) -> Lab | None:
    """Return the lab if what it is asked about is simulated."""
    lab = _own_lab(values)
    if lab is None or not lab.wish.simulated or values.target in {"0", "agent"} or lab.plan.host(values.target):
        return None
    return lab


def _order(lab: Lab, line: str) -> int:
    """Have the running simulation do something, and print what came of it."""
    from daos_control.testing.simulation import remote

    print(asyncio.run(remote.ask(remote.socket_of(lab.plan), line)))
    return 0


def _lab(values: Values) -> Lab | None:
    return Lab.load(_folder(values))


def _own_lab(values: Values) -> Lab | None:
    """Return the lab to change something about it; raises Fault if it is another user's."""
    lab = _lab(values)
    if lab is not None:
        lab.must_be_ours()
    return lab


def _no_lab(values: Values) -> int:
    return _complain(f"no lab in {_folder(values)}: start one with 'daos_lab up', or name another with --dir")


def _complain(error: Exception | str) -> int:
    text = error_text(error) if isinstance(error, Exception) else error
    if isinstance(error, Fault) and error.domain == "lab":  # our own, with no number that anybody could look up
        text = error.description
    print(f"ERROR: daos_lab: {text}", file=sys.stderr)
    if isinstance(error, Fault) and error.resolution:
        print(f"ERROR: daos_lab: {error.resolution}", file=sys.stderr)
    return 1


def _demonstrate(lab: Lab, arguments: Sequence[str]) -> None:
    """Run dmg as a person would, showing the command and what it prints."""
    print(f"\n$ dmg {shlex.join(arguments)}", flush=True)
    subprocess.run([processes.program("dmg"), "-o", str(lab.plan.control_config_path), *arguments], check=False)


def _what_next(lab: Lab) -> str:
    program = os.path.relpath(processes.program("daos_lab"))
    where = "" if lab.place.folder == Path(".daos_lab").absolute() else f" -D {shlex.quote(str(lab.place.folder))}"
    return "\nWhat next:\n" + two_columns(
        (f'eval "$({program}{where} env)"', "so that plain dmg and daos_lab work in this shell"),
        ("dmg pool create --size 2GiB scratch", "another pool"),
        ("dmg system query", "who is there"),
        (f"daos_lab kill {min(3, lab.plan.ranks - 1)}; dmg system query", "what happens when an engine dies"),
        ("daos_lab logs h1 -f", "what a host is doing"),
        ("daos_lab down", "stop everything and clear it away"),
    )


def _print_row(name: str, address: str, rank: int | None, process: Process | None) -> bool:
    pid, state = "-", "not running"
    if process is not None and process.is_running:
        pid, state = str(process.pid), "frozen" if process.is_frozen else "running"
    shown_rank = "" if rank is None else str(rank)
    print(f"{name:<8}{address:<16}{shown_rank:>5}{pid:>9}  {state}")
    return state == "running"


def _log_files(lab: Lab, target: str | None) -> list[Path]:
    plan = lab.plan
    agent = [plan.agent_folder / "daos_agent.out"]
    if target is None:
        return [host.folder / "daos_server.out" for host in plan.hosts] + agent
    if target == "agent":
        return agent
    for engine in processes.engines(lab):
        if target == str(engine.rank):
            return [engine.log]
    if host := plan.host(target):
        return [host.folder / "daos_server.out", *sorted(host.folder.glob("*.log"))]
    names = ", ".join(host.name for host in plan.hosts)
    raise LookupError(f"no {target!r} in this lab: name a host ({names}), a rank, or agent")


def _signal(values: Values, number: signal.Signals, done: str) -> int:
    lab = _own_lab(values)
    if lab is None:
        return _no_lab(values)
    try:
        targets = processes.members(lab, values.target)
    except LookupError as error:
        return _complain(error)
    if not targets:
        return _complain(f"nothing of {values.target} is running; 'daos_lab up' starts what is missing")
    processes.send(targets, number)
    if number is signal.SIGKILL:  # the kernel takes its time; what comes next shall find them dead
        asyncio.run(processes.gone(targets))
    print(f"{values.target}: {done} (pid {', '.join(str(process.pid) for process in targets)})")
    return 0
