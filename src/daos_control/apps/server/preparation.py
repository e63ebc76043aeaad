"""From a configuration to all that is settled before a server starts: this host is looked at, nothing is served yet.

The order is DAOS's, so that of several things wrong with a host the same one is told first.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from daos_control.apps.server import addresses as addressing
from daos_control.apps.server.addresses import Addresses
from daos_control.apps.server.fault_domain import find_fault_domain
from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.config.document import ConfigError
from daos_control.config.preparation import (
    HostFacts,
    check_transparent_hugepages,
    for_engines,
    prepared,
    srx_for_clients,
)
from daos_control.config.server import ACTIVE_CONFIG_NAME, EngineConfig, ServerConfig
from daos_control.config.system import DIRECTORY
from daos_control.engine.command import EngineSettings, Fabric, Storage
from daos_control.engine.process import Launch, find_binary, running
from daos_control.engine.restarts import RestartPolicy
from daos_control.host import hugepages, memory, network
from daos_control.host.network import FabricInterface, Readiness
from daos_control.host.storage.plan import Means, RamDisk
from daos_control.host.storage.scm import Maker, find_maker
from daos_control.host.support.collector import Sources
from daos_control.mgmt.ports import ClientHint, Settings
from daos_control.mgmt.rules.pools import EngineStorage
from daos_control.model.fault_domain import FaultDomain
from daos_control.security.certificates import CertificateFiles, Certificates, load
from daos_control.telemetry.exporter import engine_page

log = logs.get(__name__)

ENGINE_PROGRAM = "daos_engine"
INTERFACE_POLL_S = 1.0
_STORE_FOLDER = "control_raft"
_ACTIVE_CONFIG_MODE = 0o644
_USUAL_HUGEPAGE_KIB = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says beside the configuration."""

    auto_format: bool = False
    control_address: str = ""
    """Serve on this address alone and go by it: one of several hosts that a machine plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that a server is built from."""

    system: str
    hostname: str
    port: int
    addresses: Addresses
    certificates: Certificates | None
    client_certificates: Path | None
    socket_dir: str
    environment: Mapping[str, str]
    binary: Path
    fault_domain: FaultDomain
    provider: str
    engines: tuple[EngineSettings, ...]
    disks: tuple[RamDisk, ...]
    maker: Maker
    hugepages: bool
    restarts: RestartPolicy
    store_folder: Path
    management: Settings
    support: Sources
    """What this host gives to support."""
    telemetry_port: int = 0
    """Where metrics of engines are published; 0 for nowhere."""
    launch: Launch = running
    """Starts engines."""


class NotThereYetError(DaosControlError):
    """The configuration asks for something that this release cannot do."""


async def prepare(config: ServerConfig, options: Options) -> Prepared:
    """Look at this host and settle everything. Raises the fault or error of whatever does not fit."""
    refuse_what_is_not_there_yet(config)
    await wait_for_interfaces([engine.fabric_iface for engine in config.engines])
    fabric = await asyncio.to_thread(scan_fabric)
    programs = own_folder()
    maker = await find_maker(programs, helper_log=config.helper_log_file)
    config = await fitted(config, fabric, in_memory=maker.means is Means.TMPFS)
    environment = dict(os.environ)
    config = for_engines(config, environment)
    hostname = socket.gethostname().partition(".")[0]
    fault_domain = await find_fault_domain(
        fault_path=config.fault_path, fault_cb=config.fault_cb, hostname=hostname, config_directory=DIRECTORY
    )
    set_core_dump_filter(config.core_dump_filter)
    device_class = one_device_class(config, fabric)
    addresses = await settled_addresses(config, options)
    certificates, client_certificates = await asyncio.to_thread(load_certificates, config)
    check_transparent_hugepages(config, hugepages.transparent())
    return Prepared(
        system=config.name,
        hostname=hostname,
        port=config.port,
        addresses=addresses,
        certificates=certificates,
        client_certificates=client_certificates,
        socket_dir=config.socket_dir,
        environment=environment,
        binary=find_binary(ENGINE_PROGRAM, environment.get("PATH", os.defpath), programs),
        fault_domain=fault_domain,
        provider=config.provider,
        engines=tuple(engine_settings(config, index) for index in range(len(config.engines))),
        disks=tuple(ram_disk(engine) for engine in config.engines),
        maker=maker,
        hugepages=not config.disable_hugepages,
        restarts=RestartPolicy(
            enabled=not config.disable_engine_auto_restart, min_delay_s=float(config.restart_delay_s)
        ),
        store_folder=store_folder(config),
        management=management_settings(config, addresses, hostname, device_class),
        telemetry_port=config.telemetry_port,
        support=support_sources(
            config, host=fault_domain.levels[-1] if options.control_address else socket.gethostname()
        ),
    )


