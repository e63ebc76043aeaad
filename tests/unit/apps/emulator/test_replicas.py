"""Where pool services live."""

import pytest

from daos_control.apps.emulator.replicas import factor_of, parse_domains, plan
from daos_control.base.der import Der
from daos_control.base.errors import DaosError


def test_few_ranks_give_few_replicas() -> None:
    assert plan({0: 2, 1: 2}, 2) == (0, 1)


def test_replicas_are_spread_over_domains() -> None:
    domains = {rank: rank // 2 for rank in range(8)}
    assert {domains[rank] for rank in plan(domains, 1)} == {0, 1, 2}
    assert plan(domains, 2) == (0, 1, 2, 4, 6)


def test_replicas_stay_where_they_are() -> None:
    domains = dict.fromkeys(range(6), 1)
    assert plan(domains, 1, current=(3, 4, 5)) == (3, 4, 5)
    without_4 = {rank: 1 for rank in domains if rank != 4}
    assert plan(without_4, 1, current=(3, 4, 5)) == (0, 3, 5)


def test_too_many_replicas() -> None:
    assert factor_of(9) == 4
    with pytest.raises(DaosError) as error:
        factor_of(11)
    assert error.value.status == Der.INVAL


def test_recorded_domain_trees() -> None:
    one_host = parse_domains([0, 2, 1, 1, 1, 2, 2, 0, 1])
    assert (one_host.of_rank, one_host.count) == ({0: 2, 1: 2}, 1)
    two_hosts = parse_domains([0, 2, 1, 2, 1, 2, 1, 1, 4, 1, 0, 1])
    assert (two_hosts.of_rank, two_hosts.count) == ({0: 2, 1: 4}, 2)


def test_a_tree_with_racks() -> None:
    words = [0, 3, 1, 2, 2, 10, 1, 2, 11, 1, 1, 20, 2, 1, 21, 1, 0, 1, 2]
    tree = parse_domains(words)
    assert (tree.of_rank, tree.count) == ({0: 20, 1: 20, 2: 21}, 4)


@pytest.mark.parametrize(
    "words", [[], [0], [0, 2, 1, 1], [0, 2, 1, 1, 1, 2, 2, 0], [0, 2, 1, 1, 1, 2, 1, 0, 1]], ids=len
)
def test_words_that_do_not_add_up(words: list[int]) -> None:
    with pytest.raises(DaosError):
        parse_domains(words)
