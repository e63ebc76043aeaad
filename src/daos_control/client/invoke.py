"""Asking the management service, and asking many hosts: the two ways in which a client calls servers.

**The management service** (``ManagementClient.call``) has a leader, replicas that serve reads, and hosts that only
know where it is. One call is a series of *rounds*. In a round some hosts are asked, and the first answer that tells
something ends it: a reply, a refusal, or where else to go. Then

==========================================  ==================================================
the answer                                  the next round asks
==========================================  ==================================================
a reply, a refusal                          nobody: it is the caller's
not the leader, who is at ...               that host
not the leader / no replica                 the replicas it named
an error that this request retries          the hosts of the first round
not started yet, stepping up, no data
plane yet, no answer in time                the hosts of the first round
a host that was named cannot be reached     the hosts of the first round
==========================================  ==================================================

with a growing pause between rounds, until the deadline. What DAOS 2.8 retries is retried here, with the same requests.
Unlike there, nobody waits for slow hosts once there is an answer, and a dead host costs a fraction of a second.

**Many hosts** (``fan_out``) are each asked once, so many at a time; what each answered, or why it did not, is kept.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Generic, Protocol, TypeVar

from google.protobuf.message import Message

from daos_control.base import logs
from daos_control.base.aio import map_bounded
from daos_control.base.errors import (
    DaosControlError,
    Fault,
    NotLeader,
    RaftUnavailable,
    Redirect,
    ServiceUnavailable,
    SteppingUp,
    Uninitialized,
)
from daos_control.base.fault_codes import FaultCode
from daos_control.base.version import DAOS_VERSION
from daos_control.client.errors import ManagementServiceUnreachable, is_connection_error
from daos_control.client.hosts import addresses
from daos_control.client.waiting import Wait, Waiting
from daos_control.net.rpc.methods import Method

log = logs.get(__name__)

Reply = TypeVar("Reply")

MOST_ASKED = 5
"""Hosts that have a request at the same time in one round."""
HEDGE_S = 0.1
"""How long a host may think before the next one is asked as well."""
SETTLE_S = 0.25
"""The longest that a reading round waits, after its first answer, for a newer one."""
DEADLINE_S = 300.0
FAN_OUT = 64
"""Hosts that are called at the same time in a fan-out."""


class Transport(Protocol):
    """Carries one call to one host: ``net.grpc.channels.Channels`` does, and so may a fake."""

    async def call(self, address: str, method: Any, request: Message, *, timeout_s: float | None = None) -> Any:
        """Return the reply, or raise an error of ``base.errors``."""
        ...

    async def aclose(self) -> None:
        """End what is under way."""
        ...


RetryTest = Callable[[DaosControlError], bool]


def never(_: DaosControlError) -> bool:
    """Retry nothing beyond what every request retries."""
    return False


def is_timeout(error: DaosControlError) -> bool:
    """Whether an answer did not come in time; the next one may."""
    late = (FaultCode.CLIENT_RPC_TIMEOUT, FaultCode.CLIENT_CONNECTION_TIMED_OUT)
    return isinstance(error, Fault) and error.code in late


def is_unavailable(error: DaosControlError) -> bool:
    """Whether the management service, or the engine it needs, says that it will be able to answer later."""
    if isinstance(error, Fault):
        return error.code == FaultCode.SERVER_DATA_PLANE_NOT_STARTED
    return isinstance(error, RaftUnavailable | SteppingUp)


def is_not_running(error: DaosControlError) -> bool:
    """Whether nobody runs the management service where this answer comes from."""
    return isinstance(error, Redirect | Uninitialized) or is_unavailable(error) or is_connection_error(error)


def _chance(bound: int) -> int:
    return int.from_bytes(os.urandom(4), "big") % bound


@dataclass(frozen=True, slots=True, kw_only=True)
class BackOff:
    """How long to pause before a round: nothing before the second, then longer and longer, and never in step."""

    base_s: float = 0.25
    chance: Callable[[int], int] = field(default=_chance)
    """Returns a random number from 0 to below its argument."""

    def pause_s(self, rounds: int) -> float:
        """Return the pause after so many rounds, up to 8 s and as much again by chance."""
        if rounds <= 1:
            return 0.0
        delay = self.base_s * 2.0 ** max(0, min(rounds - 1, 7) - 2)
        return delay + delay * self.chance(1000) / 1000


class ManagementClient:
    """Calls methods of the management service, wherever its leader and replicas are.

    ``hosts`` are host lists as people write them; ``system`` is the name of the DAOS system. ``channels`` stay the
    caller's to close. ``sleep`` makes the pauses between rounds.
    """

    def __init__(
        self,
        channels: Transport,
        hosts: Sequence[str],
        system: str,
        *,
        port: int = 10001,
        version: str = DAOS_VERSION,
        back_off: BackOff | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        waiting: Waiting | None = None,
    ) -> None:
        self.hosts = tuple(hosts)
        self.port = port
        self.waiting = Waiting() if waiting is None else waiting
        self._channels = channels
        self._sys = f"{system}-{version}"
        self._back_off = back_off or BackOff()
        self._sleep = sleep

    async def call(
        self,
        method: Method,
        request: Message,
        *,
        hosts: Sequence[str] | None = None,
        deadline_s: float = DEADLINE_S,
        try_s: float | None = None,
        retry: RetryTest = never,
        give_up: RetryTest = never,
        read: bool = False,
        on_error: Callable[[DaosControlError], None] | None = None,
    ) -> Any:
        """Return the reply to ``request``, whose ``sys`` field is filled in if it is empty.

        ``hosts`` overrides where to begin; a round takes at most ``try_s``; ``retry`` names errors that are worth
        another round, ``give_up`` those that are not though they usually are. A ``read`` changes nothing, so it goes
        to several hosts at once, and of the answers that come about together the newest is taken. ``on_error`` hears
        of every error on the way, the last one included.
        """
        start = addresses(self.hosts, self.port)  # an unusable configuration is reported even if it is not needed
        start = addresses(hosts, self.port) if hosts else self._shuffled(start)
        name = method.name
        message = self.addressed(request)

        async def ask(host: str) -> Message:
            reply: Message = await self._channels.call(host, method, message, timeout_s=try_s or deadline_s)
            return reply

        try:
            async with asyncio.timeout(deadline_s):
                with self.waiting.on(name) as wait:
                    race = _Race(ask, wait, read=read, limit_s=try_s)
                    return await self._persist(race, start, retry, give_up, on_error)
        except TimeoutError as timeout:
            raise _late(name, deadline_s) from timeout

    async def _persist(
        self,
        race: "_Race",
        start: list[str],
        retry: RetryTest,
        give_up: RetryTest,
        on_error: Callable[[DaosControlError], None] | None,
    ) -> Message:
        """Go from round to round until one ends well, or with an error that is the caller's."""
        hosts = start
        for rounds in count(1):
            outcome = await race.run(hosts)
            if on_error:
                for heard in outcome.errors.values():
                    on_error(heard)
            if outcome.replies:
                return outcome.newest()
            error = outcome.most_telling()
            onward = None if give_up(error) else _onward(error, hosts, start, retry)
            if onward is None:
                if is_connection_error(error):
                    raise ManagementServiceUnreachable(outcome.errors) from error
                raise error
            if not race.wait.trouble or not isinstance(error, Redirect):
                race.wait.trouble = str(error)  # that it is for somebody else is news only until he was asked
            hosts = onward
            pause_s = self._back_off.pause_s(rounds)
            log.debug(f"trying {race.wait.request} again", hosts=",".join(hosts), pause_s=pause_s)
            await self._sleep(pause_s)
        raise AssertionError("rounds never run out")

    def addressed(self, request: Message) -> Message:
        """Say which system is meant, unless the request says so itself."""
        if "sys" not in request.DESCRIPTOR.fields_by_name or getattr(request, "sys", None):
            return request
        message = type(request)()
        message.CopyFrom(request)
        message.sys = self._sys  # type: ignore[attr-defined]  # the descriptor says that it is there
        return message

    def _shuffled(self, hosts: list[str]) -> list[str]:
        rest = list(hosts)
        return [rest.pop(self._back_off.chance(len(rest))) for _ in hosts]


