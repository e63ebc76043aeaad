"""From a configuration to all that is settled before a server starts: this host is looked at, nothing is served yet.

The order is DAOS's, so that of several things wrong with a host the same one is told first.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daos_control.apps.server import addresses as addressing
from daos_control.apps.server.addresses import Addresses
from daos_control.apps.server.fabric import one_device_class, scan_fabric, wait_for_interfaces, way_of
from daos_control.apps.server.fault_domain import find_fault_domain
from daos_control.apps.server.parts import (
    engine_settings,
    management_settings,
    ram_disk,
    restart_policy,
    store_folder,
    support_sources,
)
from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.config.preparation import (
    HostFacts,
    check_transparent_hugepages,
    for_engines,
    prepared,
)
from daos_control.config.server import ACTIVE_CONFIG_NAME, ServerConfig
from daos_control.config.system import DIRECTORY
from daos_control.engine.command import EngineSettings
from daos_control.engine.process import Launch, find_binary, running
from daos_control.engine.restarts import RestartPolicy
from daos_control.host import hugepages, memory, network
from daos_control.host.network import FabricInterface
from daos_control.host.storage.plan import Means, RamDisk
from daos_control.host.storage.scm import Maker, find_maker
from daos_control.host.support.collector import Sources
from daos_control.mgmt.ports import Settings
from daos_control.model.fault_domain import FaultDomain
from daos_control.security.certificates import CertificateFiles, Certificates, load

log = logs.get(__name__)

ENGINE_PROGRAM = "daos_engine"
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
        restarts=restart_policy(config),
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


def own_folder() -> Path:
    """Return the folder of the program that runs: engines and helpers are looked for there as well."""
    return Path(sys.argv[0]).resolve().parent
