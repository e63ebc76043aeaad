"""What ``daos_server start`` works out for itself once it knows the host: providers, NUMA nodes, hugepages, RAM disks.

Pure: the host is a value, ``HostFacts``. ``prepared`` does everything in DAOS's order; its result is what is dumped as
the active configuration. ``for_engines`` adds the environment that is not part of that dump.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from daos_control.base.fault_codes import FaultCode
from daos_control.base.units import GIB, KIB, MIB, counted, format_iec
from daos_control.config.document import ConfigError
from daos_control.config.server import FILE_NAME, EngineConfig, ServerConfig
from daos_control.config.validation import SMALLEST_RAMDISK, validated

SCAN_HUGEPAGES = 128
"""Enough to look for NVMe devices, when no engine needs any."""

_MEMORY_PER_TARGET = 128 * MIB
_LEAST_ENGINE_MEMORY = GIB
_HUGEPAGE_MEMORY_PER_TARGET = GIB

_SRX = "FI_OFI_RXM_USE_SRX"
_STACK = "ABT_THREAD_STACKSIZE"
_PMEM = "PMEMOBJ_CONF"
_NO_SHUTDOWN_STATE = "sds.at_create=0"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What the configuration of a host depends on."""

    memory_kib: int | None
    """All memory of the host; None where RAM disks are not in memory but stand on a file system."""
    hugepage_kib: int = 2048
    numa_nodes: Mapping[str, int] = field(default_factory=dict)
    """NUMA node of each network interface that is near one."""
    fabric_domains: Mapping[str, str] = field(default_factory=dict)
    """The fabric's own name of each network interface, for the configured provider."""


def prepared(config: ServerConfig, host: HostFacts) -> ServerConfig:
    """Return the effective configuration, with notices. Raises a Fault, or ConfigError."""
    if not config.provider:
        raise _refused(config, "provider is not set ('daos_server network scan' lists those of this host)")
    config = with_one_provider(config)
    config = with_numa_nodes(config, host.numa_nodes)
    config = validated(config)
    config = with_hugepages(config, host.hugepage_kib)
    config = with_ramdisk_size(config, host)
    return with_fabric_domains(config, host.fabric_domains)


def _refused(config: ServerConfig, problem: str) -> ConfigError:
    return ConfigError(str(config.path or FILE_NAME), [problem])


# -- network -----------------------------------------------------------------------------------------------------------


def with_one_provider(config: ServerConfig) -> ServerConfig:
    """Give every engine the host's provider, by the name that engines know it by."""
    provider = "ofi+verbs;ofi_rxm" if config.provider == "ofi+verbs" else config.provider
    engines = tuple(replace(engine, provider=provider) for engine in config.engines)
    return replace(config, provider=provider, engines=engines)


def with_fabric_domains(config: ServerConfig, domains: Mapping[str, str]) -> ServerConfig:
    """Tell each engine its interface's fabric name, unless its ``env_vars`` do."""

    def told(engine: EngineConfig) -> EngineConfig:
        domain = domains.get(engine.fabric_iface)
        if domain is None or engine.env_var("D_DOMAIN") is not None:
            return engine
        return engine.with_env_var("D_DOMAIN", domain)

    return replace(config, engines=tuple(told(engine) for engine in config.engines))


def srx_for_clients(config: ServerConfig) -> int:
    """Return what clients are told about shared receive contexts: 1, 0, or -1 if there are no engines.

    Raises ConfigError if the engines do not agree, or leave it to the server's environment.
    """
    settings = set()
    for index, engine in enumerate(config.engines):
        if _SRX in engine.env_pass_through:
            raise _refused(config, f"engine {index}: env_pass_through must not name {_SRX}: set it in env_vars")
        text = engine.env_var(_SRX)
        if text not in {None, "0", "1"}:
            raise _refused(config, f'engine {index}: env_vars: {_SRX} is 0 or 1, not "{text}"')
        settings.add(int(text) if text is not None else int(not engine.disable_srx))
    if len(settings) > 1:
        raise _refused(config, f"the engines differ in {_SRX} (or disable_srx): clients can follow only one setting")
    return settings.pop() if settings else -1


# -- NUMA nodes --------------------------------------------------------------------------------------------------------


def with_numa_nodes(config: ServerConfig, nodes: Mapping[str, int]) -> ServerConfig:
    """Pin each engine to the node of its network interface, unless cores are chosen the old way, by ``first_core``."""
    chosen = [engine for engine in config.engines if engine.first_core is not None]
    if any(engine.first_core or engine.pinned_numa_node is None for engine in chosen):
        return replace(config, engines=tuple(replace(engine, pinned_numa_node=None) for engine in config.engines))
    engines, notices = [], list(config.notices)
    for index, engine in enumerate(config.engines):
        found = nodes.get(engine.fabric_iface, 0)
        pinned = engine.pinned_numa_node
        if pinned is not None and pinned != found:
            notices.append(f"engine {index}: pinned_numa_node is {pinned}, and {engine.fabric_iface} is near {found}")
        if pinned is None and (found or len(config.engines) > 1):
            pinned = found
        engines.append(replace(engine, first_core=None, pinned_numa_node=pinned))
    return replace(config, engines=tuple(engines), notices=tuple(notices))


