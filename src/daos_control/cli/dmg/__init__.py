"""dmg, the administrator's command: parse, call ``daos_control.client``, print.

This module and ``commands`` are all that ``dmg -h`` and ``dmg version`` load; see ``cli.flags`` for why that matters.
"""

from __future__ import annotations

import os
import sys

from daos_control.cli import flags, program
from daos_control.cli.dmg.commands import PROGRAM

TYPE_CHECKING = False  # as in typing, see cli.flags
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main() -> NoReturn:
    """Be the program: run the process's command line and end the process.

    Taking the interpreter down in good order costs a fifth of a short command's time and does nothing for anybody:
    files are written, connections closed. So only the streams are flushed.
    """
    code = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # whoever read us is gone: dmg ... | head
            code = code or 1
    os._exit(code)


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    return program.main(PROGRAM, argv, check=_refuse_misplaced_hosts, documents=True)


def _refuse_misplaced_hosts(parsed: flags.Parsed) -> None:
    """Take ``-l`` in front of a command as its own, unless it has none."""
    own = {option.key for command in parsed.path[1:] for option in command.options}
    if "host_list" in parsed.values and "host_list" not in own:
        raise flags.UsageError("unknown flag `l', host-list: this command does not go to hosts", parsed)
