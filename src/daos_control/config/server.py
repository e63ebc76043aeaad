"""``daos_server.yml``: a storage host's control plane and its engines.

The types here say what can be written in the file. ``ServerConfig.load`` reads it; ``validation.validated`` applies the
rules and completes what follows from the file alone; ``preparation.prepared`` what follows from the host.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from daos_control.base.fault_codes import FaultCode
from daos_control.base.logs import Level
from daos_control.config import document, system, transport
from daos_control.config.document import ConfigError, UInt, UInt8, UInt32, internal, setting
from daos_control.config.go_text import LogLevel
from daos_control.config.storage import (
    Acceleration,
    BdevAutoFaulty,
    ControlMetadata,
    SpdkIobuf,
    SpdkRpcServer,
    Tier,
)
from daos_control.config.transport import TransportConfig

FILE_NAME = "daos_server.yml"
ACTIVE_CONFIG_NAME = ".daos_server.active.yml"
"""The effective configuration, in ``socket_dir``, for support."""
_NAMED_BY = "-o"

NVME_CONFIG_NAME = "daos_nvme.conf"
DEFAULT_RESTART_DELAY_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """One engine."""

    modules: str = setting("", omit=True)
    """Taken for the sake of older files; only the command line chooses modules."""
    targets: int = setting(0, omit=True)
    """Targets: how many parts its storage and its work are divided into; the same on all engines."""
    nr_xs_helpers: int = setting(0)
    """Helper threads for all targets together; the same on all engines."""
    first_core: int | None = setting(None, omit=True)
    """First core of its threads; not together with pinned_numa_node."""
    log_mask: str = setting("", omit=True)
    """What it logs: a level, and levels of subsystems, as in ERR,RPC=DEBUG."""
    log_file: str = setting("", omit=True)
    """Where it logs; one file for each engine."""
    storage: tuple[Tier, ...] = setting((), skip_null=True)
    """Its tiers: one of memory first, then those of block devices."""
    acceleration: Acceleration = setting(Acceleration(), omit=True)
    """Hardware that takes copying and checksums off the CPU."""
    spdk_rpc_server: SpdkRpcServer = setting(SpdkRpcServer(), omit=True)
    """A socket on which its SPDK takes commands."""
    bdev_auto_faulty: BdevAutoFaulty = setting(BdevAutoFaulty(), omit=True)
    """When it gives a device up by itself; without it, after 10 failed operations."""
    spdk_iobuf: SpdkIobuf = setting(SpdkIobuf(), omit=True)
    """How many I/O buffers its SPDK keeps; 0 leaves it to the engine."""
    provider: str = setting("", omit=True)
    """Has no effect: engines take that of the whole host."""
    fabric_iface: str = setting("", omit=True)
    """Network interface; it must be there and have an address."""
    fabric_iface_port: int = setting(0, omit=True)
    """First of its ports; with one interface for all, each engine needs its own."""
    bypass_health_chk: bool | None = setting(None, omit=True)
    """Take NVMe devices without looking at their health first."""
    crt_timeout: UInt32 = setting(0, omit=True)
    """Seconds until a request between engines and clients counts as lost; 0 leaves it to the library."""
    secondary_provider_endpoints: tuple[int, ...] = setting((), omit=True)
    """How many endpoints it has for each provider but the first."""
    disable_srx: bool = setting(False, omit=True)
    """Do without shared receive contexts; all engines must agree, and clients follow."""
    fabric_auth_key: str = setting("", omit=True)
    """Key for providers that ask for one; secret."""
    env_vars: tuple[str, ...] = setting((), omit=True)
    """``NAME=value``; of two with one name the first counts."""
    env_pass_through: tuple[str, ...] = setting((), omit=True)
    """Names of variables that the engine takes over from the server."""
    pinned_numa_node: UInt | None = setting(None, omit=True)
    """NUMA node to stay on; without it, that of its interface."""

    @property
    def scm_tiers(self) -> tuple[Tier, ...]:
        """The tiers that are memory; a valid engine has one, and it is the first of all."""
        return tuple(tier for tier in self.storage if tier.is_scm)

    @property
    def scm(self) -> Tier:
        """The memory tier. Raises fault 216 if there is none."""
        if not self.scm_tiers:
            raise FaultCode.SCM_CONFIG_TIER_MISSING.fault()
        return self.scm_tiers[0]

    @property
    def bdev_tiers(self) -> tuple[Tier, ...]:
        """The tiers that are block devices."""
        return tuple(tier for tier in self.storage if tier.is_bdev)

    @property
    def bdevs(self) -> tuple[str, ...]:
        """All its block devices."""
        return tuple(device for tier in self.bdev_tiers for device in tier.devices)

    @property
    def nvme_devices(self) -> tuple[str, ...]:
        """Its real NVMe devices."""
        return tuple(device for tier in self.bdev_tiers if tier.storage_class == "nvme" for device in tier.devices)

    @property
    def md_on_ssd(self) -> bool:
        """Whether metadata is kept on block devices, with SCM in memory as a cache of it."""
        return any("meta" in tier.roles for tier in self.bdev_tiers)

    @property
    def bdev_class(self) -> str:
        """``NVME``, ``AIO`` or nothing: what engines call the class of the first bdev tier."""
        if not self.bdev_tiers:
            return ""
        return "NVME" if self.bdev_tiers[0].storage_class == "nvme" else "AIO"

    @property
    def providers(self) -> tuple[str, ...]:
        """The network providers; DAOS 2.8 takes only one."""
        return split_list(self.provider)

    def env_var(self, name: str) -> str | None:
        """The value that ``env_vars`` give a variable."""
        values = (pair.partition("=")[2] for pair in self.env_vars if pair.partition("=")[0] == name)
        return next(values, None)

    def with_env_var(self, name: str, value: str) -> Self:
        """The same with the variable set to this, and to this alone."""
        others = tuple(pair for pair in self.env_vars if pair.partition("=")[0] != name)
        return replace(self, env_vars=(*others, f"{name}={value}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportConfig:
    """How logs are shipped to support."""

    file_transfer_exec: str = setting("", omit=True)
    """Program that takes collected logs away; it runs for `dmg support collect-log --transfer-args`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """A storage host."""

    port: int = setting(system.CONTROL_PORT)
    """Control port, of this host and of replicas that are listed without one."""
    control_iface: str = setting("", omit=True)
    """Network interface to serve on; without it, all."""
    transport_config: TransportConfig = setting(transport.SERVER)
    """Certificates, or none."""
    engines: tuple[EngineConfig, ...] = setting(())
    """Without any, only the control plane runs, so that hardware can be explored."""
    bdev_exclude: tuple[str, ...] = setting((), omit=True)
    """PCI addresses that are never touched."""
    disable_vfio: bool = setting(False)
    """Give NVMe devices to uio_pci_generic, which needs root."""
    disable_vmd: bool | None = setting(None)
    """Leave devices behind Intel's Volume Management Device alone."""
    disable_hotplug: bool | None = setting(None)
    """Do not look for NVMe devices that are plugged in later."""
    nr_hugepages: int = setting(0)
    """Hugepages for all engines together; 0 takes what they need."""
    system_ram_reserved: int = setting(64)
    """GiB of the host's memory that RAM disks leave alone."""
    disable_hugepages: bool = setting(False)
    """Do without hugepages, and so without NVMe devices."""
    allow_numa_imbalance: bool = setting(False)
    """Start although NUMA nodes have different numbers of engines."""
    allow_thp: bool = setting(False)
    """Start although the kernel makes transparent hugepages."""
    control_log_mask: LogLevel = setting(Level.INFO)
    """What the server logs: DISABLED, TRACE, DEBUG, INFO, NOTICE or ERROR, and what is worse."""
    control_log_file: str = setting("", omit=True)
    """Where the server logs besides standard output."""
    control_log_json: bool = setting(False, omit=True)
    """Log lines are JSON."""
    helper_log_file: str = setting("", omit=True)
    """Where the privileged helper logs."""
    firmware_helper_log_file: str = setting("", omit=True)
    """Where the helper for firmware logs."""
    fault_path: str = setting("", omit=True)
    """Where this host is, for pools to spread: /rack1/host7, two levels at most; otherwise its name."""
    telemetry_port: int = setting(0, omit=True)
    """Port on which metrics are published for Prometheus, usually 9191; 0 publishes none."""
    core_dump_filter: UInt8 = setting(0x13, omit=True)
    """Which memory is dumped when a process dies (core(5)); 0 leaves the kernel's choice."""
    client_env_vars: tuple[str, ...] = setting((), omit=True)
    """Environment that applications are told to use."""
    support_config: SupportConfig = setting(SupportConfig(), omit=True)
    """How collected logs are shipped to support."""
    name: str = setting(system.SYSTEM_NAME)
    """The system's name, the same on all its hosts."""
    socket_dir: str = setting("/var/run/daos_server")
    """Holds the sockets between the server and its engines."""
    provider: str = setting("", omit=True)
    """Fabric provider of all engines, such as ofi+tcp; daos_server network scan lists those that fit."""
    fabric_iface: str = setting("", omit=True)
    """For engines that name none."""
    fabric_iface_port: int = setting(0, omit=True)
    """For engines that name none."""
    bypass_health_chk: bool | None = setting(None, omit=True)
    """Taken, and not handed on to engines."""
    crt_timeout: UInt32 = setting(0, omit=True)
    """For engines that name none."""
    secondary_provider_endpoints: tuple[int, ...] = setting((), omit=True)
    """For engines that name none."""
    disable_srx: bool = setting(False, omit=True)
    """For all engines."""
    fabric_auth_key: str = setting("", omit=True)
    """For engines that name none."""
    mgmt_svc_replicas: tuple[str, ...] = setting(())
    """Host of the management service, the same on all hosts; without it, localhost."""
    control_metadata: ControlMetadata = setting(ControlMetadata(), omit=True)
    """Where the control plane keeps its own data when SCM does not outlive a reboot."""
    fault_cb: str = setting("")
    """Program that prints the fault path, in place of fault_path."""
    hyperthreads: bool = setting(False)
    """Taken for the sake of older files; not used."""
    disable_engine_auto_restart: bool = setting(False)
    """Never start engines by themselves that ended because the system excluded them."""
    engine_auto_restart_min_delay: int = setting(0, omit=True)
    """Seconds between automatic restarts of an engine; 0 takes the default of 300."""
    access_points: tuple[str, ...] = setting((), omit=True)
    """Former name of mgmt_svc_replicas."""
    enable_hotplug: bool | None = setting(None, omit=True)
    """Former opposite of disable_hotplug."""

    modules: str = internal("")
    """Modules that the command line asks engines to load."""
    path: Path | None = internal(None)
    """The file it was read from."""
    notices: tuple[str, ...] = internal(())
    """What an administrator should know, to be logged once."""

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the file. Raises fault 702 without a path, ConfigError, or OSError if it cannot be read."""
        if not str(path):
            raise FaultCode.SERVER_NO_CONFIG_PATH.fault()
        return document.load(path, cls(path=Path(path))).completed()

    @classmethod
    def find(cls, path: str | Path | None = None) -> Self:
        """Read the file that was named, or else the system's. Raises ConfigError."""
        path = path or system.find_file(FILE_NAME, option=_NAMED_BY)
        try:
            return cls.load(path)
        except OSError as error:
            raise system.unreadable(path, error, option=_NAMED_BY) from error

    def completed(self) -> Self:
        """The same with former keys moved to their present names and top-level fabric keys given to the engines."""
        source = str(self.path or FILE_NAME)
        system.check_system_name(self.name, source)
        if len(split_list(self.provider)) > 1:
            raise ConfigError(source, [f'provider: "{self.provider}" names several providers; keep one'])
        if self.access_points and self.mgmt_svc_replicas:
            raise ConfigError(
                source, ["access_points is the former name of mgmt_svc_replicas: remove it, and keep mgmt_svc_replicas"]
            )
        notices = self.notices
        if self.access_points:
            notices += ("access_points is deprecated; please use mgmt_svc_replicas instead",)
        return replace(
            self,
            mgmt_svc_replicas=self.mgmt_svc_replicas or self.access_points or (system.LOCAL_SERVER,),
            access_points=(),
            engines=tuple(inherit(engine, self) for engine in self.engines),
            notices=notices,
        )

    @property
    def restart_delay_s(self) -> int:
        """Seconds between automatic restarts of one rank."""
        return self.engine_auto_restart_min_delay or DEFAULT_RESTART_DELAY_S

    def nvme_config_path(self, index: int) -> str:
        """Where an engine's daos_nvme.conf is; empty if it has no block devices."""
        engine = self.engines[index]
        if not engine.bdev_tiers:
            return ""
        folder = self.control_metadata.engine_directory(index) or engine.scm.scm_mount
        return f"{folder.rstrip('/')}/{NVME_CONFIG_NAME}"

    def dump(self) -> str:
        """Write it as YAML that ``load`` reads."""
        return document.dump(self)


def inherit(engine: EngineConfig, server: ServerConfig) -> EngineConfig:
    """Fill an engine's unset fabric keys from the top level."""
    endpoints = engine.secondary_provider_endpoints or server.secondary_provider_endpoints
    provider = engine.provider or server.provider
    return replace(
        engine,
        modules=server.modules,
        provider=provider,
        fabric_iface=engine.fabric_iface or server.fabric_iface,
        fabric_iface_port=engine.fabric_iface_port or server.fabric_iface_port,
        crt_timeout=engine.crt_timeout or server.crt_timeout,
        disable_srx=engine.disable_srx or server.disable_srx,
        fabric_auth_key=engine.fabric_auth_key or server.fabric_auth_key,
        secondary_provider_endpoints=endpoints or (1,) * (len(split_list(provider)) - 1),
    )


def split_list(text: str) -> tuple[str, ...]:
    """Read a comma-separated list.

    >>> split_list("ofi+tcp, ucx+dc_x,")
    ('ofi+tcp', 'ucx+dc_x')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())
