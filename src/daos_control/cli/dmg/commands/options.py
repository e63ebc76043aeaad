"""Options and arguments that several of dmg's commands share."""

from daos_control.cli.flags import Option, Positional

VALUES = "daos_control.cli.dmg.values"
COMPLETERS = "daos_control.cli.dmg.completers"

HOSTS = Option(
    "host-list",
    "l",
    help="Hosts to go to, instead of those in the configuration",
    parse=f"{VALUES}:hosts",
    metavar="HOSTS",
)
HOST = Option(
    "host", "l", help="Host that has the device", parse=f"{VALUES}:host", metavar="HOST", required=True, dest="host"
)
ONE_HOST = Option("host-list", "l", help="The host to go to: exactly one", parse=f"{VALUES}:hosts", metavar="HOST")
VERBOSE = Option("verbose", "v", help="Show more details")
RANKS = Option("ranks", "r", help="Ranks, such as 0-3,7", parse=f"{VALUES}:ranks", metavar="RANKS", default=())
RANK_HOSTS = Option(
    "rank-hosts", help="Hosts whose ranks are meant", parse=f"{VALUES}:rank_hosts", metavar="HOSTS", default=()
)
IGNORE_EXCLUDED = Option(
    "ignore-admin-excluded", help="Pass over ranks that an administrator has excluded, instead of failing"
)
SELECTION = (RANKS, RANK_HOSTS)
POOL_ID = Positional("pool label or UUID", help="The pool", dest="pool")
POOL_RANKS = Option("ranks", help="Ranks, such as 0-3,7", parse=f"{VALUES}:some_ranks", metavar="RANKS", required=True)
TARGETS = Option(
    "target-idx",
    help="Targets of each rank, by number, separated by commas (default: all)",
    parse=f"{VALUES}:targets",
    metavar="LIST",
    default=(),
)

DRY_RUN = Option("dry-run", help="Say what would be sent and what would come of it, and change nothing")

LISTING = (
    VERBOSE,
    Option("no-query", "n", help="Do not ask each pool for details"),
    Option("rebuild-only", "r", help="Only pools whose rebuild is not idle"),
)
