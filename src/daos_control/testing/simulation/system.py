"""A simulated system: all its hosts in this process, and what can be done to them."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from random import Random
from signal import SIGKILL

from daos_control.apps.emulator import fabric
from daos_control.apps.emulator.settings import Swim
from daos_control.base import aio, logs
from daos_control.base.errors import Fault
from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.testing.simulation.commons import Commons, SharedFabric
from daos_control.testing.simulation.engines import Engines
from daos_control.testing.simulation.host import SimulatedHost, Trouble
from daos_control.testing.simulation.layout import Layout

log = logs.get(__name__)

AT_ONCE = 64
"""Hosts that are on their way up at the same time: their engines join as many at once, and none waits for long."""
START_S = 10.0
"""After this long the next host is switched on whether the last one serves or not."""
FILES_PER_HOST = 8
FILES_PER_ENGINE = 2
FILES_BESIDE = 512


class SimulationError(Exception):
    """What was asked for cannot be done; the text says why."""


class Simulation:
    """The simulated part of a system. Made by ``simulation``."""

    def __init__(self, layout: Layout, *, swim: Swim, seed: int) -> None:
        self.layout = layout
        addresses = {layout.address(host) for host in range(1, layout.hosts + 1)}
        self.commons = Commons(SharedFabric(addresses.__contains__), addresses.__contains__, swim, Random(seed))  # noqa: S311
        engines = self._engines = Engines(self.commons)
        environment = dict(os.environ)
        self.hosts = tuple(
            SimulatedHost(layout.prepared(host, partial(engines.launch, layout.name(host)), environment))
            for host in range(1, layout.hosts + 1)
        )
        self._by_name = {host.name: host for host in self.hosts} | {host.address: host for host in self.hosts}

    @property
    def serving(self) -> int:
        """How many engines serve."""
        return sum(host.serving for host in self.hosts)

    @property
    def listening(self) -> int:
        """How many hosts have opened their control port."""
        return sum(host.listening.is_set() for host in self.hosts)

    def kill(self, ranks: RankSet) -> int:
        """Kill the engines of these ranks, all at once; returns how many there were."""
        running = self._engines.with_ranks()
        found = [running[rank] for rank in ranks if rank in running]
        for process in found:
            process.send(SIGKILL)
        return len(found)

    def find(self, names: str) -> list[SimulatedHost]:
        """Return the hosts of a host set, by names or addresses. Raises SimulationError for one that is not there."""
        try:
            wanted = list(HostSet.parse(names))
        except ValueError as error:
            raise SimulationError(str(error)) from error
        if missing := [name for name in wanted if name not in self._by_name]:
            last = self.hosts[-1].name
            raise SimulationError(f"no host {missing[0]!r} in this simulation: there are sim1 to {last}, or addresses")
        return [self._by_name[name] for name in wanted]

    def trouble(self, hosts: Iterable[SimulatedHost], trouble: Trouble) -> None:
        """Give control ports a trouble, or heal them."""
        for host in hosts:
            host.trouble = trouble

    async def run(self) -> None:
        """Switch everything on and keep it until cancelled."""
        places = asyncio.Semaphore(AT_ONCE)
        async with aio.background() as tasks:
            tasks.start("failure detector", self.commons.watch())
            for host in self.hosts:
                await places.acquire()
                tasks.start(f"host {host.name}", host.run())
                tasks.start(f"start of {host.name}", _released(host, places))
            await asyncio.Event().wait()


async def _released(host: SimulatedHost, places: asyncio.Semaphore) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            await host.serves()
    places.release()
    await asyncio.Event().wait()


@asynccontextmanager
async def simulation(layout: Layout, *, swim: Swim, seed: int = 1) -> AsyncIterator[Simulation]:
    """Run a simulated system while inside; its ranks join as soon as the management service lets them."""
    system = Simulation(layout, swim=swim, seed=seed)
    async with aio.background() as tasks, aio.background() as listeners:
        for index in range(layout.engines):
            listeners.start(f"fabric port {index}", _listen(system, layout.first_fabric_port + index))
        tasks.start("simulated hosts", system.run())
        try:
            yield system
        finally:
            system.commons.fabric.close()


async def _listen(system: Simulation, port: int) -> None:
    services_at = system.commons.fabric.services_at
    async with fabric.listen("0.0.0.0", port, lambda host: services_at(host, port)):
        await asyncio.Event().wait()


def afford(layout: Layout) -> None:
    """Let this process open the files that a simulation needs; a Fault if the system does not allow so many."""
    needed = layout.hosts * FILES_PER_HOST + layout.ranks * FILES_PER_ENGINE + FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Fault(
            "lab",
            0,
            f"{layout.ranks} ranks on {layout.hosts} hosts need {needed} open files, no more than {hard} are allowed",
            resolution=f"raise the hard limit (as root: ulimit -Hn {needed}), or simulate fewer ranks",
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
