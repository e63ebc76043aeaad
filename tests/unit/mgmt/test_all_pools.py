"""What is asked of all pools together: each answers for itself."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from daos_control.base.errors import DaosError, Fault
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.service import Management
from daos_control.model.member_state import MemberState
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcDisconnected
from daos_control.testing.management import Bench
from daos_control.wire.pb.mgmt import pool_pb2, svc_pb2, system_pb2

QUERY, DRAIN, REINT = drpc.Mgmt.POOL_QUERY, drpc.Mgmt.POOL_DRAIN, drpc.Mgmt.POOL_REINT
START, STOP = drpc.Mgmt.POOL_REBUILD_START, drpc.Mgmt.POOL_REBUILD_STOP
EVALUATE, DEAD = drpc.Mgmt.POOL_SELF_HEAL_EVAL, drpc.Mgmt.GROUP_STATUS_GET
EVICT, SET_PROP = drpc.Mgmt.POOL_EVICT, drpc.Mgmt.POOL_SET_PROP
NAMES = ("beta", "alpha", "")
"""Three pools; the last, without a label, goes by its uuid."""
UUIDS = {name: f"0000000{number}-0000-4000-8000-000000000000" for number, name in enumerate(NAMES)}
IN_ORDER = [UUIDS[""], "alpha", "beta"]


def ok(_: Any) -> svc_pb2.DaosResp:
    return svc_pb2.DaosResp()


def by_pool(**answers: Any) -> Any:
    """Make an engine that answers each pool's requests its own way; ``answers`` are by label."""

    def answer(request: Any) -> Any:
        told = answers[next(name for name, uuid in UUIDS.items() if uuid == request.id) or "unnamed"]
        if isinstance(told, Exception):
            raise told
        return told(request) if callable(told) else told

    return answer


@pytest.fixture
async def leading(bench: Bench) -> AsyncIterator[Management]:
    async with bench.leading() as management:
        bench.engines.open()
        await bench.with_members(management, 3)
        for name, uuid in UUIDS.items():
            await management.pools.register(uuid, name, (1, 2))
        yield management


def always(bench: Bench, method: Any, answer: Any) -> None:
    bench.engines.answer(method, *[answer] * 20)


async def drain(management: Management, ranks: str = "1-2", **fields: Any) -> system_pb2.SystemDrainResp:
    request = system_pb2.SystemDrainReq(ranks=ranks, **fields)
    chosen = await management.ranks.in_service(ranks=request.ranks, hosts=request.hosts)
    return await management.all_pools.drain(request, chosen)


def told(reply: system_pb2.SystemDrainResp) -> dict[str, list[tuple[int, bool, str]]]:
    return {pool.id: [(result.rank, result.errored, result.msg) for result in pool.results] for pool in reply.responses}


# -- drain and reintegrate -------------------------------------------------------------------------------------------


async def test_ranks_are_drained_of_the_pools_that_use_them(bench: Bench, leading: Management) -> None:
    using = {"beta": "[1-3]", "alpha": "[2]", "unnamed": "[3]"}
    answers = {name: pool_pb2.PoolQueryResp(enabled_ranks=ranks) for name, ranks in using.items()}
    always(bench, QUERY, by_pool(**answers))
    reply = await drain(leading)
    assert told(reply) == {"alpha": [(2, False, "")], "beta": [(1, False, ""), (2, False, "")]}
    assert [pool.id for pool in reply.responses] == ["alpha", "beta"]
    assert not reply.reint
    sent = sorted((request.id, request.rank, request.sys) for request in bench.engines.requests(DRAIN))
    full = "daos_server-2.8.0"
    assert sent == [(UUIDS["beta"], 1, full), (UUIDS["beta"], 2, full), (UUIDS["alpha"], 2, full)]
    assert {request.query_mask for request in bench.engines.requests(QUERY)} == {0x4}


async def test_ranks_are_brought_back_where_they_are_missing(bench: Bench, leading: Management) -> None:
    missing = pool_pb2.PoolQueryResp(disabled_ranks="[1]")
    always(bench, QUERY, by_pool(beta=missing, alpha=missing, unnamed=pool_pb2.PoolQueryResp()))
    reply = await drain(leading, reint=True)
    assert told(reply) == {"alpha": [(1, False, "")], "beta": [(1, False, "")]}
    assert reply.reint
    assert len(bench.engines.requests(REINT)) == 2
    assert {request.query_mask for request in bench.engines.requests(QUERY)} == {0x8}


async def test_a_pool_that_fails_takes_nothing_from_the_others(bench: Bench, leading: Management) -> None:
    always(bench, QUERY, pool_pb2.PoolQueryResp(enabled_ranks="[1-2]"))
    refused = pool_pb2.PoolDrainResp(status=-1003)
    first_only = by_pool(
        beta=DrpcDisconnected("sock", "engine went away"),
        alpha=lambda request: refused if request.rank == 1 else pool_pb2.PoolDrainResp(),
        unnamed=pool_pb2.PoolDrainResp(),
    )
    always(bench, DRAIN, first_only)
    results = told(await drain(leading))
    assert results["alpha"] == [(1, True, "DER_INVAL(-1003): Invalid parameters"), (2, False, "")]
    assert results[UUIDS[""]] == [(1, False, ""), (2, False, "")]
    assert all(errored and "went away" in text for _, errored, text in results["beta"])


