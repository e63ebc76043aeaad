"""What is said of findings and policies on the command line of ``dmg check``."""

from typing import Final

from daos_control.cli.dmg import values
from daos_control.model.checker import Action, Inconsistency, Policies

_MAX_NUMBER: Final = (1 << 64) - 1


def policies(text: str) -> Policies:
    """Read ``CLASS:ACTION,CLASS:ACTION``."""
    return {inconsistency(kind): _action(action) for kind, action in values.settings(text).items()}


def kinds(text: str) -> tuple[Inconsistency, ...]:
    """Read ``CLASS,CLASS``, in the order in which DAOS's own dmg asks for them."""
    return tuple(inconsistency(key) for key in sorted(values.keys(text)))


def inconsistency(text: str) -> Inconsistency:
    """Read a class of inconsistency."""
    try:
        return Inconsistency[text.upper().removeprefix("CIC_")]
    except KeyError:
        known = ", ".join(kind.name for kind in Inconsistency)
        raise ValueError(f"{text!r} is not a class of inconsistency (there are: {known})") from None


def _action(text: str) -> Action:
    try:
        return Action[text.upper().removeprefix("CIA_")]
    except KeyError:
        known = ", ".join(action.name for action in Action if action is not Action.STALE)
        raise ValueError(f"{text!r} is not an action (there are: {known})") from None


def number(text: str) -> int:
    """Read the number of a finding, in decimal or as ``0x...``."""
    try:
        found = int(text, 16) if text.startswith("0x") else int(text)
    except ValueError:
        found = -1
    if not 0 <= found <= _MAX_NUMBER or "_" in text:
        raise ValueError(f"{text!r} is not the number of a finding")
    return found
