"""What requests about pools would change, and what speaks against them: found out by asking, before they are sent.

``Pools.rehearse`` gives the requests that a verb would send. For each, ``foresee`` says in sentences what would become
of it. What it asks is answered a moment before; engines have the last word.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from daos_control.base.errors import DaosControlError, PoolNotFound
from daos_control.base.rankset import RankSet
from daos_control.base.units import format_si
from daos_control.client.errors import InvalidRequest
from daos_control.client.pool_properties import PropertyValue
from daos_control.client.pool_size import PerRank, PoolSize, Total
from daos_control.client.pools.plan import PoolPlan
from daos_control.client.pools.records import Acl, Pool, PoolList
from daos_control.client.rehearsal import Intended
from daos_control.client.system import System
from daos_control.model.acl import POOL_PERMISSIONS, AccessControlList, InvalidAcl, Principal
from daos_control.model.member_state import AVAILABLE
from daos_control.model.pool_property import DEFAULT_QUERY, PoolProperty, PoolQuery
from daos_control.model.pool_property_text import KINDS, Settable, is_uuid, show

_RANKS: Final = DEFAULT_QUERY | int(PoolQuery.ENGINES_ENABLED | PoolQuery.ENGINES_DISABLED)
_LISTED: Final = 5
"""So many containers are named; of more, only the number is told."""


class Pools(Protocol):
    """What is asked about pools."""

    async def list(self, *, query: bool = True) -> PoolList:
        """Return all pools."""
        ...

    async def query(self, pool: str, *, mask: int) -> Pool:
        """Return what a pool says of itself."""
        ...

    async def list_containers(self, pool: str) -> tuple[str, ...]:
        """Return the UUIDs of a pool's containers."""
        ...

    async def get_properties(self, pool: str, names: Sequence[str]) -> tuple[PropertyValue, ...]:
        """Return properties of a pool."""
        ...

    async def get_acl(self, pool: str) -> Acl:
        """Return a pool's access control list."""
        ...

    async def plan(self, size: PoolSize, *, ranks: Iterable[int] = (), service_replicas: int = 0) -> PoolPlan:
        """Say what a new pool would be given."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AtStake:
    """What would be lost with a pool."""

    listed: Pool
    """What the management service has recorded of it."""
    queried: Pool | None
    """What it says of itself; None if it cannot be asked."""
    containers: tuple[str, ...] | None
    """Their UUIDs; None if they cannot be listed."""
    errors: tuple[DaosControlError, ...]
    """Why something could not be found out."""

    def sentences(self) -> list[str]:
        """Say it."""
        pool = self.queried
        said = [f"pool {self.listed.label or self.listed.uuid} ({self.listed.uuid}), which is {self.listed.state}"]
        if pool:
            for tier in pool.tier_stats:
                if tier.total:
                    used = format_si(max(0, tier.total - tier.free))
                    said.append(f"{tier.media_type.upper()}: {format_si(tier.total)}, of which {used} are used")
            if pool.enabled_ranks:
                said.append(f"on {RankSet(pool.enabled_ranks).named()}")
        if self.containers is not None:
            said.append(_containers_text(self.containers))
        return said + [f"not everything is known: {error}" for error in self.errors]


async def at_stake(pools: Pools, pool: str) -> AtStake:
    """Find out what would be lost with a pool; a pool that cannot be asked costs only its details."""
    listed = await _listed(pools, pool)
    if listed.state != "Ready":
        return AtStake(listed=listed, queried=None, containers=None, errors=())
    errors: list[DaosControlError] = []
    queried, containers = None, None
    try:
        queried = await pools.query(listed.uuid, mask=_RANKS)
        containers = await pools.list_containers(listed.uuid)
    except DaosControlError as error:
        errors.append(error)
    return AtStake(listed=listed, queried=queried, containers=containers, errors=tuple(errors))


async def _listed(pools: Pools, pool: str) -> Pool:
    uuid = is_uuid(pool)
    for found in (await pools.list(query=False)).pools:
        if pool.lower() == found.uuid.lower() if uuid else pool == found.label:
            return found
    raise PoolNotFound(uuid=pool) if uuid else PoolNotFound(label=pool)


def _containers_text(containers: Sequence[str]) -> str:
    if not containers:
        return "no containers"
    count = f"{len(containers)} container{'s' if len(containers) > 1 else ''}"
    return f"{count}: {', '.join(containers)}" if len(containers) <= _LISTED else count


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What would come of one request."""

    method: str
    request: Any
    changes: tuple[str, ...]
    problems: tuple[str, ...]
    """Why it would be refused, or would not do what it is for."""


