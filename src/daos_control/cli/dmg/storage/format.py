"""``dmg storage format``: make storage ready for engines."""

from daos_control.cli.dmg.host_problems import hosts_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.storage.report import by_host, report_output
from daos_control.cli.flags import Values
from daos_control.cli.ui.steps import Step
from daos_control.cli.ui.tables import table
from daos_control.client.errors import InvalidRequest
from daos_control.client.storage import StorageReport
from daos_control.client.storage_records import HostStorage


@command()
async def format_storage(session: Session, args: Values) -> Output:
    """Format storage that needs it."""
    if args.force and args.replace:
        raise InvalidRequest("--replace may not be mixed with --force")
    hosts = args.host_list or ()
    report = await session.daos.storage.format(hosts=hosts, force=args.force, replace=args.replace)
    if args.verbose:
        text = by_host(report, lambda storage: f"{mounts_text(storage)}\n{formatted_text(storage)}\n")
    else:
        text = format_summary(report)
    output = report_output(report, text)
    step = Step("dmg system query", "who has joined by now")
    return output._replace(next=(step,)) if report.groups else output


def format_summary(report: StorageReport) -> str:
    """Count what was formatted, a line for hosts with the same."""
    if not report.groups:
        return ""
    rows = [
        (
            hosts_text(group.hosts),
            len(group.record.scm_mount_points),
            sum(controller.pci_addr != "<nil>" for controller in group.record.nvme_devices),
        )
        for group in report.groups
    ]
    return "Format Summary:\n" + table(["Hosts", "SCM Devices", "NVMe Devices"], rows, indent="  ")


def mounts_text(storage: HostStorage) -> str:
    """Lay out the mounts that were formatted."""
    rows = [(mount.path, mount.info) for mount in sorted(storage.scm_mount_points, key=lambda mount: mount.path)]
    return table(["SCM Mount", "Format Result"], rows) if rows else "  No SCM mount results\n"


def formatted_text(storage: HostStorage) -> str:
    """Lay out the SSDs that were formatted."""
    rows = [
        (ssd.pci_addr, ssd.info, ssd.roles)
        for ssd in sorted(storage.nvme_devices, key=lambda controller: controller.pci_addr)
        if ssd.pci_addr != "<nil>"
    ]
    return table(["NVMe PCI", "Format Result", "Role(s)"], rows) if rows else "  No NVMe devices were formatted\n"
