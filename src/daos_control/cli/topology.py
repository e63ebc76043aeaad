"""The machine's topology as DAOS's programs print it: for people, and as a document."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from daos_control.base.pci import PciAddress
from daos_control.base.rankset import RankSet
from daos_control.base.units import format_si
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

Document = dict[str, Any]


def topology_text(topology: Topology) -> str:
    """Lay out the machine."""
    lines = [line for node in topology.nodes for line in _node_lines(node)]
    if topology.virtual:
        lines.append("Virtual Devices")
    for device in topology.virtual:
        lines.append(f"  {device.name} ({DeviceKind.NET_INTERFACE.words})")
        if device.backing:
            lines.append(f"    backed by: {_device_words(device.backing)}")
    return "".join(f"{line}\n" for line in lines)


def _node_lines(node: NumaNode) -> Iterator[str]:
    yield f"NUMA Node {node.number}"
    yield f"  CPU cores: {RankSet(node.cores)}"
    yield "  PCI buses:"
    for bus in node.buses:
        yield f"    {bus}"
        shown: PciAddress | None = None
        for device in node.devices:
            if device.address not in bus:
                continue
            if device.address != shown:
                yield f"      {device.address}"
                shown = device.address
            yield f"        {_device_words(device)}"
    elsewhere = [block for block in node.blocks if block.backing is None]
    if elsewhere:
        yield "  Non-PCI block devices:"
    for block in elsewhere:
        yield f"    {block.name} ({_size_words(block.size)}{block.kind})"


def _device_words(device: PciDevice) -> str:
    speed = f" @ {transfers(device.speed)}" if device.speed else ""
    size = f"{format_si(device.size)} " if device.kind is DeviceKind.BLOCK else ""
    return f"{device.address} {device.name} ({size}{device.kind.words}){speed}"


def _size_words(size: int) -> str:
    return f"{format_si(size)} " if size else ""


def transfers(speed: float) -> str:
    """Write a speed.

    >>> transfers(15.75e9), transfers(2.5e8)
    ('15.75 GT/s', '250 MT/s')
    """
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if speed >= unit:
            return f"{speed / unit:.6f}".rstrip("0").rstrip(".") + f" {letter}T/s"
    return f"{speed:.6f}".rstrip("0").rstrip(".") + " T/s"


# -- the document ------------------------------------------------------------------------------------------------------


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
    topology = read_topology()
    if not values.json:
        if values.output_file == "stdout":
            sys.stdout.write(topology_text(topology))
        else:
            Path(values.output_file).write_text(topology_text(topology))
    return topology_document(topology)
