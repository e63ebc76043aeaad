"""The gates of the management service, in their order, and that every method is behind the right ones."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from daos_control.apps.server.servicers.mgmt import NOT_SERVED, SERVED, Gate, join_request, mgmt_handlers
from daos_control.base.errors import (
    DaosControlError,
    Fault,
    NotReplica,
    RaftUnavailable,
    Uninitialized,
)
from daos_control.mgmt.service import Management
from daos_control.mgmt.system import Change, System
from daos_control.model.system_property import Note
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.methods import MGMT
from daos_control.security.components import Component
from daos_control.testing.management import ADDRESS, Bench, some_settings
from daos_control.wire.pb.mgmt import pool_pb2, svc_pb2, system_pb2

CALLER = Caller(component=Component.ADMIN, address="10.0.0.99:5555")
SYS = "daos_server-2.8.0"

REPLICA = {
    *("GetAttachInfo", "SystemQuery", "SystemGetAttr", "SystemGetProp", "PoolQuery", "PoolQueryTarget"),
    *("PoolGetProp", "PoolGetACL", "ListPools", "ListContainers", "ContSetOwner"),
    "SystemErase",
}
WHILE_CHECKING = {
    *("GetAttachInfo", "Join", "SystemQuery", "SystemStop", "SystemStart", "SystemExclude", "ClusterEvent"),
    *("SystemGetProp", "ListPools", "LeaderQuery", "SystemDrain"),
    *(f"SystemCheck{verb}" for verb in ("Enable", "Disable", "Start", "Stop", "Query", "Repair", "EngineReport")),
    *("SystemCheckSetPolicy", "SystemCheckGetPolicy"),
}


@pytest.fixture
async def leading() -> AsyncIterator[Management]:
    bench = Bench()
    async with bench.leading() as management:
        bench.engines.open()
        await bench.with_members(management)
        yield management


async def call(management: Management, name: str, **fields: Any) -> Any:
    method = MGMT[name]
    request = method.request(**fields)
    if "sys" in request.DESCRIPTOR.fields_by_name and "sys" not in fields:
        request.sys = SYS
    reply = await mgmt_handlers(management)[method.path](request, CALLER)
    return method.reply.FromString(reply) if isinstance(reply, bytes) else reply


def test_every_method_is_served_or_its_absence_explained() -> None:
    assert {*SERVED, *NOT_SERVED} == set(MGMT)
    assert not SERVED.keys() & NOT_SERVED.keys()


def test_methods_are_behind_their_gates() -> None:
    assert {name for name, served in SERVED.items() if served.gate is Gate.REPLICA} == REPLICA
    assert {name for name, served in SERVED.items() if served.gate is Gate.ANY_REPLICA_EVEN_EMPTY} == {"LeaderQuery"}
    assert {name for name, served in SERVED.items() if served.while_checking} == WHILE_CHECKING


@pytest.mark.parametrize("name", SERVED)
async def test_without_a_replica_everybody_is_sent_on(name: str) -> None:
    management = Bench(settings=some_settings(address=None)).management()
    with pytest.raises(NotReplica, match=ADDRESS):
        await call(management, name)


@pytest.mark.parametrize("name", sorted(SERVED.keys() - {"LeaderQuery"}))
async def test_before_the_format_nothing_is_known(name: str) -> None:
    with pytest.raises(Uninitialized):
        await call(Bench().management(), name)


async def test_the_leader_can_be_asked_for_before_there_is_one() -> None:
    reply = await call(Bench().management(), "LeaderQuery")
    assert (reply.current_leader, list(reply.replicas)) == ("", [ADDRESS])


@pytest.mark.parametrize("name", sorted(SERVED.keys() - {"ClusterEvent", "SystemCheckEngineReport"}))
async def test_another_systems_name_is_refused_before_anything_else(name: str) -> None:
    for management in (Bench().management(), Bench(settings=some_settings(address=None)).management()):
        with pytest.raises(Fault) as error:
            await call(management, name, sys="other-2.8.0")
        assert error.value.code == 603


def checking(system: System) -> Change[None]:
    return Change(system=system.with_note(Note.CHECKER_ENABLED, "true"), outcome=None)


@pytest.mark.parametrize("name", sorted(SERVED.keys() - WHILE_CHECKING))
async def test_while_the_system_is_checked_normal_requests_wait(leading: Management, name: str) -> None:
    await leading.apply(checking)
    with pytest.raises(Fault) as error:
        await call(leading, name, sys="other")
    assert error.value.code == 1103


async def test_a_joiner_learns_that_the_system_is_checked(leading: Management) -> None:
    await leading.apply(checking)
    reply = await join(leading)
    assert reply.state == svc_pb2.JoinResp.CHECK


async def join(management: Management, **fields: Any) -> Any:
    given = {
        "uuid": "33333333-0000-4000-8000-000000000000",
        "rank": 0xFFFFFFFF,
        "uri": "ofi+tcp://10.0.0.99:31416",
        "addr": "0.0.0.0:10001",
        "srvFaultDomain": "/h99",
    }
    return await call(management, "Join", **{**given, **fields})


async def test_a_joiner_is_where_its_call_comes_from(leading: Management) -> None:
    reply = await join(leading)
    assert (reply.rank, reply.state, reply.localJoin) == (3, svc_pb2.JoinResp.IN, False)
    assert leading.system.members[3].addr == "10.0.0.99:10001"


def test_a_joiner_that_knows_its_address_is_believed() -> None:
    request = svc_pb2.JoinReq(addr="10.1.1.1:10001")
    assert join_request(request, CALLER).addr == "10.1.1.1:10001"


async def test_a_system_query_shows_members_by_state_rank_and_host(leading: Management) -> None:
    await call(leading, "SystemExclude", ranks="2")
    everything = await call(leading, "SystemQuery")
    assert [(member.rank, member.state) for member in everything.members] == [(1, "joined"), (2, "adminexcluded")]
    assert (list(everything.providers), everything.data_version) == (["ofi+tcp"], leading.data_version)
    assert everything.members[0].last_update.endswith("Z")
    joined = await call(leading, "SystemQuery", state_mask=8)
    assert [member.rank for member in joined.members] == [1]
    some = await call(leading, "SystemQuery", ranks="2-4")
    assert ([member.rank for member in some.members], some.absentranks) == ([2], "3-4")
    none = await call(leading, "SystemQuery", ranks="7")
    assert (none.absentranks, none.data_version, list(none.providers)) == ("7", 0, [])
    hosts = await call(leading, "SystemQuery", hosts="10.0.0.1")
    assert [member.rank for member in hosts.members] == [1]


async def test_a_system_without_members_is_not_there_yet() -> None:
    async with Bench().leading() as management:
        with pytest.raises(RaftUnavailable):
            await call(management, "SystemQuery")


async def test_attributes_and_properties(leading: Management) -> None:
    await call(leading, "SystemSetAttr", attributes={"site": "lab"})
    assert dict((await call(leading, "SystemGetAttr")).attributes) == {"site": "lab"}
    await call(leading, "SystemSetProp", properties={"self_heal": "none"})
    reply = await call(leading, "SystemGetProp", keys=["self_heal", "daos_version"])
    assert dict(reply.properties) == {"self_heal": "none", "daos_version": "2.8.0"}
    assert (await call(leading, "SystemQuery")).sys_self_heal_policy == "none"


async def test_a_pool_from_beginning_to_end(leading: Management) -> None:
    uuid = "11111111-2222-4333-8444-555555555555"
    prop = pool_pb2.PoolProperty(number=1, strval="tank")
    await call(leading, "PoolCreate", uuid=uuid, properties=[prop], tier_bytes=[1 << 30, 0])
    (pool,) = (await call(leading, "ListPools")).pools
    assert (pool.uuid, pool.label, pool.state) == (uuid, "tank", "Ready")
    with pytest.raises(DaosControlError, match="unable to find any available service ranks"):
        await call(leading, "PoolQuery", id="tank")
    assert (await call(leading, "PoolQuery", id="tank", svc_ranks=[1])).status == 0
    await call(leading, "PoolDestroy", id="tank", force=True, recursive=True)
    assert (await call(leading, "ListPools")).pools == []


async def test_ranks_are_stopped_and_started(leading: Management) -> None:
    stopped: system_pb2.SystemStopResp = await call(leading, "SystemStop", force=True)
    assert {result.state for result in stopped.results} == {"stopped"}
    started = await call(leading, "SystemStart")
    assert {result.state for result in started.results} == {"ready"}


async def test_attach_info_is_passed_on_as_bytes(leading: Management) -> None:
    request = svc_pb2.GetAttachInfoReq(sys=SYS, all_ranks=True)
    handler = mgmt_handlers(leading)[MGMT["GetAttachInfo"].path]
    reply = await handler(request, CALLER)
    assert isinstance(reply, bytes)
    assert reply is await handler(request, CALLER)


async def test_a_forwarded_event_is_acted_on(leading: Management) -> None:
    reply = await call(leading, "ClusterEvent", sequence=7, event={"id": 2, "type": 1, "rank": 1, "msg": "killed"})
    assert (reply.sequence, reply.status) == (7, 0)
    assert leading.system.members[1].state == "errored"


async def test_findings_of_a_checker_that_nobody_enabled_are_refused(leading: Management) -> None:
    with pytest.raises(Fault) as error:
        await call(leading, "SystemCheckEngineReport", report={"seq": 1})
    assert error.value.code == 1102
