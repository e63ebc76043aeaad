"""Pages about the programs' command lines, from their tables: one page a program, with every command."""

from collections.abc import Iterable, Iterator, Sequence

from daos_control.cli.flags import Command, Option
from daos_control.cli.guidance.man_page import about, leaves, spellings, value_name
from daos_control.cli.guidance.manual import EXAMPLES, FACTS

FORMS = """\
Options may stand before and behind commands and arguments. A value is written `--size=1G`, `--size 1G`, `-z1G`, `-z 1G`
or `-z=1G`; flags of one letter can be bundled, as in `-vj`. What follows `--` is no option. Every command has `-h`.
"""


def page(program: Command) -> str:
    """Return the page of a program."""
    facts = FACTS[program.name]
    paths = [path for path in leaves((program,)) if len(path) > 1]
    parts = [
        f"# {program.name}\n",
        f"{facts.description}\n",
        FORMS,
        "## Options of every command\n",
        _options(program.options),
        "## Commands\n",
        *_overview(paths),
        *(_command(path) for path in paths),
        "## Exit codes\n",
        _table(("Code", ""), facts.exit_codes),
        "## Files\n",
        _table(("File", ""), ((f"`{name}`", what) for name, what in facts.files)),
        "## Environment\n",
        _table(("Variable", ""), ((f"`{name}`", what) for name, what in facts.environment)),
    ]
    return "\n".join(parts)


def _overview(paths: Sequence[tuple[Command, ...]]) -> Iterator[str]:
    """Yield a table for each family, which leads to its commands."""
    families: dict[str, list[tuple[Command, ...]]] = {}
    for path in paths:
        families.setdefault(path[1].name if len(path) > 2 else "", []).append(path)
    for family, members in families.items():
        if family:
            yield f"**{family}**: {members[0][1].help}\n"
        elif members[0] is not paths[0]:
            yield "**Others**\n"
        yield _table(
            ("Command", ""), ((f"[{_name(path)}](#{_anchor(_name(path))})", path[-1].help) for path in members)
        )


def _name(path: Sequence[Command]) -> str:
    return " ".join(command.name for command in path[1:])


def _anchor(title: str) -> str:
    return title.replace(" ", "-")


def _command(path: Sequence[Command]) -> str:
    command = path[-1]
    parts = [f"### {_name(path)}\n", f"{command.help}.\n", f"```text\n{_usage(path)}\n```\n"]
    if command.aliases:
        parts.append(f"Also called {', '.join(f'`{alias}`' for alias in command.aliases)}.\n")
    parts += [f"{paragraph}\n" for paragraph in command.details.split("\n\n") if paragraph]
    if any(positional.help for positional in command.positionals):
        parts.append(_table(("Argument", ""), ((f"`{p.name}`", p.help) for p in command.positionals)))
    if any(not option.hidden for option in command.options):
        parts.append(_options(command.options))
    for purpose, line in EXAMPLES.get(" ".join(inner.name for inner in path), ()):
        parts.append(f"{purpose}{'' if purpose.endswith('?') else ':'}\n\n```console\n$ {line}\n```\n")
    return "\n".join(parts)


def _usage(path: Sequence[Command]) -> str:
    command = path[-1]
    words = [inner.name for inner in path]
    words += [f"--{option.name}={value_name(option)}" for option in command.options if option.required]
    words += ["[options]"] * any(not option.hidden and not option.required for option in command.options)
    for positional in command.positionals:
        shown = f"<{positional.name}>" + "..." * positional.repeat
        words.append(shown if positional.required else f"[{shown}]")
    return " ".join(words)


def _options(options: Iterable[Option]) -> str:
    rows = [
        (
            ", ".join(f"`{name}`" for name in spellings(option)),
            f"`{value_name(option)}`" if option.parse is not None else "",
            about(option),
        )
        for option in options
        if not option.hidden
    ]
    return _table(("Option", "Value", ""), rows)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    escaped = text.replace("|", "\\|").replace("\n", " ")
    return escaped if escaped.startswith("`") else escaped.replace("<", "&lt;")
