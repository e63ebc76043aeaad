"""``daos_lab sim``: bring a simulated system up, show it, and keep it until told to stop."""

import asyncio
import os
import shlex
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

from daos_control.apps.lab import bringup, processes
from daos_control.apps.lab.plan import SIMULATION, Wish
from daos_control.apps.lab.records import Lab
from daos_control.base import aio, logs
from daos_control.base.errors import Fault
from daos_control.base.logs import Level
from daos_control.cli.daos_lab.steps import show_steps, two_columns
from daos_control.cli.flags import Values
from daos_control.testing.simulation import lab as simulated
from daos_control.testing.simulation import orders
from daos_control.testing.simulation.remote import socket_of
from daos_control.testing.simulation.system import simulation


def wish_of(values: Values) -> Wish:
    """Return what was asked for; raises ValueError if that cannot be."""
    if values.ranks < 2:
        raise ValueError("a simulation has at least 2 ranks: the first is a process of its own")
    engines = values.engines_per_host or 2
    if values.hosts:
        if values.hosts < 2:
            raise ValueError("a simulation has at least 2 hosts: the first is a daos_server of its own")
        if values.engines_per_host:
            raise ValueError("--hosts and --engines-per-host: give one of them, the other follows from the ranks")
        engines = -(-(values.ranks - 1) // (values.hosts - 1))
    return Wish(
        hosts=1,
        engines=1,
        targets=values.targets,
        insecure=values.insecure,
        simulated=values.ranks - 1,
        simulated_engines=engines,
    )


async def run(folder: Path, wish: Wish, *, suspect_s: float, witnesses: int) -> int:
    """Bring everything up and stay; Ctrl-C takes it down again, SIGTERM is from somebody who does that himself."""
    began = time.monotonic()
    await show_steps(bringup.up(folder, wish, pool_bytes=0))
    lab = Lab.load(folder)
    if lab is None:
        raise Fault("lab", 0, "the lab was removed while it started", resolution="run 'daos_lab sim' again")
    lab = simulated.enlist(lab)
    try:
        with aio.signals(SIGINT, SIGTERM) as received:
            await _simulate(lab, received, began, suspect_s=suspect_s, witnesses=witnesses)
    except BaseException:
        await _take_down(lab)
        raise
    return 0


async def _take_down(lab: Lab) -> None:
    rest = {name: process for name, process in lab.processes.items() if name != SIMULATION}
    await bringup.down(replace(lab, processes=rest), keep=False)


async def _simulate(
    lab: Lab, received: "asyncio.Queue[Signals]", began: float, *, suspect_s: float, witnesses: int
) -> None:
    logs.configure(program="daos_lab", level=Level.NOTICE, file=lab.plan.simulation_log, console=False)
    layout = await asyncio.to_thread(simulated.make_layout, lab)
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(simulation(layout, swim=simulated.swim(suspect_s)))
        system.commons.witnesses = witnesses
        await stack.enter_async_context(orders.listen(socket_of(lab.plan), system))
        tasks = await stack.enter_async_context(aio.background())

        async def show() -> None:
            await show_steps(simulated.until_up(system))
            print(f"\n{layout.ranks + 1} ranks are up after {time.monotonic() - began:.1f} s. {_server_costs(lab)}")
            print(_what_next(lab), flush=True)
            await asyncio.Event().wait()

        tasks.start("progress", show())
        if await received.get() is SIGINT:
            await _take_down(lab)
            print(f"\nThe simulation in {lab.place.folder} is stopped and removed.", flush=True)
        # Thousands of engines would now end one by one, tidily and for nobody: the kernel ends them all at once.
        os._exit(0)


def _server_costs(lab: Lab) -> str:
    """Say what the real server has taken; its engine is a process of its own."""
    pid = lab.processes[lab.plan.hosts[0].name].pid
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return f"The management service took {cpu_s:.1f} s of CPU time and has {resident / 1024:.0f} MiB in memory."


def _what_next(lab: Lab) -> str:
    daos_lab, dmg = (os.path.relpath(processes.program(name)) for name in ("daos_lab", "dmg"))
    folder = shlex.quote(str(lab.place.folder))
    commands = two_columns(
        (f"{dmg} -o {shlex.quote(str(lab.plan.control_config_path))} system query", "who is there"),
        (f"{daos_lab} -D {folder} kill 1-{min(lab.wish.simulated, 100)}", "engines die, all at once"),
        (f"{daos_lab} -D {folder} kill sim1", "a host loses its power; pause and resume freeze its control port"),
        (f"{daos_lab} -D {folder} status", "what there is"),
    )
    return f"\nFrom another shell:\n{commands}\nCtrl-C, or 'daos_lab down' elsewhere, ends everything."
