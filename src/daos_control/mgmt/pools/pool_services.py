"""What a pool's own service answers, on its engines: requests that are checked, completed and passed on.

Requests that change a pool take its lock. One that brings a pool to ranks is noted before any engine hears of it: the
share of the pool that a rank may have made is removed again unless the rank really became one of the pool's.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from daos_control.base.errors import DaosError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.pools.surroundings import Surroundings
from daos_control.mgmt.rules import pools as rules
from daos_control.mgmt.system import System
from daos_control.model import self_heal
from daos_control.model.pool import PoolService
from daos_control.model.pool_property import DEFAULT_QUERY, PoolProperty, PoolQuery
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.methods import Method, ReplyT, RequestT
from daos_control.wire.pb.mgmt import pool_pb2

GATHER_S: Final = 0.25
"""How long the evictions of single handles are gathered: agents of a whole cluster may ask for theirs at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOn:
    """How a method goes to the engine that answers it: what is checked and filled in on the way there and back."""

    locked: bool = False
    check: Callable[[System, Any], None] = lambda *_: None
    """What is wrong with a request whichever pool it is about."""
    prepare: Callable[[System, PoolService, Any], None] = lambda *_: None
    finish: Callable[[System, Any, Any], None] = lambda *_: None
    id_field: str = "id"
    adds: Callable[[Any], Collection[int]] | None = None
    """The ranks that a request adds to its pool, if it is of that kind."""


def _known_rank(system: System, request: Any) -> None:
    if request.rank not in system.members:
        raise FaultCode.SERVER_POOL_INVALID_RANKS.fault(ranks=request.rank)


def _as_created(_: System, pool: PoolService, request: Any) -> None:
    del request.tier_bytes[:]
    request.tier_bytes.extend(pool.tier_bytes)
    request.mem_ratio = pool.mem_ratio


def _on_the_tree(system: System, request: pool_pb2.PoolExtendReq) -> None:
    try:
        words = system.tree.words(request.ranks)
    except LookupError as error:
        raise Refused(str(error)) from error
    del request.fault_domains[:]
    request.fault_domains.extend(words)


def _query(_: System, __: PoolService, request: pool_pb2.PoolQueryReq) -> None:
    request.query_mask = request.query_mask or DEFAULT_QUERY


def _queried(system: System, request: pool_pb2.PoolQueryReq, reply: pool_pb2.PoolQueryResp) -> None:
    reply.leader = reply.svc_ldr  # where clients from before 2.6 look
    asked = request.query_mask & PoolQuery.SELF_HEAL_POLICY
    reply.sys_self_heal_policy = system.setting("self_heal") if asked else self_heal.DEFAULT


def _some_properties(_: System, request: Any) -> None:
    if not request.properties:
        raise Refused(f"{type(request).__name__} names no properties")


PASSED_ON: Final[Mapping[Method[Any, Any], PassedOn]] = MappingProxyType(
    {
        drpc.Mgmt.POOL_QUERY: PassedOn(prepare=_query, finish=_queried),
        drpc.Mgmt.POOL_QUERY_TARGETS: PassedOn(),
        drpc.Mgmt.POOL_GET_PROP: PassedOn(check=_some_properties),
        drpc.Mgmt.POOL_GET_ACL: PassedOn(),
        drpc.Mgmt.POOL_OVERWRITE_ACL: PassedOn(locked=True),
        drpc.Mgmt.POOL_UPDATE_ACL: PassedOn(locked=True),
        drpc.Mgmt.POOL_DELETE_ACL: PassedOn(locked=True),
        drpc.Mgmt.POOL_EXCLUDE: PassedOn(locked=True, check=_known_rank),
        drpc.Mgmt.POOL_DRAIN: PassedOn(locked=True, check=_known_rank),
        drpc.Mgmt.POOL_REINT: PassedOn(
            locked=True,
            check=_known_rank,
            prepare=_as_created,
            adds=lambda request: (request.rank,),
        ),
        drpc.Mgmt.POOL_EXTEND: PassedOn(
            locked=True,
            check=_on_the_tree,
            prepare=_as_created,
            adds=lambda request: request.ranks,
        ),
        drpc.Mgmt.POOL_UPGRADE: PassedOn(locked=True),
        drpc.Mgmt.POOL_REBUILD_START: PassedOn(locked=True),
        drpc.Mgmt.POOL_REBUILD_STOP: PassedOn(locked=True),
        drpc.Mgmt.POOL_SELF_HEAL_EVAL: PassedOn(locked=True),
        drpc.Mgmt.LIST_CONTAINERS: PassedOn(),
        drpc.Mgmt.CONT_SET_OWNER: PassedOn(id_field="pool_id"),
    }
)
"""Every method that goes to a pool's service much as it comes."""
_AS_IT_IS: Final = PassedOn()


def _not_while_checking(system: System) -> None:
    """Refuse while the system is checked: there are no pool services then, for what is served nevertheless neither."""
    if system.checking:
        raise FaultCode.SYSTEM_CHECKER_ENABLED.fault()


