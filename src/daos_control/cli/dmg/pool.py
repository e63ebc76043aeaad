"""``dmg pool ...``: pools, and the containers' owners."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from daos_control.base.rankset import RankSet
from daos_control.base.units import format_si
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.system.pools import pool_ranks_document, pool_ranks_text
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.cli.ui.tables import entity, table
from daos_control.client.errors import InvalidRequest, PartlyFailed
from daos_control.client.pool_size import DEFAULT_RATIOS, PerRank, PoolSize, Share, Total
from daos_control.client.pools import HEALTH_ONLY, Acl, CreatedPool, Pool, PoolList, Target, TierStats
from daos_control.client.system import PoolRanksResult
from daos_control.model.pool_property import DEFAULT_QUERY, PoolQuery
from daos_control.model.pool_property_text import is_label, is_uuid

LOW_RATIO: Final = 0.01
"""A first tier that is a smaller part of the pool than this makes it slow."""

MASK_NAMES: Final = {
    PoolQuery.SPACE: "space",
    PoolQuery.REBUILD_STATUS: "rebuild",
    PoolQuery.ENGINES_ENABLED: "enabled_engines",
    PoolQuery.ENGINES_DISABLED: "disabled_engines",
    PoolQuery.ENGINES_DEAD: "dead_engines",
    PoolQuery.SELF_HEAL_POLICY: "self_heal_policy",
}


@command("pool create failed")
async def create(session: Session, args: Values) -> Output:
    """Make a pool."""
    properties = one_mapping(args.properties)
    if "label" in properties:
        raise InvalidRequest("can't set label property with label argument")
    if not is_label(args.label):
        raise InvalidRequest(f'invalid label "{args.label}"')
    size = pool_size(args)
    acl = read_acl(args.acl_file) if args.acl_file else ()
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
    return Output(document=document(pool), text=created_text(pool))


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


@command("pool destroy failed")
async def destroy(session: Session, args: Values) -> Output:
    """Remove a pool."""
    await session.daos.pools.destroy(pool_id(args), force=args.force, recursive=args.recursive)
    return Output(text="Pool-destroy command succeeded\n")


@command()
async def evict(session: Session, args: Values) -> Output:
    """Close all handles on a pool."""
    await session.daos.pools.evict(pool_id(args))
    return Output(text="Pool-evict command succeeded\n")


def pool_id(args: Values) -> str:
    """Return the label or UUID that was given, if it can be either."""
    given: str = args.pool
    if is_uuid(given):
        return given.lower()
    if not is_label(given):
        raise InvalidRequest(f'"{given}" is neither a label nor a UUID')
    return given


@command("list pools failed")
async def list_pools(session: Session, args: Values) -> Output:
    """List pools."""
    found = await session.daos.pools.list(query=not args.no_query)
    pools = found.pools
    if args.rebuild_only:
        pools = tuple(pool for pool in pools if pool.rebuild and pool.rebuild.state != "idle")
    answered = [pool for pool in pools if pool.uuid not in found.query_errors]
    return Output(
        document={"status": 0, "pools": [pool_document(pool) for pool in pools] if found.pools else None},
        text=verbose_list_text(answered) if args.verbose else list_text(answered),
        error_text=query_errors_text(found),
        problem=query_problem(found) if not session.json else None,
    )


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
    titles = ["Label", "UUID", "State", "SvcReps"]
    with_space = [pool for pool in pools if pool.knows(PoolQuery.SPACE)]
    if with_space:
        tiers = tier_names(with_space[0])
        titles += [f"{tier} {what}" for tier in tiers for what in ("Size", "Used", "Imbalance")]
        titles += ["Disabled", "UpgradeNeeded?"]
    if any(pool.knows(PoolQuery.REBUILD_STATUS) for pool in pools):
        titles.append("Rebuild State")
    return table(titles, [verbose_row(pool) for pool in pools]) + "\n"


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


@command()
async def query(session: Session, args: Values) -> Output:
    """Show a pool's health and space."""
    mask = HEALTH_ONLY if args.health_only else DEFAULT_QUERY
    if not args.no_self_heal_check:
        mask |= int(PoolQuery.SELF_HEAL_POLICY)
    if args.show_enabled:
        mask |= int(PoolQuery.ENGINES_ENABLED)
    pool = await session.daos.pools.query(pool_id(args), mask=mask | int(PoolQuery.ENGINES_DISABLED))
    return Output(document=pool_document(pool), text=pool_text(pool))


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
    return "\n".join([*lines, *disabled_healing(pool)]) + "\n"


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


