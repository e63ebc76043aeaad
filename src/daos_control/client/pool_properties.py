"""Pool properties between people and the wire; what each may be is in ``model.pool_property_text``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daos_control.base.rankset import RankSet
from daos_control.client.errors import InvalidRequest, UnexpectedReply
from daos_control.model.pool_property import PoolProperty
from daos_control.model.pool_property_text import KINDS, fixed, named, show
from daos_control.wire.pb.mgmt import pool_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyValue:
    """A property of a pool, with its value as text, and as documents give it."""

    name: str
    description: str
    text: str
    value: int | str | list[int]


def number(name: str) -> PoolProperty:
    """Return the property of this name."""
    try:
        return named(name)
    except ValueError as error:
        raise InvalidRequest(str(error)) from error


def all_numbers() -> list[PoolProperty]:
    """Return all properties that can be asked for, by name."""
    return sorted(KINDS, key=lambda kind: kind.text)


def to_pb(properties: Mapping[str, str]) -> list[pool_pb2.PoolProperty]:
    """Turn names and texts into what is sent, by name; InvalidRequest says what is wrong with one."""
    found = {number(name): text for name, text in properties.items()}
    if len(found) < len(properties):
        raise InvalidRequest("a property is given twice, under an old and a new name")
    return [_to_pb(kind, found[kind]) for kind in sorted(found, key=lambda kind: kind.text)]


def refuse_fixed(names: Iterable[str]) -> None:
    """Refuse properties that a pool has had since it was made."""
    for name in fixed([number(name).text for name in names]):
        raise InvalidRequest(f"{name} can only be set when a pool is created")


def _to_pb(kind: PoolProperty, text: str) -> pool_pb2.PoolProperty:
    try:
        value = KINDS[kind].parse(text)
    except ValueError as error:
        raise InvalidRequest(str(error)) from error
    if isinstance(value, str):
        return pool_pb2.PoolProperty(number=kind, strval=value)
    return pool_pb2.PoolProperty(number=kind, numval=value)


def from_pb(wanted: Sequence[PoolProperty], received: Iterable[Any]) -> tuple[PropertyValue, ...]:
    """Read the values received, in the order they were asked for; those that are unset are left out."""
    values: dict[int, Any] = {}
    for value in received:
        if value.number in values:
            raise UnexpectedReply(f"property number {value.number} was sent twice")
        values[value.number] = value
    return tuple(_from_pb(kind, values[kind]) for kind in wanted if kind in values and values[kind].WhichOneof("value"))


def _from_pb(kind: PoolProperty, received: Any) -> PropertyValue:
    row = KINDS[kind]
    raw: int | str = getattr(received, received.WhichOneof("value"))
    text = show(kind, raw)
    value: int | str | list[int] = raw if row.numeric else text
    if kind is PoolProperty.SVC_LIST:
        value = list(RankSet.parse(text))
    return PropertyValue(name=kind.text, description=row.description, text=text, value=value)
