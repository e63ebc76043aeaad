"""The rules of ``daos_server.yml``: what makes a configuration unusable, with the fault number that says so.

``validated`` applies them in the order in which DAOS 2.8 does, so that of several mistakes the same one is told.
Everything here looks at the configuration alone; what depends on the host is in ``preparation``.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from daos_control.base.errors import Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.base.units import GIB
from daos_control.config import log_masks
from daos_control.config.server import FILE_NAME, EngineConfig, ServerConfig, inherit, split_list
from daos_control.config.storage import ACCELERATION_BITS, ACCELERATION_ENGINES, ROLE_BITS, Tier, is_pci_address
from daos_control.config.system import LAST_PORT

SMALLEST_RAMDISK = 4 * GIB
MOST_HUGEPAGES = 0x7FFFFFFF

ONE_REPLICA = (
    "Configuration includes only one MS replica. This provides no redundancy in the event of a MS replica failure."
)


class _Wrong(Exception):
    """A mistake that has no number of its own; it becomes fault 701."""


def validated(config: ServerConfig) -> ServerConfig:
    """Return the configuration completed, with notices of what is odd about it. Raises a Fault for what is wrong."""
    try:
        return _validated(config)
    except _Wrong as error:
        raise FaultCode.SERVER_BAD_CONFIG.fault(problem=str(error), path=config.path or FILE_NAME) from error


def _validated(config: ServerConfig) -> ServerConfig:
    config = _with_present_keys(config)
    config = replace(
        config,
        engines=tuple(_normalised(inherit(engine, config)) for engine in config.engines),
        mgmt_svc_replicas=_replicas(config),
    )
    if config.control_metadata.device and not config.control_metadata.path:
        raise FaultCode.SERVER_CONFIG_CONTROL_METADATA_NO_PATH.fault()
    if config.system_ram_reserved <= 0:
        raise FaultCode.SERVER_CONFIG_SYS_RSVD_ZERO.fault(size=config.system_ram_reserved)
    if config.engine_auto_restart_min_delay < 0:
        raise _Wrong(f"engine_auto_restart_min_delay is {config.engine_auto_restart_min_delay}, and time runs forwards")
    _check_ports(config)
    if not config.engines:
        return config
    notices = _check_replica_count(config)
    _check_top_level(config)
    for index, engine in enumerate(config.engines):
        _check_engine(config, index, engine)
    notices += _check_engines_together(config.engines)
    if not 0 <= config.nr_hugepages <= MOST_HUGEPAGES:
        raise FaultCode.SERVER_CONFIG_NR_HUGEPAGES_OUT_OF_RANGE.fault(count=config.nr_hugepages, largest=MOST_HUGEPAGES)
    used = {device for engine in config.engines for device in engine.nvme_devices}
    if clash := [address for address in config.bdev_exclude if address.lower() in used]:
        raise FaultCode.SERVER_CONFIG_BDEV_EXCLUDE_CLASH.fault(addresses=", ".join(clash))
    return replace(config, notices=config.notices + notices)


def _with_present_keys(config: ServerConfig) -> ServerConfig:
    notices = config.notices
    hotplug = config.disable_hotplug
    if config.enable_hotplug is not None:
        if hotplug is not None:
            raise FaultCode.SERVER_CONFIG_ENABLE_HOTPLUG_DEPRECATED.fault()
        hotplug = not config.enable_hotplug
        notices += ("enable_hotplug is deprecated; please use disable_hotplug instead (false by default)",)
    return replace(
        config,
        disable_hotplug=bool(hotplug),
        disable_vmd=bool(config.disable_vmd),
        enable_hotplug=None,
        notices=notices,
    )


def _normalised(engine: EngineConfig) -> EngineConfig:
    """Put device and role lists into the order that engines use, once they are known to be right."""
    for tier in engine.storage:
        _check_words("bdev_roles", tier.roles, ROLE_BITS)
    _check_acceleration(engine)
    return replace(
        engine, storage=tuple(replace(tier, bdev_list=tier.devices, bdev_roles=tier.roles) for tier in engine.storage)
    )


# -- the management service's replicas ---------------------------------------------------------------------------------


def _replicas(config: ServerConfig) -> tuple[str, ...]:
    replicas = tuple(_with_port(replica, config.port) for replica in config.mgmt_svc_replicas)
    if doubles := [replica for replica, count in Counter(replicas).items() if count > 1]:
        raise _bad_replicas(f"{', '.join(doubles)} is listed more than once")
    return replicas


def _with_port(replica: str, default: int) -> str:
    host, colon, port = replica.rpartition(":")
    if not colon:
        return f"{replica}:{default}"
    if not host or ":" in host:
        raise _bad_replicas(f"{replica!r} is not HOST or HOST:PORT")
    try:
        number = int(port)
    except ValueError:
        number = 0
    if not 0 < number <= LAST_PORT:
        raise FaultCode.SERVER_CONFIG_BAD_CONTROL_PORT.fault(port=repr(port))
    return replica


def _bad_replicas(problem: str) -> Fault:
    return FaultCode.SERVER_CONFIG_BAD_MGMT_SVC_REPLICAS.fault(problem=problem)


def _check_replica_count(config: ServerConfig) -> tuple[str, ...]:
    count = len(config.mgmt_svc_replicas)
    if count == 0:
        raise _bad_replicas("none is listed")
    if count % 2 == 0:
        raise FaultCode.SERVER_CONFIG_EVEN_MGMT_SVC_REPLICAS.fault(count=count)
    return (ONE_REPLICA,) if count == 1 else ()


def _check_ports(config: ServerConfig) -> None:
    """Refuse what nobody can listen on, with engines or without; DAOS 2.8 only finds out when it tries."""
    if config.port > LAST_PORT:
        raise FaultCode.SERVER_CONFIG_BAD_CONTROL_PORT.fault(port=config.port)
    if config.telemetry_port > LAST_PORT:
        raise FaultCode.SERVER_CONFIG_BAD_TELEMETRY_PORT.fault(port=config.telemetry_port)


def _check_top_level(config: ServerConfig) -> None:
    if not config.provider:
        raise FaultCode.SERVER_CONFIG_BAD_PROVIDER.fault()
    if config.port <= 0:
        raise FaultCode.SERVER_CONFIG_BAD_CONTROL_PORT.fault(port=config.port)
    if config.telemetry_port < 0:
        raise FaultCode.SERVER_CONFIG_BAD_TELEMETRY_PORT.fault(port=config.telemetry_port)


# -- one engine --------------------------------------------------------------------------------------------------------


def _check_engine(config: ServerConfig, index: int, engine: EngineConfig) -> None:
    """Check one engine, and say which it is about in whatever is wrong."""
    try:
        _check_cores(engine)
        _check_fabric(engine)
        _check_tiers(engine.storage)
        _check_control_metadata(config, engine)
        _check_log_words(engine)
    except _Wrong as error:
        raise _Wrong(f"engine {index}: {error}") from error
    except Fault as fault:
        description = f"engine {index}: {fault.description}"
        raise Fault(fault.domain, fault.code, description, resolution=fault.resolution) from fault


def _check_cores(engine: EngineConfig) -> None:
    if engine.pinned_numa_node is not None and engine.first_core:
        raise _Wrong("pinned_numa_node and first_core both choose the engine's cores; keep one")
    for key, value in (
        ("targets", engine.targets),
        ("nr_xs_helpers", engine.nr_xs_helpers),
        ("first_core", engine.first_core or 0),
    ):
        if value < 0:
            raise _Wrong(f"{key} is {value}, and cannot be negative")
    if engine.targets == 0:
        raise _Wrong("targets is not set, and an engine needs at least one")


def _check_fabric(engine: EngineConfig) -> None:
    providers, interfaces = engine.providers, split_list(engine.fabric_iface)
    if not providers:
        raise _Wrong("provider is not set")
    if not interfaces:
        raise _Wrong("fabric_iface is not set")
    if engine.fabric_iface_port == 0:
        raise _Wrong("fabric_iface_port is not set")
    if not 0 < engine.fabric_iface_port <= LAST_PORT:
        raise _Wrong(f"fabric_iface_port is {engine.fabric_iface_port}, and has to be from 1 to {LAST_PORT}")
    if len(interfaces) != len(providers):
        raise _Wrong(f"fabric_iface names {len(interfaces)} interfaces for {len(providers)} providers")
    endpoints = engine.secondary_provider_endpoints
    if len(providers) > 1 and len(endpoints) not in {0, len(providers) - 1}:
        raise _Wrong(f"secondary_provider_endpoints wants {len(providers) - 1} numbers")
    if len(providers) > 1 and any(count < 1 for count in endpoints):
        raise _Wrong("secondary_provider_endpoints wants numbers above 0")


def _check_tiers(tiers: Sequence[Tier]) -> None:
    if not tiers:
        raise _Wrong("storage is not set, and an engine needs at least a tier of class ram or dcpm")
    if not any(tier.is_scm for tier in tiers):
        raise FaultCode.SCM_CONFIG_TIER_MISSING.fault()
    if len({tier.storage_class == "nvme" for tier in tiers if tier.is_bdev and tier.bdev_list}) > 1:
        raise FaultCode.BDEV_CONFIG_TIER_TYPE_MISMATCH.fault()
    for number, tier in enumerate(tiers):
        try:
            (_check_scm if tier.is_scm else _check_bdev)(tier)
        except _Wrong as error:
            raise _Wrong(f"storage tier {number}: {error}") from error
    if not tiers[0].is_scm or sum(tier.is_scm for tier in tiers) > 1:
        raise _Wrong("the first storage tier, and no other, must be of class ram or dcpm")
    _check_roles(tiers[0], [tier for tier in tiers if tier.is_bdev])


def _check_scm(tier: Tier) -> None:
    if not tier.scm_mount:
        raise _Wrong("scm_mount is not set")
    if tier.storage_class == "dcpm":
        if tier.scm_size:
            raise _Wrong("scm_size is for class ram; persistent memory (dcpm) has the size it has")
        if len(tier.scm_list) != 1:
            raise _Wrong(f"class dcpm wants exactly one device in scm_list, not {len(tier.scm_list)}")
        return
    if tier.scm_list:
        raise _Wrong("scm_list is for class dcpm; a RAM disk (ram) needs no device")
    size = tier.scm_size * GIB
    if 0 < size < SMALLEST_RAMDISK:
        raise FaultCode.SERVER_CONFIG_RAMDISK_UNDER_MIN_MEM.fault(size=size, smallest=SMALLEST_RAMDISK)


def _check_bdev(tier: Tier) -> None:
    kind, devices = tier.storage_class, tier.bdev_list
    if not kind:
        raise _Wrong("class is not set")
    if len({is_pci_address(device) for device in devices}) > 1:
        raise _Wrong("bdev_list mixes PCI addresses with other devices")
    if doubles := [device for device, count in Counter(tier.devices).items() if count > 1]:
        raise _Wrong(f"bdev_list has {', '.join(doubles)} more than once")
    if tier.bdev_size < 0:
        raise _Wrong(f"bdev_size is {tier.bdev_size}, and cannot be negative")
    if kind == "nvme" and not (devices and is_pci_address(devices[0])):
        raise _Wrong("class nvme wants PCI addresses in bdev_list, such as 0000:81:00.0")
    if not devices:
        raise _Wrong(f"class {kind} wants at least one device in bdev_list")
    if kind == "file" and tier.bdev_size == 0:
        raise _Wrong("class file wants a bdev_size in GiB")


def _check_roles(scm: Tier, bdevs: Sequence[Tier]) -> None:
    with_roles = [tier for tier in bdevs if tier.roles]
    if with_roles and len(with_roles) < len(bdevs):
        raise FaultCode.BDEV_CONFIG_ROLES_MISSING.fault()
    if any(set(tier.roles) == {"wal", "data"} for tier in bdevs):
        raise FaultCode.BDEV_CONFIG_ROLES_WAL_DATA_NO_META.fault()
    if not with_roles:
        if len(bdevs) > 1:
            raise FaultCode.BDEV_CONFIG_MULTI_TIER_WITHOUT_ROLES.fault()
        return
    if scm.storage_class != "ram":
        raise FaultCode.BDEV_CONFIG_ROLES_WITH_DCPM.fault()
    if len(bdevs) > len(ROLE_BITS):
        raise FaultCode.BDEV_CONFIG_BAD_NR_TIERS_WITH_ROLES.fault(count=len(bdevs))
    for role, shown in (("wal", "WAL"), ("meta", "Meta"), ("data", "Data")):
        count = sum(role in tier.roles for tier in bdevs)
        if count != 1:
            raise FaultCode.BDEV_CONFIG_ROLES_BAD_NR.fault(role=shown, count=count, wanted=1)


def _check_control_metadata(config: ServerConfig, engine: EngineConfig) -> None:
    if config.control_metadata.path and not engine.md_on_ssd:
        raise FaultCode.BDEV_CONFIG_CONTROL_METADATA_NO_ROLES.fault()
    if engine.md_on_ssd and not config.control_metadata.path:
        raise FaultCode.BDEV_CONFIG_ROLES_NO_CONTROL_METADATA.fault()


def _check_log_words(engine: EngineConfig) -> None:
    checks: Iterable[tuple[str, Callable[[str], None], str]] = (
        ("log_mask", log_masks.check_masks, engine.log_mask),
        ("env_vars: DD_MASK", log_masks.check_streams, engine.env_var("DD_MASK") or ""),
        ("env_vars: DD_SUBSYS", log_masks.check_subsystems, engine.env_var("DD_SUBSYS") or ""),
    )
    for key, check, text in checks:
        try:
            check(text)
        except ValueError as error:
            raise _Wrong(f"{key}: {error}") from error


def _check_acceleration(engine: EngineConfig) -> None:
    acceleration = engine.acceleration
    if acceleration.engine not in ACCELERATION_ENGINES:
        known = ", ".join(ACCELERATION_ENGINES)
        raise FaultCode.BDEV_ACCEL_ENGINE_UNKNOWN.fault(engine=acceleration.engine, known=known)
    _check_words("acceleration.options", acceleration.options, ACCELERATION_BITS)


def _check_words(key: str, words: Iterable[str], known: Iterable[str]) -> None:
    for word in words:
        if word not in known:
            raise FaultCode.BDEV_CONFIG_OPT_FLAG_UNKNOWN.fault(option=word, key=key, known=", ".join(sorted(known)))


# -- the engines of one host -------------------------------------------------------------------------------------------

Seen = dict[Any, int]


def _check_engines_together(engines: Sequence[EngineConfig]) -> tuple[str, ...]:
    """Engines must not share what only one can have, and must agree on what the host has once."""
    notices = []
    fabrics: Seen = {}
    log_files: Seen = {}
    mounts: Seen = {}
    pmem: Seen = {}
    bdevs: Seen = {}
    for index, engine in enumerate(engines):
        fabric = (engine.provider, engine.fabric_iface, engine.fabric_iface_port)
        _once(FaultCode.SERVER_CONFIG_DUPLICATE_FABRIC, fabrics, fabric, index)
        if engine.log_file:
            _once(FaultCode.SERVER_CONFIG_DUPLICATE_LOG_FILE, log_files, engine.log_file, index)
        _once(FaultCode.SERVER_CONFIG_DUPLICATE_SCM_MOUNT, mounts, engine.scm.scm_mount, index)
        for device in engine.scm.scm_list:
            _once(FaultCode.SERVER_CONFIG_DUPLICATE_SCM_DEVICE_LIST, pmem, device, index)
        if index:
            _agree_on_scm(engines, index)
        for device in engine.bdevs:
            _once(FaultCode.SERVER_CONFIG_OVERLAPPING_BDEV_DEVICE_LIST, bdevs, device, index)
        if index:
            notices += _agree_on_counts(engines, index)
    return tuple(notices)


def _once(code: FaultCode, seen: Seen, value: object, index: int) -> None:
    if value in seen:
        raise code.fault(first=seen[value], second=index)
    seen[value] = index


def _agree_on_scm(engines: Sequence[EngineConfig], index: int) -> None:
    before, this = engines[index - 1].scm, engines[index].scm
    if before.storage_class != this.storage_class:
        raise FaultCode.SERVER_CONFIG_SCM_DIFF_CLASS.fault(first=index - 1, second=index)
    if before.scm_hugepages_disabled != this.scm_hugepages_disabled:
        raise FaultCode.SERVER_CONFIG_SCM_HUGE_ENABLED.fault(first=index - 1, second=index)


def _agree_on_counts(engines: Sequence[EngineConfig], index: int) -> list[str]:
    before, this = engines[index - 1], engines[index]

    def differ(code: FaultCode, count: Callable[[EngineConfig], int]) -> Fault | None:
        if count(before) == count(this):
            return None
        return code.fault(first=index - 1, first_count=count(before), second=index, second_count=count(this))

    # Unequal numbers of devices may be meant (disks of different size, VMDs), so they are only worth a notice.
    devices = differ(FaultCode.SERVER_CONFIG_BDEV_COUNT_MISMATCH, lambda engine: len(engine.bdevs))
    for fault in (
        differ(FaultCode.SERVER_CONFIG_TARGET_COUNT_MISMATCH, lambda engine: engine.targets),
        differ(FaultCode.SERVER_CONFIG_HELPER_STREAM_COUNT_MISMATCH, lambda engine: engine.nr_xs_helpers),
    ):
        if fault is not None:
            raise fault
    return [str(devices)] if devices else []
