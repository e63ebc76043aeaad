"""The lives of engines: who is asked, and what becomes of the answers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from daos_control.base.rankset import NIL_RANK, RankSet
from daos_control.client.daos import DaosClient
from daos_control.client.engines import LastExit
from daos_control.client.errors import InvalidRequest, NotOffered, PartlyFailed
from daos_control.net.rpc.status import Code, StatusError
from daos_control.testing.answers import Answers
from daos_control.wire.pb.control import host_pb2
from daos_control.wire.pb.mgmt.system_pb2 import SystemMember, SystemQueryResp

SINCE = "2026-03-04T05:06:07.000+00:00"


def engine(rank: int, **facts: Any) -> host_pb2.Engine:
    return host_pb2.Engine(rank=rank, state="ready", since=SINCE, pid=100 + rank % 100, **facts)


def told(*engines: host_pb2.Engine) -> host_pb2.EnginesResp:
    policy = host_pb2.RestartPolicy(enabled=True, min_delay_s=300, limit=4, window_s=4800, settled_s=300)
    return host_pb2.EnginesResp(hostname="storage1", policy=policy, engines=engines)


def members(*ranks: int) -> SystemQueryResp:
    found = [SystemMember(rank=rank, state="joined", addr=f"10.0.0.{rank}:10001") for rank in ranks]
    return SystemQueryResp(members=found)


async def test_all_hosts_of_the_system_are_asked_for_all_their_engines():
    answers = Answers(SystemQuery=members(2, 1), **{"10.0.0.1_Engines": told(engine(1)), "Engines": told(engine(2))})
    report = await DaosClient(answers, ["a"]).engines.query()
    assert [(one.rank, one.host, one.pid) for one in report.engines] == [
        (1, "10.0.0.1:10001", 101),
        (2, "10.0.0.2:10001", 102),
    ]
    assert {request.ranks for request in answers.requests("Engines")} == {""}
    report.check()


async def test_some_ranks_are_asked_for_where_they_are():
    found = SystemQueryResp(members=members(1).members, absentranks="9")
    answers = Answers(SystemQuery=found, Engines=told(engine(1)))
    report = await DaosClient(answers, ["a"]).engines.query(ranks="1,9")
    assert [request.ranks for request in answers.requests("Engines")] == ["1"]
    assert report.absent_ranks == RankSet([9])
    with pytest.raises(PartlyFailed, match="non-existent ranks 9"):
        report.check()


async def test_named_hosts_are_asked_without_the_management_service():
    answers = Answers(Engines=told(engine(NIL_RANK), engine(3, index=1)))
    report = await DaosClient(answers, ["a"]).engines.query(hosts=["b", "c"], ranks=[3])
    assert [(name, method) for name, method, _ in answers.asked] == [("b:10001", "Engines"), ("c:10001", "Engines")]
    assert [one.rank for one in report.engines] == [3, 3, None, None], "those without a rank come last"
    with pytest.raises(InvalidRequest):
        await DaosClient(answers, ["a"]).engines.query(hosts=["b"], rank_hosts=["c"])


async def test_a_system_without_members_is_asked_at_its_configured_hosts():
    answers = Answers(SystemQuery=SystemQueryResp(), Engines=told(engine(NIL_RANK)))
    report = await DaosClient(answers, ["a"]).engines.query()
    assert [(one.host, one.rank) for one in report.engines] == [("a:10001", None)]


async def test_a_genuine_server_is_a_problem_that_says_so():
    unknown = StatusError(Code.UNIMPLEMENTED, "unknown service daos_control.HostSvc")
    answers = Answers(Engines=told(engine(1)), b_Engines=unknown)
    report = await DaosClient(answers, ["a"]).engines.query(hosts=["a", "b"])
    (problem,) = report.problems
    assert isinstance(problem.error, NotOffered)
    assert str(problem.error).startswith("this server does not tell the lives of its engines: it is DAOS's own")
    assert (str(problem.hosts), len(report.engines)) == ("b:10001", 1)
    with pytest.raises(PartlyFailed, match="1 host had errors"):
        report.check()


async def test_an_exit_and_what_follows():
    ended = host_pb2.Exit(at=SINCE, text="x exited: signal: killed", signal=9, self_terminated=True, served_s=0.5)
    one = host_pb2.Engine(rank=1, state="stopped", since=SINCE, last_exit=ended, restart_at=SINCE)
    two = host_pb2.Engine(
        rank=2, state="stopped", since=SINCE, last_exit=host_pb2.Exit(at=SINCE, code=0), stays_down="y"
    )
    report = await DaosClient(Answers(Engines=told(one, two)), ["a"]).engines.query(hosts=["a"])
    first, second = report.engines
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert (first.restart_at, first.stays_down, first.pid) == (moment, "", None)
    assert first.last_exit == LastExit(
        at=moment,
        text="x exited: signal: killed",
        pid=None,
        code=None,
        signal=9,
        wanted=False,
        self_terminated=True,
        served_s=0.5,
    )
    assert second.last_exit is not None
    assert (second.last_exit.code, second.last_exit.signal, second.last_exit.served_s) == (0, None, None)
    assert (second.restart_at, second.stays_down) == (None, "y")
