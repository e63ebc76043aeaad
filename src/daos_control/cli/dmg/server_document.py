"""A server's configuration as a JSON document, with the names that it has inside DAOS's own programs."""

from typing import Any

from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.config.storage import Tier
from daos_control.config.transport import TransportConfig

Document = dict[str, Any]

_LEVELS = {"DISABLED": 0, "TRACE": 1, "DEBUG": 2, "INFO": 3, "NOTICE": 4, "ERROR": 5}
_SERVER_NAME = "server"
"""Whom clients expect to talk to."""
_PATH = "../etc/daos_server.yml"
"""Where DAOS's server looks if nobody says, seen from the folder of the program."""


def server_document(config: ServerConfig) -> Document:
    """Give a configuration the keys that DAOS gives it."""
    return {
        "ControlPort": config.port,
        "ControlInterface": config.control_iface,
        "TransportConfig": _transport(config.transport_config),
        "Engines": [_engine(index, engine, config) for index, engine in enumerate(config.engines)] or None,
        "BdevExclude": _list(config.bdev_exclude),
        "DisableVFIO": config.disable_vfio,
        "DisableVMD": config.disable_vmd,
        "DisableHotplug": config.disable_hotplug,
        "NrHugepages": config.nr_hugepages,
        "SystemRamReserved": config.system_ram_reserved,
        "DisableHugepages": config.disable_hugepages,
        "AllowNumaImbalance": config.allow_numa_imbalance,
        "AllowTHP": config.allow_thp,
        "ControlLogMask": _LEVELS[config.control_log_mask.name],
        "ControlLogFile": config.control_log_file,
        "ControlLogJSON": config.control_log_json,
        "HelperLogFile": config.helper_log_file,
        "FWHelperLogFile": config.firmware_helper_log_file,
        "FaultPath": config.fault_path,
        "TelemetryPort": config.telemetry_port,
        "CoreDumpFilter": config.core_dump_filter,
        "ClientEnvVars": _list(config.client_env_vars),
        "SupportConfig": {"FileTransferExec": config.support_config.file_transfer_exec},
        "SystemName": config.name,
        "SocketDir": config.socket_dir,
        "Fabric": _fabric(config, 0),
        "Modules": config.modules,
        "MgmtSvcReplicas": _list(config.mgmt_svc_replicas),
        "Metadata": _metadata(config),
        "FaultCb": config.fault_cb,
        "Hyperthreads": config.hyperthreads,
        "Path": _PATH,
        "AutoFormat": False,
        "DisableEngineAutoRestart": config.disable_engine_auto_restart,
        "EngineAutoRestartMinDelay": config.engine_auto_restart_min_delay,
        "AccessPoints": _list(config.access_points),
        "EnableHotplug": config.enable_hotplug,
    }


def _transport(transport: TransportConfig) -> Document:
    return {
        "AllowInsecure": transport.allow_insecure,
        "ServerName": _SERVER_NAME,
        "ClientCertDir": transport.client_cert_dir,
        "CARootPath": transport.ca_cert,
        "CertificatePath": transport.cert,
        "PrivateKeyPath": transport.key,
    }


def _metadata(config: ServerConfig) -> Document:
    metadata = config.control_metadata
    return {
        "Path": metadata.path,
        "DevicePath": metadata.device,
        "AllowSpdkConfOverride": metadata.allow_spdk_conf_override,
    }


def _fabric(config: ServerConfig | EngineConfig, node: int) -> Document:
    return {
        "Provider": config.provider,
        "Interface": config.fabric_iface,
        "InterfacePort": config.fabric_iface_port,
        "NumaNodeIndex": node,
        "BypassHealthChk": config.bypass_health_chk,
        "CrtTimeout": config.crt_timeout,
        "NumSecondaryEndpoints": _list(config.secondary_provider_endpoints),
        "DisableSRX": config.disable_srx,
        "AuthKey": config.fabric_auth_key,
    }


def _engine(index: int, engine: EngineConfig, config: ServerConfig) -> Document:
    node = engine.pinned_numa_node or 0
    return {
        "Modules": engine.modules,
        "TargetCount": engine.targets,
        "HelperStreamCount": engine.nr_xs_helpers,
        "ServiceThreadCore": engine.first_core,
        "SystemName": config.name,
        "SocketDir": config.socket_dir,
        "LogMask": engine.log_mask,
        "LogFile": engine.log_file,
        "Storage": _storage(index, node, config),
        "Fabric": _fabric(engine, node),
        "EnvVars": _list(engine.env_vars),
        "EnvPassThrough": _list(engine.env_pass_through),
        "PinnedNumaNode": engine.pinned_numa_node,
        "Index": 0,
        "MemSize": 0,
        "HugepageSz": 0,
        "CheckerEnabled": False,
    }


def _storage(index: int, node: int, config: ServerConfig) -> Document:
    engine = config.engines[index]
    acceleration, rpc, faulty = engine.acceleration, engine.spdk_rpc_server, engine.bdev_auto_faulty
    return {
        "ControlMetadata": _metadata(config),
        "EngineIdx": index,
        "Tiers": [_tier(number, tier, node) for number, tier in enumerate(engine.storage)] or None,
        "ConfigOutputPath": config.nvme_config_path(index),
        "VosEnv": engine.bdev_class,
        "EnableHotplug": not config.disable_hotplug,
        "NumaNodeIndex": node,
        "AccelProps": {
            "accel_engine": "" if acceleration.engine == "none" else acceleration.engine,
            "accel_opts": acceleration.option_bits,
        },
        "SpdkRpcSrvProps": {"enable": rpc.enable, "sock_addr": rpc.sock_addr},
        "AutoFaultyProps": {
            "enable": faulty.enable,
            "max_io_errs": faulty.max_io_errs,
            "max_csum_errs": faulty.max_csum_errs,
        },
        "SpdkIobufProps": {},
    }


def _tier(number: int, tier: Tier, node: int) -> Document:
    return {
        "Tier": number,
        "Class": tier.storage_class,
        "Scm": {
            "MountPoint": tier.scm_mount,
            "RamdiskSize": tier.scm_size,
            "DisableHugepages": tier.scm_hugepages_disabled,
            "DeviceList": _list(tier.scm_list),
            "NumaNodeIndex": node,
        },
        "Bdev": {
            "DeviceList": _list(tier.bdev_list),
            "DeviceCount": tier.bdev_number,
            "FileSize": tier.bdev_size,
            "BusidRange": None if tier.bdev_busid_range is None else str(tier.bdev_busid_range),
            "DeviceRoles": ",".join(tier.roles) or "NA",
            "NumaNodeIndex": node,
        },
    }


def _list(items: tuple[Any, ...]) -> list[Any] | None:
    return list(items) or None
