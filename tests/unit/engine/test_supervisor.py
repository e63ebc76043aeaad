"""The life of an engine, with a real process that does nothing and a socket that answers for it."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from daos_control.base import aio
from daos_control.base.clock import SystemClock
from daos_control.base.errors import DaosControlError, Fault
from daos_control.engine import superblock
from daos_control.engine.command import EngineSettings, Fabric, Storage
from daos_control.engine.harness import Harness
from daos_control.engine.state import EngineState
from daos_control.engine.supervisor import (
    Admission,
    Candidate,
    Change,
    EngineSupervisor,
    Place,
    RefusedError,
    RestartPolicy,
    Standing,
)
from daos_control.host.mounts import Space
from daos_control.net.drpc import server
from daos_control.net.drpc.methods import Mgmt
from daos_control.testing.logs import captured_logs
from daos_control.wire.pb.mgmt import svc_pb2
from daos_control.wire.pb.srv import srv_pb2


class Disk:
    """An engine's storage, formatted or not."""

    def __init__(self) -> None:
        self.formatted = True

    async def needs_format(self) -> bool:
        await asyncio.sleep(0)
        return not self.formatted

    async def usage(self) -> Space:
        return Space(4 << 30, 3 << 30)


class Town:
    """The system that engines join."""

    def __init__(self) -> None:
        self.asked: list[Candidate] = []
        self.answer: Callable[[Candidate], Admission] = lambda _: Admission(rank=7, map_version=3)

    async def join(self, candidate: Candidate) -> Admission:
        self.asked.append(candidate)
        await asyncio.sleep(0)
        return self.answer(candidate)


class Scene:
    """One engine and all that is around it."""

    def __init__(self, folder: Path, restarts: RestartPolicy) -> None:
        self.folder = folder
        self.disk = Disk()
        self.town = Town()
        self.changes: list[Change] = []
        self.told: list[object] = []
        self.rank_status = 0
        binary = folder / "daos_engine"
        binary.write_text("#!/bin/sh\necho DAOS I/O Engine here\nexec /bin/sleep 1000\n")
        binary.chmod(0o755)
        self.engine = EngineSupervisor(
            EngineSettings(
                index=0,
                system="daos_server",
                socket_dir=str(folder),
                targets=1,
                helpers=0,
                fabric=Fabric(provider="ofi+tcp", interface="lo", port=31416),
                storage=Storage(scm_mount=str(folder)),
            ),
            Place(binary=binary, superblock=folder / "superblock", fault_domain="/h1", inherited={}, first_rank=0),
            scm=self.disk,
            membership=self.town,
            clock=SystemClock(),
            restarts=restarts,
        )
        self.harness = Harness([self.engine])
        self.engine.listen(self.changes.append)

    @property
    def socket(self) -> str:
        return str(self.folder / "engine.sock")

    @property
    def exits(self) -> list[str]:
        return [change.exit.text for change in self.changes if change.exit]

    async def set_rank(self, request: svc_pb2.SetRankReq, _: server.Peer) -> svc_pb2.DaosResp:
        self.told.append((request.rank, request.map_version))
        return svc_pb2.DaosResp(status=self.rank_status)

    async def set_up(self, _request: None, _: server.Peer) -> svc_pb2.DaosResp:
        self.told.append("set up")
        return svc_pb2.DaosResp()

    def call_back(self, **fields: object) -> None:
        notice = {"uri": "ofi+tcp://10.0.0.1:31416", "nctxs": 3, "drpcListenerSock": self.socket, "incarnation": 99}
        self.harness.notify_ready(srv_pb2.NotifyReadyReq(**{**notice, **fields}))

    async def until(self, state: EngineState) -> None:
        async with asyncio.timeout(10):
            await self.engine.until(lambda now: now is state)

    async def make_ready(self) -> None:
        await self.until(EngineState.STARTING)
        self.call_back()
        await self.until(EngineState.READY)


@asynccontextmanager
async def scene(
    tmp_path: Path, restarts: RestartPolicy | None = None, *, formatted: bool = True
) -> AsyncIterator[Scene]:
    stage = Scene(tmp_path, restarts or RestartPolicy())
    stage.disk.formatted = formatted
    if formatted:
        superblock.write(tmp_path / "superblock", superblock.Superblock.new(system="daos_server", fault_domain="/h1"))
    handlers = {Mgmt.SET_RANK: stage.set_rank, Mgmt.SET_UP: stage.set_up}
    async with server.serve(stage.socket, handlers, mode=0o600), aio.background() as tasks:
        tasks.start("harness", stage.harness.run())
        yield stage