@dataclass(slots=True)
class _Findings:
    """What is being found out about one request."""

    pools: Pools
    system: System
    request: Any
    together: Sequence[Any]
    """All requests of the same method; each is about a rank of its own."""
    changes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def members(self) -> Mapping[int, bool]:
        """Return the ranks of the system, and whether each is there."""
        return {member.rank: member.state in AVAILABLE for member in (await self.system.query()).members}

    async def pool(self) -> Pool | None:
        """Return the pool that the request is about; that there is none, or that it does not answer, is a problem."""
        try:
            listed = await _listed(self.pools, self.request.id)
            return replace(await self.pools.query(listed.uuid, mask=_RANKS), label=listed.label)
        except DaosControlError as error:
            self.problems.append(str(error))
            return None


async def foresee(pools: Pools, system: System, intended: Sequence[Intended]) -> tuple[Foreseen, ...]:
    """Say what would come of requests that a rehearsal has written down."""
    found = []
    for step in intended:
        together = [other.request for other in intended if other.method == step.method]
        findings = _Findings(pools, system, step.request, together)
        await FORESIGHT[step.method](findings)
        found.append(
            Foreseen(
                method=step.method,
                request=step.request,
                changes=tuple(findings.changes),
                problems=tuple(findings.problems),
            )
        )
    return tuple(found)


async def _create(found: _Findings) -> None:
    request = found.request
    label = next((prop.strval for prop in request.properties if prop.number == PoolProperty.LABEL), "")
    if any(pool.label == label for pool in (await found.pools.list(query=False)).pools):
        found.problems.append(f'there is a pool called "{label}" already')
    _check_entries(found, request.acl)
    try:
        planned = await found.pools.plan(_size(request), ranks=request.ranks, service_replicas=request.num_svc_reps)
    except InvalidRequest as error:
        found.problems.append(str(error))
        return
    sizes = " and ".join(format_si(size) for size in planned.tier_bytes or () if size)
    ranks = RankSet(share.rank for share in planned.ranks)
    where = f"{planned.num_ranks} of {ranks.named()}" if planned.num_ranks < len(ranks) else ranks.named()
    found.changes.append(
        f'pool "{label}" of {format_si(planned.total_bytes)} would be made for {request.user} and '
        f"{request.user_group}: {sizes} on each of {where}"
    )
    found.problems += planned.problems


def _size(request: Any) -> PoolSize:
    if request.tier_bytes:
        return PerRank(tier_bytes=(request.tier_bytes[0], request.tier_bytes[1]), mem_ratio=request.mem_ratio)
    return Total(
        total_bytes=request.total_bytes,
        ratios=tuple(request.tier_ratio),
        num_ranks=request.num_ranks,
        mem_ratio=request.mem_ratio,
    )


async def _destroy(found: _Findings) -> None:
    try:
        stake = await at_stake(found.pools, found.request.id)
    except PoolNotFound as error:
        found.problems.append(str(error))
        return
    first, *rest = stake.sentences()
    found.changes += [f"{first}, would be lost", *rest]
    if stake.containers and not found.request.recursive:
        found.problems.append("it has containers, and they are not to be removed with it: destroy it recursively")


