"""The help of a command, from its table."""

from __future__ import annotations

import sys
import textwrap

from daos_control.cli.flags import HELP
from daos_control.cli.guidance.manual import EXAMPLES
from daos_control.cli.ui.terminal import width_of

TYPE_CHECKING = False  # as in typing, see cli.flags
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from daos_control.cli.flags import Command, Option


def help_text(path: Sequence[Command], *, width: int | None = None) -> str:
    """Write the help of the last command of a path from the program on."""
    command, width = path[-1], width or max(40, min(width_of(sys.stdout), 110))
    sections = [_usage(path)]
    sections += [_wrap(paragraph, width) for paragraph in (command.help, *command.details.split("\n\n")) if paragraph]
    arguments = [(f"<{p.name}>", p.help) for p in command.positionals]
    if arguments:
        sections.append(_section("Arguments", arguments, width))
    for heading, commands in _grouped((c for c in command.commands if not c.hidden), "group"):
        sections.append(_section(heading, [(_names(c), c.help) for c in commands], width))
    sections += _option_sections(path, width)
    if command.run:
        sections += _examples(path)
    if command.commands:
        names = " ".join(inner.name for inner in path)
        sections.append(f"More about a command: {names} COMMAND -h")
    return "\n\n".join(sections)


def _examples(path: Sequence[Command]) -> list[str]:
    examples = EXAMPLES.get(" ".join(command.name for command in path), ())
    lines = [line for purpose, example in examples for line in (f"  {purpose}", f"    {example}")]
    return ["\n".join(["Examples:", *lines])] if lines else []


def _usage(path: Sequence[Command]) -> str:
    command = path[-1]
    parts = [" ".join(c.name for c in path)]
    parts += [f"--{o.name}={o.metavar or 'VALUE'}" for o in command.options if o.required]
    parts += ["<command>" if not command.run else "[command]"] * bool(command.commands)
    parts.append("[options]")
    for positional in command.positionals:
        shown = f"<{positional.name}>" + "..." * positional.repeat
        parts.append(shown if positional.required else f"[{shown}]")
    return "Usage: " + " ".join(parts)


def _option_sections(path: Sequence[Command], width: int) -> list[str]:
    """List the command's own options by group, then those of outer commands that it does not hide."""
    own = [o for o in path[-1].options if not o.hidden]
    if len(path) == 1:
        return [_section("Options", [_option_row(o) for o in (*own, HELP)], width)]
    names, letters = {o.name for o in own}, {o.short for o in own}
    outer = [o for c in path[:-1] for o in c.options if not o.hidden and o.name not in names]
    rows = [_option_row(o, without_letter=o.short in letters) for o in (*outer, HELP)]
    sections = [_section(heading, [_option_row(o) for o in group], width) for heading, group in _grouped(own, "group")]
    return [*sections, _section("Common options", rows, width)]


def _option_row(option: Option, *, without_letter: bool = False) -> tuple[str, str]:
    left = f"-{option.short}, " if option.short and not without_letter else "    "
    left += f"--{option.name}" if option.name else ""
    if option.parse is not None:
        left += f"={option.metavar or '|'.join(option.choices) or 'VALUE'}"
    default = f" (default: {option.default})" if option.default and "default" not in option.help else ""
    return left, option.help + default


def _names(command: Command) -> str:
    return command.name + "".join(f", {alias}" for alias in command.aliases)


def _grouped(items: Iterable[Any], attribute: str) -> Iterator[tuple[str, list[Any]]]:
    groups: dict[str, list[Any]] = {}
    for item in items:
        groups.setdefault(getattr(item, attribute), []).append(item)
    yield from groups.items()


def _section(heading: str, rows: Sequence[tuple[str, str]], width: int) -> str:
    column = min(max(len(left) for left, _ in rows) + 4, 34)
    lines = [f"{heading}:"]
    for left, right in rows:
        wrapped = textwrap.wrap(right, max(width - column, 24)) or [""]
        first = f"  {left}".ljust(column)
        if len(first) > column:  # too long to share a line with its explanation
            lines.append(first.rstrip())
            first = " " * column
        lines.append((first + wrapped[0]).rstrip())
        lines += [" " * column + line for line in wrapped[1:]]
    return "\n".join(lines)


def _wrap(paragraph: str, width: int) -> str:
    return textwrap.fill(paragraph, width)
