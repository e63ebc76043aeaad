"""daos_agent: stands between the DAOS applications of a node and the storage system."""

import sys

from daos_control.cli import program
from daos_control.cli.flags import Command, Option, text
from daos_control.cli.guidance.commands import ABOUT, ABOUT_COMMANDS
from daos_control.cli.shared_verbs.collect_log_options import OPTIONS as COLLECTING
from daos_control.cli.shared_verbs.config_generate_options import ROOT

RUN = "daos_control.cli.daos_agent.commands:"

OUTPUT = Option(
    "output", "o", parse=text, metavar="FILE", default="stdout", help="Write to this file", dest="output_file"
)

OPTIONS = (
    Option("config-path", "o", parse=text, metavar="FILE", help="Configuration (default: /etc/daos/daos_agent.yml)"),
    Option("runtime_dir", "s", parse=text, metavar="DIR", help="Folder of the socket that applications connect to"),
    Option("insecure", "i", help="Talk to the servers without certificates"),
    Option("logfile", "l", parse=text, metavar="FILE", help="Log to this file as well"),
    Option("debug", "d", help="Log every step"),
    Option("json", "j", help="Print JSON, where a command can"),
    Option("json-logging", "J", help="Log JSON lines"),
    Option("allow-proxy", help="Heed the proxy variables of the environment"),
)

PROGRAM = Command(
    "daos_agent",
    help="Stands between the DAOS applications of this node and the storage system. Without a command, it starts.",
    run=RUN + "start",
    options=OPTIONS,
    commands=(
        Command(
            "start", help="Serve the applications of this node until told to stop (the default)", run=RUN + "start"
        ),
        *ABOUT_COMMANDS,
        Command("version", help="Print this program's version", run=RUN + "version", group=ABOUT),
        Command(
            "doctor",
            help="Say what would go wrong before it does, and what to do about it",
            details="Changes nothing, needs no rights of root, and asks the system with a few seconds' patience. "
            "Ends with 1 if there is a problem, and with 0 if there are none, or warnings alone.",
            run="daos_control.cli.local.doctor:agent",
            options=(Option("quiet", "q", help="Leave out what is fine"),),
        ),
        Command("server-version", help="Ask the servers for theirs", run=RUN + "server_version"),
        Command(
            "dump-attachinfo",
            help="Print how applications reach the servers, as a CaRT group file",
            run=RUN + "dump_attach_info",
            options=(OUTPUT,),
        ),
        Command(
            "net-scan",
            help="List the network interfaces that DAOS can use",
            run=RUN + "net_scan",
            options=(
                Option("provider", "p", parse=text, metavar="NAME", default="all", help="Providers that begin so"),
            ),
        ),
        Command(
            "dump-topology",
            help="Show how this host hangs together: NUMA nodes, cores, PCI devices",
            run=RUN + "dump_topology",
            options=(OUTPUT, ROOT),
        ),
        Command(
            "support",
            help="What support needs of this node",
            commands=(
                Command(
                    "collect-log",
                    help="Collect logs, the configuration and the state of this node; secrets are masked",
                    run=RUN + "collect_log",
                    options=COLLECTING,
                ),
            ),
        ),
    ),
)


def main() -> int:
    """Run the program with the arguments of this process."""
    return program.main(PROGRAM, sys.argv[1:])
