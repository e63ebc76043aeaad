"""A pool's map and its versions."""

import pytest

from daos_control.apps.emulator.pool_map import (
    MOVES,
    Operation,
    PoolMap,
    TargetState,
    addresses,
    apply,
    extend,
    failed_domains,
    new_map,
    survivors,
    waiting,
)
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

S = TargetState


@pytest.fixture
def pool() -> PoolMap:
    return new_map({0: 1, 1: 1, 2: 2}, targets=2)


def states(pool: PoolMap, rank: int) -> list[TargetState]:
    return list(pool.engine(rank).targets)


def whole(pool: PoolMap, operation: Operation, rank: int) -> PoolMap:
    return apply(pool, operation, addresses(pool, rank, []))


def test_every_changed_target_is_a_version(pool: PoolMap) -> None:
    out = whole(pool, Operation.EXCLUDE, 1)
    assert (out.version, states(out, 1)) == (3, [S.DOWN, S.DOWN])
    assert whole(out, Operation.EXCLUDE, 1) is out, "nothing left to do is no new map"


def test_a_dead_rank_counts_one_more(pool: PoolMap) -> None:
    out = apply(pool, Operation.EXCLUDE, addresses(pool, 1, []), whole_rank=True)
    assert (out.version, out.engine(1).state) == (4, S.DOWN)
    settled = apply(out, Operation.FINISH_REBUILD, waiting(out))
    assert (states(settled, 1), settled.engine(1).state) == ([S.DOWN_OUT, S.DOWN_OUT], S.DOWN_OUT)
    back = whole(settled, Operation.REINTEGRATE, 1)
    assert (states(back, 1), back.engine(1).state) == ([S.UP, S.UP], S.UP)


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        (Operation.DRAIN, Operation.REINTEGRATE, Der.BUSY),
        (Operation.EXCLUDE, Operation.EXTEND, Der.BUSY),
    ],
)
def test_moves_that_have_to_wait(pool: PoolMap, first: Operation, second: Operation, status: Der) -> None:
    with pytest.raises(DaosError) as error:
        whole(whole(pool, first, 1), second, 1)
    assert error.value.status == status


def test_one_refused_target_refuses_all(pool: PoolMap) -> None:
    mixed = apply(pool, Operation.DRAIN, [(1, 0)])
    with pytest.raises(DaosError):
        whole(mixed, Operation.REINTEGRATE, 1)
    assert states(mixed, 1) == [S.DRAIN, S.UP_IN]


@pytest.mark.parametrize(("rank", "indices"), [(9, []), (1, [2])])
def test_wrong_addresses(pool: PoolMap, rank: int, indices: list[int]) -> None:
    with pytest.raises(DaosError) as error:
        addresses(pool, rank, indices)
    assert error.value.status == Der.NONEXIST


def test_extension_takes_the_versions_a_genuine_pool_takes() -> None:
    grown = extend(new_map({0: 2}, 1), {1: 2}, 1)
    assert (grown.version, grown.ranks) == (4, (0, 1))
    settled = apply(grown, Operation.FINISH_REBUILD, waiting(grown))
    assert (settled.version, states(settled, 1)) == (6, [S.UP_IN])
    with pytest.raises(DaosError) as error:
        extend(settled, {1: 2}, 1)
    assert error.value.status == Der.ALREADY


def test_what_is_left(pool: PoolMap) -> None:
    out = whole(pool, Operation.EXCLUDE, 1)
    half = apply(out, Operation.EXCLUDE, [(2, 0)])
    assert survivors(half) == {0: 1, 1: 1, 2: 2}
    assert failed_domains(half) == 2
    assert half.ranks_with(lambda engine: engine.enabled) == [0]


def test_a_service_stays_on_a_rank_whose_targets_are_out_until_the_rank_itself_is(pool: PoolMap) -> None:
    out = whole(pool, Operation.EXCLUDE, 1)
    assert survivors(out) == survivors(pool)
    dead = apply(out, Operation.EXCLUDE, addresses(out, 1, []), whole_rank=True)
    assert survivors(dead) == {0: 1, 2: 2}
    coming = whole(apply(dead, Operation.FINISH_REBUILD, waiting(dead)), Operation.REINTEGRATE, 1)
    assert survivors(coming) == {0: 1, 2: 2}
    assert survivors(apply(coming, Operation.FINISH_REBUILD, waiting(coming))) == survivors(pool)


def test_the_table_of_moves_never_leaves_a_target_where_it_was() -> None:
    for moves in MOVES.values():
        for before, after in moves.items():
            assert before is not after
