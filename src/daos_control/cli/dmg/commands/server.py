"""The commands of ``dmg server``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import HOSTS
from daos_control.cli.flags import Command, Option, text

COMMANDS = (
    Command(
        "set-logmasks",
        help="Set what engines log; what is not given becomes what their configuration says",
        run="daos_control.cli.dmg.server:set_logmasks",
        aliases=("slm",),
        options=(
            HOSTS,
            Option("masks", "m", help="Levels, such as WARN or MGMT=DEBUG,ERR", parse=text, metavar="MASKS"),
            Option("streams", "d", help="Debug streams; empty for all", parse=text, metavar="STREAMS"),
            Option("subsystems", "s", help="Subsystems; empty for all", parse=text, metavar="NAMES"),
        ),
    ),
)
