"""``dmg pool create``: from the ways to say how big a pool should be to what it has been given."""

from collections.abc import Mapping, Sequence
from typing import Final

from daos_control.base.rankset import RankSet
from daos_control.base.units import format_si
from daos_control.cli.dmg.pool.acl import read_acl
from daos_control.cli.dmg.pool.rehearsal import rehearsable
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.cli.ui.steps import Step
from daos_control.cli.ui.tables import entity
from daos_control.client.errors import InvalidRequest
from daos_control.client.pool_size import DEFAULT_RATIOS, PerRank, PoolSize, Share, Total
from daos_control.client.pools import CreatedPool
from daos_control.model.pool_property_text import LABEL_RULE, is_label

LOW_RATIO: Final = 0.01
"""A first tier that is a smaller part of the pool than this makes it slow."""


@command("pool create failed")
@rehearsable
async def create(session: Session, args: Values) -> Output:
    """Make a pool."""
    properties = one_mapping(args.properties)
    if "label" in properties:
        raise InvalidRequest("can't set label property with label argument")
    if not is_label(args.label):
        raise InvalidRequest(f'invalid label "{args.label}": {LABEL_RULE}')
    size = pool_size(args)
    acl = read_acl(args.acl_file) if args.acl_file else ()
    if not args.dry_run:
        announce(session, args, size)
    pool = await session.daos.pools.create(
        args.label,
        size,
        ranks=args.ranks,
        user=args.user,
        group=args.group,
        acl=acl,
        properties=properties,
        service_replicas=args.nsvc,
    )
    step = Step(f"dmg pool query {args.label}", "its health and space")
    view = created_view(pool, args.label)
    return Output(document=document(pool), text=created_text(pool), view=view, next=(step,))


