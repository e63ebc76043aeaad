"""What hosts say of their storage, with the keys that DAOS gives it."""

from dataclasses import fields
from typing import Any

from daos_control.cli.ui.documents import by_key, document
from daos_control.client.storage_records import (
    DEVICE_STATES,
    LED_STATES,
    HostStorage,
    NvmeController,
    ScmModule,
    SmdDevice,
    SysMemInfo,
)


def storage_document(storage: HostStorage) -> dict[str, Any]:
    """Give a host's storage the keys that DAOS gives it."""
    info = storage.smd_info
    return {
        "nvme_devices": [controller_document(controller) for controller in storage.nvme_devices] or None,
        "scm_modules": [module_document(module) for module in storage.scm_modules] or None,
        "scm_namespaces": document(storage.scm_namespaces),
        "scm_mount_points": document(storage.scm_mount_points),
        "smd_info": info
        and {
            "devices": [smd_document(device) for device in info.devices] or None,
            "pools": None if info.pools is None else document(by_key(info.pools)),
        },
        "reboot_required": storage.reboot_required,
        "mem_info": storage.mem_info and memory_document(storage.mem_info),
    }


def controller_document(controller: NvmeController) -> dict[str, Any]:
    """Give a controller the keys that DAOS gives it."""
    facts = {part.name: getattr(controller, part.name) for part in fields(controller)}
    facts["smd_devices"] = [smd_document(device) for device in controller.smd_devices] or None
    return {
        **{name: value if name == "smd_devices" else document(value) for name, value in facts.items()},
        "dev_state": DEVICE_STATES[controller.dev_state],
        "led_state": LED_STATES[controller.led_state],
    }


def smd_document(device: SmdDevice) -> dict[str, Any]:
    """Give a device the keys that DAOS gives it."""
    facts = {part.name: getattr(device, part.name) for part in fields(device)} | {
        "tgt_ids": None if device.tgt_ids is None else list(device.tgt_ids),
        "roles": str(device.roles),
        "ctrlr": controller_document(device.ctrlr),
    }
    return {"role_bits": device.roles.option_bits, **facts}


def module_document(module: ScmModule) -> dict[str, Any]:
    """Give a memory module the keys that DAOS gives it."""
    return {part.metadata["name"]: getattr(module, part.name) for part in fields(module)}


def memory_document(memory: SysMemInfo) -> dict[str, Any]:
    """Give a host's memory the keys that DAOS gives it."""
    return {**document(memory.overall), "numa_nodes": document(memory.numa_nodes)}
