"""daos_lab: a whole DAOS system on this machine, in one command."""

import sys

from daos_control.cli import program
from daos_control.cli.flags import Command, Option, Positional, natural, text
from daos_control.cli.guidance.commands import ABOUT_COMMANDS

RUN = "daos_control.cli.daos_lab.commands:"

DIR = Option("dir", "D", parse=text, metavar="DIR", help="Folder of the lab (default: $DAOS_LAB_DIR, or ./.daos_lab)")

PROGRAM = Command(
    "daos_lab",
    help="A whole DAOS system on this machine: storage hosts, engines, an agent, certificates and a first pool.",
    options=(DIR,),
    commands=(
        Command(
            "up",
            help="Start the system; what is already running is left alone",
            run=RUN + "up",
            options=(
                Option("hosts", "H", parse=natural, metavar="N", default=3, help="Storage hosts (default: 3)"),
                Option("engines", "E", parse=natural, metavar="N", default=2, help="Engines of each host (default: 2)"),
                Option(
                    "targets", "t", parse=natural, metavar="N", default=4, help="Targets of each engine (default: 4)"
                ),
                Option("insecure", "i", help="No certificates, no encryption"),
                Option(
                    "engine", parse=text, metavar="PATH", default="", help="Run this daos_engine, not the emulated one"
                ),
                Option(
                    "pool",
                    parse=text,
                    metavar="SIZE",
                    help="Size of the first pool (default: 8GiB, or a third of a smaller system); 0 for none",
                ),
            ),
            details="The configuration it writes is ordinary: daos_server.yml of each host, daos_agent.yml and "
            "daos_control.yml. Run as root it mounts tmpfs as a real host does; otherwise storage is plain folders.",
        ),
        Command(
            "sim",
            help="Simulate a large system in one process, beside one real server, until Ctrl-C or 'down'",
            run=RUN + "sim",
            options=(
                Option("ranks", "r", parse=natural, metavar="N", default=2048, help="Ranks in all (default: 2048)"),
                Option("hosts", "H", parse=natural, metavar="N", default=0, help="Hosts in all"),
                Option(
                    "engines-per-host",
                    "E",
                    parse=natural,
                    metavar="N",
                    default=0,
                    help="Engines of a host (default: 2)",
                ),
                Option(
                    "targets", "t", parse=natural, metavar="N", default=4, help="Targets of each engine (default: 4)"
                ),
                Option("insecure", "i", help="No certificates, no encryption"),
                Option(
                    "suspect", parse=natural, metavar="SECONDS", default=6, help="Silence that means death (default: 6)"
                ),
                Option(
                    "witnesses", parse=natural, metavar="N", default=3, help="Engines that report a death (default: 3)"
                ),
            ),
            details="The first host is an ordinary daos_server with rank 0; the others are control servers with "
            "emulated engines, all in this process, each at its own address. kill takes sets of ranks (1-512) or "
            "hosts (sim[1-9]), pause and resume sets of hosts.",
        ),
        Command("status", help="Show what runs", run=RUN + "status"),
        Command(
            "logs",
            help="Show the end of the logs",
            run=RUN + "logs",
            options=(
                Option("follow", "f", help="Go on showing what is added"),
                Option("lines", "n", parse=natural, metavar="N", default=30, help="Lines of each log (default: 30)"),
            ),
            positionals=(Positional("HOST|RANK", required=False, dest="target", help="A host, a rank, or agent"),),
        ),
        Command(
            "down",
            help="Stop the system and remove its data",
            run=RUN + "down",
            options=(Option("keep", "k", help="Keep the data: 'up' goes on with it"),),
        ),
        Command(
            "kill",
            help="Kill a rank's engine, or a host with its engines, as a power cut would",
            run=RUN + "kill",
            positionals=(Positional("HOST|RANK", dest="target", help="A host, a rank, or agent"),),
        ),
        Command(
            "pause",
            help="Freeze a rank or a host: it neither answers nor ends",
            run=RUN + "pause",
            options=(
                Option(
                    "how",
                    parse=text,
                    metavar="HOW",
                    choices=("silent", "mute", "deaf"),
                    default="silent",
                    help="Simulated hosts: take connections and say nothing, take calls and never answer, drop packets",
                ),
            ),
            positionals=(Positional("HOST|RANK", dest="target", help="A host, a rank, or agent"),),
        ),
        Command(
            "resume",
            help="Let a frozen rank or host go on",
            run=RUN + "resume",
            positionals=(Positional("HOST|RANK", dest="target", help="A host, a rank, or agent"),),
        ),
        *ABOUT_COMMANDS,
        Command("env", help="Print what to export so that plain dmg and DAOS clients use this lab", run=RUN + "env"),
    ),
)


def main() -> int:
    """Run the program with the arguments of this process."""
    return program.main(PROGRAM, sys.argv[1:])
