"""Pool properties as people write and read them: names, values in words, and numbers on the wire."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from daos_control.base.rankset import RankSet
from daos_control.base.units import format_iec, parse_size
from daos_control.client.errors import InvalidRequest, UnexpectedReply
from daos_control.model.pool_property import PoolProperty
from daos_control.wire.pb.mgmt import pool_pb2

LABEL_LENGTH: Final = 127
_LABEL: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-")
_MAX_32: Final = 0xFFFFFFFF

Parse = Callable[[str], int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyKind:
    """How values of one property are written, shown and sent."""

    description: str
    parse: Parse = field(default=str)
    """Text to what is sent; ValueError says what would have been right."""
    choices: Mapping[str, int] = field(default_factory=dict)
    show: Callable[[int], str] = field(default=str)
    numeric: bool = True
    """Whether documents give the number, and not the text."""
    at_creation_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyValue:
    """A property of a pool, with its value as text, and as documents give it."""

    name: str
    description: str
    text: str
    value: int | str | list[int]


def is_label(text: str) -> bool:
    """Whether a pool or a container may be called so: a label must not look like a UUID."""
    return 0 < len(text) <= LABEL_LENGTH and set(text) <= _LABEL and not is_uuid(text)


def is_uuid(text: str) -> bool:
    """Whether this is a UUID in its usual form."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _label(text: str) -> str:
    if not is_label(text):
        raise ValueError(
            f'invalid label "{text}": use 1 to {LABEL_LENGTH} letters, digits and any of ._:- that are not a UUID'
        )
    return text


def _number(what: str, low: int, high: int, *, percent: bool = False, shown: str = "") -> Parse:
    def parse(text: str) -> int:
        digits = text.replace("%", "") if percent else text
        if digits.isascii() and digits.isdigit() and low <= int(digits) <= high:
            return int(digits)
        raise ValueError(f"invalid {what} value {text} (valid values: {shown or f'{low}-{high}'})")

    return parse


def _ec_cell(text: str) -> int:
    size = parse_size(text)
    if not 4096 <= size <= 1 << 20 or size % 32:
        raise ValueError(f'invalid EC Cell size "{text}": use a multiple of 32 bytes from 4 KiB to 1 MiB')
    return size


def _threshold(text: str) -> int:
    size = parse_size(text)
    if size > _MAX_32:
        raise ValueError(f'invalid data threshold size "{text}": it must be less than 4 GiB')
    return size


def _choices(description: str, *, at_creation_only: bool = False, **choices: int) -> PropertyKind:
    return PropertyKind(description=description, choices=choices, numeric=False, at_creation_only=at_creation_only)


_SELF_HEAL: Final = {
    "none": 0,
    "exclude": 1,
    "rebuild": 2,
    "delay_rebuild": 4,
    "exclude;rebuild": 3,
    "rebuild;exclude": 3,
    "exclude;delay_rebuild": 5,
    "delay_rebuild;exclude": 5,
}
_UPGRADE: Final = {"not started": 0, "in progress": 1, "completed": 2, "failed": 3}
_P = PoolProperty