async def test_from_start_to_service(tmp_path):
    with captured_logs() as lines:
        async with scene(tmp_path) as it:
            await it.make_ready()
            assert it.told == [(7, 3), "set up"]
            assert [change.state for change in it.changes] == [
                EngineState.CHECKING,
                EngineState.STARTING,
                EngineState.JOINING,
                EngineState.READY,
            ]
            kept = superblock.read(tmp_path / "superblock")
            assert kept is not None
            assert (kept.joined_rank, kept.uri, kept.incarnation) == (7, "ofi+tcp://10.0.0.1:31416", 99)
            assert it.town.asked[0].rank == 0, "the first engine of the system claims rank 0"
    events = [line.event for line in lines]
    assert events.count("daos_engine:0 DAOS I/O Engine here") == 1
    assert not any("format required" in event for event in events)


async def test_an_engine_waits_for_its_format_and_says_so_once(tmp_path):
    with captured_logs() as lines:
        async with scene(tmp_path, formatted=False) as it:
            await it.until(EngineState.AWAIT_FORMAT)
            it.engine.request_start()
            await asyncio.sleep(0.05)
            assert it.engine.state is EngineState.AWAIT_FORMAT, "a start does not replace a format"
            it.disk.formatted = True
            it.engine.grant_storage(replace=False)
            await it.make_ready()
    assert [line.event for line in lines].count("SCM format required on instance 0") == 1
    assert [change.format_kind for change in it.changes if change.format_kind] == ["SCM"]


async def test_a_missing_superblock_asks_for_a_metadata_format(tmp_path):
    async with scene(tmp_path) as it:
        await it.make_ready()
        await it.engine.stop(signal.SIGKILL)
        await it.engine.forget_identity()
        it.engine.request_start()
        await it.until(EngineState.AWAIT_FORMAT)
        assert it.changes[-1].format_kind == "Metadata"
        it.engine.grant_storage(replace=True)
        await it.make_ready()
        assert (it.town.asked[-1].rank, it.town.asked[-1].replace) == (None, True)
        assert it.town.asked[-1].uuid != it.town.asked[0].uuid


async def test_an_unwanted_end_is_told_with_its_cause_and_nothing_starts_again(tmp_path):
    async with scene(tmp_path) as it:
        await it.make_ready()
        it.engine._process.send(signal.SIGKILL)
        await it.until(EngineState.STOPPED)
        gone = it.changes[-1].exit
        assert (gone.text, gone.rank, gone.incarnation, gone.wanted) == (
            f"{tmp_path}/daos_engine exited: signal: killed",
            7,
            99,
            False,
        )
        assert it.engine.link is None
        await asyncio.sleep(0.05)
        assert it.engine.state is EngineState.STOPPED


async def test_a_wanted_end_is_told_as_wanted(tmp_path):
    async with scene(tmp_path) as it:
        await it.make_ready()
        await it.engine.stop(signal.SIGINT)
        assert it.engine.state is EngineState.STOPPED
        assert it.changes[-1].exit.wanted


async def test_a_start_asked_for_while_it_runs_is_remembered(tmp_path):
    async with scene(tmp_path) as it:
        await it.make_ready()
        it.engine.request_start()
        await it.engine.stop(signal.SIGKILL)
        await it.make_ready()
        assert len(it.exits) == 1


async def test_a_refused_engine_is_killed_and_the_refusal_is_its_end(tmp_path):
    async with scene(tmp_path) as it:
        it.town.answer = refuse
        await it.until(EngineState.STARTING)
        it.call_back()
        await it.until(EngineState.STOPPED)
        assert it.exits == ["administratively excluded"]


async def test_an_engine_that_does_not_take_its_rank_is_killed(tmp_path):
    async with scene(tmp_path) as it:
        it.rank_status = -1003
        await it.until(EngineState.STARTING)
        it.call_back()
        await it.until(EngineState.STOPPED)
        assert it.exits == ["DER_INVAL(-1003): Invalid parameters"]


async def test_a_system_in_checker_mode_gets_the_engine_in_that_mode(tmp_path):
    async with scene(tmp_path) as it:
        it.town.answer = lambda candidate: Admission(
            rank=7, map_version=3, standing=Standing.MEMBER if candidate.check_mode else Standing.CHECK
        )
        await it.until(EngineState.STARTING)
        it.call_back()
        async with asyncio.timeout(10):
            await it.engine.until(lambda now: now is EngineState.STARTING and bool(it.exits))
        await it.make_ready()
        assert it.engine.check_mode


