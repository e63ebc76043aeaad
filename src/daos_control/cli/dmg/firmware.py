"""``dmg firmware ...``: what runs on storage devices, and replacing it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from daos_control.base.hostset import HostSet
from daos_control.base.units import counted, format_iec
from daos_control.cli.dmg.host_problems import errors_document, hosts_text, problem_of, problems_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.scans.storage_documents import controller_document, module_document
from daos_control.cli.ui.tables import framed, indented, table
from daos_control.client.firmware import DeviceKind, FirmwareReport, ModuleFirmware, UpdateReport

Result = TypeVar("Result")

STATUSES: Final = ("Unknown", "Staged", "Success", "Failed")


@command()
async def query(session: Session, args: Values) -> Output:
    """Show the firmware of devices."""
    kinds = tuple(DeviceKind) if args.type == "all" else (DeviceKind(args.type),)
    report = await session.daos.firmware.query(kinds, **filters(args))
    return output(session, report, query_document(report), query_text(report, verbose=args.verbose))


@command()
async def update(session: Session, args: Values) -> Output:
    """Give devices other firmware."""
    kind = DeviceKind(args.type)
    report = await session.daos.firmware.update(kind, args.path, **filters(args))
    show = updated_modules_text if kind is DeviceKind.SCM else updated_ssds_text
    return output(session, report, update_document(report), show(report, verbose=args.verbose))


def filters(args: Values) -> dict[str, Any]:
    """Return which devices are meant."""
    return {"devices": args.devices, "model": args.model, "revision": args.fwrev}


def output(session: Session, report: FirmwareReport | UpdateReport, document: object, text: str) -> Output:
    """Say what hosts reported, errors among it; in a document, hosts with errors are no failure, as in DAOS 2.8."""
    problems = f"{problems_text(report.problems)}\n" if report.problems else ""
    return Output(
        document=document,
        text=problems + text,
        problem=None if session.json else problem_of(report),
    )


# -- documents -----------------------------------------------------------------------------------------------------


def query_document(report: FirmwareReport) -> dict[str, Any]:
    """Give a report the keys that DAOS gives it."""
    return {
        "host_errors": errors_document(report.problems),
        "HostSCMFirmware": by_host(report.modules, module_firmware_document),
        "HostNVMeFirmware": by_host(report.ssds, lambda ssd: {"Device": controller_document(ssd)}),
    }


def module_firmware_document(found: ModuleFirmware) -> dict[str, Any]:
    """Give one module's firmware the keys that DAOS gives it."""
    return {
        "Module": module_document(found.module),
        "Info": {
            "ActiveVersion": found.active,
            "StagedVersion": found.staged,
            "ImageMaxSizeBytes": found.max_image_bytes,
            "UpdateStatus": found.update_status,
        },
        "Error": error_document(found.error),
    }


def update_document(report: UpdateReport) -> dict[str, Any]:
    """Give a report the keys that DAOS gives it."""
    return {
        "host_errors": errors_document(report.problems),
        "HostSCMResult": by_host(
            report.modules,
            lambda result: {"Module": module_document(result.module), "Error": error_document(result.error)},
        ),
        "HostNVMeResult": by_host(
            report.ssds,
            lambda result: {"DevicePCIAddr": result.pci_address, "Error": error_document(result.error)},
        ),
    }


def by_host(
    found: Mapping[str, Sequence[Result]] | None, write: Callable[[Result], dict[str, Any]]
) -> dict[str, Any] | None:
    """Write what hosts reported, if any did."""
    return {host: [write(result) for result in found[host]] for host in sorted(found)} if found else None


def error_document(error: str) -> dict[str, Any] | None:
    """Tell that there was an error; its text has no place in documents of DAOS 2.8."""
    return {} if error else None


# -- text ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How devices of a kind are called."""

    section: str
    id_title: str
    short: Callable[[Any], str]
    full: Callable[[Any], str]
    none: str


def module_name(result: Any) -> str:
    """Say which module is meant, and where it is."""
    module = result.module
    health = f" Health:{module.health_state}" if module.health_state else ""
    return (
        f"UID:{module.uid} PhysicalID:{module.physical_id} Capacity:{format_iec(module.capacity)} "
        f"Location:(socket:{module.socket_id} memctrlr:{module.controller_id} "
        f"chan:{module.channel_id} pos:{module.channel_position}){health}"
    )


def module_id(result: Any) -> str:
    """Say in short which module is meant."""
    module = result.module
    place = (module.physical_id, module.socket_id, module.controller_id, module.channel_id, module.channel_position)
    return f"{module.uid}:{':'.join(map(str, place))}"


