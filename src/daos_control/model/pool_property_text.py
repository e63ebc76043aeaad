"""Pool properties as people write and read them: what each may be, and how it is shown.

``KINDS`` is the whole table. ``parse`` and ``show`` go from text to what is sent and back; what is wrong with a text is
said by ``WrongValue``, which names what would be right.

>>> parse("ec_cell_sz", "64KiB"), parse("reclaim", "Lazy"), parse("rf", "2")
((<PoolProperty.EC_CELL_SZ: 9>, 65536), (<PoolProperty.RECLAIM: 5>, 1), (<PoolProperty.RD_FAC: 11>, 2))
>>> show(PoolProperty.EC_CELL_SZ, 65536)
'64 KiB'
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

from daos_control.base.units import format_iec, parse_size
from daos_control.model.pool_property import PoolProperty

LABEL_LENGTH: Final = 127
LABEL_RULE: Final = f"use 1 to {LABEL_LENGTH} letters, digits and any of ._:- that are not a UUID"
_LABEL: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-")
_MAX_32: Final = 0xFFFFFFFF
_MAX_64: Final = 0xFFFFFFFFFFFFFFFF
_CELL: Final = range(4096, (1 << 20) + 1, 32)

Parse = Callable[[str], int | str]


class WrongValue(ValueError):
    """A property cannot be set to this; the text says to what it can."""


class UnknownProperty(ValueError):
    """There is no property of this name; the text names all there are."""


class Settable(StrEnum):
    """When a property can be set."""

    ALWAYS = "any time"
    AT_CREATION = "when a pool is made"
    """Clients refuse it later."""
    KEPT = "when a pool is made; engines refuse it later"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyKind:
    """How values of one property are written, shown and sent."""

    description: str
    allowed: str
    """What people may write, for them."""
    parse: Parse
    """Text to what is sent; ValueError says what is wrong."""
    choices: Mapping[str, int] = field(default_factory=dict)
    """Values that have words; the first word of a number is the one that is shown."""
    show: Callable[[int], str] = field(default=str)
    numeric: bool = True
    """Whether documents give the number, and not the text."""
    default: str = ""
    """What engines take if nobody says anything, as it is shown."""
    settable: Settable = Settable.ALWAYS


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
        raise WrongValue(f'invalid label "{text}": {LABEL_RULE}')
    return text


def _svc_list(text: str) -> str:
    raise WrongValue(f'cannot set svc_list to "{text}": the pool service itself chooses where its replicas are')


def _numbers(
    description: str,
    low: int,
    high: int,
    *,
    what: str,
    default: str,
    allowed: str = "",
    percent: bool = False,
    show: Callable[[int], str] = str,
    settable: Settable = Settable.ALWAYS,
) -> PropertyKind:
    allowed = allowed or f"{low}-{high}"

    def parse(text: str) -> int:
        digits = text.replace("%", "") if percent else text
        if digits.isascii() and digits.isdigit() and low <= int(digits) <= high:
            return int(digits)
        raise WrongValue(f"invalid {what} value {text} (valid values: {allowed})")

    return PropertyKind(
        description=description, allowed=allowed, parse=parse, show=show, default=default, settable=settable
    )


def _sizes(description: str, *, what: str, default: str, allowed: str, valid: Callable[[int], bool]) -> PropertyKind:
    def parse(text: str) -> int:
        wrong = f'invalid {what} size "{text}" (valid values: {allowed})'
        try:
            size = parse_size(text)
        except ValueError as error:
            raise WrongValue(wrong) from error
        if not valid(size):
            raise WrongValue(wrong)
        return size

    return PropertyKind(description=description, allowed=allowed, parse=parse, show=format_iec, default=default)


def _choices(
    name: str, description: str, choices: Mapping[str, int], *, default: str, settable: Settable = Settable.ALWAYS
) -> PropertyKind:
    words: dict[int, str] = {}
    for word, number in choices.items():
        words.setdefault(number, word)
    allowed = ",".join(sorted(choices))

    def parse(text: str) -> int:
        if text.lower() not in choices:
            raise WrongValue(f'invalid value "{text}" for {name} (valid: {allowed})')
        return choices[text.lower()]

    return PropertyKind(
        description=description,
        allowed=allowed,
        parse=parse,
        choices=choices,
        show=lambda number: words.get(number, "unknown"),
        numeric=False,
        default=default,
        settable=settable,
    )


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
    _P.LABEL: PropertyKind(
        description="Pool label",
        allowed=f"1 to {LABEL_LENGTH} letters, digits and any of ._:- that are not a UUID",
        parse=_label,
        numeric=False,
    ),
    _P.SPACE_RB: _numbers(
        "Rebuild space ratio", 0, 100, what="space_rb", percent=True, show="{}%".format, default="5%"
    ),
    _P.SELF_HEAL: _choices("self_heal", "Self-healing policy", _SELF_HEAL, default="exclude;rebuild"),
    _P.RECLAIM: _choices("reclaim", "Reclaim strategy", {"disabled": 0, "lazy": 1, "time": 4}, default="lazy"),
    _P.SVC_LIST: PropertyKind(
        description="Pool service replica list",
        allowed="nothing: the pool service chooses",
        parse=_svc_list,
        numeric=False,
        settable=Settable.NEVER,
    ),
    _P.EC_CELL_SZ: _sizes(
        "EC cell size",
        what="EC Cell",
        allowed="a multiple of 32 bytes from 4 KiB to 1 MiB",
        valid=_CELL.__contains__,
        default="128 KiB",
    ),
    _P.DATA_THRESH: _sizes(
        "Data bdev threshold size",
        what="data threshold",
        allowed="less than 4 GiB",
        valid=_MAX_32.__ge__,
        default="4.0 KiB",
    ),
    _P.RD_FAC: _numbers("Pool redundancy factor", 0, 4, what="redun fac", default="3"),
    _P.EC_PDA: _numbers(
        "Performance domain affinity level of EC",
        1,
        _MAX_32,
        what="ec_pda",
        allowed=f"1 to {_MAX_32}",
        default="1",
        settable=Settable.AT_CREATION,
    ),
    _P.RP_PDA: _numbers(
        "Performance domain affinity level of RP",
        1,
        _MAX_32,
        what="rp_pda",
        allowed=f"1 to {_MAX_32}",
        default=str(_MAX_32),
        settable=Settable.AT_CREATION,
    ),
    _P.GLOBAL_VERSION: _numbers(
        "Global Version",
        0,
        _MAX_32,
        what="global_version",
        default="the newest that the engines know",
        settable=Settable.KEPT,
    ),
    _P.UPGRADE_STATUS: _choices(
        "upgrade_status", "Upgrade Status", _UPGRADE, default="not started", settable=Settable.KEPT
    ),
    _P.SCRUB: _choices("scrub", "Checksum scrubbing mode", {"off": 0, "lazy": 1, "timed": 2}, default="off"),
    _P.SCRUB_FREQ: _numbers(
        "Checksum scrubbing frequency",
        0,
        _MAX_64,
        what="scrub_freq",
        allowed="a number of seconds",
        percent=True,
        default="604800",
    ),
    _P.SCRUB_THRESH: _numbers(
        "Checksum scrubbing threshold",
        0,
        _MAX_64,
        what="scrub_thresh",
        allowed="a number of errors",
        percent=True,
        default="0",
    ),
    _P.SVC_RF: _numbers(
        "Pool service redundancy factor",
        0,
        4,
        what="service redundancy factor",
        default="2",
        settable=Settable.KEPT,
    ),
    _P.PERF_DOMAIN: _choices(
        "perf_domain",
        "Pool performance domain",
        {"root": 255, "group": 200},
        default="root",
        settable=Settable.AT_CREATION,
    ),
    _P.CHECKPOINT: _choices(
        "checkpoint", "WAL checkpointing behavior", {"disabled": 0, "timed": 1, "lazy": 2}, default="timed"
    ),
    _P.CHECKPOINT_FREQ: _numbers(
        "WAL checkpointing frequency, in seconds",
        0,
        _MAX_64,
        what="checkpoint_freq",
        allowed="a number of seconds",
        default="5",
    ),
    _P.CHECKPOINT_THRESH: _numbers(
        "WAL checkpoint threshold, in percentage",
        0,
        _MAX_32,
        what="checkpoint_thresh",
        allowed="a percentage without its sign",
        default="50",
    ),
    _P.REINTEGRATION: _choices(
        "reintegration",
        "Reintegration mode",
        {"data_sync": 0, "no_data_sync": 1, "incremental": 2},
        default="data_sync",
    ),
    _P.SVC_OPS_ENABLED: _numbers(
        "Metadata duplicate operations detection enabled",
        0,
        1,
        what="svc_ops_enabled",
        default="1",
        settable=Settable.KEPT,
    ),
    _P.SVC_OPS_ENTRY_AGE: _numbers(
        "Metadata duplicate operations KVS max entry age, in seconds",
        60,
        600,
        what="svc_ops_entry_age",
        default="300",
        settable=Settable.KEPT,
    ),
}
DEPRECATED: Final = {"rf": "rd_fac"}
_BY_NAME: Final = {kind.text: kind for kind in sorted(KINDS, key=lambda kind: kind.text)}
NAMES: Final = tuple(_BY_NAME)


def named(name: str) -> PoolProperty:
    """Return the property of this name, which may be an old one."""
    try:
        return _BY_NAME[DEPRECATED.get(name, name)]
    except KeyError:
        raise UnknownProperty(f'"{name}" is not a pool property (valid: {",".join(NAMES)})') from None


def parse(name: str, text: str) -> tuple[PoolProperty, int | str]:
    """Return the property of this name and what ``text`` makes it."""
    prop = named(name)
    return prop, KINDS[prop].parse(text)


def show(prop: PoolProperty, value: int | str) -> str:
    """Return a value as it is shown."""
    return value if isinstance(value, str) else KINDS[prop].show(value)


def fixed(names: Iterable[str]) -> list[str]:
    """Return those of the names that clients refuse to set once a pool is made."""
    return [name for name in names if KINDS[named(name)].settable is Settable.AT_CREATION]
