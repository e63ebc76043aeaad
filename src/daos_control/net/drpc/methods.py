"""Every dRPC method of DAOS 2.8: its numbers, and the messages that travel as its request and reply.

A method belongs to the program that listens: ``Agent`` and some of ``Mgmt`` to daos_agent, most of ``Mgmt`` to
daos_engine, ``Srv`` and ``Sec`` to daos_server. Bodies that are empty by definition have the type ``NoneType``;
whatever bytes a peer puts there are ignored, as the original programs do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from types import NoneType
from typing import Any, Generic, TypeVar, cast

from google.protobuf.message import Message

from daos_control.wire.pb.ctl import server_pb2, smd_pb2
from daos_control.wire.pb.mgmt import acl_pb2, check_pb2, cont_pb2, pool_pb2, svc_pb2, system_pb2
from daos_control.wire.pb.security import auth_pb2
from daos_control.wire.pb.shared import check_engine_pb2, event_pb2
from daos_control.wire.pb.srv import srv_pb2
from daos_control.wire.pb.test import drpc_test_pb2

RequestT = TypeVar("RequestT", bound=Message | None)
ReplyT = TypeVar("ReplyT", bound=Message | None)


class Module(IntEnum):
    """Which part of a program a call is for."""

    TEST = 0
    SEC_AGENT = 1
    MGMT = 2
    SRV = 3
    SEC = 4


@dataclass(frozen=True, slots=True)
class Method(Generic[RequestT, ReplyT]):
    """One callable thing; usable as a key, compared by value."""

    module: Module
    id: int
    name: str
    request: type[RequestT]
    reply: type[ReplyT]

    def __str__(self) -> str:
        return f"{self.module.name}.{self.name} ({self.module}/{self.id})"

    def parse_request(self, body: bytes) -> RequestT:
        """Decode a request body; raises protobuf's DecodeError."""
        return _parse(self.request, body)

    def parse_reply(self, body: bytes) -> ReplyT:
        """Decode a reply body; raises protobuf's DecodeError."""
        return _parse(self.reply, body)


BodyT = TypeVar("BodyT", bound=Message | None)


def _parse(kind: type[BodyT], body: bytes) -> BodyT:
    if kind is NoneType:
        return cast("BodyT", None)
    return cast("BodyT", cast("type[Message]", kind).FromString(body))


class Test:
    """Module 0: a greeting between test programs; no daemon listens to it."""

    GREETING = Method(Module.TEST, 0, "GREETING", drpc_test_pb2.Hello, drpc_test_pb2.HelloResponse)


class Agent:
    """Module 1, served by daos_agent to client applications."""

    REQUEST_CREDS = Method(Module.SEC_AGENT, 101, "REQUEST_CREDS", NoneType, auth_pb2.GetCredResp)


