"""What the verbs do beyond asking: refusing, repeating safely, keeping what went well."""

from typing import Any

import pytest

from daos_control.base.der import Der
from daos_control.base.errors import (
    DaosError,
    Fault,
    NotLeader,
    NotReplica,
    PoolNotFound,
    RaftUnavailable,
    SteppingUp,
    Uninitialized,
)
from daos_control.base.fault_codes import FaultCode
from daos_control.client.daos import DaosClient
from daos_control.client.errors import InvalidRequest
from daos_control.client.pool_size import Total
from daos_control.client.server import ServerVersion
from daos_control.net.rpc.status import Code, StatusError
from daos_control.testing.answers import Answers
from daos_control.wire.pb.ctl import common_pb2, storage_pb2, storage_scm_pb2
from daos_control.wire.pb.mgmt import pool_pb2, svc_pb2, system_pb2

MEMBERS = system_pb2.SystemQueryResp(
    members=[
        system_pb2.SystemMember(rank=rank, state=state) for rank, state in enumerate(["joined", "stopped", "ready"])
    ],
    data_version=1,
)


async def test_ranks_and_hosts_may_not_be_mixed() -> None:
    daos = DaosClient(Answers(), ["a"])
    with pytest.raises(InvalidRequest, match="by ranks or by hosts"):
        await daos.system.stop(ranks=[0], hosts=["a"])
    with pytest.raises(InvalidRequest, match="no ranks or hosts"):
        await daos.system.exclude()


async def test_a_system_with_running_ranks_is_not_erased() -> None:
    answers = Answers(SystemQuery=MEMBERS)
    with pytest.raises(InvalidRequest, match="following 2 ranks to be stopped: 0,2"):
        await DaosClient(answers, ["a"]).system.erase()
    assert not answers.requests("SystemErase")


@pytest.mark.parametrize(
    "error",
    [RaftUnavailable(), SteppingUp(), NotReplica(["a:10001"]), FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="a")],
    ids=["not started", "stepping up", "no replica but itself", "cannot be reached"],
)
async def test_erasing_does_not_wait_for_a_system_that_does_not_run(error: Exception) -> None:
    answers = Answers(SystemQuery=error, SystemErase=system_pb2.SystemEraseResp())
    results = await DaosClient(answers, ["a"]).system.erase()
    assert results.results == ()
    assert len(answers.requests("SystemErase")) == 1


async def test_erasing_asks_the_replicas_that_other_hosts_name_whether_ranks_run() -> None:
    answers = Answers(SystemQuery=NotReplica(["b:10001", "c:10001"]), c_SystemQuery=MEMBERS)
    with pytest.raises(InvalidRequest, match="to be stopped: 0,2"):
        await DaosClient(answers, ["a"]).system.erase()
    assert {host for host, _, _ in answers.asked} == {"a:10001", "b:10001", "c:10001"}


async def test_of_several_replicas_the_newest_knows_whether_ranks_run() -> None:
    stopped = system_pb2.SystemQueryResp(members=[system_pb2.SystemMember(rank=0, state="stopped")], data_version=2)
    answers = Answers(a_SystemQuery=MEMBERS, b_SystemQuery=stopped, SystemErase=system_pb2.SystemEraseResp())
    await DaosClient(answers, ["a,b"]).system.erase()
    assert answers.requests("SystemErase")


async def test_nothing_is_erased_while_it_is_not_known_whether_ranks_run() -> None:
    answers = Answers(SystemQuery=DaosError(Der.NO_PERM))
    with pytest.raises(DaosError):
        await DaosClient(answers, ["a"]).system.erase()
    assert not answers.requests("SystemErase")


async def test_erasing_does_not_wait_for_a_leader() -> None:
    answers = Answers(SystemQuery=RaftUnavailable(), SystemErase=RaftUnavailable())
    with pytest.raises(RaftUnavailable):
        await DaosClient(answers, ["a"]).system.erase()
    assert len(answers.requests("SystemErase")) == 1


async def test_healing_is_asked_for_again_where_the_leader_was_lost() -> None:
    tries = iter([NotLeader(), svc_pb2.DaosResp()])

    def evaluate(_: Any) -> Any:
        answer = next(tries)
        if isinstance(answer, Exception):
            raise answer
        return answer

    answers = Answers(SystemSelfHealEval=evaluate)
    await DaosClient(answers, ["a"]).system.self_heal_eval()
    assert len(answers.requests("SystemSelfHealEval")) == 2


