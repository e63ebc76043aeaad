"""The devices of the SPDK configuration (``-n``): which targets they serve, how full they are, how they are. Pure.

File devices have the size of their file; NVMe devices, which are not there, a size of their own. A device's space is
given out in clusters, the first of which holds the device's own metadata.
"""

import uuid as uuids
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum, IntFlag

import msgspec

from daos_control.apps.emulator.storage import Shard
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.base.units import GIB, MIB

NVME_BYTES = 1 << 40
CLUSTER_BYTES, CLUSTER_BYTES_WITH_ROLES = GIB, 128 * MIB
SYSTEM_TARGET = 1024
"""Target number of the engine's own stream in device lists."""
RDB_BYTES = GIB
WAL_FACTOR = 2
FIRST_BLOB = 1 << 32


class Role(IntFlag):
    """What a device is used for; no role means data, with metadata in memory."""

    DATA = 1
    META = 2
    WAL = 4


class DeviceState(IntEnum):
    """As SMD lists number them."""

    NORMAL = 1
    NEW = 2
    EVICTED = 3


class LedState(IntEnum):
    """What a device's LED shows."""

    NA = 0
    QUICK_BLINK = 1
    ON = 2
    SLOW_BLINK = 3
    OFF = 4


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One device, as far as it lasts: the LED is not remembered."""

    uuid: str
    name: str
    address: str = ""
    """PCI address; file devices have none."""
    total_bytes: int
    cluster_bytes: int
    roles: Role = Role(0)
    targets: tuple[int, ...] = ()
    """Targets whose data is here."""
    state: DeviceState = DeviceState.NORMAL

    @property
    def short(self) -> str:
        """First part of the UUID, as events show devices."""
        return self.uuid[:8]

    @property
    def serves_system(self) -> bool:
        """Whether the engine itself cannot live without it."""
        return bool(self.roles & (Role.META | Role.WAL))

    @property
    def target_ids(self) -> list[int]:
        """As SMD lists them: the engine's own stream and each target, once per role."""
        if not self.roles:
            return list(self.targets)
        repeated = self.roles.bit_count()
        return [SYSTEM_TARGET] * repeated + [target for target in self.targets for _ in range(repeated)]


class DevicesFile(msgspec.Struct, frozen=True, kw_only=True):
    """The devices as kept on the storage path."""

    devices: tuple[Device, ...] = ()


def discover(
    config: object, known: Iterable[Device], targets: int, *, size_of: Callable[[str], int]
) -> tuple[Device, ...]:
    """Find the devices of an SPDK configuration; those seen before keep their UUID and state.

    ``size_of`` gives a file's size. Raises ValueError for a configuration without the expected structure.
    """
    by_name = {device.name: device for device in known}
    found = [_device(name, address, size, by_name.get(name)) for name, address, size in _declared(config, size_of)]
    carriers = [device.name for device in found if not device.roles or Role.DATA in device.roles]
    return tuple(
        msgspec.structs.replace(
            device,
            targets=tuple(target for target in range(targets) if carriers[target % len(carriers)] == device.name)
            if device.name in carriers
            else tuple(range(targets)),
        )
        for device in found
    )


def _device(name: str, address: str, size: int, known: Device | None) -> Device:
    roles = Role(int(name.rpartition("_")[2]) if name.rpartition("_")[2].isdigit() else 0)
    cluster = CLUSTER_BYTES_WITH_ROLES if roles else CLUSTER_BYTES
    return Device(
        uuid=known.uuid if known else str(uuids.uuid4()),
        name=name,
        address=address,
        total_bytes=max(0, size // cluster - 1) * cluster,
        cluster_bytes=cluster,
        roles=roles,
        state=known.state if known else DeviceState.NORMAL,
    )


def _declared(config: object, size_of: Callable[[str], int]) -> Iterable[tuple[str, str, int]]:
    try:
        document = msgspec.convert(config, _SpdkConfig)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    for subsystem in document.subsystems:
        for step in subsystem.config:
            name = str(step.params.get("name", ""))
            if step.method == "bdev_aio_create":
                yield name, "", size_of(str(step.params.get("filename", "")))
            elif step.method == "bdev_nvme_attach_controller":
                yield name, str(step.params.get("traddr", "")), NVME_BYTES


class _Step(msgspec.Struct):
    method: str
    params: dict[str, object] = {}


class _Subsystem(msgspec.Struct):
    subsystem: str
    config: list[_Step] = []


class _SpdkConfig(msgspec.Struct):
    subsystems: list[_Subsystem]


class Devices:
    """All devices of an engine, and what pools take of them."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self._devices = {device.uuid: device for device in devices}
        self._leds: dict[str, LedState] = {}

    @property
    def all(self) -> tuple[Device, ...]:
        """The devices, in the configuration's order."""
        return tuple(self._devices.values())

    @property
    def md_on_ssd(self) -> bool:
        """Whether metadata lives on a device."""
        return any(Role.META in device.roles for device in self.all)

    def find(self, uuid: str) -> Device:
        """Return a device; raises DaosError NONEXIST."""
        device = self._devices.get(uuid)
        if device is None:
            raise DaosError(Der.NONEXIST)
        return device

    def set_state(self, uuid: str, state: DeviceState) -> None:
        """Change a device's state."""
        self._devices[uuid] = msgspec.structs.replace(self.find(uuid), state=state)

    def led(self, address: str) -> LedState:
        """Return what the LED at a PCI address shows; raises DaosError NONEXIST."""
        self._at(address)
        return self._leds.get(address, LedState.OFF)

    def set_led(self, address: str, state: LedState) -> None:
        """Switch an LED; raises DaosError NONEXIST."""
        self._at(address)
        self._leds[address] = state

    def available_bytes(self, device: Device, shards: Mapping[str, Shard]) -> int:
        """Return what pools left of a device."""
        used = sum(self._clusters(device, shard) for shard in shards.values())
        return max(0, device.total_bytes - used * device.cluster_bytes)

    def check_room(self, shard: Shard, shards: Mapping[str, Shard]) -> None:
        """Refuse a share of a pool that the devices cannot hold with DaosError NOSPACE."""
        if shard.size.nvme and not self._devices:
            raise DaosError(Der.NOSPACE)
        for device in self.all:
            if self._clusters(device, shard) * device.cluster_bytes > self.available_bytes(device, shards):
                raise DaosError(Der.NOSPACE)

    def _at(self, address: str) -> Device:
        for device in self.all:
            if device.address and device.address == address:
                return device
        raise DaosError(Der.NONEXIST)

    def _clusters(self, device: Device, shard: Shard) -> int:
        """Clusters a pool's share takes of a device: blobs of each target, and once those of the pool's database."""
        sizes = []
        for _ in device.targets:
            if not device.roles or Role.DATA in device.roles:
                sizes.append(shard.size.nvme)
            if Role.META in device.roles:
                sizes.append(shard.size.meta)
            if Role.WAL in device.roles:
                sizes.append(WAL_FACTOR * shard.size.meta)
        if shard.size.meta and Role.META in device.roles:
            sizes.append(RDB_BYTES)
        if shard.size.meta and Role.WAL in device.roles:
            sizes.append(WAL_FACTOR * RDB_BYTES)
        return sum(-(-size // device.cluster_bytes) for size in sizes)