class PoolServices:
    """The services of all pools, as seen from here. Requests and replies are the protocol's own messages."""

    def __init__(self, around: Surroundings, *, gather_s: float = GATHER_S) -> None:
        self._around = around
        self._gather_s = gather_s
        self._evictions: dict[str, tuple[pool_pb2.PoolEvictReq, asyncio.Future[pool_pb2.PoolEvictResp]]] = {}

    async def pass_on(self, method: Method[RequestT, ReplyT], request: RequestT) -> ReplyT:
        """Send a request to the pool's service; the reply may carry a DER status. The method is one of PASSED_ON."""
        system = self._around.system
        _not_while_checking(system)
        how = PASSED_ON[method]
        how.check(system, request)
        if not how.locked:
            return await self._ask(method, how, request)
        uuid = rules.in_service(system, getattr(request, how.id_field)).uuid
        if how.adds is not None:
            reply: ReplyT = await self._ask_to_add(method, how, request, uuid, tuple(how.adds(request)))
            return reply
        with self._around.locks.hold(uuid):
            return await self._ask(method, how, request)

    async def ranks_of(self, uuid: str, *, enabled_only: bool = False) -> frozenset[int]:
        """Ask a pool for the ranks in its map, whatever their state; raises DaosError or another DaosControlError."""
        mask = PoolQuery.ENGINES_ENABLED | (0 if enabled_only else PoolQuery.ENGINES_DISABLED)
        query = pool_pb2.PoolQueryReq(sys=self._around.settings.system_name, id=uuid, query_mask=mask)
        reply = await self.pass_on(drpc.Mgmt.POOL_QUERY, query)
        if reply.status:
            raise DaosError(reply.status)
        texts = (reply.enabled_ranks, reply.disabled_ranks)
        return frozenset(rank for text in texts for rank in RankSet.parse(text.strip("[]")))

    async def _ask_to_add(
        self, method: Method[Any, Any], how: PassedOn, request: Any, uuid: str, ranks: tuple[int, ...]
    ) -> Any:
        """Note that these ranks may have something of the pool without being the pool's, until they are known to be.

        The pool is free as soon as it has answered: its service may move to a new rank at once, and the news of that
        would be lost while something else is done to the pool.
        """
        decisions = self._around.decisions
        with self._around.locks.hold(uuid):
            await decisions.apply(partial(rules.adding, uuid=uuid, ranks=ranks))
            reply = await self._ask(method, how, request)
        if not reply.status:
            await decisions.apply(partial(rules.cleared, uuid=uuid, ranks=ranks))
        return reply

    async def _ask(self, method: Method[Any, ReplyT], how: PassedOn, request: Any) -> ReplyT:
        system = self._around.system
        pool = rules.in_service(system, getattr(request, how.id_field))
        how.prepare(system, pool, request)
        setattr(request, how.id_field, pool.uuid)
        if not request.svc_ranks:
            request.svc_ranks.extend(rules.service_ranks(system, pool))
        reply = await self._around.ask_engines(method, request)
        how.finish(system, request, reply)
        return reply

    # -- evictions -------------------------------------------------------------------------------------------------

    async def evict(self, request: pool_pb2.PoolEvictReq) -> pool_pb2.PoolEvictResp:
        """Evict all handles of a pool, or single ones together with those that others name within a moment."""
        _not_while_checking(self._around.system)
        if request.handles:
            return await self._evict_together(request)
        return await self._ask(drpc.Mgmt.POOL_EVICT, _AS_IT_IS, request)

    async def _evict_together(self, request: pool_pb2.PoolEvictReq) -> pool_pb2.PoolEvictResp:
        """Add to the handles that are gathered for a pool, or begin to gather; all get one answer."""
        if request.id in self._evictions:
            gathered, outcome = self._evictions[request.id]
            gathered.handles.extend(request.handles)
            return await asyncio.shield(outcome)
        outcome = self._around.begin(self._evict_gathered(request))
        self._evictions[request.id] = (request, outcome)
        outcome.add_done_callback(partial(self._end_gathering, request))
        return await asyncio.shield(outcome)

    async def _evict_gathered(self, request: pool_pb2.PoolEvictReq) -> pool_pb2.PoolEvictResp:
        await asyncio.sleep(self._gather_s)
        self._end_gathering(request)
        return await self._ask(drpc.Mgmt.POOL_EVICT, _AS_IT_IS, request)

    def _end_gathering(self, request: pool_pb2.PoolEvictReq, _: object = None) -> None:
        """Add no more to a request; those that come now gather anew."""
        if request.id in self._evictions and self._evictions[request.id][0] is request:
            del self._evictions[request.id]

    # -- properties ------------------------------------------------------------------------------------------------

    async def set_properties(self, request: pool_pb2.PoolSetPropReq) -> pool_pb2.PoolSetPropResp:
        """Set properties of a pool; the label first and alone, because it is kept in two places."""
        uuid = rules.find(self._around.system, request.id).uuid
        with self._around.locks.hold(uuid):
            _some_properties(self._around.system, request)
            labels = [prop for prop in request.properties if prop.number == PoolProperty.LABEL]
            others = [prop for prop in request.properties if prop.number != PoolProperty.LABEL]
            for prop in labels:
                await self._relabel(uuid, prop, request)
            if not others:
                return pool_pb2.PoolSetPropResp()
            return await self._set_properties(uuid, others, request)

    async def _relabel(self, uuid: str, prop: pool_pb2.PoolProperty, request: pool_pb2.PoolSetPropReq) -> None:
        if not prop.strval:
            raise FaultCode.SERVER_POOL_NO_LABEL.fault()
        rules.check_label(self._around.system, uuid, prop.strval)
        reply = await self._set_properties(uuid, [prop], request)
        if reply.status:
            raise Refused(f"label update failed: {DaosError(reply.status)}")
        now = self._around.clock.now()
        await self._around.decisions.apply(partial(rules.relabelled, uuid=uuid, label=prop.strval, now=now))

    async def _set_properties(
        self, uuid: str, properties: list[pool_pb2.PoolProperty], request: pool_pb2.PoolSetPropReq
    ) -> pool_pb2.PoolSetPropResp:
        message = pool_pb2.PoolSetPropReq(sys=request.sys, id=uuid, properties=properties, svc_ranks=request.svc_ranks)
        return await self._ask(drpc.Mgmt.POOL_SET_PROP, _AS_IT_IS, message)
