"""A mapping of which changed copies are cheap is a mapping like any other."""

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from daos_control.base.growing import MOST_NEW, Growing, as_dict, with_item

if TYPE_CHECKING:
    from collections.abc import Mapping


@given(st.lists(st.tuples(st.integers(0, 400), st.integers()), max_size=600))
def test_it_holds_what_a_dictionary_would(items: list[tuple[int, int]]) -> None:
    ours: Mapping[int, int] = dict.fromkeys(range(MOST_NEW), -1)
    expected = dict(ours)
    for key, value in items:
        ours = with_item(ours, key, value)
        expected[key] = value
        assert len(ours) == len(expected)
        assert ours[key] == value
    assert list(ours) == list(ours.keys()) == list(expected)
    assert list(ours.values()) == list(expected.values())
    assert ours == expected
    assert as_dict(ours) == expected
    assert all((key in ours) == (key in expected) for key in range(-1, 402))


def test_earlier_copies_stay_as_they_were() -> None:
    first: Mapping[int, str] = dict.fromkeys(range(MOST_NEW), "old")
    copies = [first]
    for number in range(3 * MOST_NEW):
        copies.append(with_item(copies[-1], number, "new"))
    assert isinstance(copies[1], Growing)
    assert [sum(value == "new" for value in copy.values()) for copy in copies] == list(range(3 * MOST_NEW + 1))
    assert first.get(5) == "old"
    assert copies[-1].get(-5) is None
