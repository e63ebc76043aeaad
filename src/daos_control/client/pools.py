"""Pools: making, finding, looking into and removing them, and everything else that is done to one."""

import grp
import os
import pwd
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from daos_control.base.aio import map_bounded
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError, Fault, PoolNotFound
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.client import pool_properties
from daos_control.client.connection import Connection
from daos_control.client.errors import InvalidRequest, UnexpectedReply
from daos_control.client.pool_properties import PropertyValue
from daos_control.client.pool_size import PerRank, PoolSize, Share, Total, candidates, check, fitting
from daos_control.client.storage import Storage
from daos_control.client.system import PoolRanksResult, System
from daos_control.model.member_state import MemberState
from daos_control.model.pool_property import DEFAULT_QUERY, EVERYTHING, PoolQuery
from daos_control.model.rank_result import RankResult
from daos_control.wire.pb.mgmt import acl_pb2, cont_pb2, pool_pb2

CREATE_S: Final = 600.0
AT_ONCE: Final = 16
"""Pools that are queried at the same time for a list."""

RETRIED: Final = frozenset({Der.TIMEDOUT, Der.GRPVER, Der.AGAIN, Der.OOG, Der.UNREACH, Der.EXCLUDED})
"""Statuses of a pool request that pass by themselves."""

DEFAULT_SELF_HEAL: Final = "exclude;rebuild"

REBUILD_STATES: Final = ("busy", "idle", "done", "stopping", "stopped", "failing", "failed")
TARGET_STATES: Final = ("unknown", "down_out", "down", "up", "up_in", "new", "drain")
MEDIA: Final = ("scm", "nvme")

HEALTH_ONLY: Final = EVERYTHING & ~int(PoolQuery.SPACE | PoolQuery.ENGINES_ENABLED | PoolQuery.SELF_HEAL_POLICY)


def passes_by_itself(error: DaosControlError) -> bool:
    """Whether a pool request that failed so is worth another try."""
    if isinstance(error, Fault):
        return error.code in (FaultCode.SERVER_DATA_PLANE_NOT_STARTED, FaultCode.SYSTEM_POOL_LOCKED)
    return isinstance(error, DaosError) and error.status in RETRIED


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStats:
    """Space of a tier; ``min``, ``max`` and ``mean`` are free space per target."""

    total: int
    free: int
    min: int = 0
    max: int = 0
    mean: int = 0
    media_type: str = "scm"

    def imbalance(self, targets: int) -> int:
        """Return how unevenly the tier is filled, in percent of a target's size."""
        return int((self.max - self.min) / (self.total / targets) * 100) if self.total and targets else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuild:
    """How far a pool's rebuild is. ``derived_state`` tells what state and status mean together."""

    status: int
    state: str
    derived_state: str
    objects: int
    records: int
    total_objects: int = 0
    degraded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool; ``query_mask`` tells what has been found out about it."""

    uuid: str
    label: str = ""
    state: str = "Unknown"
    query_mask: int = 0
    svc_ldr: int = 0
    svc_reps: tuple[int, ...] = ()
    total_targets: int = 0
    active_targets: int = 0
    disabled_targets: int = 0
    total_engines: int = 0
    version: int = 0
    rebuild: Rebuild | None = None
    tier_stats: tuple[TierStats, ...] = ()
    enabled_ranks: RankSet | None = None
    disabled_ranks: RankSet | None = None
    dead_ranks: RankSet | None = None
    pool_layout_ver: int = 0
    upgrade_layout_ver: int = 0
    mem_file_bytes: int = 0
    md_on_ssd_active: bool = False
    self_heal_policy: str = ""
    sys_self_heal_policy: str = ""

    @property
    def name(self) -> str:
        """Its label, or else the beginning of its UUID."""
        return self.label or self.uuid.partition("-")[0]

    def knows(self, part: PoolQuery) -> bool:
        """Whether the query found this out."""
        return bool(self.query_mask & part)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolList:
    """The pools of a system; ``query_errors`` says, by UUID, which could not be asked for details."""

    pools: tuple[Pool, ...]
    query_errors: Mapping[str, DaosControlError]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedPool:
    """What a new pool has been given."""

    uuid: str
    svc_ldr: int
    svc_reps: tuple[int, ...]
    tgt_ranks: tuple[int, ...]
    tier_bytes: tuple[int, ...]
    """Bytes per rank, for each tier."""
    mem_file_bytes: int
    md_on_ssd_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One target of a pool."""

    target_state: str
    space: tuple[TierStats, ...]
    mem_file_bytes: int
    md_on_ssd_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Acl:
    """Who may do what with a pool; entries as text (``A::user@:rw``)."""

    entries: tuple[str, ...]
    owner_user: str
    owner_group: str


