"""The commands of ``dmg firmware``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import HOSTS, VERBOSE
from daos_control.cli.flags import Command, Option, text, words

FIRMWARE = "daos_control.cli.dmg.firmware"

FILTERS = (
    Option("devices", "d", help="Only these devices: UIDs or PCI addresses", parse=words, metavar="LIST", default=()),
    Option("model", "m", help="Only devices of this model", parse=text, metavar="MODEL", default=""),
    Option("fwrev", "f", help="Only devices with this firmware", parse=text, metavar="REVISION", default=""),
)

COMMANDS = (
    Command(
        "query",
        help="Show the firmware of storage devices",
        run=f"{FIRMWARE}:query",
        options=(
            HOSTS,
            Option(
                "type",
                "t",
                help="Kind of devices",
                parse=text,
                choices=("nvme", "scm", "all"),
                default="all",
            ),
            *FILTERS,
            VERBOSE,
        ),
    ),
    Command(
        "update",
        help="Give storage devices other firmware; their engines must be stopped",
        run=f"{FIRMWARE}:update",
        options=(
            HOSTS,
            Option("type", "t", help="Kind of devices", parse=text, choices=("nvme", "scm"), required=True),
            Option(
                "path",
                "p",
                help="The firmware's file, where all hosts find it",
                parse=text,
                metavar="FILE",
                required=True,
            ),
            *FILTERS,
            VERBOSE,
        ),
    ),
)
