r"""Colour, for people at a terminal: put on what is printed when it has been laid out, and never on what is piped.

The text is that of DAOS 2.8, byte for byte, which scripts take apart. ``paint`` finds its way in it by its form: titles
with dashes under them, frames, and the few sentences that matter at a glance. So commands know nothing of colours, and
a new command has the same look. What a word is worth is said here once, in ``WORTH``.

>>> paint("Rank State    \n---- -----    \n3    Excluded \n").splitlines()[2]
'3    \x1b[31mExcluded\x1b[0m'
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile, zip_longest
from typing import Final

from daos_control.cli.ui.style import Style

WORTH: Final = {
    Style.GOOD: "Joined Ready ready OK NORMAL normal up_in CTL_SUCCESS COMPLETED CPS_CHECKED Success",
    Style.CARE: "AwaitFormat Starting Stopping Stopped stopped AdminExcluded CheckerStarted Creating Destroying "
    "TargetsExcluded Degraded busy degraded NEW UNPLUGGED PAUSED STOPPED WARNING",
    Style.BAD: "Excluded Errored Unresponsive Unknown FAIL EVICTED FAILED failed ERROR down_out down",
}
"""Words that tell good from bad, wherever a column or a sentence is about such words."""
_WORTH_OF: Final = {word: style for style, words in WORTH.items() for word in words.split()}
STATES: Final = frozenset({"State", "Result", "Format Result", "Health", "Rebuild State", "Severity"})
"""Titles of columns whose words have a worth."""
NARROWEST: Final = 20
"""Columns in which text can be folded and still be read."""
LEGIBLE: Final = 32
"""Columns in which sentences are read with ease; where the last one of a table has less, they go below their rows."""
FULL: Final = {80: Style.CARE, 95: Style.BAD}
"""From how many percent on a pool's use is worth a look."""
PHRASES: Final = (
    re.compile(r"(?<=state=)(?P<word>\w+)"),
    re.compile(r"^  (?:State|Redundancy|Rebuild) *: (?P<word>\w+)"),
    re.compile(r"^  (?:Disabled ranks|Dead ranks|Self-healing) *: (?P<care>.*)$"),
    re.compile(r"(?<=- Data redundancy: )(?P<word>\w+)"),
    re.compile(r"(?<=- Rebuild )(?P<word>\w+)"),
    re.compile(r"(?<=State:)(?P<word>\w+)"),
    re.compile(r"^ *- (?P<care>(?:Disabled|Dead) ranks: .*)$"),
    re.compile(r"^(?P<care>Unresponsive Replicas: .+|\w+ disabled on pool due to .*|System property self_heal .*)$"),
    re.compile(r": (?P<word>WARNING)$"),
    re.compile(r"^(?P<bad>Errors:)$"),
)
_FOLDER: Final = partial(textwrap.TextWrapper, break_on_hyphens=False)
_DASHES: Final = re.compile(r" *(?:-+|=+)(?: +-+)* *")


def worth_of(word: str) -> Style | None:
    """Return the style of a word that tells good from bad."""
    return _WORTH_OF.get(word)


def paint(text: str, *, width: int = 1000) -> str:
    """Put colours on a text that a command prints; a table that is wider than the terminal is folded."""
    lines = [line.rstrip() for line in text.splitlines()]
    return "".join(f"{line}\n" for line in _painted(lines, width))


def bare(text: str) -> str:
    """Take colours off again."""
    return re.sub(r"\x1b\[\d*m", "", text)


def _painted(lines: Sequence[str], width: int) -> Iterator[str]:
    number = 0
    while number < len(lines):
        line = lines[number]
        rule = lines[number + 1] if number + 1 < len(lines) else ""
        if line and not _is_rule(line) and len(_starts(rule)) > 1:
            rows = list(takewhile(lambda row: bool(row) and not _is_rule(row), lines[number + 2 :]))
            yield from _table(line, rule, rows, width)
            number += 2 + len(rows)
            continue
        if _is_rule(line):
            yield Style.QUIET.on(line)
        elif line and _is_rule(rule):
            yield Style.TITLE.on(line)
        else:
            yield from map(_phrases, _folded(line, width))
        number += 1


