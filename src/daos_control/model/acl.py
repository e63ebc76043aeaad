"""Access control lists of pools and containers: who may do what, as text and as values.

An entry is ``TYPES:FLAGS:PRINCIPAL:PERMISSIONS``. Letters may come in any order and repeat; they are written back in
one order, and lists in the order in which they are evaluated: the owner, users, the owning group, groups, everyone.

>>> entry = AclEntry.parse("A:G:research@:wr")
>>> str(entry), entry.principal.kind.name, str(entry.principal)
('A:G:research@:rw', 'GROUP', 'g:research@')
>>> AclEntry.parse("A::OWNER@:rx")
Traceback (most recent call last):
daos_control.model.acl.InvalidAcl: "A::OWNER@:rx": "x" at character 12 is not a permission (there are r w c d t T a A o)

What is refused here is what DAOS 2.8 refuses, with the status that it gives (``Der.INVAL``). DAOS stores permissions on
a pool that make no sense there; ``AclEntry.pointless`` finds them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
from typing import Final, Generic, Self, TypeVar

from daos_control.base.der import Der
from daos_control.base.errors import DaosError

MAX_ENTRY_BYTES: Final = 319
MAX_PRINCIPAL_BYTES: Final = 255
MAX_LIST_BYTES: Final = 65536
"""What the entries of a list may take as DAOS stores them."""
_HEADER_BYTES: Final = 32
_ALIGNMENT: Final = 8
_FIELDS: Final = ("access types", "flags", "a principal", "permissions")


class InvalidAcl(DaosError, ValueError):
    """An entry or a list that DAOS refuses; the text says what is wrong with it, and where.

    ``entry`` is the text in question, ``position`` the index in it of what is wrong, if it is one place; ``line`` the
    number of the line, or of the entry in a list, from 1.
    """

    def __init__(self, reason: str, *, entry: str = "", position: int | None = None, line: int | None = None) -> None:
        super().__init__(Der.INVAL)
        self.reason = reason
        self.entry = entry
        self.position = position
        self.line = line

    def __str__(self) -> str:
        where = f"entry {self.line}, " if self.line else ""
        return f'{where}"{self.entry}": {self.reason}' if self.entry else f"{where}{self.reason}"

    def at(self, line: int) -> Self:
        """Return the same with the number of its line."""
        return type(self)(self.reason, entry=self.entry, position=self.position, line=line)


class AccessType(IntFlag):
    """What an entry does with what it lists."""

    ALLOW = 1
    AUDIT = 2
    ALARM = 4


class AccessFlag(IntFlag):
    """Modifiers of an entry."""

    GROUP = 1
    POOL_INHERIT = 2
    FAILURE = 4
    SUCCESS = 8


class Permission(IntFlag):
    """What may be done."""

    READ = 1
    WRITE = 2
    CREATE_CONT = 4
    DELETE_CONT = 8
    GET_PROP = 16
    SET_PROP = 32
    GET_ACL = 64
    SET_ACL = 128
    SET_OWNER = 256


class PrincipalKind(IntEnum):
    """Kinds of principal, in the order of a list."""

    OWNER = 0
    USER = 1
    OWNER_GROUP = 2
    GROUP = 3
    EVERYONE = 4


TYPES: Final = {"A": AccessType.ALLOW, "U": AccessType.AUDIT, "L": AccessType.ALARM}
FLAGS: Final = {
    "G": AccessFlag.GROUP,
    "S": AccessFlag.SUCCESS,
    "F": AccessFlag.FAILURE,
    "P": AccessFlag.POOL_INHERIT,
}
PERMISSIONS: Final = {
    "r": Permission.READ,
    "w": Permission.WRITE,
    "c": Permission.CREATE_CONT,
    "d": Permission.DELETE_CONT,
    "t": Permission.GET_PROP,
    "T": Permission.SET_PROP,
    "a": Permission.GET_ACL,
    "A": Permission.SET_ACL,
    "o": Permission.SET_OWNER,
}
"""Letters in the order in which they are written."""

POOL_PERMISSIONS: Final = Permission(0x1F)
CONTAINER_PERMISSIONS: Final = Permission(0x1FB)

NO_TYPES: Final = AccessType(0)
NO_FLAGS: Final = AccessFlag(0)
NOTHING: Final = Permission(0)

SPECIAL: Final = {
    "OWNER@": PrincipalKind.OWNER,
    "GROUP@": PrincipalKind.OWNER_GROUP,
    "EVERYONE@": PrincipalKind.EVERYONE,
}
GROUPS: Final = frozenset({PrincipalKind.OWNER_GROUP, PrincipalKind.GROUP})
_NAMED: Final = {"u:": PrincipalKind.USER, "g:": PrincipalKind.GROUP}

Letters = TypeVar("Letters", AccessType, AccessFlag, Permission)


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """Whom an entry is about; a list has at most one entry about each.

    The text is the form in which an entry's removal names it: ``OWNER@``, ``GROUP@``, ``EVERYONE@``, ``u:name@``,
    ``g:name@``.
    """

    kind: PrincipalKind
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read that form; InvalidAcl says what is wrong."""
        if text in SPECIAL:
            return cls(SPECIAL[text], text)
        kind = _NAMED.get(text[:2])
        if kind is None:
            raise InvalidAcl("name one of OWNER@, GROUP@, EVERYONE@, u:NAME@ or g:NAME@", entry=text)
        problem = name_problem(text[2:])
        if problem:
            raise InvalidAcl(problem, entry=text, position=2)
        return cls(kind, text[2:])

    def __str__(self) -> str:
        prefix = {kind: prefix for prefix, kind in _NAMED.items()}.get(self.kind, "")
        return f"{prefix}{self.name}"

    @property
    def is_group(self) -> bool:
        """Whether it is a group, so that an entry about it needs the flag."""
        return self.kind in GROUPS


