"""The rank calls: who is touched, what is answered."""

import asyncio
import signal

import pytest

from daos_control.apps.server.servicers.ctl_ranks import NoRanksError, RankService
from daos_control.base.errors import DaosControlError, Fault
from daos_control.engine.ports import Admission, Standing
from daos_control.engine.state import EngineState
from daos_control.net.drpc.errors import DrpcFailure
from daos_control.net.drpc.methods import Mgmt
from daos_control.net.rpc.handlers import Caller
from daos_control.security.components import Component
from daos_control.testing.engine import stage
from daos_control.wire.pb.ctl.ranks_pb2 import RanksReq, RanksResp
from daos_control.wire.pb.mgmt import svc_pb2
from daos_control.wire.pb.shared.ranks_pb2 import RankResult

LEADER = Caller(component=Component.SERVER, address="10.0.0.1:4711")
BOTH = RanksReq(ranks="7-8")


async def both_ready(play):
    for index in range(2):
        await play.make_ready(index)
    return RankService(play.harness)


@pytest.mark.parametrize("call", ["prepare_shutdown", "stop", "start", "reset_format"])
async def test_no_ranks_is_an_error(tmp_path, call):
    async with stage(tmp_path) as play:
        with pytest.raises(NoRanksError):
            await getattr(RankService(play.harness), call)(RanksReq(), LEADER)


async def test_ranks_of_others_and_engines_without_a_rank_are_left_alone(tmp_path):
    async with stage(tmp_path, engines=2) as play:
        await play.make_ready(0)
        service = RankService(play.harness)
        assert await service.stop(RanksReq(ranks="0-6,9-100"), LEADER) == RanksResp()
        assert await service.stop(BOTH, LEADER) == RanksResp(
            results=[RankResult(rank=7, state="stopped", msg="system stop")]
        )
        assert play.engines[1].supervisor.state is EngineState.STARTING


async def test_an_orderly_stop_and_a_start(tmp_path):
    async with stage(tmp_path, engines=2, answers={Mgmt.PREP_SHUTDOWN: lambda _: svc_pb2.DaosResp()}) as play:
        service = await both_ready(play)
        assert await service.prepare_shutdown(BOTH, LEADER) == RanksResp(
            results=[RankResult(rank=7, state="stopping"), RankResult(rank=8, state="stopping")]
        )
        reply = await service.stop(BOTH, LEADER)
        assert [result.state for result in reply.results] == ["stopped", "stopped"]
        assert all("signal: interrupt" in engine.exits[0] for engine in play.engines)
        assert all(engine.changes[-1].exit.wanted for engine in play.engines)
        reply = await service.prepare_shutdown(BOTH, LEADER)
        assert [result.state for result in reply.results] == ["stopped", "stopped"]
        play.engines[0].town.answer = lambda _: Admission(rank=7, map_version=3, standing=Standing.CHECK)
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(service.start(RanksReq(ranks="7", check_mode=True), LEADER))
            await play.make_ready(0)
        assert starting.result() == RanksResp(results=[RankResult(rank=7, state="ready", msg="system start")])
        assert play.engines[0].supervisor.check_mode
        assert play.engines[1].supervisor.state is EngineState.STOPPED


