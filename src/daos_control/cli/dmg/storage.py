"""``dmg storage ...``: what storage hosts have, formatting it, and the devices of engines."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any, Final, Protocol

from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.hostset import HostSet
from daos_control.base.units import format_iec, format_si
from daos_control.cli.dmg.devices import device_text, health_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.consent import consent
from daos_control.cli.ui.documents import by_key, document
from daos_control.cli.ui.steps import Step
from daos_control.cli.ui.tables import counted, framed, indented, table
from daos_control.client.errors import HostError, InvalidRequest, PartlyFailed
from daos_control.client.outcomes import is_timeout
from daos_control.client.reports import HostProblem
from daos_control.client.storage import StorageReport
from daos_control.client.storage_records import (
    DEVICE_STATES,
    LED_STATES,
    HostStorage,
    NvmeController,
    Role,
    ScmModule,
    SmdDevice,
    SysMemInfo,
)
from daos_control.model.member import NIL_RANK

CONTROL_PORT: Final = ":10001"


def report_output(report: StorageReport, text: str, *, key: str = "HostStorage") -> Output:
    """Say what hosts reported, and which had errors."""
    return Output(
        document=report_document(report, key),
        text=text,
        error_text=problems_text(report.problems),
        problem=problem_of(report),
    )


def report_document(report: StorageReport, key: str) -> dict[str, Any]:
    """Give a report the keys that DAOS gives it."""
    groups = {
        str(group.key): {"storage": storage_document(group.record), "hosts": str(group.hosts)}
        for group in report.groups
    }
    return {"host_errors": errors_document(report.problems), key: by_key(groups) or None}


def errors_document(problems: tuple[HostProblem, ...]) -> dict[str, str]:
    """Give errors the form that DAOS gives them: text to hosts."""
    return by_key({str(problem.error): str(problem.hosts) for problem in problems})


class Checkable(Protocol):
    """A report that knows whether hosts had errors."""

    def check(self) -> None:
        """Raise PartlyFailed if some had."""


def problem_of(report: Checkable) -> PartlyFailed | None:
    """Return that hosts had errors, if some had."""
    try:
        report.check()
    except PartlyFailed as problem:
        return problem
    return None


def problems_text(problems: tuple[HostProblem, ...]) -> str:
    """Lay out errors; of a fault, only what happened."""
    if not problems:
        return ""
    alike: dict[str, list[str]] = {}
    for problem in problems:
        alike.setdefault(_impersonal(problem), []).extend(problem.hosts)
    rows = [(hosts_text(HostSet(hosts)), error) for error, hosts in alike.items()]
    text = "Errors:\n" + table(["Hosts", "Error"], rows, indent="  ")
    late = any(is_timeout(problem.error) for problem in problems)
    return text + "  Hosts that may just be slow are given more time with --timeout, such as --timeout=1m.\n" * late


def _impersonal(problem: HostProblem) -> str:
    """Say what went wrong without the host's own address, so that it is the same for many hosts."""
    text = error_cell(problem.error)
    return text.replace(str(problem.hosts), "the host") if len(problem.hosts) == 1 else text


def error_cell(error: DaosControlError) -> str:
    """Say in one cell what went wrong: of a fault, only what happened."""
    if isinstance(error, Fault):
        return error.description
    return f"{error} ({error.hint})" if isinstance(error, HostError) and error.hint else str(error)


def hosts_text(hosts: HostSet) -> str:
    """Fold hosts without the port that all have."""
    return str(HostSet(host.removesuffix(CONTROL_PORT) for host in hosts))


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


@command()
async def scan(session: Session, args: Values) -> Output:
    """Show what storage hosts have."""
    if args.verbose and args.nvme_health:
        raise InvalidRequest("--nvme-health may not be mixed with --verbose")
    report = await session.daos.storage.scan(health=args.nvme_health, basic=not (args.verbose or args.nvme_health))
    text = scan_text(report)
    if args.verbose:
        text = by_host(report, verbose_scan)
    elif args.nvme_health:
        text = by_host(report, health_scan)
    return report_output(report, text)


def scan_text(report: StorageReport) -> str:
    """Lay out sizes and numbers, a line for hosts with the same."""
    if not report.groups:
        return ""
    rows = [(hosts_text(group.hosts), scm_summary(group.record), nvme_summary(group.record)) for group in report.groups]
    return table(["Hosts", "SCM Total", "NVMe Total"], rows)


def scm_summary(storage: HostStorage) -> str:
    """Add persistent memory up."""
    if storage.scm_namespaces:
        return f"{format_si(storage.scm_bytes)} ({counted(len(storage.scm_namespaces), 'namespace')})"
    return f"{format_iec(storage.scm_bytes)} ({counted(len(storage.scm_modules), 'module')})"


def nvme_summary(storage: HostStorage) -> str:
    """Add SSDs up."""
    return f"{format_si(storage.nvme_bytes)} ({counted(len(storage.nvme_devices), 'controller')})"


