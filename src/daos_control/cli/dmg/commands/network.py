"""The commands of ``dmg network``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import HOSTS
from daos_control.cli.flags import Command, Option, text

NETWORK = "daos_control.cli.dmg.network"

COMMANDS = (
    Command(
        "scan",
        help="Show fabric interfaces of hosts",
        run=f"{NETWORK}:scan",
        options=(
            HOSTS,
            Option("provider", "p", help="Only for this provider, or all", parse=text, metavar="PROVIDER", default=""),
        ),
    ),
)
