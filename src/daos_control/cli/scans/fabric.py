"""A host's fabric interfaces, as a document and by NUMA node."""

from dataclasses import fields
from typing import Any

from daos_control.cli.ui.tables import framed, table
from daos_control.client.network import HostFabric


def fabric_document(fabric: HostFabric) -> dict[str, Any]:
    """Give a host's fabric interfaces the keys that DAOS gives them."""
    interfaces = [
        {part.metadata["name"]: getattr(interface, part.name) for part in fields(interface)}
        for interface in fabric.interfaces
    ]
    return {
        "Interfaces": interfaces or None,
        "Providers": list(fabric.providers),
        "NumaCount": fabric.numa_count,
        "CoresPerNuma": fabric.cores_per_numa,
    }


def fabric_text(fabric: HostFabric) -> str:
    """Lay out interfaces by NUMA node and provider."""
    nodes = sorted({interface.numa_node for interface in fabric.interfaces})
    return "\n" + "".join(_node_text(fabric, node) for node in nodes)


def fabric_view(fabric: HostFabric) -> str:
    """Lay out interfaces for people, who are told if there are none."""
    return fabric_text(fabric) if fabric.interfaces else "  No fabric interfaces found\n"


def _node_text(fabric: HostFabric, node: int) -> str:
    devices: dict[str, list[str]] = {}
    for interface in sorted(fabric.interfaces, key=lambda interface: interface.priority):
        if interface.numa_node == node:
            devices.setdefault(interface.provider, []).append(interface.device)
    rows = [(provider, ", ".join(names)) for provider, names in devices.items()]
    shown = table(["Provider", "Interfaces"], rows, indent="        ")
    return f"{framed(f'NUMA Socket {node}', indent='    ')}\n{shown}\n"