def by_host(report: StorageReport, show: Callable[[HostStorage], str]) -> str:
    """Put hosts with the same storage in front of it."""
    return "".join(framed(hosts_text(group.hosts)) + show(group.record) for group in report.groups)


def verbose_scan(storage: HostStorage) -> str:
    """Lay out one host's memory, modules or namespaces, and SSDs."""
    huge = storage.mem_info.overall.hugepage_size_kb if storage.mem_info else 0
    if storage.scm_namespaces:
        spaces = [(space.blockdev, space.numa_node, format_si(space.size)) for space in storage.scm_namespaces]
        scm = table(["SCM Namespace", "Socket", "Capacity"], spaces)
    elif storage.scm_modules:
        scm = modules_table(storage.scm_modules)
    else:
        scm = "\tNo SCM modules found\n"
    nvme = controllers_table(storage.nvme_devices) if storage.nvme_devices else "\tNo NVMe devices found\n"
    return f"HugePage Size: {huge} KB\n\n{scm}\n{nvme}\n"


def modules_table(modules: tuple[ScmModule, ...]) -> str:
    """Lay out memory modules."""
    titles = [
        "SCM Module",
        "Socket",
        "Memory Ctrlr",
        "Channel",
        "Channel Slot",
        "Capacity",
        "UID",
        "Part Number",
        "Health",
    ]
    rows = [
        (
            module.physical_id,
            module.socket_id,
            module.controller_id,
            module.channel_id,
            module.channel_position,
            format_iec(module.capacity),
            module.uid,
            module.part_number,
            module.health_state,
        )
        for module in sorted(modules, key=lambda module: module.physical_id)
    ]
    return table(titles, rows)


def controllers_table(controllers: tuple[NvmeController, ...]) -> str:
    """Lay out SSDs."""
    rows = []
    for ssd in sorted(controllers, key=lambda controller: controller.pci_addr):
        rank = ssd.smd_devices[0].rank if ssd.smd_devices else NIL_RANK
        shown = "None" if rank == NIL_RANK else rank
        rows.append(
            (ssd.pci_addr, ssd.model, ssd.fw_rev, ssd.socket_id, format_si(ssd.capacity_bytes), ssd.roles, shown)
        )
    return table(["NVMe PCI", "Model", "FW Revision", "Socket", "Capacity", "Role(s)", "Rank"], rows)


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
    return replace(output, next=(step,)) if report.groups else output


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
    return table(["SCM Mount", "Format Result"], rows) if rows else "\tNo SCM mount results\n"


def formatted_text(storage: HostStorage) -> str:
    """Lay out the SSDs that were formatted."""
    rows = [
        (ssd.pci_addr, ssd.info, ssd.roles)
        for ssd in sorted(storage.nvme_devices, key=lambda controller: controller.pci_addr)
        if ssd.pci_addr != "<nil>"
    ]
    return table(["NVMe PCI", "Format Result", "Role(s)"], rows) if rows else "\tNo NVMe devices found\n"


@command()
async def usage(session: Session, args: Values) -> Output:
    """Show how much storage is in use."""
    if args.mem_ratio and not args.show_usable:
        raise InvalidRequest("--mem-ratio is only supported with --show-usable flag")
    mem_ratio = args.mem_ratio[0] if args.mem_ratio else 0.0
    report = await session.daos.storage.scan(usage=True, mem_ratio=mem_ratio)
    hosts = [(hosts_text(group.hosts), group.record) for group in report.groups]
    on_ssd = bool(hosts) and any(ssd.roles.option_bits for ssd in hosts[0][1].nvme_devices)
    if not hosts:
        text = ""
    elif on_ssd:
        text = tiers_text([record for _, record in hosts], usable=args.show_usable)
    else:
        text = usage_text(hosts)
        if args.show_usable:
            session.notice("--show-usable flag ignored when MD-on-SSD is not enabled")
    output = report_output(report, text)
    return replace(output, problem=None) if session.json else output  # as in DAOS 2.8


def used(free: int, total: int) -> str:
    """Return how much is not free, in percent."""
    return f"{(total - free) * 100 // total} %" if total else "N/A"


def usage_text(hosts: list[tuple[str, HostStorage]]) -> str:
    """Lay out total and free space, a line for hosts with the same."""
    titles = ["Hosts", "SCM-Total", "SCM-Free", "SCM-Used", "NVMe-Total", "NVMe-Free", "NVMe-Used"]
    rows = []
    for name, storage in hosts:
        mounts = [space.mount for space in storage.scm_namespaces if space.mount]
        scm = sum(mount.total_bytes for mount in mounts), sum(mount.avail_bytes for mount in mounts)
        devices = [device for ssd in storage.nvme_devices for device in ssd.smd_devices]
        nvme = sum(device.total_bytes for device in devices), sum(device.avail_bytes for device in devices)
        row = [name]
        for total, free in (scm, nvme):
            row += [format_si(total), format_si(free), used(free, total)]
        rows.append(row)
    return table(titles, rows)


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


