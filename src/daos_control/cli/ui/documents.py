"""Records as DAOS's JSON documents have them."""

import struct
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, NamedTuple

from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet


class Verbatim(NamedTuple):
    """What is a document already, to the order of its keys and the last digit of its numbers."""

    value: Any


def document(value: Any) -> Any:  # noqa: C901, PLR0911 - a table of types
    """Turn a value into what JSON can hold: a record becomes an object, a tuple without members null.

    What is a document already, an empty list too, stays as it is; so does a set of ranks without members. Keys come in
    the order they have: those of a record as DAOS writes them. Whoever makes a mapping with keys of all kinds calls
    ``by_key``, as DAOS sorts those.
    """
    match value:
        case Verbatim():
            return value.value
        case None | bool() | int() | str():
            return value
        case float():
            return _float(value)
        case datetime():
            return moment(value)
        case HostSet():
            return str(value)
        case RankSet():
            return list(value)
        case tuple():
            return [document(item) for item in value] or None
        case list():
            return [document(item) for item in value]
        case Mapping():
            return {str(key): document(item) for key, item in value.items()}
        case _:
            pass
    if is_dataclass(value):
        return {part.name.rstrip("_"): document(getattr(value, part.name)) for part in fields(value)}
    raise TypeError(f"{type(value).__name__} has no place in a document")


def by_key(found: Mapping[Any, Any]) -> dict[str, Any]:
    """Order a mapping as DAOS does in its documents: by its keys as text."""
    return dict(sorted((str(key), value) for key, value in found.items()))


def moment(value: datetime) -> str:
    """Write a time as RFC 3339, without trailing zeros.

    >>> moment(datetime.fromisoformat("2026-03-04T05:06:00.250+00:00"))
    '2026-03-04T05:06:00.25Z'
    """
    fraction = f".{value.microsecond:06}".rstrip("0").rstrip(".")
    offset = value.strftime("%z")
    zone = "Z" if offset in {"", "+0000"} else f"{offset[:3]}:{offset[3:]}"
    return f"{value.year:04}{value.strftime('-%m-%dT%H:%M:%S')}{fraction}{zone}"


def _float(value: float) -> float | int:
    """Write a 32-bit float with the digits it needs and no more."""
    for digits in range(6, 10):
        short = float(f"{value:.{digits}g}")
        if struct.pack("<f", short) == struct.pack("<f", value):
            return int(short) if short.is_integer() else short
    return value
