"""Engines and hosts as the management service sees them, for tests; as inconvenient as the real ones.

Both yield before they answer, both fail on request, and both remember what they were asked, in order.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.model.event import Event
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcError, DrpcTimeout
from daos_control.net.rpc.methods import Method
from daos_control.wire.pb.ctl import ranks_pb2

Answer = Any | DaosControlError | DrpcError | Callable[[Any], Any]


@dataclass
class FakeDataPlane:
    """The engines of one host: usable or not, answering what they were told to, or emptily.

    ``answer(method, ...)`` queues answers: a message, an error to raise, or a function of the request. What is
    not queued is answered as ``always`` said, or else with an empty reply, which means success.
    """

    calls: list[tuple[drpc.Method[Any, Any], Any]] = field(default_factory=list)
    set_ups: list[tuple[int, int, int]] = field(default_factory=list)
    sets_up: bool = True
    """Whether an engine that is set up becomes usable by it."""
    ranks: tuple[int, ...] = (1,)
    """The ranks of this host's engines."""

    def __post_init__(self) -> None:
        self._usable = asyncio.Event()
        self._answers: dict[drpc.Method[Any, Any], deque[Answer]] = {}
        self._usual: dict[drpc.Method[Any, Any], Answer] = {}
        self._heard = asyncio.Condition()

    def open(self) -> None:
        """Make an engine usable."""
        self._usable.set()

    def close(self) -> None:
        """Make all engines unusable."""
        self._usable.clear()

    def answer(self, method: drpc.Method[Any, Any], *answers: Answer) -> None:
        """Queue answers to a method."""
        self._answers.setdefault(method, deque()).extend(answers)

    def always(self, method: drpc.Method[Any, Any], answer: Answer) -> None:
        """Answer a method like this whenever nothing is queued."""
        self._usual[method] = answer

    def requests(self, method: drpc.Method[Any, Any]) -> list[Any]:
        """Return what was asked of a method, in order."""
        return [request for called, request in self.calls if called == method]

    async def asked(self, method: drpc.Method[Any, Any], times: int = 1) -> list[Any]:
        """Wait until a method has been called so many times; returns the requests."""
        async with self._heard:
            await self._heard.wait_for(lambda: len(self.requests(method)) >= times)
        return self.requests(method)

    async def call(self, method: drpc.Method[Any, Any], request: Any, /, *, timeout_s: float | None = None) -> Any:
        """Answer as queued; fault 611 if no engine is usable, DrpcTimeout if the answer takes too long."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._call(method, request)
        except TimeoutError as error:
            raise DrpcTimeout("engine.sock", f"no answer within {timeout_s} s") from error

    async def _call(self, method: drpc.Method[Any, Any], request: Any) -> Any:
        await asyncio.sleep(0)
        if not self._usable.is_set():
            raise FaultCode.SERVER_DATA_PLANE_NOT_STARTED.fault()
        kept = method.request()
        kept.CopyFrom(request)
        async with self._heard:
            self.calls.append((method, kept))
            self._heard.notify_all()
        queued = self._answers.get(method)
        answer = queued.popleft() if queued else self._usual.get(method, method.reply())
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(request)
            if asyncio.iscoroutine(answer):
                answer = await answer
        reply = method.reply()
        reply.CopyFrom(answer)
        return reply

    async def set_up(self, instance: int, rank: int, map_version: int, /) -> None:
        """Note that an engine was given its rank."""
        await asyncio.sleep(0)
        self.set_ups.append((instance, rank, map_version))
        if self.sets_up:
            self.open()

    async def usable(self) -> None:
        """Wait for ``open``."""
        await self._usable.wait()


@dataclass
class FakeHosts:
    """The control servers of all hosts: each does what it is told, unless an error is set for its address."""

    states: dict[str, str] = field(
        default_factory=lambda: {
            "PrepShutdownRanks": "stopping",
            "StopRanks": "stopped",
            "StartRanks": "ready",
            "ResetFormatRanks": "awaitformat",
        }
    )
    down: dict[str, DaosControlError] = field(default_factory=dict)
    """Hosts that do not answer, by ``ip:port``."""
    failing: dict[int, str] = field(default_factory=dict)
    """Ranks that fail to do as told, with what they say."""
    silent: set[int] = field(default_factory=set)
    """Ranks that their hosts know nothing of."""
    takes_s: dict[str, float] = field(default_factory=dict)
    """How long hosts take, by ``ip:port``; what is more than they are given ends like an unanswered call."""
    connect_s: dict[str, float] = field(default_factory=dict)
    """How long connecting takes, by ``ip:port``."""
    calls: list[tuple[str, str, Any]] = field(default_factory=list)

    async def reach(self, address: str, /, *, timeout_s: float | None = None) -> None:
        """Take as long as it takes; at once, where nothing else was said."""
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.sleep(self.connect_s.get(address, 0))
        except TimeoutError as error:
            raise FaultCode.CLIENT_CONNECTION_TIMED_OUT.fault(address=address, reason="") from error
        if address in self.down:
            raise self.down[address]

    async def call(self, address: str, method: Method, request: Any, /, *, timeout_s: float | None = None) -> Any:
        """Carry out an order on the ranks it names; any other method is answered emptily."""
        self.calls.append((address, method.name, request))
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.sleep(self.takes_s.get(address, 0))
        except TimeoutError as error:
            raise FaultCode.CLIENT_RPC_TIMEOUT.fault(request=method.name, limit=f"{timeout_s:g}s") from error
        if address in self.down:
            raise self.down[address]
        if not isinstance(request, ranks_pb2.RanksReq):
            return method.reply()
        reply = ranks_pb2.RanksResp()
        for rank in sorted(set(_ranks(request.ranks)) - self.silent):
            failure = self.failing.get(rank, "")
            reply.results.add(
                rank=rank,
                errored=bool(failure),
                msg=failure or f"system {method.name.removesuffix('Ranks').lower()}",
                state="errored" if failure else self.states[method.name],
            )
        return reply


def _ranks(text: str) -> list[int]:
    ranks: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        ranks += range(int(first), int(last or first) + 1)
    return ranks


@dataclass
class FakePremises:
    """What a host keeps of the system: remembers what became of it."""

    erased: int = 0
    resets: int = 0

    async def reset_engines(self) -> None:
        """Note it."""
        await asyncio.sleep(0)
        self.resets += 1

    async def erase_replica(self) -> None:
        """Note it."""
        await asyncio.sleep(0)
        self.erased += 1


@dataclass
class CapturedEvents:
    """An event sink that keeps what it gets."""

    events: list[Event] = field(default_factory=list)

    def record(self, event: Event, /) -> None:
        """Keep an event."""
        self.events.append(event)

    @property
    def names(self) -> list[str]:
        """The names of the events so far."""
        return [event.name for event in self.events]


@dataclass
class CapturedPost:
    """The way to a leader elsewhere: what went there, and in ``failures`` what the next attempts run into."""

    forwarded: list[tuple[int, Event]] = field(default_factory=list)
    reported: list[Event] = field(default_factory=list)
    reports: int = 0
    failures: list[Exception] = field(default_factory=list)

    async def forward(self, sequence: int, event: Event, /) -> None:
        """Take an event to act on."""
        await self._go()
        self.forwarded.append((sequence, event))

    async def report(self, events: Sequence[Event], /) -> None:
        """Take events for the history."""
        await self._go()
        self.reports += 1
        self.reported += events

    async def _go(self) -> None:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
