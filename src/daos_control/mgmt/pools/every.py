"""Everything that can be done to pools, and what others find out about them."""

import random
from collections.abc import Sequence
from functools import partial

from daos_control.base import logs
from daos_control.base.clock import Clock
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.mgmt.decisions import Decisions
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.pools.creation import Creation
from daos_control.mgmt.pools.pool_services import GATHER_S, PASSED_ON, PoolServices
from daos_control.mgmt.pools.removal import Removal
from daos_control.mgmt.pools.surroundings import Locks, Surroundings
from daos_control.mgmt.ports import DataPlane, Settings
from daos_control.mgmt.rules import pools as rules
from daos_control.model.event import Event, PoolServiceInfo
from daos_control.model.pool import PoolState
from daos_control.net.drpc.methods import Method, ReplyT, RequestT

log = logs.get(__name__)


def choose_at_random(ranks: Sequence[int], number: int) -> list[int]:
    """Pick so many ranks, so that pools of less than the whole system spread over it."""
    return random.SystemRandom().sample(list(ranks), number)


class Pools:
    """All pools of the system. Requests and replies are the protocol's own messages."""

    def __init__(
        self,
        *,
        decisions: Decisions,
        data_plane: DataPlane,
        settings: Settings,
        clock: Clock,
        choose: rules.Choose = choose_at_random,
        gather_s: float = GATHER_S,
    ) -> None:
        self.locks = Locks(clock)
        around = Surroundings(
            decisions=decisions, data_plane=data_plane, settings=settings, clock=clock, locks=self.locks
        )
        self._around = around
        self._services = PoolServices(around, gather_s=gather_s)
        self._removal = Removal(around, self._services)
        self.set_properties = self._services.set_properties
        self.evict = self._services.evict
        self.create = Creation(around, self._services, self._removal, choose=choose).create
        self.destroy = self._removal.destroy
        self.look_around = self._removal.look_around
        self.keep_tidy = self._removal.keep_tidy

    async def pass_on(self, method: Method[RequestT, ReplyT], request: RequestT) -> ReplyT:
        """Send a request to the pool's service; the reply may carry a DER status."""
        try:
            return await self._services.pass_on(method, request)
        finally:
            if PASSED_ON[method].adds is not None:
                self.look_around()  # ranks may have been given something that the pool did not take

    async def replicas_updated(self, event: Event) -> None:
        """Note where a pool's service now is; while something else is done to the pool, that knows better."""
        if not isinstance(event.info, PoolServiceInfo):
            raise Refused(f"event {event.name} without pool service info")
        known = self._around.system.pools.get(event.pool_uuid)
        if known is not None and known.state is PoolState.CREATING and known.uuid in self.locks:
            return  # every new service tells where it is, and whoever makes the pool is about to be told
        with self.locks.hold(event.pool_uuid):
            pool = await self._around.decisions.apply(
                partial(
                    rules.replicas_updated,
                    uuid=event.pool_uuid,
                    replicas=event.info.replicas,
                    now=self._around.clock.now(),
                )
            )
        if pool is not None:
            log.info(f"pool {pool.label}: service ranks set to {RankSet(pool.replicas)}")

    async def register(self, uuid: str, label: str, replicas: Sequence[int]) -> None:
        """Record a pool that the checker found, or what it found out about one."""
        with self.locks.hold(uuid):
            await self._around.decisions.apply(
                partial(rules.registered, uuid=uuid, label=label, replicas=replicas, now=self._around.clock.now())
            )

    async def deregister(self, uuid: str) -> None:
        """Forget a pool that the checker says is not there."""
        with self.locks.hold(uuid):
            rules.find(self._around.system, uuid)
            await self._around.decisions.apply(partial(rules.removed, uuid=uuid))

    async def check_unused(self, rank: int) -> None:
        """Refuse to have a rank replaced that pools still use: they would take the new engine for the lost one."""
        ready = [pool for pool in self._around.system.pools.values() if pool.ready]
        ranks = {pool: await self._services.ranks_of(pool.uuid, enabled_only=True) for pool in ready}
        using = sorted(pool.label or pool.uuid for pool in ready if rank in ranks[pool])
        if using:
            raise FaultCode.SERVER_JOIN_REPLACE_ENABLED_POOL_RANK.fault(rank=rank, pools=",".join(using))
