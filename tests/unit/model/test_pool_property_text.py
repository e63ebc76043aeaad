"""The table of pool properties: every name, what each may be, and how its values are shown."""

import pytest

from daos_control.model.pool_property import PoolProperty
from daos_control.model.pool_property_text import (
    KINDS,
    NAMES,
    Settable,
    UnknownProperty,
    WrongValue,
    fixed,
    is_label,
    named,
    parse,
    show,
)


def test_every_property_but_the_pointers_and_owners_has_a_kind() -> None:
    without = {PoolProperty.ACL, PoolProperty.OWNER, PoolProperty.OWNER_GROUP, PoolProperty.OBJ_VERSION}
    assert set(KINDS) == set(PoolProperty) - without


@pytest.mark.parametrize("text", ["a", "A.b_c-d:9", "x" * 127])
def test_labels(text: str) -> None:
    assert is_label(text)


@pytest.mark.parametrize("text", ["", "x" * 128, "a/b", "11111111-1111-4111-8111-111111111111"])
def test_what_is_no_label(text: str) -> None:
    assert not is_label(text)


@pytest.mark.parametrize(
    ("name", "texts"),
    {
        "space_rb": {"0": 0, "100": 100, "7%": 7, "%7": 7, "007": 7},
        "self_heal": {
            "none": 0,
            "exclude": 1,
            "REBUILD": 2,
            "exclude;rebuild": 3,
            "rebuild;exclude": 3,
            "delay_rebuild": 4,
            "exclude;delay_rebuild": 5,
            "delay_rebuild;exclude": 5,
        },
        "reclaim": {"disabled": 0, "lazy": 1, "time": 4},
        "ec_cell_sz": {"4KiB": 4096, "1MiB": 1 << 20, "4128": 4128},
        "data_thresh": {"0": 0, "4294967295": 0xFFFFFFFF, "4kB": 4000},
        "rd_fac": {"0": 0, "4": 4},
        "rf": {"4": 4},
        "ec_pda": {"1": 1, "4294967295": 0xFFFFFFFF},
        "rp_pda": {"1": 1, "4294967295": 0xFFFFFFFF},
        "global_version": {"0": 0, "4294967295": 0xFFFFFFFF},
        "upgrade_status": {"not started": 0, "in progress": 1, "completed": 2, "failed": 3},
        "scrub": {"off": 0, "lazy": 1, "timed": 2},
        "scrub_freq": {"0": 0, "18446744073709551615": (1 << 64) - 1, "5%": 5},
        "scrub_thresh": {"0": 0, "18446744073709551615": (1 << 64) - 1, "5%": 5},
        "svc_rf": {"0": 0, "4": 4},
        "perf_domain": {"root": 255, "group": 200},
        "checkpoint": {"disabled": 0, "timed": 1, "lazy": 2},
        "checkpoint_freq": {"0": 0, "18446744073709551615": (1 << 64) - 1},
        "checkpoint_thresh": {"0": 0, "4294967295": 0xFFFFFFFF},
        "reintegration": {"data_sync": 0, "no_data_sync": 1, "incremental": 2},
        "svc_ops_enabled": {"0": 0, "1": 1},
        "svc_ops_entry_age": {"60": 60, "600": 600},
    }.items(),
)
def test_every_value_that_is_taken(name: str, texts: dict[str, int]) -> None:
    assert {text: parse(name, text)[1] for text in texts} == texts


@pytest.mark.parametrize(
    ("name", "texts"),
    {
        "label": ["", "a b", "x" * 128, "11111111-1111-4111-8111-111111111111", "päd"],
        "space_rb": ["101", "-1", "", "%", "1.5", "x"],
        "self_heal": ["", "exclude,rebuild", "rebuild;delay_rebuild", "exclude;"],
        "reclaim": ["snapshot", "batch", "2"],
        "ec_cell_sz": ["4095", "4KB", "4100", "2MiB", "", "big"],
        "data_thresh": ["4GiB", "4294967296", "-1", ""],
        "rd_fac": ["5", "-1", "two", "+1", "1 "],
        "ec_pda": ["0", "4294967296"],
        "rp_pda": ["0", "4294967296"],
        "global_version": ["4294967296", "x"],
        "upgrade_status": ["done"],
        "scrub": ["on"],
        "scrub_freq": ["18446744073709551616", "-1"],
        "scrub_thresh": ["18446744073709551616", ""],
        "svc_rf": ["5"],
        "svc_list": ["0", "[0-2]"],
        "perf_domain": ["node", "255"],
        "checkpoint": ["off"],
        "checkpoint_freq": ["18446744073709551616", "5%"],
        "checkpoint_thresh": ["4294967296", "5%"],
        "reintegration": ["sync"],
        "svc_ops_enabled": ["2", "yes"],
        "svc_ops_entry_age": ["59", "601"],
    }.items(),
)
def test_every_kind_of_refusal_names_what_would_be_right(name: str, texts: list[str]) -> None:
    for text in texts:
        with pytest.raises(WrongValue) as caught:
            parse(name, text)
        said = str(caught.value)
        assert KINDS[named(name)].allowed in said or name == "svc_list", said


def test_no_property_is_left_out_above() -> None:
    marks = [
        mark.args[1]
        for test in (test_every_value_that_is_taken, test_every_kind_of_refusal_names_what_would_be_right)
        for mark in test.pytestmark  # type: ignore[attr-defined]
    ]
    taken, refused = ({name for name, _ in rows} for rows in marks)
    assert taken == (set(NAMES) | {"rf"}) - {"label", "svc_list"}
    assert refused == set(NAMES)


def test_defaults_are_shown_as_values_are() -> None:
    for prop, kind in KINDS.items():
        if kind.choices or kind.default[:1].isdigit():
            value = parse(prop.text, kind.default.replace("%", "").replace(" ", ""))[1] if not kind.choices else None
            shown = show(prop, kind.choices[kind.default] if value is None else value)
            assert shown == kind.default


def test_what_is_shown_can_be_written() -> None:
    for kind in KINDS.values():
        for number in set(kind.choices.values()):
            assert kind.parse(kind.show(number)) == number
    assert show(PoolProperty.RECLAIM, 3) == "unknown"


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    with pytest.raises(
        UnknownProperty, match=r'"Label" is not a pool property \(valid: checkpoint,.*,upgrade_status\)'
    ):
        named("Label")


def test_when_they_can_be_set() -> None:
    assert sorted(fixed(NAMES)) == ["ec_pda", "perf_domain", "rp_pda"]
    kept = sorted(prop.text for prop, kind in KINDS.items() if kind.settable is Settable.KEPT)
    assert kept == ["global_version", "svc_ops_enabled", "svc_ops_entry_age", "svc_rf", "upgrade_status"]
