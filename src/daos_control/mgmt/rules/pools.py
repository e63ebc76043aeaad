"""Pools as the management service decides about them: what is created where, and what becomes of records.

Engines make and keep pools; these rules say which ranks, how big, under which label, and who may be asked.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from daos_control.base.der import Der
from daos_control.base.errors import DaosError, PoolNotFound
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.base.units import GIB, MIB
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.system import Change, System
from daos_control.model.pool import PoolService, PoolState
from daos_control.model.system_property import SETTABLE

MAX_SERVICE_REPLICAS: Final = 9
MIN_SCM_PER_TARGET: Final = 16 * MIB
MIN_NVME_PER_TARGET: Final = GIB
TIERS: Final = 2
_UUID: Final = re.compile(
    r"(?P<brace>\{)?(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?(brace)\})|[0-9a-f]{32}", re.IGNORECASE
)
"""What DAOS takes for a uuid. Python takes more: hyphens anywhere, as a label may have them."""

Choose = Callable[[Sequence[int], int], Sequence[int]]
"""Picks so many of these ranks: at random, in a real system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStorage:
    """What the leader's first engine has: sizes are judged by it, as if all engines were alike."""

    targets: int
    has_bdevs: bool
    md_on_ssd: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolWish:
    """A request for a pool. Either ``tier_bytes`` (per rank), or ``total_bytes`` split by ``tier_ratio``."""

    uuid: str
    label: str
    ranks: tuple[int, ...] = ()
    num_ranks: int = 0
    service_replicas: int = 0
    total_bytes: int = 0
    tier_ratio: tuple[float, ...] = ()
    tier_bytes: tuple[int, ...] = ()
    mem_ratio: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPlan:
    """The pool to be made, and the branches of the fault-domain tree it lies on."""

    pool: PoolService
    fault_domains: tuple[int, ...]


def plan(system: System, wish: PoolWish, storage: EngineStorage, *, choose: Choose, now: datetime) -> Change[PoolPlan]:
    """Decide about a new pool, and record it as being created."""
    if wish.uuid in system.pools:
        raise DaosError(Der.AGAIN)
    if not wish.label:
        raise FaultCode.SERVER_POOL_NO_LABEL.fault()
    check_label(system, wish.uuid, wish.label)
    ranks = _ranks(system, wish, choose)
    largest = min(len(ranks), MAX_SERVICE_REPLICAS)
    if wish.service_replicas > largest:
        raise FaultCode.SERVER_POOL_INVALID_SERVICE_REPS.fault(largest=largest)
    mem_ratio = _mem_ratio(wish, storage)
    tier_bytes = _tier_bytes(wish, storage, len(ranks))
    _check_sizes(tier_bytes, storage, len(ranks))
    pool = PoolService(
        uuid=wish.uuid,
        label=wish.label,
        ranks=ranks,
        tier_bytes=tier_bytes,
        mem_ratio=mem_ratio,
        last_update=now,
    )
    planned = PoolPlan(pool=pool, fault_domains=tuple(system.tree.words(ranks)))
    # What an earlier attempt at this pool left on its ranks is its own from here on.
    remains = system.remains.get(wish.uuid, frozenset()).difference(ranks)
    return Change(system=system.with_pool(pool).with_remains(wish.uuid, remains), outcome=planned)


def check_label(system: System, uuid: str, label: str) -> None:
    """Refuse a label that another pool has."""
    if system.labels.get(label, uuid) != uuid:
        raise FaultCode.SERVER_POOL_DUPLICATE_LABEL.fault(label=label)


def _ranks(system: System, wish: PoolWish, choose: Choose) -> tuple[int, ...]:
    available = sorted(rank for rank, member in system.members.items() if member.available)
    if wish.ranks:
        chosen = sorted(set(wish.ranks))
        invalid = [rank for rank in chosen if rank not in available]
        if invalid:
            raise FaultCode.SERVER_POOL_INVALID_RANKS.fault(ranks=str(RankSet(invalid)))
    elif wish.num_ranks:
        if wish.num_ranks > len(available):
            raise FaultCode.SERVER_POOL_INVALID_NUM_RANKS.fault(requested=wish.num_ranks, available=len(available))
        chosen = sorted(choose(available, wish.num_ranks))
    else:
        chosen = available
    if not chosen:
        raise Refused("pool request contains zero target ranks")
    return tuple(chosen)


