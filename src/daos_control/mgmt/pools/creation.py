"""The making of pools, one after another.

A pool is recorded as being created before any engine hears of it, and as ready before its creator is answered; what
fails in between is cleaned up, now or later. A pool's uuid makes that all safe to ask for again.
"""

import asyncio
from functools import partial

from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError
from daos_control.base.rankset import RankSet
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.leader import nobody_asked
from daos_control.mgmt.pools.pool_services import PoolServices
from daos_control.mgmt.pools.removal import Removal
from daos_control.mgmt.pools.surroundings import Surroundings
from daos_control.mgmt.rules import pools as rules
from daos_control.mgmt.rules.membership import canonical_uuid
from daos_control.model.pool import PoolService
from daos_control.model.pool_property import PoolProperty
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcError
from daos_control.wire.pb.mgmt import pool_pb2

log = logs.get(__name__)


class Creation:
    """Makes pools. Asking twice for the same uuid makes one pool, and both callers hear of it."""

    def __init__(self, around: Surroundings, services: PoolServices, removal: Removal, *, choose: rules.Choose) -> None:
        self._around = around
        self._services = services
        self._removal = removal
        self._choose = choose
        self._one_at_a_time = asyncio.Lock()
        self._under_way: dict[str, asyncio.Future[pool_pb2.PoolCreateResp]] = {}

    async def create(self, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        """Create a pool. That goes on when its caller goes away: a retry then finds the pool, or waits for it."""
        uuid = canonical_uuid(request.uuid)
        outcome = self._under_way.get(uuid)
        if outcome is None:
            outcome = self._around.begin(self._take_turn(uuid, request))
            outcome.add_done_callback(partial(self._ended, uuid))
            self._under_way[uuid] = outcome
        return await asyncio.shield(outcome)

    def _ended(self, uuid: str, outcome: "asyncio.Future[pool_pb2.PoolCreateResp]") -> None:
        del self._under_way[uuid]
        if not outcome.cancelled() and outcome.exception() is not None:
            log.debug("pool not created", pool=uuid, reason=str(outcome.exception()))

    async def _take_turn(self, uuid: str, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        try:
            async with self._one_at_a_time:
                with self._around.locks.hold(uuid):
                    return await self._create(uuid, request)
        finally:
            self._removal.look_around()

    async def _create(self, uuid: str, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        known = self._around.system.pools.get(uuid)
        if known is not None and known.ready:
            return await self._created_before(known, request)
        if known is not None:
            await self._wipe_or_log(uuid)
            return pool_pb2.PoolCreateResp(status=Der.AGAIN)
        plan = await self._around.decisions.apply(
            partial(
                rules.plan,
                wish=_wish(uuid, request),
                storage=self._around.settings.storage,
                choose=self._choose,
                now=self._around.clock.now(),
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
        pool, decisions = plan.pool, self._around.decisions
        message = self._message(plan, request)
        reply: pool_pb2.PoolCreateResp = await self._around.data_plane.call(drpc.Mgmt.POOL_CREATE, message)
        if reply.status:
            await decisions.apply(partial(rules.not_created, uuid=pool.uuid))
            log.info("pool not created", pool=pool.uuid, label=pool.label, reason=str(DaosError(reply.status)))
            return reply
        now = self._around.clock.now()
        await decisions.apply(partial(rules.created, uuid=pool.uuid, replicas=reply.svc_reps, now=now))
        log.info("pool created", pool=pool.uuid, label=pool.label, ranks=RankSet(pool.ranks))
        return reply

    def _message(self, plan: rules.PoolPlan, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateReq:
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
        for number, value in rules.inherited_properties(self._around.system, given):
            message.properties.add(number=number, numval=value)
        return message

    async def _created_before(self, pool: PoolService, request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        query = pool_pb2.PoolQueryReq(sys=request.sys, id=pool.uuid)
        reply = await self._services.pass_on(drpc.Mgmt.POOL_QUERY, query)
        if reply.status:
            return pool_pb2.PoolCreateResp(status=reply.status)
        return pool_pb2.PoolCreateResp(
            svc_ldr=reply.svc_ldr, svc_reps=pool.replicas, tgt_ranks=pool.ranks, tier_bytes=pool.tier_bytes
        )

    async def _undo(self, uuid: str, *, asked: bool) -> None:
        """Forget a pool that no engine has heard of; destroy one that they may have made."""
        try:
            if asked:
                await self._removal.wipe(uuid)
            else:
                await self._around.decisions.apply(partial(rules.removed, uuid=uuid))
        except (DaosControlError, DrpcError) as error:
            log.error("pool could not be cleaned up; will be tried again", pool=uuid, reason=str(error))

    async def _wipe_or_log(self, uuid: str) -> None:
        try:
            await self._removal.wipe(uuid)
        except DaosControlError as error:
            log.error("left-over pool not destroyed yet", pool=uuid, reason=str(error))


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
