"""dmg's command tree as data: names, options and the functions that run them. Nothing is imported to know it."""

from daos_control.cli.flags import Command, Option, Positional, integer, natural, text, words

VALUES = "daos_control.cli.dmg.values"
SYSTEM_MEMBERS = "daos_control.cli.dmg.system.members"
SYSTEM_RANKS = "daos_control.cli.dmg.system.ranks"
SYSTEM_POOLS = "daos_control.cli.dmg.system.pools"
SYSTEM_SETTINGS = "daos_control.cli.dmg.system.settings"
ENGINES = "daos_control.cli.dmg.engines"
POOL_CREATE = "daos_control.cli.dmg.pool.create"
POOL_LIFECYCLE = "daos_control.cli.dmg.pool.lifecycle"
POOL_LISTING = "daos_control.cli.dmg.pool.listing"
POOL_PLAN = "daos_control.cli.dmg.pool.plan"
POOL_QUERY = "daos_control.cli.dmg.pool.query"
POOL_RANKS_OF = "daos_control.cli.dmg.pool.ranks"
POOL_PROPERTIES = "daos_control.cli.dmg.pool.properties"
POOL_ACL = "daos_control.cli.dmg.pool.acl"
POOL_CONTAINERS = "daos_control.cli.dmg.pool.containers"
EVENTS = "daos_control.cli.dmg.events"
STORAGE = "daos_control.cli.dmg.storage"
NETWORK = "daos_control.cli.dmg.network"
CHECK = "daos_control.cli.dmg.check"

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
ONE_HOST = Option(
    "host-list", "l", help="Host to go to", parse=f"{VALUES}:host", metavar="HOST", dest="host", required=True
)
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
POOL_RANKS = Option("ranks", help="Ranks, such as 0-3,7", parse=f"{VALUES}:ranks", metavar="RANKS", required=True)
TARGETS = Option(
    "target-idx",
    help="Targets of each rank, by number, separated by commas (default: all)",
    parse=f"{VALUES}:targets",
    metavar="LIST",
    default=(),
)

DRY_RUN = Option("dry-run", help="Say what would be sent and what would come of it, and change nothing")

GLOBAL = (
    Option(
        "config-path",
        "o",
        help="Configuration file (default: ~/.daos_control.yml or /etc/daos/daos_control.yml)",
        parse=text,
        metavar="FILE",
    ),
    Option("insecure", "i", help="Talk to servers without certificates"),
    Option("json", "j", help="Print one JSON document, and nothing else, on standard output"),
    Option("debug", "d", help="Tell every step on standard error"),
    Option("json-logging", "J", help="Write log lines as JSON"),
    Option("log-file", help="Append all log lines to a file, too", parse=text, metavar="FILE"),
    Option("allow-proxy", help="Heed the environment's proxy settings"),
    Option("host-list", "l", parse=f"{VALUES}:hosts", metavar="HOSTS", hidden=True),
)
LISTING = (
    VERBOSE,
    Option("no-query", "n", help="Do not ask each pool for details"),
    Option("rebuild-only", "r", help="Only pools whose rebuild is not idle"),
)

SYSTEM_COMMANDS = Command(
    "system",
    help="The system: members, leader, starting and stopping",
    aliases=("sys",),
    commands=(
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
                ),
                Option(
                    "event",
                    "e",
                    help="Only events with these names, such as swim_rank_dead",
                    parse=words,
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
        Command(
            "drain", help="Move the data of all pools away from ranks", run=f"{SYSTEM_POOLS}:drain", options=SELECTION
        ),
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
            positionals=(Positional("key:val[,key:val...]", parse=f"{VALUES}:settings", dest="settings"),),
        ),
        Command(
            "get-prop",
            help="Show properties of the system",
            run=f"{SYSTEM_SETTINGS}:get_properties",
            positionals=(Positional("key[,key...]", parse=f"{VALUES}:keys", dest="keys", required=False),),
        ),
        Command(
            "rebuild",
            help="Rebuilds of all pools",
            commands=(
                Command(
                    "start", help="Let every pool rebuild", run=f"{SYSTEM_POOLS}:rebuild_start", options=(VERBOSE,)
                ),
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
                Command(
                    "eval", help="Look again whether something should be healed", run=f"{SYSTEM_POOLS}:self_heal_eval"
                ),
            ),
        ),
    ),
)

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

POOL_COMMANDS = Command(
    "pool",
    help="Pools: making, listing, querying, removing",
    commands=(
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
                TARGETS,
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
            positionals=(POOL_ID, Positional("key:val[,key:val...]", parse=f"{VALUES}:settings", dest="settings")),
            options=(DRY_RUN,),
        ),
        Command(
            "get-prop",
            help="Show properties of a pool",
            run=f"{POOL_PROPERTIES}:get_properties",
            positionals=(POOL_ID, Positional("key[,key...]", parse=f"{VALUES}:keys", dest="keys", required=False)),
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
    ),
)

CONTAINER_COMMANDS = Command(
    "container",
    help="Containers",
    aliases=("cont",),
    commands=(
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
    ),
)

DEVICE_UUID = Option("uuid", "u", help="UUID of the device", parse=text, metavar="UUID", required=True)
PCI_ADDRESS = Option("pci-address", "a", help="PCI address of the SSD", parse=text, metavar="ADDR", required=True)
LED_IDS = Positional("ids", help="Devices by UUID or PCI address, separated by commas (default: all)", required=False)

