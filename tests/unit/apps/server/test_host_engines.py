"""How a host's engines stand and ended, as HostSvc tells it."""

import asyncio
import signal
from datetime import datetime

import pytest

from daos_control.apps.server.servicers.host_engines import EngineLives
from daos_control.base.clock import SystemClock
from daos_control.base.rankset import NIL_RANK
from daos_control.engine.restarts import RestartPolicy
from daos_control.engine.state import EngineState
from daos_control.net.rpc.handlers import Caller
from daos_control.security.components import Component
from daos_control.testing.engine import Stage, stage
from daos_control.wire.pb.control import host_pb2

ADMIN = Caller(component=Component.ADMIN, address="10.0.0.9:4711")
POLICY = RestartPolicy(min_delay_s=100.0)


async def ask(play: Stage, ranks: str = "") -> host_pb2.EnginesResp:
    lives = EngineLives(play.harness, POLICY, hostname="storage1", clock=SystemClock())
    return await lives.engines(host_pb2.EnginesReq(ranks=ranks), ADMIN)


async def test_engines_that_run_and_one_that_waits(tmp_path):
    async with stage(tmp_path, engines=2, restarts=POLICY) as play:
        await play.make_ready(0)
        await play.engines[1].until(EngineState.STARTING)
        reply = await ask(play)
        assert (reply.hostname, reply.policy.limit, reply.policy.window_s) == ("storage1", 4, 1600.0)
        first, second = reply.engines
        assert (first.index, first.rank, first.state, first.pid) == (0, 7, "ready", play.engines[0].process.pid)
        assert first.uuid == play.engines[0].supervisor.uuid
        assert datetime.fromisoformat(first.since).tzinfo is not None
        assert not first.HasField("last_exit")
        assert (second.rank, second.state) == (NIL_RANK, "starting")


@pytest.mark.parametrize(("ranks", "told"), [("7", [7]), ("0-6", []), ("7-8", [7]), ("", [7, NIL_RANK])])
async def test_only_the_ranks_that_are_asked_for(tmp_path, ranks, told):
    async with stage(tmp_path, engines=2) as play:
        await play.make_ready(0)
        await play.engines[1].until(EngineState.STARTING)
        assert [engine.rank for engine in (await ask(play, ranks)).engines] == told


async def test_a_crash_is_told_with_its_signal_and_why_nothing_follows(tmp_path):
    async with stage(tmp_path, restarts=POLICY) as play:
        await play.make_ready()
        play.engines[0].process.send(signal.SIGSEGV)
        await play.engines[0].until(EngineState.STOPPED)
        (engine,) = (await ask(play)).engines
        assert (engine.state, engine.pid, engine.restart_at) == ("stopped", 0, "")
        assert engine.stays_down.startswith("it did not end itself")
        assert engine.last_exit.WhichOneof("how") == "signal"
        assert (engine.last_exit.signal, engine.last_exit.self_terminated) == (signal.SIGSEGV, False)
        assert engine.last_exit.HasField("served_s")


async def test_a_restart_that_is_due_is_told_with_its_time(tmp_path):
    async with stage(tmp_path, restarts=POLICY) as play:
        it = play.engines[0]
        for _ in range(2):
            await play.make_ready()
            it.supervisor.self_terminated()
            exits = len(it.exits)
            it.process.send(signal.SIGKILL)
            async with asyncio.timeout(10):
                await it.supervisor.until(lambda _, exits=exits: len(it.exits) > exits)
        (engine,) = (await ask(play)).engines
        assert (engine.restarts_in_window, engine.restarts_total, engine.stays_down) == (1, 1, "")
        wait = datetime.fromisoformat(engine.restart_at) - datetime.fromisoformat(engine.last_exit.at)
        assert 90 < wait.total_seconds() <= 100
        assert engine.last_exit.self_terminated


async def test_what_exited_by_itself_is_told_with_its_code(tmp_path):
    async with stage(tmp_path) as play:
        it = play.engines[0]
        await it.until(EngineState.STARTING)
        await it.supervisor.stop(signal.SIGKILL)
        (it.folder / "daos_engine").write_text("#!/bin/sh\nexit 3\n")
        it.supervisor.request_start()
        async with asyncio.timeout(10):
            await it.supervisor.until(lambda _: len(it.exits) > 1)
        (engine,) = (await ask(play)).engines
        assert (engine.last_exit.WhichOneof("how"), engine.last_exit.code) == ("code", 3)
        assert not engine.last_exit.HasField("served_s")
