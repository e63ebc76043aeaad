"""Pools from request to engine and back: what the pure rules decide is asked of the data plane, and noted.

Engines do the work, through the first usable engine of the leader's host. This module sees that a pool's record and
what engines have agree in the end, whatever is killed when: a pool is recorded as being created before any engine
hears of it and as ready before its creator is answered; one that is to go is marked so before engines destroy it.
Whatever is found half made or half destroyed later is swept away.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4

from daos_control.base import logs
from daos_control.base.clock import Clock
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError, NotLeader
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.mgmt.decisions import Decisions
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.leader import nobody_asked, sweep
from daos_control.mgmt.ports import DataPlane, Settings
from daos_control.mgmt.rules import pools as rules
from daos_control.mgmt.rules.group_map import group_map
from daos_control.mgmt.rules.membership import canonical_uuid
from daos_control.mgmt.system import System
from daos_control.model import self_heal
from daos_control.model.event import Event, PoolServiceInfo, timestamp
from daos_control.model.pool import PoolService, PoolState
from daos_control.model.pool_property import DEFAULT_QUERY, PoolProperty, PoolQuery
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcError
from daos_control.net.drpc.methods import Method
from daos_control.wire.pb.mgmt import pool_pb2

log = logs.get(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOn:
    """A method that an engine answers: what is checked and filled in on the way there and back."""

    method: Method[Any, Any]
    locked: bool = False
    prepare: Callable[[System, PoolService, Any], None] = lambda *_: None
    finish: Callable[[System, Any, Any], None] = lambda *_: None
    id_field: str = "id"
    adds: Callable[[Any], Collection[int]] = lambda _: ()
    """The ranks that a request adds to its pool."""


def _known_rank(system: System, _: PoolService, request: Any) -> None:
    if request.rank not in system.members:
        raise FaultCode.SERVER_POOL_INVALID_RANKS.fault(ranks=request.rank)


def _as_created(_: System, pool: PoolService, request: Any) -> None:
    del request.tier_bytes[:]
    request.tier_bytes.extend(pool.tier_bytes)
    request.mem_ratio = pool.mem_ratio


def _reintegrate(system: System, pool: PoolService, request: Any) -> None:
    _known_rank(system, pool, request)
    _as_created(system, pool, request)


def _extend(system: System, pool: PoolService, request: Any) -> None:
    try:
        words = system.tree.words(request.ranks)
    except LookupError as error:
        raise Refused(str(error)) from error
    del request.fault_domains[:]
    request.fault_domains.extend(words)
    _as_created(system, pool, request)


def _query(_: System, __: PoolService, request: pool_pb2.PoolQueryReq) -> None:
    request.query_mask = request.query_mask or DEFAULT_QUERY


def _queried(system: System, request: pool_pb2.PoolQueryReq, reply: pool_pb2.PoolQueryResp) -> None:
    reply.leader = reply.svc_ldr  # where clients from before 2.6 look
    asked = request.query_mask & PoolQuery.SELF_HEAL_POLICY
    reply.sys_self_heal_policy = system.setting("self_heal") if asked else self_heal.DEFAULT


def _some_properties(_: System, __: PoolService, request: Any) -> None:
    if not request.properties:
        raise Refused(f"{type(request).__name__} names no properties")


PASSED_ON: Final[Mapping[str, PassedOn]] = MappingProxyType(
    {
        "PoolQuery": PassedOn(method=drpc.Mgmt.POOL_QUERY, prepare=_query, finish=_queried),
        "PoolQueryTarget": PassedOn(method=drpc.Mgmt.POOL_QUERY_TARGETS),
        "PoolGetProp": PassedOn(method=drpc.Mgmt.POOL_GET_PROP, prepare=_some_properties),
        "PoolGetACL": PassedOn(method=drpc.Mgmt.POOL_GET_ACL),
        "PoolOverwriteACL": PassedOn(method=drpc.Mgmt.POOL_OVERWRITE_ACL, locked=True),
        "PoolUpdateACL": PassedOn(method=drpc.Mgmt.POOL_UPDATE_ACL, locked=True),
        "PoolDeleteACL": PassedOn(method=drpc.Mgmt.POOL_DELETE_ACL, locked=True),
        "PoolEvict": PassedOn(method=drpc.Mgmt.POOL_EVICT),
        "PoolExclude": PassedOn(method=drpc.Mgmt.POOL_EXCLUDE, locked=True, prepare=_known_rank),
        "PoolDrain": PassedOn(method=drpc.Mgmt.POOL_DRAIN, locked=True, prepare=_known_rank),
        "PoolReintegrate": PassedOn(
            method=drpc.Mgmt.POOL_REINT, locked=True, prepare=_reintegrate, adds=lambda request: (request.rank,)
        ),
        "PoolExtend": PassedOn(
            method=drpc.Mgmt.POOL_EXTEND, locked=True, prepare=_extend, adds=lambda request: request.ranks
        ),
        "PoolUpgrade": PassedOn(method=drpc.Mgmt.POOL_UPGRADE, locked=True),
        "PoolRebuildStart": PassedOn(method=drpc.Mgmt.POOL_REBUILD_START, locked=True),
        "PoolRebuildStop": PassedOn(method=drpc.Mgmt.POOL_REBUILD_STOP, locked=True),
        "PoolSelfHealEval": PassedOn(method=drpc.Mgmt.POOL_SELF_HEAL_EVAL, locked=True),
        "ListContainers": PassedOn(method=drpc.Mgmt.LIST_CONTAINERS),
        "ContSetOwner": PassedOn(method=drpc.Mgmt.CONT_SET_OWNER, id_field="pool_id"),
    }
)
"""Every method that goes to a pool's service much as it comes, by its gRPC name."""


