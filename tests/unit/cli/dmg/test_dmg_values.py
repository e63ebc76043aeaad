"""Values on dmg's command line."""

import pytest

from daos_control.base.rankset import RankSet
from daos_control.cli.dmg import values
from daos_control.model.member_state import MemberState


def test_ranks_and_hosts() -> None:
    assert values.ranks("0-2,7") == RankSet([0, 1, 2, 7])
    assert values.hosts("n[1-3]") == ("n[1-3]",)
    assert values.host("n1:10002") == "n1:10002"


@pytest.mark.parametrize("text", ["n[1-2]", "a,b"])
def test_one_host_means_one(text: str) -> None:
    with pytest.raises(ValueError, match="exactly one host"):
        values.host(text)


@pytest.mark.parametrize(("text", "size"), [("8GiB", 8 << 30), ("1.5 TB", 1500 * 10**9), ("50%", 0.5), ("100 %", 1.0)])
def test_pool_sizes(text: str, size: float) -> None:
    found = values.pool_size(text)
    assert found == size
    assert isinstance(found, type(size))


@pytest.mark.parametrize("text", ["0%", "150%", "x%", "", "12 apples"])
def test_what_is_no_pool_size(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - units says it in its own words
        values.pool_size(text)


def test_states() -> None:
    assert values.states("joined,AdminExcluded") == (MemberState.JOINED, MemberState.ADMIN_EXCLUDED)
    with pytest.raises(ValueError, match="'sleepy' is not a member state"):
        values.states("sleepy")


def test_an_empty_choice_of_states_or_hosts_is_none() -> None:
    assert values.states("") == ()
    assert values.rank_hosts("") == ()
    with pytest.raises(ValueError, match="at least one host"):
        values.hosts("")


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("a:1", {"a": "1"}),
        ("a:1, b : 2", {"a": "1", "b": "2"}),
        ("a:b:c", {"a": "b:c"}),
        ("'a,b':1,c:\"2:3\"", {"'a,b'": "1", "c": '"2:3"'}),
        (r"a\,b:1", {r"a\,b": "1"}),
        (",a:1,,b:2,", {"a": "1", "b": "2"}),
    ],
)
def test_settings(text: str, settings: dict[str, str]) -> None:
    assert values.settings(text) == settings


@pytest.mark.parametrize("text", ["", ",", "a", "a:", ":1", "a:1,a:2", "k" * 512 + ":1"])
def test_what_are_no_settings(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - two messages
        values.settings(text)


def test_keys() -> None:
    assert values.keys("a, b,a,") == ("a", "b")
    assert values.keys(r"a\:1") == (r"a\:1",)
    with pytest.raises(ValueError, match="is not a key"):
        values.keys("a:1")
    with pytest.raises(ValueError, match="too long"):
        values.keys("k" * 512)
