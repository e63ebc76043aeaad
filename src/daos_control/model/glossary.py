"""Everything with a number or a name that DAOS's programs tell people, and how to find it by what was read.

Faults, DER codes, RAS events, states of members and properties of pools, each as an ``Entry`` with its words. ``find``
takes a number, a name in any spelling, a line copied from a log, or just a part of a word:

>>> [entry.title for entry in find("-1007").entries]
['DER_NOSPACE(-1007)']
>>> [entry.title for entry in find("server: code = 611 description = ...").entries]
['fault 611 SERVER_DATA_PLANE_NOT_STARTED']
>>> find("no_spce").entries, find("no_spce").nearest[:1]
((), ('DER_NOSPACE',))
"""

import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Final

from daos_control.base import der_words, fault_words
from daos_control.base.der import Der
from daos_control.base.fault_codes import FaultCode
from daos_control.model import event_words
from daos_control.model.event import EventId
from daos_control.model.member_moves import MEANINGS, OCCASIONS
from daos_control.model.member_state import MemberState
from daos_control.model.pool_property_text import DEPRECATED, KINDS

NEAREST: Final = 3
_DER_NUMBERS: Final = 1000
"""DER codes begin above it, so that people may leave out their sign."""


class Kind(StrEnum):
    """What an entry is; the value is how people call it."""

    FAULT = "fault"
    DER = "DER code"
    EVENT = "event"
    STATE = "member state"
    PROPERTY = "pool property"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One thing that an entry may stand for; most stand for one."""

    meaning: str
    steps: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    """What stands in the places that are written ``<so>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that can be explained."""

    kind: Kind
    name: str
    number: int | None = None
    says: str = ""
    """How programs say it, where that is not its name: the domain of a fault, the text of a DER code."""
    situations: tuple[Situation, ...]
    causes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    other_names: tuple[str, ...] = field(default=())

    @property
    def title(self) -> str:
        """What it is called in headings."""
        match self.kind:
            case Kind.DER:
                return f"{self.name}({self.number})"
            case Kind.FAULT | Kind.EVENT:
                return f"{self.kind} {self.number} {self.name}"
            case _:
                return f"{self.kind} {self.name}"

    @property
    def summary(self) -> str:
        """Its meaning in one line."""
        return self.situations[0].meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found: by a name or a number, or else by looking for the words everywhere."""

    entries: tuple[Entry, ...] = ()
    exact: bool = True
    nearest: tuple[str, ...] = ()
    """Names that look like the words, if nothing was found."""


def find(words: str) -> Found:
    """Find what somebody has read, or half remembers."""
    if named := _named(words) or tuple(_quoted_in(words)):
        return Found(entries=named)
    if searched := tuple(_containing(words)):
        return Found(entries=searched, exact=False)
    return Found(nearest=_nearest(words))


@cache
def entries() -> tuple[Entry, ...]:
    """Return all there is, by kind."""
    return (
        *(_fault(code) for code in sorted(FaultCode)),
        *(_der(code) for code in Der),
        *(_event(event) for event in EventId),
        *(_state(state) for state in MemberState if state is not MemberState.UNKNOWN),
        *(_property(name) for name in sorted(prop.text for prop in KINDS)),
    )


# -- finding -----------------------------------------------------------------------------------------------------------

_KIND_WORDS: Final = {
    "fault": Kind.FAULT,
    "code": Kind.FAULT,
    "der": Kind.DER,
    "status": Kind.DER,
    "event": Kind.EVENT,
    "state": Kind.STATE,
    "property": Kind.PROPERTY,
} | {kind.lower(): kind for kind in Kind}
_LED_BY_KIND: Final = re.compile(rf"({'|'.join(sorted(_KIND_WORDS, key=len, reverse=True))})\s+(.*)", re.IGNORECASE)
_NUMBERED: Final = re.compile(r"-?\d+\s+(?=[A-Za-z])")
"""A number in front of the name that it belongs to, as titles have it."""
_QUOTED: Final = re.compile(
    r"code = (?P<fault>\d+)|DER_(?P<der>[A-Z0-9_]+)|\((?P<status>-[12]\d{3})\)|\b(?P<event>[a-z]+(?:_[a-z]+)+)\b"
)


def _named(words: str) -> tuple[Entry, ...]:
    """Return what the words, or all but a leading kind, name or number exactly."""
    kind, word = None, words.strip()
    if led := _LED_BY_KIND.fullmatch(word):
        kind, word = _KIND_WORDS[led[1].lower()], _NUMBERED.sub("", led[2].strip(), count=1)
    number = _number(word)
    found = entries() if kind is None else tuple(entry for entry in entries() if entry.kind is kind)
    if number is None:
        return tuple(entry for entry in _by_name().get(_plain(word), ()) if entry in found)
    return tuple(entry for entry in found if entry.number is not None and _is_number_of(entry, number))


def _number(word: str) -> int | None:
    return int(word) if re.fullmatch(r"-?\d+", word, re.ASCII) else None


def _is_number_of(entry: Entry, number: int) -> bool:
    if entry.kind is Kind.DER and number >= _DER_NUMBERS:
        return entry.number == -number
    return entry.number == number


def _quoted_in(words: str) -> Iterator[Entry]:
    """Return what a line of a log or an error speaks of, each once."""
    seen: set[str] = set()
    for match in _QUOTED.finditer(words):
        for entry in entries():
            if entry.title not in seen and _is_quoted(entry, match):
                seen.add(entry.title)
                yield entry