def numa_nodes_in_use(config: ServerConfig) -> tuple[int, ...]:
    """Return the nodes that engines with block devices want hugepages on. Raises fault 728 if they are uneven."""
    if not any(engine.bdevs for engine in config.engines):
        return (0,)
    spread = Counter(engine.pinned_numa_node or 0 for engine in config.engines)
    if not config.allow_numa_imbalance and len(set(spread.values())) > 1:
        text = ", ".join(f"{count} on node {node}" for node, count in sorted(spread.items()))
        raise FaultCode.SERVER_CONFIG_ENGINE_NUMA_IMBALANCE.fault(spread=text)
    return tuple(sorted(spread))


# -- memory ------------------------------------------------------------------------------------------------------------


def least_hugepages(config: ServerConfig, hugepage_kib: int) -> int:
    """Return how many hugepages the engines need together: a GiB of them for each target with block devices."""
    with_bdevs = [engine for engine in config.engines if engine.bdevs]
    if not sum(engine.targets for engine in with_bdevs):
        return 0
    # One target alone would run out of buffers; with metadata on SSD the system's own stream does I/O as well.
    targets = sum(engine.targets + (engine.md_on_ssd or engine.targets == 1) for engine in with_bdevs)
    return targets * _HUGEPAGE_MEMORY_PER_TARGET // (hugepage_kib * KIB)


def with_hugepages(config: ServerConfig, hugepage_kib: int) -> ServerConfig:
    """Settle ``nr_hugepages``. Raises faults 726 and 737."""
    least = least_hugepages(config, hugepage_kib)
    if config.disable_hugepages:
        return _without_hugepages(config, least)
    if least == 0:
        return replace(config, nr_hugepages=max(config.nr_hugepages, SCAN_HUGEPAGES))
    if config.nr_hugepages == 0:
        return replace(config, nr_hugepages=least)
    if config.nr_hugepages < least:
        notice = (
            f"nr_hugepages is {config.nr_hugepages}, and the engines' targets need {least}: "
            "raise it, or remove it to have it calculated"
        )
        return replace(config, notices=(*config.notices, notice))
    return config


def _without_hugepages(config: ServerConfig, least: int) -> ServerConfig:
    if config.nr_hugepages:
        raise FaultCode.SERVER_CONFIG_HUGEPAGES_DISABLED_WITH_NR_SET.fault()
    if any(engine.nvme_devices for engine in config.engines):
        raise FaultCode.SERVER_CONFIG_HUGEPAGES_DISABLED_WITH_NVME_BDEVS.fault()
    notice = "Hugepages have been disabled, NVMe operations may not succeed"
    if least:
        notice = "Hugepages have been disabled, and engines use block devices all the same: this is an experiment"
    return replace(config, notices=(*config.notices, notice))


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryShares:
    """Who gets how much of a host's memory, in bytes; RAM disks get what is left, in equal parts."""

    total: int
    system: int
    hugepages: int
    engines: int
    """For all engines together, beside their RAM disks."""
    count: int
    """How many engines."""

    @property
    def reserved(self) -> int:
        """What RAM disks cannot have."""
        return self.system + self.hugepages + self.engines

    @property
    def largest_ramdisk(self) -> int:
        """What one RAM disk can have at most; negative if there is not even enough for the others."""
        return (self.total - self.reserved) // self.count


def memory_shares(config: ServerConfig, host: HostFacts) -> MemoryShares | None:
    """Return how the memory is shared; None where no RAM disk takes any."""
    if host.memory_kib is None or not config.engines or config.engines[0].scm.storage_class != "ram":
        return None
    count = len(config.engines)
    return MemoryShares(
        total=host.memory_kib * KIB,
        system=config.system_ram_reserved * GIB,
        hugepages=config.nr_hugepages * host.hugepage_kib * KIB,
        engines=count * max(_LEAST_ENGINE_MEMORY, config.engines[0].targets * _MEMORY_PER_TARGET),
        count=count,
    )


def with_ramdisk_size(config: ServerConfig, host: HostFacts) -> ServerConfig:
    """Settle ``scm_size`` of RAM disks: what is left of the memory, shared evenly. Raises faults 214 and 731."""
    if not config.engines or config.engines[0].scm.storage_class != "ram":
        return config
    shares = memory_shares(config, host)
    if shares is None:
        return _with_sizes_as_configured(config)
    if shares.total < shares.reserved:
        raise _refused(
            config,
            f"system_ram_reserved, nr_hugepages and {counted(shares.count, 'engine')} take "
            f"{format_iec(shares.reserved)}, and this host has {format_iec(shares.total)}: nothing is left for RAM "
            "disks",
        )
    largest = shares.largest_ramdisk
    if largest < SMALLEST_RAMDISK:
        required = shares.reserved + shares.count * SMALLEST_RAMDISK
        raise FaultCode.SCM_RAMDISK_LOW_MEM.fault(required=required, available=shares.total)
    return replace(config, engines=tuple(_with_scm_size(engine, largest) for engine in config.engines))