async def test_a_pool_that_cannot_be_asked_is_no_pool_that_is_drained(bench: Bench, leading: Management) -> None:
    free = pool_pb2.PoolQueryResp()
    always(bench, QUERY, by_pool(beta=pool_pb2.PoolQueryResp(status=-2001), alpha=free, unnamed=free))
    results = told(await drain(leading))
    assert list(results) == ["beta"]
    assert all(
        errored and text.startswith("query on pool failed: DER_IO(-2001)") for _, errored, text in results["beta"]
    )
    assert bench.engines.requests(DRAIN) == []


async def test_pools_are_asked_side_by_side_and_ranks_of_one_in_turn(bench: Bench, leading: Management) -> None:
    under_way: list[str] = []
    most = 0

    async def slowly(request: pool_pb2.PoolDrainReq) -> pool_pb2.PoolDrainResp:
        nonlocal most
        assert request.id not in under_way
        under_way.append(request.id)
        most = max(most, len(under_way))
        for _ in range(5):
            await asyncio.sleep(0)
        under_way.remove(request.id)
        return pool_pb2.PoolDrainResp()

    always(bench, QUERY, pool_pb2.PoolQueryResp(enabled_ranks="[1-3]"))
    always(bench, DRAIN, slowly)
    await drain(leading, "1-3")
    assert most == 3


async def test_what_is_only_for_now_is_asked_again(bench: Bench, leading: Management) -> None:
    leading.all_pools._pause_s = 0
    free = pool_pb2.PoolQueryResp()
    always(bench, QUERY, by_pool(beta=pool_pb2.PoolQueryResp(enabled_ranks="1"), alpha=free, unnamed=free))
    statuses = [-1013, -1036, -1011]
    bench.engines.answer(DRAIN, *[pool_pb2.PoolDrainResp(status=status) for status in statuses])
    assert told(await drain(leading)) == {"beta": [(1, False, "")]}
    assert len(bench.engines.requests(DRAIN)) == 4


async def test_a_pool_that_never_settles_says_what_it_last_said(bench: Bench, leading: Management) -> None:
    always(bench, QUERY, pool_pb2.PoolQueryResp(enabled_ranks="1"))
    ask = system_pb2.SystemDrainReq(ranks="1")
    with leading.pools.locks.hold(UUIDS["beta"]):
        reply = await leading.all_pools.drain(ask, frozenset({1}), limit=lambda: 0.05)
    (result,) = told(reply)["beta"]
    assert result[1]
    assert "lock" in result[2]
    assert told(reply)["alpha"] == [(1, False, "")]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"ranks": ""}, "no hosts or ranks specified"),
        ({"ranks": "7"}, r"invalid rank\(s\): 7"),
        ({"ranks": "", "hosts": "10.9.9.9"}, r"invalid host\(s\): 10.9.9.9"),
        ({"ranks": "1"}, "no pool-ranks found to operate on with request params"),
    ],
)
async def test_what_drains_nothing_is_refused(leading: Management, fields: dict[str, str], text: str) -> None:
    with pytest.raises(Refused, match=text):
        await drain(leading, **fields)


async def test_an_admin_excluded_rank_is_refused(leading: Management) -> None:
    await leading.ranks.exclude(system_pb2.SystemExcludeReq(ranks="2"))
    with pytest.raises(Fault) as error:
        await drain(leading)
    assert error.value.code == 622


# -- rebuilds --------------------------------------------------------------------------------------------------------


async def rebuilds(management: Management, **fields: Any) -> list[tuple[str, int, bool, str]]:
    reply = await management.all_pools.manage_rebuilds(system_pb2.SystemRebuildManageReq(**fields))
    return [(result.id, result.op_code, result.errored, result.msg) for result in reply.results]


async def test_rebuilds_are_started_and_stopped_everywhere(bench: Bench, leading: Management) -> None:
    assert await rebuilds(leading, op_code=1) == [(name, 1, False, "") for name in IN_ORDER]
    bench.engines.answer(STOP, *[svc_pb2.DaosResp(status=-1005)] * 3)
    text = "pool-rebuild stop failed: DER_NONEXIST(-1005): The specified entity does not exist"
    assert await rebuilds(leading, op_code=2, force=True) == [(name, 2, True, text) for name in IN_ORDER]
    assert len(bench.engines.requests(START)) == 3
    assert all(request.force for request in bench.engines.requests(STOP))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"op_code": 1, "force": True}, "force flag not supported with pool-rebuild opcode start"),
        ({"op_code": 0}, "invalid pool-rebuild opcode 0"),
        ({"op_code": 3}, "invalid pool-rebuild opcode 3"),
    ],
)
async def test_wrong_orders_about_rebuilds_reach_nobody(
    bench: Bench, leading: Management, fields: dict[str, Any], text: str
) -> None:
    assert [result[2:] for result in await rebuilds(leading, **fields)] == [(True, text)] * 3
    assert bench.engines.requests(START) == bench.engines.requests(STOP) == []


