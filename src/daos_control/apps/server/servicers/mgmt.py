"""``mgmt.MgmtSvc``: every method of the management service that is there, behind its gates.

A request passes, in this order: the checker (while the system is being checked only some methods are served), the
system's name, and then what its method needs: a replica, or the leader. Only then does its handler see it.

Methods that are not in the table are answered UNIMPLEMENTED; ``NOT_SERVED`` says which and why.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from daos_control.base.errors import RaftUnavailable
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt import causes
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.ranks import LONGEST_S, Limit
from daos_control.mgmt.rules.membership import JoinRequest
from daos_control.mgmt.rules.properties import get_attributes
from daos_control.mgmt.service import Management
from daos_control.model.journal import Cause, Origin
from daos_control.model.member_state import ALL_STATES, MemberState, states_in
from daos_control.net.drpc import methods as drpc
from daos_control.net.rpc.handlers import Caller, Handler, Handlers, Reply
from daos_control.net.rpc.methods import MGMT
from daos_control.wire.convert.events import event_from_pb
from daos_control.wire.convert.members import member_to_pb
from daos_control.wire.pb.mgmt import check_pb2, pool_pb2, svc_pb2, system_pb2
from daos_control.wire.pb.shared import check_engine_pb2, event_pb2


class Gate(Enum):
    """Who may answer."""

    ANY_REPLICA_EVEN_EMPTY = 1
    REPLICA = 2
    """What a replica answers may be a moment old."""
    LEADER = 3


Answer: TypeAlias = Callable[[Management, Any, Caller], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Served:
    """A method and its gates."""

    answer: Answer
    gate: Gate
    while_checking: bool = False


NOT_SERVED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "FaultInjectReport": "only in fault-injection builds of DAOS",
        "FaultInjectPoolFault": "only in fault-injection builds of DAOS",
        "FaultInjectMgmtPoolFault": "only in fault-injection builds of DAOS",
    }
)
"""Methods that a server like this one never answers, and why."""


def mgmt_handlers(management: Management) -> Handlers:
    """Return the handlers of the service, by full method path."""
    return {MGMT[name].path: _gated(management, name, served) for name, served in SERVED.items()}


def _gated(management: Management, name: str, served: Served) -> Handler:
    async def handle(request: Any, caller: Caller) -> Reply:
        await admit(management, served, request)
        with causes.because(Cause(origin=Origin.COMMAND, what=name, source=caller.address)):
            return await served.answer(management, request, caller)

    return handle


async def admit(management: Management, served: Served, request: Any) -> None:
    """Let a request pass the gates of its method, or raise what its caller must know."""
    if management.system.checking and not served.while_checking:
        raise FaultCode.SYSTEM_CHECKER_ENABLED.fault()
    if "sys" in request.DESCRIPTOR.fields_by_name:
        management.check_system_name(request.sys)
    match served.gate:
        case Gate.ANY_REPLICA_EVEN_EMPTY:
            management.check_has_replica()
        case Gate.REPLICA:
            management.check_replica()
        case Gate.LEADER:
            await management.check_leader()


# -- members ---------------------------------------------------------------------------------------------------------


async def _join(management: Management, request: svc_pb2.JoinReq, caller: Caller) -> Reply:
    joined, local = await management.join(join_request(request, caller))
    return svc_pb2.JoinResp(
        rank=joined.member.rank,
        state=svc_pb2.JoinResp.CHECK if joined.checking else svc_pb2.JoinResp.IN,
        map_version=joined.map_version,
        localJoin=local,
    )


def join_request(request: svc_pb2.JoinReq, caller: Caller) -> JoinRequest:
    """Read a join request; a server that does not know its own address is where its call comes from."""
    host, _, port = request.addr.rpartition(":")
    if host == "0.0.0.0":
        host = caller.address.rpartition(":")[0]
    return JoinRequest(
        uuid=request.uuid,
        rank=request.rank,
        addr=f"{host}:{port}",
        uri=request.uri,
        contexts=request.nctxs,
        secondary_uris=tuple(request.secondary_uris),
        secondary_contexts=tuple(request.secondary_nctxs),
        fault_domain=request.srvFaultDomain,
        index=request.idx,
        incarnation=request.incarnation,
        check_mode=request.check_mode,
        replace=request.replace,
    )


async def _cluster_event(management: Management, request: event_pb2.ClusterEventReq, caller: Caller) -> Reply:
    if not request.HasField("event"):
        raise Refused("nil event in request")
    event = event_from_pb(request.event, forwarded=True)
    await management.reactions.on_event(event, caller.address.rpartition(":")[0])
    return event_pb2.ClusterEventResp(sequence=request.sequence)


async def _leader_query(management: Management, _: svc_pb2.LeaderQueryReq, __: Caller) -> Reply:
    return svc_pb2.LeaderQueryResp(current_leader=management.leader, replicas=management.settings.replicas)


async def _attach_info(management: Management, request: svc_pb2.GetAttachInfoReq, _: Caller) -> Reply:
    return management.attach_info(all_ranks=request.all_ranks)


async def _system_query(management: Management, request: system_pb2.SystemQueryReq, _: Caller) -> Reply:
    selection = await management.ranks.select(ranks=request.ranks, hosts=request.hosts)
    system = management.system
    reply = system_pb2.SystemQueryResp(
        absentranks=selection.absent_ranks,
        absenthosts=selection.absent_hosts,
        sys_self_heal_policy=system.setting("self_heal"),
    )
    if not selection.ranks:
        if not selection.explicit:
            raise RaftUnavailable  # no member at all: so says a replica that has yet to hear of any
        return reply
    wanted = states_in(request.state_mask or ALL_STATES) - {MemberState.UNKNOWN}
    members = (system.members[rank] for rank in sorted(selection.ranks) if rank in system.members)
    reply.members.extend(member_to_pb(member) for member in members if member.state in wanted)
    reply.providers.extend(management.settings.providers)
    reply.data_version = management.data_version
    return reply


def _limit(caller: Caller) -> Limit:
    """Return what tells, at any time, how long the caller's request may still take."""
    return partial(caller.time_to_answer_s, at_most=LONGEST_S)


