"""Commands on a pool's record."""

import msgspec
import pytest

from daos_control.apps.emulator.pool import (
    AddContainer,
    AddHandle,
    ChangeTargets,
    Command,
    Evict,
    Extend,
    PoolRecord,
    Query,
    SetAcl,
    SetContainerOwner,
    SetProperties,
    Upgrade,
    decide,
    new_record,
)
from daos_control.apps.emulator.pool_map import Operation
from daos_control.apps.emulator.replicas import DomainTree
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

UUID = "1e9e8d43-59dd-42ac-8843-6de1f5513952"


@pytest.fixture
def pool() -> PoolRecord:
    tree = DomainTree({rank: rank // 2 for rank in range(8)}, count=4)
    return new_record(UUID, given={1: "p0", 6: "alice@", 7: "staff@"}, entries=[], tree=tree, targets=1)


def after(pool: PoolRecord, *commands: Command) -> PoolRecord:
    for command in commands:
        pool = decide(pool, command).record
    return pool


def refused(pool: PoolRecord, command: Command) -> int:
    with pytest.raises(DaosError) as error:
        decide(pool, command)
    return error.value.status


def test_a_new_pool(pool: PoolRecord) -> None:
    assert pool.acl == ("A::OWNER@:rw", "A:G:GROUP@:rw")
    assert len(pool.replicas) == 5
    assert pool.map.ranks == tuple(range(8))


def test_looking_changes_nothing(pool: PoolRecord) -> None:
    assert decide(pool, Query()).record is pool
    assert decide(pool, Upgrade()).record is pool, "it is up to date"


def test_a_pool_of_an_older_layout_is_upgraded(pool: PoolRecord) -> None:
    old = after(pool)
    old.properties[14] = 3
    assert after(old, Upgrade()).properties[14] == 4


def test_open_handles_stand_in_the_way_of_a_destroy(pool: PoolRecord) -> None:
    pool = after(pool, AddHandle("node1"), AddHandle("node2"))
    busy = decide(pool, Evict(destroy=True))
    assert (busy.status, busy.count, busy.record) == (Der.BUSY, 2, pool)
    forced = decide(pool, Evict(destroy=True, force=True))
    assert (forced.status, forced.count, forced.record.handles) == (0, 2, ())
    assert refused(forced.record, AddHandle("node1")) == Der.BUSY, "nobody connects to a pool about to go"


def test_eviction_by_handle_by_machine_and_of_all(pool: PoolRecord) -> None:
    pool = after(pool, AddHandle("node1"), AddHandle("node1"), AddHandle("node2"))
    one = decide(pool, Evict(handles=[pool.handles[0].uuid], machine="node2", destroy=True))
    assert (one.count, one.record.handles) == (1, pool.handles[1:])
    assert decide(pool, Evict(machine="node1")).count == 2
    assert decide(pool, Evict()).record.handles == ()


def test_a_refused_list_changes_nothing(pool: PoolRecord) -> None:
    assert refused(pool, SetAcl(["A::bob@:r", "A::bob@:w"])) == Der.INVAL
    assert refused(pool, SetProperties({})) == Der.INVAL


def test_containers_are_found_by_label_or_uuid(pool: PoolRecord) -> None:
    pool = after(pool, AddContainer("c1"), AddContainer(""))
    pool = after(pool, SetContainerOwner("c1", "bob@", ""), SetContainerOwner(pool.containers[1].uuid, "", "ops@"))
    assert [(box.owner_user, box.owner_group) for box in pool.containers] == [("bob@", "staff@"), ("alice@", "ops@")]
    assert refused(pool, SetContainerOwner("c2", "bob@", "")) == Der.NONEXIST
    assert refused(pool, AddContainer("c1")) == Der.EXIST


def test_the_service_leaves_ranks_that_are_dead(pool: PoolRecord) -> None:
    gone = pool.replicas[0]
    out = ChangeTargets(operation=Operation.EXCLUDE, rank=gone)
    assert after(pool, out).replicas == pool.replicas
    moved = after(pool, msgspec.structs.replace(out, whole_rank=True))
    assert gone not in moved.replicas
    assert len(moved.replicas) == 5


def test_not_too_many_domains_at_once(pool: PoolRecord) -> None:
    two_down = after(
        pool,
        ChangeTargets(operation=Operation.EXCLUDE, rank=0),
        ChangeTargets(operation=Operation.EXCLUDE, rank=2),
        ChangeTargets(operation=Operation.EXCLUDE, rank=3),
    )
    assert refused(two_down, ChangeTargets(operation=Operation.EXCLUDE, rank=4)) == Der.RF
    assert after(two_down, ChangeTargets(operation=Operation.EXCLUDE, rank=4, force=True)).map.version == 5


def test_extension(pool: PoolRecord) -> None:
    assert after(pool, Extend(domains={8: 4}, targets=1)).map.ranks == tuple(range(9))
    assert refused(pool, Extend(domains={3: 1}, targets=1)) == Der.ALREADY
