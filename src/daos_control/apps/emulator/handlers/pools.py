"""A pool's life: create, destroy, look at, change its targets."""

from collections.abc import Iterable, Mapping
from typing import Any

from daos_control.apps.emulator import properties, replicas, space
from daos_control.apps.emulator.engine import (
    CreateShard,
    DestroyShard,
    Engine,
    serving,
)
from daos_control.apps.emulator.handlers import EngineHandler, parse_uuid
from daos_control.apps.emulator.pool import (
    ChangeTargets,
    EvaluateSelfHeal,
    Evict,
    Extend,
    PoolRecord,
    Query,
    StartRebuild,
    StopRebuild,
    Upgrade,
    new_record,
)
from daos_control.apps.emulator.pool_map import DISABLED, Operation, PoolMap
from daos_control.apps.emulator.services import Nothing, RebuildStatus
from daos_control.apps.emulator.upcalls import SELF_HEAL_WORDS
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.net.drpc.methods import Method, Mgmt
from daos_control.wire.pb.mgmt import pool_pb2, svc_pb2

log = logs.get(__name__)

SPACE, REBUILD, ENABLED, DISABLED_RANKS, DEAD = 0x1, 0x2, 0x4, 0x8, 0x10
TIERS = 2


def property_values(given: Iterable[pool_pb2.PoolProperty]) -> dict[int, int | str]:
    """Read properties; raises DaosError INVAL for one without value."""
    values: dict[int, int | str] = {}
    for item in given:
        match item.WhichOneof("value"):
            case "strval":
                values[item.number] = item.strval.encode()[: properties.MAX_TEXT].decode(errors="ignore")
            case "numval":
                values[item.number] = item.numval
            case _:
                raise DaosError(Der.INVAL)
    return values


