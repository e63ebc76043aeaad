"""Storage of hosts: looking at it, and formatting it."""

from collections.abc import Sequence
from dataclasses import replace as with_facts
from typing import Any, Final
from uuid import UUID

from daos_control.base.der import der_text
from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import NIL_RANK
from daos_control.client.connection import Connection
from daos_control.client.errors import HostError, InvalidRequest
from daos_control.client.fan_out import HostAnswers
from daos_control.client.hosts import addresses
from daos_control.client.outcomes import is_not_running
from daos_control.client.reports import HostReport, group_hosts, group_problems
from daos_control.client.storage_records import (
    DEVICE_STATES,
    BdevRoles,
    HostStorage,
    NvmeController,
    ScmModule,
    ScmMountPoint,
    ScmNamespace,
    SmdDevice,
    SmdInfo,
    SmdPool,
    memory_from_pb,
    record_from_pb,
)
from daos_control.model.member_state import ALL_STATES
from daos_control.wire.pb.ctl import common_pb2, smd_pb2, storage_nvme_pb2, storage_pb2, storage_scm_pb2
from daos_control.wire.pb.mgmt import system_pb2

PRE_CHECK_S: Final = 30.0
"""How long a host may take to say whether it belongs to a running system."""
OK: Final = common_pb2.CTL_SUCCESS

StorageReport = HostReport[HostStorage]


