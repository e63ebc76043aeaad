"""Which local devices are found, and when."""

from pathlib import Path

import pytest

from daos_control.apps.agent.fabric import NoFabric
from daos_control.apps.agent.scan import scan

LOOPBACK, ETHERNET, INFINIBAND = 772, 1, 32


def interface(root: Path, name: str, *, dev_class: int, state: str, node: int = 0) -> Path:
    entry = root / "sys/class/net" / name
    (entry / "device").mkdir(parents=True)
    (entry / "type").write_text(f"{dev_class}\n")
    (entry / "operstate").write_text(f"{state}\n")
    (entry / "device" / "numa_node").write_text(f"{node}\n")
    return entry


def infiniband(root: Path, name: str, domain: str, *, state: str = "4: ACTIVE", node: int = 0) -> Path:
    entry = interface(root, name, dev_class=INFINIBAND, state="up", node=node)
    port = entry / "device/infiniband" / domain / "ports/1"
    port.mkdir(parents=True)
    (port / "state").write_text(f"{state}\n")
    return port / "state"


class Sleeper:
    """Changes the world while the scan sleeps."""

    def __init__(self, *changes: tuple[Path, str]) -> None:
        self.changes = list(changes)

    async def __call__(self, seconds: float) -> None:
        assert seconds == 1
        path, text = self.changes.pop(0)
        path.write_text(text)


async def test_loopback_of_this_machine_speaks_tcp():
    device = (await scan(LOOPBACK, "ofi+tcp")).find("lo", "lo")

    assert device.dev_class == LOOPBACK
    assert device.supports("ofi+tcp")


async def test_an_infiniband_device_is_found_under_its_own_name_and_node(tmp_path: Path):
    infiniband(tmp_path, "ib0", "mlx5_0", node=1)

    fabric = await scan(INFINIBAND, "ofi+verbs", root=tmp_path)

    assert list(fabric.nodes) == [1]
    device = fabric.find("ib0", "mlx5_0")
    assert device.supports("ofi+verbs")
    assert device.supports("ofi+verbs;ofi_rxm")
    assert not device.supports("ofi+cxi")


async def test_interfaces_that_come_up_are_waited_for(tmp_path: Path):
    infiniband(tmp_path, "ib0", "mlx5_0")
    late = infiniband(tmp_path, "ib1", "mlx5_1", state="2: INIT")
    sleeper = Sleeper((late, "3: ARMED"), (late, "4: ACTIVE"))

    fabric = await scan(INFINIBAND, "ofi+verbs", root=tmp_path, sleep=sleeper)

    assert not sleeper.changes
    assert {device.interface for device in fabric.nodes[0]} == {"ib0", "ib1"}


async def test_interfaces_that_are_down_are_not_waited_for(tmp_path: Path):
    infiniband(tmp_path, "ib0", "mlx5_0")
    infiniband(tmp_path, "ib1", "mlx5_1", state="1: DOWN")

    await scan(INFINIBAND, "ofi+verbs", root=tmp_path, sleep=Sleeper())


async def test_if_all_are_down_there_is_no_fabric(tmp_path: Path):
    infiniband(tmp_path, "ib1", "mlx5_1", state="1: DOWN")

    with pytest.raises(NoFabric, match="ib1"):
        await scan(INFINIBAND, "ofi+verbs", root=tmp_path, sleep=Sleeper())


async def test_a_class_that_this_machine_lacks_is_not_waited_for(tmp_path: Path):
    assert not (await scan(INFINIBAND, "ofi+verbs", root=tmp_path, sleep=Sleeper())).nodes