def disabled_healing(pool: Pool) -> list[str]:
    """Say which kinds of self-healing are off, and whose policy that is."""
    if not pool.sys_self_heal_policy and not pool.self_heal_policy:
        return []
    system, own = pool.sys_self_heal_policy.split(";"), pool.self_heal_policy.split(";")
    lines = []
    for kind in ("exclude", "rebuild"):
        whose = (["system"] if f"pool_{kind}" not in system else []) + (["pool"] if kind not in own else [])
        if whose:
            policies = f"{'policies' if len(whose) > 1 else 'policy'}"
            lines.append(f"{kind} disabled on pool due to [{' '.join(whose)}] {policies}")
    return lines


@command()
async def query_targets(session: Session, args: Values) -> Output:
    """Show targets of a rank."""
    targets = await session.daos.pools.query_targets(pool_id(args), args.rank, args.target_idx)
    lines: list[str] = []
    for target in targets:
        lines.append(f"Target: state {target.target_state}")
        lines += space_lines(target.space, target.mem_file_bytes, md_on_ssd=target.md_on_ssd_active, full=False)
    infos = [target_document(target) for target in targets] or None
    return Output(document={"status": 0, "Infos": infos}, text="\n".join(lines) + "\n")


def target_document(target: Target) -> dict[str, Any]:
    """Give a target the keys that DAOS gives it."""
    return {
        "target_state": target.target_state,
        "space": document(target.space),
        "mem_file_bytes": 0,  # what DAOS 2.8 has here whatever the engine said; the text has the real number
        "md_on_ssd_active": target.md_on_ssd_active,
    }


@command("pool extend failed")
async def extend(session: Session, args: Values) -> Output:
    """Add ranks to a pool."""
    await session.daos.pools.extend(pool_id(args), args.ranks)
    return Output(text="Extend command succeeded\n")


@command("pool exclude failed")
async def exclude(session: Session, args: Values) -> Output:
    """Take ranks out of a pool at once."""
    pools = session.daos.pools
    return ranks_output(await pools.exclude(pool_id(args), args.ranks, targets=args.target_idx, force=args.force))


@command("pool drain failed")
async def drain(session: Session, args: Values) -> Output:
    """Move a pool's data away from ranks."""
    return ranks_output(await session.daos.pools.drain(pool_id(args), args.ranks, targets=args.target_idx))


@command("pool reintegrate failed")
async def reintegrate(session: Session, args: Values) -> Output:
    """Take ranks back into a pool."""
    return ranks_output(await session.daos.pools.reintegrate(pool_id(args), args.ranks, targets=args.target_idx))


def ranks_output(result: PoolRanksResult) -> Output:
    """Say how it went on each rank."""
    problem = result.problem()
    return Output(
        document=pool_ranks_document(result),
        text=pool_ranks_text([result]),
        problem=PartlyFailed(problem) if problem else None,
    )


@command("pool upgrade failed")
async def upgrade(session: Session, args: Values) -> Output:
    """Bring a pool's layout up to date."""
    await session.daos.pools.upgrade(pool_id(args))
    return Output(text="Pool-upgrade command succeeded\n")


@command("pool-rebuild start failed")
async def rebuild_start(session: Session, args: Values) -> Output:
    """Let a pool rebuild."""
    await session.daos.pools.rebuild_start(pool_id(args))
    return Output(text="Pool-rebuild start request succeeded\n")


@command("pool-rebuild stop failed")
async def rebuild_stop(session: Session, args: Values) -> Output:
    """Stop a pool's rebuild."""
    await session.daos.pools.rebuild_stop(pool_id(args), force=args.force)
    return Output(text="Pool-rebuild stop request succeeded\n")


@command()
async def get_properties(session: Session, args: Values) -> Output:
    """Show properties of a pool."""
    values = await session.daos.pools.get_properties(pool_id(args), args.keys or ())
    rows = [(f"{value.description} ({value.name})", value.text) for value in values]
    documents = [{"name": v.name, "description": v.description, "value": v.value} for v in values]
    text = f"Pool {args.pool} properties:\n{table(['Name', 'Value'], rows)}"
    return Output(document=documents or None, text=text)


@command()
async def set_properties(session: Session, args: Values) -> Output:
    """Set properties of a pool."""
    await session.daos.pools.set_properties(pool_id(args), args.settings)
    return Output(text="pool set-prop succeeded\n")


NO_ACL: Final = {"ACL": {"entries": None, "owner_user": "", "owner_group": ""}}


