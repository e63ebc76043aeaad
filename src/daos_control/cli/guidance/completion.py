"""What could come next on a command line, for shells to offer.

A shell calls the program back with the words so far, the last of which is being typed, and with one of two variables:

- ``GO_FLAGS_COMPLETION``, as DAOS 2.8's own ``daos.bash`` does: one candidate a line, in the original's form; its
  value ``verbose`` adds what each is for;
- ``DAOS_CONTROL_COMPLETION``, as the scripts of ``<program> completion SHELL`` do: each line is a whole word, a tab,
  and what it is for.

Names of commands and options come from the tables, values from a ``complete`` function of the option or argument, from
its choices, or from the file system where it takes a path.
"""

from __future__ import annotations

import os

from daos_control.cli.flags import HELP, Command, Option, Positional, is_option, load

TYPE_CHECKING = False  # as in typing, see cli.flags
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

ORIGINAL = "GO_FLAGS_COMPLETION"
OWN = "DAOS_CONTROL_COMPLETION"
PATHS = {"FILE", "DIR", "PATH"}
"""How tables call values that are paths."""


class Candidate:
    """Something that could stand where the last word stands."""

    __slots__ = ("about", "item", "short")

    def __init__(self, item: str, about: str = "", *, short: str = "") -> None:
        self.item = item
        self.about = about
        self.short = short or item
        """How DAOS 2.8 prints it: values behind a key without that key."""

    def behind(self, prefix: str) -> Candidate:
        """Return it with what stands before it in the same word."""
        return Candidate(prefix + self.item, self.about, short=prefix + self.short)


def answer(program: Command, words: Sequence[str]) -> str:
    """Return what a shell is told; words are those behind the program's name."""
    found = candidates(program, words)
    if OWN in os.environ:
        return "".join(f"{candidate.item}\t{candidate.about}\n" for candidate in found)
    if os.environ[ORIGINAL] != "verbose" or len(found) == 1:
        return "".join(f"{candidate.short}\n" for candidate in found)
    width = max((len(candidate.short) for candidate in found), default=0)
    lines = (f"{c.short.ljust(width)}  # {c.about}" if c.about else c.short for c in found)
    return "".join(f"{line}\n" for line in lines)


def candidates(program: Command, words: Sequence[str]) -> list[Candidate]:
    """Return what the last word could become, in order."""
    *before, last = words or [""]
    place = _Place(program)
    place.walk(before)
    return sorted(place.offer(last), key=lambda candidate: candidate.short)