def _late(request: str, timeout_s: float) -> Fault:
    return FaultCode.CLIENT_RPC_TIMEOUT.fault(request=request, limit=f"{timeout_s:g} s")


def _onward(error: DaosControlError, hosts: list[str], start: list[str], retry: RetryTest) -> list[str] | None:
    """Return the hosts of the next round, or None if there should be none."""
    if retry(error):
        return start
    if isinstance(error, NotLeader) and error.hint:
        return [error.hint]
    if isinstance(error, Redirect):
        return list(error.replicas) or start
    if is_unavailable(error) or is_timeout(error):
        return start
    if is_connection_error(error) and hosts != start:
        return start
    return None


_UNREACHED, _LATE, _NOT_YET, _ELSEWHERE, _THERE, _REFUSED = range(6)


def _telling(error: DaosControlError) -> int:
    """Rank errors by how much they tell; from ``_ELSEWHERE`` on an error says what to do next."""
    if isinstance(error, NotLeader) and error.hint:
        return _THERE
    if isinstance(error, Redirect):
        return _ELSEWHERE if error.replicas else _NOT_YET
    if isinstance(error, ServiceUnavailable) or is_unavailable(error):
        return _NOT_YET
    if is_timeout(error):
        return _LATE
    return _UNREACHED if is_connection_error(error) else _REFUSED


