"""The commands of daos_server: read the configuration, call, print."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from daos_control.cli import proxies
from daos_control.cli.daos_server.edge import PROGRAM, Document, command, plain_command
from daos_control.cli.flags import Values
from daos_control.cli.shared_verbs.version import tell_version

if TYPE_CHECKING:
    from daos_control.base.logs import Level
    from daos_control.config.server import EngineConfig, ServerConfig

NAME = "DAOS Control Server"


@plain_command
def start(values: Values) -> None:
    """Serve this host until told to stop."""
    import asyncio

    from daos_control.apps.server import main
    from daos_control.apps.server.preparation import Options
    from daos_control.base import logs
    from daos_control.config import system as config_system
    from daos_control.config.server import ServerConfig

    if not proxies.allowed(values):
        proxies.forget_proxies()
    logs.configure(program=PROGRAM, json=values.json_logging)
    config = overridden(ServerConfig.find(values.config), values)
    try:
        logs.configure(
            program=PROGRAM,
            syslog=values.syslog,
            level=log_level(config, debug=values.debug),
            file=config.control_log_file or None,
            json=values.json_logging or config.control_log_json,
        )
    except OSError as error:
        raise config_system.unwritable(config.path, "control_log_file", error) from error
    logs.get(__name__).info(f"DAOS Server config loaded from {config.path}")
    options = Options(auto_format=values.auto_format, control_address=values.control_address or "")
    asyncio.run(main.run(config, options))


@command
def version(values: Values) -> Document:
    """Print this program's version."""
    return tell_version(values, NAME)


def overridden(config: "ServerConfig", values: Values) -> "ServerConfig":
    """Return the configuration as the command line changes it; options that are not given change nothing."""
    engine: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for option, key in (("port", "port"), ("group", "name"), ("socket_dir", "socket_dir")):
        if wanted := getattr(values, option):
            changes[key] = wanted
    if values.insecure:
        changes["transport_config"] = config.transport_config.insecure()
    if values.targets:
        engine["targets"] = values.targets
    for option, key in (("xshelpernr", "nr_xs_helpers"), ("firstcore", "first_core"), ("modules", "modules")):
        if option in values:  # 0 and nothing can be wished for
            engine[key] = getattr(values, option)
    if "modules" in values:
        changes["modules"] = values.modules
    changes["engines"] = tuple(replace(one, **engine) for one in config.engines)
    if values.storage:
        changes["engines"] = _mounted_at(config, changes["engines"], values.storage)
        changes["notices"] = (*config.notices, "option --storage is deprecated: set scm_mount in the configuration")
    return replace(config, **changes)


def log_level(config: "ServerConfig", *, debug: bool) -> "Level":
    """Return how much is logged; a mask in the file other than INFO and DISABLED wins over ``--debug``."""
    from daos_control.base.logs import Level

    configured = config.control_log_mask
    if configured is Level.DISABLED:
        configured = Level.INFO
    return Level.TRACE if debug and configured is Level.INFO else configured


def _mounted_at(config: "ServerConfig", engines: "tuple[EngineConfig, ...]", folder: str) -> "tuple[EngineConfig, ...]":
    """Return the engines with the first one's memory mounted there. Raises ConfigError if it has none."""
    from daos_control.config.document import ConfigError
    from daos_control.config.server import FILE_NAME

    source = str(config.path or FILE_NAME)
    if not engines:
        raise ConfigError(source, ["--storage is for the first engine, and there is no engine"])
    first, *others = engines
    if not (first.storage and first.storage[0].is_scm):
        raise ConfigError(source, ["--storage is for an engine whose first tier is of class ram or dcpm"])
    tiers = (replace(first.storage[0], scm_mount=folder), *first.storage[1:])
    return (replace(first, storage=tiers), *others)