def _with_sizes_as_configured(config: ServerConfig) -> ServerConfig:
    for index, engine in enumerate(config.engines):
        if not engine.scm.scm_size:
            raise _refused(
                config,
                f"engine {index}: scm_size is not set, and without RAM disks it is not derived from the host's memory; "
                "set scm_size to the GiB that it may take",
            )
    return config


def _with_scm_size(engine: EngineConfig, largest: int) -> EngineConfig:
    size = engine.scm.scm_size * GIB
    if size > largest:
        raise FaultCode.SERVER_CONFIG_RAMDISK_OVER_MAX_MEM.fault(size=size, smallest=SMALLEST_RAMDISK, largest=largest)
    sized = replace(engine.storage[0], scm_size=engine.scm.scm_size or largest // GIB)
    return replace(engine, storage=(sized, *engine.storage[1:]))


# -- the kernel's part in huge pages and devices -----------------------------------------------------------------------


def check_transparent_hugepages(config: ServerConfig, mode: str) -> None:
    """Raise fault 623 if the kernel joins pages unasked (``mode``), which breaks up memory that engines need whole."""
    if mode in {"", "never"} or config.disable_hugepages or config.allow_thp:
        return
    raise FaultCode.SERVER_TRANSPARENT_HUGEPAGE_ENABLED.fault()


def check_device_access(config: ServerConfig, *, is_root: bool, has_iommu: bool) -> None:
    """Raise fault 614 or 602 if another user than root could not be given the configured NVMe devices."""
    if is_root or not any(engine.nvme_devices for engine in config.engines):
        return
    if config.disable_vfio:
        raise FaultCode.SERVER_VFIO_DISABLED.fault()
    if not has_iommu:
        raise FaultCode.SERVER_IOMMU_DISABLED.fault()


# -- environment -------------------------------------------------------------------------------------------------------


def for_engines(config: ServerConfig, inherited: Mapping[str, str]) -> ServerConfig:
    """Add to ``env_vars`` what engines need by their provider and storage. Raises ConfigError for what defeats it.

    ``inherited`` is the server's environment, of which engines see what ``env_pass_through`` names.
    """
    engines = []
    for index, engine in enumerate(config.engines):
        try:
            engines.append(_with_environment(engine, inherited))
        except ValueError as error:
            raise _refused(config, f"engine {index}: {error}") from error
    return replace(config, engines=tuple(engines))


def _with_environment(engine: EngineConfig, inherited: Mapping[str, str]) -> EngineConfig:
    dcpm = engine.scm.storage_class == "dcpm"
    if engine.provider.startswith("ucx+"):
        engine = _with_stack(engine, inherited, 32768, "a ucx provider")
    engine = _with_pmem_settings(engine, inherited, dcpm=dcpm)
    if dcpm:
        engine = _with_stack(engine, inherited, 20480, "persistent memory")
    if engine.md_on_ssd:
        engine = _with_stack(engine, inherited, 24576, "metadata on SSD")
    return engine


def _variable(engine: EngineConfig, inherited: Mapping[str, str], name: str) -> str | None:
    passed = inherited.get(name) if name in engine.env_pass_through else None
    return engine.env_var(name) or passed or None


def _with_stack(engine: EngineConfig, inherited: Mapping[str, str], least: int, cause: str) -> EngineConfig:
    text = _variable(engine, inherited, _STACK)
    if text is None:
        return engine.with_env_var(_STACK, str(least))
    if not text.isdigit() or int(text) < least:
        raise ValueError(f'{_STACK} is "{text}", and with {cause} a thread needs a stack of {least} bytes or more')
    return engine


def _with_pmem_settings(engine: EngineConfig, inherited: Mapping[str, str], *, dcpm: bool) -> EngineConfig:
    """Persistent memory tracks unsafe shutdowns; memory that stands in for it must not."""
    text = _variable(engine, inherited, _PMEM)
    given = text is not None and "sds.at_create" in text
    if dcpm:
        if given:
            raise ValueError(f'{_PMEM} is "{text}", and with persistent memory sds.at_create must be left alone')
        return engine
    if text is None:
        return engine.with_env_var(_PMEM, _NO_SHUTDOWN_STATE)
    if not given:
        return engine.with_env_var(_PMEM, f"{text};{_NO_SHUTDOWN_STATE}")
    if "sds.at_create=1" in text:
        raise ValueError(f'{_PMEM} is "{text}", and without persistent memory sds.at_create must be 0')
    return engine