@command(failed=NO_ACL)
async def get_acl(session: Session, args: Values) -> Output:
    """Show a pool's access control list, or write it to a file."""
    acl = await session.daos.pools.get_acl(pool_id(args))
    text = acl_text(acl, verbose=args.verbose)
    if args.outfile and not session.json:
        write_file(Path(args.outfile), text, force=args.force)
        text = f"Wrote ACL to output file: {args.outfile}\n"
    return Output(document=acl_document(acl), text=text)


@command("Pool-overwrite-ACL command failed", failed=NO_ACL)
async def overwrite_acl(session: Session, args: Values) -> Output:
    """Replace a pool's access control list."""
    acl = await session.daos.pools.overwrite_acl(pool_id(args), read_acl(args.acl_file))
    return changed_acl("overwrite", args.pool, acl)


@command("Pool-update-ACL command failed", failed=NO_ACL)
async def update_acl(session: Session, args: Values) -> Output:
    """Add or change entries of a pool's access control list."""
    if bool(args.acl_file) == bool(args.entry):
        raise InvalidRequest("give either --acl-file or --entry")
    entries = read_acl(args.acl_file) if args.acl_file else (args.entry,)
    return changed_acl("update", args.pool, await session.daos.pools.update_acl(pool_id(args), entries))


@command("Pool-delete-ACL command failed", failed=NO_ACL)
async def delete_acl(session: Session, args: Values) -> Output:
    """Remove an entry of a pool's access control list."""
    return changed_acl("delete", args.pool, await session.daos.pools.delete_acl(pool_id(args), args.principal))


def changed_acl(verb: str, pool: str, acl: Acl) -> Output:
    """Say that a list was changed, and show what it has become."""
    text = f"Pool-{verb}-ACL command succeeded, ID: {pool}\n{acl_text(acl, verbose=False)}"
    return Output(document=acl_document(acl), text=text)


def acl_document(acl: Acl) -> dict[str, Any]:
    """Give an access control list the keys that DAOS gives it."""
    return {"ACL": document(acl)}


def acl_text(acl: Acl, *, verbose: bool) -> str:
    """Lay out a list as a file that can be read back."""
    lines = [f"# Owner: {acl.owner_user}"] if acl.owner_user else []
    lines += [f"# Owner Group: {acl.owner_group}"] if acl.owner_group else []
    lines.append("# Entries:")
    for entry in acl.entries:
        lines += [f"# {explained(entry)}", entry] if verbose else [entry]
    return "\n".join(lines if acl.entries else [*lines, "#   None"]) + "\n"


_TYPES: Final = {"A": "Allow"}
_FLAGS: Final = {"G": "Group"}
_IDENTITIES: Final = {"OWNER@": "Owner", "GROUP@": "Owner-Group", "EVERYONE@": "Everyone"}
_PERMISSIONS: Final = {
    "r": "Read",
    "w": "Write",
    "c": "Create-Cont",
    "d": "Destroy-Cont",
    "t": "Get-Prop",
    "T": "Set-Prop",
    "a": "Get-ACL",
    "A": "Set-ACL",
    "o": "Set-Owner",
}


def explained(entry: str) -> str:
    """Spell an entry out.

    >>> explained("A:G:GROUP@:rw")
    'Allow:Group:Owner-Group:Read/Write'
    """

    def words(letters: str, known: Mapping[str, str]) -> str:
        return "/".join(known.get(letter, "Unknown") for letter in letters)

    types, flags, identity, permissions = (entry.split(":", 3) + [""] * 3)[:4]
    who = _IDENTITIES.get(identity, identity)
    return f"{words(types, _TYPES)}:{words(flags, _FLAGS)}:{who}:{words(permissions, _PERMISSIONS) or 'None'}"


def read_acl(path: str) -> tuple[str, ...]:
    """Read the entries of a file: one a line, comments and blank lines left out."""
    try:
        lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"cannot read the ACL file {path}: {error}") from error
    entries = tuple(line for line in lines if line and not line.startswith("#"))
    if not entries:
        raise InvalidRequest(f"ACL file {path} contains no entries")
    return entries


def write_file(path: Path, text: str, *, force: bool) -> None:
    """Write a file; one that is there is left alone without ``force``."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise InvalidRequest(f"file already exists: {path} (overwrite it with --force)") from error
    except OSError as error:
        raise InvalidRequest(f"cannot write {path}: {error.strerror}") from error


@command()
async def set_container_owner(session: Session, args: Values) -> Output:
    """Give a container to somebody else."""
    if not args.user and not args.group:
        raise InvalidRequest("at least one of `--user' or `--group' must be supplied")
    await session.daos.pools.set_container_owner(pool_id(args), args.container, user=args.user, group=args.group)
    return Output(text="Container-set-owner command succeeded\n")