def _folded(line: str, width: int) -> list[str]:
    """Fold a line that is too long; it goes on below its last column, or a little to the right of its beginning."""
    if len(line) <= width:
        return [line]
    gaps = [match.end() for match in re.finditer(r"(?<=\S)  +", line) if match.end() <= width - NARROWEST]
    hang = " " * (gaps[-1] if gaps else len(line) - len(line.lstrip()) + 2)
    head = line[: gaps[-1]] if gaps else line[: len(line) - len(line.lstrip())]
    rest = line[len(head) :]
    first, *more = _FOLDER(width - len(hang)).wrap(rest)
    return [head + first, *(hang + part for part in more)]


def _is_rule(line: str) -> bool:
    return bool(line.strip()) and _DASHES.fullmatch(line) is not None


def _starts(rule: str) -> list[int]:
    """Return where the columns of a table begin, as the dashes under its titles tell."""
    return [match.start() for match in re.finditer(r"-+", rule)] if _is_rule(rule) else []


def _table(titles: str, rule: str, rows: Sequence[str], width: int) -> Iterator[str]:
    starts = _starts(rule)
    indent = rule[: starts[0]]
    cells = [_cut(line, starts) for line in (titles, *rows) if _is_cut(line, starts)]
    widths = _fitting(cells, width - len(indent))
    others = [max(map(len, column)) for column in zip(*(row[:-1] for row in cells), strict=True)]
    room = width - len(indent) - sum(others) - len(others)
    is_squeezed = len(cells[0][-1]) <= room < min(LEGIBLE, max(len(row[-1]) for row in cells))
    if is_squeezed:
        widths = [*others, room]
    yield indent + Style.TITLE.on(_line(cells[0], widths).rstrip())
    yield indent + Style.QUIET.on(_line(["-" * len(title) for title in cells[0]], widths).rstrip())
    for line in rows:
        if not _is_cut(line, starts):
            yield line
            continue
        row = _cut(line, starts)
        styles = [_style_of(title, cell) for title, cell in zip(cells[0], row, strict=True)]
        if is_squeezed and len(row[-1]) > widths[-1]:
            yield (indent + _line(row[:-1], widths[:-1], styles[:-1])).rstrip()
            yield from (f"{indent}    {part}" for part in _FOLDER(width - len(indent) - 4).wrap(row[-1]))
            continue
        folded = [_FOLDER(room).wrap(cell) or [""] for cell, room in zip(row, widths, strict=True)]
        for parts in zip_longest(*folded, fillvalue=""):
            yield (indent + _line(parts, widths, styles)).rstrip()


def _cut(line: str, starts: Sequence[int]) -> list[str]:
    return [line[start:end].rstrip() for start, end in zip(starts, [*starts[1:], None], strict=True)]


def _is_cut(line: str, starts: Sequence[int]) -> bool:
    """Whether no cell of a row reaches into the next column."""
    return all(line[start - 1 : start] in {"", " "} for start in starts[1:])


def _fitting(cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the widths of columns; where there is not room for all, those that hold sentences are the narrower."""
    columns = [*zip(*cells, strict=True)]
    widths = [max(map(len, column)) for column in columns]
    sentences = [number for number, column in enumerate(columns) if any(" " in cell for cell in column[1:])]
    while sum(widths) + len(widths) - 1 > width:
        widest = max(sentences, key=lambda number: widths[number], default=None)
        if widest is None or widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], styles: Sequence[Style | None] = ()) -> str:
    shown = [style.on(cell) if style else cell for cell, style in zip_longest(cells, styles)]
    blanks = [" " * (room - len(cell)) for cell, room in zip(cells, widths, strict=True)]
    return " ".join(cell + blank for cell, blank in zip(shown, blanks, strict=True))


def _style_of(title: str, word: str) -> Style | None:
    if title in STATES:
        return _WORTH_OF.get(word.partition(" ")[0]) or (Style.BAD if title == "Result" else None)
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
            style = _WORTH_OF.get(said) if kind == "word" else Style[kind.upper()]
            if style:
                return line[: found.start(kind)] + style.on(said) + line[found.end(kind) :]
    return line