def _mem_ratio(wish: PoolWish, storage: EngineStorage) -> float:
    if wish.mem_ratio > 0 and not storage.md_on_ssd:
        raise FaultCode.SERVER_POOL_MEM_RATIO_NO_ROLES.fault()
    return wish.mem_ratio or (1.0 if storage.md_on_ssd else 0.0)


def _tier_bytes(wish: PoolWish, storage: EngineStorage, ranks: int) -> tuple[int, ...]:
    by_hand = len(wish.tier_bytes) == TIERS and not wish.tier_ratio and not wish.total_bytes
    by_total = not wish.tier_bytes and len(wish.tier_ratio) == TIERS and wish.total_bytes > 0
    if by_hand:
        if wish.tier_bytes[1] and not storage.has_bdevs:
            raise Refused(f"{wish.tier_bytes[1]} bytes of NVMe were asked for, but no engine has NVMe devices")
        return wish.tier_bytes
    if by_total:
        ratios = wish.tier_ratio if storage.has_bdevs else (1.0, 0.0)
        if not all(0 <= ratio <= 1 for ratio in ratios):
            raise Refused(f"tier ratios {wish.tier_ratio} are not fractions of a whole")
        return tuple(int(wish.total_bytes * ratio) // ranks for ratio in ratios)
    raise Refused(
        "give either the bytes of both tiers, or the pool's whole size and both tiers' ratios: "
        f"tier_bytes {list(wish.tier_bytes)}, tier_ratio {list(wish.tier_ratio)}, total_bytes {wish.total_bytes}"
    )


def _check_sizes(tier_bytes: Sequence[int], storage: EngineStorage, ranks: int) -> None:
    targets = storage.targets * ranks
    least_scm, least_nvme = MIN_SCM_PER_TARGET * targets, MIN_NVME_PER_TARGET * targets
    total = least_scm + (least_nvme if tier_bytes[1] else 0) + MIB
    if tier_bytes[0] < MIN_SCM_PER_TARGET * storage.targets:
        raise FaultCode.SERVER_POOL_SCM_TOO_SMALL.fault(per_target=MIN_SCM_PER_TARGET, total=total, scm=least_scm + MIB)
    if tier_bytes[1] and tier_bytes[1] < MIN_NVME_PER_TARGET * storage.targets:
        raise FaultCode.SERVER_POOL_NVME_TOO_SMALL.fault(
            per_target=MIN_NVME_PER_TARGET, total=total, nvme=least_nvme + MIB
        )


def inherited_properties(system: System, given: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return the pool properties (number, value) that a new pool has from the system unless it was given them."""
    return tuple(
        (prop.pool_property, prop.pool_value(system.setting(prop.name)))
        for prop in SETTABLE.values()
        if prop.pool_property is not None and prop.pool_property not in given
    )


def created(system: System, uuid: str, replicas: Sequence[int], *, now: datetime) -> Change[PoolService]:
    """The engines have made the pool."""
    pool = _recorded(system, uuid).changed(now=now, state=PoolState.READY, replicas=tuple(replicas))
    return Change(system=system.with_pool(pool), outcome=pool)


def destroying(system: System, uuid: str, *, now: datetime) -> Change[PoolService]:
    """There is no way back for this pool."""
    pool = _recorded(system, uuid)
    if pool.state is PoolState.DESTROYING:
        return Change(system=system, outcome=pool)
    pool = pool.changed(now=now, state=PoolState.DESTROYING)
    return Change(system=system.with_pool(pool), outcome=pool)


def removed(system: System, uuid: str) -> Change[None]:
    """The pool never came to be, or somebody knows that it is gone."""
    return Change(system=system.without_pool(uuid), outcome=None)


def destroyed(system: System, uuid: str, ranks: Collection[int]) -> Change[None]:
    """The pool is gone from these ranks; a rank that is away now may bring something of it back one day."""
    away = frozenset(system.members).difference(ranks)
    return Change(system=system.without_pool(uuid).with_remains(uuid, away), outcome=None)


def not_created(system: System, uuid: str) -> Change[None]:
    """The engines could not, or would not, make the pool.

    They remove what they had made of it, but not from a rank that dies meanwhile; and that it died, nobody may know
    yet. So every rank is asked once more.
    """
    left = system.remains.get(uuid, frozenset()).union(_recorded(system, uuid).ranks)
    return Change(system=system.without_pool(uuid).with_remains(uuid, left), outcome=None)


def remains_in_reach(system: System, uuid: str) -> frozenset[int]:
    """Return the ranks that are here and may hold something of a pool that is not there, or not on them."""
    return frozenset(
        rank
        for rank in system.remains.get(uuid, ())
        if (member := system.members.get(rank)) is not None and member.in_group
    )


def adding(system: System, uuid: str, ranks: Collection[int]) -> Change[None]:
    """The pool is to get these ranks: from now on they may hold something of it, and nobody knows whether they are its.

    They are ``cleared`` when they are known to be, or to hold nothing.
    """
    left = system.remains.get(uuid, frozenset()).union(ranks)
    return Change(system=system.with_remains(uuid, left), outcome=None)


def cleared(system: System, uuid: str, ranks: Collection[int]) -> Change[None]:
    """Nothing is left of a pool on these ranks, or what they have is a pool's that is there.

    What ranks have that are no members any more is nobody's business.
    """
    left = system.remains.get(uuid, frozenset()).difference(ranks)
    return Change(system=system.with_remains(uuid, left.intersection(system.members)), outcome=None)


def relabelled(system: System, uuid: str, label: str, *, now: datetime) -> Change[None]:
    """The pool service has taken the new label."""
    check_label(system, uuid, label)
    pool = _recorded(system, uuid).changed(now=now, label=label)
    return Change(system=system.with_pool(pool), outcome=None)


def replicas_updated(
    system: System, uuid: str, replicas: Sequence[int], *, now: datetime
) -> Change[PoolService | None]:
    """The pool service has moved; a pool we thought was still being created has a service, so it is made."""
    pool = _recorded(system, uuid)
    new = tuple(replicas)
    if pool.state is PoolState.DESTROYING or (pool.ready and pool.replicas == new):
        return Change(system=system, outcome=None)
    pool = pool.changed(now=now, state=PoolState.READY, replicas=new)
    return Change(system=system.with_pool(pool), outcome=pool)


def registered(system: System, uuid: str, label: str, replicas: Sequence[int], *, now: datetime) -> Change[None]:
    """The checker found a pool, or what it is really like."""
    if system.labels.get(label, uuid) != uuid:
        raise DaosError(Der.EXIST)
    known = system.pools.get(uuid)
    if known is None:
        known = PoolService(uuid=uuid, label=label, state=PoolState.READY, last_update=now)
    pool = known.changed(now=now, label=label, replicas=tuple(replicas))
    return Change(system=system.with_pool(pool), outcome=None)


def _recorded(system: System, uuid: str) -> PoolService:
    pool = system.pools.get(uuid)
    if pool is None:
        raise PoolNotFound(uuid=uuid)
    return pool


def find(system: System, pool_id: str) -> PoolService:
    """Return the pool with this uuid or label. What reads as a uuid is one: no label can look like it."""
    if not pool_id:
        raise Refused("empty pool id")
    uuid = uuid_of(pool_id)
    return by_label(system, pool_id) if uuid is None else _recorded(system, uuid)


def uuid_of(pool_id: str) -> str | None:
    """Return a uuid as DAOS writes it, or None if DAOS takes the text for something else: a label, say."""
    return str(UUID(pool_id)) if _UUID.fullmatch(pool_id) else None


def by_label(system: System, label: str) -> PoolService:
    """Return the pool with this label."""
    uuid = system.labels.get(label)
    if uuid is None:
        raise PoolNotFound(label=label)
    return system.pools[uuid]


def in_service(system: System, pool_id: str) -> PoolService:
    """Return a pool whose service can be asked; others will be there, or gone, in a moment."""
    pool = find(system, pool_id)
    if not pool.ready:
        raise DaosError(Der.AGAIN)
    return pool


def service_ranks(system: System, pool: PoolService) -> tuple[int, ...]:
    """Return the ranks at which to look for the pool service's leader."""
    for rank in pool.replicas:
        if rank not in system.members:
            raise Refused(f"unable to find member with rank {rank}")
    ranks = tuple(rank for rank in pool.replicas if system.members[rank].available)
    if not ranks:
        raise Refused(f"unable to find any available service ranks for pool {pool.uuid}")
    return ranks
