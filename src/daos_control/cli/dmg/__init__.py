"""dmg, the administrator's command: parse, call ``daos_control.client``, print.

This module and ``commands`` are all that ``dmg -h`` and ``dmg version`` load; see ``cli.flags`` for why that matters.
"""

import sys
from collections.abc import Sequence

from daos_control.cli import flags
from daos_control.cli.dmg.commands import PROGRAM


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    try:
        parsed = flags.parse(PROGRAM, sys.argv[1:] if argv is None else argv)
        _refuse_misplaced_hosts(parsed)
    except flags.HelpWanted as wanted:
        if wanted.values.json:
            _print_failure(wanted)
        print(wanted)
        return 0
    except flags.UsageError as error:
        if error.values.json:
            _print_failure(error)
        print(f"ERROR: {PROGRAM.name}: {error}", file=sys.stderr)
        return 1
    return flags.execute(parsed)


def _refuse_misplaced_hosts(parsed: flags.Parsed) -> None:
    """Take ``-l`` in front of a command as its own, unless it has none."""
    own = {option.key for command in parsed.path[1:] for option in command.options}
    if "host_list" in parsed.values and not own & {"host_list", "host"}:
        raise flags.UsageError("unknown flag `l', host-list: this command does not go to hosts", parsed)


def _print_failure(error: Exception) -> None:
    from daos_control.cli.ui.envelope import envelope

    print(envelope(None, error))
