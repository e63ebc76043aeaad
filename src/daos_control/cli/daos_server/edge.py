"""The edge of daos_server's commands: errors become words and exit codes, what is returned becomes JSON."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeAlias

from daos_control.cli.flags import Values
from daos_control.cli.ui.envelope import envelope
from daos_control.cli.ui.errors import error_text

if TYPE_CHECKING:
    from daos_control.config.server import ServerConfig

PROGRAM = "daos_server"

Document: TypeAlias = dict[str, Any] | list[Any]
Run: TypeAlias = Callable[[Values], int]


def command(run: Callable[[Values], Document | None]) -> Run:
    """Make a command of a function that may raise; what it returns is its JSON document, or null."""

    @wraps(run)
    def guarded(values: Values) -> int:
        return _guarded(run, values)

    return guarded


def plain_command(run: Callable[[Values], None]) -> Run:
    """Make a command of a function that has no JSON to offer, and says so when asked for it."""

    def refusing(values: Values) -> None:
        if values.json:
            raise ValueError("this command prints no JSON: leave out --json")
        run(values)

    @wraps(run)
    def guarded(values: Values) -> int:
        return _guarded(refusing, values)

    return guarded


def configuration(values: Values) -> "ServerConfig":
    """Read the configuration that was named, or the system's, and say which it was.

    Raises ConfigError; fault 702; OSError if it cannot be read.
    """
    from daos_control.config.server import ServerConfig

    config = ServerConfig.find(values.config)
    if not values.json:
        print(f"DAOS Server config loaded from {config.path}")
    return config


def optional_configuration(values: Values) -> "ServerConfig | None":
    """Read the configuration if there is one; one that is named has to be there, and one that is there to be right."""
    from daos_control.config.server import FILE_NAME
    from daos_control.config.system import DIRECTORY

    if values.ignore_config or not (values.config or (DIRECTORY / FILE_NAME).exists()):
        return None
    return configuration(values)


def _guarded(run: Callable[[Values], Document | None], values: Values) -> int:
    from daos_control.base.errors import DaosControlError
    from daos_control.net.drpc.errors import DrpcError

    try:
        document = run(values)
    except BrokenPipeError:  # whoever read has gone, which the program takes quietly
        raise
    except (DaosControlError, DrpcError, OSError, ValueError) as error:
        if values.json:
            print(envelope(None, error, text=error_text(error)))
        return _complain(error)
    except KeyboardInterrupt:
        return 1
    except Exception as error:  # noqa: BLE001 - the edge of the program: whatever comes here is a bug, and told as one
        return _complain_of_bug(error)
    if values.json:
        print(envelope(document))
    return 0


def _complain(error: Exception) -> int:
    from daos_control.base.errors import Fault

    print(f"ERROR: {error_text(error)}", file=sys.stderr)
    if isinstance(error, Fault) and error.resolution:
        print(f"ERROR: {error.resolution_line()}", file=sys.stderr)
    return 1


def _complain_of_bug(error: Exception) -> int:
    from daos_control.base import logs

    logs.get(__name__).error(f"{PROGRAM} ends because of a bug in it: {error!r}; please report it", exception=error)
    return 1