def one_mapping(given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Join settings that were given in several options; none may come twice."""
    joined: dict[str, str] = {}
    for settings in given:
        for key, value in settings.items():
            if key in joined:
                raise InvalidRequest(f'"{key}": same key was specified more than once')
            joined[key] = value
    return joined


def pool_size(args: Values) -> PoolSize:
    """Tell from the options how the size was given; exactly one way is right."""
    scm, nvme, meta, data = args.scm_size, args.nvme_size, args.meta_size, args.data_size
    per_tier, per_ssd = (scm, nvme) != (None, None), (meta, data) != (None, None)
    if (args.size is not None) + per_tier + per_ssd != 1:
        raise InvalidRequest(
            "unsupported option combination, "
            "use (--scm-size and --nvme-size) or (--meta-size and --data-size) or (--size)"
        )
    mem_ratio = args.mem_ratio[0] if args.mem_ratio else 0.0
    if args.size is not None:
        return whole_size(args, mem_ratio)
    refuse_mixed(args, "--scm-size", "nranks", "tier_ratio")
    if per_ssd:
        return PerRank(tier_bytes=(meta or 0, data or 0), mem_ratio=mem_ratio or 1.0)
    refuse_mixed(args, "--scm-size and --nvme-size", "mem_ratio")
    if scm is None:
        raise InvalidRequest("--nvme-size cannot be set without --scm-size")
    return PerRank(tier_bytes=(scm, nvme or 0))


def whole_size(args: Values, mem_ratio: float) -> PoolSize:
    """Tell a percentage from a number of bytes."""
    if isinstance(args.size, float):
        refuse_mixed(args, "--size=%", "nranks", "tier_ratio")
        return Share(fraction=args.size, mem_ratio=mem_ratio)
    if args.ranks:
        refuse_mixed(args, "--ranks", "nranks")
    ratios = args.tier_ratio or DEFAULT_RATIOS
    return Total(total_bytes=args.size, ratios=ratios, num_ranks=args.nranks or 0, mem_ratio=mem_ratio)


def refuse_mixed(args: Values, option: str, *others: str) -> None:
    """Refuse options that make no sense beside another."""
    for other in others:
        if getattr(args, other):
            raise InvalidRequest(f"{option} may not be mixed with --{other.replace('_', '-')}")


def announce(session: Session, args: Values, size: PoolSize) -> None:
    """Tell a person what is about to be made."""
    how = "Creating DAOS pool with"
    match size:
        case Share(fraction=fraction):
            session.say(f"{how} {fraction * 100:.0f}% of all storage")
        case Total():
            ranks = f" with {size.num_ranks} ranks" if size.num_ranks else ""
            first = first_tier(session, size.ratios[0], size.ratios[1])
            session.say(
                f"{how} automatic storage allocation: {format_si(size.total_bytes)} total, "
                f"{first} storage tier ratio{ranks}"
            )
        case PerRank(tier_bytes=(first_bytes, second_bytes)) if args.scm_size is not None:
            session.say(
                f"{how} manual per-engine storage allocation: {format_si(first_bytes)} SCM, "
                f"{format_si(second_bytes)} NVMe ({first_tier(session, first_bytes, second_bytes)} storage tier ratio)"
            )
        case PerRank(tier_bytes=(meta, data)):
            ratio = f" ({meta / data * 100:.2f}% storage tier ratio)" if data else ""
            session.say(
                f"Creating DAOS pool in MD-on-SSD mode with manual per-engine storage allocation: "
                f"{format_si(meta)} metadata, {format_si(data)} data{ratio} "
                f"and {size.mem_ratio * 100:.2f}% memory-file:meta-blob size ratio"
            )


def first_tier(session: Session, first: float, second: float) -> str:
    """Return the first tier's part of the pool in percent, and warn if it is a bad one."""
    if not second:
        session.notice("the pool will have only a single tier of storage")
        return "100.00%"
    ratio = first / (first + second)
    if ratio < LOW_RATIO:
        session.notice(f"the first tier is less than {LOW_RATIO:.0%} of the pool: it will be slow")
    return f"{ratio * 100:.2f}%"


def created_view(pool: CreatedPool, name: str) -> str:
    """Lay out for people what a new pool has been given; nothing is said of tiers that it has nothing of."""
    ranks = len(pool.tgt_ranks)
    names = ("Metadata", "Data") if pool.md_on_ssd_active else ("SCM", "NVMe")
    tiers = {
        title: f"{format_si(size * ranks)}, {format_si(size)} on each rank"
        for title, size in zip(names, pool.tier_bytes, strict=False)
        if size
    }
    if pool.md_on_ssd_active:
        tiers["Memory"] = f"{format_si(pool.mem_file_bytes)} on each rank, for the metadata in use"
    facts = {
        "UUID": pool.uuid,
        "Size": format_si(sum(pool.tier_bytes) * ranks),
        **tiers,
        "Ranks": RankSet(pool.tgt_ranks),
        "Pool service": f"on {RankSet(pool.svc_reps).named()}, led by {pool.svc_ldr}",
    }
    return entity(f"Pool {name} is there", facts)


def created_text(pool: CreatedPool) -> str:
    """Lay out what a new pool has been given."""
    ranks, total = len(pool.tgt_ranks), sum(pool.tier_bytes)

    def tier(size: int) -> str:
        return f"{format_si(size * ranks)} ({format_si(size)} / rank)"

    ratios = ",".join(f"{size / total * 100 if total else 0:.2f}%" for size in pool.tier_bytes)
    names = (
        ("Metadata Storage", "Data Storage")
        if pool.md_on_ssd_active
        else (
            "Storage tier 0 (SCM)",
            "Storage tier 1 (NVMe)",
        )
    )
    facts: dict[str, object] = {
        "UUID": pool.uuid,
        "Service Leader": pool.svc_ldr,
        "Service Ranks": RankSet(pool.svc_reps).ranged(),
        "Storage Ranks": RankSet(pool.tgt_ranks).ranged(),
        "Total Size": format_si(total * ranks),
        **{name: tier(size) for name, size in zip(names, pool.tier_bytes, strict=False)},
    }
    if pool.md_on_ssd_active:
        facts["Memory File Size"] = tier(pool.mem_file_bytes)
    return entity(f"Pool created with {ratios} storage tier ratio", facts)