async def _evict(found: _Findings) -> None:
    pool = await found.pool()
    if pool:
        found.changes.append(f"all handles on pool {pool.name} would be closed, and who uses it sees errors")


async def _extend(found: _Findings) -> None:
    pool, members = await found.pool(), await found.members()
    wanted = RankSet(found.request.ranks)
    absent = [rank for rank in wanted if not members.get(rank)]
    if absent:
        found.problems.append(f"not there: {RankSet(absent).named()}")
    if pool:
        had = RankSet([*(pool.enabled_ranks or ()), *(pool.disabled_ranks or ())])
        known = [rank for rank in wanted if rank in had]
        if known:
            found.problems.append(f"pool {pool.name} has them already: {RankSet(known).named()}")
        found.changes.append(f"pool {pool.name}, which is on {had.named()}, would have {wanted.named()}, too")


async def _exclude(found: _Findings) -> None:
    pool = await _with_rank(found, "would be taken out of")
    if pool is None:
        return
    values = await found.pools.get_properties(pool.uuid, ["rd_fac"])
    out = RankSet([*(pool.disabled_ranks or ()), *(request.rank for request in found.together)])
    if values and len(out) > int(values[0].text):
        found.changes.append(
            f"without {out.named()} more is missing than redundancy factor {values[0].text} covers: data may be lost"
        )


async def _drain(found: _Findings) -> None:
    await _with_rank(found, "would be drained from")


async def _reintegrate(found: _Findings) -> None:
    pool = await _with_rank(found, "would be taken back into", whole=False)
    if pool and found.request.rank not in (pool.disabled_ranks or ()):
        found.changes.append(f"none of rank {found.request.rank} is out: nothing would change")


async def _with_rank(found: _Findings, becomes: str, *, whole: bool = True) -> Pool | None:
    """Say what becomes of a rank; ``whole`` ones take part in the pool until then."""
    pool, members = await found.pool(), await found.members()
    rank = found.request.rank
    if rank not in members:
        found.problems.append(f"there is no rank {rank} in the system")
    if pool is None:
        return None
    what = f"targets {','.join(map(str, found.request.target_idx))} of rank" if found.request.target_idx else "rank"
    found.changes.append(f"{what} {rank} {becomes} pool {pool.name}")
    taking_part = RankSet([*(pool.enabled_ranks or ()), *(pool.disabled_ranks or ())])
    if taking_part and rank not in taking_part:
        found.problems.append(f"pool {pool.name} is on {taking_part.named()}, not on rank {rank}")
    elif whole and rank in (pool.disabled_ranks or ()) and rank not in (pool.enabled_ranks or ()):
        found.problems.append(f"rank {rank} is out of pool {pool.name} already")
    return pool


async def _upgrade(found: _Findings) -> None:
    pool = await found.pool()
    if pool and pool.pool_layout_ver == pool.upgrade_layout_ver:
        found.changes.append(f"pool {pool.name} has layout {pool.pool_layout_ver}, the newest: nothing would change")
    elif pool:
        found.changes.append(
            f"pool {pool.name} would be brought from layout {pool.pool_layout_ver} to {pool.upgrade_layout_ver}"
        )


async def _rebuild_start(found: _Findings) -> None:
    pool = await found.pool()
    if pool:
        found.changes.append(f"pool {pool.name} would rebuild; its rebuild is {_rebuild_text(pool)}")
        policy = [value.text for value in await found.pools.get_properties(pool.uuid, ["self_heal"])]
        if any("delay_rebuild" in text for text in policy):
            found.problems.append(
                f"what pool {pool.name} has lost waits on, as its self_heal is {policy[0]}: engines delay that also "
                f"when it is asked for. First: dmg pool set-prop {pool.name} 'self_heal:exclude;rebuild'"
            )


async def _rebuild_stop(found: _Findings) -> None:
    pool = await found.pool()
    if pool:
        found.changes.append(f"pool {pool.name} would stop to rebuild; its rebuild is {_rebuild_text(pool)}")


