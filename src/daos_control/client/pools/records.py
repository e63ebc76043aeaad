"""What is known of pools: how big and how healthy they are, who may use them, what their targets do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError
from daos_control.base.rankset import RankSet
from daos_control.client.errors import UnexpectedReply
from daos_control.model.pool_property import PoolQuery
from daos_control.wire.pb.mgmt import pool_pb2

REBUILD_STATES: Final = ("busy", "idle", "done", "stopping", "stopped", "failing", "failed")
TARGET_STATES: Final = ("unknown", "down_out", "down", "up", "up_in", "new", "drain")
MEDIA: Final = ("scm", "nvme")


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


def acl_from_pb(reply: Any) -> Acl:
    """Read an access control list in a reply."""
    return Acl(entries=tuple(reply.acl.entries), owner_user=reply.acl.owner_user, owner_group=reply.acl.owner_group)


def _space(usage: Any) -> TierStats:
    return TierStats(total=usage.total, free=usage.free, media_type=MEDIA[usage.media_type])


def pool_from_pb(reply: pool_pb2.PoolQueryResp) -> Pool:
    """Read the answer to a query."""
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


def target_from_pb(info: Any) -> Target:
    """Read one target of a reply."""
    return Target(
        target_state=TARGET_STATES[info.state],
        space=tuple(_space(usage) for usage in info.space),
        mem_file_bytes=info.mem_file_bytes,
        md_on_ssd_active=info.md_on_ssd_active,
    )


def created_from_pb(uuid: str, reply: pool_pb2.PoolCreateResp) -> CreatedPool:
    """Read what a new pool has been given."""
    return CreatedPool(
        uuid=uuid,
        svc_ldr=reply.svc_ldr,
        svc_reps=tuple(reply.svc_reps),
        tgt_ranks=tuple(reply.tgt_ranks),
        tier_bytes=tuple(reply.tier_bytes),
        mem_file_bytes=reply.mem_file_bytes,
        md_on_ssd_active=reply.md_on_ssd_active,
    )