STORAGE_COMMANDS = Command(
    "storage",
    help="Storage of hosts: scanning, formatting, devices",
    aliases=("sto",),
    commands=(
        Command(
            "scan",
            help="Show what storage hosts have",
            run=f"{STORAGE}:scan",
            options=(HOSTS, VERBOSE, Option("nvme-health", "n", help="Show the health of SSDs")),
        ),
        Command(
            "format",
            help="Format storage that needs it",
            run=f"{STORAGE}:format_storage",
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
                    run=f"{STORAGE}:usage",
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
                    run=f"{STORAGE}:list_devices",
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
                    run=f"{STORAGE}:list_pools",
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
                    run=f"{STORAGE}:set_faulty",
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
                    run=f"{STORAGE}:replace_device",
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
                    "check", help="Show LEDs", run=f"{STORAGE}:led_check", positionals=(LED_IDS,), options=(HOSTS,)
                ),
                Command(
                    "identify",
                    help="Let LEDs blink",
                    run=f"{STORAGE}:led_identify",
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
            run=f"{STORAGE}:nvme_rebind",
            options=(ONE_HOST, PCI_ADDRESS),
        ),
        Command(
            "nvme-add-device",
            help="Add an SSD to an engine",
            run=f"{STORAGE}:nvme_add_device",
            options=(
                ONE_HOST,
                PCI_ADDRESS,
                Option(
                    "engine-index", "e", help="Engine on its host, from 0", parse=natural, metavar="N", required=True
                ),
                Option(
                    "tier-index",
                    "t",
                    help="Storage tier; -1 is the first one of SSDs",
                    parse=integer,
                    metavar="N",
                    default=-1,
                ),
            ),
        ),
    ),
)

NETWORK_COMMANDS = Command(
    "network",
    help="Network of hosts",
    aliases=("net",),
    commands=(
        Command(
            "scan",
            help="Show fabric interfaces of hosts",
            run=f"{NETWORK}:scan",
            options=(
                HOSTS,
                Option(
                    "provider", "p", help="Only for this provider, or all", parse=text, metavar="PROVIDER", default=""
                ),
            ),
        ),
    ),
)

SERVER_COMMANDS = Command(
    "server",
    help="Servers and their engines",
    aliases=("srv",),
    commands=(
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
    ),
)

CHECKED_POOLS = Positional(
    "pool label or UUID", help="Only these pools (default: all)", required=False, repeat=True, dest="pools"
)
CHECK_COMMANDS = Command(
    "check",
    help="The checker: find and repair inconsistencies of a system that is stopped",
    commands=(
        Command(
            "enable",
            help="Start the engines of a stopped system for the checker only",
            run=f"{CHECK}:enable",
        ),
        Command("disable", help="Stop those engines and leave checker mode", run=f"{CHECK}:disable"),
        Command(
            "start",
            help="Begin a check",
            run=f"{CHECK}:start",
            options=(
                Option("dry-run", "n", help="Look, and change nothing"),
                Option("reset", "r", help="Forget how far earlier checks came"),
                Option(
                    "failout",
                    "f",
                    help="Whether to end with the first repair that fails (default: as the last time)",
                    parse=text,
                    choices=("on", "off"),
                ),
                Option(
                    "auto",
                    "a",
                    help="Whether to ask nobody, and leave alone what would have to be asked (default: as the last "
                    "time)",
                    parse=text,
                    choices=("on", "off"),
                ),
                Option("find-orphans", "O", help="Look for pools that only engines know, too"),
                Option(
                    "policies",
                    "p",
                    help="What is to become of findings by class, in this check: CLASS:ACTION[,CLASS:ACTION...]",
                    parse=f"{CHECK}:policies",
                    metavar="POLICIES",
                ),
            ),
            positionals=(CHECKED_POOLS,),
        ),
        Command("stop", help="End a check", run=f"{CHECK}:stop", positionals=(CHECKED_POOLS,)),
        Command(
            "query",
            help="Show how the check stands and what has been found",
            run=f"{CHECK}:query",
            options=(VERBOSE,),
            positionals=(CHECKED_POOLS,),
        ),
        Command(
            "set-policy",
            help="Say what is to become of findings",
            run=f"{CHECK}:set_policy",
            options=(
                Option("reset-defaults", "d", help="Let every class have its default action"),
                Option("all-interactive", "a", help="Have an administrator decide about everything"),
            ),
            positionals=(
                Positional(
                    "CLASS:ACTION,...",
                    help="What becomes of findings of each class",
                    required=False,
                    parse=f"{CHECK}:policies",
                    dest="policies",
                ),
            ),
        ),
        Command(
            "get-policy",
            help="Show what becomes of findings",
            run=f"{CHECK}:get_policy",
            options=(Option("last", "L", help="As it was for the last check"),),
            positionals=(
                Positional(
                    "CLASS,...",
                    help="Only these classes (default: all)",
                    required=False,
                    parse=f"{CHECK}:kinds",
                    dest="kinds",
                ),
            ),
        ),
        Command(
            "repair",
            help="Decide about a finding",
            run=f"{CHECK}:repair",
            positionals=(
                Positional("finding", help="Its ID, as check query shows it", parse=f"{CHECK}:number", dest="number"),
                Positional("choice", help="The number of one of its repair options", parse=integer),
            ),
        ),
    ),
)

PROGRAM = Command(
    "dmg",
    help="Administer a DAOS system.",
    options=GLOBAL,
    commands=(
        SYSTEM_COMMANDS,
        POOL_COMMANDS,
        CONTAINER_COMMANDS,
        STORAGE_COMMANDS,
        NETWORK_COMMANDS,
        SERVER_COMMANDS,
        CHECK_COMMANDS,
        Command("version", help="Show the version", run="daos_control.cli.dmg.version:version"),
    ),
)
