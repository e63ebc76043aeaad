"""Pool properties."""

import pytest

from daos_control.apps.emulator.properties import changed, initial, is_label
from daos_control.base.der import Der
from daos_control.base.errors import DaosError


def test_a_new_pool_has_a_value_for_everything() -> None:
    values = initial({1: "p0", 5: 0}, domains=4)
    assert (values[1], values[5], values[4], values[11], values[19]) == ("p0", 0, 3, 3, 2)


def test_the_default_redundancy_is_what_domains_allow() -> None:
    assert initial({}, domains=1)[11] == 0
    with pytest.raises(DaosError):
        initial({11: 1}, domains=1)


@pytest.mark.parametrize(
    "given", [{14: 4}, {15: 1}, {2: 1}, {99: 1}, {5: 9}, {1: 7}, {3: "5"}, {27: 59}, {1: ""}], ids=str
)
def test_impossible_at_creation(given: dict[int, int | str]) -> None:
    with pytest.raises(DaosError) as error:
        initial(given, domains=1)
    assert error.value.status == Der.INVAL


@pytest.mark.parametrize("number", [12, 13, 14, 15, 19, 20, 21, 26, 27])
def test_never_changed_later(number: int) -> None:
    values = initial({}, domains=1)
    with pytest.raises(DaosError) as error:
        changed(values, {23: 1, number: values[number]})
    assert error.value.status == Der.NO_PERM


def test_a_change_changes_nothing_else() -> None:
    values = initial({1: "a"}, domains=1)
    assert changed(values, {1: "b", 3: 10}) == values | {1: "b", 3: 10}


@pytest.mark.parametrize(
    ("label", "fine"),
    [
        ("p0", True),
        ("a.b_c:d-e", True),
        ("x" * 127, True),
        ("x" * 128, False),
        ("a b", False),
        ("11111111-2222-3333-4444-555555555555", False),
    ],
)
def test_labels(label: str, fine: bool) -> None:
    assert is_label(label) is fine
