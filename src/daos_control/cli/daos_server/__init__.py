"""daos_server: runs the engines of a storage host, and its part of the system's management."""

import sys
from collections.abc import Sequence

from daos_control.cli import program
from daos_control.cli.flags import Command, Option, Positional, integer, natural, natural16, text, words
from daos_control.cli.guidance.commands import ABOUT, ABOUT_COMMANDS
from daos_control.cli.shared_verbs.collect_log_options import LOG_TYPE
from daos_control.cli.shared_verbs.collect_log_options import OPTIONS as COLLECTING
from daos_control.cli.shared_verbs.config_generate_options import GENERATION, ROOT

RUN = "daos_control.cli.daos_server.commands:"
STORAGE = "daos_control.cli.daos_server.storage:"
HARDWARE = "daos_control.cli.daos_server.hardware:"
MS = "daos_control.cli.daos_server.ms:"

OPTIONS = (
    Option("debug", "b", help="Log every step"),
    Option("json", "j", help="Print JSON, where a command can"),
    Option("json-logging", "J", help="Log JSON lines"),
    Option("syslog", help="Also log to syslog, but for debug lines"),
    Option("allow-proxy", help="Heed the proxy variables of the environment"),
)

CONFIG = Option("config", "o", parse=text, metavar="FILE", help="Configuration (default: /etc/daos/daos_server.yml)")
IGNORE_CONFIG = Option("ignore-config", help="Do without a configuration")

CONTROL_ADDRESS = Option(
    "control-address",
    parse=text,
    metavar="IP",
    help="The server's own address alone: for several hosts on one machine",
)

START = Command(
    "start",
    help="Serve this storage host until told to stop",
    run=RUN + "start",
    options=(
        CONFIG,
        Option("port", "p", parse=natural16, metavar="PORT", help="Control port"),
        Option("storage", "s", parse=text, metavar="DIR", help="Mount point of the first engine's SCM (deprecated)"),
        Option("modules", "m", parse=text, metavar="LIST", help="Modules that engines load"),
        Option("targets", "t", parse=natural16, metavar="N", help="Targets of each engine"),
        Option("xshelpernr", "x", parse=natural16, metavar="N", help="Helper threads of each engine"),
        Option("firstcore", "f", parse=natural16, metavar="N", help="First core of each engine"),
        Option("group", "g", parse=text, metavar="NAME", help="Name of the system"),
        Option("socket_dir", "d", parse=text, metavar="DIR", help="Folder of the sockets between server and engines"),
        Option("insecure", "i", help="Do without certificates, and serve everybody"),
        Option("auto-format", help="Format storage that needs it without waiting for dmg storage format"),
        CONTROL_ADDRESS,
    ),
)

HELPER_LOG = Option("helper-log-file", "l", parse=text, metavar="FILE", help="Log of the privileged helper")
SOCKET = Option("socket", parse=natural, metavar="ID", help="Only the memory of this socket")
FORCE = Option("force", "f", help="Do not ask")
VFIO = Option("disable-vfio", help="Bind devices to uio_pci_generic")
TARGET_USER = Option("target-user", "u", parse=text, metavar="USER", help="Who is to own the devices")
BLOCK_LIST = Option("pci-block-list", parse=words, metavar="LIST", help="PCI addresses to leave alone")
ALLOW_LIST = Positional(
    "pci-allow-list", required=False, parse=words, help="PCI addresses, separated by commas; all if not given"
)

SCM = Command(
    "scm",
    help="Look at persistent memory, and prepare it",
    commands=(
        Command(
            "prepare",
            help="Make namespaces of persistent memory (not there yet)",
            run=STORAGE + "scm_prepare",
            options=(
                CONFIG,
                IGNORE_CONFIG,
                HELPER_LOG,
                SOCKET,
                FORCE,
                Option("scm-ns-per-socket", "S", parse=natural, metavar="N", default=1, help="Namespaces of a socket"),
            ),
        ),
        Command(
            "reset",
            help="Remove all namespaces (not there yet)",
            run=STORAGE + "scm_reset",
            options=(CONFIG, IGNORE_CONFIG, HELPER_LOG, SOCKET, FORCE),
        ),
        Command(
            "scan",
            help="List persistent memory",
            run=STORAGE + "scm_scan",
            options=(CONFIG, IGNORE_CONFIG, HELPER_LOG, SOCKET),
        ),
    ),
)

