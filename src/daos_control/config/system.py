"""What all configuration files have in common: the system's name, the control port, and where the files are."""

from pathlib import Path

from daos_control.config.document import ConfigError

SYSTEM_NAME = "daos_server"
LONGEST_NAME = 15
CONTROL_PORT = 10001
LAST_PORT = 65535
LOCAL_SERVER = f"localhost:{CONTROL_PORT}"

DIRECTORY = Path("/etc/daos")


def check_system_name(name: str, source: str) -> None:
    """Raise ConfigError if a system cannot be called this."""
    size = len(name.encode())
    if not 0 < size <= LONGEST_NAME:
        raise ConfigError(source, [f'name: "{name}" has {size} bytes, and a system\'s name has 1 to {LONGEST_NAME}'])


def find_file(name: str, directory: Path = DIRECTORY) -> Path:
    """Return the path of a configuration file that was not named. Raises ConfigError if there is none."""
    path = directory / name
    if not path.is_file():
        raise ConfigError(str(path), ["there is no such file: create it, or name another with -o"])
    return path
