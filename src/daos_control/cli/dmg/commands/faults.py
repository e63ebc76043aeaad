"""The commands of ``dmg faults``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import POOL_ID, VALUES
from daos_control.cli.flags import Command, Option, Positional, text

FAULTS = "daos_control.cli.dmg.faults"
INCONSISTENCY = "daos_control.cli.dmg.check.values:inconsistency"

POOL_FAULT = (
    Option(
        "svcl",
        "s",
        help="Ranks to name as replicas of the pool service",
        parse=f"{VALUES}:ranks",
        metavar="RANKS",
        default=(),
    ),
    Option("label", "l", help="Label to give the pool", parse=f"{FAULTS}:label", metavar="LABEL", default=""),
)
KIND = Positional("class", help="Class of inconsistency to make", parse=INCONSISTENCY, dest="kind")

COMMANDS = (
    Command(
        "add-checker-report",
        help="Add a finding to those of the checker: one from a file, or a sample of a class",
        run=f"{FAULTS}:add_checker_report",
        options=(
            Option("file", "f", help="JSON file with the finding", parse=text, metavar="FILE"),
            Option("class", "c", help="Class of a sample", parse=INCONSISTENCY, metavar="CLASS", dest="kind"),
        ),
    ),
    Command(
        "mgmt-svc",
        help="Break what the management service keeps",
        aliases=("ms",),
        commands=(
            Command(
                "pool",
                help="Break its record of a pool",
                run=f"{FAULTS}:management_service",
                options=POOL_FAULT,
                positionals=(POOL_ID, KIND),
            ),
        ),
    ),
    Command(
        "pool-svc",
        help="Break what a pool's own service keeps",
        aliases=("ps",),
        run=f"{FAULTS}:pool_service",
        options=POOL_FAULT,
        positionals=(POOL_ID, KIND),
    ),
)
