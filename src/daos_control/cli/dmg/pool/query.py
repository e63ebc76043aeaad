"""``dmg pool query`` and ``query-targets``: what is known of a pool."""

from collections.abc import Sequence
from typing import Any, Final

from daos_control.base.units import format_si
from daos_control.cli.dmg import advice
from daos_control.cli.dmg.pool.naming import pool_id
from daos_control.cli.dmg.pool.view import healing_off, pool_view, targets_view
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.client.pools import HEALTH_ONLY, Pool, Target, TierStats
from daos_control.model.pool_property import DEFAULT_QUERY, PoolQuery

MASK_NAMES: Final = {
    PoolQuery.SPACE: "space",
    PoolQuery.REBUILD_STATUS: "rebuild",
    PoolQuery.ENGINES_ENABLED: "enabled_engines",
    PoolQuery.ENGINES_DISABLED: "disabled_engines",
    PoolQuery.ENGINES_DEAD: "dead_engines",
    PoolQuery.SELF_HEAL_POLICY: "self_heal_policy",
}


@command()
async def query(session: Session, args: Values) -> Output:
    """Show a pool's health and space."""
    mask = HEALTH_ONLY if args.health_only else DEFAULT_QUERY
    if not args.no_self_heal_check:
        mask |= int(PoolQuery.SELF_HEAL_POLICY)
    if args.show_enabled:
        mask |= int(PoolQuery.ENGINES_ENABLED)
    pool = await session.daos.pools.query(pool_id(args), mask=mask | int(PoolQuery.ENGINES_DISABLED))
    return Output(
        document=pool_document(pool),
        text=pool_text(pool),
        view=pool_view(pool, args.pool),
        next=tuple(advice.for_pool(pool, args.pool)),
    )


def pool_text(pool: Pool) -> str:
    """Lay out what is known of a pool."""
    counts = f"ntarget={pool.total_targets}, disabled={pool.disabled_targets}"
    lines = [f"Pool {pool.uuid}, {counts}, leader={pool.svc_ldr}, version={pool.version}, state={pool.state}"]
    if pool.pool_layout_ver != pool.upgrade_layout_ver:
        versions = f"{pool.pool_layout_ver} < {pool.upgrade_layout_ver}"
        lines.append(f"Pool layout out of date ({versions}): see 'dmg pool upgrade -h'.")
    lines += ["Pool health info:", *health_lines(pool)]
    if pool.knows(PoolQuery.SPACE) and pool.tier_stats:
        lines += ["Pool space info:", f"- Target count:{pool.active_targets}"]
        lines += space_lines(pool.tier_stats, pool.mem_file_bytes, md_on_ssd=pool.md_on_ssd_active, full=True)
    for kind, whose in healing_off(pool).items():
        policies = "policies" if len(whose) > 1 else "policy"
        lines.append(f"{kind} disabled on pool due to [{' '.join(whose)}] {policies}")
    return "\n".join(lines) + "\n"


def health_lines(pool: Pool) -> list[str]:
    """Say which ranks are in and out, and how the rebuild is."""
    lines = []
    if pool.enabled_ranks:
        lines.append(f"- Enabled ranks: {pool.enabled_ranks}")
    if pool.disabled_ranks:
        lines.append(f"- Disabled ranks: {pool.disabled_ranks}")
    if pool.dead_ranks and pool.knows(PoolQuery.ENGINES_DEAD):
        lines.append(f"- Dead ranks: {pool.dead_ranks}")
    rebuild = pool.rebuild
    if rebuild is None:
        return [*lines, "- No rebuild status available."]
    if rebuild.status == 0:
        lines.append(f"- Rebuild {rebuild.state}, {rebuild.objects} objs, {rebuild.records} recs")
    else:
        lines.append(f"- Rebuild {rebuild.derived_state} (state={rebuild.state}, status={rebuild.status})")
    return [*lines, f"- Data redundancy: {'degraded' if rebuild.degraded else 'normal'}"]


def space_lines(tiers: Sequence[TierStats], mem_file_bytes: int, *, md_on_ssd: bool, full: bool) -> list[str]:
    """Say how much space each tier has."""
    lines = []
    if md_on_ssd and full:
        lines.append(f"- Total memory-file size: {format_si(mem_file_bytes)}")
    for number, tier in enumerate(tiers):
        if md_on_ssd:
            lines.append("- Data storage:" if number else "- Metadata storage:")
        else:
            lines.append(f"- Storage tier {number} ({tier.media_type.upper()}):")
        free = f"  Free: {format_si(tier.free)}"
        if full:
            free += f", min:{format_si(tier.min)}, max:{format_si(tier.max)}, mean:{format_si(tier.mean)}"
        lines += [f"  Total size: {format_si(tier.total)}", free]
    return lines


@command()
async def query_targets(session: Session, args: Values) -> Output:
    """Show targets of a rank."""
    targets = await session.daos.pools.query_targets(pool_id(args), args.rank, tuple(args.target_idx))
    lines: list[str] = []
    for target in targets:
        lines.append(f"Target: state {target.target_state}")
        lines += space_lines(target.space, target.mem_file_bytes, md_on_ssd=target.md_on_ssd_active, full=False)
    infos = [target_document(target) for target in targets] or None
    return Output(
        document={"status": 0, "Infos": infos},
        text="\n".join(lines) + "\n",
        view=targets_view(args.target_idx or range(len(targets)), targets),
    )


def target_document(target: Target) -> dict[str, Any]:
    """Give a target the keys that DAOS gives it."""
    return {
        "target_state": target.target_state,
        "space": document(target.space),
        "mem_file_bytes": 0,  # what DAOS 2.8 has here whatever the engine said; the text has the real number
        "md_on_ssd_active": target.md_on_ssd_active,
    }


def pool_document(pool: Pool) -> dict[str, Any]:
    """Give a pool exactly the keys that DAOS gives it; some are there only if there is something to say."""
    shown = {
        "query_mask": ",".join(sorted(name for part, name in MASK_NAMES.items() if pool.knows(part))),
        "state": pool.state,
        "uuid": pool.uuid,
        "label": pool.label or None,
        "total_targets": pool.total_targets,
        "active_targets": pool.active_targets,
        "total_engines": pool.total_engines,
        "disabled_targets": pool.disabled_targets,
        "version": pool.version,
        "svc_ldr": pool.svc_ldr,
        "svc_reps": document(pool.svc_reps),
        "rebuild": document(pool.rebuild),
        "tier_stats": document(pool.tier_stats),
        "enabled_ranks": document(pool.enabled_ranks),
        "disabled_ranks": document(pool.disabled_ranks),
        "dead_ranks": document(pool.dead_ranks),
        "pool_layout_ver": pool.pool_layout_ver,
        "upgrade_layout_ver": pool.upgrade_layout_ver,
        "mem_file_bytes": pool.mem_file_bytes,
        "md_on_ssd_active": pool.md_on_ssd_active,
        "self_heal_policy": pool.self_heal_policy,
        "usage": [
            {
                "tier_name": tier.media_type.upper(),
                "size": tier.total,
                "free": tier.free,
                "imbalance": tier.imbalance(pool.active_targets),
            }
            for tier in pool.tier_stats
        ]
        or None,
    }
    optional = ("label", "svc_reps", "enabled_ranks", "disabled_ranks", "dead_ranks", "usage")
    return {key: value for key, value in shown.items() if value is not None or key not in optional}
