"""The commands of ``dmg container``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import DRY_RUN, POOL_ID
from daos_control.cli.flags import Command, Option, Positional, text

POOL_CONTAINERS = "daos_control.cli.dmg.pool.containers"

COMMANDS = (
    Command(
        "set-owner",
        help="Give a container to somebody else",
        run=f"{POOL_CONTAINERS}:set_container_owner",
        positionals=(POOL_ID, Positional("container label or UUID", dest="container")),
        options=(
            Option("user", "u", help="New owner", parse=text, metavar="NAME", default=""),
            Option("group", "g", help="New owning group", parse=text, metavar="NAME", default=""),
            DRY_RUN,
        ),
    ),
)
