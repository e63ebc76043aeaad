"""Firmware of storage devices: what runs on them, and replacing it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from daos_control.client.connection import Connection
from daos_control.client.errors import InvalidRequest
from daos_control.client.reports import HostProblem, check_hosts, group_problems
from daos_control.client.storage_records import NvmeController, ScmModule, record_from_pb
from daos_control.wire.pb.ctl import firmware_pb2

Result = TypeVar("Result")


class DeviceKind(Enum):
    """What can have firmware of its own."""

    SCM = "scm"
    """Persistent memory modules."""
    NVME = "nvme"
    """SSDs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFirmware:
    """What a persistent memory module runs, and what it will run after the next power cycle."""

    module: ScmModule
    active: str = ""
    staged: str = ""
    max_image_bytes: int = 0
    update_status: int = 0
    """0 unknown, 1 staged, 2 success, 3 failed."""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleUpdate:
    """What became of a persistent memory module's update."""

    module: ScmModule
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SsdUpdate:
    """What became of an SSD's update."""

    pci_address: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    problems: tuple[HostProblem, ...]

    def check(self) -> None:
        """Raise PartlyFailed if a host had errors; those of single devices are not counted."""
        check_hosts(self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareReport(_Report):
    """The firmware of devices, by host; None for a kind that nobody asked for, or nobody told of."""

    modules: Mapping[str, tuple[ModuleFirmware, ...]] | None
    ssds: Mapping[str, tuple[NvmeController, ...]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateReport(_Report):
    """What became of updates, by host; hosts without such devices are not named."""

    modules: Mapping[str, tuple[ModuleUpdate, ...]] | None
    ssds: Mapping[str, tuple[SsdUpdate, ...]] | None


class Firmware:
    """What is done with the firmware of devices; part of a ``DaosClient``. Without ``hosts``, on all configured ones.

    ``devices`` are UIDs of modules or PCI addresses of SSDs; ``model`` and ``revision`` choose among them.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def query(
        self,
        kinds: Sequence[DeviceKind] = tuple(DeviceKind),
        *,
        hosts: Sequence[str] = (),
        devices: Sequence[str] = (),
        model: str = "",
        revision: str = "",
    ) -> FirmwareReport:
        """Return the firmware of devices."""
        if not kinds:
            raise InvalidRequest("no kind of device was asked for")
        request = firmware_pb2.FirmwareQueryReq(
            queryScm=DeviceKind.SCM in kinds,
            queryNvme=DeviceKind.NVME in kinds,
            deviceIDs=devices,
            modelID=model,
            firmwareRev=revision,
        )
        answers = await self._connection.each("FirmwareQuery", request, hosts, looks=True)
        modules = {host: tuple(map(_module, reply.scmResults)) for host, reply in answers.replies.items()}
        ssds = {host: tuple(map(_ssd, reply.nvmeResults)) for host, reply in answers.replies.items()}
        return FirmwareReport(
            modules=modules or None if request.queryScm else None,
            ssds=ssds or None if request.queryNvme else None,
            problems=group_problems(answers.errors.items()),
        )

    async def update(
        self,
        kind: DeviceKind,
        path: str,
        *,
        hosts: Sequence[str] = (),
        devices: Sequence[str] = (),
        model: str = "",
        revision: str = "",
    ) -> UpdateReport:
        """Give devices the firmware in a file that every host finds under this path; their engines must be stopped."""
        if not path:
            raise InvalidRequest("the firmware's file is missing")
        types = firmware_pb2.FirmwareUpdateReq
        request = types(
            firmwarePath=path,
            type=types.SCM if kind is DeviceKind.SCM else types.NVMe,
            deviceIDs=devices,
            modelID=model,
            firmwareRev=revision,
        )
        answers = await self._connection.each("FirmwareUpdate", request, hosts)
        return UpdateReport(
            modules=_by_host(answers.replies, "scmResults", _updated_module),
            ssds=_by_host(answers.replies, "nvmeResults", _updated_ssd),
            problems=group_problems(answers.errors.items()),
        )


def _by_host(
    replies: Mapping[str, Any], field: str, read: Callable[[Any], Result]
) -> Mapping[str, tuple[Result, ...]] | None:
    found = {host: tuple(map(read, getattr(reply, field))) for host, reply in replies.items()}
    return {host: results for host, results in found.items() if results} or None


def _module(result: firmware_pb2.ScmFirmwareQueryResp) -> ModuleFirmware:
    return ModuleFirmware(
        module=record_from_pb(ScmModule, result.module),
        active=result.activeVersion,
        staged=result.stagedVersion,
        max_image_bytes=result.imageMaxSizeBytes,
        update_status=result.updateStatus,
        error=result.error,
    )


def _ssd(result: firmware_pb2.NvmeFirmwareQueryResp) -> NvmeController:
    return record_from_pb(NvmeController, result.device)


def _updated_module(result: firmware_pb2.ScmFirmwareUpdateResp) -> ModuleUpdate:
    return ModuleUpdate(module=record_from_pb(ScmModule, result.module), error=result.error)


def _updated_ssd(result: firmware_pb2.NvmeFirmwareUpdateResp) -> SsdUpdate:
    return SsdUpdate(pci_address=result.pciAddr, error=result.error)
