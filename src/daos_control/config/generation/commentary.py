"""Reasons beside values: as comments in the YAML, or told on their own."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from daos_control.config import document
from daos_control.config.generation.terms import Generated, Place, Reason

_WIDTH = 80


def annotated(generated: Generated, *, heading: str = "") -> str:
    """Return the configuration as YAML, with a comment above each value that was chosen."""
    import yaml  # noqa: PLC0415  see config.document

    text = document.dump(generated.config)
    lines = text.splitlines()
    above: dict[int, list[Reason]] = {}
    placed = dict(_places(yaml.compose(text, Loader=yaml.SafeLoader)))
    for reason in generated.reasons:
        above.setdefault(placed[reason.place], []).append(reason)
    shown = [f"# {line}" for line in textwrap.wrap(heading, _WIDTH - 2)]
    for number, line in enumerate(lines):
        indent = line[: len(line) - len(line.lstrip(" "))]
        for reason in above.get(number, ()):
            shown += _comment(reason, indent)
        shown.append(line)
    return "\n".join(shown) + "\n"


def told(generated: Generated) -> str:
    """Tell the reasons by themselves, each with its value."""
    plain = document.document(generated.config)
    shown = []
    for reason in generated.reasons:
        value = _value(plain, reason.place)
        shown.append(_path(reason.place) + (f" = {value}" if isinstance(value, str | int | float) else ""))
        shown += _wrapped(reason.because, "    ")
        for other in reason.passed_over:
            shown += _wrapped(f"passed over: {other}", "    ")
    return "\n".join(shown) + "\n"


def _comment(reason: Reason, indent: str) -> Iterator[str]:
    lead = f"{indent}# "
    yield from _wrapped(reason.because, lead)
    for other in reason.passed_over:
        yield from _wrapped(f"passed over: {other}", lead)


def _wrapped(text: str, lead: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=f"{lead}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _places(node: Any, place: Place = ()) -> Iterator[tuple[Place, int]]:
    """Find the line of every key and item of a YAML document."""
    if node.id == "mapping":
        for key, value in node.value:
            below = (*place, key.value)
            yield below, key.start_mark.line
            yield from _places(value, below)
    elif node.id == "sequence":
        for index, item in enumerate(node.value):
            below = (*place, index)
            yield below, item.start_mark.line
            yield from _places(item, below)


def _value(plain: Any, place: Iterable[str | int]) -> Any:
    for step in place:
        plain = plain[step]
    return ", ".join(plain) if isinstance(plain, list) and all(isinstance(item, str) for item in plain) else plain


def _path(place: Place) -> str:
    """Spell a place.

    >>> _path(("engines", 0, "targets"))
    'engines[0].targets'
    """
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")
