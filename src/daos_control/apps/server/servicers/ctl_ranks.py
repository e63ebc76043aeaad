"""Stopping, starting and resetting this host's engines, as the management service's leader asks for it.

Engines get their orders together and keep each other from nothing: a call returns when all have got where they should
be, or cannot; one that is not there when the caller is about to give up is reported as late, and the others as they
are. Calling again then asks the same once more.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from daos_control.base.errors import DaosControlError, DaosError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.engine.harness import Harness, serving
from daos_control.engine.state import EngineState
from daos_control.engine.supervisor import EngineSupervisor
from daos_control.model.member_state import MemberState
from daos_control.net.drpc.errors import DrpcError
from daos_control.net.drpc.methods import Mgmt
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import CTL
from daos_control.wire.pb.ctl import ranks_pb2
from daos_control.wire.pb.mgmt import svc_pb2
from daos_control.wire.pb.shared import ranks_pb2 as shared_pb2

LONGEST_S: Final = 600.0
"""How long engines may take if the caller sets no limit."""

Action = Callable[[EngineSupervisor, int], Awaitable[shared_pb2.RankResult]]
Late = Callable[[int], shared_pb2.RankResult]
"""Makes the result of a rank that did not get there in time."""


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

    async def prepare_shutdown(self, request: ranks_pb2.RanksReq, caller: Caller) -> ranks_pb2.RanksResp:
        """Tell engines that they are about to be stopped, so that they do not take each other for dead."""
        return await _on_all(self._engines(request), _prepare, caller, late=_unresponsive)

    async def stop(self, request: ranks_pb2.RanksReq, caller: Caller) -> ranks_pb2.RanksResp:
        """End engine processes: by request, or at once with ``force``."""
        number = signal.SIGKILL if request.force else signal.SIGINT

        async def stop(engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
            engine.forget_restarts()
            await engine.stop(number)
            if engine.state.running:  # again: somebody has started it meanwhile
                return _not_stopped(rank)
            return shared_pb2.RankResult(rank=rank, state=MemberState.STOPPED, msg="system stop")

        return await _on_all(self._engines(request), stop, caller, late=_not_stopped)

    async def start(self, request: ranks_pb2.RanksReq, caller: Caller) -> ranks_pb2.RanksResp:
        """Start engines that do not run; the mode takes effect at an engine's next start.

        Engines that were prepared for a stop, or asked to end, and run on are stopped first: a stop of the system that
        broke off half way (its leader died, another rank failed) leaves such. They would take no part in excluding
        the dead any more, and would not join again, so that the system would never count on them as members.
        """

        async def start(engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
            engine.check_mode = request.check_mode
            engine.forget_restarts()
            if await engine.start() is EngineState.READY:
                return shared_pb2.RankResult(rank=rank, state=MemberState.READY, msg="system start")
            return _not_started(rank)

        return await _on_all(self._engines(request), start, caller, late=_not_started)

    async def reset_format(self, request: ranks_pb2.RanksReq, caller: Caller) -> ranks_pb2.RanksResp:
        """Take stopped engines' identities away, so that their storage has to be formatted."""
        engines = self._engines(request)
        for engine in engines:
            if engine.state.running:
                raise FaultCode.SERVER_INSTANCES_NOT_STOPPED.fault(action="reset format", rank=engine.rank)
        return await _on_all(engines, _reset_format, caller, late=_not_reset)

    def _engines(self, request: ranks_pb2.RanksReq) -> list[EngineSupervisor]:
        if not request.ranks:
            raise NoRanksError
        named = RankSet.parse(request.ranks)
        return self._harness.with_ranks(lambda rank: rank in named)


async def _prepare(engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
    if engine.state is not EngineState.READY:
        return shared_pb2.RankResult(rank=rank, state=MemberState.STOPPED)
    engine.prepared_to_end()
    try:
        # The genuine server sends no rank here, so this goes out as an empty body as well.
        reply = await serving(engine).call(Mgmt.PREP_SHUTDOWN, svc_pb2.PrepShutdownReq())
        if reply.status != 0:
            raise DaosError(reply.status)
    except (DaosControlError, DrpcError) as error:
        return _failed(rank, str(error))
    return shared_pb2.RankResult(rank=rank, state=MemberState.STOPPING)


async def _reset_format(engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
    await engine.forget_identity()
    if await engine.start() is EngineState.AWAIT_FORMAT:
        return shared_pb2.RankResult(rank=rank, state=MemberState.AWAIT_FORMAT)
    return _not_reset(rank)


def _unresponsive(rank: int) -> shared_pb2.RankResult:
    text = "the engine does not answer"
    return shared_pb2.RankResult(rank=rank, errored=True, msg=text, state=MemberState.UNRESPONSIVE)


def _not_stopped(rank: int) -> shared_pb2.RankResult:
    return _failed(rank, "system stop: rank failed to stop")


def _not_started(rank: int) -> shared_pb2.RankResult:
    return _failed(rank, "system start: rank failed to start")


def _not_reset(rank: int) -> shared_pb2.RankResult:
    return _failed(rank, "the engine does not wait for a format")


def _failed(rank: int, text: str) -> shared_pb2.RankResult:
    return shared_pb2.RankResult(rank=rank, errored=True, msg=text, state=MemberState.ERRORED)


async def _on_all(
    engines: Sequence[EngineSupervisor], action: Action, caller: Caller, *, late: Late
) -> ranks_pb2.RanksResp:
    """Act on all engines at once; results come in the engines' order."""
    limit_s = caller.time_to_answer_s(at_most=LONGEST_S)

    async def one(engine: EngineSupervisor, rank: int) -> shared_pb2.RankResult:
        try:
            async with asyncio.timeout(limit_s):
                return await action(engine, rank)
        except TimeoutError:
            return late(rank)
        except DaosControlError as error:
            return _failed(rank, str(error))

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(engine, engine.rank)) for engine in engines if engine.rank is not None]
    return ranks_pb2.RanksResp(results=[task.result() for task in tasks])