async def fitted(config: ServerConfig, fabric: Sequence[FabricInterface], *, in_memory: bool) -> ServerConfig:
    """Return the configuration as this host completes and corrects it; what was changed is told, and left for support.

    Raises what ``host_facts`` and ``prepared`` raise.
    """
    facts = await asyncio.to_thread(host_facts, config, fabric, in_memory=in_memory)
    config = prepared(config, facts)
    for notice in config.notices:
        log.notice(notice)
    await asyncio.to_thread(save_active_config, config)
    return config


async def settled_addresses(config: ServerConfig, options: Options) -> Addresses:
    """Return where this host serves, and what it is in its system. Raises what ``addresses.settle`` raises."""
    found = await asyncio.to_thread(
        addressing.settle,
        replicas=config.mgmt_svc_replicas,
        port=config.port,
        control_address=options.control_address,
        control_iface=config.control_iface,
    )
    addressing.refuse_several_replicas(found)
    return found


def refuse_what_is_not_there_yet(config: ServerConfig) -> None:
    """Raise NotThereYetError for storage other than RAM disks."""
    for index, engine in enumerate(config.engines):
        for tier in engine.storage:
            if tier.storage_class != "ram":
                raise NotThereYetError(
                    f"engine {index} is configured with storage of class {tier.storage_class}: this release manages "
                    "storage of class ram alone; the classes dcpm, nvme, file and kdev come later"
                )
    if config.control_metadata.path:
        raise NotThereYetError(
            "control_metadata is configured, which goes with metadata on NVMe devices: this release manages storage of "
            "class ram alone, so remove control_metadata"
        )


async def wait_for_interfaces(names: Sequence[str]) -> None:
    """Return once all interfaces are ready. Raises ConfigError for one that is down, or that there is not."""
    waiting = sorted(set(filter(None, names)))
    told = False
    while waiting:
        states = {name: network.readiness(name) for name in waiting}
        for name, state in states.items():
            check_usable(name, state, [interface.name for interface in network.net_interfaces()])
        waiting = [name for name, state in states.items() if state is not Readiness.READY]
        if waiting:
            if not told:
                log.notice(f"waiting for network interfaces to be ready: {', '.join(waiting)}")
                told = True
            await asyncio.sleep(INTERFACE_POLL_S)


def check_usable(name: str, state: Readiness, known: Sequence[str]) -> None:
    """Raise ConfigError for an interface that will not become ready; ``known`` are those there are."""
    if state in {Readiness.DOWN, Readiness.UNKNOWN}:
        there = f"is {state.value}" if name in known else "does not exist"
        others = f"bring it up, or name another ({', '.join(known)})"
        raise ConfigError("the network", [f"fabric_iface: interface {name} {there}: {others}"])


def scan_fabric() -> tuple[FabricInterface, ...]:
    """Return what this host's interfaces are good for."""
    return network.fabric_interfaces(network.net_interfaces(), network.addressed_interfaces())


def host_facts(config: ServerConfig, fabric: Sequence[FabricInterface], *, in_memory: bool) -> HostFacts:
    """Return what the configuration depends on; memory bounds RAM disks only if they are ``in_memory``.

    Raises ConfigError for a provider that is not on its interface.
    """
    own = memory.read_memory()
    return HostFacts(
        memory_kib=own.total_kib if in_memory else None,
        hugepage_kib=usual_hugepage_kib(own),
        numa_nodes={interface.name: interface.numa_node for interface in network.net_interfaces()},
        fabric_domains={
            engine.fabric_iface: way_of(fabric, engine.fabric_iface, config.provider).domain
            for engine in config.engines
            if engine.fabric_iface and engine.env_var("D_DOMAIN") is None
        },
    )


def usual_hugepage_kib(own: memory.Memory) -> int:
    """Return the size of this host's huge pages; where the kernel has none, what nearly all have."""
    return own.hugepage_kib or _USUAL_HUGEPAGE_KIB


def way_of(fabric: Sequence[FabricInterface], interface: str, provider: str) -> FabricInterface:
    """Return the way onto the fabric that an engine uses. Raises ConfigError if there is no such way."""
    ways = [one for one in fabric if one.interface == interface]
    for one in ways:
        if network.supports(one.provider, provider):
            return one
    offered = ", ".join(one.provider for one in ways) or "no provider at all; does it have an address?"
    raise ConfigError("the fabric", [f"provider {provider} is not on interface {interface}, which has {offered}"])


