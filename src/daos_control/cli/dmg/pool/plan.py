"""``dmg pool plan``: what a pool would be given, before it is made."""

from typing import Any

from daos_control.base.hostset import HostSet
from daos_control.base.units import counted, format_si
from daos_control.cli.dmg.host_problems import hosts_text
from daos_control.cli.dmg.pool.create import pool_size
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.tables import table
from daos_control.client.errors import InvalidRequest
from daos_control.client.pools import LargestPool, PoolPlan, RankShare
from daos_control.client.pools.plan import tier_names

SIZES = ("size", "scm_size", "nvme_size", "meta_size", "data_size")


@command("pool plan failed")
async def plan(session: Session, args: Values) -> Output:
    """Say what a pool would be given on each rank, and how big it could be."""
    asked = any(getattr(args, name) is not None for name in SIZES)
    if not asked and (args.tier_ratio or args.nranks or args.mem_ratio):
        raise InvalidRequest("give a size, too")
    size = pool_size(args) if asked else None
    planned = await session.daos.pools.plan(size, ranks=args.ranks, service_replicas=args.nsvc)
    problem = InvalidRequest(f"such a pool cannot be made: {'; '.join(planned.problems)}") if planned.problems else None
    return Output(document=plan_document(planned), text=plan_text(planned), problem=problem)


def plan_document(planned: PoolPlan) -> dict[str, Any]:
    """Give a plan as a document."""
    return {
        "fits": not planned.problems,
        "problems": list(planned.problems),
        "num_ranks": planned.num_ranks,
        "tier_bytes": list(planned.tier_bytes) if planned.tier_bytes else None,
        "total_bytes": planned.total_bytes,
        "mem_ratio": planned.mem_ratio,
        "md_on_ssd_active": planned.md_on_ssd,
        "targets_per_rank": planned.targets,
        "ranks": [
            {
                "rank": share.rank,
                "host": share.host,
                "wanted": list(share.wanted),
                "usable": list(share.usable),
                "fits": share.fits,
            }
            for share in planned.ranks
        ],
        "largest": {
            "tier_bytes": list(planned.largest.tier_bytes),
            "total_bytes": planned.largest.total_bytes,
            "limits": [
                {
                    "tier": limit.tier,
                    "ranks": list(limit.ranks),
                    "usable": limit.usable_bytes,
                    "decisive": limit.decisive,
                }
                for limit in planned.largest.limits
            ],
        },
    }


def plan_text(planned: PoolPlan) -> str:
    """Show a plan to a person."""
    names = tier_names(md_on_ssd=planned.md_on_ssd)
    tiers = [limit.tier for limit in planned.largest.limits]
    if planned.tier_bytes and planned.tier_bytes[1] and 1 not in tiers:
        tiers.append(1)
    asked = planned.tier_bytes is not None
    titles = ["Rank", "Host"]
    for tier in tiers:
        titles += [f"{names[tier]} Wanted"] * asked + [f"{names[tier]} Usable"]
    rows = [rank_row(share, names, fits=asked) for share in planned.ranks]
    lines = [table([*titles, "Fits"] if asked else titles, rows)]
    if planned.tier_bytes:
        where = counted(planned.num_ranks, "rank")
        if planned.num_ranks < len(planned.ranks):
            where += f", which are chosen by chance out of {len(planned.ranks)}"
        lines.append(f"Pool: {format_si(planned.total_bytes)} on {where}\n")
    like = " of this shape" if asked else ""
    lines += [f"Largest pool{like} that fits: {largest_text(planned.largest, planned.num_ranks)}\n"]
    lines += [f"  {sentence}\n" for sentence in limit_sentences(planned.largest, names)]
    return "".join(lines)


def rank_row(share: RankShare, names: tuple[str, str], *, fits: bool) -> dict[str, object]:
    """Return what is told of one rank."""
    row: dict[str, object] = {"Rank": share.rank, "Host": hosts_text(HostSet([share.host]))}
    for tier, name in enumerate(names):
        row[f"{name} Wanted"] = format_si(share.wanted[tier])
        row[f"{name} Usable"] = format_si(share.usable[tier])
    return {**row, "Fits": "yes" if share.fits else "no"} if fits else row


def largest_text(largest: LargestPool, ranks: int) -> str:
    """Say how big a pool could be."""
    each = " and ".join(format_si(size) for size in largest.tier_bytes if size)
    return f"{format_si(largest.total_bytes)}, {each or '0 B'} on each of {counted(ranks, 'rank')}"


def limit_sentences(largest: LargestPool, names: tuple[str, str]) -> list[str]:
    """Say which ranks keep a pool from being bigger."""
    return [
        f"{names[limit.tier]}: {limit.ranks.named()} {'have' if len(limit.ranks) > 1 else 'has'} least, "
        f"{format_si(limit.usable_bytes)}" + ("" if limit.decisive else "; the other tier is full before")
        for limit in largest.limits
    ]
