"""A simulated system beside the hosts of a lab: from the lab's notes to running ranks, told step by step."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from daos_control.apps.emulator.settings import Swim
from daos_control.apps.lab.bringup import Step
from daos_control.apps.lab.plan import CONTROL_PORT, SIMULATION, SYSTEM_NAME, Plan
from daos_control.apps.lab.records import Lab, Process
from daos_control.base.errors import Fault
from daos_control.security.certificate_files import CertificateFiles, Certificates
from daos_control.testing.simulation.layout import Layout
from daos_control.testing.simulation.system import Simulation, afford

POLL_S = 0.5
STORAGE_PER_ENGINE = 64 << 10
"""Bytes of an engine's files, without pools."""


def layout_of(plan: Plan, folder: Path, certificates: Certificates | None = None) -> Layout:
    """Return the layout of a lab's simulated part."""
    wish, place = plan.wish, plan.place
    return Layout(
        system=SYSTEM_NAME,
        replicas=(f"{plan.hosts[0].address}:{CONTROL_PORT}",),
        network=place.simulated_network,
        port=CONTROL_PORT,
        first_fabric_port=place.simulated_fabric_port,
        ranks=wish.simulated,
        engines=wish.simulated_engines,
        targets=wish.targets,
        folder=folder,
        certificates=certificates,
        client_certificates=None if wish.insecure else plan.certificates / "clients",
    )


def enlist(lab: Lab) -> Lab:
    """Note that this process plays the lab's simulated part; a Fault if another one does."""
    other = lab.processes.get(SIMULATION)
    if other is not None and other.is_running and other.pid != os.getpid():
        raise Fault("lab", 0, f"process {other.pid} simulates these ranks already", resolution="daos_lab down")
    lab = replace(lab, processes={**lab.processes, SIMULATION: Process.of(os.getpid())})
    lab.save()
    return lab


def make_layout(lab: Lab) -> Layout:
    """Choose and clear a place for the simulated hosts, read certificates, see that files suffice."""
    plan = lab.plan
    place = choose_folder(plan)
    certificates = None
    if not plan.wish.insecure:
        from daos_control.security.certificates import load  # noqa: PLC0415 - needed with certificates alone

        folder = plan.certificates
        certificates = load(
            CertificateFiles(
                ca_cert=folder / "daosCA.crt",
                cert=folder / "server.crt",
                key=folder / "server.key",
                client_cert_dir=folder / "clients",
            )
        )
    layout = layout_of(plan, place, certificates)
    afford(layout)
    return layout


def choose_folder(plan: Plan) -> Path:
    """Make an empty private folder for all simulated hosts: in memory if there is room, else on disk."""
    memory, disk = plan.place.simulated_folders
    for folder in (memory, disk):
        shutil.rmtree(folder, ignore_errors=True)
    needed = plan.wish.simulated * STORAGE_PER_ENGINE
    fits = memory.parent.is_dir() and shutil.disk_usage(memory.parent).free > 2 * needed
    chosen = memory if fits else disk
    chosen.mkdir(mode=0o700, parents=True)
    return chosen


async def until_up(system: Simulation) -> AsyncIterator[Step]:
    """Tell how the ranks come up, until all of them serve."""
    hosts, ranks = len(system.hosts), system.layout.ranks
    while (serving := system.serving) < ranks:
        yield Step(title=f"Simulation: {system.listening} of {hosts} hosts listen, {serving} of {ranks} ranks serve")
        await asyncio.sleep(POLL_S)
    first, last = system.hosts[0].address, system.hosts[-1].address
    yield Step(title="Simulation", done=f"{ranks} ranks serve on {hosts} hosts, {first} to {last}")


def swim(suspect_s: float) -> Swim:
    """Return the timing of the simulated failure detector; pings between processes may wait for their turn."""
    return Swim(period_s=1.0, ping_s=5.0, suspect_s=suspect_s)
