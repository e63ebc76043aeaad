"""``daos_control.yml``: how dmg, and programs that use the client library, reach a system."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from daos_control.config import document, system, transport
from daos_control.config.document import ConfigError, internal, setting
from daos_control.config.transport import TransportConfig

FILE_NAME = "daos_control.yml"
NAMED_BY = "DAOS_CONTROL_CONFIG"
"""Environment variable that names the file for a whole shell, as ``daos_lab env`` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlConfig:
    """Whom to ask, and how."""

    name: str = setting(system.SYSTEM_NAME)
    """The system's name, as its servers have it."""
    port: int = setting(system.CONTROL_PORT)
    """Where servers listen that are listed without a port."""
    hostlist: tuple[str, ...] = setting((system.LOCAL_SERVER,))
    """Servers; ``node[1-4]`` names four."""
    transport_config: TransportConfig = setting(transport.ADMIN)
    """Certificates, or none."""
    path: Path | None = internal(None)
    """The file it was read from."""

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the file. Raises ConfigError; OSError if it cannot be read."""
        data = Path(path).read_bytes()
        if not data:
            raise ConfigError(str(path), ["the file is empty: list the system's servers under hostlist"])
        config = document.parse(data, cls(path=Path(path)), source=str(path))
        system.check_system_name(config.name, str(path))
        if config.port > system.LAST_PORT:
            raise ConfigError(str(path), [f"port is {config.port}, and may be {system.LAST_PORT} at most"])
        return config

    @classmethod
    def find(
        cls,
        path: str | Path | None = None,
        *,
        home: Path | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> Self:
        """Read the file that was named, or else the user's, or else the system's, or else take the defaults."""
        path = path or environment.get(NAMED_BY)
        if path:
            return cls.load(path)
        places = [(home or Path.home()) / f".{FILE_NAME}", system.DIRECTORY / FILE_NAME]
        found = next((place for place in places if place.exists()), None)
        return cls() if found is None else cls.load(found)

    def dump(self) -> str:
        """Write it as YAML."""
        return document.dump(self)
