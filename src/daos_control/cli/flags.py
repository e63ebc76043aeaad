"""Command lines as data: the option grammar of DAOS's programs, their help and their complaints.

A program is a tree of ``Command`` values. A leaf names the function that runs it as
``"package.module:function"``; it is imported only once it is to run, and so is a value parser given
as text. Nothing here may import more than a bare interpreter start-up can bear: ``dmg version`` is
measured against ``python -c pass``. That is why the tables are plain classes and not dataclasses. They are never
changed.

The grammar is that of DAOS 2.8's programs: ``-x``, ``-xVALUE``, ``-x VALUE``, ``-x=VALUE``,
``--long VALUE``, ``--long=VALUE``, bundled flags (``-vj``), options between and after arguments,
options of outer commands anywhere behind the program's name, and ``--`` before what only looks like
an option.

>>> size = Option("size", "z", parse=integer)
>>> program = Command("demo", commands=(Command("make", run="demo:make", options=(size,)),))
>>> parse(program, ["make", "-z5"]).values.size
5
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as in typing, which takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    ValueParser: TypeAlias = Callable[[str], object]


def text(value: str) -> str:
    """Take the text as it is."""
    return value


def integer(value: str, bits: int = 64) -> int:
    """Read a whole number, as DAOS's programs do: decimal digits behind a sign or none, and not too many."""
    digits = value[1:] if value[:1] in ("-", "+") else value
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{value!r} is not a whole number")
    number = int(value)
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise ValueError(f"{value!r} does not fit in {bits} bits")
    return number


def integer32(value: str) -> int:
    """Read a whole number of 32 bits."""
    return integer(value, 32)


def natural(value: str, bits: int = 32) -> int:
    """Read a whole number of 32 bits that is not negative."""
    if not (value.isascii() and value.isdigit()):
        raise ValueError(f"{value!r} is not a whole number from 0 on")
    if int(value) >= 1 << bits:
        raise ValueError(f"{value!r} is too large: there may be {(1 << bits) - 1} at most")
    return int(value)


def natural16(value: str) -> int:
    """Read a whole number of 16 bits that is not negative."""
    return natural(value, 16)


