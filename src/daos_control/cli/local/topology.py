"""The machine's topology as DAOS's programs print it: for people (``host.topology_text``), and as a document."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from daos_control.base.pci import PciAddress
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.host.topology import (
    BlockDevice,
    DeviceKind,
    NumaNode,
    PciBus,
    PciDevice,
    Topology,
    VirtualDevice,
    read_topology,
)
from daos_control.host.topology_text import topology_text

Document = dict[str, Any]


def topology_document(topology: Topology) -> Document:
    """Give the machine the keys that DAOS gives it."""
    return {
        "numa_nodes": {str(node.number): _node_document(node) for node in topology.nodes},
        "virtual_devices": [_virtual_document(device) for device in topology.virtual] or None,
    }


def _node_document(node: NumaNode) -> Document:
    return {
        "id": node.number,
        "cores": [{"id": core} for core in node.cores] or None,
        "pci_buses": [_bus_document(bus, node.devices) for bus in node.buses] or None,
        "pci_devices": _by_address(node.devices),
        "block_devices": [_block_document(block) for block in node.blocks] or None,
    }


def _bus_document(bus: PciBus, devices: Iterable[PciDevice]) -> Document:
    return {
        "low_address": _address_document(PciAddress(domain=bus.domain, bus=bus.lo, device=0, function=0)),
        "high_address": _address_document(PciAddress(domain=bus.domain, bus=bus.hi, device=0, function=0)),
        "pci_devices": _by_address(device for device in devices if device.address in bus),
    }


def _by_address(devices: Iterable[PciDevice]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for device in devices:
        found.setdefault(str(device.address), []).append(_device_document(device))
    return dict(sorted(found.items()))


def _device_document(device: PciDevice) -> Document:
    facts = {
        "name": device.name,
        "type": int(device.kind),
        "pci_address": _address_document(device.address),
        "port_id": 0,
    }
    return facts | ({"link_neg_speed": document(device.speed)} if device.speed else {})


def _address_document(address: PciAddress) -> Document:
    return {
        "domain": address.domain,
        "bus": address.bus,
        "device": address.device,
        "function": address.function,
    }


def _block_document(block: BlockDevice) -> Document:
    facts = {
        "sector_size": block.sector_size,
        "size": block.size,
        "linux_device_id": block.linux_device_id,
        "vendor": block.vendor,
        "model": block.model,
        "revision": block.revision,
        "serial_number": block.serial_number,
        "backing_device": _device_document(block.backing) if block.backing else None,
    }
    return {"type": block.kind, "name": block.name} | {key: value for key, value in facts.items() if value}


def _virtual_document(device: VirtualDevice) -> Document:
    return {
        "name": device.name,
        "type": int(DeviceKind.NET_INTERFACE),
        "backing_device": _device_document(device.backing) if device.backing else None,
    }


def dump_topology(values: Values) -> Document:
    """Print the machine, or write it to a file; return its document."""
    topology = read_topology(Path(values.root))
    if not values.json:
        if values.output_file == "stdout":
            sys.stdout.write(topology_text(topology))
        else:
            Path(values.output_file).write_text(topology_text(topology))
    return topology_document(topology)
