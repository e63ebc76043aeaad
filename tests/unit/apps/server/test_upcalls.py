"""What engines are answered, by the leader's host and by one that holds no replica."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import Message

from daos_control.apps.server.servicers.upcalls import Upcalls
from daos_control.base.errors import DaosControlError, DaosError, NotLeader, RaftUnavailable
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt.events import Events
from daos_control.mgmt.service import Management
from daos_control.mgmt.system import Change, System
from daos_control.model.pool import PoolService, PoolState
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcFailure
from daos_control.net.drpc.server import Peer
from daos_control.testing.data_plane import CapturedPost
from daos_control.testing.management import Bench, some_settings
from daos_control.wire.pb.mgmt import system_pb2
from daos_control.wire.pb.shared import check_engine_pb2, event_pb2

NOW = datetime(2026, 1, 2, tzinfo=UTC)
READY = "11111111-2222-4333-8444-555555555555"
CREATING = "99999999-2222-4333-8444-555555555555"
PEER = Peer(1, 0, 0)
NONEXIST, INVAL, EXIST, MISC = -1005, -1003, -1004, -1025


def add_pools(system: System) -> Change[None]:
    ready = PoolService(uuid=READY, label="tank", state=PoolState.READY, replicas=(1, 2), last_update=NOW)
    creating = PoolService(uuid=CREATING, label="new", last_update=NOW)
    return Change(system=system.with_pool(ready).with_pool(creating), outcome=None)


def upcalls(management: Management, answer: Any = None) -> Upcalls:
    async def ask(_: str, __: Message) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    events = Events(CapturedPost(failures=[AssertionError("nothing to forward")]))
    events.attach(management)
    return Upcalls(management=management, events=events, ask_service=ask)


async def call(calls: Upcalls, method: drpc.Method[Any, Any], **fields: Any) -> Any:
    return await calls.handlers()[method](method.request(**fields), PEER)


@pytest.fixture
async def leader() -> AsyncIterator[Upcalls]:
    bench = Bench()
    async with bench.leading() as management:
        await bench.with_members(management)
        await management.apply(add_pools)
        with management.pools.locks.hold(CREATING):  # somebody is busy creating it
            yield upcalls(management)


@pytest.fixture
def elsewhere() -> Upcalls:
    return upcalls(
        Bench(settings=some_settings(address=None)).management(),
        system_pb2.SystemGetPropResp(properties={"self_heal": "none"}),
    )


async def test_pool_services_are_found_once_they_are_ready(leader: Upcalls) -> None:
    assert list((await call(leader, drpc.Srv.GET_POOL_SVC, uuid=READY)).svcreps) == [1, 2]
    found = await call(leader, drpc.Srv.POOL_FIND_BYLABEL, label="tank")
    assert (found.uuid, list(found.svcreps), found.status) == (READY, [1, 2], 0)
    for uuid in (CREATING, "00000000-2222-4333-8444-555555555555"):
        assert (await call(leader, drpc.Srv.GET_POOL_SVC, uuid=uuid)).status == NONEXIST
    for label in ("new", "nosuch", "", READY):
        assert (await call(leader, drpc.Srv.POOL_FIND_BYLABEL, label=label)).status == NONEXIST


async def test_a_bad_uuid_is_a_failure(leader: Upcalls) -> None:
    with pytest.raises(DrpcFailure, match="invalid pool uuid"):
        await call(leader, drpc.Srv.GET_POOL_SVC, uuid="nonsense")


async def test_a_host_without_a_replica_knows_no_pool(elsewhere: Upcalls) -> None:
    assert (await call(elsewhere, drpc.Srv.GET_POOL_SVC, uuid=READY)).status == NONEXIST
    assert (await call(elsewhere, drpc.Srv.POOL_FIND_BYLABEL, label="tank")).status == NONEXIST
    assert (await call(elsewhere, drpc.Srv.CHK_LIST_POOL)).status == MISC
    with pytest.raises(DrpcFailure, match="not a DAOS Management Service replica"):
        await call(elsewhere, drpc.Srv.LIST_POOLS)


async def test_pools_are_listed_ready_ones_or_all(leader: Upcalls) -> None:
    ready = await call(leader, drpc.Srv.LIST_POOLS)
    assert [(pool.uuid, pool.label) for pool in ready.pools] == [(READY, "tank")]
    assert len((await call(leader, drpc.Srv.LIST_POOLS, include_all=True)).pools) == 2
    assert len((await call(leader, drpc.Srv.CHK_LIST_POOL)).pools) == 2


async def test_properties_come_from_here_or_from_the_service(leader: Upcalls, elsewhere: Upcalls) -> None:
    here = await call(leader, drpc.Srv.GET_SYS_PROPS, sys="daos_server", keys=["self_heal"])
    assert dict(here.properties) == {"self_heal": "exclude;pool_exclude;pool_rebuild"}
    there = await call(elsewhere, drpc.Srv.GET_SYS_PROPS, sys="daos_server", keys=["self_heal"])
    assert dict(there.properties) == {"self_heal": "none"}


async def test_properties_that_cannot_be_had_are_a_failure(leader: Upcalls) -> None:
    for wrong in ({"keys": ["nonsense"], "sys": "daos_server"}, {"keys": ["self_heal"], "sys": "other"}):
        with pytest.raises(DrpcFailure):
            await call(leader, drpc.Srv.GET_SYS_PROPS, **wrong)
    nobody = upcalls(Bench(settings=some_settings(address=None)).management(), RaftUnavailable())
    with pytest.raises(DrpcFailure):
        await call(nobody, drpc.Srv.GET_SYS_PROPS, keys=["self_heal"])


async def test_events_are_acted_on_before_the_engine_is_answered(leader: Upcalls) -> None:
    event = event_pb2.RASEvent(id=10, type=1, pool_uuid=READY, pool_svc_info={"svc_reps": [2], "version": 3})
    reply = await call(leader, drpc.Srv.CLUSTER_EVENT, sequence=4, event=event)
    assert (reply.sequence, reply.status) == (4, 0)
    assert leader.management.system.pools[READY].replicas == (2,)
    with pytest.raises(DrpcFailure):
        await call(leader, drpc.Srv.CLUSTER_EVENT)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"uuid": READY, "label": "renamed", "svcreps": [2]}, 0),
        ({"uuid": "22222222-2222-4333-8444-555555555555", "label": "found", "svcreps": [1]}, 0),
        ({"uuid": READY, "label": "11111111-222233334444-555555555555", "svcreps": [1]}, 0),  # no uuid as DAOS has them
        ({"uuid": "nonsense", "label": "x", "svcreps": [1]}, INVAL),
        ({"uuid": READY, "label": "", "svcreps": [1]}, INVAL),
        ({"uuid": READY, "label": "x" * 128, "svcreps": [1]}, INVAL),
        ({"uuid": READY, "label": "a b", "svcreps": [1]}, INVAL),
        ({"uuid": READY, "label": CREATING, "svcreps": [1]}, INVAL),
        ({"uuid": READY, "label": "x"}, INVAL),
        ({"uuid": READY, "label": "new", "svcreps": [1]}, EXIST),
        ({"uuid": CREATING, "label": "x", "svcreps": [1]}, MISC),
    ],
)
async def test_the_checker_registers_pools(leader: Upcalls, fields: dict[str, Any], status: int) -> None:
    reply = await call(leader, drpc.Srv.CHK_REG_POOL, seq=1, **fields)
    assert reply.status == status
    if not status:
        assert leader.management.system.pools[fields["uuid"]].label == fields["label"]


@pytest.mark.parametrize(
    ("uuid", "status"), [(READY, 0), ("nonsense", INVAL), ("22222222-2222-4333-8444-555555555555", NONEXIST)]
)
async def test_the_checker_forgets_pools(leader: Upcalls, uuid: str, status: int) -> None:
    assert (await call(leader, drpc.Srv.CHK_DEREG_POOL, uuid=uuid)).status == status
    assert (READY in leader.management.system.pools) == (status != 0 or uuid != READY)


async def test_the_checker_is_told_numbers_only(elsewhere: Upcalls) -> None:
    assert (await call(elsewhere, drpc.Srv.CHK_DEREG_POOL, uuid=READY)).status == MISC


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (check_engine_pb2.CheckReportResp(), 0),
        (DaosError(INVAL), INVAL),
        (FaultCode.SYSTEM_CHECKER_NOT_ENABLED.fault(), -2019),
        (RaftUnavailable(), -1013),
        (NotLeader(), -1013),
        (FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="h:1"), -1006),
        (DaosControlError("something else"), MISC),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_checker_learns_by_number_whether_to_report_again(answer: Any, status: int) -> None:
    calls = upcalls(Bench(settings=some_settings(address=None)).management(), answer)
    assert (await call(calls, drpc.Srv.CHK_REPORT)).status == status
