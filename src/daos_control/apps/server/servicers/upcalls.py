"""What engines ask of their server, as far as the management service has the answer.

Answers come from what this host knows of the system; a host without a replica knows of no pool, and asks the
service for properties.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from google.protobuf.message import Message

from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import (
    DaosControlError,
    DaosError,
    Fault,
    PoolNotFound,
    Redirect,
    ServiceUnavailable,
)
from daos_control.base.fault_codes import FaultCode
from daos_control.client.errors import ManagementServiceUnreachable, is_connection_error
from daos_control.mgmt.events import Events
from daos_control.mgmt.rules import pools as rules
from daos_control.mgmt.service import Management
from daos_control.model.pool import PoolService
from daos_control.model.pool_property_text import is_label
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcFailure, Status
from daos_control.net.drpc.server import Handler, Peer
from daos_control.wire.convert.events import event_from_pb
from daos_control.wire.pb.mgmt import system_pb2
from daos_control.wire.pb.shared import check_engine_pb2, event_pb2
from daos_control.wire.pb.srv import srv_pb2

log = logs.get(__name__)

AskService = Callable[[str, Message], Awaitable[Any]]
_CHECKER_CANNOT_TAKE_IT: Final = frozenset(
    {FaultCode.SYSTEM_CHECKER_INVALID_MEMBER_STATES, FaultCode.SYSTEM_CHECKER_NOT_ENABLED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcalls:
    """Answers engines. ``ask_service`` calls a method, by name, of the management service wherever it is."""

    management: Management
    events: Events
    ask_service: AskService

    def handlers(self) -> Mapping[drpc.Method[Any, Any], Handler]:
        """Return the handlers, by method."""
        return {
            drpc.Srv.GET_POOL_SVC: self._get_pool_service,
            drpc.Srv.POOL_FIND_BYLABEL: self._find_by_label,
            drpc.Srv.LIST_POOLS: self._list_pools,
            drpc.Srv.GET_SYS_PROPS: self._get_properties,
            drpc.Srv.CLUSTER_EVENT: self._cluster_event,
            drpc.Srv.CHK_LIST_POOL: self._checker_lists_pools,
            drpc.Srv.CHK_REG_POOL: self._checker_registers,
            drpc.Srv.CHK_DEREG_POOL: self._checker_deregisters,
            drpc.Srv.CHK_REPORT: self._checker_reports,
        }

    async def _get_pool_service(self, request: srv_pb2.GetPoolSvcReq, _: Peer) -> srv_pb2.GetPoolSvcResp:
        uuid = rules.uuid_of(request.uuid)
        if uuid is None:
            raise DrpcFailure(Status.FAILURE, f"invalid pool uuid {request.uuid!r}")
        pool = self._in_service(partial(rules.find, pool_id=uuid))
        if pool is None:
            return srv_pb2.GetPoolSvcResp(status=Der.NONEXIST)
        return srv_pb2.GetPoolSvcResp(svcreps=pool.replicas)

    async def _find_by_label(self, request: srv_pb2.PoolFindByLabelReq, _: Peer) -> srv_pb2.PoolFindByLabelResp:
        pool = self._in_service(partial(rules.by_label, label=request.label))
        if pool is None:
            return srv_pb2.PoolFindByLabelResp(status=Der.NONEXIST)
        return srv_pb2.PoolFindByLabelResp(uuid=pool.uuid, svcreps=pool.replicas)

    def _in_service(self, find: Callable[..., PoolService]) -> PoolService | None:
        try:
            pool = find(self.management.system)
        except PoolNotFound:
            return None
        return pool if pool.ready else None

    async def _list_pools(self, request: srv_pb2.ListPoolsReq, _: Peer) -> srv_pb2.ListPoolsResp:
        self._check_replica()
        reply = srv_pb2.ListPoolsResp()
        for pool in self.management.system.pools.values():
            if pool.ready or request.include_all:
                reply.pools.add(uuid=pool.uuid, label=pool.label, svcreps=pool.replicas)
        return reply

    def _check_replica(self) -> None:
        try:
            self.management.check_replica()
        except DaosControlError as error:
            raise DrpcFailure(Status.FAILURE, str(error)) from error

    async def _get_properties(self, request: system_pb2.SystemGetPropReq, _: Peer) -> system_pb2.SystemGetPropResp:
        try:
            if self.management.settings.address is None:
                found_elsewhere: system_pb2.SystemGetPropResp = await self.ask_service("SystemGetProp", request)
                return found_elsewhere
            self.management.check_system_name(request.sys)
            self.management.check_replica()
            found = self.management.get_properties(request.keys)
        except DaosControlError as error:
            raise DrpcFailure(Status.FAILURE, str(error)) from error
        return system_pb2.SystemGetPropResp(properties=found)

    async def _cluster_event(self, request: event_pb2.ClusterEventReq, _: Peer) -> event_pb2.ClusterEventResp:
        if not request.HasField("event"):
            raise DrpcFailure(Status.FAILURE, "an event without an event in it")
        await self.events.publish(event_from_pb(request.event, forwarded=False))
        return event_pb2.ClusterEventResp(sequence=request.sequence)

    async def _checker_lists_pools(
        self, _: check_engine_pb2.CheckListPoolReq, __: Peer
    ) -> check_engine_pb2.CheckListPoolResp:
        try:
            self.management.check_replica()
        except DaosControlError as error:
            log.error("the checker cannot list pools", reason=str(error))
            return check_engine_pb2.CheckListPoolResp(status=Der.MISC)
        reply = check_engine_pb2.CheckListPoolResp()
        for pool in self.management.system.pools.values():
            reply.pools.add(uuid=pool.uuid, label=pool.label, svcreps=pool.replicas)
        return reply

    async def _checker_registers(
        self, request: check_engine_pb2.CheckRegPoolReq, _: Peer
    ) -> check_engine_pb2.CheckRegPoolResp:
        uuid = rules.uuid_of(request.uuid)
        if uuid is None or not is_label(request.label) or not request.svcreps:
            return check_engine_pb2.CheckRegPoolResp(status=Der.INVAL)
        status = await self._change(uuid, self.management.pools.register, request.label, tuple(request.svcreps))
        return check_engine_pb2.CheckRegPoolResp(status=status)

    async def _checker_deregisters(
        self, request: check_engine_pb2.CheckDeregPoolReq, _: Peer
    ) -> check_engine_pb2.CheckDeregPoolResp:
        uuid = rules.uuid_of(request.uuid)
        if uuid is None:
            return check_engine_pb2.CheckDeregPoolResp(status=Der.INVAL)
        status = await self._change(uuid, self.management.pools.deregister)
        return check_engine_pb2.CheckDeregPoolResp(status=status)

    async def _checker_reports(
        self, request: check_engine_pb2.CheckReportReq, _: Peer
    ) -> check_engine_pb2.CheckReportResp:
        try:
            await self.ask_service("SystemCheckEngineReport", request)
        except DaosControlError as error:
            log.error("the checker's report was not taken", reason=str(error))
            return check_engine_pb2.CheckReportResp(status=_status_of(error))
        return check_engine_pb2.CheckReportResp()

    async def _change(self, uuid: str, change: Callable[..., Awaitable[None]], *facts: object) -> int:
        """Change a pool's record for the checker, which understands numbers only."""
        try:
            await self.management.check_leader()
            await change(uuid, *facts)
        except DaosError as error:
            return error.status
        except PoolNotFound:
            return Der.NONEXIST
        except DaosControlError as error:
            log.error("the checker's change of a pool's record was refused", pool=uuid, reason=str(error))
            return Der.MISC
        return 0


def _status_of(error: DaosControlError) -> int:
    """Put an error into a number, for a checker that decides by it whether to report again."""
    match error:
        case DaosError():
            return error.status
        case Fault() if error.code in _CHECKER_CANNOT_TAKE_IT:
            return Der.NOTAPPLICABLE
        case Redirect() | ServiceUnavailable():
            return Der.AGAIN
        case ManagementServiceUnreachable():
            return Der.UNREACH
        case _:
            return Der.UNREACH if is_connection_error(error) else Der.MISC