async def create(engine: Engine, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
    """Create a pool on its ranks, then its service on some of them; what a failure leaves is cleaned up."""
    if len(request.tier_bytes) != TIERS:
        raise DaosError(Der.INVAL)
    given = property_values(request.properties)
    uuid = parse_uuid(request.uuid)
    tree = _tree_of(request.ranks, request.fault_domains)
    record = new_record(
        uuid,
        given=_from_request(request) | given,
        entries=list(request.acl),
        tree=tree,
        targets=engine.arguments.targets,
        service_bytes=engine.settings.service_bytes,
    )
    ranks = sorted(tree.of_rank)
    if any(rank not in engine.group.members for rank in ranks):
        raise DaosError(Der.OOG)
    try:
        await _create_shards(engine, uuid, ranks, list(request.tier_bytes), request.mem_ratio)
        outcome = await engine.services.found(record)
    except DaosError:
        await engine.ask_all(ranks, DestroyShard(uuid), Nothing)
        raise
    usages = await _usages(engine, record)
    return pool_pb2.PoolCreateResp(
        svc_ldr=outcome.leader,
        svc_reps=record.replicas,
        tgt_ranks=record.map.ranks,
        tier_bytes=[
            sum(usage.scm_total for usage in usages) // len(ranks),
            sum(usage.nvme_total for usage in usages) // len(ranks),
        ],
        mem_file_bytes=sum(usage.mem_file for usage in usages) // len(ranks),
        md_on_ssd_active=engine.devices.md_on_ssd,
    )


def _from_request(request: pool_pb2.PoolCreateReq) -> dict[int, int | str]:
    """Return the properties that a request has in fields of their own."""
    values: dict[int, int | str] = {properties.SVC_RF: replicas.factor_of(request.num_svc_reps)}
    if request.user:
        values[properties.OWNER] = request.user
    if request.user_group:
        values[properties.OWNER_GROUP] = request.user_group
    return values


async def destroy(engine: Engine, request: pool_pb2.PoolDestroyReq) -> pool_pb2.PoolDestroyResp:
    """Remove whatever the named ranks have of a pool: here ``svc_ranks`` means just that."""
    uuid = parse_uuid(request.id)
    answers = await engine.ask_all(list(request.svc_ranks), DestroyShard(uuid), Nothing)
    _raise_first(answers.values())
    return pool_pb2.PoolDestroyResp()


async def evict(engine: Engine, request: pool_pb2.PoolEvictReq) -> pool_pb2.PoolEvictResp:
    """Close handles; a destroy that meets open ones is told how many."""
    uuid = parse_uuid(request.id)
    command = Evict(
        handles=[parse_uuid(handle) for handle in request.handles],
        machine=request.machine,
        destroy=request.destroy,
        force=request.force_destroy,
    )
    outcome = await engine.command(uuid, list(request.svc_ranks), command)
    return pool_pb2.PoolEvictResp(status=outcome.status, count=outcome.count)


async def query(engine: Engine, request: pool_pb2.PoolQueryReq) -> pool_pb2.PoolQueryResp:
    """Tell how a pool is; the mask says what is worth asking its ranks for."""
    outcome = await engine.command(parse_uuid(request.id), list(request.svc_ranks), Query())
    if outcome.record is None:
        raise DaosError(Der.NOTREPLICA)
    mask, current = request.query_mask, outcome.record.map
    usages = await _usages(engine, outcome.record) if mask & SPACE else []
    reply = pool_pb2.PoolQueryResp(
        query_mask=mask,
        uuid=request.id,
        total_targets=current.count(lambda _: True),
        disabled_targets=current.count(DISABLED.__contains__),
        active_targets=len(usages),
        total_engines=len(current.engines),
        svc_ldr=outcome.leader,
        svc_reps=request.svc_ranks,
        version=current.version,
        rebuild=_rebuild_status(outcome.rebuild if mask & REBUILD else RebuildStatus()),
        tier_stats=_tier_stats(usages),
        pool_layout_ver=outcome.record.number(properties.GLOBAL_VERSION),
        upgrade_layout_ver=properties.POOL_GLOBAL_VERSION,
        mem_file_bytes=sum(usage.mem_file for usage in usages),
        md_on_ssd_active=engine.devices.md_on_ssd,
    )
    for name, text in _rank_texts(engine, mask, current).items():
        setattr(reply, name, text)
    return reply


async def query_targets(engine: Engine, request: pool_pb2.PoolQueryTargetReq) -> pool_pb2.PoolQueryTargetResp:
    """Tell how single targets of a rank are."""
    outcome = await engine.command(parse_uuid(request.id), list(request.svc_ranks), Query())
    if outcome.record is None:
        raise DaosError(Der.NOTREPLICA)
    targets = outcome.record.map.engine(request.rank).targets
    if any(index >= len(targets) for index in request.targets):
        raise DaosError(Der.NONEXIST)
    states = [targets[index] for index in request.targets]
    nothing = space.Usage(scm_total=0, scm_free=0, nvme_total=0, nvme_free=0, mem_file=0)
    known = nothing
    if any(serving(state) for state in states):
        usages = await engine.gather_space(outcome.record.uuid, [request.rank])
        known = space.holding(usages[request.rank], _objects_each(outcome.record))
    infos = [
        pool_pb2.PoolQueryTargetInfo(
            state=int(state),  # type: ignore[arg-type]  # the enum's own type exists for type checkers alone
            space=_target_space(known if serving(state) else nothing),
            mem_file_bytes=known.mem_file,
            md_on_ssd_active=engine.devices.md_on_ssd,
        )
        for state in states
    ]
    return pool_pb2.PoolQueryTargetResp(infos=infos)


async def exclude(engine: Engine, request: pool_pb2.PoolExcludeReq) -> pool_pb2.PoolExcludeResp:
    """Take targets out, leaving others to rebuild what was there."""
    await _change(engine, Operation.EXCLUDE, request, force=request.force)
    return pool_pb2.PoolExcludeResp()


async def drain(engine: Engine, request: pool_pb2.PoolDrainReq) -> pool_pb2.PoolDrainResp:
    """Move everything off targets, then take them out."""
    await _change(engine, Operation.DRAIN, request)
    return pool_pb2.PoolDrainResp()


async def reintegrate(engine: Engine, request: pool_pb2.PoolReintReq) -> pool_pb2.PoolReintResp:
    """Take targets back, on a rank that may have to make its share of the pool anew."""
    tiers = _one_or_two_tiers(request.tier_bytes)
    uuid = parse_uuid(request.id)
    await _create_shards(engine, uuid, [request.rank], tiers, request.mem_ratio)
    await _change(engine, Operation.REINTEGRATE, request)
    return pool_pb2.PoolReintResp()


async def extend(engine: Engine, request: pool_pb2.PoolExtendReq) -> pool_pb2.PoolExtendResp:
    """Add ranks; the sizes come back also with an error."""
    tiers = _one_or_two_tiers(request.tier_bytes)
    status = 0
    try:
        uuid = parse_uuid(request.id)
        tree = _tree_of(request.ranks, request.fault_domains)
        await _create_shards(engine, uuid, sorted(tree.of_rank), tiers, request.mem_ratio)
        command = Extend(domains=dict(tree.of_rank), targets=engine.arguments.targets)
        await engine.command(uuid, list(request.svc_ranks), command)
    except DaosError as error:
        status = error.status
    return pool_pb2.PoolExtendResp(status=status, tier_bytes=request.tier_bytes)


async def upgrade(engine: Engine, request: pool_pb2.PoolUpgradeReq) -> svc_pb2.DaosResp:
    """Bring a pool's layout up to date."""
    await engine.command(parse_uuid(request.id), list(request.svc_ranks), Upgrade())
    return svc_pb2.DaosResp()


async def rebuild_start(engine: Engine, request: pool_pb2.PoolRebuildStartReq) -> svc_pb2.DaosResp:
    """Start or go on with a rebuild; nothing to do is fine."""
    await engine.command(parse_uuid(request.id), list(request.svc_ranks), StartRebuild())
    return svc_pb2.DaosResp()


async def rebuild_stop(engine: Engine, request: pool_pb2.PoolRebuildStopReq) -> svc_pb2.DaosResp:
    """Stop a rebuild; NONEXIST if there is none."""
    await engine.command(parse_uuid(request.id), list(request.svc_ranks), StopRebuild())
    return svc_pb2.DaosResp()


async def self_heal_eval(engine: Engine, request: pool_pb2.PoolSelfHealEvalReq) -> svc_pb2.DaosResp:
    """Look again at dead ranks under the system's policy."""
    uuid = parse_uuid(request.id)
    words = set(request.sys_prop_val.split(";")) - {""}
    if request.sys_prop_val != "none" and not words <= SELF_HEAL_WORDS:
        raise DaosError(Der.INVAL)
    await engine.command(uuid, list(request.svc_ranks), EvaluateSelfHeal())
    return svc_pb2.DaosResp()


async def _change(
    engine: Engine,
    operation: Operation,
    request: pool_pb2.PoolExcludeReq | pool_pb2.PoolDrainReq | pool_pb2.PoolReintReq,
    *,
    force: bool = False,
) -> None:
    command = ChangeTargets(operation=operation, rank=request.rank, indices=list(request.target_idx), force=force)
    await engine.command(parse_uuid(request.id), list(request.svc_ranks), command)


async def _create_shards(engine: Engine, uuid: str, ranks: list[int], tiers: list[int], mem_ratio: float) -> None:
    meta, nvme = tiers
    scm = int(meta * mem_ratio) if mem_ratio else meta
    answers = await engine.ask_all(ranks, CreateShard(uuid=uuid, scm=scm, nvme=nvme, meta=meta), Nothing)
    _raise_first(answers.values())


async def _usages(engine: Engine, record: PoolRecord) -> list[space.Usage]:
    """Ask all ranks that serve a pool for its space: one entry a target."""
    counts = {member.rank: sum(serving(state) for state in member.targets) for member in record.map.engines}
    usages = await engine.gather_space(record.uuid, [rank for rank, count in counts.items() if count])
    each = _objects_each(record)
    return [space.holding(usage, each) for rank, usage in sorted(usages.items()) for _ in range(counts[rank])]


def _objects_each(record: PoolRecord) -> int:
    return record.objects // max(1, record.map.count(serving))


def _raise_first(answers: Iterable[object]) -> None:
    for answer in answers:
        if isinstance(answer, DaosError):
            raise answer


def _tree_of(ranks: Iterable[int], words: Iterable[int]) -> replicas.DomainTree:
    """Read the fault domains of a request's ranks; raises DaosError INVAL if they do not belong together."""
    tree = replicas.parse_domains(list(words))
    wanted = set(ranks)
    if not wanted or not wanted <= set(tree.of_rank):
        raise DaosError(Der.INVAL)
    return replicas.DomainTree({rank: tree.of_rank[rank] for rank in wanted}, tree.count)


def _one_or_two_tiers(given: Iterable[int]) -> list[int]:
    tiers = list(given)
    if not 1 <= len(tiers) <= TIERS:
        raise DaosError(Der.INVAL)
    return [*tiers, 0][:TIERS]


def _rebuild_status(status: RebuildStatus) -> pool_pb2.PoolRebuildStatus:
    state: Any = status.state
    return pool_pb2.PoolRebuildStatus(
        status=status.status,
        state=state,
        objects=status.objects,
        records=status.records,
        degraded=status.degraded,
    )


def _tier_stats(usages: list[space.Usage]) -> list[pool_pb2.StorageUsageStats]:
    stats = []
    for media, total, free in (
        (pool_pb2.SCM, [usage.scm_total for usage in usages], [usage.scm_free for usage in usages]),
        (pool_pb2.NVME, [usage.nvme_total for usage in usages], [usage.nvme_free for usage in usages]),
    ):
        free_sum, low, high, mean = space.even(free)
        stats.append(
            pool_pb2.StorageUsageStats(total=sum(total), free=free_sum, min=low, max=high, mean=mean, media_type=media)
        )
    return stats


def _target_space(usage: space.Usage) -> list[pool_pb2.StorageTargetUsage]:
    return [
        pool_pb2.StorageTargetUsage(total=usage.scm_total, free=usage.scm_free, media_type=pool_pb2.SCM),
        pool_pb2.StorageTargetUsage(total=usage.nvme_total, free=usage.nvme_free, media_type=pool_pb2.NVME),
    ]


def _rank_texts(engine: Engine, mask: int, current: PoolMap) -> dict[str, str]:
    dead = set(engine.neighbours.dead)
    texts = {
        ENABLED: ("enabled_ranks", current.ranks_with(lambda member: member.enabled)),
        DISABLED_RANKS: ("disabled_ranks", current.ranks_with(lambda member: not member.enabled)),
        DEAD: ("dead_ranks", current.ranks_with(lambda member: member.rank in dead)),
    }
    return {name: replicas.ranks_text(ranks) for bit, (name, ranks) in texts.items() if mask & bit}


HANDLERS: Mapping[Method[Any, Any], EngineHandler] = {
    Mgmt.POOL_CREATE: create,
    Mgmt.POOL_DESTROY: destroy,
    Mgmt.POOL_EVICT: evict,
    Mgmt.POOL_QUERY: query,
    Mgmt.POOL_QUERY_TARGETS: query_targets,
    Mgmt.POOL_EXCLUDE: exclude,
    Mgmt.POOL_DRAIN: drain,
    Mgmt.POOL_REINT: reintegrate,
    Mgmt.POOL_EXTEND: extend,
    Mgmt.POOL_UPGRADE: upgrade,
    Mgmt.POOL_REBUILD_START: rebuild_start,
    Mgmt.POOL_REBUILD_STOP: rebuild_stop,
    Mgmt.POOL_SELF_HEAL_EVAL: self_heal_eval,
}
