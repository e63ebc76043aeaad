"""The commands of ``dmg check``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import COMPLETERS, VERBOSE
from daos_control.cli.flags import Command, Option, Positional, integer, text

VALUES = "daos_control.cli.dmg.check.values"
VERBS = "daos_control.cli.dmg.check.verbs"

CHECKED_POOLS = Positional(
    "pool label or UUID", help="Only these pools (default: all)", required=False, repeat=True, dest="pools"
)
COMMANDS = (
    Command(
        "enable",
        help="Start the engines of a stopped system for the checker only",
        run=f"{VERBS}:enable",
    ),
    Command("disable", help="Stop those engines and leave checker mode", run=f"{VERBS}:disable"),
    Command(
        "start",
        help="Begin a check",
        run=f"{VERBS}:start",
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
                help="Whether to ask nobody, and leave alone what would have to be asked (default: as the last time)",
                parse=text,
                choices=("on", "off"),
            ),
            Option("find-orphans", "O", help="Look for pools that only engines know, too"),
            Option(
                "policies",
                "p",
                help="What is to become of findings by class, in this check: CLASS:ACTION[,CLASS:ACTION...]",
                parse=f"{VALUES}:policies",
                complete=f"{COMPLETERS}:policies",
                metavar="POLICIES",
            ),
        ),
        positionals=(CHECKED_POOLS,),
    ),
    Command("stop", help="End a check", run=f"{VERBS}:stop", positionals=(CHECKED_POOLS,)),
    Command(
        "query",
        help="Show how the check stands and what has been found",
        run=f"{VERBS}:query",
        options=(VERBOSE,),
        positionals=(CHECKED_POOLS,),
    ),
    Command(
        "set-policy",
        help="Say what is to become of findings",
        run=f"{VERBS}:set_policy",
        options=(
            Option("reset-defaults", "d", help="Let every class have its default action"),
            Option("all-interactive", "a", help="Have an administrator decide about everything"),
        ),
        positionals=(
            Positional(
                "CLASS:ACTION,...",
                help="What becomes of findings of each class",
                required=False,
                parse=f"{VALUES}:policies",
                complete=f"{COMPLETERS}:policies",
                dest="policies",
            ),
        ),
    ),
    Command(
        "get-policy",
        help="Show what becomes of findings",
        run=f"{VERBS}:get_policy",
        options=(Option("last", "L", help="As it was for the last check"),),
        positionals=(
            Positional(
                "CLASS,...",
                help="Only these classes (default: all)",
                required=False,
                parse=f"{VALUES}:kinds",
                complete=f"{COMPLETERS}:inconsistencies",
                dest="kinds",
            ),
        ),
    ),
    Command(
        "repair",
        help="Decide about a finding",
        run=f"{VERBS}:repair",
        positionals=(
            Positional("finding", help="Its ID, as check query shows it", parse=f"{VALUES}:number", dest="number"),
            Positional("choice", help="The number of one of its repair options", parse=integer),
        ),
    ),
)
