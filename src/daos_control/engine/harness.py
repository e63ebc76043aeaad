"""The engines of this host as one thing: the way to the data plane.

Calls of the management service go to the first engine that can take them, in the order of the configuration.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from daos_control.base import aio
from daos_control.base.errors import Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.engine.link import EngineLink
from daos_control.engine.ports import Change, ReadyNotice, RefusedError
from daos_control.engine.state import EngineState
from daos_control.engine.supervisor import EngineSupervisor
from daos_control.net.drpc.errors import DrpcTimeout
from daos_control.net.drpc.methods import Method
from daos_control.wire.pb.srv import srv_pb2

RequestT = TypeVar("RequestT", bound=Message | None)
ReplyT = TypeVar("ReplyT", bound=Message | None)


class Harness:
    """Owns the engines of this host; ``run`` keeps them. It is the management service's data plane."""

    def __init__(self, engines: Sequence[EngineSupervisor]) -> None:
        self.engines = tuple(engines)
        self._running = False
        self._silent: set[int] = set()
        self._moved = asyncio.Event()
        for engine in self.engines:
            engine.listen(self._heard)

    @property
    def ranks(self) -> Sequence[int]:
        """The ranks of the engines that have one, in the order in which they are asked."""
        return tuple(engine.rank for engine in self.engines if engine.rank is not None)

    async def run(self) -> None:
        """Supervise all engines until cancelled; none of them outlives this call."""
        async with aio.background() as tasks:
            for engine in self.engines:
                tasks.start(f"supervision of engine instance {engine.index}", engine.run())
            self._running = True
            try:
                await asyncio.Event().wait()
            finally:
                self._running = False

    async def call(
        self, method: Method[RequestT, ReplyT], request: RequestT, /, *, timeout_s: float | None = None
    ) -> ReplyT:
        """Ask the first engine that serves; engines that do not are passed over, any other failure rises.

        One that has let a call time out is the last to be asked, until it answers again. Raises fault 610 before
        ``run`` and 611 when no engine serves: then none was asked.
        """
        if not self._running:
            raise FaultCode.SERVER_HARNESS_NOT_STARTED.fault()
        for engine in sorted(self.engines, key=lambda engine: engine.index in self._silent):
            try:
                reply = await serving(engine).call(method, request, timeout_s=timeout_s)
            except DrpcTimeout:
                self._silent.add(engine.index)
                raise
            except Fault as fault:
                if fault.code != FaultCode.SERVER_DATA_PLANE_NOT_STARTED:
                    raise
            else:
                self._silent.discard(engine.index)
                return reply
        raise FaultCode.SERVER_DATA_PLANE_NOT_STARTED.fault()

    async def set_up(self, instance: int, rank: int, map_version: int, /) -> None:
        """Give an engine that has just started its rank, and let it open for service.

        Raises fault 611 if it has not called back, DaosError or DrpcError if it does not do as told.
        """
        link = self.engines[instance].link if instance < len(self.engines) else None
        if link is None:
            raise FaultCode.SERVER_DATA_PLANE_NOT_STARTED.fault()
        await link.set_up(rank, map_version)

    async def usable(self) -> None:
        """Return as soon as an engine serves."""
        while not any(engine.state is EngineState.READY for engine in self.engines):
            await self._moved.wait()

    async def settled(self) -> None:
        """Return once no engine is about to start: each has a process, waits for its format, or has given up."""
        while any(engine.about_to_start for engine in self.engines):
            await self._moved.wait()

    def with_ranks(self, accept: Callable[[int], bool]) -> list[EngineSupervisor]:
        """Return the engines whose rank is known and accepted."""
        return [engine for engine in self.engines if engine.rank is not None and accept(engine.rank)]

    def notify_ready(self, request: srv_pb2.NotifyReadyReq) -> None:
        """Pass an engine's word that it is up to its supervisor. Raises RefusedError if it makes no sense."""
        if request.instanceIdx >= len(self.engines):
            raise RefusedError(f"engine instance {request.instanceIdx} called back, of {len(self.engines)}")
        if not request.drpcListenerSock:
            raise RefusedError(f"engine instance {request.instanceIdx} called back without its socket")
        self.engines[request.instanceIdx].notify_ready(
            ReadyNotice(
                uri=request.uri,
                contexts=request.nctxs,
                socket=request.drpcListenerSock,
                incarnation=request.incarnation,
                check_mode=request.check_mode,
            )
        )

    def _heard(self, _: Change) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


def serving(engine: EngineSupervisor) -> EngineLink:
    """Return the way to an engine that serves; fault 611 if it does not."""
    if engine.state is not EngineState.READY or engine.link is None:
        raise FaultCode.SERVER_DATA_PLANE_NOT_STARTED.fault()
    return engine.link
