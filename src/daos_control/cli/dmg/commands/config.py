"""The commands of ``dmg config``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import HOSTS
from daos_control.cli.flags import Command
from daos_control.cli.shared_verbs.config_generate_options import GENERATION

COMMANDS = (
    Command(
        "generate",
        help="Print a daos_server.yml that fits the hardware of hosts",
        details="The hosts must all have the same hardware, and a server must run on each; it needs no engines yet. "
        "What is printed can be the daos_server.yml of all of them.",
        run="daos_control.cli.dmg.config:generate",
        aliases=("gen",),
        options=(HOSTS, *GENERATION),
    ),
)
