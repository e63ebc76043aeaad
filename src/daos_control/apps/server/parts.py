"""From a configuration to what the parts of a server are made from. Nothing here looks at the host."""

from dataclasses import replace
from pathlib import Path

from daos_control.apps.server.addresses import Addresses
from daos_control.config.preparation import srx_for_clients
from daos_control.config.server import ACTIVE_CONFIG_NAME, EngineConfig, ServerConfig
from daos_control.engine.command import EngineSettings, Fabric, Storage
from daos_control.engine.restarts import RestartPolicy
from daos_control.host.storage.plan import RamDisk
from daos_control.host.support.collector import Sources
from daos_control.mgmt.ports import ClientHint, Settings
from daos_control.mgmt.rules.pools import EngineStorage
from daos_control.telemetry.exporter import engine_page

_STORE_FOLDER = "control_raft"


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


def restart_policy(config: ServerConfig) -> RestartPolicy:
    """Return when engines are started again by themselves."""
    return RestartPolicy(enabled=not config.disable_engine_auto_restart, min_delay_s=float(config.restart_delay_s))


def store_folder(config: ServerConfig) -> Path:
    """Return where the management service's store is: on the first engine's storage."""
    return Path(config.engines[0].scm.scm_mount) / _STORE_FOLDER if config.engines else Path()


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


def support_sources(config: ServerConfig, *, host: str) -> Sources:
    """Return what this host, by that name, gives to support."""
    sources = Sources.of_server(config, Path(config.socket_dir) / ACTIVE_CONFIG_NAME, host=host)
    return replace(sources, metrics=engine_page)
