"""Pool properties by number: defaults, what values are possible, which may change when."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from daos_control.base.der import Der
from daos_control.base.errors import DaosError

Value: TypeAlias = int | str

LABEL = 1
ACL = 2
SELF_HEAL = 4
OWNER = 6
OWNER_GROUP = 7
SVC_LIST = 8
RD_FAC = 11
GLOBAL_VERSION = 14
UPGRADE_STATUS = 15
SVC_RF = 19
OBJECT_VERSION = 20

MAX_TEXT = 127
POOL_GLOBAL_VERSION = 4
POOL_OBJECT_VERSION = 1
SELF_HEAL_EXCLUDE, SELF_HEAL_REBUILD, SELF_HEAL_DELAY_REBUILD = 1, 2, 4

_LABEL = re.compile(r"[A-Za-z0-9._:-]{1,127}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def _any(_value: Value) -> bool:
    return True


def _one_of(*choices: int) -> Callable[[Value], bool]:
    return lambda value: value in choices


def _up_to(limit: int) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, int) and value <= limit


def is_label(value: Value) -> bool:
    """Whether a text can be a pool's label: never one that reads like a UUID."""
    return isinstance(value, str) and bool(_LABEL.fullmatch(value)) and not _UUID.fullmatch(value)


def _is_owner(value: Value) -> bool:
    return isinstance(value, str) and 0 < len(value.encode()) <= 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One row of the table below."""

    name: str
    default: Value
    valid: Callable[[Value], bool] = _any
    at_create: bool = True
    later: bool = True


TABLE: Mapping[int, Property] = {
    1: Property(name="label", default="pool_label_not_set", valid=is_label),
    3: Property(name="space_rb", default=5, valid=_up_to(100)),
    4: Property(name="self_heal", default=SELF_HEAL_EXCLUDE | SELF_HEAL_REBUILD),
    5: Property(name="reclaim", default=1, valid=_up_to(4)),
    6: Property(name="owner", default="NOBODY@", valid=_is_owner),
    7: Property(name="owner_group", default="NOBODY@", valid=_is_owner),
    9: Property(name="ec_cell_sz", default=128 << 10),
    10: Property(name="data_thresh", default=4 << 10),
    11: Property(name="rd_fac", default=3, valid=_up_to(4)),
    12: Property(name="ec_pda", default=1, later=False),
    13: Property(name="rp_pda", default=0xFFFFFFFF, later=False),
    14: Property(name="global_version", default=POOL_GLOBAL_VERSION, at_create=False, later=False),
    15: Property(name="upgrade_status", default=0, valid=_up_to(2), at_create=False, later=False),
    16: Property(name="scrub", default=0, valid=_up_to(2)),
    17: Property(name="scrub_freq", default=604800),
    18: Property(name="scrub_thresh", default=0),
    19: Property(name="svc_rf", default=2, valid=_up_to(4), later=False),
    20: Property(name="obj_version", default=POOL_OBJECT_VERSION, at_create=False, later=False),
    21: Property(name="perf_domain", default=255, valid=_one_of(255, 200), later=False),
    22: Property(name="checkpoint", default=1, valid=_up_to(2)),
    23: Property(name="checkpoint_freq", default=5),
    24: Property(name="checkpoint_thresh", default=50),
    25: Property(name="reintegration", default=0, valid=_up_to(2)),
    26: Property(name="svc_ops_enabled", default=1, valid=_up_to(1), later=False),
    27: Property(
        name="svc_ops_entry_age",
        default=300,
        valid=lambda value: isinstance(value, int) and 60 <= value <= 600,
        later=False,
    ),
}


def initial(given: Mapping[int, Value], *, domains: int) -> dict[int, Value]:
    """Complete the properties of a new pool; raises DaosError INVAL.

    ``domains`` fault domains carry the pool: an explicit redundancy factor they cannot satisfy is refused, the
    default is lowered to what they can.
    """
    check(given)
    if not all(TABLE[number].at_create for number in given):
        raise DaosError(Der.INVAL)
    values = {number: row.default for number, row in TABLE.items()} | dict(given)
    factor = values[RD_FAC]
    if not isinstance(factor, int):
        raise DaosError(Der.INVAL)
    if factor + 1 > domains:
        if RD_FAC in given:
            raise DaosError(Der.INVAL)
        values[RD_FAC] = domains - 1
    return values


def changed(current: Mapping[int, Value], given: Mapping[int, Value]) -> dict[int, Value]:
    """Apply a change to an existing pool: all of it or DaosError (INVAL, or NO_PERM for what never changes)."""
    if not given:
        raise DaosError(Der.INVAL)
    check(given)
    if not all(TABLE[number].later for number in given):
        raise DaosError(Der.NO_PERM)
    return {**current, **given}


def check(given: Mapping[int, Value]) -> None:
    """Refuse unknown numbers and impossible values with DaosError INVAL."""
    for number, value in given.items():
        row = TABLE.get(number)
        if row is None or isinstance(value, str) != isinstance(row.default, str) or not row.valid(value):
            raise DaosError(Der.INVAL)
