"""Devices as daos_server manages them: lists, health, faults, replacement, LEDs."""

from collections.abc import Mapping
from typing import Any

from daos_control.apps.emulator import ras
from daos_control.apps.emulator.devices import FIRST_BLOB, WAL_FACTOR, Device, DeviceState, LedState
from daos_control.apps.emulator.engine import Engine
from daos_control.apps.emulator.handlers import EngineHandler, parse_uuid
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.net.drpc.methods import Method, Mgmt
from daos_control.wire.pb.ctl import smd_pb2

NO_UUID = "00000000-0000-0000-0000-000000000000"


async def list_devices(engine: Engine, _request: smd_pb2.SmdDevReq) -> smd_pb2.SmdDevResp:
    """Tell which devices serve which targets."""
    return smd_pb2.SmdDevResp(devices=[_listed(device) for device in engine.devices.all])


async def list_pools(engine: Engine, _request: smd_pb2.SmdPoolReq) -> smd_pb2.SmdPoolResp:
    """Tell which pools have data on devices."""
    pools = [
        smd_pb2.SmdPoolResp.Pool(
            uuid=uuid,
            tgt_ids=range(shard.targets),
            blobs=[FIRST_BLOB + target for target in range(shard.targets)],
        )
        for uuid, shard in sorted(engine.store.shards.items())
        if shard.size.nvme
    ]
    return smd_pb2.SmdPoolResp(pools=pools)


async def health(engine: Engine, request: smd_pb2.BioHealthReq) -> smd_pb2.BioHealthResp:
    """Tell how a device is and how much room it has; given blob sizes, how large their logs would be."""
    device = engine.devices.find(_device_uuid(request.dev_uuid))
    if not device.targets:
        raise DaosError(Der.NONEXIST)
    return smd_pb2.BioHealthResp(
        dev_uuid=device.uuid,
        total_bytes=device.total_bytes,
        avail_bytes=engine.devices.available_bytes(device, engine.store.shards),
        cluster_size=device.cluster_bytes,
        meta_wal_size=WAL_FACTOR * request.meta_size,
        rdb_wal_size=WAL_FACTOR * request.rdb_size,
    )


async def set_faulty(engine: Engine, request: smd_pb2.SetFaultyReq) -> smd_pb2.DevManageResp:
    """Give a device up. An engine whose own metadata is on it does not survive that."""
    device = engine.devices.find(_device_uuid(request.uuid))
    if device.serves_system:
        engine.world.die()
    engine.evict_device(device)
    event = ras.event(ras.Event.DEVICE_SET_FAULTY, f"Device: {device.short} set faulty", rank=engine.group.rank)
    event.str_info = ""
    await engine.upcalls.event(event, wait=False)
    return smd_pb2.DevManageResp(device=smd_pb2.SmdDevice(uuid=device.uuid))


async def replace(engine: Engine, request: smd_pb2.DevReplaceReq) -> smd_pb2.DevManageResp:
    """Put a device into a faulty one's place, or the faulty one back into its own."""
    old, new = _device_uuid(request.old_dev_uuid), _device_uuid(request.new_dev_uuid)
    status = 0
    text = f"Replaced device: {old[:8]} with device {new[:8]}"
    try:
        engine.replace_device(old, new)
    except DaosError as error:
        status = error.status
        text = f"Replaced device: {old[:8]} with device: {new[:8]} failed: {status}"
    severity = ras.Severity.ERROR if status else ras.Severity.NOTICE
    event = ras.event(ras.Event.DEVICE_REPLACE, text, rank=engine.group.rank, severity=severity)
    event.str_info = ""
    await engine.upcalls.event(event, wait=False)
    return smd_pb2.DevManageResp(status=status, device=smd_pb2.SmdDevice(uuid=new))


async def manage_led(engine: Engine, request: smd_pb2.LedManageReq) -> smd_pb2.DevManageResp:
    """Read or switch the LED of the device at a PCI address; the address comes back also with an error."""
    controller = smd_pb2.NvmeController(pci_addr=request.ids)
    status = 0
    try:
        if not request.ids:
            raise DaosError(Der.INVAL)
        controller.led_state = await _led(engine, request)  # type: ignore[assignment]  # an int at run time
    except DaosError as error:
        status = error.status
    return smd_pb2.DevManageResp(status=status, device=smd_pb2.SmdDevice(ctrlr=controller))


async def _led(engine: Engine, request: smd_pb2.LedManageReq) -> int:
    address = request.ids
    if request.led_action == smd_pb2.GET:
        return engine.devices.led(address)
    state = LedState(request.led_state) if request.led_action == smd_pb2.SET else LedState.OFF
    engine.devices.set_led(address, state)
    text = f"LED on device: {address} set to state: {state.name}"
    event = ras.event(ras.Event.DEVICE_LED_SET, text, rank=engine.group.rank)
    event.str_info = ""
    await engine.upcalls.event(event, wait=False)
    return state


def _device_uuid(text: str) -> str:
    uuid = parse_uuid(text)
    if uuid == NO_UUID:
        raise DaosError(Der.INVAL)
    return uuid


def _listed(device: Device) -> smd_pb2.SmdDevice:
    state: Any = int(DeviceState(device.state))
    return smd_pb2.SmdDevice(
        uuid=device.uuid,
        tgt_ids=device.target_ids,
        role_bits=int(device.roles),
        ctrlr=smd_pb2.NvmeController(dev_state=state, pci_addr=device.address),
    )


HANDLERS: Mapping[Method[Any, Any], EngineHandler] = {
    Mgmt.SMD_LIST_DEVS: list_devices,
    Mgmt.SMD_LIST_POOLS: list_pools,
    Mgmt.BIO_HEALTH_QUERY: health,
    Mgmt.DEV_SET_FAULTY: set_faulty,
    Mgmt.DEV_REPLACE: replace,
    Mgmt.LED_MANAGE: manage_led,
}
