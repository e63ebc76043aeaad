"""Values as DAOS's JSON documents have them: what is empty, what is null."""

from daos_control.base.rankset import RankSet
from daos_control.cli.dmg.network import fabric_document
from daos_control.cli.ui.documents import document
from daos_control.client.network import HostFabric


def test_no_ranks_are_an_empty_set_and_not_nothing():
    assert document(RankSet.parse("[]")) == []
    assert document(RankSet([2, 0])) == [0, 2]


def test_a_tuple_without_members_is_null():
    assert document(()) is None
    assert document(("a",)) == ["a"]


def test_a_document_stays_as_it_is():
    whole = {"none": None, "ranks": document(RankSet()), "members": [{"rank": 0}]}
    assert document(whole) == whole


def test_a_host_without_fabric_has_no_interfaces_and_an_empty_list_of_providers():
    shown = fabric_document(HostFabric(numa_count=1, cores_per_numa=2))
    assert (shown["Interfaces"], shown["Providers"]) == (None, [])
