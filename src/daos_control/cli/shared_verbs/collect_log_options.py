"""The options of ``support collect-log``, which dmg, daos_server and daos_agent have in common."""

from daos_control.cli.flags import Option, text

OPTIONS = (
    Option("stop-on-error", "s", help="Stop at the first thing that cannot be collected"),
    Option(
        "target-folder",
        "t",
        help="Collect into this folder (default: a new one in the folder for temporary files)",
        parse=text,
        metavar="DIR",
        default="",
    ),
    Option("archive", "z", help="Pack what was collected into <folder>.tar.gz"),
    Option("extra-logs-dir", "c", help="Collect what is in this folder, too", parse=text, metavar="DIR", default=""),
    Option(
        "start-date", "D", help="Of logs, only lines from this day on", parse=text, metavar="YYYY-MM-DD", default=""
    ),
    Option("end-date", "F", help="... and up to this day", parse=text, metavar="YYYY-MM-DD", default=""),
    Option(
        "log-start-time", "S", help="... from this time of the first day on", parse=text, metavar="HH:MM:SS", default=""
    ),
    Option(
        "log-end-time", "E", help="... and up to this time of the last day", parse=text, metavar="HH:MM:SS", default=""
    ),
    Option(
        "transfer-args",
        "T",
        help="Have every host run its file_transfer_exec, with these arguments behind the folder",
        parse=text,
        metavar="ARGS",
        default="",
    ),
)

LOG_TYPE = Option(
    "log-type",
    "e",
    help="Only logs, and only of these: admin, control, server, separated by commas",
    parse="daos_control.cli.shared_verbs.collect_log_options:log_types",
    metavar="TYPES",
    default=(),
)


def log_types(value: str) -> tuple[str, ...]:
    """Read which logs of a server are wanted."""
    from daos_control.host.support.steps import LOG_TYPES

    found = tuple(word.strip() for word in value.split(",") if word.strip())
    for word in found:
        if word not in LOG_TYPES:
            raise ValueError(f"{word!r} is no type of log (there are: {', '.join(LOG_TYPES)})")
    return found
