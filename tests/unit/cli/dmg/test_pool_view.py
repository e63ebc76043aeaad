"""A pool as people see it: every fact that scripts get, in words, and nothing about what it has nothing of."""

from dataclasses import replace

import pytest

from daos_control.base.rankset import RankSet
from daos_control.cli.dmg.pool.create import created_view
from daos_control.cli.dmg.pool.listing import verbose_list_text, verbose_list_view
from daos_control.cli.dmg.pool.view import pool_view, rebuild_words, targets_view
from daos_control.client.pools import CreatedPool, Pool, Rebuild, Target, TierStats
from daos_control.model.pool_property import DEFAULT_QUERY, PoolQuery

GB = 10**9
SCM = TierStats(total=8 * GB, free=6 * GB, min=GB, max=2 * GB, mean=GB, media_type="scm")
NO_NVME = TierStats(total=0, free=0, media_type="nvme")
REBUILD = Rebuild(status=0, state="busy", derived_state="busy", objects=3, records=7, total_objects=12, degraded=True)
TANK = Pool(
    uuid="11f5e040-f9f2-4d86-8bc5-c0841667e7d5",
    label="tank",
    state="TargetsExcluded",
    query_mask=DEFAULT_QUERY | PoolQuery.ENGINES_DISABLED | PoolQuery.SELF_HEAL_POLICY,
    svc_ldr=1,
    svc_reps=(0, 1, 2),
    total_targets=8,
    active_targets=6,
    disabled_targets=2,
    total_engines=4,
    rebuild=REBUILD,
    tier_stats=(SCM, NO_NVME),
    disabled_ranks=RankSet([3]),
    pool_layout_ver=4,
    upgrade_layout_ver=4,
    self_heal_policy="exclude;rebuild",
    sys_self_heal_policy="exclude;pool_exclude",
)


def test_a_pool_that_is_not_whole() -> None:
    assert pool_view(TANK, "tank") == (
        "Pool tank\n"
        "---------\n"
        "  State         : TargetsExcluded\n"
        "  UUID          : 11f5e040-f9f2-4d86-8bc5-c0841667e7d5\n"
        "  Targets       : 6 of 8 in use, on 4 ranks\n"
        "  Disabled ranks: 3\n"
        "  Pool service  : on ranks 0-2, led by 1\n"
        "  Rebuild       : busy: 3 of 12 objects, 7 records so far\n"
        "  Redundancy    : degraded\n"
        "  Self-healing  : rebuild is off (system)\n"
        "\n"
        "  Tier Size   Free   Used Free on each target \n"
        "  ---- ----   ----   ---- ------------------- \n"
        "  SCM  8.0 GB 6.0 GB 25%  1.0 GB to 2.0 GB    \n"
    )


def test_metadata_on_ssd_says_what_is_in_memory() -> None:
    pool = replace(TANK, md_on_ssd_active=True, mem_file_bytes=GB, tier_stats=(SCM, replace(SCM, media_type="nvme")))
    assert "metadata 8.0 GB" in pool_view(pool, "tank")
    assert "data     8.0 GB" in pool_view(pool, "tank")
    assert "1.0 GB of memory hold" in pool_view(pool, "tank")


def test_health_only_has_no_space() -> None:
    pool = replace(TANK, query_mask=TANK.query_mask & ~int(PoolQuery.SPACE))
    assert "Tier" not in pool_view(pool, "tank")


def test_targets_that_nobody_counted_are_not_said_to_be_out_of_use() -> None:
    pool = replace(TANK, query_mask=TANK.query_mask & ~int(PoolQuery.SPACE), active_targets=0)
    assert "Targets       : 6 of 8 in use, on 4 ranks\n" in pool_view(pool, "tank")


@pytest.mark.parametrize(
    ("rebuild", "words"),
    [
        (replace(REBUILD, state="idle"), "idle"),
        (replace(REBUILD, state="done"), "done"),
        (replace(REBUILD, total_objects=0), "busy: no objects yet, 7 records so far"),
        (
            replace(REBUILD, status=-2027, state="idle", derived_state="stopped"),
            "stopped: DER_OP_CANCELED(-2027): Operation canceled",
        ),
    ],
)
def test_a_rebuild_in_words(rebuild: Rebuild, words: str) -> None:
    assert rebuild_words(rebuild) == words


def test_targets_go_by_the_numbers_that_were_asked_for() -> None:
    target = Target(target_state="up_in", space=(SCM, NO_NVME), mem_file_bytes=0, md_on_ssd_active=False)
    rows = targets_view((2, 5), [target, target]).splitlines()[2:]
    assert [row.split() for row in rows] == [
        [number, "up_in", "SCM", "8.0", "GB", "6.0", "GB", "25%"] for number in ("2", "5")
    ]


def test_a_list_for_people_leaves_out_columns_that_say_nothing() -> None:
    titles = verbose_list_view([TANK]).splitlines()[0]
    assert "NVME" not in titles
    assert "UpgradeNeeded?" not in titles
    assert {"SCM", "Disabled", "Rebuild"} < set(titles.split())
    assert "NVME Size" in verbose_list_text([TANK]), "scripts get them all"
    assert "UpgradeNeeded?" in verbose_list_view([replace(TANK, upgrade_layout_ver=5)])
    assert verbose_list_view([]) == ""


def test_a_new_pool_says_nothing_of_a_tier_that_it_has_not() -> None:
    created = CreatedPool(
        uuid=TANK.uuid,
        svc_ldr=0,
        svc_reps=(0, 1, 2),
        tgt_ranks=(0, 1, 2, 3),
        tier_bytes=(2 * GB, 0),
        mem_file_bytes=0,
        md_on_ssd_active=False,
    )
    assert created_view(created, "tank") == (
        "Pool tank is there\n"
        "------------------\n"
        "  UUID        : 11f5e040-f9f2-4d86-8bc5-c0841667e7d5\n"
        "  Size        : 8.0 GB\n"
        "  SCM         : 8.0 GB, 2.0 GB on each rank\n"
        "  Ranks       : 0-3\n"
        "  Pool service: on ranks 0-2, led by 0\n"
    )
    on_ssd = replace(created, tier_bytes=(GB, 2 * GB), mem_file_bytes=GB, md_on_ssd_active=True)
    assert "  Data        : 8.0 GB, 2.0 GB on each rank\n  Memory      : 1.0 GB" in created_view(on_ssd, "tank")
