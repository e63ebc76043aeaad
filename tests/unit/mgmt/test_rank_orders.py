"""Stopping, starting and excluding ranks across hosts that may not answer."""

import asyncio

import pytest

from daos_control.base.errors import Fault, NotLeader
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt.errors import NotStored, Refused
from daos_control.model.member_state import MemberState
from daos_control.store.api import StoreUnavailable
from daos_control.testing.management import Bench, a_join, until
from daos_control.testing.virtual_time import in_virtual_time
from daos_control.wire.pb.mgmt import system_pb2

S = MemberState


def states(bench_management: object) -> dict[int, MemberState]:
    return {rank: member.state for rank, member in bench_management.system.members.items()}  # type: ignore[attr-defined]


def stop(**changes: object) -> system_pb2.SystemStopReq:
    return system_pb2.SystemStopReq(**changes)  # type: ignore[arg-type]


async def test_a_stop_prepares_first_and_force_does_not(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management)
        reply = await management.ranks.stop(stop())
        assert [name for _, name, _ in bench.hosts.calls] == ["PrepShutdownRanks"] * 2 + ["StopRanks"] * 2
        assert [(result.rank, result.action, result.state) for result in reply.results] == [
            (1, "stop", "stopped"),
            (2, "stop", "stopped"),
        ]
        assert states(management) == {1: S.STOPPED, 2: S.STOPPED}
        bench.hosts.calls.clear()
        await management.ranks.stop(stop(force=True))
        assert {(name, request.force) for _, name, request in bench.hosts.calls} == {("StopRanks", True)}


async def test_ranks_of_one_host_are_one_order(bench: Bench) -> None:
    async with bench.leading() as management:
        for number in (1, 2, 3):
            await management.join(a_join(number, addr="10.0.0.9:10001", index=number))
        await management.ranks.stop(stop(force=True, ranks="1,3"))
        ((address, _, request),) = bench.hosts.calls
        assert (address, request.ranks) == ("10.0.0.9:10001", "1,3")


async def test_a_host_that_does_not_answer_leaves_its_ranks_unresponsive(bench: Bench) -> None:
    bench.hosts.down["10.0.0.2:10001"] = FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="10.0.0.2:10001")
    async with bench.leading() as management:
        await bench.with_members(management)
        reply = await management.ranks.stop(stop(force=True))
        assert states(management) == {1: S.STOPPED, 2: S.UNRESPONSIVE}
        failed = reply.results[1]
        assert (failed.errored, failed.state, failed.addr) == (True, "unresponsive", "10.0.0.2:10001")
        assert "refused the connection" in failed.msg
        (event,) = bench.events.events
        assert event.name == "system_stop_failed"
        assert event.message == 'System shutdown failed during "stop" action, failed rank 2'


async def test_a_failed_preparation_stops_nothing(bench: Bench) -> None:
    bench.hosts.failing[2] = "will not"
    async with bench.leading() as management:
        await bench.with_members(management)
        reply = await management.ranks.stop(stop())
        assert {name for _, name, _ in bench.hosts.calls} == {"PrepShutdownRanks"}
        assert [result.action for result in reply.results] == ["prep shutdown"] * 2
        assert states(management) == {1: S.STOPPING, 2: S.ERRORED}
    assert bench.events.names == ["system_stop_failed"]


async def test_started_ranks_are_ready_until_they_join_and_joined_ones_stay_so(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management)
        await management.ranks.stop(stop(force=True, ranks="1"))
        reply = await management.ranks.start(system_pb2.SystemStartReq(check_mode=True))
        assert [result.state for result in reply.results] == ["ready", "ready"]
        assert states(management) == {1: S.READY, 2: S.JOINED}
        assert bench.hosts.calls[-1][2].check_mode
        await management.join(a_join(1, index=1))
        assert states(management)[1] is S.JOINED


async def test_absent_ranks_are_told_and_the_rest_done(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management)
        reply = await management.ranks.stop(stop(force=True, ranks="1,7-8"))
        assert (reply.absentranks, [result.rank for result in reply.results]) == ("7-8", [1])
        reply = await management.ranks.stop(stop(force=True, hosts="10.0.0.[2,77]"))
        assert (reply.absenthosts, [result.rank for result in reply.results]) == ("10.0.0.77", [2])


async def test_admin_excluded_ranks_are_left_alone(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management)
        await management.ranks.exclude(system_pb2.SystemExcludeReq(ranks="1"))
        assert [result.rank for result in (await management.ranks.stop(stop(force=True))).results] == [2]
        with pytest.raises(Fault) as error:
            await management.ranks.stop(stop(force=True, ranks="1-2"))
        assert error.value.code == 622
        kept = stop(force=True, ranks="1-2", ignore_admin_excluded=True)
        assert [result.rank for result in (await management.ranks.stop(kept)).results] == [2]
        with pytest.raises(Refused, match="all requested ranks are administratively excluded"):
            await management.ranks.stop(stop(force=True, ranks="1", ignore_admin_excluded=True))


