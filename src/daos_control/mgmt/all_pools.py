"""What is asked of all pools together: ranks drained or brought back everywhere, rebuilds, self-healing, evictions.

Each pool is asked as its own request would ask it, several at once, and answers for itself: one that fails takes
nothing from the others. What an engine says is only for now (the pool is busy, the group map is about to change) is
asked again until the time is up.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from daos_control.base import logs
from daos_control.base.aio import map_bounded
from daos_control.base.clock import Clock
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError
from daos_control.base.rankset import RankSet
from daos_control.base.units import counted
from daos_control.base.version import DAOS_VERSION
from daos_control.mgmt.decisions import Decisions
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.pools.every import Pools
from daos_control.mgmt.ports import DataPlane, Settings
from daos_control.mgmt.ranks import Limit, no_limit
from daos_control.mgmt.rules import membership
from daos_control.model.pool import PoolService
from daos_control.model.pool_property import PoolQuery
from daos_control.model.pool_retry import passes_by_itself
from daos_control.model.system_property import SystemProperty
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcError
from daos_control.net.drpc.methods import Method, ReplyT
from daos_control.wire.pb.mgmt import pool_pb2, svc_pb2, system_pb2
from daos_control.wire.pb.shared import ranks_pb2

log = logs.get(__name__)

MessageT = TypeVar("MessageT", bound=Message)

AT_ONCE: Final = 16
"""Pools that are asked at once."""
PAUSE_S: Final = 0.25
LONGEST_PAUSE_S: Final = 4.0


@dataclass(frozen=True, slots=True)
class _Share:
    """The ranks of a pool that something is to be done to, or why they are not known."""

    pool: PoolService
    ranks: tuple[int, ...] = ()
    problem: str = ""


class AllPools:
    """Every pool that is in service. Requests and replies are the protocol's own messages."""

    def __init__(
        self,
        *,
        decisions: Decisions,
        pools: Pools,
        data_plane: DataPlane,
        settings: Settings,
        clock: Clock,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._decisions = decisions
        self._pools = pools
        self._data_plane = data_plane
        self._settings = settings
        self._sys = f"{settings.system_name}-{DAOS_VERSION}"  # as a client writes it
        self._clock = clock
        self._pause_s = pause_s

    # -- ranks -----------------------------------------------------------------------------------------------------

    async def drain(
        self, request: system_pb2.SystemDrainReq, ranks: frozenset[int], *, limit: Limit = no_limit
    ) -> system_pb2.SystemDrainResp:
        """Drain ranks of every pool that uses them; or bring them back, where pools do without them."""
        find = partial(self._share, request=request, ranks=ranks, limit=limit)
        shares = [share for share in await self._of_each(find) if share.ranks]
        if not shares:
            raise Refused("no pool-ranks found to operate on with request params")
        act = partial(self._drain_share, request=request, limit=limit)
        return system_pb2.SystemDrainResp(reint=request.reint, responses=await map_bounded(AT_ONCE, act, shares))

    async def _share(
        self, pool: PoolService, *, request: system_pb2.SystemDrainReq, ranks: frozenset[int], limit: Limit
    ) -> _Share:
        """Ask the pool itself: the record of where it was made may be long out of date."""
        mask = PoolQuery.ENGINES_DISABLED if request.reint else PoolQuery.ENGINES_ENABLED
        query = pool_pb2.PoolQueryReq(sys=self._settings.system_name, id=pool.uuid, query_mask=mask)
        try:
            reply = await self._until_settled(partial(self._pass_on, drpc.Mgmt.POOL_QUERY, query), lambda: limit() / 4)
        except DaosControlError as error:
            # Who knows whether these ranks are the pool's? Nobody should believe that they are drained.
            return _Share(pool, tuple(sorted(ranks)), f"query on pool failed: {error}")
        its = RankSet.parse((reply.disabled_ranks if request.reint else reply.enabled_ranks).strip("[]"))
        return _Share(pool, tuple(rank for rank in its if rank in ranks))

    async def _drain_share(
        self, share: _Share, *, request: system_pb2.SystemDrainReq, limit: Limit
    ) -> system_pb2.PoolRanksResp:
        """Go through the ranks of one pool, one after another: each changes the pool's map."""
        reply = system_pb2.PoolRanksResp(id=_name(share.pool))
        for rank in share.ranks:
            problem = share.problem or await self._problem_draining(share.pool, rank, request, limit)
            reply.results.append(ranks_pb2.RankResult(rank=rank, errored=bool(problem), msg=problem))
        return reply

    async def _problem_draining(
        self, pool: PoolService, rank: int, request: system_pb2.SystemDrainReq, limit: Limit
    ) -> str:
        if request.reint:
            reint = pool_pb2.PoolReintReq(sys=self._sys, id=pool.uuid, rank=rank)
            return await self._problem(drpc.Mgmt.POOL_REINT, reint, limit)
        drain = pool_pb2.PoolDrainReq(sys=self._sys, id=pool.uuid, rank=rank)
        return await self._problem(drpc.Mgmt.POOL_DRAIN, drain, limit)

    # -- rebuilds and self-healing ---------------------------------------------------------------------------------

    async def manage_rebuilds(
        self, request: system_pb2.SystemRebuildManageReq, *, limit: Limit = no_limit
    ) -> system_pb2.SystemRebuildManageResp:
        """Start or stop the rebuilds of all pools."""

        async def one(pool: PoolService) -> system_pb2.PoolRebuildManageResult:
            problem = await self._problem_with_rebuild(pool, request, limit)
            return system_pb2.PoolRebuildManageResult(
                id=_name(pool), op_code=request.op_code, errored=bool(problem), msg=problem
            )

        return system_pb2.SystemRebuildManageResp(results=await self._of_each(one))

    async def _problem_with_rebuild(
        self, pool: PoolService, request: system_pb2.SystemRebuildManageReq, limit: Limit
    ) -> str:
        match request.op_code, request.force:
            case 1, True:  # START
                return "force flag not supported with pool-rebuild opcode start"
            case 1, False:
                start = pool_pb2.PoolRebuildStartReq(sys=self._sys, id=pool.uuid)
                problem = await self._problem(drpc.Mgmt.POOL_REBUILD_START, start, limit)
                return problem and f"pool-rebuild start failed: {problem}"
            case 2, force:  # STOP
                stop = pool_pb2.PoolRebuildStopReq(sys=self._sys, id=pool.uuid, force=force)
                problem = await self._problem(drpc.Mgmt.POOL_REBUILD_STOP, stop, limit)
                return problem and f"pool-rebuild stop failed: {problem}"
            case code, _:
                return f"invalid pool-rebuild opcode {code}"

    async def evaluate_self_heal(self, *, limit: Limit = no_limit) -> None:
        """Look again at what the ``self_heal`` property wants: it may have changed since ranks died."""
        policy = self._decisions.system.setting("self_heal")
        flags = policy.split(";")
        if "exclude" in flags:
            await self._exclude_dead(limit)
        if "pool_exclude" in flags or "pool_rebuild" in flags:
            await self._tell_policy(policy, limit)

    async def _exclude_dead(self, limit: Limit) -> None:
        """Exclude the ranks that the engines hold for dead."""
        try:
            reply = await self._data_plane.call(
                drpc.Mgmt.GROUP_STATUS_GET, svc_pb2.GetGroupStatusReq(), timeout_s=limit()
            )
        except DrpcError as error:
            raise Refused(f"excluding ranks based on self_heal.exclude: {error}") from error
        if reply.status:
            raise DaosError(reply.status)
        moves = await self._decisions.apply(
            partial(membership.ranks_dead, ranks=tuple(reply.dead_ranks), now=self._clock.now())
        )
        if moves:
            log.notice("ranks that are dead are excluded now", ranks=RankSet(move.member.rank for move in moves))

    async def _tell_policy(self, policy: str, limit: Limit) -> None:
        async def one(pool: PoolService) -> str:
            told = pool_pb2.PoolSelfHealEvalReq(sys=self._sys, id=pool.uuid, sys_prop_val=policy)
            if problem := await self._problem(drpc.Mgmt.POOL_SELF_HEAL_EVAL, told, limit):
                log.error("pool cannot look at self-healing again", pool=_name(pool), reason=problem)
                return _name(pool)
            return ""

        if failed := [name for name in await self._of_each(one) if name]:
            raise Refused(
                f'notify pool services of self_heal="{policy}": pool self-heal evaluate drpc failed for '
                f"{counted(len(failed), 'pool')} ({', '.join(failed)}), check server log"
            )

    # -- users and properties --------------------------------------------------------------------------------------

    async def clean_up(
        self, request: system_pb2.SystemCleanupReq, *, limit: Limit = no_limit
    ) -> system_pb2.SystemCleanupResp:
        """Evict all that a client machine has open anywhere."""
        if not request.machine:
            raise Refused("SystemCleanup names no machine")

        async def one(pool: PoolService) -> system_pb2.SystemCleanupResp.CleanupResult:
            result = system_pb2.SystemCleanupResp.CleanupResult(pool_id=pool.uuid)
            evict = pool_pb2.PoolEvictReq(
                sys=request.sys, id=pool.uuid, svc_ranks=pool.replicas, machine=request.machine
            )
            try:
                async with asyncio.timeout(limit()):
                    reply = await self._pools.evict(evict)
            except (DaosControlError, TimeoutError) as error:
                result.status, reason = int(Der.MISC), _words(error)
            else:
                result.status, result.count = reply.status, reply.count
                reason = str(DaosError(reply.status)) if reply.status else ""
            if reason:
                result.msg = f"handles of {request.machine} on pool {pool.uuid} not cleaned up: {reason}"
            return result

        return system_pb2.SystemCleanupResp(results=await self._of_each(one))

    async def spread(self, properties: Iterable[SystemProperty], *, limit: Limit = no_limit) -> None:
        """Give pools that are there already the properties that new ones will have."""
        numbered = [
            pool_pb2.PoolProperty(
                number=prop.pool_property, numval=prop.pool_value(self._decisions.system.setting(prop.name))
            )
            for prop in properties
            if prop.pool_property is not None
        ]
        if not numbered:
            return

        async def one(pool: PoolService) -> str:
            message = pool_pb2.PoolSetPropReq(
                sys=self._settings.system_name, id=pool.uuid, properties=numbered, svc_ranks=pool.replicas
            )
            problem = await self._patiently(partial(self._pools.set_properties, message), limit)
            return problem and f"{_name(pool)}: {problem}"

        if failed := [text for text in await self._of_each(one) if text]:
            raise Refused(
                "the property is set, but these pools did not take it (set it again to try again): " + "; ".join(failed)
            )

    # -- asking ----------------------------------------------------------------------------------------------------

    async def _of_each(self, ask: Callable[[PoolService], Awaitable[Any]]) -> Sequence[Any]:
        """Ask all pools in service, by name."""
        ready = [pool for pool in self._decisions.system.pools.values() if pool.ready]
        return await map_bounded(AT_ONCE, ask, sorted(ready, key=_name))

    async def _problem(self, method: Method[MessageT, Any], request: MessageT, limit: Limit) -> str:
        """Say what keeps a pool from doing as asked; nothing if it did."""
        return await self._patiently(partial(self._pass_on, method, request), limit)

    async def _patiently(self, ask: Callable[[], Awaitable[Any]], limit: Limit) -> str:
        try:
            await self._until_settled(ask, limit)
        except DaosControlError as error:
            return str(error)
        return ""

    async def _pass_on(self, method: Method[MessageT, ReplyT], request: MessageT) -> ReplyT:
        """Pass a copy on, because it is filled in on the way, and perhaps otherwise the next time."""
        fresh = type(request)()
        fresh.CopyFrom(request)
        return await self._pools.pass_on(method, fresh)

    async def _until_settled(self, ask: Callable[[], Awaitable[Any]], limit: Limit) -> Any:
        """Return the reply; raises what a pool says when it says so for good, or when the time is up."""
        pause_s = self._pause_s
        problem: DaosControlError = Refused("no answer in the time allowed")
        try:
            async with asyncio.timeout(limit()):
                while True:
                    try:
                        reply = await ask()
                    except DaosControlError as error:
                        problem = error
                    else:
                        if not reply.status:
                            return reply
                        problem = DaosError(reply.status)
                    if not passes_by_itself(problem):
                        raise problem
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        except TimeoutError:
            raise problem from None


def _name(pool: PoolService) -> str:
    return pool.label or pool.uuid


def _words(error: BaseException) -> str:
    return str(error) or "no answer in the time allowed"
