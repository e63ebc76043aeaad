"""Group maps."""

import pytest

from daos_control.apps.emulator.membership import Group, GroupMap, Member, address
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.base.rankset import NIL_RANK

ME = Member(1, "ofi+tcp://127.0.0.1:31516", 100)
OTHER = Member(0, "ofi+tcp://127.0.0.1:31416", 90)


def joined(min_version: int = 4) -> Group:
    return Group().with_rank(ME, min_version)


def status(call: object, *arguments: object) -> int:
    with pytest.raises(DaosError) as error:
        call(*arguments)  # type: ignore[operator]
    return error.value.status


def test_a_rank_is_given_once() -> None:
    assert joined().rank == 1
    assert status(joined().with_rank, ME, 5) == Der.INVAL
    assert status(Group().with_rank, ME, 0) == Der.INVAL
    assert status(Group().with_rank, Member(NIL_RANK, "", 0), 1) == Der.INVAL


def test_a_newer_map_replaces_all() -> None:
    group = joined().updated(GroupMap(version=5, members=(ME, OTHER)))
    assert (group.version, set(group.members)) == (5, {0, 1})
    alone = group.updated(GroupMap(version=7, members=(ME,)))
    assert list(alone.left(group)) == [OTHER]


def test_an_old_map_changes_nothing() -> None:
    group = joined().updated(GroupMap(version=5, members=(ME, OTHER)))
    assert group.updated(GroupMap(version=5, members=(OTHER,))) is group
    assert Group().updated(GroupMap(version=0, members=())) == Group()


def test_maps_from_before_ones_time_are_refused() -> None:
    assert status(Group().updated, GroupMap(version=3, members=(OTHER,))) == Der.GRPVER
    assert status(joined(4).updated, GroupMap(version=3, members=(OTHER,))) == Der.GRPVER


def test_strangers_are_out_of_group() -> None:
    assert status(joined().uri, 9) == Der.OOG


@pytest.mark.parametrize("uri", ["", "ofi+tcp://", "ofi+tcp://host", "ofi+tcp://host:port"])
def test_addresses_that_are_none(uri: str) -> None:
    assert status(address, uri) == Der.INVAL


def test_an_address_with_a_layered_provider() -> None:
    assert address("ofi+verbs;ofi_rxm://10.0.0.1:31416") == ("10.0.0.1", 31416)