class Mgmt:
    """Module 2: two disjoint sets of methods, one served by daos_engine, the other by daos_agent."""

    # daos_engine
    KILL_RANK = Method(Module.MGMT, 201, "KILL_RANK", NoneType, NoneType)  # a number nobody answers to
    SET_RANK = Method(Module.MGMT, 202, "SET_RANK", svc_pb2.SetRankReq, svc_pb2.DaosResp)
    POOL_CREATE = Method(Module.MGMT, 207, "POOL_CREATE", pool_pb2.PoolCreateReq, pool_pb2.PoolCreateResp)
    POOL_DESTROY = Method(Module.MGMT, 208, "POOL_DESTROY", pool_pb2.PoolDestroyReq, pool_pb2.PoolDestroyResp)
    SET_UP = Method(Module.MGMT, 209, "SET_UP", NoneType, svc_pb2.DaosResp)
    BIO_HEALTH_QUERY = Method(Module.MGMT, 210, "BIO_HEALTH_QUERY", smd_pb2.BioHealthReq, smd_pb2.BioHealthResp)
    SMD_LIST_DEVS = Method(Module.MGMT, 211, "SMD_LIST_DEVS", smd_pb2.SmdDevReq, smd_pb2.SmdDevResp)
    SMD_LIST_POOLS = Method(Module.MGMT, 212, "SMD_LIST_POOLS", smd_pb2.SmdPoolReq, smd_pb2.SmdPoolResp)
    POOL_GET_ACL = Method(Module.MGMT, 213, "POOL_GET_ACL", acl_pb2.GetACLReq, acl_pb2.ACLResp)
    POOL_OVERWRITE_ACL = Method(Module.MGMT, 215, "POOL_OVERWRITE_ACL", acl_pb2.ModifyACLReq, acl_pb2.ACLResp)
    POOL_UPDATE_ACL = Method(Module.MGMT, 216, "POOL_UPDATE_ACL", acl_pb2.ModifyACLReq, acl_pb2.ACLResp)
    POOL_DELETE_ACL = Method(Module.MGMT, 217, "POOL_DELETE_ACL", acl_pb2.DeleteACLReq, acl_pb2.ACLResp)
    PREP_SHUTDOWN = Method(Module.MGMT, 218, "PREP_SHUTDOWN", svc_pb2.PrepShutdownReq, svc_pb2.DaosResp)
    DEV_SET_FAULTY = Method(Module.MGMT, 220, "DEV_SET_FAULTY", smd_pb2.SetFaultyReq, smd_pb2.DevManageResp)
    DEV_REPLACE = Method(Module.MGMT, 221, "DEV_REPLACE", smd_pb2.DevReplaceReq, smd_pb2.DevManageResp)
    LIST_CONTAINERS = Method(Module.MGMT, 222, "LIST_CONTAINERS", pool_pb2.ListContReq, pool_pb2.ListContResp)
    POOL_QUERY = Method(Module.MGMT, 223, "POOL_QUERY", pool_pb2.PoolQueryReq, pool_pb2.PoolQueryResp)
    POOL_SET_PROP = Method(Module.MGMT, 224, "POOL_SET_PROP", pool_pb2.PoolSetPropReq, pool_pb2.PoolSetPropResp)
    PING_RANK = Method(Module.MGMT, 225, "PING_RANK", svc_pb2.PingRankReq, svc_pb2.DaosResp)
    POOL_REINT = Method(Module.MGMT, 226, "POOL_REINT", pool_pb2.PoolReintReq, pool_pb2.PoolReintResp)
    CONT_SET_OWNER = Method(Module.MGMT, 227, "CONT_SET_OWNER", cont_pb2.ContSetOwnerReq, svc_pb2.DaosResp)
    POOL_EXCLUDE = Method(Module.MGMT, 228, "POOL_EXCLUDE", pool_pb2.PoolExcludeReq, pool_pb2.PoolExcludeResp)
    POOL_EXTEND = Method(Module.MGMT, 229, "POOL_EXTEND", pool_pb2.PoolExtendReq, pool_pb2.PoolExtendResp)
    POOL_EVICT = Method(Module.MGMT, 230, "POOL_EVICT", pool_pb2.PoolEvictReq, pool_pb2.PoolEvictResp)
    POOL_DRAIN = Method(Module.MGMT, 231, "POOL_DRAIN", pool_pb2.PoolDrainReq, pool_pb2.PoolDrainResp)
    GROUP_UPDATE = Method(Module.MGMT, 232, "GROUP_UPDATE", svc_pb2.GroupUpdateReq, svc_pb2.GroupUpdateResp)
    POOL_GET_PROP = Method(Module.MGMT, 237, "POOL_GET_PROP", pool_pb2.PoolGetPropReq, pool_pb2.PoolGetPropResp)
    SET_LOG_MASKS = Method(Module.MGMT, 238, "SET_LOG_MASKS", server_pb2.SetLogMasksReq, server_pb2.SetLogMasksResp)
    POOL_UPGRADE = Method(Module.MGMT, 239, "POOL_UPGRADE", pool_pb2.PoolUpgradeReq, svc_pb2.DaosResp)
    POOL_QUERY_TARGETS = Method(
        Module.MGMT, 240, "POOL_QUERY_TARGETS", pool_pb2.PoolQueryTargetReq, pool_pb2.PoolQueryTargetResp
    )
    LED_MANAGE = Method(Module.MGMT, 241, "LED_MANAGE", smd_pb2.LedManageReq, smd_pb2.DevManageResp)
    GROUP_STATUS_GET = Method(
        Module.MGMT, 248, "GROUP_STATUS_GET", svc_pb2.GetGroupStatusReq, svc_pb2.GetGroupStatusResp
    )
    POOL_REBUILD_START = Method(Module.MGMT, 250, "POOL_REBUILD_START", pool_pb2.PoolRebuildStartReq, svc_pb2.DaosResp)
    POOL_REBUILD_STOP = Method(Module.MGMT, 251, "POOL_REBUILD_STOP", pool_pb2.PoolRebuildStopReq, svc_pb2.DaosResp)
    POOL_SELF_HEAL_EVAL = Method(
        Module.MGMT, 252, "POOL_SELF_HEAL_EVAL", pool_pb2.PoolSelfHealEvalReq, svc_pb2.DaosResp
    )

    # daos_engine in checker mode; at other times it does not know even the module these belong to
    CHK_START = Method(Module.MGMT, 242, "CHK_START", check_pb2.CheckStartReq, check_pb2.CheckStartResp)
    CHK_STOP = Method(Module.MGMT, 243, "CHK_STOP", check_pb2.CheckStopReq, check_pb2.CheckStopResp)
    CHK_QUERY = Method(Module.MGMT, 244, "CHK_QUERY", check_pb2.CheckQueryReq, check_pb2.CheckQueryResp)
    CHK_PROP = Method(Module.MGMT, 245, "CHK_PROP", check_pb2.CheckPropReq, check_pb2.CheckPropResp)
    CHK_ACT = Method(Module.MGMT, 246, "CHK_ACT", check_pb2.CheckActReq, check_pb2.CheckActResp)
    CHK_SET_POLICY = Method(Module.MGMT, 249, "CHK_SET_POLICY", check_pb2.CheckSetPolicyReq, svc_pb2.DaosResp)

    # daos_agent
    GET_ATTACH_INFO = Method(Module.MGMT, 206, "GET_ATTACH_INFO", svc_pb2.GetAttachInfoReq, svc_pb2.GetAttachInfoResp)
    NOTIFY_EXIT = Method(Module.MGMT, 233, "NOTIFY_EXIT", NoneType, NoneType)
    NOTIFY_POOL_CONNECT = Method(Module.MGMT, 235, "NOTIFY_POOL_CONNECT", svc_pb2.PoolMonitorReq, NoneType)
    NOTIFY_POOL_DISCONNECT = Method(Module.MGMT, 236, "NOTIFY_POOL_DISCONNECT", svc_pb2.PoolMonitorReq, NoneType)
    SETUP_CLIENT_TELEM = Method(
        Module.MGMT, 247, "SETUP_CLIENT_TELEM", svc_pb2.ClientTelemetryReq, svc_pb2.ClientTelemetryResp
    )


