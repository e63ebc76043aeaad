"""Asking many hosts the same: side by side, each once, and no answer is lost because another one is missing.

A host is *reached* first, which shows soon whether it is there, and *asked* then. Only so many are being reached at a
time: that is what costs us (a handshake takes milliseconds of CPU time), while waiting for answers costs nothing, and a
format that takes minutes must not happen in turns.

How long a host is waited for is a matter of ``Patience``. Nobody is given up as long as others are still coming in:
what looks like a slow host may be ourselves, busy with many. Once all is *quiet*, a host that could not be reached is
given up when the time of a lost and repeated packet is over, or a few times what the others took. One that was reached
and does not answer is waited for until the deadline if the request does some work (it is probably at it); if it only
looks at something, it is given up when nearly all others have answered and it takes several times as long as they did.
See docs/decisions/0005-routing.md for the figures, and for what ``--timeout`` changes.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Self, TypeVar

from google.protobuf.message import Message

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.client.errors import Interrupted
from daos_control.client.outcomes import late
from daos_control.client.transport import DEADLINE_S, Transport
from daos_control.client.waiting import Wait, Waiting, end, subject
from daos_control.net.rpc.methods import Method

Reply = TypeVar("Reply")

AT_ONCE: Final = 128
"""Hosts that are being reached at the same time."""
SLOT_S: Final = 0.2
"""How long a host counts as one of these: one that is slower is not there, and costs us nothing."""
TICK_S: Final = 0.1
"""How often we look whether somebody is to be given up."""
QUIET_TICKS: Final = 4
"""So many looks without any news are quiet. They are counted, not measured: while we cannot run, nothing can come."""
REACH_S: Final = 1.1
"""How long reaching a host may take at least: a packet that was lost is repeated after 1 s."""
LOOK_S: Final = 1.0
"""How long a host may take at least for what nearly all of many others have done."""
LOOK_FEW_S: Final = 10.0
"""The same while there are few others to compare it with."""
MANY: Final = 16
NEARLY_ALL: Final = 0.8
TIMES: Final = 3.0
"""How many times as long as the slowest of the others a host may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the hosts of a fan-out are waited for: all together, and those that are late in comparison."""

    deadline_s: float = DEADLINE_S
    looks: bool = False
    """The request only looks at something, so a host that takes much longer than others is given up."""
    strict: bool = False
    """Somebody said how long: every host is waited for until the deadline."""

    def to_reach_s(self, slowest_s: float) -> float:
        """Return how long reaching a host may take, if the slowest of those that were reached took so long."""
        return self.deadline_s if self.strict else min(self.deadline_s, max(REACH_S, TIMES * slowest_s))

    def to_answer_s(self, slowest_s: float, *, answered: int, asked: int) -> float:
        """Return how long an answer may take, if so many of so many hosts have answered."""
        if self.strict or not self.looks or not answered:
            return self.deadline_s
        least = LOOK_S if answered >= MANY and answered >= NEARLY_ALL * asked else LOOK_FEW_S
        return min(self.deadline_s, max(least, TIMES * slowest_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAnswers(Generic[Reply]):
    """What many hosts answered, each host in one of the two tables, in the order of the hosts."""

    replies: Mapping[str, Reply]
    errors: Mapping[str, DaosControlError]


async def fan_out(
    channels: Transport,
    hosts: Sequence[str],
    method: Method,
    request: Message | Callable[[str], Message],
    *,
    patience: Patience | None = None,
    at_once: int = AT_ONCE,
    waiting: Waiting | None = None,
) -> HostAnswers[Any]:
    """Call every host (``host:port``) once; a host that is given up is an error like any other.

    ``request`` may be a function of the host. Whoever interrupts ``waiting`` gets the answers that have come so far.
    """
    name = subject(method.name, request) if isinstance(request, Message) else method.name
    fan = _FanOut(channels, method, request, patience or Patience(), at_once)
    waiting = Waiting() if waiting is None else waiting
    with waiting.on(name, total=len(hosts), changes=not fan.patience.looks, stop=fan.interrupt) as wait:
        return await fan.run(wait, list(dict.fromkeys(hosts)))


class _Host:
    """A host of a fan-out, from when it is being reached until its answer is there."""

    def __init__(self, limit: asyncio.Timeout, since: float) -> None:
        self.limit = limit
        self.since = since
        """When it was last heard of, or began to be reached."""
        self.is_reached = False
        self.verdict: DaosControlError | None = None
        """Why it was given up."""

    def give_up(self, why: DaosControlError) -> None:
        """Wait for it no longer."""
        if self.verdict is None:
            self.verdict = why
            end(self.limit)


class _FanOut:
    def __init__(
        self,
        channels: Transport,
        method: Method,
        request: Message | Callable[[str], Message],
        patience: Patience,
        at_once: int,
    ) -> None:
        self._channels = channels
        self._method = method
        self._request = request
        self.patience = patience
        self._gate = asyncio.Semaphore(at_once)
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + patience.deadline_s
        self._out: dict[str, _Host] = {}
        self._is_interrupted = False
        self._has_news = False
        self._reached = 0
        self._answered = 0
        self._slowest_s = {False: 0.0, True: 0.0}  # of being reached, and of answering
        self._replies: dict[str, Any] = {}
        self._errors: dict[str, DaosControlError] = {}

    async def run(self, wait: Wait, hosts: Sequence[str]) -> HostAnswers[Any]:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch())
            tasks = [group.create_task(self._one(host, wait)) for host in hosts]
            if tasks:
                await asyncio.wait(tasks)
            watch.cancel()
        return HostAnswers(
            replies={host: self._replies[host] for host in hosts if host in self._replies},
            errors={host: self._errors[host] for host in hosts if host in self._errors},
        )

    def interrupt(self) -> None:
        """End with what there is."""
        self._is_interrupted = True
        for host in self._out.values():
            host.give_up(self._interruption())

    def _interruption(self) -> DaosControlError:
        return Interrupted(f"an answer to {self._method.name}", changes=not self.patience.looks)

    async def _one(self, address: str, wait: Wait) -> None:
        slot = await _Slot.free(self._gate)
        host: _Host | None = None
        try:
            async with asyncio.timeout_at(self._end) as limit:
                host = self._out[address] = _Host(limit, self._loop.time())
                if self._is_interrupted:
                    raise self._interruption()
                with wait.asking(address):
                    self._replies[address] = await self._ask(address, host, slot)
        except TimeoutError:
            self._errors[address] = self._why_late(host)
        except DaosControlError as error:
            self._errors[address] = error
        finally:
            slot.leave()
            self._out.pop(address, None)
            wait.done += 1
            self._has_news = self._has_news or host is None or host.verdict is None

    def _why_late(self, host: _Host | None) -> DaosControlError:
        if host is not None and host.verdict is not None:
            return host.verdict
        if host is not None and not host.is_reached:
            return _unreached()
        return late(self._method.name, f"{self.patience.deadline_s:.3g} s")

    async def _ask(self, address: str, host: _Host, slot: "_Slot") -> Any:
        message = self._request if isinstance(self._request, Message) else self._request(address)
        await self._channels.reach(address)
        slot.leave()
        self._heard_of(host)
        host.is_reached = True
        self._reached += 1
        try:
            return await self._channels.call(
                address, self._method, message, timeout_s=max(0.0, self._end - self._loop.time())
            )
        finally:
            if host.verdict is None:
                self._heard_of(host)
                self._answered += 1

    def _heard_of(self, host: _Host) -> None:
        now = self._loop.time()
        self._slowest_s[host.is_reached] = max(self._slowest_s[host.is_reached], now - host.since)
        host.since = now
        self._has_news = True

    async def _watch(self) -> None:
        """Give up hosts, when all is quiet."""
        quiet = 0
        while True:
            await asyncio.sleep(TICK_S)
            quiet = 0 if self._has_news else quiet + 1
            self._has_news = False
            if quiet >= QUIET_TICKS:
                for host in list(self._out.values()):
                    self._judge(host)

    def _judge(self, host: _Host) -> None:
        waited_s = self._loop.time() - host.since
        if not host.is_reached:
            if waited_s >= self.patience.to_reach_s(self._slowest_s[False]):
                host.give_up(_unreached())
            return
        limit_s = self.patience.to_answer_s(self._slowest_s[True], answered=self._answered, asked=self._reached)
        if waited_s >= limit_s:
            host.give_up(late(self._method.name, f"{limit_s:.1f} s, though other hosts have answered"))


class _Slot:
    """One of the places for hosts that are being reached; left when that is done, or has taken a while."""

    def __init__(self, gate: asyncio.Semaphore) -> None:
        self._gate: asyncio.Semaphore | None = gate
        self._alarm = asyncio.get_running_loop().call_later(SLOT_S, self.leave)

    @classmethod
    async def free(cls, gate: asyncio.Semaphore) -> Self:
        """Wait for a place, and take it."""
        await gate.acquire()
        return cls(gate)

    def leave(self) -> None:
        """Let somebody else have the place, unless that is done already."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.release()
            self._alarm.cancel()


def _unreached() -> DaosControlError:
    return FaultCode.CLIENT_CONNECTION_TIMED_OUT.fault(address="the host")
