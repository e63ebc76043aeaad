"""The commands of ``dmg system``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import HOSTS, IGNORE_EXCLUDED, LISTING, RANKS, SELECTION, VERBOSE
from daos_control.cli.flags import Command, Option, Positional, natural, text, words

VALUES = "daos_control.cli.dmg.values"
COMPLETERS = "daos_control.cli.dmg.completers"
SYSTEM_MEMBERS = "daos_control.cli.dmg.system.members"
SYSTEM_RANKS = "daos_control.cli.dmg.system.ranks"
SYSTEM_POOLS = "daos_control.cli.dmg.system.pools"
SYSTEM_SETTINGS = "daos_control.cli.dmg.system.settings"
ENGINES = "daos_control.cli.dmg.engines"
POOL_LISTING = "daos_control.cli.dmg.pool.listing"
EVENTS = "daos_control.cli.dmg.events"

COMMANDS = (
    Command(
        "query",
        help="Show the members of the system and their states",
        run=f"{SYSTEM_MEMBERS}:query",
        options=(
            *SELECTION,
            VERBOSE,
            Option("not-ok", help="Only members that have not joined"),
            Option(
                "explain",
                help="Tell how this rank came to its state, and what brings it back",
                parse=natural,
                metavar="RANK",
            ),
            Option(
                "with-states",
                help="Only members in one of these states",
                parse=f"{VALUES}:states",
                complete=f"{COMPLETERS}:states",
                metavar="STATES",
                default=(),
            ),
        ),
    ),
    Command(
        "engines",
        help="Show how engines stand, how they ended, and whether they come back by themselves",
        run=f"{ENGINES}:engines",
        options=(*SELECTION, HOSTS, VERBOSE),
    ),
    Command(
        "events",
        help="Show what happened in the system and what came of it",
        run=f"{EVENTS}:events",
        options=(
            Option(
                "since",
                help="Only what was heard since then: 10m, 2h, 3d, 14:30, 2026-01-31 or 2026-01-31T14:30",
                parse=f"{VALUES}:since",
                metavar="TIME",
            ),
            RANKS,
            Option(
                "rank",
                help="A rank",
                parse=f"{VALUES}:ranks",
                metavar="RANK",
                default=(),
                dest="ranks",
                hidden=True,
            ),
            Option("pool", "p", help="Only events of this pool (label or UUID)", parse=text, metavar="POOL"),
            Option(
                "severity",
                "s",
                help="Only events that are at least so bad",
                parse=f"{VALUES}:severity",
                metavar="error|warning|notice",
                complete=f"{COMPLETERS}:severities",
            ),
            Option(
                "event",
                "e",
                help="Only events with these names, such as swim_rank_dead",
                parse=words,
                complete=f"{COMPLETERS}:events",
                metavar="NAMES",
                default=(),
            ),
            Option("moves", "m", help="Show how members changed their states, too"),
            Option(
                "limit",
                "n",
                help="At most so many, the newest ones (default: 50 unless --since is given; 0: all)",
                parse=natural,
                metavar="NUMBER",
            ),
            Option("follow", "f", help="Go on as events come in, until interrupted"),
        ),
    ),
    Command(
        "leader-query",
        help="Show the leader and the replicas of the management service",
        run=f"{SYSTEM_MEMBERS}:leader_query",
        options=(Option("down-replicas", "N", help="Show only replicas that do not answer"),),
    ),
    Command(
        "list-pools",
        help="List the pools of the system",
        run=f"{POOL_LISTING}:list_pools",
        options=LISTING,
    ),
    Command(
        "stop",
        help="Stop engines",
        run=f"{SYSTEM_RANKS}:stop",
        options=(
            *SELECTION,
            IGNORE_EXCLUDED,
            Option("force", help="Stop them at once (as is done anyway, unless --full is given)"),
            Option("full", help="Let engines end what they are doing", hidden=True),
        ),
    ),
    Command(
        "start",
        help="Start engines that are stopped",
        run=f"{SYSTEM_RANKS}:start",
        options=(*SELECTION, IGNORE_EXCLUDED),
    ),
    Command("exclude", help="Keep ranks out of the system", run=f"{SYSTEM_RANKS}:exclude", options=SELECTION),
    Command(
        "clear-exclude",
        help="Let excluded ranks join again",
        run=f"{SYSTEM_RANKS}:clear_exclude",
        options=SELECTION,
    ),
    Command("drain", help="Move the data of all pools away from ranks", run=f"{SYSTEM_POOLS}:drain", options=SELECTION),
    Command(
        "reintegrate",
        help="Take ranks back into all pools",
        run=f"{SYSTEM_POOLS}:reintegrate",
        options=SELECTION,
        aliases=("reint",),
    ),
    Command("erase", help="Wipe the system's records; all ranks must be stopped", run=f"{SYSTEM_RANKS}:erase"),
    Command(
        "cleanup",
        help="Close all pool handles that a machine holds",
        run=f"{SYSTEM_POOLS}:cleanup",
        options=(VERBOSE,),
        positionals=(Positional("machine", help="Short host name of the client"),),
    ),
    Command(
        "set-attr",
        help="Store attributes of the system",
        run=f"{SYSTEM_SETTINGS}:set_attributes",
        positionals=(Positional("key:val[,key:val...]", parse=f"{VALUES}:settings", dest="settings"),),
    ),
    Command(
        "get-attr",
        help="Show attributes of the system",
        run=f"{SYSTEM_SETTINGS}:get_attributes",
        positionals=(Positional("key[,key...]", parse=f"{VALUES}:keys", dest="keys", required=False),),
    ),
    Command(
        "del-attr",
        help="Delete attributes of the system",
        run=f"{SYSTEM_SETTINGS}:delete_attributes",
        positionals=(Positional("key[,key...]", parse=f"{VALUES}:keys", dest="keys"),),
    ),
    Command(
        "set-prop",
        help="Set properties of the system",
        run=f"{SYSTEM_SETTINGS}:set_properties",
        positionals=(
            Positional(
                "key:val[,key:val...]",
                parse=f"{VALUES}:settings",
                complete=f"{COMPLETERS}:system_settings",
                dest="settings",
            ),
        ),
    ),
    Command(
        "get-prop",
        help="Show properties of the system",
        run=f"{SYSTEM_SETTINGS}:get_properties",
        positionals=(
            Positional(
                "key[,key...]",
                parse=f"{VALUES}:keys",
                complete=f"{COMPLETERS}:system_keys",
                dest="keys",
                required=False,
            ),
        ),
    ),
    Command(
        "rebuild",
        help="Rebuilds of all pools",
        commands=(
            Command("start", help="Let every pool rebuild", run=f"{SYSTEM_POOLS}:rebuild_start", options=(VERBOSE,)),
            Command(
                "stop",
                help="Stop every pool's rebuild",
                run=f"{SYSTEM_POOLS}:rebuild_stop",
                options=(VERBOSE, Option("force", "f", help="Stop it even if data may stay without redundancy")),
            ),
        ),
    ),
    Command(
        "self-heal",
        help="Self-healing",
        commands=(
            Command("eval", help="Look again whether something should be healed", run=f"{SYSTEM_POOLS}:self_heal_eval"),
        ),
    ),
)
