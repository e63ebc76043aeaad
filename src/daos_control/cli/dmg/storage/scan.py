"""``dmg storage scan``: memory and SSDs of hosts."""

from typing import Final

from daos_control.base.units import counted, format_iec, format_si
from daos_control.cli.dmg.host_problems import folded_rows, hosts_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.storage.device_text import health_text
from daos_control.cli.dmg.storage.report import by_host, report_output
from daos_control.cli.flags import Values
from daos_control.cli.scans.storage_tables import controllers_table, modules_table
from daos_control.cli.ui.tables import table
from daos_control.client.errors import InvalidRequest
from daos_control.client.storage import StorageReport
from daos_control.client.storage_records import HostStorage, NvmeController

TITLES: Final = ("Hosts", "SCM Total", "NVMe Total")


@command()
async def scan(session: Session, args: Values) -> Output:
    """Show what storage hosts have."""
    if args.verbose and args.nvme_health:
        raise InvalidRequest("--nvme-health may not be mixed with --verbose")
    report = await session.daos.storage.scan(health=args.nvme_health, basic=not (args.verbose or args.nvme_health))
    text, view = scan_text(report), scan_view(report)
    if args.verbose:
        text, view = by_host(report, verbose_scan), ""
    elif args.nvme_health:
        text, view = by_host(report, health_scan), ""
    return report_output(report, text, view=view)


def scan_text(report: StorageReport) -> str:
    """Lay out sizes and numbers, a line for hosts with the same."""
    if not report.groups:
        return ""
    return table(TITLES, [(hosts_text(group.hosts), *summary(group.record)) for group in report.groups])


def scan_view(report: StorageReport) -> str:
    """Lay them out for people, a line for hosts of which the same is said."""
    if not report.groups:
        return ""
    return table(TITLES, folded_rows((group.hosts, summary(group.record)) for group in report.groups))


def summary(storage: HostStorage) -> tuple[str, str]:
    """Add up what a host has."""
    return scm_summary(storage), nvme_summary(storage)


def scm_summary(storage: HostStorage) -> str:
    """Add persistent memory up."""
    if storage.scm_namespaces:
        return f"{format_si(storage.scm_bytes)} ({counted(len(storage.scm_namespaces), 'namespace')})"
    return f"{format_iec(storage.scm_bytes)} ({counted(len(storage.scm_modules), 'module')})"


def nvme_summary(storage: HostStorage) -> str:
    """Add SSDs up."""
    return f"{format_si(storage.nvme_bytes)} ({counted(len(storage.nvme_devices), 'controller')})"


def verbose_scan(storage: HostStorage) -> str:
    """Lay out one host's memory, modules or namespaces, and SSDs."""
    huge = storage.mem_info.overall.hugepage_size_kb if storage.mem_info else 0
    if storage.scm_namespaces:
        spaces = [(space.blockdev, space.numa_node, format_si(space.size)) for space in storage.scm_namespaces]
        scm = table(["SCM Namespace", "Socket", "Capacity"], spaces)
    elif storage.scm_modules:
        scm = modules_table(storage.scm_modules)
    else:
        scm = "  No SCM modules found\n"
    nvme = controllers_table(storage.nvme_devices) if storage.nvme_devices else "  No NVMe devices found\n"
    return f"HugePage Size: {huge} KB\n\n{scm}\n{nvme}\n"


def health_scan(storage: HostStorage) -> str:
    """Lay out one host's SSDs, and how they are."""
    return "".join(map(controller_health, storage.nvme_devices)) or "  No NVMe devices detected\n"


def controller_health(controller: NvmeController) -> str:
    """Lay out an SSD and how it is."""
    head = (
        f"PCI:{controller.pci_addr} Model:{controller.model} FW:{controller.fw_rev} "
        f"Socket:{controller.socket_id} Capacity:{format_si(controller.capacity_bytes)}\n"
    )
    return (
        head + (health_text(controller.health_stats) if controller.health_stats else "  No health available\n") + "\n"
    )
