"""Plans of pools: what each rank would give, how big a pool could be, and which ranks keep it from being bigger."""

import pytest

from daos_control.base.rankset import RankSet
from daos_control.base.units import GIB, MIB
from daos_control.client.pool_size import PerRank, PoolSize, Room, Share, Total
from daos_control.client.pools.plan import PoolPlan, plan

ROOMY = (10 * GIB, 100 * GIB)


def left(*usable: tuple[int, int], md_on_ssd: bool = False, targets: int = 0) -> Room:
    ranks = range(len(usable))
    return Room(
        usable=dict(enumerate(usable)),
        hosts={rank: f"host{rank // 2}" for rank in ranks},
        targets=dict.fromkeys(ranks, targets) if targets else {},
        md_on_ssd=md_on_ssd,
    )


def planned(size: PoolSize | None, room: Room, *, ranks: int = 0, replicas: int = 0) -> PoolPlan:
    return plan(size, RankSet(range(ranks or len(room.usable))), room, service_replicas=replicas)


def test_a_total_is_divided_as_the_management_service_divides_it() -> None:
    found = planned(Total(total_bytes=100_000_000_001), left(ROOMY, ROOMY, ROOMY))
    assert found.tier_bytes == (int(100_000_000_001 * 0.06) // 3, int(100_000_000_001 * 0.94) // 3)
    assert found.problems == ()
    assert [share.fits for share in found.ranks] == [True, True, True]
    assert [share.host for share in found.ranks] == ["host0", "host0", "host1"]


def test_without_ssds_all_of_a_total_is_in_the_first_tier() -> None:
    found = planned(Total(total_bytes=8 * GIB), left((5 * GIB, 0), (5 * GIB, 0)))
    assert found.tier_bytes == (4 * GIB, 0)
    assert found.largest.tier_bytes == (5 * GIB, 0)
    assert [limit.tier for limit in found.largest.limits] == [0]


def test_the_rank_with_least_decides_and_is_named() -> None:
    found = planned(Share(fraction=0.5), left((8, 900), (10, 700), (8, 800)))
    assert found.tier_bytes == (4, 350)
    assert found.largest.tier_bytes == (8, 700)
    assert found.largest.total_bytes == 3 * 708
    assert [(limit.ranks, limit.usable_bytes) for limit in found.largest.limits] == [
        (RankSet([0, 2]), 8),
        (RankSet([1]), 700),
    ]


def test_of_a_total_the_tier_that_is_full_first_decides() -> None:
    found = planned(Total(total_bytes=1 * GIB, ratios=(0.5, 0.5)), left(ROOMY, ROOMY))
    assert found.largest.tier_bytes == (10 * GIB, 10 * GIB)
    assert [limit.decisive for limit in found.largest.limits] == [True, False]
    assert found.largest.total_bytes == 40 * GIB


@pytest.mark.parametrize("ratios", [(0.06, 0.94), (0.5, 0.5), (0.01, 0.99), (1.0, 0.0), (0.3333, 0.6667)])
@pytest.mark.parametrize("usable", [(10 * GIB, 100 * GIB), (7, 1000), (123456789, 987654321), (10**15 + 1, 3)])
def test_the_largest_pool_fits_and_a_bigger_one_does_not(ratios: tuple[float, float], usable: tuple[int, int]) -> None:
    room = left(usable, usable, usable)
    largest = planned(Total(total_bytes=1 << 20, ratios=ratios), room).largest
    again = planned(Total(total_bytes=largest.total_bytes, ratios=ratios), room)
    assert all(share.fits for share in again.ranks)
    bigger = planned(Total(total_bytes=int(largest.total_bytes * 1.01) + 1000, ratios=ratios), room)
    assert not all(share.fits for share in bigger.ranks)


def test_what_does_not_fit_is_told_with_its_ranks() -> None:
    found = planned(PerRank(tier_bytes=(9 * GIB, 50 * GIB)), left(ROOMY, (8 * GIB, 100 * GIB), (10 * GIB, 20 * GIB)))
    assert [share.fits for share in found.ranks] == [True, False, False]
    assert found.problems == (
        "SCM: 9.7 GB are wanted on each rank, and rank 1 has 8.6 GB",
        "NVMe: 54 GB are wanted on each rank, and rank 2 has 22 GB",
    )


def test_ranks_chosen_by_chance_must_all_have_enough_or_be_named() -> None:
    room = left(ROOMY, (1 * GIB, 100 * GIB), ROOMY)
    found = planned(Total(total_bytes=8 * GIB, ratios=(0.5, 0.5), num_ranks=2), room)
    assert found.num_ranks == 2
    assert found.problems[1] == "which ranks are taken is left to chance; ranks 0,2 would do: name them"


@pytest.mark.parametrize(
    ("size", "replicas", "problem"),
    [
        (Total(total_bytes=9 * GIB, num_ranks=4), 0, "4 ranks were asked for, and there are 2"),
        (Total(total_bytes=9 * GIB), 3, "3 replicas of the pool service were asked for, and there may be 2"),
        (Total(total_bytes=9 * GIB, num_ranks=1), 2, "and there may be 1"),
        (PerRank(tier_bytes=(1 * GIB, 0), mem_ratio=0.5), 0, "keeps its metadata in memory"),
        (PerRank(tier_bytes=(60 * MIB, 0)), 0, "tier 0 would have 63 MB on each rank, and its 4 targets need 67 MB"),
        (PerRank(tier_bytes=(64 * MIB, 4 * GIB - 1)), 0, "tier 1 would have 4.3 GB on each rank"),
        (Total(total_bytes=1), 0, "the first tier would have no bytes"),
    ],
)
def test_what_the_service_would_refuse(size: PoolSize, replicas: int, problem: str) -> None:
    found = planned(size, left(ROOMY, ROOMY, targets=4), replicas=replicas)
    assert any(problem in said for said in found.problems), found.problems


def test_ssds_cannot_be_had_where_there_are_none() -> None:
    found = planned(PerRank(tier_bytes=(1 * GIB, 1 * GIB)), left((2 * GIB, 0)))
    assert found.problems == ("1.1 GB of SSDs are wanted on each rank, and no rank has SSDs for data",)


def test_with_metadata_on_ssds_memory_stands_for_more() -> None:
    found = planned(PerRank(tier_bytes=(20, 50), mem_ratio=0.5), left((10, 100), md_on_ssd=True))
    assert (found.mem_ratio, found.problems) == (0.5, ())
    assert found.ranks[0].usable == (20, 100)
    assert planned(None, left((10, 100), md_on_ssd=True)).mem_ratio == 1.0


def test_ranks_whose_hosts_are_unheard_of_are_told() -> None:
    found = planned(Total(total_bytes=9 * GIB), left(ROOMY), ranks=3)
    assert "nothing is known of ranks 1-2" in found.problems[0]


def test_too_little_space_for_any_pool_is_told_even_if_nobody_wants_one() -> None:
    found = planned(None, left((32 * MIB, 0), targets=4))
    assert found.tier_bytes is None
    assert found.problems == ("no pool fits: its first tier needs 67 MB on each rank",)


def test_the_number_of_targets_is_taken_from_pools_where_ssds_do_not_tell() -> None:
    assert plan(None, RankSet([0]), left(ROOMY), targets=8).targets == 8
    assert plan(None, RankSet([0]), left(ROOMY, targets=4), targets=8).targets == 4
