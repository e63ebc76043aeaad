"""The steps of collecting for support, their numbers on the wire, and the folders that their results go to.

Names and numbers are DAOS 2.8's: its dmg asks our servers for these steps, and ours asks its servers.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Step(IntEnum):
    """One thing to collect, or to do with what was collected."""

    SERVER_CONFIG = 0
    SYSTEM_COMMAND = 1
    SERVER_LOG = 2
    EXTRA_LOGS = 3
    SERVER_COMMAND = 4
    DMG_COMMAND = 5
    DMG_DEVICES = 6
    AGENT_COMMAND = 7
    CLIENT_LOG = 8
    AGENT_LOG = 9
    AGENT_CONFIG = 10
    TRANSFER = 11
    ARCHIVE = 12


class ServerLog(StrEnum):
    """Which log of a server."""

    ENGINE = "EngineLog"
    CONTROL = "ControlLog"
    HELPER = "HelperLog"


class Place(StrEnum):
    """The folder of a result, below that of its host; results about the whole system are beside the hosts'."""

    SYSTEM = "DmgSystemLogs"
    NODE = "DmgNodeLogs"
    AGENT_COMMANDS = "DaosAgentCmdInfo"
    HOST = "GenSystemInfo"
    ENGINE_LOGS = "EngineLogs"
    CONTROL_LOGS = "ControlLogs"
    HELPER_LOGS = "AdminLogs"
    CLIENT_LOGS = "ClientLogs"
    SERVER_CONFIG = "DaosServerConfig"
    AGENT_CONFIG = "AgentConfig"
    AGENT_LOGS = "AgentLogs"
    EXTRA = "ExtraLogs"


@dataclass(frozen=True, slots=True)
class Item:
    """A step, and what exactly: a command, or a kind of log."""

    step: Step
    what: str = ""

    @property
    def title(self) -> str:
        """The words for people."""
        if self.what == RPM_PACKAGES:
            return "installed packages"
        return self.what or _TITLES.get(self.step, self.step.name.lower().replace("_", " "))


_TITLES: Final = {
    Step.SERVER_CONFIG: "configuration of the server",
    Step.EXTRA_LOGS: "extra logs",
    Step.DMG_DEVICES: "devices of the hosts",
    Step.CLIENT_LOG: "logs of clients",
    Step.AGENT_LOG: "log of the agent",
    Step.AGENT_CONFIG: "configuration of the agent",
    Step.TRANSFER: "transfer",
    Step.ARCHIVE: "archive",
}

LOG_TYPES: Final = {"admin": ServerLog.HELPER, "control": ServerLog.CONTROL, "server": ServerLog.ENGINE}
"""By the words of ``--log-type``."""

METRICS: Final = "daos_metrics"
TOPOLOGY: Final = "dump-topology"
SERVER_VERSION: Final = "daos_server version"
ENVIRONMENT: Final = "printenv"

RPM_PACKAGES: Final = "rpm -qa --qf '(%{INSTALLTIME:date}): %{NAME}-%{VERSION}\n'"
DEB_PACKAGES: Final = "dpkg-query -W"
"""Instead of it, where packages are of the other kind."""

SYSTEM_COMMANDS: Final = (
    "dmesg",
    "df -h",
    "mount",
    "ps axf",
    "top -bcn1 -w512",
    "lspci -D",
    "sysctl -a",
    ENVIRONMENT,
    RPM_PACKAGES,
)
SERVER_COMMANDS: Final = (SERVER_VERSION, METRICS, TOPOLOGY)
AGENT_COMMANDS: Final = ("daos_agent version", "daos_agent net-scan", "daos_agent dump-topology")
DMG_COMMANDS: Final = (
    "dmg system get-prop",
    "dmg system query",
    "dmg system list-pools",
    "dmg system leader-query",
    "dmg system get-attr",
    "dmg network scan",
    "dmg storage scan",
    "dmg storage scan -n",
    "dmg storage query list-pools -v",
    "dmg storage query usage",
)
"""What DAOS 2.8 asks for, without ``dmg storage scan -m``, an option that it does not have."""

LIST_DEVICES: Final = "dmg storage query list-devices"


def server_items(log_types: Sequence[str] = (), *, extra: bool = False) -> tuple[Item, ...]:
    """Return what a server is asked for: everything, or its logs of some types alone."""
    logs = [Item(Step.SERVER_LOG, kind) for word, kind in LOG_TYPES.items() if not log_types or word in log_types]
    extras = [Item(Step.EXTRA_LOGS)] if extra else []
    if log_types:
        return (*logs, *extras)
    return (
        Item(Step.SERVER_CONFIG),
        *logs,
        *(Item(Step.SERVER_COMMAND, command) for command in SERVER_COMMANDS),
        *(Item(Step.SYSTEM_COMMAND, command) for command in SYSTEM_COMMANDS),
        *extras,
    )


def agent_items(*, extra: bool = False) -> tuple[Item, ...]:
    """Return what there is to collect on a client node."""
    return (
        Item(Step.AGENT_CONFIG),
        Item(Step.AGENT_LOG),
        Item(Step.CLIENT_LOG),
        *(Item(Step.AGENT_COMMAND, command) for command in AGENT_COMMANDS),
        *(Item(Step.SYSTEM_COMMAND, command) for command in SYSTEM_COMMANDS),
        *([Item(Step.EXTRA_LOGS)] if extra else []),
    )


def file_name(command: str) -> str:
    r"""Return the name of the file for a command's output: as in DAOS 2.8, but of one line.

    >>> file_name("top -bcn1 -w512"), file_name("dmg storage scan -n")
    ('top_bcn1_w512', 'dmg_storage_scan_n')
    """
    return command.replace(" -", "_").replace(" ", "_").replace("\n", "\\n").replace("/", "_")


def words(command: str) -> list[str]:
    """Split a command as a shell would."""
    return shlex.split(command)
