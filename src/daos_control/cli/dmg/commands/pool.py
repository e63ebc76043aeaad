"""The commands of ``dmg pool``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import DRY_RUN, LISTING, POOL_ID, POOL_RANKS, TARGETS
from daos_control.cli.flags import Command, Option, Positional, natural, text

VALUES = "daos_control.cli.dmg.values"
COMPLETERS = "daos_control.cli.dmg.completers"
POOL_CREATE = "daos_control.cli.dmg.pool.create"
POOL_LIFECYCLE = "daos_control.cli.dmg.pool.lifecycle"
POOL_LISTING = "daos_control.cli.dmg.pool.listing"
POOL_PLAN = "daos_control.cli.dmg.pool.plan"
POOL_QUERY = "daos_control.cli.dmg.pool.query"
POOL_RANKS_OF = "daos_control.cli.dmg.pool.ranks"
POOL_PROPERTIES = "daos_control.cli.dmg.pool.properties"
POOL_ACL = "daos_control.cli.dmg.pool.acl"

POOL_SIZE = (
    Option(
        "size",
        "z",
        help="Size of the pool, or a percentage of all storage",
        parse=f"{VALUES}:pool_size",
        metavar="SIZE|N%",
        group="Size of the whole pool",
    ),
    Option(
        "tier-ratio",
        "t",
        help="Percentages of the tiers (default: 6,94)",
        parse=f"{VALUES}:ratios",
        metavar="N[,N]",
        group="Size of the whole pool",
    ),
    Option("nranks", "k", help="On how many ranks", parse=natural, metavar="N", group="Size of the whole pool"),
    Option(
        "scm-size",
        "s",
        help="Persistent memory (or RAM)",
        parse=f"{VALUES}:size",
        metavar="SIZE",
        group="Size on each engine",
    ),
    Option("nvme-size", "n", help="SSD", parse=f"{VALUES}:size", metavar="SIZE", group="Size on each engine"),
    Option(
        "meta-size",
        help="Metadata on SSD",
        parse=f"{VALUES}:size",
        metavar="SIZE",
        group="Size on each engine",
    ),
    Option("data-size", help="Data on SSD", parse=f"{VALUES}:size", metavar="SIZE", group="Size on each engine"),
    Option(
        "mem-ratio",
        help="Percentage of the metadata that is kept in memory, with metadata on SSD",
        parse=f"{VALUES}:ratios",
        metavar="N",
    ),
    Option(
        "ranks",
        "r",
        help="On which ranks (default: all)",
        parse=f"{VALUES}:ranks",
        metavar="RANKS",
        default=(),
    ),
    Option("nsvc", "v", help="How many replicas of the pool service", parse=natural, metavar="N", default=0),
)

COMMANDS = (
    Command(
        "create",
        help="Make a pool",
        details="Say how big it should be in one of three ways: --size with bytes for the whole pool, --size with "
        "a percentage of all that is there, or sizes for each engine. Sizes may have units, such as 8GiB or 10TB.",
        run=f"{POOL_CREATE}:create",
        positionals=(Positional("pool label", help="What to call it", dest="label"),),
        options=(
            *POOL_SIZE,
            Option("user", "u", help="Owner (default: you)", parse=text, metavar="NAME", default=""),
            Option("group", "g", help="Owning group (default: yours)", parse=text, metavar="NAME", default=""),
            Option("acl-file", "a", help="File with the access control list", parse=text, metavar="FILE"),
            Option(
                "properties",
                "P",
                help="Properties; may be given several times",
                parse=f"{VALUES}:settings",
                complete=f"{COMPLETERS}:pool_settings",
                metavar="K:V[,K:V]",
                repeat=True,
            ),
            DRY_RUN,
        ),
    ),
    Command(
        "plan",
        help="Say what a new pool would be given on each rank, and how big it could be; nothing is made",
        details="Takes the sizes that create takes. Without any, only the largest pool is told.",
        run=f"{POOL_PLAN}:plan",
        options=POOL_SIZE,
    ),
    Command(
        "destroy",
        help="Remove a pool",
        run=f"{POOL_LIFECYCLE}:destroy",
        positionals=(POOL_ID,),
        options=(
            Option("recursive", "r", help="With the containers that are in it"),
            Option("force", "f", help="Though clients have it open, and without asking"),
            Option("yes", "y", help="Do not ask, even at a terminal"),
            DRY_RUN,
        ),
    ),
    Command(
        "evict",
        help="Close all handles on a pool",
        run=f"{POOL_LIFECYCLE}:evict",
        positionals=(POOL_ID,),
        options=(DRY_RUN,),
    ),
    Command("list", help="List pools", run=f"{POOL_LISTING}:list_pools", aliases=("ls",), options=LISTING),
    Command(
        "query",
        help="Show a pool's health and space",
        run=f"{POOL_QUERY}:query",
        positionals=(POOL_ID,),
        options=(
            Option("show-enabled", "e", help="Show the ranks that are in use, too"),
            Option("health-only", "t", help="Leave out the space"),
            Option("no-self-heal-check", help="Do not look up the self-heal policy"),
        ),
    ),
    Command(
        "query-targets",
        help="Show targets of a rank",
        run=f"{POOL_QUERY}:query_targets",
        positionals=(POOL_ID,),
        options=(
            Option("rank", help="The rank", parse=natural, metavar="RANK", required=True),
            Option(
                "target-idx",
                help="Targets of the rank, by number; ranges are possible, too (default: all)",
                parse=f"{VALUES}:ranks",
                metavar="LIST",
                default=(),
            ),
        ),
    ),
    Command(
        "extend",
        help="Add ranks to a pool",
        run=f"{POOL_RANKS_OF}:extend",
        positionals=(POOL_ID,),
        options=(
            POOL_RANKS,
            DRY_RUN,
        ),
    ),
    Command(
        "exclude",
        help="Take ranks out of a pool at once",
        run=f"{POOL_RANKS_OF}:exclude",
        positionals=(POOL_ID,),
        options=(
            POOL_RANKS,
            TARGETS,
            Option("force", "f", help="Even if data may be lost"),
            DRY_RUN,
        ),
    ),
    Command(
        "drain",
        help="Move a pool's data away from ranks",
        run=f"{POOL_RANKS_OF}:drain",
        positionals=(POOL_ID,),
        options=(
            POOL_RANKS,
            TARGETS,
            DRY_RUN,
        ),
    ),
    Command(
        "reintegrate",
        help="Take ranks back into a pool",
        run=f"{POOL_RANKS_OF}:reintegrate",
        positionals=(POOL_ID,),
        options=(
            POOL_RANKS,
            TARGETS,
            DRY_RUN,
        ),
        aliases=("reint",),
    ),
    Command(
        "get-acl",
        help="Show a pool's access control list",
        run=f"{POOL_ACL}:get_acl",
        positionals=(POOL_ID,),
        options=(
            Option("outfile", "O", help="Write it to a file", parse=text, metavar="FILE"),
            Option("force", "f", help="Overwrite the file"),
            Option("verbose", "v", help="Explain each entry"),
        ),
    ),
    Command(
        "overwrite-acl",
        help="Replace a pool's access control list",
        run=f"{POOL_ACL}:overwrite_acl",
        positionals=(POOL_ID,),
        options=(
            Option("acl-file", "a", help="File with the new list", parse=text, metavar="FILE", required=True),
            DRY_RUN,
        ),
    ),
    Command(
        "update-acl",
        help="Add or change entries of a pool's access control list",
        run=f"{POOL_ACL}:update_acl",
        positionals=(POOL_ID,),
        options=(
            Option("acl-file", "a", help="File with the entries", parse=text, metavar="FILE"),
            Option("entry", "e", help="One entry", parse=text, metavar="ACE"),
            DRY_RUN,
        ),
    ),
    Command(
        "delete-acl",
        help="Remove an entry of a pool's access control list",
        run=f"{POOL_ACL}:delete_acl",
        positionals=(POOL_ID,),
        options=(
            Option(
                "principal",
                "p",
                help="Whose entry: u:name@, g:name@, OWNER@ ...",
                parse=text,
                metavar="WHO",
                required=True,
            ),
            DRY_RUN,
        ),
    ),
    Command(
        "set-prop",
        help="Set properties of a pool",
        run=f"{POOL_PROPERTIES}:set_properties",
        positionals=(
            POOL_ID,
            Positional(
                "key:val[,key:val...]",
                parse=f"{VALUES}:settings",
                complete=f"{COMPLETERS}:pool_settings",
                dest="settings",
            ),
        ),
        options=(DRY_RUN,),
    ),
    Command(
        "get-prop",
        help="Show properties of a pool",
        run=f"{POOL_PROPERTIES}:get_properties",
        positionals=(
            POOL_ID,
            Positional(
                "key[,key...]",
                parse=f"{VALUES}:keys",
                complete=f"{COMPLETERS}:pool_keys",
                dest="keys",
                required=False,
            ),
        ),
    ),
    Command(
        "upgrade",
        help="Bring a pool's layout up to date",
        run=f"{POOL_LIFECYCLE}:upgrade",
        positionals=(POOL_ID,),
        options=(DRY_RUN,),
    ),
    Command(
        "rebuild",
        help="A pool's rebuild",
        commands=(
            Command(
                "start",
                help="Let a pool rebuild",
                run=f"{POOL_LIFECYCLE}:rebuild_start",
                positionals=(POOL_ID,),
                options=(DRY_RUN,),
            ),
            Command(
                "stop",
                help="Stop a pool's rebuild",
                run=f"{POOL_LIFECYCLE}:rebuild_stop",
                positionals=(POOL_ID,),
                options=(
                    Option("force", "f", help="Stop it even if data may stay without redundancy"),
                    DRY_RUN,
                ),
            ),
        ),
    ),
)
