import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.base.hostset import HostList, HostSet

numbers = st.integers(0, 130)
names = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["node", "n", "login-", "rack1-node"]), numbers),
    st.builds("node{:0{}d}".format, numbers, st.integers(1, 4)),
    st.builds("node-{}{}".format, numbers, st.sampled_from([".site", ":10001", "-eth0", "x7"])),
    st.builds("10.0.{}.{}:10001".format, st.integers(0, 2), st.integers(0, 255)),
    st.sampled_from(["login", "rack1-eth0", "a1b2c3", "abc1def2"]),
)
hosts = st.lists(names, max_size=25)
folded = st.one_of(
    names,
    st.builds("node[{}-{}]".format, st.integers(0, 50), st.integers(50, 120)),
    st.builds("rack1-node[00{}-{}]".format, st.integers(0, 50), st.integers(50, 120)),
    st.builds("node1[{},{}]2.site".format, numbers, numbers),
    st.builds("abc1def[{}]".format, st.integers(0, 3)),
    st.builds("abc[{}]def2".format, st.integers(0, 3)),
)

# What is given, how a list prints it, how a set prints it, how many hosts the set holds.
FOLDING = [
    ("", "", "", 0),
    ("node1", "node1", "node1", 1),
    (
        "node2-1,node1-2,node1-[45,47],node3,node1-3",
        "node2-1,node1-[2,45,47],node3,node1-3",
        "node3,node1-[2-3,45,47],node2-1",
        6,
    ),
    (
        "node2-1,node1-2.suffix1,node1-[45,47].suffix2,node3,node1-3",
        "node2-1,node1-2.suffix1,node1-[45,47].suffix2,node3,node1-3",
        "node3,node1-3,node1-2.suffix1,node1-[45,47].suffix2,node2-1",
        6,
    ),
    ("node-3,node-1", "node-[3,1]", "node-[1,3]", 2),
    ("10.5.1.[2-32]:10001,10.5.1.42:10001,10.5.1.1:10001", "10.5.1.[2-32,42,1]:10001", "10.5.1.[1-32,42]:10001", 33),
    ("node[001-9],node[010-20]", "node[001-020]", "node[001-020]", 20),
    ("node[001-9],node[10-20]", "node[001-009,10-20]", "node[10-20,001-009]", 20),
    ("node[0003-5],node[1-2]", "node[0003-0005,1-2]", "node[1-2,0003-0005]", 5),
    ("dserver-0001,dserver-0002,dserver-0003", "dserver-[0001-0003]", "dserver-[0001-0003]", 3),
    (
        "node2,node2-1.prefix2,node2-2.prefix2,node1-[2-5].prefix1,node2-[3-22].prefix2,node3",
        "node2,node2-[1-2].prefix2,node1-[2-5].prefix1,node2-[3-22].prefix2,node3",
        "node[2-3],node1-[2-5].prefix1,node2-[1-22].prefix2",
        28,
    ),
    ("h1:1,h2:2", "h1:1,h2:2", "h1:1,h2:2", 2),
    ("node9 node10\tnode8", "node[9-10,8]", "node[8-10]", 3),
    ("node01,node1", "node[01,1]", "node[1,01]", 2),
    ("node[098-102]", "node[098-102]", "node[098-102]", 5),
    ("login,login,node1", "login,login,node1", "login,node1", 2),
    (" ,node1, ,node2,", "node[1-2]", "node[1-2]", 2),
    ("node[1, 2]", "node[1-2]", "node[1-2]", 2),
    ("node1[0-3]", "node[10-13]", "node[10-13]", 4),
    ("node[1-2]3", "node[13,23]", "node[13,23]", 2),
    ("node1-eth0,node1-eth1", "node1-eth0,node1-eth1", "node1-eth0,node1-eth1", 2),
]


@pytest.mark.parametrize(("text", "as_list", "as_set", "count"), FOLDING)
def test_folding(text, as_list, as_set, count):
    assert str(HostList.parse(text)) == as_list
    assert str(HostSet.parse(text)) == as_set
    assert len(HostSet.parse(text)) == count == len(list(HostSet.parse(text)))


