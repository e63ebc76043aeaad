"""Access control entries as engines read and write them: ``A:G:research@:rw``.

An entry is TYPES:FLAGS:PRINCIPAL:PERMISSIONS. Letters may come in any order and repeat; they are written back in one
order. A list is sorted by kind of principal (owner, users, owning group, groups, everyone), and within a kind by
arrival.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from daos_control.base.der import Der
from daos_control.base.errors import DaosError

TYPES = "AUL"
FLAGS = "GSFP"
PERMISSIONS = "rwcdtTaAo"
MAX_ENTRY = 319
MAX_PRINCIPAL = 255
MAX_LIST_BYTES = 65536
ENTRY_HEADER_BYTES = 32
DEFAULT = ("A::OWNER@:rw", "A:G:GROUP@:rw")


class Kind(IntEnum):
    """Kinds of principal, in the order of a list."""

    OWNER = 0
    USER = 1
    OWNER_GROUP = 2
    GROUP = 3
    EVERYONE = 4


_SPECIAL = {"OWNER@": Kind.OWNER, "GROUP@": Kind.OWNER_GROUP, "EVERYONE@": Kind.EVERYONE}
_GROUPS = {Kind.OWNER_GROUP, Kind.GROUP}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; ``str()`` gives the canonical text."""

    types: str
    flags: str
    principal: str
    permissions: str
    kind: Kind

    def __str__(self) -> str:
        return f"{self.types}:{self.flags}:{self.principal}:{self.permissions}"

    @property
    def subject(self) -> tuple[Kind, str]:
        """Whom it is about: at most one entry of a list is about each."""
        return self.kind, self.principal

    @property
    def encoded_bytes(self) -> int:
        """Space it takes in a stored list; lists have a limit."""
        name = 0 if self.kind not in {Kind.USER, Kind.GROUP} else len(self.principal.encode()) + 1
        return ENTRY_HEADER_BYTES + -(-name // 8) * 8


def parse_entry(text: str) -> Entry:
    """Read an entry; raises DaosError INVAL.

    >>> str(parse_entry("A:G:GROUP@:wr"))
    'A:G:GROUP@:rw'
    """
    fields = text.split(":")
    if len(text.encode()) > MAX_ENTRY or len(fields) != 4:
        raise DaosError(Der.INVAL)
    types, flags, principal, permissions = fields
    entry = Entry(
        _ordered(types, TYPES),
        _ordered(flags, FLAGS),
        principal,
        _ordered(permissions, PERMISSIONS),
        _kind(principal, is_group="G" in flags),
    )
    if not _is_valid(entry):
        raise DaosError(Der.INVAL)
    return entry


def parse_list(texts: Iterable[str]) -> tuple[Entry, ...]:
    """Read a list and sort it; raises DaosError INVAL, also for two entries about one principal or no entry."""
    entries = sorted((parse_entry(text) for text in texts), key=lambda entry: entry.kind)
    subjects = {entry.subject for entry in entries}
    if not entries or len(subjects) != len(entries):
        raise DaosError(Der.INVAL)
    return _limited(entries)


def merge(current: Sequence[Entry], update: Sequence[Entry]) -> tuple[Entry, ...]:
    """Replace entries about the same principals in place; put new ones behind others of their kind."""
    merged = list(current)
    for entry in update:
        for index, old in enumerate(merged):
            if old.subject == entry.subject:
                merged[index] = entry
                break
        else:
            merged.append(entry)
    return _limited(sorted(merged, key=lambda entry: entry.kind))


def without(current: Sequence[Entry], principal: str) -> tuple[Entry, ...]:
    """Remove the entry about ``OWNER@``, ``GROUP@``, ``EVERYONE@``, ``u:name@`` or ``g:name@``.

    Raises DaosError INVAL for another form, NONEXIST if there is no such entry.
    """
    subject = _parse_subject(principal)
    kept = tuple(entry for entry in current if entry.subject != subject)
    if len(kept) == len(current):
        raise DaosError(Der.NONEXIST)
    return kept


def _parse_subject(text: str) -> tuple[Kind, str]:
    if text in _SPECIAL:
        return _SPECIAL[text], text
    kind = {"u:": Kind.USER, "g:": Kind.GROUP}.get(text[:2])
    if kind is None or not _is_principal(text[2:]):
        raise DaosError(Der.INVAL)
    return kind, text[2:]


def _ordered(letters: str, known: str) -> str:
    if not set(letters) <= set(known):
        raise DaosError(Der.INVAL)
    return "".join(letter for letter in known if letter in letters)


def _kind(principal: str, *, is_group: bool) -> Kind:
    return _SPECIAL.get(principal, Kind.GROUP if is_group else Kind.USER)


def _is_principal(name: str) -> bool:
    return 0 < len(name.encode()) <= MAX_PRINCIPAL and not name.startswith("@") and name.count("@") == 1


def _is_valid(entry: Entry) -> bool:
    watches = "U" in entry.types or "L" in entry.types
    tells_when = "S" in entry.flags or "F" in entry.flags
    return (
        bool(entry.types)
        and _is_principal(entry.principal)
        and ("G" in entry.flags) == (entry.kind in _GROUPS)
        and watches == tells_when
    )


def _limited(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    if sum(entry.encoded_bytes for entry in entries) > MAX_LIST_BYTES:
        raise DaosError(Der.INVAL)
    return tuple(entries)
