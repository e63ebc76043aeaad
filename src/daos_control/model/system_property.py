"""System properties and what is kept under names that users cannot touch.

One flat map holds three kinds of things (``prop.`` marks settable properties, ``mgmt.`` the service's
own notes, everything else belongs to users).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from daos_control.model import self_heal

PROPERTY_PREFIX: Final = "prop."
NOTE_PREFIX: Final = "mgmt."


class Note(StrEnum):
    """The service's own notes."""

    FABRIC_PROVIDERS = "fabric_providers"
    GROUP_UPDATE_PAUSED = "group_update_paused"
    DOMAIN_LABELS = "domain_labels"
    CHECKER_ENABLED = "checker_enabled"


class PropertyError(ValueError):
    """No such property, or not a value it can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemProperty:
    """One settable property of the whole system."""

    name: str
    default: str
    canonical: Callable[[str], str]
    """Returns the value as stored, or raises PropertyError."""
    choices: tuple[str, ...] = ()
    """The values that it can have, if they are few."""
    pool_property: int | None = None
    """The number of the pool property that new pools get from it."""
    pool_value: Callable[[str], int] = int


def _choice(*allowed: str) -> Callable[[str], str]:
    def canonical(value: str) -> str:
        if value not in allowed:
            raise PropertyError(f"invalid value {value!r} (valid: {','.join(sorted(allowed))})")
        return value

    return canonical


def _choice_in_any_case(*allowed: str) -> Callable[[str], str]:
    choose = _choice(*allowed)
    return lambda value: choose(value.lower())


def _unsigned(value: str) -> str:
    digits = value.strip().removesuffix("%")
    if not digits.isascii() or not digits.isdigit() or int(digits) >= 1 << 64:
        raise PropertyError(f"invalid value {value!r} (valid: an unsigned number)")
    return str(int(digits))


SCRUB_MODES: Final = ("off", "lazy", "timed")

SETTABLE: Final[Mapping[str, SystemProperty]] = MappingProxyType(
    {
        prop.name: prop
        for prop in (
            SystemProperty(
                name="pool_scrub_mode",
                default="off",
                canonical=_choice_in_any_case(*SCRUB_MODES),
                choices=SCRUB_MODES,
                pool_property=16,
                pool_value=SCRUB_MODES.index,
            ),
            SystemProperty(name="pool_scrub_thresh", default="0", canonical=_unsigned, pool_property=18),
            SystemProperty(
                name="self_heal",
                default=self_heal.DEFAULT,
                canonical=_choice(*self_heal.VALUES),
                choices=tuple(sorted(self_heal.VALUES)),
            ),
        )
    }
)
COMPUTED: Final = ("daos_system", "daos_version")
"""Properties that can only be read."""


def settable(name: str) -> SystemProperty:
    """Return the property of this name, in any case, or say why there is none to set."""
    prop = SETTABLE.get(name.lower())
    if prop is None:
        if name.lower() in COMPUTED:
            raise PropertyError(f'property "{name}" is not settable')
        raise PropertyError(f'unknown property "{name}"')
    return prop


def reserved(key: str) -> bool:
    """Whether users may not touch this attribute."""
    return key.startswith((PROPERTY_PREFIX, NOTE_PREFIX))