async def _stop(management: Management, request: system_pb2.SystemStopReq, caller: Caller) -> Reply:
    return await management.ranks.stop(request, limit=_limit(caller))


async def _start(management: Management, request: system_pb2.SystemStartReq, caller: Caller) -> Reply:
    return await management.ranks.start(request, limit=_limit(caller))


async def _exclude(management: Management, request: system_pb2.SystemExcludeReq, _: Caller) -> Reply:
    return await management.ranks.exclude(request)


async def _drain(management: Management, request: system_pb2.SystemDrainReq, caller: Caller) -> Reply:
    ranks = await management.ranks.in_service(ranks=request.ranks, hosts=request.hosts)
    return await management.all_pools.drain(request, ranks, limit=_limit(caller))


async def _manage_rebuilds(management: Management, request: system_pb2.SystemRebuildManageReq, caller: Caller) -> Reply:
    return await management.all_pools.manage_rebuilds(request, limit=_limit(caller))


async def _evaluate_self_heal(management: Management, _: system_pb2.SystemSelfHealEvalReq, caller: Caller) -> Reply:
    await management.all_pools.evaluate_self_heal(limit=_limit(caller))
    return svc_pb2.DaosResp()


async def _erase(management: Management, _: system_pb2.SystemEraseReq, caller: Caller) -> Reply:
    if not management.leading:
        return await management.erasure.follow()
    return await management.erasure.lead(limit=_limit(caller))


# -- the checker -----------------------------------------------------------------------------------------------------


async def _check_enable(management: Management, request: check_pb2.CheckEnableReq, caller: Caller) -> Reply:
    return await management.checker.enable(request, limit=_limit(caller))


async def _check_disable(management: Management, request: check_pb2.CheckDisableReq, caller: Caller) -> Reply:
    return await management.checker.disable(request, limit=_limit(caller))


async def _check_start(management: Management, request: check_pb2.CheckStartReq, _: Caller) -> Reply:
    return await management.checker.start(request)


async def _check_stop(management: Management, request: check_pb2.CheckStopReq, _: Caller) -> Reply:
    return await management.checker.stop(request)


