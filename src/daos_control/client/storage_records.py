"""What a host's storage looks like: SSDs, persistent memory, mounts, devices as the engines know them, memory.

Field names are the keys of dmg's JSON documents; the first argument of each ``fact`` is the name in DAOS's structure.
"""
# ruff: noqa: RUF009 - fact() makes a field, as dataclasses.field() does

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from enum import IntFlag
from functools import cache
from typing import Any, Final, TypeVar, cast

from google.protobuf.message import Message

from daos_control.client.fingerprint import fact

Record = TypeVar("Record")

SYSTEM_TARGET: Final = 1024
"""The target number that stands for an engine's own stream, and no target."""

DEVICE_STATES: Final = ("UNKNOWN", "NORMAL", "NEW", "EVICTED", "UNPLUGGED")
LED_STATES: Final = ("NA", "QUICK_BLINK", "ON", "SLOW_BLINK", "OFF")


class Role(IntFlag):
    """What an NVMe device is for when metadata lives on SSDs."""

    DATA = 1
    META = 2
    WAL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BdevRoles:
    """The roles of a device; the text is how people see them."""

    option_bits: int = fact("OptionBits", "H", default=0)

    def __str__(self) -> str:
        return ",".join(role.name.lower() for role in Role if role & self.option_bits and role.name) or "NA"

    def __contains__(self, role: Role) -> bool:
        return bool(self.option_bits & role)


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmeHealth:
    """A controller's health statistics; times and counters as the device reports them."""

    timestamp: int = fact("Timestamp", "Q", default=0)
    warn_temp_time: int = fact("TempWarnTime", "I", default=0)
    crit_temp_time: int = fact("TempCritTime", "I", default=0)
    ctrl_busy_time: int = fact("CtrlBusyTime", "Q", default=0)
    power_cycles: int = fact("PowerCycles", "Q", default=0)
    power_on_hours: int = fact("PowerOnHours", "Q", default=0)
    unsafe_shutdowns: int = fact("UnsafeShutdowns", "Q", default=0)
    media_errs: int = fact("MediaErrors", "Q", default=0)
    err_log_entries: int = fact("ErrorLogEntries", "Q", default=0)
    bio_read_errs: int = fact("ReadErrors", "I", default=0)
    bio_write_errs: int = fact("WriteErrors", "I", default=0)
    bio_unmap_errs: int = fact("UnmapErrors", "I", default=0)
    checksum_errs: int = fact("ChecksumErrors", "I", default=0)
    temperature: int = fact("Temperature", "I", default=0)
    temp_warn: bool = fact("TempWarn", "b", default=False)
    avail_spare_warn: bool = fact("AvailSpareWarn", "b", default=False)
    dev_reliability_warn: bool = fact("ReliabilityWarn", "b", default=False)
    read_only_warn: bool = fact("ReadOnlyWarn", "b", default=False)
    volatile_mem_warn: bool = fact("VolatileWarn", "b", default=False)
    program_fail_cnt_norm: int = fact("ProgFailCntNorm", "B", default=0)
    program_fail_cnt_raw: int = fact("ProgFailCntRaw", "Q", default=0)
    erase_fail_cnt_norm: int = fact("EraseFailCntNorm", "B", default=0)
    erase_fail_cnt_raw: int = fact("EraseFailCntRaw", "Q", default=0)
    wear_leveling_cnt_norm: int = fact("WearLevelingCntNorm", "B", default=0)
    wear_leveling_cnt_min: int = fact("WearLevelingCntMin", "H", default=0)
    wear_leveling_cnt_max: int = fact("WearLevelingCntMax", "H", default=0)
    wear_leveling_cnt_avg: int = fact("WearLevelingCntAvg", "H", default=0)
    endtoend_err_cnt_raw: int = fact("EndtoendErrCntRaw", "Q", default=0)
    crc_err_cnt_raw: int = fact("CrcErrCntRaw", "Q", default=0)
    media_wear_raw: int = fact("MediaWearRaw", "Q", default=0)
    host_reads_raw: int = fact("HostReadsRaw", "Q", default=0)
    workload_timer_raw: int = fact("WorkloadTimerRaw", "Q", default=0)
    thermal_throttle_status: int = fact("ThermalThrottleStatus", "B", default=0)
    thermal_throttle_event_cnt: int = fact("ThermalThrottleEventCnt", "Q", default=0)
    retry_buffer_overflow_cnt: int = fact("RetryBufferOverflowCnt", "Q", default=0)
    pll_lock_loss_cnt: int = fact("PllLockLossCnt", "Q", default=0)
    nand_bytes_written: int = fact("NandBytesWritten", "Q", default=0)
    host_bytes_written: int = fact("HostBytesWritten", "Q", default=0)
    cluster_size: int = fact("ClusterSize", "Q", default=0)
    meta_wal_size: int = fact("MetaWalSize", "Q", default=0)
    rdb_wal_size: int = fact("RdbWalSize", "Q", default=0)
    link_port_id: int = fact("LinkPortId", "I", default=0)
    link_max_speed: float = fact("LinkMaxSpeed", "f", default=0.0)
    link_max_width: int = fact("LinkMaxWidth", "I", default=0)
    link_neg_speed: float = fact("LinkNegSpeed", "f", default=0.0)
    link_neg_width: int = fact("LinkNegWidth", "I", default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmeNamespace:
    """A namespace of a controller."""

    id: int = fact("ID", "I", default=0)
    size: int = fact("Size", "Q", default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmdDevice:
    """A device as the engine that uses it knows it."""

    uuid: str = fact("UUID", default="")
    tgt_ids: tuple[int, ...] | None = fact("TargetIDs", "i", unordered=True, absent=())
    rank: int = fact("Rank", "I", default=0)
    total_bytes: int = fact("TotalBytes", "Q", default=0)
    avail_bytes: int = fact("AvailBytes", "Q", default=0)
    usable_bytes: int = fact("UsableBytes", "Q", default=0)
    cluster_size: int = fact("ClusterSize", "Q", default=0)
    meta_size: int = fact("MetaSize", "Q", default=0)
    meta_wal_size: int = fact("MetaWalSize", "Q", default=0)
    rdb_size: int = fact("RdbSize", "Q", default=0)
    rdb_wal_size: int = fact("RdbWalSize", "Q", default=0)
    roles: BdevRoles = fact("Roles", default=BdevRoles, of=BdevRoles)
    has_sys_xs: bool = fact("HasSysXS", "b", default=False)
    ctrlr: "NvmeController" = fact("Ctrlr", default=lambda: NvmeController(), of=lambda: NvmeController)  # noqa: PLW0108 - defined below
    ctrlr_namespace_id: int = fact("CtrlrNamespaceID", "I", default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmeController:
    """An SSD."""

    info: str = fact("Info", default="")
    model: str = fact("Model", default="")
    serial: str = fact("Serial", default="", ignored=True)
    pci_addr: str = fact("PciAddr", default="")
    fw_rev: str = fact("FwRev", default="")
    vendor_id: str = fact("VendorID", default="")
    pci_type: str = fact("PciType", default="")
    socket_id: int = fact("SocketID", "i", default=0)
    health_stats: NvmeHealth | None = fact("HealthStats", of=NvmeHealth)
    namespaces: tuple[NvmeNamespace, ...] = fact("Namespaces", default=(), unordered=True, of=NvmeNamespace)
    smd_devices: tuple[SmdDevice, ...] = fact("SmdDevices", default=(), unordered=True, of=SmdDevice)
    dev_state: int = fact("NvmeState", "i", default=0)
    led_state: int = fact("LedState", "i", default=0)

    @property
    def capacity_bytes(self) -> int:
        """Size of all namespaces."""
        return sum(namespace.size for namespace in self.namespaces)

    @property
    def roles(self) -> BdevRoles:
        """The roles of its first device: all devices of a controller have the same."""
        return self.smd_devices[0].roles if self.smd_devices else BdevRoles()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScmModule:
    """A persistent memory module."""

    channel_id: int = fact("ChannelID", "I", default=0)
    channel_position: int = fact("ChannelPosition", "I", default=0)
    controller_id: int = fact("ControllerID", "I", default=0)
    socket_id: int = fact("SocketID", "I", default=0)
    physical_id: int = fact("PhysicalID", "I", default=0)
    capacity: int = fact("Capacity", "Q", default=0)
    uid: str = fact("UID", default="")
    part_number: str = fact("PartNumber", default="")
    firmware_revision: str = fact("FirmwareRevision", default="")
    health_state: str = fact("HealthState", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScmMountPoint:
    """Where an engine's memory tier is mounted."""

    class_: str = fact("Class", default="")
    device_list: tuple[str, ...] = fact("DeviceList", default=())
    info: str = fact("Info", default="")
    path: str = fact("Path", default="")
    rank: int = fact("Rank", "I", default=0)
    total_bytes: int = fact("TotalBytes", "Q", default=0)
    avail_bytes: int = fact("AvailBytes", "Q", default=0)
    usable_bytes: int = fact("UsableBytes", "Q", default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScmNamespace:
    """Persistent memory (or a RAM disk) as a block device."""

    uuid: str = fact("UUID", default="", ignored=True)
    blockdev: str = fact("BlockDevice", default="")
    dev: str = fact("Name", default="")
    numa_node: int = fact("NumaNode", "I", default=0)
    size: int = fact("Size", "Q", default=0)
    mount: ScmMountPoint | None = fact("Mount", of=ScmMountPoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmdPool:
    """What a pool has on one rank."""

    uuid: str = fact("UUID", default="")
    tgt_ids: tuple[int, ...] = fact("TargetIDs", "i", default=(), unordered=True)
    blobs: tuple[int, ...] = fact("Blobs", "Q", default=(), unordered=True)
    rank: int = fact("Rank", "I", default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmdInfo:
    """What a host's engines know of their devices and pools."""

    devices: tuple[SmdDevice, ...] = fact("Devices", default=(), unordered=True, of=SmdDevice)
    pools: Mapping[str, tuple[SmdPool, ...]] | None = fact("Pools", absent={})
    """By the pool's UUID; None if nobody asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemInfo:
    """Memory of a host or of one NUMA node, in KiB and in huge pages."""

    numa_node_index: int = fact("NumaNodeIndex", "q", default=0)
    hugepages_total: int = fact("HugepagesTotal", "q", default=0, ignored=True)
    hugepages_free: int = fact("HugepagesFree", "q", default=0, ignored=True)
    hugepages_reserved: int = fact("HugepagesRsvd", "q", default=0, ignored=True)
    hugepages_surplus: int = fact("HugepagesSurp", "q", default=0, ignored=True)
    hugepage_size_kb: int = fact("HugepageSizeKiB", "q", default=0)
    mem_total_kb: int = fact("MemTotalKiB", "q", default=0)
    mem_free_kb: int = fact("MemFreeKiB", "q", default=0, ignored=True)
    mem_available_kb: int = fact("MemAvailableKiB", "q", default=0, ignored=True)
    mem_used_kb: int = fact("MemUsedKiB", "q", default=0, ignored=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SysMemInfo:
    """Memory of a host, and of each of its NUMA nodes."""

    overall: MemInfo = fact("MemInfo", default=MemInfo, of=MemInfo)
    numa_nodes: tuple[MemInfo, ...] = fact("NumaNodes", default=(), of=MemInfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStorage:
    """All that is known of one host's storage."""

    nvme_devices: tuple[NvmeController, ...] = fact("NvmeDevices", default=(), of=NvmeController)
    scm_modules: tuple[ScmModule, ...] = fact("ScmModules", default=(), of=ScmModule)
    scm_namespaces: tuple[ScmNamespace, ...] = fact("ScmNamespaces", default=(), of=ScmNamespace)
    scm_mount_points: tuple[ScmMountPoint, ...] = fact("ScmMountPoints", default=(), of=ScmMountPoint)
    smd_info: SmdInfo | None = fact("SmdInfo", of=SmdInfo)
    reboot_required: bool = fact("RebootRequired", "b", default=False)
    mem_info: SysMemInfo | None = fact("SysMemInfo", of=SysMemInfo)

    @property
    def scm_bytes(self) -> int:
        """Size of the namespaces, or of the modules while there are none."""
        return (
            sum(n.size for n in self.scm_namespaces)
            if self.scm_namespaces
            else sum(m.capacity for m in self.scm_modules)
        )

    @property
    def nvme_bytes(self) -> int:
        """Size of all controllers."""
        return sum(controller.capacity_bytes for controller in self.nvme_devices)


def record_from_pb(kind: type[Record], message: Message) -> Record:
    """Read a record out of the message that carries it; fields find each other by name."""
    values: dict[str, Any] = {}
    for name, (source, inner) in _sources(cast("Hashable", kind), message.DESCRIPTOR).items():
        value = getattr(message, source)
        if inner is None:
            values[name] = value if isinstance(value, (int, float, str)) else tuple(value)
        elif isinstance(value, Message):
            if message.HasField(source):
                values[name] = record_from_pb(inner, value)
        else:
            values[name] = tuple(record_from_pb(inner, item) for item in value)
    if kind is SmdDevice:
        values |= _device_facts(message, values.get("tgt_ids", ()))
    return kind(**values)


@cache
def _sources(kind: Any, message: Any) -> dict[str, tuple[str, Any]]:
    """Say for each field of a record which field of the message it comes from, and of which record it is made."""
    known = {name.lower(): name for name in message.fields_by_name}
    found = {}
    for part in fields(kind):
        inner = part.metadata["of"]
        source = known.get(part.name.rstrip("_")) or known.get(part.name.replace("_", ""))
        if source:
            found[part.name] = (source, inner() if inner is not None and not isinstance(inner, type) else inner)
    return found


def _device_facts(message: Any, targets: tuple[int, ...]) -> dict[str, Any]:
    """A device's roles, and its targets once each, without the number that stands for the system's stream."""
    return {
        "roles": BdevRoles(option_bits=message.role_bits),
        "tgt_ids": tuple(dict.fromkeys(target for target in targets if target != SYSTEM_TARGET)),
        "has_sys_xs": SYSTEM_TARGET in targets,
    }


def memory_from_pb(message: Any) -> SysMemInfo:
    """Read a host's memory; the message has the overall numbers beside those of the nodes."""
    nodes = tuple(record_from_pb(MemInfo, node) for node in message.numa_nodes)
    return SysMemInfo(overall=record_from_pb(MemInfo, message), numa_nodes=nodes)
