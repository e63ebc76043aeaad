"""Access control entries and lists."""

import pytest

from daos_control.apps.emulator.acl import merge, parse_entry, parse_list, without
from daos_control.base.der import Der
from daos_control.base.errors import DaosError


def texts(entries: object) -> list[str]:
    return [str(entry) for entry in entries]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("A::OWNER@:wr", "A::OWNER@:rw"),
        ("A:G:GROUP@:", "A:G:GROUP@:"),
        ("UA:SF:bob@:r", "AU:SF:bob@:r"),
        ("A:GP:staff@example.org:oAaTtdcwr", "A:GP:staff@example.org:rwcdtTaAo"),
        ("A::EVERYONE@:rrr", "A::EVERYONE@:r"),
    ],
)
def test_entries_are_written_in_one_order(given: str, written: str) -> None:
    assert str(parse_entry(given)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A::OWNER@",
        "A::OWNER@:rw:",
        "::OWNER@:rw",
        "A:G:OWNER@:rw",
        "A::GROUP@:rw",
        "A:G:EVERYONE@:r",
        "A::bob:r",
        "A::@:r",
        "A::b@b@:r",
        "A::bob@:x",
        "X::bob@:r",
        "U::bob@:r",
        "A:S:bob@:r",
        f"A::{'b' * 255}@:r",
        f"A::{'b' * 310}@:rwcdtTaAo",
    ],
)
def test_bad_entries(text: str) -> None:
    with pytest.raises(DaosError) as error:
        parse_entry(text)
    assert error.value.status == Der.INVAL


def test_a_list_is_sorted_by_kind_and_then_by_arrival() -> None:
    given = ["A::EVERYONE@:", "A:G:b@:r", "A::z@:r", "A:G:GROUP@:rw", "A::OWNER@:rw", "A::a@:r", "A:G:a@:r"]
    assert texts(parse_list(given)) == [
        "A::OWNER@:rw",
        "A::z@:r",
        "A::a@:r",
        "A:G:GROUP@:rw",
        "A:G:b@:r",
        "A:G:a@:r",
        "A::EVERYONE@:",
    ]


@pytest.mark.parametrize("given", [[], ["A::a@:r", "A::a@:w"], [f"A::{n:0200}@:r" for n in range(400)]], ids=len)
def test_bad_lists(given: list[str]) -> None:
    with pytest.raises(DaosError):
        parse_list(given)


def test_an_update_replaces_in_place_and_adds_behind_its_kind() -> None:
    current = parse_list(["A::OWNER@:rw", "A::alice@:r", "A:G:GROUP@:rw"])
    merged = merge(current, parse_list(["A::carol@:o", "A::alice@:rw"]))
    assert texts(merged) == ["A::OWNER@:rw", "A::alice@:rw", "A::carol@:o", "A:G:GROUP@:rw"]


def test_removal_names_kind_and_principal() -> None:
    current = parse_list(["A::OWNER@:rw", "A::staff@:r", "A:G:staff@:w"])
    assert texts(without(current, "g:staff@")) == ["A::OWNER@:rw", "A::staff@:r"]
    assert texts(without(current, "OWNER@")) == ["A::staff@:r", "A:G:staff@:w"]
    for principal, status in {"u:nobody@": Der.NONEXIST, "staff@": Der.INVAL, "u:staff": Der.INVAL}.items():
        with pytest.raises(DaosError) as error:
            without(current, principal)
        assert error.value.status == status
