"""The machine's topology laid out for people, as DAOS's programs do."""

from collections.abc import Iterator

from daos_control.base.rankset import RankSet
from daos_control.base.units import format_si
from daos_control.host.topology import DeviceKind, NumaNode, PciDevice, Topology


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
        shown = None
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
