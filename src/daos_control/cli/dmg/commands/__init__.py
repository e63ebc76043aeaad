"""dmg's command tree as data. Nothing is imported to know it but the family of commands that somebody is in."""

from daos_control.cli.flags import Command, Option, Positional, text
from daos_control.cli.guidance.commands import ABOUT, ABOUT_COMMANDS

FAMILIES = "daos_control.cli.dmg.commands"
SYSTEM = "The system and what it stores"
HOSTS = "Hosts and what they have"

GLOBAL = (
    Option(
        "config-path",
        "o",
        help="Configuration file (default: ~/.daos_control.yml or /etc/daos/daos_control.yml)",
        parse=text,
        metavar="FILE",
    ),
    Option("insecure", "i", help="Talk to servers without certificates"),
    Option("json", "j", help="Print one JSON document, and nothing else, on standard output"),
    Option("debug", "d", help="Tell every step on standard error"),
    Option("json-logging", "J", help="Write log lines as JSON"),
    Option("log-file", help="Append all log lines to a file, too", parse=text, metavar="FILE"),
    Option("allow-proxy", help="Heed the environment's proxy settings"),
    Option(
        "timeout",
        help="Wait so long and no longer, such as 30s or 2m (default: 5m for work, less for looking at many hosts)",
        parse="daos_control.cli.dmg.values:duration",
        metavar="TIME",
        dest="time_limit",
    ),
    Option("host-list", "l", parse="daos_control.cli.dmg.values:hosts", metavar="HOSTS", hidden=True),
)

PROGRAM = Command(
    "dmg",
    help="Administer a DAOS system.",
    options=GLOBAL,
    commands=(
        Command(
            "system",
            help="See who is in the system, and stop, start, exclude, drain or bring back ranks",
            group=SYSTEM,
            aliases=("sys",),
            commands=f"{FAMILIES}.system:COMMANDS",
        ),
        Command(
            "pool",
            help="Make, list, query, change and remove pools",
            group=SYSTEM,
            commands=f"{FAMILIES}.pool:COMMANDS",
        ),
        Command(
            "container",
            help="Give containers to other owners",
            group=SYSTEM,
            aliases=("cont",),
            commands=f"{FAMILIES}.container:COMMANDS",
        ),
        Command(
            "storage",
            help="Scan and format storage, and look after devices",
            group=HOSTS,
            aliases=("sto",),
            commands=f"{FAMILIES}.storage:COMMANDS",
        ),
        Command(
            "network",
            help="See the fabric interfaces of hosts",
            group=HOSTS,
            aliases=("net",),
            commands=f"{FAMILIES}.network:COMMANDS",
        ),
        Command(
            "config",
            help="Generate configurations of servers",
            group=HOSTS,
            aliases=("cfg",),
            commands=f"{FAMILIES}.config:COMMANDS",
        ),
        Command(
            "server", help="Set what engines log", group=HOSTS, aliases=("srv",), commands=f"{FAMILIES}.server:COMMANDS"
        ),
        Command(
            "check",
            help="Find and repair inconsistencies while the system is stopped",
            group=SYSTEM,
            commands=f"{FAMILIES}.check:COMMANDS",
        ),
        Command(
            "support",
            help="Collect logs, configurations and the state of hosts",
            group=HOSTS,
            aliases=("supp",),
            commands=f"{FAMILIES}.support:COMMANDS",
        ),
        Command(
            "telemetry",
            help="Read metrics of servers, and set up Prometheus",
            group=HOSTS,
            aliases=("telem",),
            commands=f"{FAMILIES}.telemetry:COMMANDS",
        ),
        Command(
            "firmware",
            help="See and replace firmware of storage devices",
            group=HOSTS,
            commands=f"{FAMILIES}.firmware:COMMANDS",
            hidden=True,
        ),
        Command(
            "faults",
            help="Break metadata, in fault-injection builds of DAOS",
            commands=f"{FAMILIES}.faults:COMMANDS",
            hidden=True,
        ),
        Command(
            "explain",
            help="Explain a number, a name or a whole line of a message",
            group=ABOUT,
            run="daos_control.cli.dmg.explain:explain",
            options=(Option("all", "a", help="List everything that can be explained"),),
            positionals=(
                Positional(
                    "code, name or line",
                    help="What was read",
                    required=False,
                    repeat=True,
                    numbers=True,
                    complete="daos_control.cli.dmg.completers:explainable",
                    dest="words",
                ),
            ),
        ),
        *ABOUT_COMMANDS,
        Command("version", help="Show the version", run="daos_control.cli.dmg.version:version", group=ABOUT),
        Command(
            "server-version",
            help="Show the version of the servers",
            group=HOSTS,
            run="daos_control.cli.dmg.server:version",
        ),
    ),
)
