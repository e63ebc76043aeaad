"""Which pools are made where, how big, and what becomes of their records."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.base.errors import DaosControlError, DaosError, Fault, PoolNotFound
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.rules import pools
from daos_control.mgmt.rules.pools import EngineStorage, PoolWish
from daos_control.mgmt.system import System
from daos_control.model.member_state import MemberState
from daos_control.model.pool import PoolService, PoolState
from daos_control.testing.management import a_system

NOW = datetime(2026, 1, 2, tzinfo=UTC)
UUID = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
MIB, GIB = 1 << 20, 1 << 30
PMEM = EngineStorage(targets=2, has_bdevs=True, md_on_ssd=False)
RAM = EngineStorage(targets=1, has_bdevs=False, md_on_ssd=False)
MD_ON_SSD = EngineStorage(targets=2, has_bdevs=True, md_on_ssd=True)


def a_wish(**changes: Any) -> PoolWish:
    given_: dict[str, Any] = {"uuid": UUID, "label": "tank", "tier_bytes": (GIB, 0)}
    return PoolWish(**{**given_, **changes})


def first(ranks: Any, number: int) -> Any:
    return list(ranks)[:number]


def plan(system: System, wish: PoolWish, storage: EngineStorage = PMEM) -> pools.PoolPlan:
    return pools.plan(system, wish, storage, choose=first, now=NOW).outcome


def with_pool(system: System, uuid: str = UUID, **changes: Any) -> System:
    given_: dict[str, Any] = {"label": "tank", "state": PoolState.READY, "replicas": (1, 2)}
    return system.with_pool(PoolService(uuid=uuid, last_update=NOW, **{**given_, **changes}))


def test_a_pool_lies_on_all_available_ranks_unless_told_otherwise() -> None:
    system = a_system()
    system = system.with_member(system.members[3].placed(MemberState.STOPPED, now=NOW))
    assert plan(system, a_wish()).pool.ranks == (1, 2, 4)
    assert plan(system, a_wish(num_ranks=2)).pool.ranks == (1, 2)
    assert plan(system, a_wish(ranks=(4, 1, 4))).pool.ranks == (1, 4)


def test_ranks_are_chosen_by_whoever_is_told_to_and_then_sorted() -> None:
    chosen = pools.plan(a_system(), a_wish(num_ranks=2), PMEM, choose=lambda *_: [4, 2], now=NOW).outcome
    assert chosen.pool.ranks == (2, 4)


@pytest.mark.parametrize(
    ("wish", "storage", "refusal"),
    [
        (a_wish(label=""), PMEM, 615),
        (a_wish(label="taken"), PMEM, 609),
        (a_wish(ranks=(1, 9)), PMEM, 606),
        (a_wish(num_ranks=5), PMEM, 607),
        (a_wish(service_replicas=5), PMEM, 608),
        (a_wish(ranks=(1, 2), service_replicas=3), PMEM, 608),
        (a_wish(mem_ratio=0.5), PMEM, 619),
        (a_wish(tier_bytes=(32 * MIB - 1, 0)), PMEM, 604),
        (a_wish(tier_bytes=(32 * MIB, 2 * GIB - 1)), PMEM, 605),
        (a_wish(tier_bytes=(), total_bytes=100 * MIB, tier_ratio=(0.06, 0.94)), PMEM, 604),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else None,
)
def test_pools_that_cannot_be_are_refused(wish: PoolWish, storage: EngineStorage, refusal: int) -> None:
    with pytest.raises(Fault) as error:
        plan(with_pool(a_system(), OTHER, label="taken"), wish, storage)
    assert error.value.code == refusal


@pytest.mark.parametrize(
    ("changes", "storage"),
    [
        ({"tier_bytes": ()}, PMEM),
        ({"tier_bytes": (GIB,)}, PMEM),
        ({"total_bytes": GIB}, PMEM),
        ({"tier_bytes": (), "total_bytes": GIB, "tier_ratio": (1.0,)}, PMEM),
        ({"tier_bytes": (), "total_bytes": 0, "tier_ratio": (0.06, 0.94)}, PMEM),
        ({"tier_bytes": (), "total_bytes": GIB, "tier_ratio": (float("nan"), 0.0)}, PMEM),
        ({"tier_bytes": (), "total_bytes": GIB, "tier_ratio": (float("inf"), 0.0)}, PMEM),
        ({"tier_bytes": (GIB, GIB)}, RAM),
    ],
)
def test_sizes_that_make_no_sense_are_refused(changes: dict[str, Any], storage: EngineStorage) -> None:
    with pytest.raises(Refused):
        plan(a_system(), a_wish(**changes), storage)


def test_no_rank_no_pool() -> None:
    with pytest.raises(Refused, match="zero target ranks"):
        plan(a_system(0), a_wish())


def test_a_total_is_split_by_ratio_and_rank() -> None:
    wish = a_wish(tier_bytes=(), total_bytes=100 * GIB, tier_ratio=(0.06, 0.94))
    assert plan(a_system(), wish).pool.tier_bytes == (int(100 * GIB * 0.06) // 4, int(100 * GIB * 0.94) // 4)
    assert plan(a_system(), wish, RAM).pool.tier_bytes == (25 * GIB, 0)


def test_metadata_on_ssd_has_a_ratio_always_and_nothing_else_ever() -> None:
    assert plan(a_system(), a_wish(), MD_ON_SSD).pool.mem_ratio == 1.0
    assert plan(a_system(), a_wish(mem_ratio=0.25), MD_ON_SSD).pool.mem_ratio == 0.25
    assert plan(a_system(), a_wish()).pool.mem_ratio == 0.0


def test_the_tree_is_cut_to_the_ranks() -> None:
    assert plan(a_system(), a_wish(ranks=(2,))).fault_domains == (0, 2, 1, 1, 1, 4, 1, 2)


@given(st.integers(1, 12), st.integers(0, 14), st.integers(0, 12))
def test_any_plan_fits_the_system_it_was_made_for(members: int, num_ranks: int, replicas: int) -> None:
    system = a_system(members)
    try:
        pool = plan(system, a_wish(num_ranks=num_ranks, service_replicas=replicas)).pool
    except DaosControlError:
        assert num_ranks > members or replicas > min(9, num_ranks or members)
    else:
        assert set(pool.ranks) <= set(system.members)
        assert len(pool.ranks) == (num_ranks or members)
        assert pool.state is PoolState.CREATING


def test_new_pools_have_the_systems_scrubber_unless_given_their_own() -> None:
    system = a_system().with_attributes({"prop.pool_scrub_mode": "timed"})
    assert pools.inherited_properties(system, []) == ((16, 2), (18, 0))
    assert pools.inherited_properties(system, [16]) == ((18, 0),)


# -- finding ---------------------------------------------------------------------------------------------------------


def test_pools_are_found_by_uuid_and_by_label() -> None:
    system = with_pool(a_system())
    for pool_id in ("tank", UUID, UUID.upper(), UUID.replace("-", ""), f"{{{UUID}}}", f"urn:uuid:{UUID}"):
        assert pools.find(system, pool_id).uuid == UUID
    with pytest.raises(PoolNotFound):
        pools.find(system, OTHER)
    with pytest.raises(PoolNotFound):
        pools.find(system, "Tank")
    with pytest.raises(Refused, match="empty pool id"):
        pools.find(system, "")


@pytest.mark.parametrize("label", ["0123456789abcdef-0123456789abcdef", "{tank}", "urn:uuid:tank"])
def test_a_label_is_one_even_if_some_would_take_it_for_a_uuid(label: str) -> None:
    assert pools.find(with_pool(a_system(), label=label), label).uuid == UUID


@pytest.mark.parametrize("state", [PoolState.CREATING, PoolState.DESTROYING])
def test_a_pool_that_is_not_ready_asks_for_another_try(state: PoolState) -> None:
    with pytest.raises(DaosError) as error:
        pools.in_service(with_pool(a_system(), state=state), "tank")
    assert error.value.status == -1013


def test_service_ranks_are_the_replicas_that_can_answer() -> None:
    system = with_pool(a_system())
    assert pools.service_ranks(system, system.pools[UUID]) == (1, 2)
    system = system.with_member(system.members[1].placed(MemberState.ERRORED, now=NOW))
    assert pools.service_ranks(system, system.pools[UUID]) == (2,)
    system = system.with_member(system.members[2].placed(MemberState.STOPPED, now=NOW))
    with pytest.raises(Refused, match=f"unable to find any available service ranks for pool {UUID}"):
        pools.service_ranks(system, system.pools[UUID])


@pytest.mark.parametrize(
    ("wish", "advice"),
    [
        (a_wish(tier_bytes=(32 * MIB - 1, 0)), "ask for a pool of 129 MiB or more, of which 129 MiB SCM"),
        (a_wish(tier_bytes=(32 * MIB - 1, GIB)), "ask for a pool of 8.1 GiB or more, of which 129 MiB SCM"),
        (a_wish(tier_bytes=(32 * MIB, 2 * GIB - 1)), "ask for a pool of 8.1 GiB or more, of which 8.0 GiB NVMe"),
    ],
)
def test_who_asks_for_too_little_is_told_how_much_would_do(wish: PoolWish, advice: str) -> None:
    with pytest.raises(Fault) as error:
        plan(a_system(), wish)
    assert error.value.resolution == advice


def test_the_least_is_enough() -> None:
    wish = a_wish(tier_bytes=(32 * MIB, 2 * GIB))
    assert plan(a_system(), wish).pool.tier_bytes == (32 * MIB, 2 * GIB)


# -- records ---------------------------------------------------------------------------------------------------------


def test_a_pool_service_that_speaks_up_makes_a_pool_ready_but_saves_none() -> None:
    creating = with_pool(a_system(), state=PoolState.CREATING, replicas=())
    ready = pools.replicas_updated(creating, UUID, [3], now=NOW).outcome
    assert ready is not None
    assert (ready.state, ready.replicas) == (PoolState.READY, (3,))
    doomed = with_pool(a_system(), state=PoolState.DESTROYING)
    assert pools.replicas_updated(doomed, UUID, [3], now=NOW).system is doomed
    settled = with_pool(a_system(), replicas=(3,))
    assert pools.replicas_updated(settled, UUID, [3], now=NOW).system is settled, "that was known"
    moved = pools.replicas_updated(settled, UUID, [4], now=NOW).outcome
    assert moved is not None
    assert moved.replicas == (4,)


def test_what_is_doomed_stays_so_from_the_first_time_on() -> None:
    doomed = pools.destroying(with_pool(a_system()), UUID, now=NOW)
    assert doomed.system.pools[UUID].state is PoolState.DESTROYING
    assert pools.destroying(doomed.system, UUID, now=NOW).system is doomed.system


def test_labels_are_unique_but_may_be_kept() -> None:
    system = with_pool(with_pool(a_system()), OTHER, label="other")
    assert pools.relabelled(system, UUID, "tank", now=NOW).system.pools[UUID].label == "tank"
    with pytest.raises(Fault) as error:
        pools.relabelled(system, UUID, "other", now=NOW)
    assert error.value.code == 609


def test_the_checker_may_bring_pools_in_and_correct_them() -> None:
    system = pools.registered(a_system(), UUID, "found", [1], now=NOW).system
    assert (system.pools[UUID].state, system.pools[UUID].replicas) == (PoolState.READY, (1,))
    system = pools.registered(system, UUID, "renamed", [2], now=NOW).system
    assert (system.pools[UUID].label, system.pools[UUID].replicas) == ("renamed", (2,))
    with pytest.raises(DaosError) as error:
        pools.registered(system, OTHER, "renamed", [1], now=NOW)
    assert error.value.status == -1004
