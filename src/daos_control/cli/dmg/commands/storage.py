"""The commands of ``dmg storage``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import HOST, HOSTS, ONE_HOST, VERBOSE
from daos_control.cli.flags import Command, Option, Positional, integer32, natural, text

VALUES = "daos_control.cli.dmg.values"
STORAGE = "daos_control.cli.dmg.storage"

DEVICE_UUID = Option("uuid", "u", help="UUID of the device", parse=text, metavar="UUID", required=True)
PCI_ADDRESS = Option("pci-address", "a", help="PCI address of the SSD", parse=text, metavar="ADDR", required=True)
LED_IDS = Positional("ids", help="Devices by UUID or PCI address, separated by commas (default: all)", required=False)

COMMANDS = (
    Command(
        "scan",
        help="Show what storage hosts have",
        run=f"{STORAGE}.scan:scan",
        options=(HOSTS, VERBOSE, Option("nvme-health", "n", help="Show the health of SSDs")),
    ),
    Command(
        "format",
        help="Format storage that needs it",
        run=f"{STORAGE}.format:format_storage",
        options=(
            HOSTS,
            VERBOSE,
            Option("force", help="Format what has been formatted before, too"),
            Option("replace", help="Let the engines of one host take the place of ranks that it lost"),
        ),
    ),
    Command(
        "query",
        help="Devices, pools and usage",
        commands=(
            Command(
                "usage",
                help="Show how much storage is in use",
                run=f"{STORAGE}.usage:usage",
                options=(
                    HOSTS,
                    Option("show-usable", "u", help="Show what is left for data, instead of what is free"),
                    Option(
                        "mem-ratio",
                        help="Percentage of metadata kept in memory, to reckon with",
                        parse=f"{VALUES}:ratios",
                        metavar="N",
                    ),
                ),
            ),
            Command(
                "list-devices",
                help="Show the devices that engines use",
                run=f"{STORAGE}.devices:list_devices",
                options=(
                    HOSTS,
                    Option("rank", "r", help="Only of this rank", parse=natural, metavar="RANK"),
                    Option("health", "b", help="Show their health"),
                    Option("uuid", "u", help="Only this device", parse=text, metavar="UUID", default=""),
                    Option("show-evicted", "e", help="Only devices that were given up"),
                ),
            ),
            Command(
                "list-pools",
                help="Show the pools on engines' devices",
                run=f"{STORAGE}.devices:list_pools",
                options=(
                    HOSTS,
                    VERBOSE,
                    Option("rank", "r", help="Only of this rank", parse=natural, metavar="RANK"),
                    Option("uuid", "u", help="Only this pool", parse=text, metavar="UUID", default=""),
                ),
            ),
        ),
    ),
    Command(
        "set",
        help="States of devices",
        commands=(
            Command(
                "nvme-faulty",
                help="Give a device up",
                run=f"{STORAGE}.devices:set_faulty",
                options=(HOST, DEVICE_UUID, Option("force", "f", help="Do not ask first")),
            ),
        ),
    ),
    Command(
        "replace",
        help="Replacing devices",
        commands=(
            Command(
                "nvme",
                help="Put a new device in the place of one that was given up",
                run=f"{STORAGE}.devices:replace_device",
                options=(
                    HOST,
                    Option("old-uuid", help="UUID of the old device", parse=text, metavar="UUID", required=True),
                    Option("new-uuid", help="UUID of the new device", parse=text, metavar="UUID", required=True),
                ),
            ),
        ),
    ),
    Command(
        "led",
        help="LEDs of SSDs",
        commands=(
            Command(
                "check", help="Show LEDs", run=f"{STORAGE}.devices:led_check", positionals=(LED_IDS,), options=(HOSTS,)
            ),
            Command(
                "identify",
                help="Let LEDs blink",
                run=f"{STORAGE}.devices:led_identify",
                positionals=(LED_IDS,),
                options=(
                    HOSTS,
                    Option("timeout", help="For so many minutes", parse=natural, metavar="MIN", default=0),
                    Option("reset", help="Stop blinking"),
                ),
            ),
        ),
    ),
    Command(
        "nvme-rebind",
        help="Take an SSD from the kernel's driver",
        run=f"{STORAGE}.devices:nvme_rebind",
        options=(ONE_HOST, PCI_ADDRESS),
    ),
    Command(
        "nvme-add-device",
        help="Add an SSD to an engine",
        run=f"{STORAGE}.devices:nvme_add_device",
        options=(
            ONE_HOST,
            PCI_ADDRESS,
            Option("engine-index", "e", help="Engine on its host, from 0", parse=natural, metavar="N", required=True),
            Option(
                "tier-index",
                "t",
                help="Storage tier; -1 is the first one of SSDs",
                parse=integer32,
                metavar="N",
                default=-1,
            ),
        ),
    ),
)