class Srv:
    """Module 3, served by daos_server to its engines."""

    NOTIFY_READY = Method(Module.SRV, 301, "NOTIFY_READY", srv_pb2.NotifyReadyReq, NoneType)
    GET_POOL_SVC = Method(Module.SRV, 303, "GET_POOL_SVC", srv_pb2.GetPoolSvcReq, srv_pb2.GetPoolSvcResp)
    CLUSTER_EVENT = Method(Module.SRV, 304, "CLUSTER_EVENT", event_pb2.ClusterEventReq, event_pb2.ClusterEventResp)
    POOL_FIND_BYLABEL = Method(
        Module.SRV, 305, "POOL_FIND_BYLABEL", srv_pb2.PoolFindByLabelReq, srv_pb2.PoolFindByLabelResp
    )
    CHK_LIST_POOL = Method(
        Module.SRV, 306, "CHK_LIST_POOL", check_engine_pb2.CheckListPoolReq, check_engine_pb2.CheckListPoolResp
    )
    CHK_REG_POOL = Method(
        Module.SRV, 307, "CHK_REG_POOL", check_engine_pb2.CheckRegPoolReq, check_engine_pb2.CheckRegPoolResp
    )
    CHK_DEREG_POOL = Method(
        Module.SRV, 308, "CHK_DEREG_POOL", check_engine_pb2.CheckDeregPoolReq, check_engine_pb2.CheckDeregPoolResp
    )
    CHK_REPORT = Method(
        Module.SRV, 309, "CHK_REPORT", check_engine_pb2.CheckReportReq, check_engine_pb2.CheckReportResp
    )
    LIST_POOLS = Method(Module.SRV, 310, "LIST_POOLS", srv_pb2.ListPoolsReq, srv_pb2.ListPoolsResp)
    GET_SYS_PROPS = Method(Module.SRV, 311, "GET_SYS_PROPS", system_pb2.SystemGetPropReq, system_pb2.SystemGetPropResp)


class Sec:
    """Module 4, served by daos_server to its engines."""

    VALIDATE_CREDS = Method(Module.SEC, 401, "VALIDATE_CREDS", auth_pb2.ValidateCredReq, auth_pb2.ValidateCredResp)


def _all() -> Iterator[Method[Any, Any]]:
    for group in (Test, Agent, Mgmt, Srv, Sec):
        for value in vars(group).values():
            if isinstance(value, Method):
                yield value


BY_ID: dict[tuple[int, int], Method[Any, Any]] = {(method.module, method.id): method for method in _all()}
"""Every method by (module id, method id)."""