def words(value: str) -> tuple[str, ...]:
    """Read a list separated by commas."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


class Option:
    """One option; without ``parse`` it is a flag, which takes no value.

    ``name`` is the long name, without dashes, and empty if there is only a short one. ``parse`` turns text into the
    value, raising ``ValueError``; given as ``"package.module:function"`` it is imported once it is needed. The value of
    a ``repeat`` option is a tuple of all that was given. ``complete`` names the function that offers values to shells
    (see ``cli.guidance.completion``). ``group`` is a heading in the help.
    """

    __slots__ = (
        "choices",
        "complete",
        "default",
        "dest",
        "group",
        "help",
        "hidden",
        "metavar",
        "name",
        "parse",
        "repeat",
        "required",
        "short",
    )

    def __init__(
        self,
        name: str,
        short: str = "",
        *,
        help: str = "",  # noqa: A002 - a table reads best in plain words
        parse: ValueParser | str | None = None,
        metavar: str = "",
        default: object = None,
        required: bool = False,
        repeat: bool = False,
        choices: tuple[str, ...] = (),
        complete: str = "",
        hidden: bool = False,
        group: str = "Options",
        dest: str = "",
    ) -> None:
        self.name = name
        self.short = short
        self.help = help
        self.parse = parse
        self.metavar = metavar
        self.default = default
        self.required = required
        self.repeat = repeat
        self.choices = choices
        self.complete = complete
        self.hidden = hidden
        self.group = group
        self.dest = dest

    @property
    def key(self) -> str:
        """Name under which the value is found in ``Values``."""
        return self.dest or (self.name or self.short).replace("-", "_")

    @property
    def shown(self) -> str:
        """How messages spell the option."""
        return ", ".join([f"-{self.short}"] * bool(self.short) + [f"--{self.name}"] * bool(self.name))


class Positional:
    """One argument that is known by its place; with ``repeat`` it takes all that is left, as a tuple.

    With ``numbers`` it takes negative ones, too, which otherwise are taken for options.
    """

    __slots__ = ("complete", "dest", "help", "name", "numbers", "parse", "repeat", "required")

    def __init__(
        self,
        name: str,
        *,
        help: str = "",  # noqa: A002
        required: bool = True,
        parse: ValueParser | str = text,
        repeat: bool = False,
        numbers: bool = False,
        complete: str = "",
        dest: str = "",
    ) -> None:
        self.name = name
        self.help = help
        self.required = required
        self.numbers = numbers
        self.complete = complete
        self.parse = parse
        self.repeat = repeat
        self.dest = dest

    @property
    def key(self) -> str:
        """Name under which the value is found in ``Values``."""
        return self.dest or self.name.replace("-", "_")


class Command:
    """A program, a group of commands, or a leaf that runs something.

    ``run`` is ``"package.module:function"``, called with ``Values``; beside ``commands`` it makes a sub-command
    optional. ``commands`` given as ``"package.module:NAME"`` are imported once somebody looks at them. ``details`` are
    paragraphs for the help, behind the one-liner; ``group`` is the heading under which the outer command's help lists
    this one.
    """

    __slots__ = ("_commands", "aliases", "details", "group", "help", "hidden", "name", "options", "positionals", "run")

    def __init__(
        self,
        name: str,
        *,
        help: str = "",  # noqa: A002
        run: str = "",
        options: tuple[Option, ...] = (),
        positionals: tuple[Positional, ...] = (),
        commands: tuple[Command, ...] | str = (),
        aliases: tuple[str, ...] = (),
        hidden: bool = False,
        details: str = "",
        group: str = "Commands",
    ) -> None:
        self.name = name
        self.help = help
        self.run = run
        self.options = options
        self.positionals = positionals
        self._commands = commands
        self.aliases = aliases
        self.hidden = hidden
        self.details = details
        self.group = group

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands of a group; none for a leaf."""
        if isinstance(self._commands, str):
            loaded: tuple[Command, ...] = load(self._commands)
            self._commands = loaded
        return self._commands


class Values:
    """The values of one command line, by attribute; ``"name" in values`` tells whether it was given."""

    __slots__ = ("_defaults", "_given")

    def __init__(self) -> None:
        self._defaults: dict[str, Any] = {}
        self._given: dict[str, Any] = {}

    def __getattr__(self, key: str) -> Any:
        for values in (self._given, self._defaults):
            if key in values:
                return values[key]
        raise AttributeError(f"no option or argument called {key!r} in this command")

    def __contains__(self, key: str) -> bool:
        return key in self._given

    def give(self, key: str, value: object) -> None:
        """Set a value as if it had been given."""
        self._given[key] = value

    def append(self, key: str, value: object) -> None:
        """Add to a value that may be given many times."""
        self._given[key] = (*self._given.get(key, ()), value)

    def declare(self, key: str, default: object) -> None:
        """Say what a value is if nobody gives it."""
        self._defaults.setdefault(key, default)


class Parsed:
    """A command line understood: the path from the program to the command that was chosen, and the values."""

    __slots__ = ("path", "values")

    def __init__(self, path: tuple[Command, ...], values: Values) -> None:
        self.path = path
        self.values = values

    @property
    def command(self) -> Command:
        """The command to run."""
        return self.path[-1]


class UsageError(Exception):
    """The command line is wrong; ``values`` and ``path`` hold what had been understood until then."""

    def __init__(self, message: str, parsed: Parsed) -> None:
        super().__init__(message)
        self.values = parsed.values
        self.path = parsed.path


class HelpWanted(Exception):
    """Somebody asked for help about the last command of ``path``."""

    def __init__(self, parsed: Parsed) -> None:
        super().__init__()
        self.values = parsed.values
        self.path = parsed.path


