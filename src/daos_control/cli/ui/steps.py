"""The next commands that are suggested to a person, below what a command says."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from daos_control.cli.ui.style import Style
from daos_control.cli.ui.terminal import is_wanted


class Step(NamedTuple):
    """A command, and what it would do."""

    command: str
    does: str


def steps_text(steps: Sequence[Step]) -> str:
    """Lay steps out, a line each.

    >>> print(steps_text([Step("dmg system start", "starts them again")]), end="")
    <BLANKLINE>
    Next:
      dmg system start   starts them again
    """
    width = max(len(step.command) for step in steps)
    lines = [f"  {step.command.ljust(width)}   {step.does}" for step in steps]
    quiet = Style.QUIET.on if is_wanted(sys.stderr) else str
    return "\n" + "".join(quiet(line) + "\n" for line in ["Next:", *lines])