def name_problem(name: str) -> str:
    """Say what is wrong with the name of a user or group; nothing if nothing is."""
    if not name:
        return "the principal is missing: name OWNER@, GROUP@, EVERYONE@, or a user or group such as ann@"
    if len(name.encode()) > MAX_PRINCIPAL_BYTES:
        return f"the principal is longer than {MAX_PRINCIPAL_BYTES} bytes"
    if "@" not in name:
        return f'the principal "{name}" has no "@": users and groups are written name@ or name@domain'
    if name.startswith("@") or name.count("@") > 1:
        return f'the principal "{name}" has to be a name, one "@" and perhaps a domain'
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AclEntry:
    """What is allowed to one principal, or watched.

    Text has the same permissions for all types of an entry. An entry with others can be built, but not be written.
    """

    principal: Principal
    flags: AccessFlag = NO_FLAGS
    types: AccessType = AccessType.ALLOW
    allow: Permission = NOTHING
    audit: Permission = NOTHING
    alarm: Permission = NOTHING

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an entry; InvalidAcl says what is wrong, and where."""
        if len(text.encode()) > MAX_ENTRY_BYTES:
            raise InvalidAcl(f"longer than {MAX_ENTRY_BYTES} bytes", entry=text, position=MAX_ENTRY_BYTES)
        fields = text.split(":")
        if len(fields) != len(_FIELDS):
            raise _miscounted(text, fields)
        starts = [sum(len(field) + 1 for field in fields[:number]) for number in range(len(fields))]
        types = _parse_letters(text, starts[0], fields[0], _Alphabet(TYPES, NO_TYPES, "an access type"))
        flags = _parse_letters(text, starts[1], fields[1], _Alphabet(FLAGS, NO_FLAGS, "a flag"))
        problem = name_problem(fields[2])
        if problem:
            raise InvalidAcl(problem, entry=text, position=starts[2])
        named = PrincipalKind.GROUP if AccessFlag.GROUP in flags else PrincipalKind.USER
        permissions = _parse_letters(text, starts[3], fields[3], _Alphabet(PERMISSIONS, NOTHING, "a permission"))
        entry = cls(
            principal=Principal(SPECIAL.get(fields[2], named), fields[2]),
            flags=flags,
            types=types,
            allow=permissions if AccessType.ALLOW in types else NOTHING,
            audit=permissions if AccessType.AUDIT in types else NOTHING,
            alarm=permissions if AccessType.ALARM in types else NOTHING,
        )
        problem = entry.problem()
        if problem:
            raise InvalidAcl(problem, entry=text)
        return entry

    def __str__(self) -> str:
        sets = {permissions for kind, permissions in self.by_type.items() if kind in self.types}
        if len(sets) > 1:
            raise InvalidAcl(f"the entry about {self.principal} has other permissions for each type: no text says that")
        permissions = sets.pop() if sets else NOTHING
        return ":".join(
            (
                _letters(self.types, TYPES),
                _letters(self.flags, FLAGS),
                self.principal.name,
                _letters(permissions, PERMISSIONS),
            )
        )

    @property
    def by_type(self) -> Mapping[AccessType, Permission]:
        """The permissions of each type."""
        return {AccessType.ALLOW: self.allow, AccessType.AUDIT: self.audit, AccessType.ALARM: self.alarm}

    def problem(self) -> str:
        """Say why DAOS would refuse the entry; nothing if it would not."""
        if not self.types:
            return "there is no access type: begin with A (allow), U (audit) or L (alarm)"
        if any(permissions for kind, permissions in self.by_type.items() if kind not in self.types):
            return "it has permissions of a type that it does not have"
        return self._group_problem() or self._watch_problem() or name_problem(self.principal.name)

    def _group_problem(self) -> str:
        name = self.principal.name
        if self.principal.is_group == (AccessFlag.GROUP in self.flags):
            return ""
        if self.principal.is_group:
            return f"{name} is a group, so the entry needs the flag G (A:G:{name}:...)"
        return f"{name} is not a group, so the entry must be without the flag G"

    def _watch_problem(self) -> str:
        watches = bool(self.types & (AccessType.AUDIT | AccessType.ALARM))
        tells_when = bool(self.flags & (AccessFlag.SUCCESS | AccessFlag.FAILURE))
        if watches == tells_when:
            return ""
        if watches:
            return "an audit or alarm needs the flag S (on success), F (on failure) or both"
        return "the flags S and F are for audits (U) and alarms (L) only"

    def pointless(self, meaningful: Permission) -> str:
        """Return the letters of permissions that have no meaning for an object (``POOL_PERMISSIONS`` ...)."""
        return _letters((self.allow | self.audit | self.alarm) & ~meaningful, PERMISSIONS)

    @property
    def stored_bytes(self) -> int:
        """What it takes in a stored list."""
        if self.principal.kind not in _NAMED.values():
            return _HEADER_BYTES
        name = len(self.principal.name.encode()) + 1
        return _HEADER_BYTES + -(-name // _ALIGNMENT) * _ALIGNMENT


def _miscounted(text: str, fields: list[str]) -> InvalidAcl:
    if len(fields) < len(_FIELDS):
        missing = f"it ends before {_FIELDS[len(fields)]}"
        return InvalidAcl(f"{missing}: an entry is TYPES:FLAGS:PRINCIPAL:PERMISSIONS", entry=text, position=len(text))
    position = sum(len(field) + 1 for field in fields[: len(_FIELDS)]) - 1
    reason = f'the ":" at character {position + 1} is one too many: an entry is TYPES:FLAGS:PRINCIPAL:PERMISSIONS'
    return InvalidAcl(reason, entry=text, position=position)


@dataclass(frozen=True, slots=True)
class _Alphabet(Generic[Letters]):
    """The letters of one field."""

    known: Mapping[str, Letters]
    nothing: Letters
    what: str


def _parse_letters(entry: str, start: int, field: str, alphabet: _Alphabet[Letters]) -> Letters:
    found = alphabet.nothing
    for position, letter in enumerate(field, start):
        if letter not in alphabet.known:
            there_are = " ".join(alphabet.known)
            reason = f'"{letter}" at character {position + 1} is not {alphabet.what} (there are {there_are})'
            raise InvalidAcl(reason, entry=entry, position=position)
        found |= alphabet.known[letter]
    return found


def _letters(bits: Letters, known: Mapping[str, Letters]) -> str:
    return "".join(letter for letter, bit in known.items() if bit in bits)


@dataclass(frozen=True, slots=True)
class AccessControlList:
    """Entries in order, at most one about each principal.

    >>> acl = AccessControlList.parse(["A::EVERYONE@:r", "A::OWNER@:rw"])
    >>> [str(entry) for entry in acl.updated(AccessControlList.parse(["A::ann@:rw"]))]
    ['A::OWNER@:rw', 'A::ann@:rw', 'A::EVERYONE@:r']
    >>> [str(entry) for entry in acl.without(Principal.parse("EVERYONE@"))]
    ['A::OWNER@:rw']
    """

    entries: tuple[AclEntry, ...] = ()

    def __post_init__(self) -> None:
        # A stable sort: entries of the same kind stay in the order of their arrival, as they do in DAOS.
        ordered = tuple(sorted(self.entries, key=lambda entry: entry.principal.kind))
        object.__setattr__(self, "entries", ordered)
        for number, entry in enumerate(ordered):
            problem = entry.problem()
            if problem:
                raise InvalidAcl(problem)
            if any(entry.principal == other.principal for other in ordered[:number]):
                raise InvalidAcl(f"there are two entries about {entry.principal}")
        size = sum(entry.stored_bytes for entry in ordered)
        if size > MAX_LIST_BYTES:
            raise InvalidAcl(f"{len(ordered)} entries take {size} bytes, and there may be {MAX_LIST_BYTES}")

    def __iter__(self) -> Iterator[AclEntry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Self:
        """Read entries; InvalidAcl says what is wrong with which."""
        found: list[AclEntry] = []
        first: dict[Principal, int] = {}
        for number, text in enumerate(texts, 1):
            try:
                entry = AclEntry.parse(text)
            except InvalidAcl as error:
                raise error.at(number) from error
            if entry.principal in first:
                reason = f"entry {first[entry.principal]} is about {entry.principal} already"
                raise InvalidAcl(reason, entry=text, line=number)
            first[entry.principal] = number
            found.append(entry)
        return cls(tuple(found))

    @classmethod
    def parse_text(cls, text: str) -> Self:
        """Read the text of a file; the numbers in errors count its entries."""
        return cls.parse(entry_lines(text))

    def updated(self, changes: "AccessControlList") -> Self:
        """Return the list with entries added, or put in the place of those about the same principals."""
        merged = {entry.principal: entry for entry in self.entries}
        for entry in changes:
            merged[entry.principal] = entry
        return replace(self, entries=tuple(merged.values()))

    def without(self, principal: Principal) -> Self:
        """Return the list without a principal; DaosError NONEXIST if it has none."""
        kept = tuple(entry for entry in self.entries if entry.principal != principal)
        if len(kept) == len(self.entries):
            raise DaosError(Der.NONEXIST)
        return replace(self, entries=kept)

    def to_text(self, *, owner_user: str = "", owner_group: str = "", verbose: bool = False) -> str:
        """Write the text of a file that can be read back."""
        return acl_text([str(entry) for entry in self], owner_user, owner_group, verbose=verbose)


def entry_lines(text: str) -> tuple[str, ...]:
    """Return the entries in the text of a file, unread: blank lines and comments are left out."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def acl_text(entries: Iterable[str], owner_user: str = "", owner_group: str = "", *, verbose: bool = False) -> str:
    """Lay out entries as a file that can be read back; ``verbose`` spells each out above it."""
    lines = [f"# Owner: {owner_user}"] if owner_user else []
    lines += [f"# Owner Group: {owner_group}"] if owner_group else []
    lines.append("# Entries:")
    shown = [line for entry in entries for line in ([f"# {spelled(entry)}", entry] if verbose else [entry])]
    return "\n".join([*lines, *(shown or ["#   None"])]) + "\n"


