"""Engines on a stage: the real supervisor, a process that does nothing, and a socket that answers for it.

What is around an engine, its storage and the system it joins, is played by objects that can be told what to do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from daos_control.base import aio
from daos_control.base.clock import Clock, SystemClock
from daos_control.engine import superblock
from daos_control.engine.command import EngineSettings, Fabric, Storage
from daos_control.engine.harness import Harness
from daos_control.engine.ports import Admission, Candidate, Change, Place
from daos_control.engine.process import Output, Running, running
from daos_control.engine.restarts import RestartPolicy
from daos_control.engine.state import EngineState
from daos_control.engine.supervisor import EngineSupervisor
from daos_control.host.mounts import Space
from daos_control.net.drpc import server
from daos_control.net.drpc.methods import Method, Mgmt
from daos_control.wire.pb.mgmt import svc_pb2
from daos_control.wire.pb.srv import srv_pb2

PATIENCE_S = 10.0


class Disk:
    """An engine's storage, formatted or not."""

    def __init__(self) -> None:
        self.formatted = True

    async def needs_format(self) -> bool:
        """Whether it has been said not to be formatted."""
        await asyncio.sleep(0)
        return not self.formatted

    async def usage(self) -> Space:
        """Return a size and what is left of it."""
        return Space(4 << 30, 3 << 30)


class Town:
    """The system that engines join; ``answer`` decides, and may raise."""

    def __init__(self) -> None:
        self.asked: list[Candidate] = []
        self.answer: Callable[[Candidate], Admission] = lambda candidate: Admission(
            rank=7 + candidate.index, map_version=3
        )

    async def join(self, candidate: Candidate) -> Admission:
        """Answer a candidate."""
        self.asked.append(candidate)
        await asyncio.sleep(0)
        return self.answer(candidate)


class StagedEngine:
    """One engine. ``told`` is what its socket heard; ``answers`` are what it says, by method."""

    def __init__(
        self,
        folder: Path,
        town: Town,
        *,
        index: int = 0,
        restarts: RestartPolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.folder = folder
        self.disk = Disk()
        self.town = town
        self.changes: list[Change] = []
        self.told: list[tuple[str, Any]] = []
        self.answers: dict[Method[Any, Any], Callable[[Any], Any]] = {
            Mgmt.SET_RANK: lambda _: svc_pb2.DaosResp(),
            Mgmt.SET_UP: lambda _: svc_pb2.DaosResp(),
        }
        folder.mkdir(exist_ok=True)
        binary = folder / "daos_engine"
        binary.write_text("#!/bin/sh\necho DAOS I/O Engine here\nexec /bin/sleep 1000\n")
        binary.chmod(0o755)
        self.arguments: Sequence[str] = ()
        """What its process was started with."""
        self.supervisor = EngineSupervisor(
            EngineSettings(
                index=index,
                system="daos_server",
                socket_dir=str(folder),
                targets=1,
                helpers=0,
                fabric=Fabric(provider="ofi+tcp", interface="lo", port=31416 + index),
                storage=Storage(scm_mount=str(folder)),
            ),
            Place(
                binary=binary,
                superblock=folder / "superblock",
                fault_domain="/h1",
                inherited={},
                first_rank=0,
                launch=self._launch,
            ),
            scm=self.disk,
            membership=town,
            clock=clock or SystemClock(),
            restarts=restarts or RestartPolicy(),
        )
        self.supervisor.listen(self.changes.append)

    def _launch(
        self, binary: Path, arguments: Sequence[str], environment: Mapping[str, str], output: Output
    ) -> AbstractAsyncContextManager[Running]:
        self.arguments = arguments
        return running(binary, arguments, environment, output)

    @property
    def socket(self) -> str:
        """Where the engine would listen."""
        return str(self.folder / "engine.sock")

    @property
    def process(self) -> Running:
        """The running process."""
        process = self.supervisor._process  # noqa: SLF001  the supervisor shows it to nobody else
        if process is None:
            raise AssertionError(f"engine {self.supervisor.index} is {self.supervisor.state.value}: it has no process")
        return process

    @property
    def exits(self) -> list[str]:
        """How its lives ended."""
        return [change.exit.text for change in self.changes if change.exit]

    def mark_formatted(self) -> None:
        """Give its storage a superblock, as a format does."""
        fresh = superblock.Superblock.new(system="daos_server", fault_domain="/h1")
        superblock.write(self.folder / "superblock", fresh)

    async def until(self, state: EngineState) -> None:
        """Wait for a state; TimeoutError if it does not come."""
        async with asyncio.timeout(PATIENCE_S):
            await self.supervisor.until(lambda now: now is state)

    def handlers(self) -> server.Handlers:
        """Return what answers on its socket."""
        return {method: self._handler(method) for method in self.answers}

    def _handler(self, method: Method[Any, Any]) -> server.Handler:
        async def handle(request: Any, _: server.Peer) -> Any:
            self.told.append((method.name, request))
            answer = self.answers[method](request)
            return await answer if asyncio.iscoroutine(answer) else answer

        return handle


class Stage:
    """The engines of a host, and their harness."""

    def __init__(self, engines: list[StagedEngine], town: Town) -> None:
        self.engines = engines
        self.town = town
        self.harness = Harness([engine.supervisor for engine in engines])

    def call_back(self, index: int = 0, **fields: Any) -> None:
        """Let an engine say that it is up; ``fields`` replace those of the message."""
        notice = {
            "uri": "ofi+tcp://10.0.0.1:31416",
            "nctxs": 3,
            "drpcListenerSock": self.engines[index].socket,
            "instanceIdx": index,
            "incarnation": 99,
            "check_mode": "-C" in self.engines[index].arguments,
        }
        self.harness.notify_ready(srv_pb2.NotifyReadyReq(**{**notice, **fields}))

    async def make_ready(self, index: int = 0) -> None:
        """See an engine from its start to service."""
        await self.engines[index].until(EngineState.STARTING)
        self.call_back(index)
        await self.engines[index].until(EngineState.READY)


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    engines: int = 1,
    formatted: bool = True,
    keep: bool = False,
    restarts: RestartPolicy | None = None,
    clock: Clock | None = None,
    answers: dict[Method[Any, Any], Callable[[Any], Any]] | None = None,
) -> AsyncIterator[Stage]:
    """Run engines for the length of a block; ``folder`` must have a short path, since sockets are made in it.

    ``keep`` leaves the storage as an earlier stage in the same folder left it. How long an engine served, and when it
    may start again, is by ``clock``: one that stands still does not care how long processes take to start and end.
    """
    town = Town()
    staged = [
        StagedEngine(folder / f"e{index}", town, index=index, restarts=restarts, clock=clock)
        for index in range(engines)
    ]
    play = Stage(staged, town)
    for engine in staged:
        engine.answers |= answers or {}
        engine.disk.formatted = formatted
        if formatted and not keep:
            engine.mark_formatted()
    async with aio.background() as tasks:
        for engine in staged:
            tasks.start(f"socket of engine {engine.supervisor.index}", _answer(engine))
        tasks.start("harness", play.harness.run())
        yield play


async def _answer(engine: StagedEngine) -> None:
    async with server.serve(engine.socket, engine.handlers(), mode=0o600):
        await asyncio.Event().wait()