async def _check_query(management: Management, request: check_pb2.CheckQueryReq, _: Caller) -> Reply:
    return await management.checker.query(request)


async def _check_set_policy(management: Management, request: check_pb2.CheckSetPolicyReq, _: Caller) -> Reply:
    return await management.checker.set_policies(request)


async def _check_get_policy(management: Management, request: check_pb2.CheckGetPolicyReq, _: Caller) -> Reply:
    return await management.checker.get_policies(request)


async def _check_repair(management: Management, request: check_pb2.CheckActReq, _: Caller) -> Reply:
    return await management.checker.repair(request)


async def _engine_report(management: Management, request: check_engine_pb2.CheckReportReq, _: Caller) -> Reply:
    await management.checker.report(request.report if request.HasField("report") else None)
    return check_engine_pb2.CheckReportResp()


# -- attributes and properties ---------------------------------------------------------------------------------------


async def _set_attributes(management: Management, request: system_pb2.SystemSetAttrReq, _: Caller) -> Reply:
    await management.set_attributes(dict(request.attributes))
    return svc_pb2.DaosResp()


async def _get_attributes(management: Management, request: system_pb2.SystemGetAttrReq, _: Caller) -> Reply:
    return system_pb2.SystemGetAttrResp(attributes=get_attributes(management.system, request.keys))


async def _set_properties(management: Management, request: system_pb2.SystemSetPropReq, caller: Caller) -> Reply:
    await management.set_properties(dict(request.properties), limit=_limit(caller))
    return svc_pb2.DaosResp()


async def _get_properties(management: Management, request: system_pb2.SystemGetPropReq, _: Caller) -> Reply:
    return system_pb2.SystemGetPropResp(properties=management.get_properties(request.keys))


# -- pools -----------------------------------------------------------------------------------------------------------


async def _pool_create(management: Management, request: pool_pb2.PoolCreateReq, _: Caller) -> Reply:
    return await management.pools.create(request)


async def _pool_destroy(management: Management, request: pool_pb2.PoolDestroyReq, _: Caller) -> Reply:
    return await management.pools.destroy(request)


async def _pool_set_prop(management: Management, request: pool_pb2.PoolSetPropReq, _: Caller) -> Reply:
    return await management.pools.set_properties(request)


async def _list_pools(management: Management, _: pool_pb2.ListPoolsReq, __: Caller) -> Reply:
    reply = pool_pb2.ListPoolsResp(data_version=management.data_version)
    for pool in management.system.pools.values():
        reply.pools.add(uuid=pool.uuid, label=pool.label, svc_reps=pool.replicas, state=pool.state)
    return reply


async def _clean_up(management: Management, request: system_pb2.SystemCleanupReq, caller: Caller) -> Reply:
    return await management.all_pools.clean_up(request, limit=_limit(caller))


async def _pool_evict(management: Management, request: pool_pb2.PoolEvictReq, _: Caller) -> Reply:
    return await management.pools.evict(request)


def _passed_on(method: drpc.Method[Any, Any], gate: Gate) -> Served:
    """Serve what a pool's own service answers."""

    async def ask(management: Management, request: Any, _: Caller) -> Reply:
        reply: Reply = await management.pools.pass_on(method, request)
        return reply

    return Served(ask, gate)