def _rebuild_text(pool: Pool) -> str:
    return pool.rebuild.derived_state if pool.rebuild else "unknown"


async def _set_properties(found: _Findings) -> None:
    pool = await found.pool()
    if pool is None:
        return
    for prop in found.request.properties:
        kind = PoolProperty(prop.number)
        now = await found.pools.get_properties(pool.uuid, [kind.text])
        value = show(kind, getattr(prop, prop.WhichOneof("value")))
        before = now[0].text if now else "not set"
        found.changes.append(
            f"{kind.text}: {before} would become {value}" if before != value else f"{kind.text} is {value} already"
        )
        if KINDS[kind].settable is Settable.KEPT:
            found.problems.append(f"{kind.text} is set when a pool is made; engines refuse to change it")
        if kind is PoolProperty.LABEL and any(
            other.label == value and other.uuid != pool.uuid for other in (await found.pools.list(query=False)).pools
        ):
            found.problems.append(f'there is a pool called "{value}" already')


async def _overwrite_acl(found: _Findings) -> None:
    new = _check_entries(found, found.request.entries)
    if new:
        await _changed_acl(found, lambda _: new)


async def _update_acl(found: _Findings) -> None:
    new = _check_entries(found, found.request.entries)
    if new:
        await _changed_acl(found, lambda current: current.updated(new))


async def _delete_acl(found: _Findings) -> None:
    try:
        principal = Principal.parse(found.request.principal)
    except InvalidAcl as error:
        found.problems.append(str(error))
        return
    await _changed_acl(found, lambda current: current.without(principal))


async def _changed_acl(found: _Findings, change: Callable[[AccessControlList], AccessControlList]) -> None:
    try:
        current = AccessControlList.parse((await found.pools.get_acl(found.request.id)).entries)
        changed = change(current)
    except DaosControlError as error:
        found.problems.append(str(error))
        return
    before, after = [str(entry) for entry in current], [str(entry) for entry in changed]
    found.changes += [f"- {entry}" for entry in before if entry not in after]
    found.changes += [f"+ {entry}" for entry in after if entry not in before]
    if before == after:
        found.changes.append("the list is like that already")


def _check_entries(found: _Findings, entries: Sequence[str]) -> AccessControlList | None:
    try:
        acl = AccessControlList.parse(entries)
    except InvalidAcl as error:
        found.problems.append(str(error))
        return None
    for entry in acl:
        letters = entry.pointless(POOL_PERMISSIONS)
        if letters:
            found.changes.append(f"{entry}: {', '.join(letters)} means nothing for a pool")
    return acl


async def _set_owner(found: _Findings) -> None:
    request = found.request
    try:
        containers = await found.pools.list_containers(request.pool_id)
    except DaosControlError as error:
        found.problems.append(str(error))
        return
    if is_uuid(request.cont_id) and request.cont_id.lower() not in containers:
        found.problems.append(f"there is no container {request.cont_id} in pool {request.pool_id}")
    owners = " and ".join(owner for owner in (request.owner_user, request.owner_group) if owner)
    found.changes.append(f"container {request.cont_id} of pool {request.pool_id} would belong to {owners}")


FORESIGHT: Final[Mapping[str, Callable[[_Findings], Awaitable[None]]]] = {
    "PoolCreate": _create,
    "PoolDestroy": _destroy,
    "PoolEvict": _evict,
    "PoolExtend": _extend,
    "PoolExclude": _exclude,
    "PoolDrain": _drain,
    "PoolReintegrate": _reintegrate,
    "PoolUpgrade": _upgrade,
    "PoolRebuildStart": _rebuild_start,
    "PoolRebuildStop": _rebuild_stop,
    "PoolSetProp": _set_properties,
    "PoolOverwriteACL": _overwrite_acl,
    "PoolUpdateACL": _update_acl,
    "PoolDeleteACL": _delete_acl,
    "ContSetOwner": _set_owner,
}
"""What finds out about a request, by its method."""
