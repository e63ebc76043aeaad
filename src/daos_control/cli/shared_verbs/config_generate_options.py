"""The options of ``config generate``, which dmg and daos_server have in common, and of commands about hardware."""

from daos_control.cli.flags import Option, natural, text, words


def ports(value: str) -> tuple[int, ...]:
    """Read ``31416,32416``."""
    return tuple(natural(word) for word in words(value))


ROOT = Option(
    "root",
    help="Look at a copy of another host's /sys and /proc in this folder",
    parse=text,
    metavar="DIR",
    default="/",
)

GENERATION = (
    Option(
        "ms-replicas",
        "r",
        help="Hosts of the management service, separated by commas",
        parse=text,
        metavar="HOSTS",
        default="localhost",
    ),
    Option(
        "access-points",
        "a",
        help="Former name of --ms-replicas",
        parse=text,
        metavar="HOSTS",
        default="",
        hidden=True,
    ),
    Option(
        "num-engines",
        "e",
        help="How many engines (default: one for each NUMA node)",
        parse=natural,
        metavar="N",
        default=0,
    ),
    Option("scm-only", "s", help="Leave SSDs alone"),
    Option(
        "net-class",
        "c",
        help="Class of the network interfaces",
        parse=text,
        choices=("ethernet", "infiniband"),
        default="infiniband",
    ),
    Option("net-provider", "p", help="Fabric provider (default: the best)", parse=text, metavar="PROVIDER", default=""),
    Option("use-tmpfs-scm", "t", help="Use RAM instead of persistent memory"),
    Option(
        "control-metadata-path",
        "m",
        help="Keep metadata on SSDs, and that of the control plane in this folder; goes with --use-tmpfs-scm",
        parse=text,
        metavar="DIR",
        default="",
    ),
    Option(
        "fabric-ports",
        "f",
        help="Ports of the engines, separated by commas (default: 31416,32416,...)",
        parse=ports,
        metavar="PORTS",
        default=(),
    ),
    Option("explain", help="Say why each value was chosen and what was passed over, in comments beside the values"),
)