HELP = Option("help", "h", help="Show this help and stop")
SIGNED = (integer, integer32)
"""Parsers of values that may begin with a dash."""


def is_option(argument: str) -> bool:
    """Whether an argument looks like an option: one or two dashes, and something else behind them."""
    return len(argument) > 1 and argument[0] == "-" and argument[1:3] != "--" and argument != "--"


def parse(program: Command, argv: Sequence[str]) -> Parsed:
    """Understand a command line (without the program's own name), or raise UsageError or HelpWanted."""
    return _Parser(program, argv).parse()


def load(target: str) -> Any:
    """Import ``"package.module:name"``: a function, or a tuple of commands."""
    module, _, name = target.partition(":")
    __import__(module)  # importlib would have to be imported itself
    return getattr(sys.modules[module], name)


class _Parser:
    """One pass over the arguments, from left to right."""

    def __init__(self, program: Command, argv: Sequence[str]) -> None:
        self._path = [program]
        self._arguments = list(reversed(argv))
        self._values = Values()
        self._long: dict[str, Option] = {}
        self._short: dict[str, Option] = {}
        self._positionals: list[Positional] = []
        self._surplus: list[str] = []
        self._help = False
        self._values.declare("program", program)
        self._enter(program)

    def parse(self) -> Parsed:
        while self._arguments:
            argument = self._arguments.pop()
            if argument == "--":
                while self._arguments:
                    self._place(self._arguments.pop())
            elif is_option(argument) and not self._is_number_wanted(argument):
                (self._read_long if argument[1] == "-" else self._read_short)(argument.lstrip("-"))
            elif not self._positionals and self._command.commands and not self._surplus:
                self._choose(argument)
            else:
                self._place(argument)
        self._check_complete()
        return self._parsed

    @property
    def _command(self) -> Command:
        return self._path[-1]

    @property
    def _parsed(self) -> Parsed:
        return Parsed(tuple(self._path), self._values)

    def _fail(self, message: str) -> UsageError:
        return UsageError(message, self._parsed)

    def _enter(self, command: Command) -> None:
        """Make the options and arguments of a command known; inner ones hide outer ones of the same name."""
        self._positionals = list(command.positionals)
        for option in (*command.options, HELP):
            if option.name:
                self._long[option.name] = option
            if option.short:
                self._short[option.short] = option
            if option is not HELP:
                self._values.declare(option.key, _default(option))
        for positional in command.positionals:
            self._values.declare(positional.key, () if positional.repeat else None)

    def _is_number_wanted(self, argument: str) -> bool:
        return bool(self._positionals) and self._positionals[0].numbers and argument[1:].isdigit()

    def _choose(self, name: str) -> None:
        if name == "help" and len(self._path) == 1 and not self._help:
            self._help = True
            return
        for command in self._command.commands:
            if name == command.name or name in command.aliases:
                self._path.append(command)
                self._enter(command)
                return
        raise self._unknown(name)

    def _unknown(self, name: str) -> UsageError:
        names = [command.name for command in self._command.commands if not command.hidden]
        return self._fail(f"Unknown command `{name}'" + (_hint(name, names, "`{}'") or f". {_one_of(sorted(names))}"))

    def _read_long(self, argument: str) -> None:
        name, equals, value = argument.partition("=")
        option = self._long.get(name)
        if option is None:
            names = [known for known, option in self._long.items() if not option.hidden]
            raise self._fail(f"unknown flag `{name}'{_hint(name, names, '--{}')}")
        self._take(option, value if equals else None)

    def _read_short(self, letters: str) -> None:
        """Read a letter with its value, or a bundle of flags, of which the last may take the next argument."""
        value = None
        if letters[1:2] == "=":
            letters, value = letters[0], letters[2:]
        elif len(letters) > 1 and (first := self._short.get(letters[0])) and first.parse is not None:
            letters, value = letters[0], letters[1:]
        for position, letter in enumerate(letters):
            option = self._short.get(letter)
            if option is None:
                raise self._fail(f"unknown flag `{letter}'")
            if option.parse is not None and position < len(letters) - 1:
                raise self._fail(f"expected argument for flag `{option.shown}'")
            self._take(option, value)

    def _take(self, option: Option, value: str | None) -> None:
        if option.parse is None:
            if value is not None:
                raise self._fail(f"bool flag `{option.shown}' cannot have an argument")
            if option is HELP:
                raise HelpWanted(self._parsed)
            self._values.give(option.key, True)
            return
        if value is None:
            value = self._following(option)
        if value.startswith('"'):
            value = self._unquoted(option, value)
        if option.choices and value not in option.choices:
            raise self._fail(
                f"Invalid value `{value}' for option `{option.shown}'. {_one_of(option.choices, 'Allowed')}"
            )
        parsed = self._convert(option.parse, value, f"for flag `{option.shown}'")
        (self._values.append if option.repeat else self._values.give)(option.key, parsed)

    def _following(self, option: Option) -> str:
        """Return the next argument as this option's value, unless it is an option itself."""
        if not self._arguments:
            raise self._fail(f"expected argument for flag `{option.shown}'")
        value = self._arguments[-1]
        if value == "--":
            raise self._fail(f"expected argument for flag `{option.shown}', but got double dash `--'")
        if is_option(value) and not (option.parse in SIGNED and value[1].isdigit()):
            raise self._fail(f"expected argument for flag `{option.shown}', but got option `{value}'")
        return self._arguments.pop()

    def _unquoted(self, option: Option, value: str) -> str:
        from daos_control.base.quoting import unquoted

        try:
            return unquoted(value)
        except ValueError as error:
            raise self._fail(f"invalid argument for flag `{option.shown}': {error}") from error

    def _place(self, argument: str) -> None:
        if not self._positionals:
            self._surplus.append(argument)
            return
        positional = self._positionals[0]
        value = self._convert(positional.parse, argument, f"`<{positional.name}>'")
        if positional.repeat:
            self._values.append(positional.key, value)
        else:
            self._values.give(positional.key, value)
            del self._positionals[0]

    def _convert(self, parser: ValueParser | str, value: str, what: str) -> object:
        try:
            return (load(parser) if isinstance(parser, str) else parser)(value)
        except ValueError as error:
            raise self._fail(f"invalid argument {what}: {error}") from error

    def _check_complete(self) -> None:
        if self._help:
            if self._surplus:
                raise self._unknown(self._surplus[0])
            raise HelpWanted(self._parsed)
        options = [option for command in self._path for option in command.options]
        missing = [f"`{o.shown}'" for o in options if o.required and o.key not in self._values]
        if missing:
            raise self._fail(f"the required flag{'s' * (len(missing) > 1)} {_all_of(missing)} specified")
        absent = [f"`<{p.name}>`" for p in self._command.positionals if p.required and p.key not in self._values]
        if absent:
            raise self._fail(f"the required argument{'s' * (len(absent) > 1)} {_all_of(absent)} provided")
        if self._command.commands and self._surplus:
            raise self._unknown(self._surplus[0])
        if self._command.commands and not self._command.run:
            names = sorted(command.name for command in self._command.commands if not command.hidden)
            raise self._fail(_one_of(names))
        if self._surplus:
            raise self._fail(f"unexpected arguments: {' '.join(self._surplus)}")


def _default(option: Option) -> object:
    if option.default is not None:
        return option.default
    if option.parse is None:
        return False
    return () if option.repeat else None


def _all_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]} were not" if len(names) > 1 else f"{names[0]} was not"


def _one_of(names: Sequence[str], allowed: str = "") -> str:
    listed = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else "".join(names)
    if allowed:
        return f"Allowed values are: {listed}"
    return f"Please specify one command of: {listed}" if len(names) > 1 else f"Please specify the {listed} command"


def _hint(name: str, known: Sequence[str], form: str) -> str:
    """Return ``, did you mean ...?`` for the known name nearest to this one, if any is near."""
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {form.format(near[0])}?" if near else ""