NVME = Command(
    "nvme",
    help="Look at NVMe devices, and prepare them",
    commands=(
        Command(
            "prepare",
            help="Take devices from the kernel for engines, and set up hugepages (not there yet)",
            run=STORAGE + "nvme_prepare",
            options=(
                CONFIG,
                IGNORE_CONFIG,
                HELPER_LOG,
                BLOCK_LIST,
                Option("hugepages", "p", parse=integer, metavar="N", help="Hugepages to have"),
                TARGET_USER,
                VFIO,
            ),
            positionals=(ALLOW_LIST,),
        ),
        Command(
            "reset",
            help="Give devices back to the kernel (not there yet)",
            run=STORAGE + "nvme_reset",
            options=(CONFIG, IGNORE_CONFIG, HELPER_LOG, BLOCK_LIST, TARGET_USER, VFIO),
            positionals=(ALLOW_LIST,),
        ),
        Command(
            "scan",
            help="List the NVMe devices that the kernel drives",
            run=STORAGE + "nvme_scan",
            options=(
                CONFIG,
                IGNORE_CONFIG,
                HELPER_LOG,
                Option("disable-vmd", help="Do not look behind volume management devices"),
                Option("skip-prep", help="Do not prepare devices first; this release never does"),
            ),
        ),
    ),
)

CONFIGURATION = Command(
    "config",
    help="Configurations",
    aliases=("cfg",),
    commands=(
        Command(
            "generate",
            help="Print a daos_server.yml that fits the hardware of this host",
            details="Only what the kernel tells is looked at, and nothing is changed. SSDs that the host itself uses "
            "are left alone.",
            run=HARDWARE + "config_generate",
            aliases=("gen",),
            options=(
                *GENERATION,
                Option("skip-prep", help="Do not prepare devices first; this release never does"),
                HELPER_LOG,
                ROOT,
            ),
        ),
    ),
)

MANAGEMENT = Command(
    "ms",
    help="Look after the database of this host's replica of the management service",
    commands=(
        Command(
            "status",
            help="Show how the database is and what it holds",
            run=MS + "status",
            options=(CONFIG, CONTROL_ADDRESS),
        ),
        Command(
            "backup",
            help="Copy the database into a file, while the server runs or not",
            run=MS + "backup",
            options=(
                CONFIG,
                CONTROL_ADDRESS,
                Option("path", "p", parse=text, metavar="FILE", required=True, help="The file, which must not exist"),
            ),
        ),
        Command(
            "recover",
            help="Make a sound database of what can be read of the present one, with the server stopped",
            run=MS + "recover",
            options=(CONFIG, CONTROL_ADDRESS, FORCE),
        ),
        Command(
            "restore",
            help="Put a backup in the place of the database, with the server stopped",
            run=MS + "restore",
            options=(
                CONFIG,
                CONTROL_ADDRESS,
                Option("path", "p", parse=text, metavar="FILE", required=True, help="The backup"),
                FORCE,
            ),
        ),
    ),
)

PROGRAM = Command(
    "daos_server",
    help="Runs the engines of a storage host, and its part of the system's management.",
    options=OPTIONS,
    commands=(
        START,
        *ABOUT_COMMANDS,
        Command("version", help="Print this program's version", run=RUN + "version", group=ABOUT),
        Command(
            "network",
            help="Look at this host's network",
            commands=(
                Command(
                    "scan",
                    help="List the network interfaces that DAOS can use",
                    run=HARDWARE + "network_scan",
                    options=(
                        CONFIG,
                        IGNORE_CONFIG,
                        Option("provider", "p", parse=text, metavar="NAME", help="Fabric provider, or all"),
                        ROOT,
                    ),
                ),
            ),
        ),
        Command(
            "doctor",
            help="Say what would go wrong before it does, and what to do about it",
            details="Changes nothing, and needs no rights of root: what this user may not look at is named. "
            "Ends with 1 if there is a problem, and with 0 if there are none, or warnings alone.",
            run="daos_control.cli.local.doctor:server",
            options=(CONFIG, CONTROL_ADDRESS, Option("quiet", "q", help="Leave out what is fine")),
        ),
        SCM,
        NVME,
        CONFIGURATION,
        MANAGEMENT,
        Command(
            "support",
            help="What support needs of this host",
            commands=(
                Command(
                    "collect-log",
                    help="Collect logs, the configuration and the state of this host; secrets are masked",
                    run="daos_control.cli.daos_server.support:collect_log",
                    options=(CONFIG, *COLLECTING, LOG_TYPE),
                ),
            ),
        ),
        Command(
            "dump-topology",
            help="Show how this host hangs together: NUMA nodes, cores, PCI devices",
            run=HARDWARE + "dump_topology",
            options=(
                Option(
                    "output",
                    "o",
                    parse=text,
                    metavar="FILE",
                    default="stdout",
                    help="Write to this file",
                    dest="output_file",
                ),
                ROOT,
            ),
        ),
    ),
)


def main() -> int:
    """Run the program with the arguments of this process."""
    return run(sys.argv[1:])


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    return program.main(PROGRAM, argv, documents=True, named=False)