SERVED: Final[Mapping[str, Served]] = MappingProxyType(
    {
        "Join": Served(_join, Gate.LEADER, while_checking=True),
        "ClusterEvent": Served(_cluster_event, Gate.LEADER, while_checking=True),
        "LeaderQuery": Served(_leader_query, Gate.ANY_REPLICA_EVEN_EMPTY, while_checking=True),
        "GetAttachInfo": Served(_attach_info, Gate.REPLICA, while_checking=True),
        "SystemQuery": Served(_system_query, Gate.REPLICA, while_checking=True),
        "SystemStop": Served(_stop, Gate.LEADER, while_checking=True),
        "SystemStart": Served(_start, Gate.LEADER, while_checking=True),
        "SystemExclude": Served(_exclude, Gate.LEADER, while_checking=True),
        "SystemDrain": Served(_drain, Gate.LEADER, while_checking=True),
        "SystemRebuildManage": Served(_manage_rebuilds, Gate.LEADER),
        "SystemSelfHealEval": Served(_evaluate_self_heal, Gate.LEADER),
        "SystemErase": Served(_erase, Gate.REPLICA),
        "SystemCleanup": Served(_clean_up, Gate.LEADER),
        "SystemCheckEnable": Served(_check_enable, Gate.LEADER, while_checking=True),
        "SystemCheckDisable": Served(_check_disable, Gate.LEADER, while_checking=True),
        "SystemCheckStart": Served(_check_start, Gate.LEADER, while_checking=True),
        "SystemCheckStop": Served(_check_stop, Gate.LEADER, while_checking=True),
        "SystemCheckQuery": Served(_check_query, Gate.LEADER, while_checking=True),
        "SystemCheckSetPolicy": Served(_check_set_policy, Gate.LEADER, while_checking=True),
        "SystemCheckGetPolicy": Served(_check_get_policy, Gate.LEADER, while_checking=True),
        "SystemCheckRepair": Served(_check_repair, Gate.LEADER, while_checking=True),
        "SystemCheckEngineReport": Served(_engine_report, Gate.LEADER, while_checking=True),
        "SystemSetAttr": Served(_set_attributes, Gate.LEADER),
        "SystemGetAttr": Served(_get_attributes, Gate.REPLICA),
        "SystemSetProp": Served(_set_properties, Gate.LEADER),
        "SystemGetProp": Served(_get_properties, Gate.REPLICA, while_checking=True),
        "PoolCreate": Served(_pool_create, Gate.LEADER),
        "PoolDestroy": Served(_pool_destroy, Gate.LEADER),
        "PoolSetProp": Served(_pool_set_prop, Gate.LEADER),
        "PoolEvict": Served(_pool_evict, Gate.LEADER),
        "ListPools": Served(_list_pools, Gate.REPLICA, while_checking=True),
        "PoolQuery": _passed_on(drpc.Mgmt.POOL_QUERY, Gate.REPLICA),
        "PoolQueryTarget": _passed_on(drpc.Mgmt.POOL_QUERY_TARGETS, Gate.REPLICA),
        "PoolGetProp": _passed_on(drpc.Mgmt.POOL_GET_PROP, Gate.REPLICA),
        "PoolGetACL": _passed_on(drpc.Mgmt.POOL_GET_ACL, Gate.REPLICA),
        "PoolOverwriteACL": _passed_on(drpc.Mgmt.POOL_OVERWRITE_ACL, Gate.LEADER),
        "PoolUpdateACL": _passed_on(drpc.Mgmt.POOL_UPDATE_ACL, Gate.LEADER),
        "PoolDeleteACL": _passed_on(drpc.Mgmt.POOL_DELETE_ACL, Gate.LEADER),
        "PoolExclude": _passed_on(drpc.Mgmt.POOL_EXCLUDE, Gate.LEADER),
        "PoolDrain": _passed_on(drpc.Mgmt.POOL_DRAIN, Gate.LEADER),
        "PoolReintegrate": _passed_on(drpc.Mgmt.POOL_REINT, Gate.LEADER),
        "PoolExtend": _passed_on(drpc.Mgmt.POOL_EXTEND, Gate.LEADER),
        "PoolUpgrade": _passed_on(drpc.Mgmt.POOL_UPGRADE, Gate.LEADER),
        "PoolRebuildStart": _passed_on(drpc.Mgmt.POOL_REBUILD_START, Gate.LEADER),
        "PoolRebuildStop": _passed_on(drpc.Mgmt.POOL_REBUILD_STOP, Gate.LEADER),
        "PoolSelfHealEval": _passed_on(drpc.Mgmt.POOL_SELF_HEAL_EVAL, Gate.LEADER),
        "ListContainers": _passed_on(drpc.Mgmt.LIST_CONTAINERS, Gate.REPLICA),
        "ContSetOwner": _passed_on(drpc.Mgmt.CONT_SET_OWNER, Gate.REPLICA),
    }
)
"""Every method that is there."""