KINDS: Final[Mapping[PoolProperty, PropertyKind]] = {
    _P.LABEL: PropertyKind(description="Pool label", parse=_label, numeric=False),
    _P.SPACE_RB: PropertyKind(
        description="Rebuild space ratio", parse=_number("space_rb", 0, 100, percent=True), show="{}%".format
    ),
    _P.SELF_HEAL: PropertyKind(description="Self-healing policy", choices=_SELF_HEAL, numeric=False),
    _P.RECLAIM: _choices("Reclaim strategy", disabled=0, lazy=1, time=4),
    _P.SVC_LIST: PropertyKind(description="Pool service replica list", numeric=False),
    _P.EC_CELL_SZ: PropertyKind(description="EC cell size", parse=_ec_cell, show=format_iec),
    _P.DATA_THRESH: PropertyKind(description="Data bdev threshold size", parse=_threshold, show=format_iec),
    _P.RD_FAC: PropertyKind(description="Pool redundancy factor", parse=_number("redun fac", 0, 4)),
    _P.EC_PDA: PropertyKind(
        description="Performance domain affinity level of EC",
        parse=_number("ec_pda", 1, _MAX_32, shown="1 and above"),
        at_creation_only=True,
    ),
    _P.RP_PDA: PropertyKind(
        description="Performance domain affinity level of RP",
        parse=_number("rp_pda", 1, _MAX_32, shown="1 and above"),
        at_creation_only=True,
    ),
    _P.GLOBAL_VERSION: PropertyKind(description="Global Version", parse=_number("global_version", 0, _MAX_32)),
    _P.UPGRADE_STATUS: PropertyKind(description="Upgrade Status", choices=_UPGRADE, numeric=False),
    _P.SCRUB: _choices("Checksum scrubbing mode", off=0, lazy=1, timed=2),
    _P.SCRUB_FREQ: PropertyKind(
        description="Checksum scrubbing frequency",
        parse=_number("scrub_freq", 0, 1 << 64, percent=True, shown="seconds"),
    ),
    _P.SCRUB_THRESH: PropertyKind(
        description="Checksum scrubbing threshold",
        parse=_number("scrub_thresh", 0, 1 << 64, percent=True, shown="a number of errors"),
    ),
    _P.SVC_RF: PropertyKind(
        description="Pool service redundancy factor", parse=_number("service redundancy factor", 0, 4)
    ),
    _P.PERF_DOMAIN: _choices("Pool performance domain", root=255, group=200, at_creation_only=True),
    _P.CHECKPOINT: _choices("WAL checkpointing behavior", disabled=0, timed=1, lazy=2),
    _P.CHECKPOINT_FREQ: PropertyKind(
        description="WAL checkpointing frequency, in seconds",
        parse=_number("checkpoint_freq", 0, 1 << 64, shown="seconds"),
    ),
    _P.CHECKPOINT_THRESH: PropertyKind(
        description="WAL checkpoint threshold, in percentage", parse=_number("checkpoint_thresh", 0, _MAX_32)
    ),
    _P.REINTEGRATION: _choices("Reintegration mode", data_sync=0, no_data_sync=1, incremental=2),
    _P.SVC_OPS_ENABLED: PropertyKind(
        description="Metadata duplicate operations detection enabled", parse=_number("svc_ops_enabled", 0, 1)
    ),
    _P.SVC_OPS_ENTRY_AGE: PropertyKind(
        description="Metadata duplicate operations KVS max entry age, in seconds",
        parse=_number("svc_ops_entry_age", 60, 600),
    ),
}
DEPRECATED: Final = {"rf": "rd_fac"}
NAMES: Final = tuple(sorted(kind.text for kind in KINDS))


def number(name: str) -> PoolProperty:
    """Return the property of this name."""
    wanted = DEPRECATED.get(name, name)
    for kind in KINDS:
        if kind.text == wanted:
            return kind
    raise InvalidRequest(f'"{name}" is not a pool property (valid: {",".join(NAMES)})')


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
    fixed = [name for name in names if KINDS[number(name)].at_creation_only]
    if fixed:
        raise InvalidRequest(f"{fixed[0]} can only be set when a pool is created")


def _to_pb(kind: PoolProperty, text: str) -> pool_pb2.PoolProperty:
    row = KINDS[kind]
    try:
        if row.choices:
            value: int | str = row.choices[text.lower()]
        else:
            value = row.parse(text)
    except KeyError:
        allowed = ",".join(sorted(row.choices))
        raise InvalidRequest(f'invalid value "{text}" for {kind.text} (valid: {allowed})') from None
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
    value: int | str | list[int]
    if received.WhichOneof("value") == "strval":
        text = value = received.strval
        if kind is PoolProperty.SVC_LIST:
            value = list(RankSet.parse(text))
    elif row.choices:
        names = [name for name, choice in row.choices.items() if choice == received.numval]
        text = value = names[0] if names else "unknown"
    else:
        text = row.show(received.numval)
        value = received.numval if row.numeric else text
    return PropertyValue(name=kind.text, description=row.description, text=text, value=value)
