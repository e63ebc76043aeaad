"""A pool as a person at a terminal sees it: the facts of ``dmg pool query``, in words that need no explanation."""

from collections.abc import Iterable, Sequence

from daos_control.base.der import der_text
from daos_control.base.rankset import RankSet
from daos_control.base.units import counted, format_si
from daos_control.cli.ui.tables import entity, table
from daos_control.client.pools import Pool, Rebuild, Target, TierStats
from daos_control.model.pool_property import PoolQuery


def pool_view(pool: Pool, name: str) -> str:
    """Lay out a pool, by the name that somebody asked for: what a service tells of its pool has no label."""
    facts: dict[str, object] = {"State": pool.state, "UUID": pool.uuid}
    if pool.total_targets:
        known = pool.knows(PoolQuery.SPACE)  # without it, nobody has counted those that are active
        in_use = pool.active_targets if known else pool.total_targets - pool.disabled_targets
        facts["Targets"] = f"{in_use} of {pool.total_targets} in use, on {counted(pool.total_engines, 'rank')}"
    some_ranks = {
        "Enabled ranks": pool.enabled_ranks,
        "Disabled ranks": pool.disabled_ranks,
        "Dead ranks": pool.dead_ranks if pool.knows(PoolQuery.ENGINES_DEAD) else None,
    }
    facts |= {title: ranks for title, ranks in some_ranks.items() if ranks}
    facts["Pool service"] = f"led by rank {pool.svc_ldr}"
    if pool.svc_reps:
        facts["Pool service"] = f"on {RankSet(pool.svc_reps).named()}, led by {pool.svc_ldr}"
    facts["Rebuild"] = rebuild_words(pool.rebuild) if pool.rebuild else "not told"
    if pool.rebuild:
        facts["Redundancy"] = "degraded" if pool.rebuild.degraded else "normal"
    if pool.pool_layout_ver != pool.upgrade_layout_ver:
        facts["Layout"] = f"{pool.pool_layout_ver}; 'dmg pool upgrade {name}' makes it {pool.upgrade_layout_ver}"
    if off := healing_off(pool):
        facts["Self-healing"] = ", ".join(f"{kind} is off ({' and '.join(whose)})" for kind, whose in off.items())
    text = entity(f"Pool {name}", facts)
    if pool.knows(PoolQuery.SPACE) and pool.tier_stats:
        text += "\n" + _tiers(pool)
    return text


def rebuild_words(rebuild: Rebuild) -> str:
    """Say how far a rebuild is, or how it ended.

    >>> rebuild_words(Rebuild(status=0, state="busy", derived_state="busy", objects=3, records=7, total_objects=12))
    'busy: 3 of 12 objects, 7 records so far'
    """
    if rebuild.status:
        return f"{rebuild.derived_state}: {der_text(rebuild.status)}"
    if rebuild.state == "idle":
        return "idle"
    objects = f"{rebuild.objects} of {rebuild.total_objects} objects" if rebuild.total_objects else "no objects yet"
    return f"{rebuild.state}: {objects}, {rebuild.records} records so far" if rebuild.state == "busy" else rebuild.state


def _tiers(pool: Pool) -> str:
    """Lay out the space of tiers; one that the pool has nothing of is left out."""
    rows = [
        (_tier_name(number, tier, pool), format_si(tier.total), format_si(tier.free), _used(tier), _each(tier))
        for number, tier in enumerate(pool.tier_stats)
        if tier.total
    ]
    text = table(["Tier", "Size", "Free", "Used", "Free on each target"], rows, indent="  ")
    if pool.md_on_ssd_active:
        text += f"  {format_si(pool.mem_file_bytes)} of memory hold what metadata is in use\n"
    return text


def targets_view(numbers: Iterable[int], targets: Sequence[Target]) -> str:
    """Lay out targets and the space of their tiers; one that a target has nothing of is left out."""
    rows = [
        (
            index,
            target.target_state,
            _tier_name(number, tier, target),
            format_si(tier.total),
            format_si(tier.free),
            _used(tier),
        )
        for index, target in zip(numbers, targets, strict=False)
        for number, tier in enumerate(target.space)
        if tier.total
    ]
    return table(["Target", "State", "Tier", "Size", "Free", "Used"], rows)


def _tier_name(number: int, tier: TierStats, pool: Pool | Target) -> str:
    if pool.md_on_ssd_active:
        return "data" if number else "metadata"
    return {"scm": "SCM", "nvme": "NVMe"}.get(tier.media_type, tier.media_type)


def _used(tier: TierStats) -> str:
    return f"{max(0, tier.total - tier.free) * 100 // tier.total}%"


def _each(tier: TierStats) -> str:
    least, most = format_si(tier.min), format_si(tier.max)
    return least if least == most else f"{least} to {most}"


def healing_off(pool: Pool) -> dict[str, list[str]]:
    """Return which kinds of self-healing are off, and whose policy that is."""
    if not pool.sys_self_heal_policy and not pool.self_heal_policy:
        return {}
    system, own = pool.sys_self_heal_policy.split(";"), pool.self_heal_policy.split(";")
    whose = {
        kind: (["system"] if f"pool_{kind}" not in system else []) + (["pool"] if kind not in own else [])
        for kind in ("exclude", "rebuild")
    }
    return {kind: policies for kind, policies in whose.items() if policies}
