"""What all configuration files have in common: the system's name, the control port, and where the files are."""

from pathlib import Path

from daos_control.config.document import ConfigError

SYSTEM_NAME = "daos_server"
LONGEST_NAME = 15
CONTROL_PORT = 10001
LAST_PORT = 65535
LOCAL_SERVER = f"localhost:{CONTROL_PORT}"

DIRECTORY = Path("/etc/daos")
_NO_FILE = "there is no such file; create it, or name another with"


def check_system_name(name: str, source: str) -> None:
    """Raise ConfigError if a system cannot be called this."""
    size = len(name.encode())
    if not 0 < size <= LONGEST_NAME:
        raise ConfigError(source, [f'name: "{name}" has {size} bytes, and a system\'s name has 1 to {LONGEST_NAME}'])


def unreadable(path: str | Path, error: OSError, *, option: str) -> ConfigError:
    """Say that a file which was named, with this option, cannot be read, and what to do."""
    if isinstance(error, FileNotFoundError):
        return ConfigError(str(path), [f"{_NO_FILE} {option}"])
    remedy = ", or let this user read it" if isinstance(error, PermissionError) else ""
    return ConfigError(str(path), [f"{error.strerror}; name another file with {option}{remedy}"])


def unwritable(path: str | Path | None, key: str, error: OSError) -> ConfigError:
    """Say that the log file of a configuration cannot be written, and what to do."""
    problem = f"{key}: cannot write {error.filename}: {error.strerror}; make it writable for this user, or name another"
    return ConfigError(str(path), [problem])


def find_file(name: str, directory: Path = DIRECTORY, *, option: str) -> Path:
    """Return the path of a configuration file that no option named. Raises ConfigError if there is none."""
    path = directory / name
    if not path.is_file():
        raise ConfigError(str(path), [f"{_NO_FILE} {option}"])
    return path