class Locks:
    """One lock for each pool, never waited for: whoever finds it taken is told to try again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[str, str]] = {}

    @contextmanager
    def hold(self, pool: str) -> Iterator[None]:
        """Hold a pool's lock for a block; raises fault 402 if somebody has it."""
        if pool in self._held:
            lock, since = self._held[pool]
            raise FaultCode.SYSTEM_POOL_LOCKED.fault(pool=pool, lock=lock, since=since)
        self._held[pool] = (str(uuid4()), timestamp(self._clock.now()))
        try:
            yield
        finally:
            del self._held[pool]

    def __contains__(self, pool: str) -> bool:
        return pool in self._held


def choose_at_random(ranks: Sequence[int], number: int) -> list[int]:
    """Pick so many ranks, so that pools of less than the whole system spread over it."""
    return random.SystemRandom().sample(list(ranks), number)


class Pools:
    """Everything that can be done to pools. Requests and replies are the protocol's own messages."""

    def __init__(
        self,
        *,
        decisions: Decisions,
        data_plane: DataPlane,
        settings: Settings,
        clock: Clock,
        choose: rules.Choose = choose_at_random,
    ) -> None:
        self._decisions = decisions
        self._data_plane = data_plane
        self._settings = settings
        self._clock = clock
        self._choose = choose
        self.locks = Locks(clock)
        self._one_at_a_time = asyncio.Lock()
        self._creations: dict[str, asyncio.Future[pool_pb2.PoolCreateResp]] = {}
        self._untidy = asyncio.Event()

    @property
    def _system(self) -> System:
        return self._decisions.system

    # -- requests that an engine answers ---------------------------------------------------------------------------

    async def pass_on(self, name: str, request: Any) -> Any:
        """Send a request to the pool's service; the reply may carry a DER status.

        While the system is checked there are no pool services, whoever asks: what is served then may need them, too.
        """
        if self._system.checking:
            raise FaultCode.SYSTEM_CHECKER_ENABLED.fault()
        how = PASSED_ON[name]
        pool_id = getattr(request, how.id_field)
        if how.locked:
            uuid = rules.in_service(self._system, pool_id).uuid
            with self.locks.hold(uuid):
                await self._take_over(uuid, how.adds(request))
                return await self._ask(how, request)
        return await self._ask(how, request)

    async def _take_over(self, uuid: str, ranks: Collection[int]) -> None:
        """Keep what a pool gets on these ranks from being swept away as the remains of an earlier one of its name."""
        if not self._system.remains.get(uuid, frozenset()).isdisjoint(ranks):
            await self._decisions.apply(partial(rules.cleared, uuid=uuid, ranks=ranks))

    async def _ask(self, how: PassedOn, request: Any) -> Any:
        system = self._system
        pool = rules.in_service(system, getattr(request, how.id_field))
        how.prepare(system, pool, request)
        setattr(request, how.id_field, pool.uuid)
        if not request.svc_ranks:
            request.svc_ranks.extend(rules.service_ranks(system, pool))
        reply = await self._engines(how.method, request)
        how.finish(system, request, reply)
        return reply

    async def _engines(self, method: Method[Any, Any], request: Any) -> Any:
        try:
            return await self._data_plane.call(method, request)
        except DrpcError as error:
            raise Refused(str(error)) from error

    async def set_properties(self, request: pool_pb2.PoolSetPropReq) -> pool_pb2.PoolSetPropResp:
        """Set properties of a pool; the label first and alone, because it is kept in two places."""
        system = self._system
        pool = rules.in_service(system, request.id)
        _some_properties(system, pool, request)
        with self.locks.hold(pool.uuid):
            labels = [prop for prop in request.properties if prop.number == PoolProperty.LABEL]
            others = [prop for prop in request.properties if prop.number != PoolProperty.LABEL]
            for prop in labels:
                await self._relabel(pool.uuid, prop, request)
            if not others:
                return pool_pb2.PoolSetPropResp()
            return await self._set_properties(pool.uuid, others, request)

    async def _relabel(self, uuid: str, prop: pool_pb2.PoolProperty, request: pool_pb2.PoolSetPropReq) -> None:
        if not prop.strval:
            raise FaultCode.SERVER_POOL_NO_LABEL.fault()
        rules.check_label(self._system, uuid, prop.strval)
        reply = await self._set_properties(uuid, [prop], request)
        if reply.status:
            raise Refused(f"label update failed: {DaosError(reply.status)}")
        await self._decisions.apply(partial(rules.relabelled, uuid=uuid, label=prop.strval, now=self._clock.now()))

    async def _set_properties(
        self, uuid: str, properties: list[pool_pb2.PoolProperty], request: pool_pb2.PoolSetPropReq
    ) -> pool_pb2.PoolSetPropResp:
        message = pool_pb2.PoolSetPropReq(sys=request.sys, id=uuid, properties=properties, svc_ranks=request.svc_ranks)
        reply: pool_pb2.PoolSetPropResp = await self._ask(PassedOn(method=drpc.Mgmt.POOL_SET_PROP), message)
        return reply

    def _ready(self) -> list[PoolService]:
        return [pool for pool in self._system.pools.values() if pool.ready]

    # -- creation --------------------------------------------------------------------------------------------------

    async def create(self, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        """Create a pool. Asking twice for the same uuid makes one pool, and both callers hear of it.

        Creation goes on when its caller goes away: a retry then finds the pool, or waits for it.
        """
        uuid = canonical_uuid(request.uuid)
        outcome = self._creations.get(uuid)
        if outcome is None:
            outcome = asyncio.get_running_loop().create_future()
            outcome.add_done_callback(partial(self._creation_ended, uuid))
            task = self._decisions.spawn(self._creation(uuid, request, outcome))
            self._creations[uuid] = outcome
            task.add_done_callback(partial(self._deposed_while_creating, outcome))
        return await asyncio.shield(outcome)

    def _deposed_while_creating(
        self, outcome: "asyncio.Future[pool_pb2.PoolCreateResp]", _: "asyncio.Task[None]"
    ) -> None:
        if not outcome.done():
            outcome.set_exception(NotLeader("", self._settings.other_replicas))

    def _creation_ended(self, uuid: str, outcome: "asyncio.Future[pool_pb2.PoolCreateResp]") -> None:
        del self._creations[uuid]
        if not outcome.cancelled() and outcome.exception() is not None:
            log.debug("pool not created", pool=uuid, reason=str(outcome.exception()))

    async def _creation(
        self, uuid: str, request: pool_pb2.PoolCreateReq, outcome: "asyncio.Future[pool_pb2.PoolCreateResp]"
    ) -> None:
        try:
            async with self._one_at_a_time:
                with self.locks.hold(uuid):
                    outcome.set_result(await self._create(uuid, request))
        except Exception as error:  # noqa: BLE001  not swallowed: it belongs to the callers, not to the leadership
            outcome.set_exception(error)
        self.look_around()

    async def _create(self, uuid: str, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        known = self._system.pools.get(uuid)
        if known is not None and known.ready:
            return await self._created_before(known, request)
        if known is not None:
            await self._wipe_or_log(uuid)
            return pool_pb2.PoolCreateResp(status=Der.AGAIN)
        plan = await self._decisions.apply(
            partial(
                rules.plan,
                wish=_wish(uuid, request),
                storage=self._settings.storage,
                choose=self._choose,
                now=self._clock.now(),
            )
        )
        try:
            return await self._make(plan, request)
        except (DaosControlError, DrpcError) as error:
            await self._undo(uuid, asked=not nobody_asked(error))
            if isinstance(error, DrpcError):
                raise Refused(str(error)) from error
            raise

    async def _make(self, plan: rules.PoolPlan, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        pool = plan.pool
        message = self._create_message(plan, request)
        reply: pool_pb2.PoolCreateResp = await self._data_plane.call(drpc.Mgmt.POOL_CREATE, message)
        if reply.status:
            await self._decisions.apply(partial(rules.not_created, uuid=pool.uuid))
            log.info("pool not created", pool=pool.uuid, label=pool.label, reason=str(DaosError(reply.status)))
            return reply
        await self._decisions.apply(
            partial(rules.created, uuid=pool.uuid, replicas=reply.svc_reps, now=self._clock.now())
        )
        log.info("pool created", pool=pool.uuid, label=pool.label, ranks=RankSet(pool.ranks))
        return reply

    def _create_message(self, plan: rules.PoolPlan, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateReq:
        message = pool_pb2.PoolCreateReq()
        message.CopyFrom(request)
        for cleared in ("total_bytes", "tier_ratio", "num_ranks", "ranks", "tier_bytes", "fault_domains"):
            message.ClearField(cleared)
        message.uuid = plan.pool.uuid
        message.ranks.extend(plan.pool.ranks)
        message.tier_bytes.extend(plan.pool.tier_bytes)
        message.mem_ratio = plan.pool.mem_ratio
        message.fault_domains.extend(plan.fault_domains)
        given = [prop.number for prop in request.properties]
        for number, value in rules.inherited_properties(self._system, given):
            message.properties.add(number=number, numval=value)
        return message

    async def _created_before(self, pool: PoolService, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        query = pool_pb2.PoolQueryReq(sys=request.sys, id=pool.uuid)
        reply = await self.pass_on("PoolQuery", query)
        if reply.status:
            return pool_pb2.PoolCreateResp(status=reply.status)
        return pool_pb2.PoolCreateResp(
            svc_ldr=reply.svc_ldr, svc_reps=pool.replicas, tgt_ranks=pool.ranks, tier_bytes=pool.tier_bytes
        )

    async def _undo(self, uuid: str, *, asked: bool) -> None:
        """Forget a pool that no engine has heard of; destroy one that they may have made."""
        try:
            if asked:
                await self._wipe(uuid)
            else:
                await self._decisions.apply(partial(rules.removed, uuid=uuid))
        except (DaosControlError, DrpcError) as error:
            log.error("pool could not be cleaned up; will be tried again", pool=uuid, reason=str(error))

    # -- destruction -----------------------------------------------------------------------------------------------

    async def destroy(self, request: pool_pb2.PoolDestroyReq) -> pool_pb2.PoolDestroyResp:
        """Destroy a pool: evict who uses it, mark it, destroy it on all ranks, forget it."""
        uuid = rules.find(self._system, request.id).uuid
        try:
            with self.locks.hold(uuid):
                pool = rules.find(self._system, uuid)
                if pool.state is not PoolState.DESTROYING:
                    status = await self._retire(pool, request)
                    if status:
                        return pool_pb2.PoolDestroyResp(status=status)
                reply = await self._destroy_everywhere(uuid, request)
                return pool_pb2.PoolDestroyResp(status=reply)
        finally:
            self.look_around()  # if this has failed half way, and nobody asks again

    async def _retire(self, pool: PoolService, request: pool_pb2.PoolDestroyReq) -> int:
        """Take a pool out of use and mark it for destruction, or return the status that speaks against it."""
        if not request.recursive:
            contents = pool_pb2.ListContReq(sys=request.sys, id=pool.uuid, svc_ranks=pool.replicas)
            listed = await self.pass_on("ListContainers", contents)
            if listed.status:
                return int(listed.status)
            if listed.containers:
                raise FaultCode.SERVER_POOL_HAS_CONTAINERS.fault()
        evict = pool_pb2.PoolEvictReq(
            sys=request.sys, id=pool.uuid, svc_ranks=pool.replicas, destroy=True, force_destroy=request.force
        )
        status = 0
        try:
            status = (await self.pass_on("PoolEvict", evict)).status
        except DaosControlError as error:
            if not request.force:
                raise
            log.notice("pool is destroyed by force, users may not have been evicted", pool=pool.uuid, reason=str(error))
        if request.force or status not in {Der.BUSY, Der.NO_SERVICE}:
            await self._decisions.apply(partial(rules.destroying, uuid=pool.uuid, now=self._clock.now()))
        return 0 if request.force else int(status)

    async def _destroy_everywhere(self, uuid: str, request: pool_pb2.PoolDestroyReq) -> int:
        """Destroy a pool on every rank there is: its service may be gone, and ranks it left may hold remains."""
        ranks = group_map(self._system).ranks
        message = pool_pb2.PoolDestroyReq(
            sys=request.sys, id=uuid, force=request.force, recursive=request.recursive, svc_ranks=ranks
        )
        reply = await self._engines(drpc.Mgmt.POOL_DESTROY, message)
        if not reply.status:
            await self._decisions.apply(partial(rules.destroyed, uuid=uuid, ranks=ranks))
            log.info("pool destroyed", pool=uuid)
        return int(reply.status)

    async def _wipe(self, uuid: str) -> None:
        """Mark and destroy what nobody shall use; whoever calls holds the lock."""
        await self._decisions.apply(partial(rules.destroying, uuid=uuid, now=self._clock.now()))
        request = pool_pb2.PoolDestroyReq(sys=self._settings.system_name, id=uuid, force=True, recursive=True)
        status = await self._destroy_everywhere(uuid, request)
        if status:
            raise DaosError(status)

    async def _wipe_or_log(self, uuid: str) -> None:
        try:
            await self._wipe(uuid)
        except DaosControlError as error:
            log.error("left-over pool not destroyed yet", pool=uuid, reason=str(error))

    def look_around(self) -> None:
        """Have what is half made, half destroyed or left over swept away, if there is anything."""
        if self._leftovers():
            self._untidy.set()

    async def keep_tidy(self, retry_s: float) -> None:
        """Sweep whenever there is something to sweep, from the start of a leadership on."""
        while True:
            await self._untidy.wait()
            await sweep(self._data_plane, self._leftovers, self._sweep_one, untidy=self._untidy, retry_s=retry_s)

    def _leftovers(self) -> list[str]:
        system = self._system
        if system.checking:  # engines that run for the checker destroy no pools
            return []
        unfinished = [pool.uuid for pool in system.pools.values() if not pool.ready]
        left = [uuid for uuid in system.remains if rules.remains_in_reach(system, uuid)]
        return [uuid for uuid in (*unfinished, *left) if uuid not in self.locks]

    async def _sweep_one(self, uuid: str) -> None:
        with self.locks.hold(uuid):
            pool = self._system.pools.get(uuid)
            if pool is not None and not pool.ready:
                log.notice(f"pool {uuid} is in unexpected state {pool.state}: destroying it")
                await self._wipe(uuid)
            if ranks := rules.remains_in_reach(self._system, uuid):
                await self._clear(uuid, ranks)

    async def _clear(self, uuid: str, ranks: frozenset[int]) -> None:
        log.notice(f"removing what may be left of destroyed pool {uuid}", ranks=RankSet(ranks))
        request = pool_pb2.PoolDestroyReq(
            sys=self._settings.system_name, id=uuid, force=True, recursive=True, svc_ranks=sorted(ranks)
        )
        reply = await self._engines(drpc.Mgmt.POOL_DESTROY, request)
        if reply.status:
            raise DaosError(reply.status)
        await self._decisions.apply(partial(rules.cleared, uuid=uuid, ranks=ranks))

    # -- the rest --------------------------------------------------------------------------------------------------

    async def replicas_updated(self, event: Event) -> None:
        """Note where a pool's service now is; while something else is done to the pool, that knows better."""
        if not isinstance(event.info, PoolServiceInfo):
            raise Refused(f"event {event.name} without pool service info")
        with self.locks.hold(event.pool_uuid):
            pool = await self._decisions.apply(
                partial(
                    rules.replicas_updated,
                    uuid=event.pool_uuid,
                    replicas=event.info.replicas,
                    now=self._clock.now(),
                )
            )
        if pool is not None:
            log.info(f"pool {pool.label}: service ranks set to {RankSet(pool.replicas)}")

    async def register(self, uuid: str, label: str, replicas: Sequence[int]) -> None:
        """Record a pool that the checker found, or what it found out about one."""
        with self.locks.hold(uuid):
            await self._decisions.apply(
                partial(rules.registered, uuid=uuid, label=label, replicas=replicas, now=self._clock.now())
            )

    async def deregister(self, uuid: str) -> None:
        """Forget a pool that the checker says is not there."""
        with self.locks.hold(uuid):
            rules.find(self._system, uuid)
            await self._decisions.apply(partial(rules.removed, uuid=uuid))

    async def check_unused(self, rank: int) -> None:
        """Refuse to have a rank replaced that pools still use: they would take the new engine for the lost one."""
        using = []
        for pool in self._ready():
            query = pool_pb2.PoolQueryReq(
                sys=self._settings.system_name, id=pool.uuid, query_mask=PoolQuery.ENGINES_ENABLED
            )
            reply = await self.pass_on("PoolQuery", query)
            if reply.status:
                raise DaosError(reply.status)
            if rank in RankSet.parse(reply.enabled_ranks.strip("[]")):
                using.append(pool.label or pool.uuid)
        if using:
            raise FaultCode.SERVER_JOIN_REPLACE_ENABLED_POOL_RANK.fault(rank=rank, pools=",".join(sorted(using)))


def _wish(uuid: str, request: pool_pb2.PoolCreateReq) -> rules.PoolWish:
    labels = [prop.strval for prop in request.properties if prop.number == PoolProperty.LABEL]
    return rules.PoolWish(
        uuid=uuid,
        label=labels[-1] if labels else "",
        ranks=tuple(request.ranks),
        num_ranks=request.num_ranks,
        service_replicas=request.num_svc_reps,
        total_bytes=request.total_bytes,
        tier_ratio=tuple(request.tier_ratio),
        tier_bytes=tuple(request.tier_bytes),
        mem_ratio=request.mem_ratio,
    )