async def test_healing_is_asked_for_where_a_host_says_that_replicas_are() -> None:
    answers = Answers(a_SystemSelfHealEval=NotReplica(["b:10001"]), b_SystemSelfHealEval=svc_pb2.DaosResp())
    await DaosClient(answers, ["a"]).system.self_heal_eval()
    assert [address for address, _, _ in answers.asked] == ["a:10001", "b:10001"]


async def test_draining_names_the_system_without_our_version() -> None:
    answers = Answers(SystemDrain=system_pb2.SystemDrainResp())
    assert await DaosClient(answers, ["a"], system="lab").system.drain(ranks=[3]) == ()
    assert answers.requests("SystemDrain") == [system_pb2.SystemDrainReq(sys="lab", ranks="3")]


async def test_nothing_to_store_is_not_sent() -> None:
    daos = DaosClient(Answers(), ["a"])
    with pytest.raises(InvalidRequest, match="one attribute"):
        await daos.system.set_attributes({})
    with pytest.raises(InvalidRequest, match="one property"):
        await daos.system.set_properties({})


async def test_an_administrator_who_may_not_ask_for_the_version_reads_it_in_the_properties() -> None:
    answers = Answers(
        GetAttachInfo=StatusError(Code.PERMISSION_DENIED, "admin does not have permission"),
        SystemGetProp=system_pb2.SystemGetPropResp(properties={"daos_version": "2.8.1"}),
    )
    assert await DaosClient(answers, ["a"]).server.version() == ServerVersion(number="2.8.1", tag="")
    answers.answers["GetAttachInfo"] = StatusError(Code.INTERNAL, "oops")
    with pytest.raises(StatusError, match="oops"):
        await DaosClient(answers, ["a"]).server.version()


async def test_a_leader_query_tries_every_replica() -> None:
    reply = svc_pb2.LeaderQueryResp(current_leader="a:10001", replicas=["a:10001", "b:10001"])
    refused = FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="b:10001")
    leader = await DaosClient(Answers(LeaderQuery=reply, b_LeaderQuery=refused), ["a"]).system.leader()
    assert leader.down_replicas == ("b:10001",)


async def test_a_running_system_is_not_formatted() -> None:
    answers = Answers(SystemQuery=Uninitialized(), b_SystemQuery=MEMBERS)
    with pytest.raises(Fault) as raised:
        await DaosClient(answers, ["a,b"]).storage.format()
    assert raised.value.code == FaultCode.CLIENT_FORMAT_RUNNING_SYSTEM
    assert not answers.requests("StorageFormat")


@pytest.mark.parametrize(
    "error",
    [Uninitialized(), RaftUnavailable(), NotReplica(["z:1"]), FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="a")],
    ids=lambda error: type(error).__name__,
)
async def test_a_system_that_does_not_run_is_formatted(error: Exception) -> None:
    done = storage_pb2.StorageFormatResp(mrets=[storage_scm_pb2.ScmMountResult(mntpoint="/mnt/daos0")])
    report = await DaosClient(Answers(SystemQuery=error, StorageFormat=done), ["a"]).storage.format()
    assert report.by_host()["a:10001"].scm_mount_points[0].path == "/mnt/daos0"
    report.check()


async def test_a_host_may_have_formatted_some_and_failed_with_some() -> None:
    failed = common_pb2.ResponseState(status=common_pb2.CTL_ERR_SCM, error="mount failed", info="retry")
    reply = storage_pb2.StorageFormatResp(
        mrets=[
            storage_scm_pb2.ScmMountResult(mntpoint="/mnt/daos0"),
            storage_scm_pb2.ScmMountResult(mntpoint="/mnt/daos1", state=failed),
        ]
    )
    report = await DaosClient(Answers(SystemQuery=Uninitialized(), StorageFormat=reply), ["a"]).storage.format()
    assert len(report.by_host()["a:10001"].scm_mount_points) == 1
    assert [(str(problem.error), str(problem.hosts)) for problem in report.problems] == [("mount failed", "a:10001")]


