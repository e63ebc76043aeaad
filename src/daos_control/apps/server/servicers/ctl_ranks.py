"""Stopping, starting and resetting this host's engines, as the management service's leader asks for it.

Each call returns once all engines it is about have got where they should be, or cannot. The caller's deadline ends a
call that would wait longer.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence

from daos_control.base.errors import DaosControlError, DaosError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.engine.harness import Harness, serving
from daos_control.engine.state import EngineState
from daos_control.engine.supervisor import EngineSupervisor
from daos_control.net.drpc.errors import DrpcError
from daos_control.net.drpc.methods import Mgmt
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import CTL
from daos_control.wire.pb.ctl import ranks_pb2
from daos_control.wire.pb.mgmt import svc_pb2
from daos_control.wire.pb.shared import ranks_pb2 as shared_pb2

Action = Callable[[EngineSupervisor, int], Awaitable[shared_pb2.RankResult]]


class NoRanksError(DaosControlError):
    """The request names no ranks."""

    def __str__(self) -> str:
        return "no ranks specified in request"


class RankService:
    """The four rank calls of CtlSvc. Engines whose rank is not known or not named are left alone."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness

    def handlers(self) -> Handlers:
        """Return the methods by path."""
        return {
            CTL["PrepShutdownRanks"].path: self.prepare_shutdown,
            CTL["StopRanks"].path: self.stop,
            CTL["StartRanks"].path: self.start,
            CTL["ResetFormatRanks"].path: self.reset_format,
        }

    async def prepare_shutdown(self, request: ranks_pb2.RanksReq, _: Caller) -> ranks_pb2.RanksResp:
        """Tell engines that they are about to be stopped, so that they do not take each other for dead."""
        return await _on_all(self._engines(request), _prepare)

    async def stop(self, request: ranks_pb2.RanksReq, _: Caller) -> ranks_pb2.RanksResp:
        """End engine processes: by request, or at once with ``force``."""
        number = signal.SIGKILL if request.force else signal.SIGINT

        async def stop(engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
            engine.forget_restarts()
            await engine.stop(number)
            return shared_pb2.RankResult(rank=rank, state="stopped", msg="system stop")

        return await _on_all(self._engines(request), stop)

    async def start(self, request: ranks_pb2.RanksReq, _: Caller) -> ranks_pb2.RanksResp:
        """Start engines that do not run; the mode takes effect at an engine's next start."""

        async def start(engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
            engine.check_mode = request.check_mode
            engine.forget_restarts()
            if await engine.start() is EngineState.READY:
                return shared_pb2.RankResult(rank=rank, state="ready", msg="system start")
            return _failed(rank, "system start: rank failed to start")

        return await _on_all(self._engines(request), start)

    async def reset_format(self, request: ranks_pb2.RanksReq, _: Caller) -> ranks_pb2.RanksResp:
        """Take stopped engines' identities away, so that their storage has to be formatted."""
        engines = self._engines(request)
        for engine in engines:
            if engine.state.running:
                raise FaultCode.SERVER_INSTANCES_NOT_STOPPED.fault(action="reset format", rank=engine.rank)
        return await _on_all(engines, _reset_format)

    def _engines(self, request: ranks_pb2.RanksReq) -> list[EngineSupervisor]:
        if not request.ranks:
            raise NoRanksError
        named = RankSet.parse(request.ranks)
        return self._harness.with_ranks(lambda rank: rank in named)


async def _prepare(engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
    if engine.state is not EngineState.READY:
        return shared_pb2.RankResult(rank=rank, state="stopped")
    try:
        # The genuine server sends no rank here, so this goes out as an empty body as well.
        reply = await serving(engine).call(Mgmt.PREP_SHUTDOWN, svc_pb2.PrepShutdownReq())
        if reply.status != 0:
            raise DaosError(reply.status)
    except (DaosControlError, DrpcError) as error:
        return _failed(rank, str(error))
    return shared_pb2.RankResult(rank=rank, state="stopping")


async def _reset_format(engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
    await engine.forget_identity()
    if await engine.start() is EngineState.AWAIT_FORMAT:
        return shared_pb2.RankResult(rank=rank, state="awaitformat")
    return _failed(rank, "the engine does not wait for a format")


def _failed(rank: int, text: str) -> shared_pb2.RankResult:
    return shared_pb2.RankResult(rank=rank, errored=True, msg=text, state="errored")


async def _on_all(engines: Sequence[EngineSupervisor], action: Action) -> ranks_pb2.RanksResp:
    """Act on all engines at once; results come in the engines' order."""
    ranked = [(engine, engine.rank) for engine in engines]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_one(action, engine, rank)) for engine, rank in ranked if rank is not None]
    return ranks_pb2.RanksResp(results=[task.result() for task in tasks])


async def _one(action: Action, engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
    try:
        return await action(engine, rank)
    except DaosControlError as error:
        return _failed(rank, str(error))
