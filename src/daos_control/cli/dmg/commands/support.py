"""The commands of ``dmg support``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import HOSTS
from daos_control.cli.flags import Command
from daos_control.cli.shared_verbs.collect_log_options import LOG_TYPE
from daos_control.cli.shared_verbs.collect_log_options import OPTIONS as COLLECTING

COMMANDS = (
    Command(
        "collect-log",
        help="Collect logs, configurations and the state of hosts; secrets are masked",
        run="daos_control.cli.dmg.support:collect_log",
        options=(HOSTS, *COLLECTING, LOG_TYPE),
        details=(
            "Every server keeps what it has collected in the folder of that name on its own host; what dmg can tell of "
            "the system goes to the folder on this machine."
        ),
    ),
)
