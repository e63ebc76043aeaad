"""Values as DAOS's JSON documents have them: what is empty, what is null."""

from daos_control.base.rankset import RankSet
from daos_control.cli.ui.documents import document


def test_no_ranks_are_an_empty_set_and_not_nothing():
    assert document(RankSet.parse("[]")) == []
    assert document(RankSet([2, 0])) == [0, 2]


def test_a_tuple_without_members_is_null():
    assert document(()) is None
    assert document(("a",)) == ["a"]


def test_a_document_stays_as_it_is():
    whole = {"none": None, "ranks": document(RankSet()), "members": [{"rank": 0}]}
    assert document(whole) == whole