@command()
async def list_devices(session: Session, args: Values) -> Output:
    """Show the devices that engines use."""
    rank = NIL_RANK if args.rank is None else args.rank
    report = await session.daos.storage.list_devices(
        rank=rank, uuid=args.uuid, health=args.health, evicted_only=args.show_evicted
    )
    return report_output(report, by_host(report, devices_text), key="host_storage_map")


def devices_text(storage: HostStorage, *, led_only: bool = False) -> str:
    """Lay out devices."""
    devices = storage.smd_info.devices if storage.smd_info else ()
    if not devices:
        return "  No devices found\n"
    return "  Devices\n" + "".join(indented(device_text(device, led_only=led_only), "    ") for device in devices)


@command()
async def list_pools(session: Session, args: Values) -> Output:
    """Show the pools on engines' devices."""
    rank = NIL_RANK if args.rank is None else args.rank
    report = await session.daos.storage.list_pools(rank=rank, uuid=args.uuid)
    text = by_host(report, lambda storage: "".join(smd_pool_lines(storage, verbose=args.verbose)))
    return report_output(report, text, key="host_storage_map")


def smd_pool_lines(storage: HostStorage, *, verbose: bool) -> Iterator[str]:
    """Lay out pools, with their targets on each rank."""
    pools = (storage.smd_info.pools if storage.smd_info else None) or {}
    if not pools:
        yield "  No pools found\n"
        return
    yield "  Pools\n"
    for uuid, ranks in sorted(pools.items()):
        yield f"    UUID:{uuid}\n"
        for pool in ranks:
            blobs = f" Blobs:[{' '.join(map(str, pool.blobs))}]" if verbose else ""
            yield f"      Rank:{pool.rank} Targets:[{' '.join(map(str, pool.tgt_ids))}]{blobs}\n"
        yield "\n"


@command()
async def set_faulty(session: Session, args: Values) -> Output:
    """Give a device up."""
    session.notice("This command will permanently mark the device as unusable!")
    if not args.force and not args.json and not consent():
        raise InvalidRequest("consent not given")
    report = await session.daos.storage.set_faulty(args.host, args.uuid)
    return done_output(report, "set-faulty")


@command()
async def replace_device(session: Session, args: Values) -> Output:
    """Put a new device in the place of one that was given up."""
    if args.old_uuid == args.new_uuid:
        session.notice("Attempting to reuse a previously set FAULTY device!")
    report = await session.daos.storage.replace_device(args.host, args.old_uuid, args.new_uuid)
    return done_output(report, "dev-replace")


def done_output(report: StorageReport, what: str) -> Output:
    """Say on which host something was done."""
    failed = {host for problem in report.problems for host in problem.hosts}
    done = HostSet(host for group in report.groups for host in group.hosts if host not in failed)
    text = f"{what} operation performed successfully on the following host: {done}\n" if done else ""
    return report_output(report, text, key="host_storage_map")


@command()
async def led_check(session: Session, args: Values) -> Output:
    """Show LEDs."""
    return led_output(await session.daos.storage.led_check(args.ids or ""))


@command()
async def led_identify(session: Session, args: Values) -> Output:
    """Let LEDs blink, or stop blinking."""
    if args.reset and args.timeout:
        raise InvalidRequest("timeout option can not be set at the same time as reset")
    storage, ids = session.daos.storage, args.ids or ""
    report = await (storage.led_reset(ids) if args.reset else storage.led_identify(ids, minutes=args.timeout))
    return led_output(report)


def led_output(report: StorageReport) -> Output:
    """Lay out LEDs."""
    text = by_host(report, lambda storage: devices_text(storage, led_only=True))
    return report_output(report, text, key="host_storage_map")


@command()
async def nvme_rebind(session: Session, args: Values) -> Output:
    """Take an SSD from the kernel's driver."""
    return plain_output(await session.daos.storage.nvme_rebind(one_host(args), args.pci_address))


@command()
async def nvme_add_device(session: Session, args: Values) -> Output:
    """Add an SSD to an engine."""
    storage = session.daos.storage
    return plain_output(
        await storage.nvme_add_device(one_host(args), args.pci_address, args.engine_index, tier=args.tier_index)
    )


def one_host(args: Values) -> str:
    """Return the host to go to; that it is the only one configured is not enough."""
    [hosts] = args.host_list or ("",)
    if len(HostSet.parse(hosts)) != 1:
        raise InvalidRequest("this command goes to one host: name it with --host-list")
    return str(hosts)


def plain_output(report: StorageReport) -> Output:
    """Say that something was done, or what went wrong."""
    return Output(
        document={"host_errors": errors_document(report.problems)},
        text="" if report.problems else "Command completed successfully\n",
        error_text=problems_text(report.problems),
        problem=problem_of(report),
    )
