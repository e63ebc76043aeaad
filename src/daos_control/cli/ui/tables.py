"""Plain tables in DAOS's layout, which scripts take apart: titles, dashes under each, rows padded with blanks."""

from collections.abc import Mapping, Sequence

MISSING = "None"


def table(titles: Sequence[str], rows: Sequence[Sequence[object] | Mapping[str, object]], *, indent: str = "") -> str:
    """Lay out rows under titles; a row may be a mapping from title to cell, in which cells may be missing.

    >>> print(table(["Rank", "State"], [["[0-3]", "Joined"]]).replace(" ", "."))
    Rank..State..
    ----..-----..
    [0-3].Joined.
    <BLANKLINE>
    """
    cells = [[str(cell) for cell in _cells(titles, row)] for row in rows]
    lines = [list(titles), ["-" * len(title) for title in titles], *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(titles))]
    return "".join(
        indent + "".join(cell.ljust(width) + " " for cell, width in zip(line, widths, strict=True)) + "\n"
        for line in lines
    )


def _cells(titles: Sequence[str], row: Sequence[object] | Mapping[str, object]) -> Sequence[object]:
    return [row.get(title, MISSING) for title in titles] if isinstance(row, Mapping) else row


def entity(title: str, facts: Mapping[str, object]) -> str:
    """Lay out facts about one thing."""
    width = max(len(name) for name in facts)
    lines = [title, "-" * len(title), *(f"  {name.ljust(width)}: {value}" for name, value in facts.items())]
    return "\n".join(lines) + "\n"


def framed(title: str, *, indent: str = "") -> str:
    """Put a line of dashes above and below a title."""
    dashes = "-" * len(title)
    return f"{indent}{dashes}\n{indent}{title}\n{indent}{dashes}\n"


def indented(text: str, indent: str) -> str:
    """Move lines to the right."""
    return "".join(indent + line if line.strip() else line for line in text.splitlines(keepends=True))
