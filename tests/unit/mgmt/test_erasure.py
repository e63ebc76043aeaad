"""The end of a system, and what keeps it from ending."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from daos_control.base import aio
from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt.service import Management
from daos_control.model.member_state import MemberState
from daos_control.testing.data_plane import FakeHosts
from daos_control.testing.management import ADDRESS, Bench, a_join, some_settings
from daos_control.wire.pb.mgmt import system_pb2

S = MemberState
OTHER_REPLICA = "10.0.0.8:10001"


@pytest.fixture
async def leading(bench: Bench) -> AsyncIterator[Management]:
    """A stopped system of three hosts; rank 1 is the leader's own."""
    bench.settings = some_settings(replicas=(ADDRESS, OTHER_REPLICA))
    async with bench.leading() as management:
        bench.engines.open()
        for number in (1, 2, 3):
            await management.join(a_join(number, index=1))
        await management.ranks.stop(system_pb2.SystemStopReq(force=True))
        bench.hosts.calls.clear()
        yield management


def results(reply: system_pb2.SystemEraseResp) -> list[tuple[int, str, str, bool]]:
    return [(result.rank, result.action, result.state, result.errored) for result in reply.results]


async def test_all_others_go_before_the_leaders_own(bench: Bench, leading: Management) -> None:
    reply = await leading.erasure.lead()
    assert results(reply) == [(rank, "reset format", "awaitformat", False) for rank in (1, 2, 3)]
    told = [(address, name) for address, name, _ in bench.hosts.calls]
    assert sorted(told[:2]) == [("10.0.0.2:10001", "ResetFormatRanks"), ("10.0.0.3:10001", "ResetFormatRanks")]
    assert told[2:] == [(OTHER_REPLICA, "SystemErase"), (ADDRESS, "ResetFormatRanks")]
    assert bench.premises.erased == 1
    assert bench.premises.resets == 0


async def test_a_rank_that_cannot_be_reset_keeps_the_system(bench: Bench, leading: Management) -> None:
    bench.hosts.failing[3] = "busy"
    reply = await leading.erasure.lead()
    assert results(reply) == [
        (1, "reset format", "stopped", False),
        (2, "reset format", "awaitformat", False),
        (3, "reset format", "errored", True),
    ]
    assert "left as it is" in reply.results[0].msg
    assert bench.premises.erased == 0
    states = {rank: member.state for rank, member in leading.system.members.items()}
    assert states == {1: S.STOPPED, 2: S.AWAIT_FORMAT, 3: S.STOPPED}, "failures change nothing that is recorded"
    del bench.hosts.failing[3]
    assert not any(failed for *_, failed in results(await leading.erasure.lead()))
    assert bench.premises.erased == 1


async def test_a_host_that_does_not_answer_keeps_the_system(bench: Bench, leading: Management) -> None:
    bench.hosts.down["10.0.0.2:10001"] = FaultCode.CLIENT_CONNECTION_NO_ROUTE.fault(address="10.0.0.2", reason="")
    assert (2, "reset format", "unresponsive", True) in results(await leading.erasure.lead())
    assert bench.premises.erased == 0


async def test_the_leaders_own_rank_may_fail_too(bench: Bench, leading: Management) -> None:
    bench.hosts.failing[1] = "busy"
    assert (1, "reset format", "errored", True) in results(await leading.erasure.lead())
    assert bench.premises.erased == 0


@pytest.mark.parametrize(
    "gone",
    [
        FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="x"),
        FaultCode.CLIENT_CONNECTION_CLOSED.fault(address="x", reason=""),
        FaultCode.CLIENT_CONNECTION_TIMED_OUT.fault(address="x", reason=""),
    ],
)
async def test_a_replica_that_is_down_keeps_nobody(bench: Bench, leading: Management, gone: Fault) -> None:
    bench.hosts.down[OTHER_REPLICA] = gone
    await leading.erasure.lead()
    assert bench.premises.erased == 1


async def test_a_replica_that_will_not_keeps_the_system_and_the_leaders_own_ranks(
    bench: Bench, leading: Management
) -> None:
    bench.hosts.down[OTHER_REPLICA] = FaultCode.SERVER_WRONG_SYSTEM.fault(requested="x", actual="y")
    with pytest.raises(DaosControlError):
        await leading.erasure.lead()
    assert bench.premises.erased == 0
    assert leading.system.members[1].state is S.STOPPED


async def test_another_replica_resets_its_host_and_erases_itself(bench: Bench) -> None:
    management = bench.management()
    assert await management.erasure.follow() == system_pb2.SystemEraseResp()
    assert (bench.premises.resets, bench.premises.erased) == (1, 1)


async def test_a_system_without_members_can_be_erased(bench: Bench) -> None:
    bench.settings = replace(bench.settings, replicas=(ADDRESS,))
    async with bench.leading() as management:
        assert results(await management.erasure.lead()) == []
    assert bench.premises.erased == 1


# -- killed in the middle ----------------------------------------------------------------------------------------------


class Deadly(FakeHosts):
    """Hosts that do as they are told; the leader is killed before it hears of one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.killed_at = -1
        self.answered = 0
        self.at_the_point = asyncio.Event()
        self.reset: set[str] = set()

    async def call(self, address: str, method: Any, request: Any, /, *, timeout_s: float | None = None) -> Any:
        reply = await super().call(address, method, request, timeout_s=timeout_s)
        if method.name == "ResetFormatRanks":
            self.reset.add(address)
        self.answered += 1
        if self.answered == self.killed_at:
            self.at_the_point.set()
            await asyncio.Event().wait()
        return reply


@pytest.mark.parametrize("killed_at", range(1, 7))
async def test_a_leader_that_is_killed_can_erase_again_and_knows_everybody(killed_at: int) -> None:
    """Calls are: three stops, two resets of others, one of the leader's own."""
    hosts = Deadly()
    bench = Bench(hosts=hosts)
    async with bench.leading() as management:
        for number in (1, 2, 3):
            await management.join(a_join(number, index=1))
        hosts.killed_at = killed_at
        async with aio.background() as tasks:
            tasks.start("an administrator", _erase(management))
            await hosts.at_the_point.wait()
    assert bench.premises.erased == 0
    hosts.killed_at = -1
    async with bench.leading() as management:
        assert set(management.system.members) == {1, 2, 3}
        await _erase(management)
    assert bench.premises.erased == 1
    assert hosts.reset == {f"10.0.0.{number}:10001" for number in (1, 2, 3)}


async def _erase(management: Management) -> None:
    await management.ranks.stop(system_pb2.SystemStopReq(force=True))
    assert not any(failed for *_, failed in results(await management.erasure.lead()))
