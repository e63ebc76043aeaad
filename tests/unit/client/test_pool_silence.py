"""Pools that do not tell their space because ranks are dead: waited for as long as it may help, and no longer."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.client.daos import DaosClient
from daos_control.client.errors import Interrupted
from daos_control.client.pools import HEALTH_ONLY
from daos_control.model.pool_property import PoolQuery
from daos_control.testing.virtual_time import in_virtual_time
from daos_control.wire.pb.mgmt import pool_pb2

HEALTHY = pool_pb2.PoolQueryResp(uuid="u", total_targets=4, total_engines=2)
LISTED = pool_pb2.ListPoolsResp(pools=[pool_pb2.ListPoolsResp.Pool(uuid="u", label="tank", state="Ready")])


class Pool:
    """A management service with a pool whose space is known from a moment on, and that has dead ranks until one."""

    def __init__(self, *, space_s: float, dead: str = "[2]", dead_s: float = 1e6, health_s: float = 0.1) -> None:
        self._space_s = space_s
        self._health_s = health_s
        self._dead = dead
        self._dead_s = dead_s
        self.masks: list[int] = []

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None: ...

    async def aclose(self) -> None: ...

    async def call(self, address: str, method: Any, request: Any, *, timeout_s: float | None = None) -> Any:
        match method.name:
            case "ListPools":
                return LISTED
            case "PoolQuery" if request.query_mask and not request.query_mask & PoolQuery.SPACE:
                self.masks.append(request.query_mask)
                await asyncio.sleep(self._health_s)
                is_dead = asyncio.get_running_loop().time() < self._dead_s
                return pool_pb2.PoolQueryResp(uuid="u", total_targets=4, dead_ranks=self._dead if is_dead else "")
            case "PoolQuery":
                await asyncio.sleep(self._space_s)
                return HEALTHY
            case "PoolQueryTarget":
                await asyncio.sleep(self._space_s)
                return pool_pb2.PoolQueryTargetResp()
            case name:
                raise AssertionError(name)


def ask(pool: Pool, question: Callable[[DaosClient], Any]) -> tuple[Any, float]:
    """Return what comes of a question, be it an error, and how long that took."""

    async def play() -> tuple[Any, float]:
        try:
            found = await question(DaosClient(pool, ["a"]))
        except DaosControlError as error:
            found = error
        return found, asyncio.get_running_loop().time()

    return in_virtual_time(play())


def query(daos: DaosClient) -> Any:
    return daos.pools.query("tank", mask=int(PoolQuery.SPACE))


def targets(daos: DaosClient) -> Any:
    return daos.pools.query_targets("tank", 1)


def targets_by_number(daos: DaosClient) -> Any:
    return daos.pools.query_targets("tank", 2, [0])


@pytest.mark.parametrize("question", [query, targets, targets_by_number])
def test_a_rank_that_stays_dead_in_its_pool_is_named_instead_of_waited_for(question: Any) -> None:
    error, took_s = ask(Pool(space_s=1e6, dead="[2-3]"), question)
    assert isinstance(error, Fault)
    assert error.code == FaultCode.CLIENT_RPC_TIMEOUT
    assert "tank" in error.description
    assert "2-3" in error.description
    assert "dmg pool query --health-only tank" in error.resolution
    assert "dmg pool exclude --ranks=2-3 tank" in error.resolution
    assert 60 < took_s < 61


def test_a_rank_that_a_pool_is_about_to_do_without_is_waited_for() -> None:
    found, took_s = ask(Pool(space_s=80, dead_s=30), query)
    assert (found.total_targets, took_s) == (4, 80)


def test_a_pool_without_dead_ranks_has_as_long_as_any() -> None:
    found, took_s = ask(Pool(space_s=250, dead=""), query)
    assert (found.total_targets, took_s) == (4, 250)
    error, took_s = ask(Pool(space_s=1e6, dead=""), query)
    assert (error.code, took_s) == (FaultCode.CLIENT_RPC_TIMEOUT, 300)


def test_a_pool_of_which_nothing_is_known_has_as_long_as_any() -> None:
    error, took_s = ask(Pool(space_s=1e6, health_s=1e6), query)
    assert error == FaultCode.CLIENT_RPC_TIMEOUT.fault(request="PoolQuery", limit="300 s")
    assert took_s == 300


def test_a_pool_that_answers_is_not_asked_for_its_dead() -> None:
    pool = Pool(space_s=19)
    ask(pool, query)
    assert pool.masks == []


def test_what_is_asked_about_the_dead_needs_no_rank_that_may_be_dead() -> None:
    pool = Pool(space_s=30)
    ask(pool, query)
    assert pool.masks == [int(PoolQuery.ENGINES_DEAD)]
    assert ask(pool, lambda daos: daos.pools.query("tank", mask=HEALTH_ONLY))[1] == pytest.approx(0.1)


def test_a_list_names_the_reason_as_well() -> None:
    found, took_s = ask(Pool(space_s=1e6), lambda daos: daos.pools.list())
    assert "rank" in found.query_errors["u"].description
    assert took_s < 61


def test_whoever_has_waited_long_enough_is_told_so() -> None:
    async def impatient(daos: DaosClient) -> Any:
        asyncio.get_running_loop().call_later(35, daos.waiting.interrupt)
        return await query(daos)

    error, took_s = ask(Pool(space_s=1e6), impatient)
    assert isinstance(error, Interrupted)
    assert took_s == pytest.approx(35)
