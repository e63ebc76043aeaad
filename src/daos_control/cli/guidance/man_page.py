"""``<program> manpage``: the manual page of a program, in the language of man(7), from its tables of commands."""

from __future__ import annotations

import sys
from pathlib import Path

from daos_control.base.version import DAOS_VERSION
from daos_control.cli.flags import HELP, Command, Option, Positional, Values
from daos_control.cli.guidance.manual import EXAMPLES, FACTS

TYPE_CHECKING = False  # as in typing, see cli.flags
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH = 72
"""Where lines of the source end, roughly; it does not matter to readers."""


def write(args: Values) -> int:
    """Write the page of the program that was called."""
    text = page(args.program)
    if not args.output:
        print(text, end="")
        return 0
    try:
        Path(args.output).write_text(text)
    except OSError as error:
        print(f"ERROR: {args.program.name}: {args.output} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def page(program: Command) -> str:
    """Return the page of a program."""
    facts = FACTS[program.name]
    lines = [
        f'.TH {program.name.upper()} {facts.section} "" "DAOS {DAOS_VERSION}" "DAOS control plane"',
        *_heading("NAME"),
        f"{_plain(program.name)} \\- {_plain(program.help.rstrip('.'))}",
        *_heading("SYNOPSIS"),
        f".B {_plain(program.name)}",
        "[\\fIoptions\\fR] [\\fIcommand\\fR]"
        if program.run
        else "[\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]",
        *_heading("DESCRIPTION"),
        *_filled(facts.description),
        *_paragraph("Options may stand before and behind commands and arguments; what follows a -- is no option."),
        *_heading("OPTIONS"),
        *_options((*program.options, HELP)),
        *_heading("COMMANDS"),
        *(line for path in leaves((program,)) if len(path) > 1 for line in _command(path)),
        *_heading("EXIT STATUS"),
        *_rows(facts.exit_codes),
        *_heading("FILES"),
        *_rows(facts.files),
        *_heading("ENVIRONMENT"),
        *_rows(facts.environment),
        *_heading("SEE ALSO"),
        " ,\n".join(f".BR {_plain(name)} ({FACTS[name].section})" for name in FACTS if name != program.name),
    ]
    return "\n".join(lines) + "\n"


def leaves(path: tuple[Command, ...]) -> Iterator[tuple[Command, ...]]:
    """Return the path to every command that runs something and is shown, in the order of the tables."""
    if path[-1].run:
        yield path
    for command in path[-1].commands:
        if not command.hidden:
            yield from leaves((*path, command))


def _command(path: Sequence[Command]) -> Iterator[str]:
    command = path[-1]
    name = " ".join(inner.name for inner in path[1:])
    yield f'.SS "{_plain(name)}{_plain("".join(f" {_argument(p)}" for p in command.positionals))}"'
    aliases = f" It may be called {' or '.join(command.aliases)}, too." if command.aliases else ""
    yield from _filled(f"{command.help}.{aliases}")
    for paragraph in command.details.split("\n\n"):
        if paragraph:
            yield from _paragraph(paragraph)
    for positional in command.positionals:
        if positional.help:
            yield from _item(f"\\fI{_plain(_argument(positional))}\\fR", positional.help)
    yield from _options(command.options)
    for purpose, line in EXAMPLES.get(" ".join(inner.name for inner in path), ()):
        yield from _paragraph(purpose if purpose.endswith("?") else f"{purpose}:")
        yield from (".RS 4", ".nf", _plain(line), ".fi", ".RE")


def _argument(positional: Positional) -> str:
    shown = f"<{positional.name}>" + "..." * positional.repeat
    return shown if positional.required else f"[{shown}]"


def _options(options: Sequence[Option]) -> Iterator[str]:
    for option in options:
        if option.hidden:
            continue
        names = [f"\\fB{_plain(name)}\\fR" for name in spellings(option)]
        value = f"=\\fI{_plain(value_name(option))}\\fR" if option.parse is not None else ""
        yield from _item(", ".join(names) + value, about(option))


def spellings(option: Option) -> list[str]:
    """Return an option's names with their dashes."""
    return [f"-{option.short}"] * bool(option.short) + [f"--{option.name}"] * bool(option.name)


def value_name(option: Option) -> str:
    """Return how an option's value is called."""
    return option.metavar or "|".join(option.choices) or "VALUE"


def about(option: Option) -> str:
    """Say what an option is for, with what it is if nobody gives it, and whether somebody must."""
    told = option.help.rstrip(".")
    if option.default and "default" not in told:
        told += f" (default: {option.default})"
    return told + (" (required)." if option.required else ".")


def _heading(title: str) -> tuple[str, ...]:
    return (f".SH {_quoted(title)}",)


def _quoted(title: str) -> str:
    return f'"{title}"' if " " in title else title


def _rows(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, what in rows:
        yield from _item(f"\\fB{_plain(name)}\\fR", what)


def _item(term: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield term
    yield from _filled(text)


def _paragraph(text: str) -> Iterator[str]:
    yield ".PP"
    yield from _filled(text)


def _filled(text: str) -> Iterator[str]:
    import textwrap

    for line in textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False):
        yield _plain(line)


def _plain(text: str) -> str:
    r"""Keep text from being read as anything but text.

    >>> _plain(".x \\ -y"), _plain("'z"), _plain('say "x"')
    ('\\&.x \\e \\-y', "\\&'z", 'say \\(dqx\\(dq')
    """
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("~", "\\(ti")
    escaped = escaped.replace("^", "\\(ha").replace("`", "\\(ga")
    return "\\&" + escaped if escaped[:1] in (".", "'") else escaped
