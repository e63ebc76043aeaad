"""Fault domains: text, and the tree as engines get it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.model.fault_domain import FaultDomain, FaultDomainError, FaultTree


@pytest.mark.parametrize(
    ("text", "shown", "labels"),
    [
        ("/h1", "/h1", ()),
        (" /Rack1/Node7 ", "/rack1/node7", ()),
        ('/"rack 1"/node', "/rack 1/node", ()),
        ("/rack=r1/node=n1", "/rack=r1/node=n1", ("rack", "node")),
        ("/", "/", ()),
        ("", "/", ()),
    ],
)
def test_text_is_read_and_written(text: str, shown: str, labels: tuple[str, ...]) -> None:
    domain = FaultDomain.parse(text)
    assert str(domain) == shown
    assert domain.labels == labels
    assert FaultDomain.parse(shown) == domain


@pytest.mark.parametrize("text", ["h1", "//", "/a//b", "/a=b=c", "/rack=r1/n1", "/=x", "/a="])
def test_what_names_no_domain_is_refused(text: str) -> None:
    with pytest.raises(FaultDomainError, match="invalid fault domain"):
        FaultDomain.parse(text)


def tree(*domains: str) -> FaultTree:
    result = FaultTree()
    for rank, domain in enumerate(domains):
        result = result.with_rank(rank, FaultDomain.parse(domain))
    return result


def test_two_hosts_as_genuine_daos_writes_them() -> None:
    assert tree("/h1", "/h2").words() == [0, 2, 1, 2, 1, 2, 1, 1, 4, 1, 0, 1]


def test_only_the_branches_to_the_chosen_ranks_are_sent() -> None:
    assert tree("/h1", "/h2").words([1]) == [0, 2, 1, 1, 1, 4, 1, 1]


def test_racks_set_the_performance_domain_bit_even_for_one_rank() -> None:
    assert tree("/r1/h1", "/r1/h2").words([1]) == [2, 3, 1, 1, 2, 2, 1, 1, 5, 1, 1]


def test_children_are_sorted_as_text() -> None:
    words = tree(*["/h1"] * 11).words()
    assert words[-11:] == [0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9]


def test_an_unknown_rank_is_named() -> None:
    with pytest.raises(LookupError, match="rank 7 not found in fault domain tree"):
        tree("/h1").words([0, 7])


def test_a_domain_keeps_its_number_when_its_rank_comes_back() -> None:
    before = tree("/h1", "/h2")
    after = before.with_rank(0, FaultDomain.parse("/h1"))
    assert after.domains == before.domains
    assert after.ranks[0][1] > max(before.domains.values())


def test_a_rank_that_moves_gets_a_number_that_nobody_else_has() -> None:
    before = tree("/h1", "/h2")
    assert before.with_rank(1, FaultDomain.parse("/h2")) == before, "the highest number is its own again"
    moved = before.with_rank(0, FaultDomain.parse("/h1"))
    assert moved.ranks[0] == (("h1",), before.highest + 1)
    assert moved.ranks[1] == before.ranks[1]


def test_a_rank_that_leaves_takes_its_number_along_and_nothing_else() -> None:
    before = tree("/h1", "/h2")
    without_first, without_last = before.without_rank(0), before.without_rank(1)
    assert (without_first.ranks, without_first.highest) == ({1: before.ranks[1]}, before.highest)
    assert (without_last.ranks, without_last.highest) == ({0: before.ranks[0]}, before.domains["h2",])
    assert without_last.domains == before.domains
    assert before.without_rank(7) is before


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["/a", "/b", "/c"])), min_size=1, max_size=40))
def test_numbers_are_unique_and_words_describe_the_tree(moves: list[tuple[int, str]]) -> None:
    result = FaultTree()
    for rank, domain in moves:
        result = result.with_rank(rank, FaultDomain.parse(domain))
    numbers = [*result.domains.values(), *(number for _, number in result.ranks.values())]
    assert len(set(numbers)) == len(numbers)
    assert result.highest == max(numbers)
    words = result.words()
    occupied = {path for path, _ in result.ranks.values()}
    assert len(words) == 1 + 3 * (1 + len(occupied)) + len(result.ranks)
    assert sorted(words[-len(result.ranks) :]) == sorted(result.ranks)
