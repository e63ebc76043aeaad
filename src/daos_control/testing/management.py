"""A management service on a memory store, with engines and hosts that do as they are told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from daos_control.base import aio
from daos_control.mgmt.leader import Pace
from daos_control.mgmt.ports import ClientHint, Settings
from daos_control.mgmt.rules import membership
from daos_control.mgmt.rules.membership import JoinRequest
from daos_control.mgmt.rules.pools import EngineStorage
from daos_control.mgmt.service import Management
from daos_control.mgmt.system import System
from daos_control.model.system_property import Note
from daos_control.store.memory import MemoryStore
from daos_control.testing.clock import ManualClock
from daos_control.testing.data_plane import CapturedEvents, FakeDataPlane, FakeHosts, FakePremises

ADDRESS = "10.0.0.1:10001"
JOINED_AT = datetime(2026, 1, 2, tzinfo=UTC)


def some_settings(**changes: Any) -> Settings:
    """Make the settings of a small system's only replica."""
    given: dict[str, Any] = {
        "system_name": "daos_server",
        "hostname": "storage1",
        "replicas": (ADDRESS,),
        "address": ADDRESS,
        "hints": (ClientHint(provider="ofi+tcp", net_dev_class=1, srv_srx_set=1),),
        "storage": EngineStorage(targets=1, has_bdevs=False, md_on_ssd=False),
    }
    return Settings(**{**given, **changes})


def a_join(number: int = 1, **changes: Any) -> JoinRequest:
    """Make the request of the engine with this number, each on its own host."""
    given: dict[str, Any] = {
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "addr": f"10.0.0.{number}:10001" if number < 255 else f"10.1.{number // 250}.{number % 250}:10001",
        "uri": f"ofi+tcp://10.0.0.{number}:31416",
        "contexts": 3,
        "fault_domain": f"/host{number}",
        "incarnation": 100,
    }
    return JoinRequest(**{**given, **changes})


def a_system(members: int = 4) -> System:
    """Make a system that so many engines have joined, ranks from 1."""
    system = System().with_note(Note.FABRIC_PROVIDERS, "ofi+tcp")
    for number in range(1, members + 1):
        system = membership.join(system, a_join(number), now=JOINED_AT).system
    return system


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks run until something is so; it must not take real time."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise TimeoutError(f"this never came true: {condition}")


@dataclass
class Bench:
    """A management service and all it stands on."""

    settings: Settings = field(default_factory=some_settings)
    store: MemoryStore = field(default_factory=MemoryStore)
    engines: FakeDataPlane = field(default_factory=FakeDataPlane)
    hosts: FakeHosts = field(default_factory=FakeHosts)
    premises: FakePremises = field(default_factory=FakePremises)
    events: CapturedEvents = field(default_factory=CapturedEvents)
    clock: ManualClock = field(default_factory=ManualClock)

    def management(self) -> Management:
        """Make a service, as a server does that has just started."""
        return Management(
            settings=self.settings,
            data_plane=self.engines,
            hosts=self.hosts,
            premises=self.premises,
            events=self.events,
            clock=self.clock,
            pause_s=0,
            retry_s=0,
            pace=Pace(gather_s=0, retry_s=0),
        )

    @asynccontextmanager
    async def leading(self) -> AsyncIterator[Management]:
        """Run a service that leads; leaving is as sudden as a kill."""
        management = self.management()
        async with aio.background() as tasks:
            tasks.start("management", management.run(self.store))
            await until(lambda: management.leading)
            yield management

    async def with_members(self, management: Management, number: int = 2) -> None:
        """Let engines join, ranks from 1."""
        for engine in range(1, number + 1):
            await management.join(a_join(engine, index=1))
