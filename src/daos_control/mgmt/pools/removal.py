"""The end of pools: asked for by somebody, or because they are half made, half destroyed or left over.

A pool that is to go is marked before engines destroy it, so whoever leads next finishes what was begun. Ranks that are
away then are noted, and asked once they are back.
"""

import asyncio
from functools import partial

from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.mgmt.leader import sweep
from daos_control.mgmt.pools.pool_services import PoolServices
from daos_control.mgmt.pools.surroundings import Surroundings
from daos_control.mgmt.rules import pools as rules
from daos_control.mgmt.rules.group_map import group_map
from daos_control.model.pool import PoolService, PoolState
from daos_control.net.drpc import methods as drpc
from daos_control.wire.pb.mgmt import pool_pb2

log = logs.get(__name__)


class Removal:
    """Destroys pools, and sweeps up after everything that failed half way."""

    def __init__(self, around: Surroundings, services: PoolServices) -> None:
        self._around = around
        self._services = services
        self._untidy = asyncio.Event()

    # -- asked for -------------------------------------------------------------------------------------------------

    async def destroy(self, request: pool_pb2.PoolDestroyReq) -> pool_pb2.PoolDestroyResp:
        """Destroy a pool: evict who uses it, mark it, destroy it on all ranks, forget it."""
        uuid = rules.find(self._around.system, request.id).uuid
        try:
            with self._around.locks.hold(uuid):
                pool = rules.find(self._around.system, uuid)
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
            listed = await self._services.pass_on(drpc.Mgmt.LIST_CONTAINERS, contents)
            if listed.status:
                return int(listed.status)
            if listed.containers:
                raise FaultCode.SERVER_POOL_HAS_CONTAINERS.fault()
        evict = pool_pb2.PoolEvictReq(
            sys=request.sys, id=pool.uuid, svc_ranks=pool.replicas, destroy=True, force_destroy=request.force
        )
        status = 0
        try:
            status = (await self._services.evict(evict)).status
        except DaosControlError as error:
            if not request.force:
                raise
            log.notice("pool is destroyed by force, users may not have been evicted", pool=pool.uuid, reason=str(error))
        if request.force or status not in {Der.BUSY, Der.NO_SERVICE}:
            await self._mark(pool.uuid)
        return 0 if request.force else int(status)

    async def _mark(self, uuid: str) -> None:
        await self._around.decisions.apply(partial(rules.destroying, uuid=uuid, now=self._around.clock.now()))

    async def _destroy_everywhere(self, uuid: str, request: pool_pb2.PoolDestroyReq) -> int:
        """Destroy a pool on every rank there is: its service may be gone, and ranks it left may hold remains."""
        ranks = group_map(self._around.system).ranks
        message = pool_pb2.PoolDestroyReq(
            sys=request.sys, id=uuid, force=request.force, recursive=request.recursive, svc_ranks=ranks
        )
        reply = await self._around.ask_engines(drpc.Mgmt.POOL_DESTROY, message)
        if not reply.status:
            await self._around.decisions.apply(partial(rules.destroyed, uuid=uuid, ranks=ranks))
            log.info("pool destroyed", pool=uuid)
        return int(reply.status)

    # -- swept away ------------------------------------------------------------------------------------------------

    async def wipe(self, uuid: str) -> None:
        """Mark and destroy what nobody shall use; whoever calls holds the lock."""
        await self._mark(uuid)
        request = pool_pb2.PoolDestroyReq(sys=self._around.settings.system_name, id=uuid, force=True, recursive=True)
        status = await self._destroy_everywhere(uuid, request)
        if status:
            raise DaosError(status)

    def look_around(self) -> None:
        """Have what is half made, half destroyed or left over swept away, if there is anything."""
        if self._leftovers():
            self._untidy.set()

    async def keep_tidy(self, retry_s: float) -> None:
        """Sweep whenever there is something to sweep, from the start of a leadership on."""
        while True:
            await self._untidy.wait()
            await sweep(self._around.data_plane, self._leftovers, self._sweep_one, untidy=self._untidy, retry_s=retry_s)

    def _leftovers(self) -> list[str]:
        system = self._around.system
        if system.checking:  # engines that run for the checker destroy no pools
            return []
        left = [uuid for uuid in system.remains if rules.remains_in_reach(system, uuid)]
        return [uuid for uuid in (*sorted(system.unfinished), *left) if uuid not in self._around.locks]

    async def _sweep_one(self, uuid: str) -> None:
        with self._around.locks.hold(uuid):
            pool = self._around.system.pools.get(uuid)
            if pool is not None and not pool.ready:
                log.notice(f"pool {uuid} is in unexpected state {pool.state}: destroying it")
                await self.wipe(uuid)
            if ranks := rules.remains_in_reach(self._around.system, uuid):
                await self._clear(uuid, ranks)

    async def _clear(self, uuid: str, ranks: frozenset[int]) -> None:
        """Remove what ranks have of a pool that is not theirs. Of a pool that is there, only itself knows its ranks."""
        strangers = ranks
        if uuid in self._around.system.pools:
            strangers = ranks - await self._services.ranks_of(uuid)
        if strangers:
            log.notice(f"removing what may be left of pool {uuid}", ranks=RankSet(strangers))
            request = pool_pb2.PoolDestroyReq(
                sys=self._around.settings.system_name,
                id=uuid,
                force=True,
                recursive=True,
                svc_ranks=sorted(strangers),
            )
            reply = await self._around.ask_engines(drpc.Mgmt.POOL_DESTROY, request)
            if reply.status:
                raise DaosError(reply.status)
        await self._around.decisions.apply(partial(rules.cleared, uuid=uuid, ranks=ranks))