_TYPE_WORDS: Final = {"A": "Allow"}
_FLAG_WORDS: Final = {"G": "Group"}
_PRINCIPAL_WORDS: Final = {"OWNER@": "Owner", "GROUP@": "Owner-Group", "EVERYONE@": "Everyone"}
_PERMISSION_WORDS: Final = {
    "r": "Read",
    "w": "Write",
    "c": "Create-Cont",
    "d": "Destroy-Cont",
    "t": "Get-Prop",
    "T": "Set-Prop",
    "a": "Get-ACL",
    "A": "Set-ACL",
    "o": "Set-Owner",
}
"""What DAOS 2.8's dmg has words for; audits, alarms and their flags it calls unknown."""


def spelled(entry: str) -> str:
    """Spell the text of an entry out, as DAOS's tools do; it need not be a valid one.

    >>> spelled("A:G:GROUP@:rw"), spelled("U:S:ann@:")
    ('Allow:Group:Owner-Group:Read/Write', 'Unknown:Unknown:ann@:None')
    """

    def words(letters: str, known: Mapping[str, str]) -> str:
        return "/".join(known.get(letter, "Unknown") for letter in letters)

    types, flags, name, permissions = (entry.split(":", 3) + [""] * 3)[:4]
    who = _PRINCIPAL_WORDS.get(name, name)
    spelled_out = (words(types, _TYPE_WORDS), words(flags, _FLAG_WORDS), who)
    return ":".join((*spelled_out, words(permissions, _PERMISSION_WORDS) or "None"))