class _Outcome:
    """What the hosts of one round said; those that were not needed are in neither table."""

    def __init__(self) -> None:
        self.replies: dict[str, Message] = {}
        self.errors: dict[str, DaosControlError] = {}

    def newest(self) -> Message:
        """Return the reply with the highest data version, or the first of equals."""
        return max(self.replies.values(), key=lambda reply: getattr(reply, "data_version", 0))

    def most_telling(self) -> DaosControlError:
        """Return the error that decides how to go on, or the first of equals."""
        return max(self.errors.values(), key=_telling)

    def is_decided(self, asked: Mapping[str, object], *, read: bool) -> bool:
        """Whether the round may end though some hosts have not answered.

        A request that changes something must not be taken away from a host that others say is the one to ask.
        """
        if self.replies:
            return True
        if not self.errors:
            return False
        error = self.most_telling()
        if _telling(error) < _ELSEWHERE:
            return False
        named = {getattr(error, "hint", ""), *getattr(error, "replicas", ())}
        return read or _telling(error) == _REFUSED or not named & set(asked)


class _Race:
    """Asks the hosts of a round: reads go to several at once, changes to one after the other."""

    def __init__(
        self, ask: Callable[[str], Awaitable[Message]], wait: Wait, *, read: bool, limit_s: float | None
    ) -> None:
        self.wait = wait
        self._ask = ask
        self._read = read
        self._limit_s = limit_s

    async def run(self, hosts: Sequence[str]) -> _Outcome:
        """Return what was said until the round was decided; if it was not in time, the silent hosts are late."""
        outcome = _Outcome()
        asked: dict[str, asyncio.Task[None]] = {}
        try:
            async with asyncio.timeout(self._limit_s), asyncio.TaskGroup() as group:
                try:
                    await self._until_decided(list(hosts), asked, outcome, group)
                finally:
                    for task in asked.values():
                        task.cancel()
        except TimeoutError:
            late = _late(self.wait.request, self._limit_s or DEADLINE_S)
            for host in asked:
                outcome.errors.setdefault(host, late)
        return outcome

    async def _until_decided(
        self,
        unasked: list[str],
        asked: dict[str, asyncio.Task[None]],
        outcome: _Outcome,
        group: asyncio.TaskGroup,
    ) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        settled: float | None = None
        while True:
            pending = {host: task for host, task in asked.items() if not task.done()}
            if settled is None:
                more = min(len(unasked), MOST_ASKED - len(pending), MOST_ASKED if self._read else 1)
                for _ in range(more):
                    host = unasked.pop(0)
                    asked[host] = pending[host] = group.create_task(self._one(host, outcome))
            if not pending:
                return
            patience = HEDGE_S if unasked and len(pending) < MOST_ASKED else None
            if settled is not None:
                patience = settled - loop.time()
            await asyncio.wait(pending.values(), timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if settled is None and outcome.is_decided(pending, read=self._read):
                settled = loop.time() + (min(SETTLE_S, loop.time() - began) if self._read else 0)
            if settled is not None and settled <= loop.time():
                return

    async def _one(self, host: str, outcome: _Outcome) -> None:
        with self.wait.asking(host):
            log.debug(f"asking for {self.wait.request}", host=host)
            try:
                outcome.replies[host] = await self._ask(host)
                log.debug(f"an answer to {self.wait.request}", host=host)
            except DaosControlError as error:
                outcome.errors[host] = error
                log.debug(f"no answer to {self.wait.request}", host=host, error=error)


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
    deadline_s: float = DEADLINE_S,
    at_once: int = FAN_OUT,
    waiting: Waiting | None = None,
) -> HostAnswers[Any]:
    """Call every host (``host:port``) once; a host that does not answer in time is an error like any other.

    ``request`` may be a function of the host. The deadline holds for all together: a host that is not done by then
    has an error, and the answers of the others are kept.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    replies: dict[str, Any] = {}
    errors: dict[str, DaosControlError] = {}
    name = method.name
    with (Waiting() if waiting is None else waiting).on(name) as wait:

        async def one(host: str) -> None:
            message = request if isinstance(request, Message) else request(host)
            try:
                async with asyncio.timeout_at(end):
                    with wait.asking(host):
                        left = max(0.0, end - loop.time())
                        replies[host] = await channels.call(host, method, message, timeout_s=left)
            except TimeoutError:
                errors[host] = _late(name, deadline_s)
            except DaosControlError as error:
                errors[host] = error

        await map_bounded(at_once, one, hosts)
    return HostAnswers(
        replies={host: replies[host] for host in hosts if host in replies},
        errors={host: errors[host] for host in hosts if host in errors},
    )
