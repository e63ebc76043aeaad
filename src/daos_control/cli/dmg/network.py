"""``dmg network ...``: fabric interfaces of hosts."""

from typing import Any

from daos_control.cli.dmg.host_problems import errors_document, hosts_text, problem_of, problems_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.scans.fabric import fabric_document, fabric_text, fabric_view
from daos_control.cli.ui.documents import by_key
from daos_control.cli.ui.tables import framed
from daos_control.client.network import FabricReport


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
