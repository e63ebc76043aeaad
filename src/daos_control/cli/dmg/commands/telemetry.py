"""The commands of ``dmg telemetry``: names, options and the functions that run them."""

from daos_control.cli.dmg.commands.options import VALUES
from daos_control.cli.flags import Command, Option, natural16, text, words

RUN = "daos_control.cli.dmg.telemetry"

_HOST = Option("host", "l", help="The one to ask", parse=f"{VALUES}:host", metavar="HOST", required=True)
_PORT = Option("port", "p", help="Where its server publishes metrics", parse=natural16, metavar="PORT", default=9191)

COMMANDS = (
    Command(
        "config",
        help="Have Prometheus gather the metrics of all configured hosts",
        run=f"{RUN}:configure",
        options=(
            Option(
                "install-dir",
                "i",
                help="Where Prometheus is installed, unless it is in PATH",
                parse=text,
                metavar="DIR",
                required=True,
            ),
            Option(
                "system",
                "s",
                help="What gathers metrics",
                parse=text,
                metavar="NAME",
                default="prometheus",
            ),
            Option("port", "p", help="Where servers publish metrics", parse=natural16, metavar="PORT", default=9191),
        ),
        details=(
            "Writes the job daos into ~/.prometheus.yml, and leaves all else that is in it; a copy of what it was "
            "stays beside. A Prometheus that has to be downloaded is checked against the sums of its release."
        ),
    ),
    Command(
        "metrics",
        help="What a server publishes",
        commands=(
            Command(
                "list", help="List a host's metrics, without values", run=f"{RUN}:list_metrics", options=(_HOST, _PORT)
            ),
            Command(
                "query",
                help="Show a host's metrics with their values",
                run=f"{RUN}:query_metrics",
                options=(
                    _HOST,
                    _PORT,
                    Option(
                        "metrics", "m", help="Only these, separated by commas", parse=words, metavar="NAMES", default=()
                    ),
                ),
            ),
        ),
    ),
)