class _Place:
    """Where on the command line a word is."""

    def __init__(self, program: Command) -> None:
        self._path = [program]
        self._long: dict[str, Option] = {}
        self._short: dict[str, Option] = {}
        self._positionals: list[Positional] = []
        self._waiting: Option | None = None
        """The option whose value comes next."""
        self._only_arguments = False
        self._helping = False
        self._enter(program)

    def _enter(self, command: Command) -> None:
        self._positionals = list(command.positionals)
        for option in (*command.options, HELP):
            if option.name:
                self._long[option.name] = option
            if option.short:
                self._short[option.short] = option

    def walk(self, words: Sequence[str]) -> None:
        """Go past words that are complete."""
        for word in words:
            if self._waiting is not None:
                self._waiting = None
            elif self._only_arguments:
                self._pass_argument()
            elif word == "--":
                self._only_arguments = True
            elif is_option(word) and not self._takes_number(word):
                self._waiting = self._wanting_value(word)
            elif self._positionals:
                self._pass_argument()
            else:
                self._choose(word)

    def _takes_number(self, word: str) -> bool:
        return bool(self._positionals) and self._positionals[0].numbers and word[1:].isdigit()

    def _pass_argument(self) -> None:
        if self._positionals and not self._positionals[0].repeat:
            del self._positionals[0]

    def _choose(self, word: str) -> None:
        for command in self._path[-1].commands:
            if word == command.name or word in command.aliases:
                self._path.append(command)
                self._enter(command)
                return
        self._helping = self._helping or (len(self._path) == 1 and word == "help")

    def _wanting_value(self, word: str) -> Option | None:
        """Return the option of a word that takes the next word as its value."""
        if "=" in word:
            return None
        if word.startswith("--"):
            option = self._long.get(word[2:])
            return option if option is not None and option.parse is not None else None
        for position, letter in enumerate(word[1:], 2):
            option = self._short.get(letter)
            if option is not None and option.parse is not None:
                return option if position == len(word) else None
        return None

    def offer(self, word: str) -> Iterator[Candidate]:
        """Return what a word that is being typed could become."""
        if self._waiting is not None:
            yield from _values(self._waiting, word)
        elif word.startswith("-") and not self._only_arguments:
            yield from self._options(word)
        elif self._positionals:
            yield from _values(self._positionals[0], word)
        elif not self._only_arguments:
            for command in self._path[-1].commands:
                if command.name.startswith(word) and not command.hidden:
                    yield Candidate(command.name, command.help)

    def _options(self, word: str) -> Iterator[Candidate]:
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            if not equals:
                yield from self._named(word[2:])
            elif option := self._long.get(name[2:]):
                yield from _behind(f"{name}=", _values(option, value))
            return
        letter, rest = word[1:2], word[2:]
        option = self._short.get(letter)
        if not letter:
            yield from self._named("")
            yield from self._lettered()
        elif option is None or option.parse is None:
            yield Candidate(word)  # a bundle of flags, complete as it is
        elif rest.startswith("="):
            yield from _behind(f"-{letter}=", _values(option, rest[1:]))
        else:
            yield from _behind(f"-{letter}", _values(option, rest))

    def _named(self, start: str) -> Iterator[Candidate]:
        for name, option in self._long.items():
            if name.startswith(start) and not option.hidden:
                yield Candidate(f"--{name}", option.help)

    def _lettered(self) -> Iterator[Candidate]:
        for letter, option in self._short.items():
            if not option.name and not option.hidden:
                yield Candidate(f"-{letter}", option.help)


def _behind(prefix: str, found: Iterable[Candidate]) -> Iterator[Candidate]:
    for candidate in found:
        yield candidate.behind(prefix)


def _values(taker: Option | Positional, word: str) -> Iterable[Candidate]:
    if taker.complete:
        complete: Callable[[str], Iterable[Candidate]] = load(taker.complete)
        return complete(word)
    if isinstance(taker, Positional):
        return ()
    if taker.metavar in PATHS:
        return paths(word)
    return (Candidate(choice) for choice in taker.choices if choice.startswith(word))


# -- values, for the functions that options name -----------------------------------------------------------------------


def paths(word: str) -> Iterator[Candidate]:
    """Offer files and folders, the latter with a slash behind them."""
    folder, slash, start = word.rpartition("/")
    try:
        entries = list(os.scandir(folder + slash or "."))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(start) and (start or not entry.name.startswith(".")):
            yield Candidate(f"{folder}{slash}{entry.name}{'/' if entry.is_dir() else ''}")


def listed(word: str, known: Mapping[str, str]) -> Iterator[Candidate]:
    """Offer names for the last of a list that is separated by commas, but for those that are in it already."""
    head, comma, last = word.rpartition(",")
    taken = head.split(",") if comma else []
    for name, about in known.items():
        if name.lower().startswith(last.lower()) and name not in taken:
            yield Candidate(head + comma + name, about)


def settings(word: str, known: Mapping[str, tuple[str, Iterable[str]]]) -> Iterator[Candidate]:
    """Offer ``key:``, and behind that its values, for the last of a list; ``known`` says what keys are for."""
    head, comma, last = word.rpartition(",")
    key, colon, start = last.partition(":")
    if colon and key in known:
        for value in known[key][1]:
            if value.startswith(start):
                yield Candidate(f"{head}{comma}{key}:{value}", short=value)
        return
    taken = [item.partition(":")[0] for item in head.split(",")]
    for name, (about, _) in known.items():
        if name.startswith(last) and name not in taken:
            yield Candidate(f"{head}{comma}{name}:", about)
