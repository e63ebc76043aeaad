"""Devices of engines: which they are, their pools and LEDs, giving them up, and taking new ones."""

from collections.abc import Iterator

from daos_control.base.hostset import HostSet
from daos_control.base.rankset import NIL_RANK
from daos_control.cli.dmg.host_problems import errors_document, problem_of, problems_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.storage.device_text import device_text
from daos_control.cli.dmg.storage.report import by_host, report_output
from daos_control.cli.flags import Values
from daos_control.cli.ui.consent import consent
from daos_control.cli.ui.tables import indented
from daos_control.client.errors import InvalidRequest
from daos_control.client.storage import StorageReport
from daos_control.client.storage_records import HostStorage


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
        yield "  No pools with NVMe found\n"
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