async def test_exclusion_takes_ranks_out_of_the_map_and_clearing_lets_them_join(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management)
        reply = await management.ranks.exclude(system_pb2.SystemExcludeReq(hosts="10.0.0.1"))
        assert [(result.rank, result.state) for result in reply.results] == [(1, "adminexcluded")]
        assert not management.system.members[1].in_group
        await management.ranks.exclude(system_pb2.SystemExcludeReq(ranks="1", clear=True))
        assert states(management)[1] is S.EXCLUDED
        await management.join(a_join(1, index=1))
        assert states(management)[1] is S.JOINED


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (system_pb2.SystemExcludeReq(), "no hosts or ranks specified"),
        (system_pb2.SystemExcludeReq(ranks="7"), r"invalid rank\(s\): 7"),
        (system_pb2.SystemExcludeReq(hosts="10.9.9.9"), r"invalid host\(s\): 10.9.9.9"),
        (system_pb2.SystemExcludeReq(ranks="1", hosts="h"), "cannot both be set"),
    ],
)
async def test_what_excludes_nobody_is_refused(bench: Bench, request_: system_pb2.SystemExcludeReq, text: str) -> None:
    async with bench.leading() as management:
        await bench.with_members(management)
        with pytest.raises(Refused, match=text):
            await management.ranks.exclude(request_)


# -- time, and who goes away -------------------------------------------------------------------------------------------


def test_a_host_that_hangs_costs_its_own_time_and_what_the_others_did_is_noted_meanwhile() -> None:
    async def play() -> None:
        bench = Bench()
        bench.hosts.takes_s["10.0.0.2:10001"] = 3600
        loop = asyncio.get_running_loop()
        async with bench.leading() as management:
            await bench.with_members(management, 3)
            began = loop.time()
            async with asyncio.TaskGroup() as group:
                stopping = group.create_task(management.ranks.stop(stop(force=True), limit=lambda: 30.0))
                await asyncio.sleep(1)
                assert states(management) == {1: S.STOPPED, 2: S.JOINED, 3: S.STOPPED}
            assert loop.time() - began == pytest.approx(30.0, abs=0.5)
            assert states(management) == {1: S.STOPPED, 2: S.UNRESPONSIVE, 3: S.STOPPED}
            assert [result.errored for result in stopping.result().results] == [False, True, False]

    in_virtual_time(play())


def test_an_order_is_seen_through_though_its_giver_goes_away_and_the_next_is_not_given() -> None:
    async def play() -> None:
        bench = Bench()
        bench.hosts.takes_s = {f"10.0.0.{number}:10001": 5.0 for number in (1, 2)}
        async with bench.leading() as management:
            await bench.with_members(management)
            async with asyncio.TaskGroup() as group:
                stopping = group.create_task(management.ranks.stop(stop()))
                await asyncio.sleep(1)
                stopping.cancel()
            await asyncio.sleep(10)
            assert states(management) == {1: S.STOPPING, 2: S.STOPPING}
            assert {name for _, name, _ in bench.hosts.calls} == {"PrepShutdownRanks"}

    in_virtual_time(play())


async def test_whoever_waits_for_an_order_when_the_leadership_ends_is_sent_to_the_next_leader(bench: Bench) -> None:
    bench.hosts.takes_s["10.0.0.1:10001"] = 3600
    async with bench.leading() as management, asyncio.TaskGroup() as group:
        await bench.with_members(management)

        async def give() -> None:
            with pytest.raises(NotLeader):
                await management.ranks.stop(stop(force=True))

        task = group.create_task(give())
        await until(lambda: len(bench.hosts.calls) == 2)
        bench.store.depose("mgmt")
        with pytest.raises(NotLeader):
            await management.set_attributes({"a": "b"})
        await task


async def test_what_cannot_be_noted_is_an_error_and_giving_the_order_again_notes_it(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management)
        bench.store.fail_next(StoreUnavailable("disk full"))
        with pytest.raises(NotStored):
            await management.ranks.stop(stop(force=True))
        await management.ranks.stop(stop(force=True))
        assert states(management) == {1: S.STOPPED, 2: S.STOPPED}


async def test_a_rank_that_its_host_does_not_mention_is_not_reported(bench: Bench) -> None:
    async with bench.leading() as management:
        await management.join(a_join(1, addr="10.0.0.9:10001", index=1))
        await management.join(a_join(2, addr="10.0.0.9:10001", index=2))
        bench.hosts.silent.add(2)
        reply = await management.ranks.stop(stop(force=True))
        assert [result.rank for result in reply.results] == [1]
        assert states(management) == {1: S.STOPPED, 2: S.JOINED}


async def test_ranks_that_are_stopped_already_stop_once_more(bench: Bench) -> None:
    bench.hosts.states["PrepShutdownRanks"] = "stopped"
    async with bench.leading() as management:
        await bench.with_members(management)
        for _ in range(2):
            reply = await management.ranks.stop(stop())
            assert [(result.state, result.errored) for result in reply.results] == [("stopped", False)] * 2
    assert bench.events.events == []