async def test_without_pools_there_is_nothing_to_do(bench: Bench) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        assert await rebuilds(management, op_code=2) == []
        await management.all_pools.evaluate_self_heal()


# -- self-healing ----------------------------------------------------------------------------------------------------


async def test_dead_ranks_are_excluded_and_pools_look_again(bench: Bench, leading: Management) -> None:
    bench.engines.answer(DEAD, svc_pb2.GetGroupStatusResp(dead_ranks=[77, 2]))
    await leading.all_pools.evaluate_self_heal()
    assert leading.system.members[2].state is MemberState.EXCLUDED
    sent = {(request.id, request.sys_prop_val) for request in bench.engines.requests(EVALUATE)}
    assert sent == {(uuid, "exclude;pool_exclude;pool_rebuild") for uuid in UUIDS.values()}


@pytest.mark.parametrize(
    ("policy", "asked", "evaluated"),
    [("none", 0, 0), ("exclude", 1, 0), ("pool_rebuild", 0, 3), ("pool_exclude", 0, 3)],
)
async def test_only_what_the_property_says_is_done(
    bench: Bench, leading: Management, policy: str, asked: int, evaluated: int
) -> None:
    await leading.set_properties({"self_heal": policy})
    await leading.all_pools.evaluate_self_heal()
    assert len(bench.engines.requests(DEAD)) == asked
    assert len(bench.engines.requests(EVALUATE)) == evaluated


async def test_pools_that_cannot_look_are_named_and_the_others_do(bench: Bench, leading: Management) -> None:
    failed = svc_pb2.DaosResp(status=-1003)
    always(bench, EVALUATE, by_pool(beta=failed, alpha=failed, unnamed=ok))
    with pytest.raises(Refused, match=r"failed for 2 pools \(alpha, beta\), check server log"):
        await leading.all_pools.evaluate_self_heal()
    assert len(bench.engines.requests(EVALUATE)) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [(svc_pb2.GetGroupStatusResp(status=-1036), DaosError), (DrpcDisconnected("s", "gone"), Refused)],
)
async def test_engines_that_do_not_know_who_is_dead_end_it(
    bench: Bench, leading: Management, answer: Any, error: type[Exception]
) -> None:
    bench.engines.answer(DEAD, answer)
    with pytest.raises(error):
        await leading.all_pools.evaluate_self_heal()
    assert bench.engines.requests(EVALUATE) == []


# -- users and properties --------------------------------------------------------------------------------------------


async def test_a_machine_is_evicted_from_every_pool(bench: Bench, leading: Management) -> None:
    always(
        bench,
        EVICT,
        by_pool(
            beta=pool_pb2.PoolEvictResp(count=3),
            alpha=DrpcDisconnected("sock", "engine went away"),
            unnamed=pool_pb2.PoolEvictResp(status=-1013),
        ),
    )
    reply = await leading.all_pools.clean_up(system_pb2.SystemCleanupReq(machine="node7", sys="x"))
    results = {result.pool_id: (result.status, result.count, result.msg) for result in reply.results}
    assert results[UUIDS["beta"]] == (0, 3, "")
    assert results[UUIDS["alpha"]][:2] == (-1025, 0)
    assert "went away" in results[UUIDS["alpha"]][2]
    assert results[UUIDS[""]][:2] == (-1013, 0)
    assert {(request.machine, request.sys) for request in bench.engines.requests(EVICT)} == {("node7", "x")}
    with pytest.raises(Refused):
        await leading.all_pools.clean_up(system_pb2.SystemCleanupReq())


async def test_system_properties_reach_the_pools_that_are_there(bench: Bench, leading: Management) -> None:
    await leading.set_properties({"pool_scrub_mode": "timed", "self_heal": "none"})
    for sent in bench.engines.requests(SET_PROP):
        assert [(prop.number, prop.numval) for prop in sent.properties] == [(16, 2)]
    assert {sent.id for sent in bench.engines.requests(SET_PROP)} == set(UUIDS.values())


async def test_a_pool_that_does_not_take_a_property_keeps_it_from_nobody(bench: Bench, leading: Management) -> None:
    done = pool_pb2.PoolSetPropResp()
    always(bench, SET_PROP, by_pool(beta=pool_pb2.PoolSetPropResp(status=-1003), alpha=done, unnamed=done))
    with pytest.raises(Refused, match=r"set it again to try again\): beta: DER_INVAL\(-1003\)"):
        await leading.set_properties({"pool_scrub_thresh": "7"})
    assert leading.get_properties(["pool_scrub_thresh"]) == {"pool_scrub_thresh": "7"}
    assert len(bench.engines.requests(SET_PROP)) == 3