class Pools:
    """What is done with pools; part of a ``DaosClient``. A pool is named by label or UUID."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._system = System(connection)
        self._storage = Storage(connection)

    async def _ask(self, method: str, request: Any, **options: Any) -> Any:
        return await self._connection.ask(method, request, retry=passes_by_itself, **options)

    async def create(
        self,
        label: str,
        size: PoolSize,
        *,
        ranks: Iterable[int] = (),
        user: str = "",
        group: str = "",
        acl: Sequence[str] = (),
        properties: Mapping[str, str] | None = None,
        service_replicas: int = 0,
        uuid: str = "",
    ) -> CreatedPool:
        """Make a pool, owned by the caller's user and group unless others are named.

        The ``uuid`` makes the request safe to repeat: a pool that is there already is returned as if just made.
        """
        check(size)
        wanted = sorted(ranks)
        settings = pool_properties.to_pb({**(properties or {}), **({"label": label} if label else {})})
        if isinstance(size, Share):
            size, wanted = await self._share(size, wanted)
        request = pool_pb2.PoolCreateReq(
            uuid=uuid or str(uuid4()),
            user=principal(user) or _own_user(),
            user_group=principal(group) or _own_group(),
            acl=acl,
            properties=settings,
            num_svc_reps=service_replicas,
            ranks=wanted,
            mem_ratio=size.mem_ratio,
        )
        match size:
            case Total():
                request.total_bytes = size.total_bytes
                request.tier_ratio.extend(size.ratios)
                request.num_ranks = size.num_ranks
            case PerRank():
                request.tier_bytes.extend(size.tier_bytes)
        reply = await self._ask("PoolCreate", request, deadline_s=CREATE_S)
        return CreatedPool(
            uuid=request.uuid,
            svc_ldr=reply.svc_ldr,
            svc_reps=tuple(reply.svc_reps),
            tgt_ranks=tuple(reply.tgt_ranks),
            tier_bytes=tuple(reply.tier_bytes),
            mem_file_bytes=reply.mem_file_bytes,
            md_on_ssd_active=reply.md_on_ssd_active,
        )

    async def _share(self, share: Share, wanted: list[int]) -> tuple[PerRank, list[int]]:
        state = await self._system.query()
        joined = [member.rank for member in state.members if member.state is MemberState.JOINED]
        ranks = candidates(wanted, joined)
        report = await self._storage.scan(usage=True, mem_ratio=share.mem_ratio)
        return fitting(share, ranks, report.by_host()), list(ranks)

    async def list(self, *, query: bool = True) -> PoolList:
        """Return all pools by label; ``query`` finds out about each of those that are ready."""
        reply = await self._connection.ask("ListPools", pool_pb2.ListPoolsReq(), read=True)
        listed = [
            Pool(uuid=pool.uuid, label=pool.label, svc_reps=tuple(pool.svc_reps), state=pool.state)
            for pool in reply.pools
        ]
        if not query:
            return PoolList(pools=tuple(listed), query_errors={})
        errors: dict[str, DaosControlError] = {}

        async def details(pool: Pool) -> Pool:
            if pool.state != "Ready":
                return pool
            try:
                queried = await self._query(pool.uuid, 0)
            except DaosControlError as error:
                errors[pool.uuid] = error
                return pool
            # Engines leave out what only the management service knows.
            return replace(
                queried,
                label=queried.label or pool.label,
                state=queried.state or pool.state,
                svc_reps=queried.svc_reps or pool.svc_reps,
            )

        pools = await map_bounded(AT_ONCE, details, listed)
        return PoolList(pools=tuple(sorted(pools, key=lambda pool: pool.label)), query_errors=errors)

    async def query(self, pool: str, *, mask: int = DEFAULT_QUERY | int(PoolQuery.SELF_HEAL_POLICY)) -> Pool:
        """Return what ``mask`` asks for about a pool: bits of ``PoolQuery``."""
        found = await self._query(pool, mask)
        if mask & PoolQuery.SELF_HEAL_POLICY:
            values = await self.get_properties(found.uuid, ["self_heal"])
            policy = values[0].text if values else DEFAULT_SELF_HEAL
            found = replace(found, self_heal_policy=policy)
        return found

    async def _query(self, pool: str, mask: int) -> Pool:
        return _pool(await self._ask("PoolQuery", pool_pb2.PoolQueryReq(id=pool, query_mask=mask), read=True))

    async def query_targets(self, pool: str, rank: int, targets: Sequence[int] = ()) -> tuple[Target, ...]:
        """Return the state of targets of a rank; without a list, of all its targets."""
        if not targets:
            known = await self._query(pool, DEFAULT_QUERY)
            targets = range(known.total_targets // known.total_engines if known.total_engines else 0)
        request = pool_pb2.PoolQueryTargetReq(id=pool, rank=rank, targets=targets)
        reply = await self._ask("PoolQueryTarget", request, read=True)
        return tuple(
            Target(
                target_state=TARGET_STATES[info.state],
                space=tuple(_space(usage) for usage in info.space),
                mem_file_bytes=info.mem_file_bytes,
                md_on_ssd_active=info.md_on_ssd_active,
            )
            for info in reply.infos
        )

    async def destroy(self, pool: str, *, force: bool = False, recursive: bool = False) -> None:
        """Remove a pool: ``recursive`` with its containers, ``force`` though clients have it open."""
        request = pool_pb2.PoolDestroyReq(id=pool, force=force, recursive=recursive)
        errors: list[DaosControlError] = []
        try:
            await self._ask("PoolDestroy", request, on_error=errors.append)
        except PoolNotFound:
            if len(errors) < 2:  # an attempt before this one may have removed it
                raise

    async def evict(self, pool: str) -> None:
        """Close all handles on a pool."""
        await self._ask("PoolEvict", pool_pb2.PoolEvictReq(id=pool))

    async def extend(self, pool: str, ranks: Iterable[int]) -> None:
        """Add ranks to a pool."""
        await self._ask("PoolExtend", pool_pb2.PoolExtendReq(id=pool, ranks=sorted(ranks)))

    async def exclude(
        self, pool: str, ranks: Iterable[int], *, targets: Sequence[int] = (), force: bool = False
    ) -> PoolRanksResult:
        """Take ranks, or some of their targets, out of a pool at once."""

        def request(rank: int) -> Any:
            return pool_pb2.PoolExcludeReq(id=pool, rank=rank, target_idx=targets, force=force)

        return await self._each_rank("PoolExclude", pool, ranks, request)

    async def drain(self, pool: str, ranks: Iterable[int], *, targets: Sequence[int] = ()) -> PoolRanksResult:
        """Move a pool's data away from ranks, or from some of their targets."""

        def request(rank: int) -> Any:
            return pool_pb2.PoolDrainReq(id=pool, rank=rank, target_idx=targets)

        return await self._each_rank("PoolDrain", pool, ranks, request)

    async def reintegrate(self, pool: str, ranks: Iterable[int], *, targets: Sequence[int] = ()) -> PoolRanksResult:
        """Take ranks, or some of their targets, back into a pool."""

        def request(rank: int) -> Any:
            return pool_pb2.PoolReintReq(id=pool, rank=rank, target_idx=targets)

        return await self._each_rank("PoolReintegrate", pool, ranks, request)

    async def _each_rank(self, method: str, pool: str, ranks: Iterable[int], request: Any) -> PoolRanksResult:
        """Ask for one rank after another: a pool's map changes once at a time, and one failure stops nothing."""
        results = []
        for rank in sorted(ranks):
            message, errored = "", False
            try:
                await self._ask(method, request(rank))
            except DaosControlError as error:
                message, errored = str(error), True
            results.append(RankResult(rank=rank, state=MemberState.UNKNOWN, errored=errored, message=message))
        return PoolRanksResult(id=pool, results=tuple(results))

    async def upgrade(self, pool: str) -> None:
        """Bring a pool's layout up to date."""
        await self._ask("PoolUpgrade", pool_pb2.PoolUpgradeReq(id=pool))

    async def rebuild_start(self, pool: str) -> None:
        """Let a pool rebuild."""
        await self._ask("PoolRebuildStart", pool_pb2.PoolRebuildStartReq(id=pool))

    async def rebuild_stop(self, pool: str, *, force: bool = False) -> None:
        """Stop a pool's rebuild."""
        await self._ask("PoolRebuildStop", pool_pb2.PoolRebuildStopReq(id=pool, force=force))

    async def get_properties(self, pool: str, names: Sequence[str] = ()) -> tuple[PropertyValue, ...]:
        """Return properties of a pool: those named, or all; unset ones are left out."""
        wanted = [pool_properties.number(name) for name in names] or pool_properties.all_numbers()
        properties = [pool_pb2.PoolProperty(number=number) for number in wanted]
        request = pool_pb2.PoolGetPropReq(id=pool, properties=properties)
        reply = await self._ask("PoolGetProp", request, read=True)
        return pool_properties.from_pb(wanted, reply.properties)

    async def set_properties(self, pool: str, properties: Mapping[str, str]) -> None:
        """Set properties of a pool, values as people write them; some can only be set when a pool is made."""
        pool_properties.refuse_fixed(properties)
        request = pool_pb2.PoolSetPropReq(id=pool, properties=pool_properties.to_pb(properties))
        await self._ask("PoolSetProp", request)

    async def get_acl(self, pool: str) -> Acl:
        """Return a pool's access control list."""
        return _acl(await self._connection.ask("PoolGetACL", acl_pb2.GetACLReq(id=pool), read=True))

    async def overwrite_acl(self, pool: str, entries: Sequence[str]) -> Acl:
        """Replace a pool's access control list."""
        return await self._modify_acl("PoolOverwriteACL", pool, entries)

    async def update_acl(self, pool: str, entries: Sequence[str]) -> Acl:
        """Add entries, or replace those of the same principals."""
        return await self._modify_acl("PoolUpdateACL", pool, entries)

    async def _modify_acl(self, method: str, pool: str, entries: Sequence[str]) -> Acl:
        if not entries:
            raise InvalidRequest("give at least one entry of an access control list")
        return _acl(await self._connection.ask(method, acl_pb2.ModifyACLReq(id=pool, entries=entries)))

    async def delete_acl(self, pool: str, principal: str) -> Acl:
        """Remove the entry of a principal (``u:name@``, ``g:name@``, ``OWNER@`` ...)."""
        request = acl_pb2.DeleteACLReq(id=pool, principal=principal)
        return _acl(await self._connection.ask("PoolDeleteACL", request))

    async def set_container_owner(self, pool: str, container: str, *, user: str = "", group: str = "") -> None:
        """Give a container to another user or group, or both."""
        if not user and not group:
            raise InvalidRequest("name a user or a group that the container should belong to")
        request = cont_pb2.ContSetOwnerReq(
            pool_id=pool, cont_id=container, owner_user=principal(user), owner_group=principal(group)
        )
        await self._connection.ask("ContSetOwner", request)


