"""``dmg network ...``: fabric interfaces of hosts."""

from dataclasses import fields
from typing import Any

from daos_control.cli.dmg.host_problems import errors_document, hosts_text, problem_of, problems_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import by_key
from daos_control.cli.ui.tables import framed, table
from daos_control.client.network import FabricReport, HostFabric


@command()
async def scan(session: Session, args: Values) -> Output:
    """Show fabric interfaces of hosts; like in DAOS 2.8, hosts that fail do not make a document fail."""
    report = await session.daos.network.scan(provider=args.provider)
    problems = f"{problems_text(report.problems)}\n" if report.problems else ""
    return Output(
        document=fabric_report_document(report),
        text=problems + "".join(framed(hosts_text(group.hosts)) + fabric_text(group.record) for group in report.groups),
        view=problems + "".join(framed(hosts_text(group.hosts)) + fabric_view(group.record) for group in report.groups),
        problem=None if session.json else problem_of(report),
    )


def fabric_report_document(report: FabricReport) -> dict[str, Any]:
    """Give a report the keys that DAOS gives it."""
    groups = {
        str(group.key): {"HostFabric": fabric_document(group.record), "HostSet": str(group.hosts)}
        for group in report.groups
    }
    return {"host_errors": errors_document(report.problems), "HostFabrics": by_key(groups) or None}


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
