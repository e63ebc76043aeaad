"""The local fabric is scanned when needed, and kept."""

import asyncio

import pytest

from daos_control.apps.agent.fabric import Fabric, FabricDevice, NameFilter, NoFabric
from daos_control.apps.agent.local_fabric import LocalFabric

WANTED = {"dev_class": 1, "provider": "ofi+tcp"}


def device(name: str, dev_class: int = 1) -> tuple[int, FabricDevice]:
    providers = frozenset({"ofi+tcp"})
    return 0, FabricDevice(interface=name, domain=name, dev_class=dev_class, providers=providers)


class Machine:
    """Has devices; counts scans."""

    def __init__(self, *devices: tuple[int, FabricDevice]) -> None:
        self.devices = devices
        self.scans: list[tuple[int, str]] = []

    async def scan(self, dev_class: int, provider: str) -> Fabric:
        self.scans.append((dev_class, provider))
        await asyncio.sleep(0)
        if not self.devices:
            raise NoFabric("all are down")
        return Fabric.of(self.devices)


def local(machine: Machine, *, static: Fabric | None = None, caching: bool = True) -> LocalFabric:
    return LocalFabric(
        machine.scan, static=static or Fabric(), names=NameFilter(), has_address=lambda name: True, caching=caching
    )


async def chosen(fabric: LocalFabric, count: int) -> list[str]:
    return [(await fabric.choose(numa_node=0, **WANTED)).interface for _ in range(count)]


async def test_one_scan_serves_all_and_devices_take_turns():
    machine = Machine(device("a"), device("b"), device("other", dev_class=32))
    fabric = local(machine)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(chosen(fabric, 1)) for _ in range(4)]

    assert [task.result() for task in tasks] == [["a"], ["b"], ["a"], ["b"]]
    assert machine.scans == [(1, "ofi+tcp")]
    assert await fabric.numa_map(**WANTED) is await fabric.numa_map(**WANTED)


async def test_without_caching_every_request_scans_and_begins_anew():
    machine = Machine(device("a"), device("b"))

    assert await chosen(local(machine, caching=False), 2) == ["a", "a"]
    assert len(machine.scans) == 2


async def test_a_refresh_looks_again_for_what_was_looked_for():
    machine = Machine(device("a"))
    fabric = local(machine)
    await fabric.refresh()
    assert not machine.scans, "nothing has been looked for yet"
    await chosen(fabric, 1)
    before = await fabric.numa_map(**WANTED)

    machine.devices = (device("b"),)
    await fabric.refresh()

    assert machine.scans == [(1, "ofi+tcp")] * 2
    assert await chosen(fabric, 1) == ["b"]
    assert await fabric.numa_map(**WANTED) != before


async def test_a_refresh_that_fails_keeps_what_there_was():
    machine = Machine(device("a"))
    fabric = local(machine)
    await chosen(fabric, 1)
    machine.devices = ()

    with pytest.raises(NoFabric):
        await fabric.refresh()

    assert await chosen(fabric, 1) == ["a"]


async def test_what_the_configuration_lists_is_neither_scanned_for_nor_forgotten():
    machine = Machine(device("scanned"))
    fabric = local(machine, static=Fabric.of([(0, FabricDevice(interface="lo", domain="lo"))]), caching=False)

    assert await chosen(fabric, 2) == ["lo", "lo"]
    await fabric.refresh()
    assert await chosen(fabric, 1) == ["lo"]
    assert (await fabric.find("lo", "lo", dev_class=772)).is_static
    assert not machine.scans
