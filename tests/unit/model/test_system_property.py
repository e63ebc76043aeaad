"""System properties: what may be set, and how it is kept."""

import pytest

from daos_control.model.event import MESSAGE_LIMIT, EventId, cut
from daos_control.model.system_property import SETTABLE, PropertyError, settable


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("self_heal", "exclude;pool_rebuild", "exclude;pool_rebuild"),
        ("self_heal", "none", "none"),
        ("pool_scrub_mode", "Lazy", "lazy"),
        ("POOL_SCRUB_THRESH", "12%", "12"),
        ("pool_scrub_thresh", "007", "7"),
    ],
)
def test_values_are_kept_canonically(name: str, value: str, kept: str) -> None:
    assert settable(name).canonical(value) == kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("self_heal", "pool_rebuild;exclude"),
        ("self_heal", ""),
        ("self_heal", "NONE"),
        ("pool_scrub_mode", "always"),
        ("pool_scrub_thresh", "-1"),
        ("pool_scrub_thresh", "18446744073709551616"),
    ],
)
def test_other_values_are_refused(name: str, value: str) -> None:
    with pytest.raises(PropertyError, match="invalid value"):
        settable(name).canonical(value)


def test_unknown_and_computed_properties_cannot_be_set() -> None:
    with pytest.raises(PropertyError, match='unknown property "nonsense"'):
        settable("nonsense")
    with pytest.raises(PropertyError, match="not settable"):
        settable("daos_version")


def test_self_heal_has_eight_values() -> None:
    flags = ("exclude", "pool_exclude", "pool_rebuild")
    subsets = {";".join(flag for bit, flag in enumerate(flags) if mask >> bit & 1) or "none" for mask in range(8)}
    assert {SETTABLE["self_heal"].canonical(value) for value in subsets} == subsets


def test_events_nobody_knows_are_unknown() -> None:
    assert EventId.name_of(2) == "engine_died"
    assert EventId.name_of(4711) == "unknown_ras_event"


def test_long_messages_are_cut_visibly() -> None:
    assert cut("x" * MESSAGE_LIMIT) == "x" * MESSAGE_LIMIT
    assert cut("x" * (MESSAGE_LIMIT + 1)) == "x" * (MESSAGE_LIMIT - 1) + "$"
    assert len(cut("ü" * 100).encode()) <= MESSAGE_LIMIT
