"""Whether a person looks at what is printed, and how it is shown to one; pipes get the same bytes as ever."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as in typing, see cli.flags
if TYPE_CHECKING:
    from typing import TextIO

_STEERING = (*range(9), *range(11, 32), *range(127, 160))
"""All control characters but tabulators and the ends of lines."""


def is_wanted(stream: TextIO) -> bool:
    """Whether somebody looks who likes colours: a terminal that has them, and no NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_seen(*streams: TextIO) -> bool:
    """Whether a person looks at all of these, with colours or without."""
    return all(stream.isatty() for stream in streams)


def error_word() -> str:
    """Return what an error begins with on standard error."""
    from daos_control.cli.ui.style import Style

    return Style.BAD.on("ERROR:") if is_wanted(sys.stderr) else "ERROR:"


def for_stream(stream: TextIO, text: str) -> str:
    """Return a text as whoever reads a stream wants it: at a terminal without blank lines at its end, and in colour."""
    if not is_seen(stream):
        return text
    from daos_control.cli.ui.paint import bare, paint

    seen = paint(harmless(text.rstrip()), width=width_of(stream))
    return seen if is_wanted(stream) else bare(seen)


def harmless(text: str) -> str:
    r"""Escape what would steer a terminal: some of what is printed was written by others.

    >>> print(harmless("place:\x1b[2Jhere"))
    place:\x1b[2Jhere
    """
    return text.translate({code: f"\\x{code:02x}" for code in _STEERING})


def width_of(stream: TextIO, *, otherwise: int = 80) -> int:
    """Return how many columns a terminal has, or ``otherwise`` where there is none; COLUMNS knows better."""
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(stream.fileno()).columns)
    except (OSError, ValueError):
        return otherwise