MODULES: Final = Kind(
    section="SCM Device Firmware",
    id_title="Device:PhyID:Socket:Ctrl:Chan:Pos",
    short=module_id,
    full=module_name,
    none="No SCM devices detected\n",
)
SSDS: Final = Kind(
    section="NVMe Device Firmware",
    id_title="Device Addr",
    short=lambda ssd: str(ssd.pci_addr),
    full=lambda ssd: f"Device PCI Address: {ssd.pci_addr}",
    none="No NVMe device controllers detected\n",
)


def query_text(report: FirmwareReport, *, verbose: bool) -> str:
    """Lay out firmware: a block for equal devices, or for each."""
    text = ""
    for kind, found, show in ((MODULES, report.modules, module_firmware), (SSDS, report.ssds, ssd_firmware)):
        if found is not None:
            line = "=" * len(kind.section)
            blocks = each_device(kind, found, show) if verbose else together(kind, found, show, status)
            text += f"{line}\n{kind.section}\n{line}\n{indented(blocks, '  ')}"
    return text


def status(count: int, firmware: str) -> str:
    """Say what a number of devices runs."""
    return f"Firmware status for {counted(count, 'device')}:\n{indented(firmware, '  ')}"


def module_firmware(found: Any) -> str:
    """Lay out a module's firmware."""
    known = STATUSES[found.update_status] if found.update_status < len(STATUSES) else STATUSES[0]
    return (
        f"Active Version: {found.active or 'N/A'}\n"
        f"Staged Version: {found.staged or 'N/A'}\n"
        f"Maximum Firmware Image Size: {format_iec(found.max_image_bytes)}\n"
        f"Last Update Status: {known}\n"
    )


def ssd_firmware(ssd: Any) -> str:
    """Lay out an SSD's firmware."""
    return f"Revision: {ssd.fw_rev}\n"


def updated_modules_text(report: UpdateReport, *, verbose: bool) -> str:
    """Say how modules' updates went."""

    def staged(count: int, _: str) -> str:
        return f"Firmware staged on {counted(count, 'device')}. A power cycle is required to apply the update.\n"

    done, found = "Success: the new firmware is staged, and runs after a power cycle\n", report.modules or {}
    return each_device(MODULES, found, lambda _: done) if verbose else together(MODULES, found, lambda _: done, staged)


def updated_ssds_text(report: UpdateReport, *, verbose: bool) -> str:
    """Say how SSDs' updates went."""

    def updated(count: int, _: str) -> str:
        return f"Firmware updated on {counted(count, 'NVMe device controller')}.\n"

    done, found = "Success: the SSD runs the new firmware\n", report.ssds or {}
    return each_device(SSDS, found, lambda _: done) if verbose else together(SSDS, found, lambda _: done, updated)


def each_device(kind: Kind, found: Mapping[str, Sequence[Any]], show: Callable[[Any], str]) -> str:
    """Lay out every device of every host by itself."""
    text = ""
    for host in sorted(found):
        devices = "".join(
            f"{kind.full(device)}\n"
            + indented(f"Error: {error}\n" if (error := error_of(device)) else show(device), "  ")
            for device in found[host]
        )
        text += framed(host) + indented(devices or kind.none, "  ")
    return text


def together(
    kind: Kind, found: Mapping[str, Sequence[Any]], show: Callable[[Any], str], head: Callable[[int, str], str]
) -> str:
    """Lay out devices about which the same is to be said together, behind those that had errors."""
    groups: dict[str, list[str]] = {}
    failed = []
    for host, device in _devices(found):
        if device is not None and (error := error_of(device)):
            failed.append((host, kind.short(device), error))
        else:
            groups.setdefault(kind.none if device is None else show(device), []).append(host)
    text = "Errors:\n" + table(["Host", kind.id_title, "Error"], failed, indent="  ") if failed else ""
    for facts, hosts in sorted(groups.items()):
        said = facts if facts == kind.none else head(len(hosts), facts)
        text += framed(hosts_text(HostSet(hosts))) + indented(said, "  ")
    return text


def _devices(found: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, Any]]:
    """Yield every device with its host, and None for a host that has none."""
    for host in sorted(found):
        yield from ((host, device) for device in found[host] or (None,))


def error_of(device: Any) -> str:
    """Return what went wrong with a device, if anything; SSDs that are looked at have no errors."""
    return str(getattr(device, "error", ""))