def _is_quoted(entry: Entry, match: re.Match[str]) -> bool:
    match entry.kind:
        case Kind.FAULT:
            return match["fault"] == str(entry.number)
        case Kind.DER:
            return match["status"] == str(entry.number) or match["der"] == entry.name.removeprefix("DER_")
        case Kind.EVENT:
            return match["event"] == entry.name
        case _:
            return False


def _containing(words: str) -> Iterator[Entry]:
    """Return what has every word: first what has them in its names, then what has them anywhere."""
    wanted = [_plain(word) for word in words.split() if _plain(word)]
    if not wanted:
        return
    named = [entry for entry, names, _ in _texts() if all(word in names for word in wanted)]
    yield from named
    yield from (
        entry for entry, names, rest in _texts() if entry not in named and all(word in names + rest for word in wanted)
    )


@cache
def _by_name() -> Mapping[str, Sequence[Entry]]:
    """Return what each name stands for, as ``_plain`` has it."""
    found: dict[str, list[Entry]] = {}
    for entry in entries():
        for name in (entry.name, *entry.other_names):
            found.setdefault(_plain(name), []).append(entry)
    return found


@cache
def _texts() -> Sequence[tuple[Entry, str, str]]:
    """Return each entry with its names and with its other words, as ``_plain`` has them."""
    texts = []
    for entry in entries():
        said = [entry.says, *entry.causes]
        for situation in entry.situations:
            said += [situation.meaning, *situation.steps]
        names = " ".join(_plain(name) for name in (entry.name, *entry.other_names))
        texts.append((entry, names, " " + " ".join(_plain(word) for text in said for word in text.split())))
    return texts


def _nearest(words: str) -> tuple[str, ...]:
    import difflib  # noqa: PLC0415 - only for what was not found

    near = difflib.get_close_matches(_plain(words), _by_name(), n=NEAREST * 2)
    return tuple(dict.fromkeys(_by_name()[name][0].name for name in near))[:NEAREST]


def _plain(word: str) -> str:
    """Leave out of a name what spellings differ in."""
    return "".join(char for char in word.lower() if char.isalnum())


# -- making ------------------------------------------------------------------------------------------------------------


def _fault(code: FaultCode) -> Entry:
    rows = fault_words.TABLE[code.name]
    note = fault_words.NOTES.get(code.name, "")
    return Entry(
        kind=Kind.FAULT,
        name=code.name,
        number=int(code),
        says=f"{rows[0].domain}: code = {int(code)}",
        situations=tuple(
            Situation(
                meaning=_sentence(_filled(row.description) if len(row.description.split()) > 1 else _only_fact(row)),
                steps=(_sentence(_filled(row.resolution)),) if row.resolution else (),
                facts=tuple(row.facts.items()),
            )
            for row in rows
        ),
        notes=(note,) if note else (),
    )


def _der(code: Der) -> Entry:
    words = der_words.WORDS[code]
    return Entry(
        kind=Kind.DER,
        name=f"DER_{code.name}",
        number=int(code),
        says=code.description,
        situations=(Situation(meaning=words.meaning, steps=words.steps),),
        causes=words.causes,
        other_names=(code.name,),
    )


def _event(event: EventId) -> Entry:
    words = event_words.WORDS[event]
    kind = words.kind.name.lower().replace("_", " ")
    return Entry(
        kind=Kind.EVENT,
        name=event.name.lower(),
        number=int(event),
        says=f"{words.severity.name if words.severity else 'any severity'}, {kind}",
        situations=(Situation(meaning=words.meaning, steps=words.steps),),
        causes=words.causes,
        notes=(f"What the system does by itself: {words.reaction}",) if words.reaction else (),
    )


def _state(state: MemberState) -> Entry:
    ways = [occasion.words.replace("`", "") for occasion in OCCASIONS if occasion.to is state]
    return Entry(
        kind=Kind.STATE,
        name=state.words,
        situations=(
            Situation(
                meaning=MEANINGS[state],
                steps=("See how a rank came to its state, and what brings it back: dmg system query --explain RANK",),
            ),
        ),
        causes=tuple(ways),
    )


def _property(name: str) -> Entry:
    kind = next(kind for prop, kind in KINDS.items() if prop.text == name)
    return Entry(
        kind=Kind.PROPERTY,
        name=name,
        says=kind.description,
        situations=(
            Situation(
                meaning=f"{kind.description}. It may be {', '.join(word.strip() for word in kind.allowed.split(','))}."
                + (f" By default it is {kind.default}." if kind.default else ""),
                steps=(f"See it: dmg pool get-prop POOL {name}",),
            ),
        ),
        notes=(f"It can be set: {kind.settable}.",),
        other_names=tuple(old for old, new in DEPRECATED.items() if new == name),
    )


def _only_fact(row: fault_words.Row) -> str:
    """Say what a description tells that consists of nothing but a fact."""
    (meaning,) = (meaning for name, meaning in row.facts.items() if row.description == f"{{{name}}}")
    return meaning


class _Filled(string.Formatter):
    """Puts the names of facts in the places of their values."""

    def get_value(self, key: int | str, args: Sequence[object], kwargs: object) -> object:
        return f"<{key}>"

    def format_field(self, value: object, format_spec: str) -> str:
        return f"'{value}'" if format_spec == "q" else str(value)


def _filled(template: str) -> str:
    return _Filled().vformat(template, (), {})


def _sentence(text: str) -> str:
    """Begin with a capital, unless a name or a place for one stands there."""
    first = text.split(" ", 1)[0]
    return text if not first.isalpha() else text[:1].upper() + text[1:]


def kinds() -> Iterable[tuple[Kind, int]]:
    """Return each kind and how many entries it has."""
    for kind in Kind:
        yield kind, sum(entry.kind is kind for entry in entries())