async def test_force_kills(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        await RankService(play.harness).stop(RanksReq(ranks="7", force=True), LEADER)
        assert "signal: killed" in play.engines[0].exits[0]


async def test_starting_what_runs_changes_nothing_but_the_mode(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        pid = play.engines[0].process.pid
        reply = await RankService(play.harness).start(RanksReq(ranks="7", check_mode=True), LEADER)
        assert reply.results[0].state == "ready"
        assert play.engines[0].process.pid == pid


async def test_what_was_prepared_for_its_end_and_never_ended_is_started_anew(tmp_path):
    async with stage(tmp_path, engines=2, answers={Mgmt.PREP_SHUTDOWN: lambda _: svc_pb2.DaosResp()}) as play:
        service = await both_ready(play)
        await service.prepare_shutdown(RanksReq(ranks="7"), LEADER)
        prepared, untouched = (engine.process.pid for engine in play.engines)
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(service.start(BOTH, LEADER))
            await play.make_ready(0)
        assert [(result.rank, result.state) for result in starting.result().results] == [(7, "ready"), (8, "ready")]
        assert play.engines[0].process.pid != prepared, "a prepared engine never excludes anybody again"
        assert play.engines[1].process.pid == untouched
        assert [change.exit.wanted for change in play.engines[0].changes if change.exit] == [True]
        assert [candidate.index for candidate in play.town.asked].count(0) == 2, "it has joined once more"
        again = play.engines[0].process.pid
        await service.start(BOTH, LEADER)
        assert play.engines[0].process.pid == again, "that life was not prepared for its end"


async def test_a_preparation_whose_answer_got_lost_may_have_been_made(tmp_path):
    def lose(_):
        raise DrpcFailure

    async with stage(tmp_path, answers={Mgmt.PREP_SHUTDOWN: lose}) as play:
        await play.make_ready()
        service = RankService(play.harness)
        (result,) = (await service.prepare_shutdown(RanksReq(ranks="7"), LEADER)).results
        assert result.errored
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(service.start(RanksReq(ranks="7"), LEADER))
            await play.make_ready()
        assert starting.result().results[0].state == "ready"


async def test_an_engine_that_cannot_start_is_told_at_once(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        service = RankService(play.harness)
        await service.stop(RanksReq(ranks="7", force=True), LEADER)
        play.town.answer = refuse
        async with asyncio.TaskGroup() as group:
            starting = group.create_task(service.start(RanksReq(ranks="7"), LEADER))
            await play.engines[0].until(EngineState.STARTING)
            play.call_back()
        (result,) = starting.result().results
        assert (result.errored, result.state, result.msg) == (True, "errored", "system start: rank failed to start")


async def test_a_refused_preparation_is_an_error_of_that_rank_alone(tmp_path):
    async with stage(tmp_path, engines=2, answers={Mgmt.PREP_SHUTDOWN: lambda _: svc_pb2.DaosResp()}) as play:
        service = await both_ready(play)
        play.engines[1].answers[Mgmt.PREP_SHUTDOWN] = lambda _: svc_pb2.DaosResp(status=-1025)
        first, second = (await service.prepare_shutdown(BOTH, LEADER)).results
        assert (first.state, second.state) == ("stopping", "errored")
        assert "DER_MISC(-1025)" in second.msg


async def test_identities_are_taken_from_stopped_engines_only(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        service = RankService(play.harness)
        with pytest.raises(Fault) as running:
            await service.reset_format(RanksReq(ranks="7"), LEADER)
        assert running.value.code == 612
        await play.engines[0].supervisor.stop(signal.SIGKILL)
        reply = await service.reset_format(RanksReq(ranks="7"), LEADER)
        assert reply == RanksResp(results=[RankResult(rank=7, state="awaitformat")])
        assert not (play.engines[0].folder / "superblock").exists()


def refuse(_):
    raise DaosControlError("excluded")


# -- engines that do not get there in time: they are reported as late, the others as they are ------------------------


def in_a_hurry(seconds: float = 0.3) -> Caller:
    return Caller(
        component=Component.SERVER, address="10.0.0.1:4711", deadline=asyncio.get_running_loop().time() + seconds
    )


async def until_the_second_has(obeyed):
    """Give an order to both engines, in a hurry, until the second carries it out: a busy machine may take longer."""
    async with asyncio.timeout(10):
        while True:
            first, second = (await obeyed(BOTH, in_a_hurry())).results
            if not second.errored:
                return first, second


async def test_an_engine_that_does_not_answer_is_unresponsive_and_keeps_no_other(tmp_path):
    awake = asyncio.Event()

    async def hang(_):
        await awake.wait()
        return svc_pb2.DaosResp()

    async with stage(tmp_path, engines=2, answers={Mgmt.PREP_SHUTDOWN: lambda _: svc_pb2.DaosResp()}) as play:
        service = await both_ready(play)
        play.engines[0].answers[Mgmt.PREP_SHUTDOWN] = hang
        first, second = await until_the_second_has(service.prepare_shutdown)
        awake.set()
        assert (first.rank, first.errored, first.state) == (7, True, "unresponsive")
        assert (second.rank, second.errored, second.state) == (8, False, "stopping")


async def deafen(play, index: int = 0) -> None:
    """Start an engine anew as one that does not hear when it is asked to end."""
    it = play.engines[index]
    await it.supervisor.stop(signal.SIGKILL)
    deaf = it.folder / "deaf"
    (it.folder / "daos_engine").write_text(f"#!/bin/sh\ntrap '' INT\n: > {deaf}\nexec /bin/sleep 1000\n")
    it.supervisor.request_start()
    await play.make_ready(index)
    async with asyncio.timeout(10):
        while not deaf.exists():  # noqa: ASYNC110  another process makes it
            await asyncio.sleep(0.01)


async def test_an_engine_that_does_not_end_is_reported_and_force_ends_it(tmp_path):
    async with stage(tmp_path, engines=2) as play:
        service = await both_ready(play)
        await deafen(play)
        first, second = await until_the_second_has(service.stop)
        assert (first.errored, first.state, first.msg) == (True, "errored", "system stop: rank failed to stop")
        assert (second.errored, second.state, second.msg) == (False, "stopped", "system stop")
        reply = await service.stop(RanksReq(ranks="7-8", force=True), LEADER)
        assert [result.state for result in reply.results] == ["stopped", "stopped"]


async def test_an_engine_that_is_still_ending_is_started_once_it_has_ended(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        await deafen(play)
        service = RankService(play.harness)
        assert (await service.stop(RanksReq(ranks="7"), in_a_hurry())).results[0].errored
        (result,) = (await service.start(RanksReq(ranks="7"), in_a_hurry())).results
        assert (result.errored, result.msg) == (True, "system start: rank failed to start")
        play.engines[0].process.send(signal.SIGTERM)  # now it ends
        await play.make_ready()
        assert (await service.start(RanksReq(ranks="7"), LEADER)).results[0].state == "ready"


async def test_an_engine_that_takes_long_to_start_is_reported_and_goes_on(tmp_path):
    async with stage(tmp_path, engines=2) as play:
        service = await both_ready(play)
        await service.stop(RanksReq(ranks="7", force=True), LEADER)
        first, second = (await service.start(BOTH, in_a_hurry())).results
        assert (first.errored, first.state, first.msg) == (True, "errored", "system start: rank failed to start")
        assert (second.errored, second.state, second.msg) == (False, "ready", "system start")
        await play.make_ready(0)
        assert [result.state for result in (await service.start(BOTH, LEADER)).results] == ["ready", "ready"]


async def test_a_reset_is_remembered_until_the_storage_is_cleared(tmp_path):
    async with stage(tmp_path) as play:
        await play.make_ready()
        supervisor = play.engines[0].supervisor
        assert not await supervisor.forgot_identity()
        await supervisor.stop(signal.SIGKILL)
        await RankService(play.harness).reset_format(RanksReq(ranks="7"), LEADER)
        assert await supervisor.forgot_identity()
        assert not supervisor.storage_ready.is_set()
        assert (await RankService(play.harness).reset_format(RanksReq(ranks="7"), LEADER)) == RanksResp(), "once is all"
