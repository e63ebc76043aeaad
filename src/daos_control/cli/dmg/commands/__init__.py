"""dmg's command tree as data. Nothing is imported to know it but the family of commands that somebody is in."""

from daos_control.cli.every_program import ABOUT, ABOUT_COMMANDS
from daos_control.cli.flags import Command, Option, Positional, text

FAMILIES = "daos_control.cli.dmg.commands"

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
            help="The system: members, leader, starting and stopping",
            aliases=("sys",),
            commands=f"{FAMILIES}.system:COMMANDS",
        ),
        Command("pool", help="Pools: making, listing, querying, removing", commands=f"{FAMILIES}.pool:COMMANDS"),
        Command("container", help="Containers", aliases=("cont",), commands=f"{FAMILIES}.container:COMMANDS"),
        Command(
            "storage",
            help="Storage of hosts: scanning, formatting, devices",
            aliases=("sto",),
            commands=f"{FAMILIES}.storage:COMMANDS",
        ),
        Command("network", help="Network of hosts", aliases=("net",), commands=f"{FAMILIES}.network:COMMANDS"),
        Command(
            "config",
            help="Configurations of servers",
            aliases=("cfg",),
            commands=f"{FAMILIES}.config:COMMANDS",
        ),
        Command("server", help="Servers and their engines", aliases=("srv",), commands=f"{FAMILIES}.server:COMMANDS"),
        Command(
            "check",
            help="The checker: find and repair inconsistencies of a system that is stopped",
            commands=f"{FAMILIES}.check:COMMANDS",
        ),
        Command(
            "support",
            help="What support needs: logs, configurations, the state of hosts",
            aliases=("supp",),
            commands=f"{FAMILIES}.support:COMMANDS",
        ),
        Command(
            "telemetry",
            help="Metrics of servers, and Prometheus to gather them",
            aliases=("telem",),
            commands=f"{FAMILIES}.telemetry:COMMANDS",
        ),
        Command("firmware", help="Firmware of storage devices", commands=f"{FAMILIES}.firmware:COMMANDS", hidden=True),
        Command(
            "faults",
            help="Break metadata, in fault-injection builds of DAOS",
            commands=f"{FAMILIES}.faults:COMMANDS",
            hidden=True,
        ),
        Command(
            "explain",
            help="Explain a number or a name in a message: faults, DER codes, events, states",
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
        Command("server-version", help="Show the version of the servers", run="daos_control.cli.dmg.server:version"),
    ),
)
