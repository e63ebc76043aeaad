"""Devices of an SPDK configuration."""

import pytest

from daos_control.apps.emulator.devices import Device, Devices, DeviceState, LedState, Role, discover
from daos_control.apps.emulator.space import Size
from daos_control.apps.emulator.storage import Shard
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.base.units import GIB


def config(*names: str, method: str = "bdev_aio_create") -> object:
    steps = [
        {"method": method, "params": {"name": name, "filename": name, "traddr": f"0000:8{i}:00.0"}}
        for i, name in enumerate(names)
    ]
    return {"subsystems": [{"subsystem": "bdev", "config": [{"method": "bdev_set_options", "params": {}}, *steps]}]}


def found(*names: str, targets: int = 2, size: int = 4 * GIB, known: tuple[Device, ...] = ()) -> tuple[Device, ...]:
    return discover(config(*names), known, targets, size_of=lambda _name: size)


def test_targets_are_dealt_out() -> None:
    first, second = found("AIO_h_0_1_0", "AIO_h_1_1_0", targets=3)
    assert (first.targets, second.targets) == ((0, 2), (1,))
    assert first.total_bytes == 3 * GIB, "the device keeps a cluster for itself"


def test_roles_are_in_the_name() -> None:
    (device,) = found("AIO_h_0_1_7", targets=1, size=8 * GIB)
    assert device.roles == Role.DATA | Role.META | Role.WAL
    assert device.target_ids == [1024, 1024, 1024, 0, 0, 0]
    assert device.total_bytes == 8_455_716_864
    assert device.serves_system


def test_known_devices_keep_identity_and_state() -> None:
    before = found("AIO_h_0_1_0")
    devices = Devices(before)
    devices.set_state(before[0].uuid, DeviceState.EVICTED)
    (again,) = found("AIO_h_0_1_0", known=devices.all)
    assert (again.uuid, again.state) == (before[0].uuid, DeviceState.EVICTED)


def test_pools_take_clusters() -> None:
    devices = Devices(found("AIO_h_0_1_0", targets=1))
    shard = Shard(size=Size(scm=1, nvme=1_200_000_000), targets=1)
    assert devices.available_bytes(devices.all[0], {"p": shard}) == GIB
    with pytest.raises(DaosError) as error:
        devices.check_room(shard, {"p": shard})
    assert error.value.status == Der.NOSPACE


def test_no_devices_no_data() -> None:
    with pytest.raises(DaosError):
        Devices(()).check_room(Shard(size=Size(scm=1, nvme=1), targets=1), {})


def test_leds_are_at_addresses() -> None:
    nvme = discover(config("Nvme_h_0_1_0", method="bdev_nvme_attach_controller"), (), 1, size_of=lambda _: 0)
    devices = Devices(nvme)
    devices.set_led("0000:80:00.0", LedState.QUICK_BLINK)
    assert devices.led("0000:80:00.0") is LedState.QUICK_BLINK
    with pytest.raises(DaosError) as error:
        devices.led("0000:99:00.0")
    assert error.value.status == Der.NONEXIST


def test_a_configuration_without_structure() -> None:
    with pytest.raises(ValueError, match="subsystems"):
        discover({}, (), 1, size_of=lambda _: 0)