class Storage:
    """What is done with the storage of hosts; part of a ``DaosClient``. Without ``hosts``, all configured ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def scan(
        self,
        *,
        hosts: Sequence[str] = (),
        usage: bool = False,
        health: bool = False,
        basic: bool = False,
        mem_ratio: float = 0.0,
    ) -> StorageReport:
        """Return what hosts have: with ``usage`` also how much is free, with ``health`` how the SSDs are."""
        request = storage_pb2.StorageScanReq(
            scm=storage_scm_pb2.ScanScmReq(usage=usage),
            nvme=storage_nvme_pb2.ScanNvmeReq(
                Health=health or usage, Meta=usage, Basic=basic, MemRatio=mem_ratio, LinkStats=health
            ),
        )
        return _report(await self._connection.each("StorageScan", request, hosts, looks=True), _scanned)

    async def format(self, *, hosts: Sequence[str] = (), force: bool = False, replace: bool = False) -> StorageReport:
        """Format storage that needs it; ``force`` formats what has been formatted before, too.

        ``replace`` lets the engines of one host take the place of ranks that it lost. A system that is running is
        never formatted: the client asks first.
        """
        if force and replace:
            raise InvalidRequest("either force the format or replace ranks, not both")
        if replace and len(self._connection.addresses(hosts) if hosts else ()) != 1:
            raise InvalidRequest(
                "replacing ranks takes exactly one host: name the one that lost its storage with --host-list"
            )
        await self._refuse_running(hosts)
        request = storage_pb2.StorageFormatReq(reformat=force, replace=replace)
        return _report(await self._connection.each("StorageFormat", request, hosts), _formatted)

    async def _refuse_running(self, hosts: Sequence[str]) -> None:
        """Raise if the management service runs: on any of these hosts, or, without hosts, at all.

        A replica that only points elsewhere does not count: genuine DAOS formats such hosts, too.
        """
        asked = addresses(hosts, self._connection.management.port) if hosts else self._connection.addresses(())
        query = system_pb2.SystemQueryReq(state_mask=ALL_STATES)
        answers = await self._connection.each_replica("SystemQuery", query, asked, PRE_CHECK_S)
        if answers.replies:
            raise FaultCode.CLIENT_FORMAT_RUNNING_SYSTEM.fault()
        for error in answers.errors.values():
            if not is_not_running(error):
                raise error

    async def list_devices(
        self,
        *,
        hosts: Sequence[str] = (),
        rank: int = NIL_RANK,
        uuid: str = "",
        health: bool = False,
        evicted_only: bool = False,
    ) -> StorageReport:
        """Return the devices that engines use, or only those that were given up."""
        request = smd_pb2.SmdQueryReq(omit_pools=True, include_bio_health=health, rank=rank, uuid=_uuid(uuid))
        read = _evicted if evicted_only else _metadata
        return _report(await self._connection.each("SmdQuery", request, hosts, looks=True), read)

    async def list_pools(self, *, hosts: Sequence[str] = (), rank: int = NIL_RANK, uuid: str = "") -> StorageReport:
        """Return the pools that engines have on their devices."""
        request = smd_pb2.SmdQueryReq(omit_devices=True, rank=rank, uuid=_uuid(uuid))
        return _report(await self._connection.each("SmdQuery", request, hosts, looks=True), _metadata)

    async def set_faulty(self, host: str, uuid: str) -> StorageReport:
        """Give a device up: its data is rebuilt elsewhere."""
        request = smd_pb2.SmdManageReq(faulty=smd_pb2.SetFaultyReq(uuid=_uuid(uuid)))
        return _report(await self._connection.each("SmdManage", request, [host]), _managed)

    async def replace_device(self, host: str, old_uuid: str, new_uuid: str) -> StorageReport:
        """Put a new device in the place of one that was given up."""
        replace = smd_pb2.DevReplaceReq(old_dev_uuid=_uuid(old_uuid), new_dev_uuid=_uuid(new_uuid))
        return _report(
            await self._connection.each("SmdManage", smd_pb2.SmdManageReq(replace=replace), [host]), _managed
        )

    async def led_check(self, ids: str = "", *, hosts: Sequence[str] = ()) -> StorageReport:
        """Return the LEDs of devices, named by UUID or PCI address and separated by commas; none named: of all."""
        return await self._led(hosts, ids=ids, led_action=smd_pb2.GET)

    async def led_identify(self, ids: str = "", *, hosts: Sequence[str] = (), minutes: int = 0) -> StorageReport:
        """Let the LEDs of devices blink."""
        blink = {"led_action": smd_pb2.SET, "led_state": smd_pb2.QUICK_BLINK, "led_duration_mins": minutes}
        return await self._led(hosts, ids=ids, **blink)

    async def led_reset(self, ids: str = "", *, hosts: Sequence[str] = ()) -> StorageReport:
        """Let the LEDs of devices show their state again."""
        return await self._led(hosts, ids=ids, led_action=smd_pb2.RESET)

    async def _led(self, hosts: Sequence[str], **facts: Any) -> StorageReport:
        request = smd_pb2.SmdManageReq(led=smd_pb2.LedManageReq(**facts))
        return _report(await self._connection.each("SmdManage", request, hosts), _managed)

    async def nvme_rebind(self, host: str, pci_address: str) -> StorageReport:
        """Take an SSD from the kernel's driver."""
        request = storage_pb2.NvmeRebindReq(pci_addr=pci_address)
        return _report(await self._connection.each("StorageNvmeRebind", request, [host]), _done)

    async def nvme_add_device(self, host: str, pci_address: str, engine: int, *, tier: int = -1) -> StorageReport:
        """Add an SSD to an engine's configuration; tier -1 is the first tier of SSDs."""
        request = storage_pb2.NvmeAddDeviceReq(pci_addr=pci_address, engine_index=engine, storage_tier_index=tier)
        return _report(await self._connection.each("StorageNvmeAddDevice", request, [host]), _done)


def _uuid(text: str) -> str:
    try:
        return text and str(UUID(text))
    except ValueError:
        raise InvalidRequest(f"{text!r} is not a UUID") from None


def _report(answers: HostAnswers[Any], read: Any) -> StorageReport:
    """Turn what hosts answered into records and errors; ``read`` gives both for one reply."""
    records: dict[str, HostStorage] = {}
    errors = list(answers.errors.items())
    for host, reply in answers.replies.items():
        records[host], found = read(reply)
        errors += [(host, error) for error in found]
    return HostReport(groups=group_hosts(records), problems=group_problems(errors))


def _state_errors(*states: Any) -> list[DaosControlError]:
    """Return the errors among outcomes of operations."""
    return [HostError(state.error or "unknown error", state.info) for state in states if state.status != OK]


