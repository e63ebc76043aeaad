"""daos_server: runs the engines of a storage host, and its part of the system's management."""

import sys

from daos_control.cli.flags import Command, Option, integer, natural, text
from daos_control.cli.flags import main as run

RUN = "daos_control.cli.server_commands:"

OPTIONS = (
    Option("debug", "b", help="Log every step"),
    Option("json", "j", help="Print JSON, where a command can"),
    Option("json-logging", "J", help="Log JSON lines"),
    Option("syslog", help="Also log to syslog (not there yet)"),
    Option("allow-proxy", help="Heed the proxy variables of the environment"),
)

CONFIG = Option("config", "o", parse=text, metavar="FILE", help="Configuration (default: /etc/daos/daos_server.yml)")
IGNORE_CONFIG = Option("ignore-config", help="Do without a configuration")

START = Command(
    "start",
    help="Serve this storage host until told to stop",
    run=RUN + "start",
    options=(
        CONFIG,
        Option("port", "p", parse=natural, metavar="PORT", help="Control port"),
        Option("storage", "s", parse=text, metavar="DIR", help="Mount point of the first engine's SCM (deprecated)"),
        Option("modules", "m", parse=text, metavar="LIST", help="Modules that engines load"),
        Option("targets", "t", parse=natural, metavar="N", help="Targets of each engine"),
        Option("xshelpernr", "x", parse=natural, metavar="N", help="Helper threads of each engine"),
        Option("firstcore", "f", parse=integer, metavar="N", help="First core of each engine"),
        Option("group", "g", parse=text, metavar="NAME", help="Name of the system"),
        Option("socket_dir", "d", parse=text, metavar="DIR", help="Folder of the sockets between server and engines"),
        Option("insecure", "i", help="Do without certificates, and serve everybody"),
        Option("auto-format", help="Format storage that needs it without waiting for dmg storage format"),
        Option(
            "control-address",
            parse=text,
            metavar="IP",
            help="Serve on this address alone and go by it: for several hosts on one machine",
        ),
    ),
)

LATER = RUN + "not_there_yet"

PROGRAM = Command(
    "daos_server",
    help="Runs the engines of a storage host, and its part of the system's management.",
    options=OPTIONS,
    commands=(
        START,
        Command("version", help="Print this program's version", run=RUN + "version"),
        Command(
            "network",
            help="Look at this host's network",
            commands=(
                Command(
                    "scan",
                    help="List the network interfaces that DAOS can use",
                    run=RUN + "network_scan",
                    options=(
                        CONFIG,
                        IGNORE_CONFIG,
                        Option("provider", "p", parse=text, metavar="NAME", help="Fabric provider, or all"),
                    ),
                ),
            ),
        ),
        Command("scm", help="Prepare persistent memory (not there yet)", run=LATER),
        Command("nvme", help="Prepare NVMe devices (not there yet)", run=LATER),
        Command("config", help="Generate a configuration (not there yet)", run=LATER, aliases=("cfg",)),
        Command("ms", help="Repair the management service's data (not there yet)", run=LATER),
        Command("support", help="Collect what support needs (not there yet)", run=LATER),
        Command("dump-topology", help="Print the hardware topology (not there yet)", run=LATER),
    ),
)


def main() -> int:
    """Run the program with the arguments of this process."""
    return run(PROGRAM, sys.argv[1:])