async def test_the_service_may_have_set_it_up_already(tmp_path):
    async with scene(tmp_path) as it:
        it.town.answer = lambda _: Admission(rank=0, map_version=1, set_up_already=True)
        await it.make_ready()
        assert it.told == []


async def test_one_that_ended_itself_comes_back_but_not_too_soon(tmp_path):
    async with scene(tmp_path, RestartPolicy(min_delay_s=0.3)) as it:
        await it.make_ready()
        it.engine.self_terminated()
        it.engine._process.send(signal.SIGKILL)
        await it.make_ready()
        again = asyncio.get_running_loop().time()
        it.engine.self_terminated()
        it.engine._process.send(signal.SIGKILL)
        await it.make_ready()
        assert asyncio.get_running_loop().time() - again > 0.2
        assert len(it.exits) == 2


async def test_one_that_ended_itself_stays_down_if_so_configured(tmp_path):
    async with scene(tmp_path, RestartPolicy(enabled=False)) as it:
        await it.make_ready()
        it.engine.self_terminated()
        it.engine._process.send(signal.SIGKILL)
        await it.until(EngineState.STOPPED)
        await asyncio.sleep(0.05)
        assert it.engine.state is EngineState.STOPPED


async def test_whoever_takes_charge_cancels_a_restart_that_is_due(tmp_path):
    async with scene(tmp_path) as it:
        await it.make_ready()
        it.engine.self_terminated()
        it.engine.forget_restarts()
        it.engine._process.send(signal.SIGKILL)
        await it.until(EngineState.STOPPED)
        await asyncio.sleep(0.05)
        assert it.engine.state is EngineState.STOPPED


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"instanceIdx": 1}, id="an engine there is not"),
        pytest.param({"drpcListenerSock": ""}, id="no socket"),
        pytest.param({"drpcListenerSock": "/nowhere"}, id="a socket that is not there"),
        pytest.param({"drpcListenerSock": "/dev/null"}, id="what is no socket"),
    ],
)
async def test_a_call_back_that_makes_no_sense_is_refused_and_the_right_one_still_counts(tmp_path, fields):
    async with scene(tmp_path) as it:
        await it.until(EngineState.STARTING)
        with pytest.raises(RefusedError):
            it.call_back(**fields)
        await it.make_ready()


async def test_a_second_call_back_is_refused(tmp_path):
    async with scene(tmp_path) as it:
        await it.make_ready()
        with pytest.raises(RefusedError, match="is ready: it was not expected to call back"):
            it.call_back()


async def test_a_vanished_disk_is_named(tmp_path):
    with captured_logs() as lines:
        async with scene(tmp_path) as it:
            await it.make_ready()
            it.disk.formatted = False
            it.engine.request_start()
            await it.engine.stop(signal.SIGKILL)
            await it.until(EngineState.AWAIT_FORMAT)
    assert any("unmounted or emptied?" in line.event for line in lines)


async def test_a_damaged_superblock_is_an_end_with_its_cause(tmp_path):
    async with scene(tmp_path) as it:
        await it.make_ready()
        await it.engine.stop(signal.SIGKILL)
        (tmp_path / "superblock").write_text("version: 1\n")
        it.engine.request_start()
        await it.until(EngineState.CHECKING)
        await it.until(EngineState.STOPPED)
        assert "is damaged" in it.exits[-1]
        assert it.changes[-1].exit.pid == 0


async def test_calls_go_to_an_engine_that_serves(tmp_path):
    async with scene(tmp_path) as it:
        await it.until(EngineState.STARTING)
        with pytest.raises(Fault) as nobody:
            await it.harness.call(Mgmt.SET_UP, None)
        assert nobody.value.code == 611
        async with asyncio.TaskGroup() as group:
            usable = group.create_task(it.harness.usable())
            await it.make_ready()
            await usable
        assert (await it.harness.call(Mgmt.SET_UP, None)).status == 0


async def test_before_it_runs_the_harness_says_so(tmp_path):
    with pytest.raises(Fault) as early:
        await Scene(tmp_path, RestartPolicy()).harness.call(Mgmt.SET_UP, None)
    assert early.value.code == 610


def refuse(_: Candidate) -> Admission:
    raise DaosControlError("administratively excluded")