@pytest.mark.parametrize(
    ("name", "next_name", "folds"),
    [
        ("node1", "node2", "node[1-2]"),
        ("node-12.domain", "node-13.domain", "node-[12-13].domain"),
        ("d-server-0001ab", "d-server-0002ab", "d-server-[0001-0002]ab"),
        ("10.0.0.1:10001", "10.0.0.2:10001", "10.0.0.[1-2]:10001"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.[1-2]"),
        ("node1:abc", "node2:abc", "node[1-2]:abc"),
        ("1-node-1", "1-node-2", "1-node-[1-2]"),
    ],
)
def test_the_number_a_name_folds_by(name, next_name, folds):
    assert str(HostSet([name, next_name])) == folds


@pytest.mark.parametrize(
    "name",
    [
        "1node",
        "foo.bar-1.com",
        "node5:-10001",
        "::1",
        "[::1]:10001",
        "1.2.3",
        "10.0.0.1234",
        "10.0.0.1:",
        "10.0.0.1-2",
        "10.0.0.[1-2]-3",
        "1[2-3]",
        ".[1-2]",
        "foo.bar-[1-2]",
        "node[1-2]:-1",
        "_x1",
        "-x\x07",
    ],
)
def test_what_is_no_host_name(name):
    with pytest.raises(ValueError, match=r"^invalid (hostname|range)"):
        HostSet.parse(name)


def test_a_name_that_is_refused_is_told_the_way_it_is_taken():
    with pytest.raises(ValueError, match=r"ranges stand in brackets, as in node\[1-4\]$"):
        HostSet.parse("10.0.0.1-2")
    with pytest.raises(ValueError, match="with a hyphen, one stands before the first dot"):
        HostSet.parse("storage1.my-site.org")


some_text = st.text(alphabet="n1-.:]", max_size=6)


@given(st.one_of(some_text, st.builds("{}[1-2]{}".format, some_text, some_text)))
def test_who_is_in_a_set_is_a_name_by_itself_and_with_a_port(text):
    try:
        ours = HostSet.parse(text)
    except ValueError:
        return
    for name in list(ours)[:20]:
        assert list(HostSet([name])) == [name]
        assert ":" in name or list(HostSet([f"{name}:10001"])) == [f"{name}:10001"]


@pytest.mark.parametrize(
    "text",
    [
        "node[5-4]",
        "node[a-b]",
        "node[0-b]",
        "node[0--1]",
        "node[ab]",
        "node[0-1",
        "[0-1,3-5]",
        "node]1[",
        "node[1-2]]",
        "node[1-2][3-4]",
        "node1]",
        "node[]",
        "node[1,]",
        "node[1-2-3]",
        "node[0-16385]",
        "node[99999999999999999999999]",
        "node[²]",
    ],
)
def test_what_is_no_range(text):
    with pytest.raises(ValueError, match=r"^invalid range"):
        HostSet.parse(text)


def test_the_widest_item_names_16385_hosts():
    assert len(HostSet.parse("node[0-16384]")) == 16385


def test_a_host_name_longer_than_numbers_go_is_just_a_name():
    name = "node" + "1" * 5000
    assert list(HostSet([name])) == [name]


@given(hosts)
def test_round_trip(members):
    ours = HostSet(members)
    assert set(ours) == set(members)
    assert HostSet.parse(str(ours)) == ours
    assert list(HostSet.parse(str(ours))) == list(ours)


@given(st.lists(folded, max_size=8))
def test_round_trip_of_folded_texts(texts):
    ours = HostSet(texts)
    assert HostSet.parse(str(ours)) == ours
    members = list(ours)
    assert len(members) == len(set(members)) == len(ours)
    assert set(members) == set(HostList(texts))
    assert all(name in ours for name in members)


@given(st.lists(folded, max_size=6), st.lists(folded, max_size=6))
def test_algebra_is_that_of_sets(first, second):
    ours, theirs = HostSet(first), HostSet(second)
    plain, plain_theirs = set(HostList(first)), set(HostList(second))
    assert set(ours | theirs) == plain | plain_theirs
    assert set(ours & theirs) == plain & plain_theirs
    assert set(ours - theirs) == plain - plain_theirs
    assert (ours == theirs) == (plain == plain_theirs)
    assert (ours <= theirs) == (plain <= plain_theirs)
    for result in (ours | theirs, ours & theirs, ours - theirs):
        assert HostSet.parse(str(result)) == result


@given(st.lists(folded, max_size=6))
def test_lists_keep_order_and_doubles(texts):
    ours = HostList(texts)
    members = list(ours)
    assert list(HostList.parse(str(ours))) == members
    assert [ours[index] for index in range(len(ours))] == members
    assert members == [name for text in texts for name in HostList.parse(text)]


def test_lists_are_sequences():
    ours = HostList.parse("node[1-3],login,node3")
    assert (ours[0], ours[-1], ours[3]) == ("node1", "node3", "login")
    assert str(ours[1:4]) == "node[2-3],login"
    assert ours.index("login") == 3
    with pytest.raises(IndexError):
        ours[5]


def test_a_host_is_one_host_however_it_was_written():
    ours = HostSet.parse("rack1-node[1-3],rack1-node2,abc1def[2-3],abc1def2")
    assert len(ours) == 5
    assert "rack1-node2" in ours
    assert ours - HostSet(["rack1-node2"]) == HostSet.parse("rack1-node[1,3],abc1def[2-3]")
    assert HostSet(["rack1-node1", "rack1-node2"]) == HostSet.parse("rack1-node[1-2]")
    assert hash(HostSet(["rack1-node1", "rack1-node2"])) == hash(HostSet.parse("rack1-node[1-2]"))


def test_membership_is_exact():
    ours = HostSet.parse("node[1-10]:10001")
    assert "node3:10001" in ours
    assert "node3" not in ours
    assert "node03:10001" not in ours
    assert 3 not in ours
    assert "" not in ours


def test_a_text_is_parsed_not_iterated():
    with pytest.raises(TypeError, match="parse"):
        HostSet("node1")
    with pytest.raises(TypeError, match="parse"):
        HostList("node1")


def test_a_hundred_thousand_hosts_are_no_burden():
    many = [f"node{number:06d}.site:10001" for number in range(100_000)]
    began = time.process_time()
    ours = HostSet(many)
    text = str(ours)
    again = HostSet.parse(text)
    names = list(again)
    rest = ours - HostSet(many[::2])
    took = time.process_time() - began
    assert names == many
    assert text.count("-") == 7
    assert len(rest) == 50_000
    assert took < 3, f"{took:.2f} s"
