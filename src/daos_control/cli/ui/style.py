"""Colour, for people at a terminal: put on what is printed when it has been laid out, and never on what is piped.

The text is that of DAOS 2.8, byte for byte, which scripts take apart. ``paint`` finds its way in it by its form: titles
with dashes under them, frames, and the few sentences that matter at a glance. So commands know nothing of colours, and
a new command has the same look. What a word is worth is said here once, in ``WORTH``.

>>> paint("Rank State    \\n---- -----    \\n3    Excluded \\n").splitlines()[2]
'3    \\x1b[31mExcluded\\x1b[0m '
"""

import os
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, TextIO

END: Final = "\x1b[0m"


class Style(Enum):
    """How something looks; the value is what turns the terminal to it."""

    TITLE = "\x1b[1m"
    QUIET = "\x1b[2m"
    GOOD = "\x1b[32m"
    CARE = "\x1b[33m"
    BAD = "\x1b[31m"

    def on(self, text: str) -> str:
        """Put the style on a text."""
        return f"{self.value}{text}{END}" if text else text


WORTH: Final = {
    Style.GOOD: ("Joined", "Ready", "OK", "NORMAL", "normal", "CTL_SUCCESS", "COMPLETED", "CPS_CHECKED", "Success"),
    Style.CARE: (
        *("AwaitFormat", "Starting", "Stopping", "Stopped", "AdminExcluded", "CheckerStarted"),
        *("Creating", "Destroying", "TargetsExcluded", "busy", "degraded", "NEW", "UNPLUGGED", "PAUSED", "STOPPED"),
    ),
    Style.BAD: (
        *("Excluded", "Errored", "Unresponsive", "Unknown Rank", "Unknown"),
        *("FAIL", "EVICTED", "WARNING", "FAILED", "failed", "error"),
    ),
}
_STYLE_OF: Final = {word: style for style, words in WORTH.items() for word in words}
STATES: Final = frozenset({"State", "Result", "Format Result", "Health", "Rebuild State"})
"""Titles of columns whose words have a worth."""
FULL: Final = {80: Style.CARE, 95: Style.BAD}
"""From how many percent on a pool's use is worth a look."""
PHRASES: Final = (
    re.compile(r"(?<=state=)(?P<word>\w+)"),
    re.compile(r"(?<=- Data redundancy: )(?P<word>\w+)"),
    re.compile(r"(?<=- Rebuild )(?P<word>\w+)"),
    re.compile(r"(?<=State:)(?P<word>\w+)"),
    re.compile(r"^ *- (?P<care>(?:Disabled|Dead) ranks: .*)$"),
    re.compile(r"^(?P<care>Unresponsive Replicas: .+|\w+ disabled on pool due to .*|System property self_heal .*)$"),
    re.compile(r": (?P<word>WARNING)$"),
)
_DASHES: Final = re.compile(r" *(?:-+|=+)(?: +-+)* *")


def is_wanted(stream: TextIO) -> bool:
    """Whether somebody looks who likes colours: a terminal that has them, and no NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str) -> str:
    """Put colours on a text that a command prints."""
    return "".join(_painted(text.splitlines(keepends=True)))


def _painted(lines: Sequence[str]) -> Iterator[str]:
    columns: list[tuple[str, int]] = []
    for number, line in enumerate(lines):
        body = line.rstrip("\n")
        before, after = _neighbour(lines, number - 1), _neighbour(lines, number + 1)
        if _is_rule(body):
            columns = [] if _is_rule(before) else _columns(before, body)
            yield Style.QUIET.on(body) + "\n"
        elif body.strip() and _is_rule(after):
            columns = []
            yield Style.TITLE.on(body) + "\n"
        elif not body.strip():
            columns = []
            yield line
        else:
            painted = _cells(body, columns) if len(columns) > 1 else _phrases(body)
            yield painted + "\n" if line.endswith("\n") else painted


def _neighbour(lines: Sequence[str], number: int) -> str:
    return lines[number].rstrip("\n") if 0 <= number < len(lines) else ""


def _is_rule(line: str) -> bool:
    return bool(line.strip()) and _DASHES.fullmatch(line) is not None


def _columns(titles: str, dashes: str) -> list[tuple[str, int]]:
    """Return the titles of a table's columns, and where they begin."""
    starts = [match.start() for match in re.finditer(r"-+", dashes)]
    return [(titles[start:end].strip(), start) for start, end in zip(starts, [*starts[1:], None], strict=True)]


def _cells(line: str, columns: Sequence[tuple[str, int]]) -> str:
    """Paint a row's cells; a column begins where its title does."""
    ends = [start for _, start in columns[1:]]
    parts = [line[: columns[0][1]]]
    for (title, start), end in zip(columns, [*ends, len(line)], strict=True):
        cell = line[start:end]
        word = cell.rstrip()
        style = _style_of(title, word)
        parts.append(style.on(word) + cell[len(word) :] if style else cell)
    return "".join(parts)


def _style_of(title: str, word: str) -> Style | None:
    if title in STATES:
        return _STYLE_OF.get(word) or (Style.BAD if title == "Result" else None)
    if title == "Used" and word.removesuffix("%").isdigit():
        return next((style for share, style in sorted(FULL.items(), reverse=True) if int(word[:-1]) >= share), None)
    if title == "Disabled" and not word.startswith("0/"):
        return Style.CARE
    return None


def _phrases(line: str) -> str:
    for phrase in PHRASES:
        found = phrase.search(line)
        if found:
            [(kind, said)] = [(kind, said) for kind, said in found.groupdict().items() if said]
            style = Style.CARE if kind == "care" else _STYLE_OF.get(said)
            if style:
                return line[: found.start(kind)] + style.on(said) + line[found.end(kind) :]
    return line
