"""``dmg storage query usage``: how much storage is in use."""

from collections.abc import Sequence
from typing import Final

from daos_control.base.hostset import HostSet
from daos_control.base.units import format_si
from daos_control.cli.dmg.host_problems import folded_rows, hosts_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.storage.report import report_output
from daos_control.cli.flags import Values
from daos_control.cli.ui.tables import table
from daos_control.client.errors import InvalidRequest
from daos_control.client.storage_records import HostStorage, Role, SmdDevice

TITLES: Final = ("Hosts", "SCM-Total", "SCM-Free", "SCM-Used", "NVMe-Total", "NVMe-Free", "NVMe-Used")


@command()
async def usage(session: Session, args: Values) -> Output:
    """Show how much storage is in use."""
    if args.mem_ratio and not args.show_usable:
        raise InvalidRequest("--mem-ratio is only supported with --show-usable flag")
    mem_ratio = args.mem_ratio[0] if args.mem_ratio else 0.0
    report = await session.daos.storage.scan(usage=True, mem_ratio=mem_ratio)
    hosts = [(group.hosts, group.record) for group in report.groups]
    on_ssd = bool(hosts) and any(ssd.roles.option_bits for ssd in hosts[0][1].nvme_devices)
    text = view = ""
    if on_ssd:
        text = tiers_text([record for _, record in hosts], usable=args.show_usable)
    elif hosts:
        text, view = usage_text(hosts), usage_view(hosts)
        if args.show_usable:
            session.notice("--show-usable flag ignored when MD-on-SSD is not enabled")
    output = report_output(report, text, view=view)
    return output._replace(problem=None) if session.json else output  # as in DAOS 2.8


def used(free: int, total: int) -> str:
    """Return how much is not free, in percent."""
    return f"{(total - free) * 100 // total} %" if total else "N/A"


def usage_text(hosts: Sequence[tuple[HostSet, HostStorage]]) -> str:
    """Lay out total and free space, a line for hosts with the same storage."""
    return table(TITLES, [(hosts_text(names), *usage_cells(storage)) for names, storage in hosts])


def usage_view(hosts: Sequence[tuple[HostSet, HostStorage]]) -> str:
    """Lay it out for people, a line for hosts of which the same is said."""
    return table(TITLES, folded_rows((names, usage_cells(storage)) for names, storage in hosts))


def usage_cells(storage: HostStorage) -> tuple[str, ...]:
    """Return total, free and used space of both kinds."""
    mounts = [space.mount for space in storage.scm_namespaces if space.mount]
    scm = sum(mount.total_bytes for mount in mounts), sum(mount.avail_bytes for mount in mounts)
    devices = [device for ssd in storage.nvme_devices for device in ssd.smd_devices]
    nvme = sum(device.total_bytes for device in devices), sum(device.avail_bytes for device in devices)
    return tuple(cell for total, free in (scm, nvme) for cell in (format_si(total), format_si(free), used(free, total)))


def tiers_text(storages: list[HostStorage], *, usable: bool) -> str:
    """Lay out the space of each rank's tiers, when metadata lives on SSDs: the tier with metadata comes first."""
    devices = [device for storage in storages for ssd in storage.nvme_devices for device in ssd.smd_devices]
    roles = sorted(
        {str(d.roles): d.roles for d in devices if Role.META in d.roles or Role.DATA in d.roles}.items(),
        key=lambda item: Role.META not in item[1],
    )
    tiers = [name for name, _ in roles]
    head = table(["Tier", "Roles"], [(f"T{number}", name) for number, name in enumerate(tiers, 1)])
    left = "Usable" if usable else "Free"
    titles = ["Rank"] + [f"T{n}-{what}" for n in range(1, len(tiers) + 1) for what in ("Total", left, "Usage")]
    rows = []
    for rank in sorted({device.rank for device in devices}):
        row: list[object] = [rank]
        for name in tiers:
            mine = [device for device in devices if device.rank == rank and str(device.roles) == name]
            row += tier_cells(mine, usable=usable)
        rows.append(row)
    return f"{head}\n{table(titles, rows)}"


def tier_cells(devices: list[SmdDevice], *, usable: bool) -> list[str]:
    """Return total, free (or usable) and used space of a tier."""
    if not devices:
        return ["-", "-", "-"]
    total = sum(device.total_bytes for device in devices)
    # Metadata alone is never data: what would be usable for that says nothing.
    count_usable = usable and Role.DATA in devices[0].roles
    free = sum(device.usable_bytes if count_usable else device.avail_bytes for device in devices)
    return [format_si(total), format_si(free), used(free, total)]
