"""One number for the structure of a host, so that hosts with equal hardware fall together.

The numbers are those that DAOS 2.8's dmg prints as keys of its JSON documents: a 64-bit FNV-1 hash over names and
values, where the order in lists does not count and some facts (a serial number, free memory) do not count at all.
A record is a dataclass whose fields are made with ``fact``; its class has the structure's name.
"""

import struct
from collections.abc import Hashable
from dataclasses import Field, field, fields
from functools import cache, lru_cache
from typing import Any, cast

_MASK = (1 << 64) - 1


def fact(
    name: str,
    code: str = "",
    *,
    default: Any = None,
    ignored: bool = False,
    unordered: bool = False,
    of: Any = None,
    absent: Any = None,
) -> Any:
    """Make a record's field: ``name`` in the structure, and how its value counts.

    ``code`` is the ``struct`` letter of a number. ``unordered`` marks a list that is declared a set; ``ignored`` facts
    do not count. ``of`` is the record class of a field, or of a list's items; a callable ``default`` is a factory.
    None counts as ``absent``.
    """
    metadata = {
        "name": name,
        "code": code,
        "ignored": ignored,
        "unordered": unordered,
        "of": of,
        "absent": absent,
    }
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


def fingerprint(value: object, code: str = "", *, unordered: bool = False) -> int:
    """Return the number for a record, or for a part of one.

    >>> fingerprint("daos"), fingerprint(None)
    (1504118158285238670, 12161962213042174405)
    """
    if code and not isinstance(value, tuple):
        return _hash(struct.pack(f"<{code}", value))
    match value:
        case None:
            return _hash(bytes(8))
        case str():
            return _hash(value.encode())
        case tuple():
            total = 0
            for item in value:
                total ^= fingerprint(item, code)
            return _hash(struct.pack("<Q", total)) if unordered else total
        case dict():
            total = 0
            for key, item in value.items():
                total ^= _pair(fingerprint(key), fingerprint(item))
            return _hash(struct.pack("<Q", total))
        case _:
            return _record(value)


def _record(record: Any) -> int:
    total = _name(type(record).__name__)
    for part in _counted(cast("Hashable", type(record))):
        facts = part.metadata
        value = getattr(record, part.name)
        value = facts["absent"] if value is None else value
        number = fingerprint(value, facts["code"], unordered=facts["unordered"])
        total = _hash(struct.pack("<Q", total ^ _pair(_name(facts["name"]), number)))
    return total


@cache
def _counted(record: Hashable) -> tuple["Field[Any]", ...]:
    return tuple(part for part in fields(cast("type[Any]", record)) if not part.metadata["ignored"])


@cache
def _name(name: str) -> int:
    return _hash(name.encode())


def _pair(first: int, second: int) -> int:
    return _hash(struct.pack("<QQ", first, second))


@lru_cache(maxsize=1 << 14)  # hosts of one system are made of the same parts, over and over
def _hash(data: bytes) -> int:
    number = 0xCBF29CE484222325
    for byte in data:
        number = ((number * 0x100000001B3) & _MASK) ^ byte
    return number