def one_device_class(config: ServerConfig, fabric: Sequence[FabricInterface]) -> int:
    """Return the kind of interface that all engines use. Raises fault 613 if they differ."""
    kinds = {one.interface: one.device_class for one in fabric}
    expected = network.ETHERNET
    for index, engine in enumerate(config.engines):
        found = kinds.get(engine.fabric_iface, network.ETHERNET)
        if index == 0:
            expected = found
        elif found != expected:
            raise FaultCode.SERVER_CONFIG_INVALID_NET_DEV_CLASS.fault(
                engine=index, interface=engine.fabric_iface, device_class=found, expected_class=expected
            )
    return expected


def save_active_config(config: ServerConfig) -> None:
    """Leave the effective configuration where support looks for it; no reason not to start if that fails."""
    path = Path(config.socket_dir) / ACTIVE_CONFIG_NAME
    try:
        path.write_text(config.dump(), encoding="utf-8")
        path.chmod(_ACTIVE_CONFIG_MODE)
    except OSError as error:
        log.debug(f"cannot save the active configuration to {path}: {error.strerror}")


def set_core_dump_filter(value: int) -> None:
    """Choose what of this process and its engines a core dump holds; 0 leaves it as it is."""
    if not value:
        return
    try:
        Path("/proc/self/coredump_filter").write_text(f"{value:#x}\n", encoding="ascii")
    except PermissionError:
        log.debug("may not set the core dump filter")


def load_certificates(config: ServerConfig) -> tuple[Certificates | None, Path | None]:
    """Return this server's certificates and the folder of its clients'; neither in insecure mode."""
    transport = config.transport_config
    if transport.allow_insecure:
        return None, None
    clients = Path(transport.client_cert_dir)
    files = CertificateFiles(
        ca_cert=Path(transport.ca_cert),
        cert=Path(transport.cert),
        key=Path(transport.key),
        client_cert_dir=clients,
    )
    return load(files), clients


def engine_settings(config: ServerConfig, index: int) -> EngineSettings:
    """Return what decides how an engine is started."""
    engine = config.engines[index]
    return EngineSettings(
        index=index,
        system=config.name,
        socket_dir=config.socket_dir,
        targets=engine.targets,
        helpers=engine.nr_xs_helpers,
        fabric=Fabric(
            provider=engine.provider,
            interface=engine.fabric_iface,
            port=engine.fabric_iface_port,
            auth_key=engine.fabric_auth_key,
            crt_timeout_s=engine.crt_timeout,
            disable_srx=engine.disable_srx,
        ),
        storage=Storage(
            scm_mount=engine.scm.scm_mount,
            tiers=len(engine.storage),
            nvme_config=config.nvme_config_path(index),
            bdev_class=engine.bdev_class,
        ),
        modules=engine.modules,
        first_core=engine.first_core,
        numa_node=engine.pinned_numa_node,
        bypass_health_check=bool(engine.bypass_health_chk),
        log_mask=engine.log_mask,
        log_file=engine.log_file,
        env_vars=engine.env_vars,
        env_pass_through=engine.env_pass_through,
    )


def ram_disk(engine: EngineConfig) -> RamDisk:
    """Return an engine's RAM disk as configured."""
    tier = engine.scm
    return RamDisk(
        target=Path(tier.scm_mount),
        size_gib=tier.scm_size,
        numa_node=engine.pinned_numa_node or 0,
        hugepages=tier.scm_hugepages_disabled is False,
    )


def store_folder(config: ServerConfig) -> Path:
    """Return where the management service's store is: on the first engine's storage."""
    return Path(config.engines[0].scm.scm_mount) / _STORE_FOLDER if config.engines else Path()


def support_sources(config: ServerConfig, *, host: str) -> Sources:
    """Return what this host, by that name, gives to support."""
    sources = Sources.of_server(config, Path(config.socket_dir) / ACTIVE_CONFIG_NAME, host=host)
    return replace(sources, metrics=engine_page)


def management_settings(config: ServerConfig, addresses: Addresses, hostname: str, device_class: int) -> Settings:
    """Return what the management service has to know of this host."""
    first = config.engines[0] if config.engines else EngineConfig(provider=config.provider)
    return Settings(
        system_name=config.name,
        hostname=hostname,
        replicas=addresses.replicas,
        address=addresses.replica,
        hints=(
            ClientHint(
                provider=first.provider,
                crt_timeout=first.crt_timeout,
                net_dev_class=device_class,
                srv_srx_set=srx_for_clients(config),
                env_vars=config.client_env_vars,
            ),
        ),
        storage=EngineStorage(targets=first.targets, has_bdevs=bool(first.bdev_tiers), md_on_ssd=first.md_on_ssd),
    )


def own_folder() -> Path:
    """Return the folder of the program that runs: engines and helpers are looked for there as well."""
    return Path(sys.argv[0]).resolve().parent