def principal(name: str) -> str:
    """Complete a name to a principal, ``name@``; nothing stays nothing."""
    return name if not name or "@" in name else f"{name}@"


def _own_user() -> str:
    return f"{pwd.getpwuid(os.geteuid()).pw_name}@"


def _own_group() -> str:
    return f"{grp.getgrgid(os.getegid()).gr_name}@"


def _acl(reply: Any) -> Acl:
    return Acl(entries=tuple(reply.acl.entries), owner_user=reply.acl.owner_user, owner_group=reply.acl.owner_group)


def _space(usage: Any) -> TierStats:
    return TierStats(total=usage.total, free=usage.free, media_type=MEDIA[usage.media_type])


def _pool(reply: pool_pb2.PoolQueryResp) -> Pool:
    state = "Ready" if reply.total_targets else "Unknown"
    if reply.total_targets and reply.disabled_targets:
        state = "TargetsExcluded"
    return Pool(
        uuid=reply.uuid,
        label=reply.label,
        state=state,
        query_mask=reply.query_mask,
        svc_ldr=reply.svc_ldr,
        svc_reps=tuple(reply.svc_reps),
        total_targets=reply.total_targets,
        active_targets=reply.active_targets,
        disabled_targets=reply.disabled_targets,
        total_engines=reply.total_engines,
        version=reply.version,
        rebuild=_rebuild(reply.rebuild) if reply.HasField("rebuild") else None,
        tier_stats=tuple(
            TierStats(
                total=tier.total,
                free=tier.free,
                min=tier.min,
                max=tier.max,
                mean=tier.mean,
                media_type=MEDIA[tier.media_type],
            )
            for tier in reply.tier_stats
        ),
        enabled_ranks=_ranks(reply.enabled_ranks),
        disabled_ranks=_ranks(reply.disabled_ranks),
        dead_ranks=_ranks(reply.dead_ranks),
        pool_layout_ver=reply.pool_layout_ver,
        upgrade_layout_ver=reply.upgrade_layout_ver,
        mem_file_bytes=reply.mem_file_bytes,
        md_on_ssd_active=reply.md_on_ssd_active,
        self_heal_policy=reply.self_heal_policy,
        sys_self_heal_policy=reply.sys_self_heal_policy,
    )


def _ranks(text: str) -> RankSet | None:
    return RankSet.parse(text) if text else None


def _rebuild(rebuild: Any) -> Rebuild:
    if rebuild.state > REBUILD_STATES.index("done"):
        raise UnexpectedReply("illegal rebuild state value")
    state = REBUILD_STATES[rebuild.state]
    return Rebuild(
        status=rebuild.status,
        state=state,
        derived_state=_derived(state, rebuild.status),
        objects=rebuild.objects,
        records=rebuild.records,
        degraded=rebuild.degraded,
    )


def _derived(state: str, status: int) -> str:
    """Tell what a rebuild's state and status mean together."""
    canceled = status == Der.OP_CANCELED
    if status == 0:
        return state
    if state == "busy":
        return "stopping" if canceled else "failing"
    return "stopped" if canceled and state == "idle" else "failed"
