"""The checker of emulated engines: what it finds, asks and repairs, and how it is stopped."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from daos_control.base.der import Der
from daos_control.net.drpc.methods import Mgmt
from daos_control.testing.engines import PATIENCE_S, EngineHost, EngineProcess, engine_host
from daos_control.wire.pb.chk import chk_pb2
from daos_control.wire.pb.mgmt import check_pb2, pool_pb2
from daos_control.wire.pb.shared import check_engine_pb2

pytestmark = pytest.mark.system

POOL = "1e9e8d43-59dd-42ac-8843-6de1f5513952"
LOST = "11111111-2222-4333-8444-555555555555"
INTERACT = chk_pb2.CIA_INTERACT


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[EngineHost]:
    async with engine_host(tmp_path) as running:
        yield running


def new_pool(count: int) -> pool_pb2.PoolCreateReq:
    return pool_pb2.PoolCreateReq(
        uuid=POOL,
        user="alice@",
        user_group="staff@",
        properties=[pool_pb2.PoolProperty(number=1, strval="p1")],
        ranks=range(count),
        fault_domains=[0, 2, 1, 1, 1, 2, count, *range(count)],
        tier_bytes=[64 << 20, 0],
    )


async def checking(host: EngineHost, count: int = 1, *, environ: Mapping[str, str] | None = None) -> EngineProcess:
    """Make a pool, then start its engines in checker mode; return the one that leads."""
    await host.start_joined(count)
    assert (await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(count))).status == 0
    for engine in list(host.engines.values()):
        await engine.stop()
    for index in range(count):
        engine = await host.start(index, "-C", environ=environ)
        assert engine.ready.check_mode
        await host.join(engine)
    await host.spread_map()
    host.known_pools = [knows(POOL, "p1", range(count))]
    return host.engines[0]


def knows(pool: str, label: str, replicas: Any) -> check_engine_pb2.CheckListPoolResp.OnePool:
    return check_engine_pb2.CheckListPoolResp.OnePool(uuid=pool, label=label, svcreps=replicas)


def policies(**given: int) -> list[check_pb2.CheckInconsistPolicy]:
    return [
        check_pb2.CheckInconsistPolicy(
            inconsist_cas=chk_pb2.CheckInconsistClass.Value(f"CIC_{kind}"),
            inconsist_act=action,  # type: ignore[arg-type]
        )
        for kind, action in given.items()
    ]


async def begin(engine: EngineProcess, ranks: int = 1, **fields: Any) -> int:
    reply = await engine.call(Mgmt.CHK_START, check_pb2.CheckStartReq(ranks=range(ranks), **fields))
    return reply.status


async def ask(engine: EngineProcess, *pools: str) -> check_pb2.CheckQueryResp:
    return await engine.call(Mgmt.CHK_QUERY, check_pb2.CheckQueryReq(uuids=pools))


async def until_over(engine: EngineProcess) -> check_pb2.CheckQueryResp:
    async with asyncio.timeout(PATIENCE_S):
        while (found := await ask(engine)).ins_status == chk_pb2.CIS_RUNNING:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.02)
    return found


async def until_pools_are(engine: EngineProcess, states: dict[str, int]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while {pool.uuid: pool.status for pool in (await ask(engine)).pools} != states:  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # another process


def kind_of(report: chk_pb2.CheckReport) -> int:
    return int(getattr(report, "class"))


async def decide(engine: EngineProcess, seq: int, action: int) -> int:
    request = check_pb2.CheckActReq(seq=seq, act=action)  # type: ignore[arg-type]
    return (await engine.call(Mgmt.CHK_ACT, request)).status


async def test_a_system_in_order(host: EngineHost) -> None:
    leader = await checking(host, 2)
    assert (await ask(leader)).req_status == Der.NOTLEADER
    assert (await leader.call(Mgmt.CHK_STOP, check_pb2.CheckStopReq())).status == Der.NOTLEADER
    assert await begin(leader, 2) == 1, "nothing before this counts"
    found = await until_over(leader)
    assert (found.ins_status, found.ins_phase) == (chk_pb2.CIS_COMPLETED, chk_pb2.CSP_DONE)
    assert [(pool.uuid, pool.status, pool.targets[0].rank) for pool in found.pools] == [
        (POOL, chk_pb2.CPS_CHECKED, 0),
        (POOL, chk_pb2.CPS_CHECKED, 1),
    ]
    assert found.inconsistency.total == 0
    assert host.reports == []


async def test_policies_decide(host: EngineHost) -> None:
    leader = await checking(host)
    host.known_pools = [knows(POOL, "other", [0])]
    await begin(leader)
    (report,) = await host.until_reports(1)
    assert (kind_of(report), report.action) == (chk_pb2.CIC_POOL_BAD_LABEL, chk_pb2.CIA_TRUST_PS)
    assert host.registered[0].label == "p1"
    assert (await until_over(leader)).inconsistency.repaired == 1


async def test_an_administrator_decides_and_is_heard_once(host: EngineHost) -> None:
    leader = await checking(host)
    host.known_pools = [knows(LOST, "lost", [0])]
    asked = policies(POOL_NONEXIST_ON_ENGINE=INTERACT, POOL_NONEXIST_ON_MS=INTERACT)
    await begin(leader, flags=chk_pb2.CF_ORPHAN_POOL, policies=asked)
    reports = {report.pool_uuid: report for report in await host.until_reports(2)}
    assert {report.action for report in reports.values()} == {INTERACT}
    found = await ask(leader)
    assert {pool.status for pool in found.pools} == {chk_pb2.CPS_PENDING}
    assert found.ins_status == chk_pb2.CIS_RUNNING
    assert await decide(leader, reports[LOST].seq, chk_pb2.CIA_TRUST_TARGET) == Der.INVAL
    for pool, action in {LOST: chk_pb2.CIA_DISCARD, POOL: chk_pb2.CIA_READD}.items():
        assert await decide(leader, reports[pool].seq, action) == 0
    assert (await until_over(leader)).inconsistency.repaired == 2
    assert host.deregistered == [LOST]
    assert [entry.uuid for entry in host.registered] == [POOL]
    assert await decide(leader, reports[LOST].seq, chk_pb2.CIA_DISCARD) == Der.NONEXIST


async def test_what_is_only_looked_for_is_not_repaired(host: EngineHost) -> None:
    leader = await checking(host)
    host.known_pools = [knows(POOL, "other", [0])]
    await begin(leader, flags=chk_pb2.CF_DRYRUN)
    (report,) = await host.until_reports(1)
    assert report.result == chk_pb2.DRY_RUN
    await until_over(leader)
    assert host.registered == []
    assert await begin(leader) == 1, "a dry run leaves nothing to go on with"


async def test_a_share_that_was_lost_costs_the_pool_its_rank(host: EngineHost) -> None:
    leader = await checking(host, 2)
    assert await host.script(1, f"lose {POOL}") == "ok"
    assert await host.script(1, f"lose {POOL}") == "error: DER_NONEXIST(-1005): The specified entity does not exist"
    host.known_pools = [knows(POOL, "p1", [0, 1])]
    await begin(leader, 2, policies=policies(POOL_LESS_SVC_WITHOUT_QUORUM=INTERACT))
    (asked,) = await host.until_reports(1)
    assert kind_of(asked) == chk_pb2.CIC_POOL_LESS_SVC_WITHOUT_QUORUM
    assert await decide(leader, asked.seq, chk_pb2.CIA_TRUST_PS) == 0
    await until_over(leader)
    assert list(host.registered[0].svcreps) == [0]
    assert {kind_of(report) for report in host.reports} == {
        chk_pb2.CIC_POOL_LESS_SVC_WITHOUT_QUORUM,
        chk_pb2.CIC_ENGINE_HAS_NO_STORAGE,
    }
    host.known_pools = [knows(POOL, "p1", [0])]
    host.reports.clear()
    await begin(leader, 2, flags=chk_pb2.CF_RESET)
    assert (await until_over(leader)).inconsistency.total == 0


async def test_what_a_rank_has_that_does_not_answer_is_not_taken_for_lost(host: EngineHost) -> None:
    leader = await checking(host)
    host.known_pools = [knows(POOL, "p1", [0]), knows(LOST, "elsewhere", [1])]
    await begin(leader, 2)
    assert (await until_over(leader)).ins_status == chk_pb2.CIS_FAILED
    assert host.reports == []


async def test_the_management_service_may_be_right_about_a_label(host: EngineHost) -> None:
    leader = await checking(host)
    host.known_pools = [knows(POOL, "better", [0])]
    await begin(leader, policies=policies(POOL_BAD_LABEL=chk_pb2.CIA_TRUST_MS))
    await until_over(leader)
    host.reports.clear()
    await begin(leader, flags=chk_pb2.CF_RESET)
    assert (await until_over(leader)).inconsistency.total == 0, "the label has changed"
    assert host.registered == []


async def test_what_another_engine_finds_waits_there(host: EngineHost) -> None:
    leader = await checking(host, 2)
    assert await host.script(1, f"pretend CONT_BAD_LABEL {POOL}") == "ok"
    assert (await host.script(1, "pretend NOSUCH p")).startswith("error: the checker finds nothing of class NOSUCH")
    asked = policies(CONT_BAD_LABEL=INTERACT)
    assert (await leader.call(Mgmt.CHK_SET_POLICY, check_pb2.CheckSetPolicyReq(policies=asked))).status == 0
    await begin(leader, 2)
    (report,) = await host.until_reports(1)
    assert (report.rank, kind_of(report)) == (1, chk_pb2.CIC_CONT_BAD_LABEL)
    assert await decide(leader, report.seq, chk_pb2.CIA_TRUST_PS) == Der.NONEXIST
    assert await decide(host.engines[1], report.seq, chk_pb2.CIA_TRUST_PS) == 0
    assert (await until_over(leader)).inconsistency.repaired == 1
    await begin(leader, 2)
    assert (await until_over(leader)).inconsistency.total == 0, "it was repaired"


async def test_a_check_is_stopped_midway_and_goes_on_where_it_was(host: EngineHost) -> None:
    leader = await checking(host)
    host.known_pools.append(knows(LOST, "lost", [0]))
    await begin(leader, policies=policies(POOL_NONEXIST_ON_ENGINE=INTERACT))
    (report,) = await host.until_reports(1)
    assert await begin(leader) == Der.ALREADY
    await until_pools_are(leader, {POOL: chk_pb2.CPS_CHECKED, LOST: chk_pb2.CPS_PENDING})
    assert (await leader.call(Mgmt.CHK_STOP, check_pb2.CheckStopReq(uuids=[LOST]))).status == 0
    found = await ask(leader, LOST)
    assert (found.ins_status, [pool.status for pool in found.pools]) == (chk_pb2.CIS_STOPPED, [chk_pb2.CPS_STOPPED])
    assert await decide(leader, report.seq, chk_pb2.CIA_IGNORE) == Der.NONEXIST
    assert await begin(leader) == 0, "what was checked stays checked"
    (_, again) = await host.until_reports(2)
    assert again.seq > report.seq
    assert await decide(leader, again.seq, chk_pb2.CIA_IGNORE) == 0
    found = await until_over(leader)
    assert (found.ins_status, found.inconsistency.ignored) == (chk_pb2.CIS_COMPLETED, 1)


async def test_a_check_does_not_go_on_by_itself_after_its_engine_died(host: EngineHost) -> None:
    leader = await checking(host)
    host.known_pools = [knows(LOST, "lost", [0])]
    await begin(leader, policies=policies(POOL_NONEXIST_ON_ENGINE=INTERACT))
    (report,) = await host.until_reports(1)
    await leader.stop(signal.SIGKILL)
    leader = await host.start(0, "-C")
    await host.join(leader)
    await host.spread_map()
    assert (await ask(leader)).ins_status == chk_pb2.CIS_PAUSED
    assert await decide(leader, report.seq, chk_pb2.CIA_IGNORE) == Der.NONEXIST
    assert await begin(leader) == 0
    (_, again) = await host.until_reports(2)
    assert (again.action, again.seq > report.seq) == (INTERACT, True), "policies are kept, and numbers go on"


async def test_failing_repairs_are_told_and_may_end_it_all(host: EngineHost) -> None:
    script = {"DAOS_EMULATOR_SCRIPT": f"pretend CONT_NONEXIST_ON_PS {POOL} BUSY"}
    leader = await checking(host, environ=script)
    await begin(leader)
    found = await until_over(leader)
    assert (found.ins_status, found.inconsistency.failed) == (chk_pb2.CIS_COMPLETED, 1)
    assert [pool.status for pool in found.pools] == [chk_pb2.CPS_FAILED]
    assert host.reports[0].result == Der.BUSY
    await begin(leader, flags=chk_pb2.CF_FAILOUT)
    assert (await until_over(leader)).ins_status == chk_pb2.CIS_FAILED
    await begin(leader, flags=chk_pb2.CF_NO_FAILOUT | chk_pb2.CF_RESET)
    assert (await until_over(leader)).ins_status == chk_pb2.CIS_COMPLETED


async def test_with_auto_nobody_is_asked(host: EngineHost) -> None:
    leader = await checking(host)
    host.known_pools = [knows(LOST, "lost", [0])]
    await begin(leader, flags=chk_pb2.CF_AUTO, policies=policies(POOL_NONEXIST_ON_ENGINE=INTERACT))
    assert (await until_over(leader)).inconsistency.ignored == 1
    assert host.reports[0].action == chk_pb2.CIA_IGNORE


async def test_nonsense(host: EngineHost) -> None:
    leader = await checking(host)
    assert await begin(leader, ranks=0) == Der.INVAL
    assert await begin(leader, flags=chk_pb2.CF_AUTO | chk_pb2.CF_NO_AUTO) == Der.INVAL
    assert await begin(leader, flags=chk_pb2.CF_FAILOUT | chk_pb2.CF_NO_FAILOUT) == Der.INVAL
    bad = check_pb2.CheckSetPolicyReq(policies=[check_pb2.CheckInconsistPolicy(inconsist_cas=101)])  # type: ignore[arg-type]
    assert (await leader.call(Mgmt.CHK_SET_POLICY, bad)).status == Der.INVAL
