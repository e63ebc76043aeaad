"""What an engine process is started with: the exact arguments and environment of daos_engine.

Pure. The engine reads short options in any order, but scripts and people read process lists: the order is DAOS's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from daos_control.engine.logmasks import merge_subsystems


@dataclass(frozen=True, slots=True, kw_only=True)
class Fabric:
    """Where on the network an engine listens."""

    provider: str
    interface: str
    port: int
    auth_key: str = ""
    crt_timeout_s: int = 0
    disable_srx: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What an engine is told of its storage."""

    scm_mount: str
    tiers: int = 1
    nvme_config: str = ""
    bdev_class: str = ""
    """``NVME`` or ``AIO``; empty without block devices."""
    memory_mib: int = 0
    hugepage_mib: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """All that decides how one engine is started."""

    index: int
    system: str
    socket_dir: str
    targets: int
    helpers: int
    fabric: Fabric
    storage: Storage
    modules: str = ""
    first_core: int | None = None
    numa_node: int | None = None
    bypass_health_check: bool = False
    log_mask: str = ""
    log_file: str = ""
    env_vars: Sequence[str] = ()
    """``NAME=value`` as configured; of two with one name the first counts."""
    env_pass_through: Sequence[str] = ()
    """Names taken over from the server's own environment."""


def engine_arguments(settings: EngineSettings, *, check_mode: bool = False) -> list[str]:
    """Return the arguments after the program's path."""
    storage = settings.storage
    options: list[tuple[str, object, bool]] = [
        ("-m", settings.modules, bool(settings.modules)),
        ("-t", settings.targets, settings.targets != 0),
        ("-x", settings.helpers, True),
        ("-f", settings.first_core, settings.first_core is not None),
        ("-g", settings.system, bool(settings.system)),
        ("-d", settings.socket_dir, bool(settings.socket_dir)),
        ("-T", storage.tiers, storage.tiers != 0),
        ("-n", storage.nvme_config, bool(storage.nvme_config)),
        ("-b", None, settings.bypass_health_check),
        ("-p", settings.numa_node, settings.numa_node is not None),
        ("-I", settings.index, True),
        ("-r", storage.memory_mib, True),
        ("-H", storage.hugepage_mib, True),
        ("-C", None, check_mode),
        ("-s", storage.scm_mount, bool(storage.scm_mount)),
    ]
    given = ((flag,) if value is None else (flag, str(value)) for flag, value, wanted in options if wanted)
    return [word for option in given for word in option]


def engine_environment(settings: EngineSettings, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment: an engine inherits nothing but what ``env_pass_through`` names.

    Configured variables override inherited ones, and what has a key of its own overrides both. Variables without a
    value are left out.
    """
    environment = {name: inherited[name] for name in settings.env_pass_through if name in inherited}
    environment |= parse_assignments(settings.env_vars)
    environment |= {name: value for name, value in _derived(settings).items() if value}
    _fold_subsystems(environment)
    return {name: value for name, value in environment.items() if value}


def parse_assignments(pairs: Sequence[str]) -> dict[str, str]:
    """Read ``NAME=value`` pairs; of two with one name the first counts.

    >>> parse_assignments(["A=1", "B=x=y", "A=2"])
    {'A': '1', 'B': 'x=y'}
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        found.setdefault(name, value)
    return found


def _derived(settings: EngineSettings) -> dict[str, str]:
    fabric = settings.fabric
    return {
        "D_PROVIDER": fabric.provider,
        "D_INTERFACE": fabric.interface,
        "D_PORT": str(fabric.port or ""),
        "D_PROVIDER_AUTH_KEY": fabric.auth_key,
        "CRT_TIMEOUT": str(fabric.crt_timeout_s),
        "FI_OFI_RXM_USE_SRX": "0" if fabric.disable_srx else "1",
        "D_LOG_MASK": settings.log_mask,
        "D_LOG_FILE": settings.log_file,
        "VOS_BDEV_CLASS": settings.storage.bdev_class,
    }


def _fold_subsystems(environment: dict[str, str]) -> None:
    if environment.get("D_LOG_MASK") and environment.get("DD_SUBSYS"):
        environment["D_LOG_MASK"] = merge_subsystems(environment["D_LOG_MASK"], environment.pop("DD_SUBSYS"))