def _scan_errors(*states: Any) -> list[DaosControlError]:
    """Return the errors of a scan; hosts with different hints are told apart."""
    failed = (state for state in states if state.status != OK)
    return [
        HostError((state.error or "unknown error") + (f" ({state.info})" if state.info else "")) for state in failed
    ]


def _scanned(reply: storage_pb2.StorageScanResp) -> tuple[HostStorage, list[DaosControlError]]:
    facts: dict[str, Any] = {}
    if reply.nvme.state.status == OK:
        facts["nvme_devices"] = tuple(record_from_pb(NvmeController, ctrlr) for ctrlr in reply.nvme.ctrlrs)
    if reply.scm.state.status == OK:
        facts["scm_modules"] = tuple(record_from_pb(ScmModule, module) for module in reply.scm.modules)
        facts["scm_namespaces"] = tuple(record_from_pb(ScmNamespace, space) for space in reply.scm.namespaces)
    if reply.HasField("sys_mem_info"):
        facts["mem_info"] = memory_from_pb(reply.sys_mem_info)
    return HostStorage(**facts), _scan_errors(reply.nvme.state, reply.scm.state)


def _formatted(reply: storage_pb2.StorageFormatResp) -> tuple[HostStorage, list[DaosControlError]]:
    def info(state: Any) -> str:
        return state.info or "CTL_SUCCESS"

    devices = tuple(
        NvmeController(
            info=info(result.state),
            pci_addr=result.pci_addr,
            smd_devices=(SmdDevice(roles=BdevRoles(option_bits=result.role_bits)),),
        )
        for result in reply.crets
        if result.state.status == OK and result.pci_addr
    )
    mounts = tuple(
        ScmMountPoint(info=info(result.state), path=result.mntpoint)
        for result in reply.mrets
        if result.state.status == OK
    )
    states = [result.state for result in reply.crets] + [result.state for result in reply.mrets]
    return HostStorage(nvme_devices=devices, scm_mount_points=mounts), _state_errors(*states)


def _metadata(reply: smd_pb2.SmdQueryResp) -> tuple[HostStorage, list[DaosControlError]]:
    devices: list[SmdDevice] = []
    pools: dict[str, tuple[SmdPool, ...]] = {}
    for rank in reply.ranks:
        devices += [_device(device, rank.rank) for device in rank.devices]
        for pool in rank.pools:
            found = SmdPool(uuid=pool.uuid, tgt_ids=tuple(pool.tgt_ids), blobs=tuple(pool.blobs), rank=rank.rank)
            pools[pool.uuid] = (*pools.get(pool.uuid, ()), found)
    return HostStorage(smd_info=SmdInfo(devices=tuple(devices), pools=pools)), []


def _evicted(reply: smd_pb2.SmdQueryResp) -> tuple[HostStorage, list[DaosControlError]]:
    storage, errors = _metadata(reply)
    info = storage.smd_info or SmdInfo()
    gone = tuple(device for device in info.devices if DEVICE_STATES[device.ctrlr.dev_state] == "EVICTED")
    return with_facts(storage, smd_info=with_facts(info, devices=gone)), errors


def _managed(reply: smd_pb2.SmdManageResp) -> tuple[HostStorage, list[DaosControlError]]:
    results = [(rank.rank, result) for rank in reply.ranks for result in rank.results]
    devices = tuple(_device(result.device, rank) for rank, result in results if result.HasField("device"))
    failed = [_failure(rank, result) for rank, result in results if result.status]
    errors: list[DaosControlError] = [HostError(", ".join(failed))] if failed else []
    return HostStorage(smd_info=SmdInfo(devices=devices) if devices else None), errors


def _failure(rank: int, result: Any) -> str:
    device = result.device.uuid or result.device.ctrlr.pci_addr
    return f"rank {rank}: {device}{' ' if device else ''}{der_text(result.status)}"


def _device(device: smd_pb2.SmdDevice, rank: int) -> SmdDevice:
    return with_facts(record_from_pb(SmdDevice, device), rank=rank)


def _done(reply: Any) -> tuple[HostStorage, list[DaosControlError]]:
    return HostStorage(), _state_errors(reply.state)
