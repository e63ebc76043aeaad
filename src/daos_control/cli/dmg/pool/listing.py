"""``dmg pool list``."""

from collections.abc import Sequence

from daos_control.base.rankset import RankSet
from daos_control.base.units import counted, format_si
from daos_control.cli.dmg import advice
from daos_control.cli.dmg.pool.query import pool_document
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.tables import table
from daos_control.client.errors import PartlyFailed
from daos_control.client.pools import Pool, PoolList, TierStats
from daos_control.model.pool_property import PoolQuery


@command("list pools failed")
async def list_pools(session: Session, args: Values) -> Output:
    """List pools."""
    found = await session.daos.pools.list(query=not args.no_query)
    pools = found.pools
    if args.rebuild_only:
        pools = tuple(pool for pool in pools if pool.rebuild and pool.rebuild.state != "idle")
    answered = [pool for pool in pools if pool.uuid not in found.query_errors]
    lay_out = verbose_list_text if args.verbose else list_text
    return Output(
        document={"status": 0, "pools": [pool_document(pool) for pool in pools] if found.pools else None},
        text=lay_out(answered) if answered or not found.query_errors else "",
        view=list_view(found, answered, verbose=args.verbose),
        error_text=query_errors_text(found),
        problem=query_problem(found) if not session.json else None,
        next=tuple(advice.for_silent_pools() if found.query_errors else advice.for_pools(answered)),
    )


def list_view(found: PoolList, pools: Sequence[Pool], *, verbose: bool) -> str:
    """Lay pools out for people, where that is not as for programs."""
    if not pools and found.pools and not found.query_errors:
        return f"None of {counted(len(found.pools), 'pool')} is rebuilding\n"
    return verbose_list_view(pools) if verbose else ""


def query_problem(found: PoolList) -> PartlyFailed | None:
    """Say that pools are missing from a list, if some are."""
    if not found.query_errors:
        return None
    return PartlyFailed(f"{len(found.query_errors)} of {len(found.pools)} pools could not be queried")


def query_errors_text(found: PoolList) -> str:
    """Name the pools that could not be asked for details, and why."""
    names = {pool.uuid: pool.name for pool in found.pools}
    return "\n".join(
        f"Query on pool {names[uuid]!r} unsuccessful: {error}" for uuid, error in found.query_errors.items()
    )


def list_text(pools: Sequence[Pool]) -> str:
    """Lay out pools, a line each; of their space, the last tier that has any."""
    if not pools:
        return "No pools in system\n"
    titles = ["Pool", "State"]
    if any(pool.knows(PoolQuery.SPACE) for pool in pools):
        titles = ["Pool", "Size", "State", "Used", "Imbalance", "Disabled"]
    if any(pool.pool_layout_ver != pool.upgrade_layout_ver for pool in pools):
        titles.append("UpgradeNeeded?")
    return table(titles, [list_row(pool) for pool in pools]) + "\n"


def list_row(pool: Pool) -> dict[str, str]:
    """Return what a list may show of a pool."""
    tiers = [tier for tier in pool.tier_stats if tier.total] if pool.knows(PoolQuery.SPACE) else []
    tier = tiers[-1] if tiers else TierStats(total=0, free=0)
    used = max(0, (tier.total - tier.free) * 100 // tier.total) if tier.total else 0
    return {
        "Pool": pool.name,
        "Size": format_si(tier.total),
        "State": pool.state,
        "Used": f"{used}%",
        "Imbalance": f"{tier.imbalance(pool.active_targets)}%",
        "Disabled": f"{pool.disabled_targets}/{pool.total_targets}",
        "UpgradeNeeded?": layout_text(pool),
    }


def layout_text(pool: Pool) -> str:
    """Say from which layout to which a pool could be upgraded."""
    if pool.pool_layout_ver == pool.upgrade_layout_ver:
        return "None"
    return f"{pool.pool_layout_ver}->{pool.upgrade_layout_ver}"


def verbose_list_text(pools: Sequence[Pool]) -> str:
    """Lay out pools with everything about their tiers and rebuild."""
    if not pools:
        return "No pools in system\n"
    return table(verbose_titles(pools), [verbose_row(pool) for pool in pools]) + "\n"


def verbose_titles(pools: Sequence[Pool]) -> list[str]:
    """Return the columns that there is something for."""
    titles = ["Label", "UUID", "State", "SvcReps"]
    with_space = [pool for pool in pools if pool.knows(PoolQuery.SPACE)]
    if with_space:
        tiers = tier_names(with_space[0])
        titles += [f"{tier} {what}" for tier in tiers for what in ("Size", "Used", "Imbalance")]
        titles += ["Disabled", "UpgradeNeeded?"]
    if any(pool.knows(PoolQuery.REBUILD_STATUS) for pool in pools):
        titles.append("Rebuild State")
    return titles


def verbose_list_view(pools: Sequence[Pool]) -> str:
    """Lay pools out for people, without the columns that say nothing about any of them."""
    rows = [verbose_row(pool) for pool in pools]
    said = {title for row in rows for title, cell in row.items() if cell not in {"None", "0 B", "0%"}}

    def speaks(title: str) -> bool:
        tier, _, what = title.rpartition(" ")
        if what == "Imbalance":
            return f"{tier} Size" in said
        return title in said or what not in {"Size", "Used", "UpgradeNeeded?"}

    return table([title for title in verbose_titles(pools) if speaks(title)], rows) if rows else ""


def tier_names(pool: Pool) -> list[str]:
    """Return what the tiers of a pool are called."""
    names = ("Meta", "Data") if pool.md_on_ssd_active else ("SCM", "NVME")
    return list(names[: len(pool.tier_stats)])


def verbose_row(pool: Pool) -> dict[str, object]:
    """Return all that a list shows of a pool."""
    row: dict[str, object] = {
        "Label": pool.label or "-",
        "UUID": pool.uuid,
        "State": pool.state,
        "SvcReps": RankSet(pool.svc_reps).ranged() if pool.svc_reps else "N/A",
        "Rebuild State": pool.rebuild.state if pool.rebuild else "Unknown",
    }
    if pool.knows(PoolQuery.SPACE):
        row["Disabled"] = f"{pool.disabled_targets}/{pool.total_targets}"
        row["UpgradeNeeded?"] = layout_text(pool)
        for name, tier in zip(tier_names(pool), pool.tier_stats, strict=False):
            row[f"{name} Size"] = format_si(tier.total)
            row[f"{name} Used"] = format_si(tier.total - tier.free)
            row[f"{name} Imbalance"] = f"{tier.imbalance(pool.active_targets)}%"
    return row
