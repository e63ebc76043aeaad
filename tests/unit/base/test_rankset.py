import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.base.rankset import MAX_RANK, NIL_RANK, RankSet

ranks = st.sets(st.one_of(st.integers(0, 40), st.integers(0, MAX_RANK)), max_size=30)


@pytest.mark.parametrize(
    ("text", "members", "folded", "ranged"),
    [
        ("", [], "", ""),
        ("[]", [], "", ""),
        ("7", [7], "7", "7"),
        ("[7]", [7], "7", "7"),
        ("0-3,7", [0, 1, 2, 3, 7], "0-3,7", "[0-3,7]"),
        ("[0-3,7]", [0, 1, 2, 3, 7], "0-3,7", "[0-3,7]"),
        ("5,1-2,2-4", [1, 2, 3, 4, 5], "1-5", "[1-5]"),
        ("007", [7], "7", "7"),
        ("4294967294", [MAX_RANK], "4294967294", "4294967294"),
    ],
)
def test_reading_and_printing(text, members, folded, ranged):
    parsed = RankSet.parse(text)
    assert list(parsed) == members
    assert (str(parsed), parsed.ranged()) == (folded, ranged)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1, 2", "whitespace"),
        ("1\t2", "whitespace"),
        ("NilRank", "alphabetic"),
        ("0x1", "alphabetic"),
        ("5-4", "invalid range"),
        ("1-2-3", "invalid range"),
        ("-1", "invalid range"),
        ("1,,2", "invalid range"),
        ("1,", "invalid range"),
        ("[1", None),
        ("0-16385", "> 16384 hosts"),
        ("4294967295", "out of range"),
        ("99999999999", "out of range"),
    ],
)
def test_what_cannot_be_read(text, why):
    if why is None:  # a lone bracket is forgiven, as in DAOS
        assert list(RankSet.parse(text)) == [1]
        return
    with pytest.raises(ValueError, match=why):
        RankSet.parse(text)


def test_the_widest_item_is_one_of_16385():
    assert len(RankSet.parse("0-16384")) == 16385


def test_what_is_printed_can_always_be_read():
    many = RankSet(range(100_000))
    assert str(many).startswith("0-16384,16385-32769,")
    assert RankSet.parse(str(many)) == many


@given(ranks)
def test_round_trip(members):
    assert RankSet.parse(str(RankSet(members))) == members


@given(ranks, ranks)
def test_algebra_is_that_of_sets(first, second):
    ours, theirs = RankSet(first), RankSet(second)
    assert ours | theirs == first | second
    assert ours & theirs == first & second
    assert ours - theirs == first - second
    assert ours ^ theirs == first ^ second
    assert (ours <= theirs) == (first <= second)
    assert ours.isdisjoint(theirs) == first.isdisjoint(second)
    assert all((rank in ours) == (rank in first) for rank in first | second)
    assert len(ours) == len(first)
    assert list(ours) == sorted(first)


def test_equal_sets_hash_alike():
    assert hash(RankSet.parse("0-2")) == hash(RankSet([2, 0, 1])) == hash(frozenset({0, 1, 2}))


def test_ranks_in_sentences():
    assert (RankSet([3]).named(), RankSet([4, 0, 1, 2]).named()) == ("rank 3", "ranks 0-2,4")


def test_no_rank_at_all_is_a_member_like_others():
    assert NIL_RANK in RankSet([NIL_RANK])
    with pytest.raises(ValueError, match="out of range"):
        RankSet([-1])