async def test_hosts_with_equal_storage_fall_together_whatever_their_serial_numbers() -> None:
    def scan(serial: str, size: int = 5) -> storage_pb2.StorageScanResp:
        reply = storage_pb2.StorageScanResp()
        controller = reply.nvme.ctrlrs.add(serial=serial, pci_addr="0000:80:00.0")
        controller.namespaces.add(id=1, size=size)
        return reply

    answers = Answers(h1_StorageScan=scan("A"), h2_StorageScan=scan("B"), h3_StorageScan=scan("C", size=6))
    report = await DaosClient(answers, ["h[1-3]"]).storage.scan()
    assert [str(group.hosts) for group in report.groups] == ["h3:10001", "h[1-2]:10001"]


async def test_a_pool_is_created_with_an_identity_that_survives_repeats() -> None:
    tries = iter([DaosError(Der.GRPVER), pool_pb2.PoolCreateResp(svc_ldr=1, tgt_ranks=[0])])

    def create(_: Any) -> Any:
        answer = next(tries)
        if isinstance(answer, Exception):
            raise answer
        return answer

    answers = Answers(PoolCreate=create)
    pool = await DaosClient(answers, ["a"]).pools.create("tank", Total(total_bytes=100), user="bob", group="staff@here")
    first, second = answers.requests("PoolCreate")
    assert first == second
    assert (first.uuid, first.user, first.user_group) == (pool.uuid, "bob@", "staff@here")


async def test_destroying_a_pool_that_is_gone_is_an_error_only_the_first_time() -> None:
    with pytest.raises(PoolNotFound):
        await DaosClient(Answers(PoolDestroy=PoolNotFound(label="t")), ["a"]).pools.destroy("t")
    answers = iter([DaosError(Der.TIMEDOUT), PoolNotFound(label="t")])

    def destroy(_: Any) -> Any:
        raise next(answers)

    await DaosClient(Answers(PoolDestroy=destroy), ["a"]).pools.destroy("t")


async def test_being_sent_elsewhere_has_destroyed_nothing() -> None:
    answers = iter([NotReplica(["a:10001"]), PoolNotFound(label="t")])

    def destroy(_: Any) -> Any:
        raise next(answers)

    with pytest.raises(PoolNotFound):
        await DaosClient(Answers(PoolDestroy=destroy), ["b"]).pools.destroy("t")


async def test_a_pool_that_cannot_be_queried_is_listed_all_the_same() -> None:
    listed = pool_pb2.ListPoolsResp(
        pools=[
            pool_pb2.ListPoolsResp.Pool(uuid="u2", label="b", state="Ready"),
            pool_pb2.ListPoolsResp.Pool(uuid="u1", label="a", state="Destroying"),
        ]
    )
    answers = Answers(ListPools=listed, PoolQuery=DaosError(Der.NO_PERM))
    found = await DaosClient(answers, ["a"]).pools.list()
    assert [(pool.label, pool.state) for pool in found.pools] == [("a", "Destroying"), ("b", "Ready")]
    assert found.query_errors == {"u2": DaosError(Der.NO_PERM)}


async def test_a_pool_that_stays_unreachable_is_given_up_and_named_with_its_reason() -> None:
    uuids = [f"u{number}" for number in range(40)]

    def query(request: Any) -> Any:
        if request.id == "u7":
            raise DaosError(Der.UNREACH)
        return pool_pb2.PoolQueryResp(uuid=request.id, total_targets=4)

    listed = [pool_pb2.ListPoolsResp.Pool(uuid=uuid, label=uuid, state="Ready") for uuid in uuids]
    answers = Answers(ListPools=pool_pb2.ListPoolsResp(pools=listed), PoolQuery=query)
    found = await DaosClient(answers, ["a"]).pools.list(patience_s=0.3)
    assert found.query_errors == {"u7": DaosError(Der.UNREACH)}
    assert len(found.pools) == 40
    assert all(pool.total_targets == 4 for pool in found.pools if pool.uuid != "u7")


async def test_one_rank_that_cannot_be_excluded_does_not_stop_the_others() -> None:
    def exclude(request: Any) -> Any:
        if request.rank == 1:
            raise DaosError(Der.NONEXIST)
        return pool_pb2.PoolExcludeResp()

    result = await DaosClient(Answers(PoolExclude=exclude), ["a"]).pools.exclude("tank", [2, 1])
    assert [(r.rank, r.errored) for r in result.results] == [(1, True), (2, False)]
    assert result.problem() == "rank 1 failed on pool tank"
