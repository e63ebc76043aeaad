"""Asking the management service, wherever it is.

It has a leader, replicas that serve reads, and hosts that only know where those are. One call is a series of *rounds*
(``race``). In a round some hosts are asked until one has told something: a reply, a refusal, or where else to go. Then

==========================================  ==================================================
the answer                                  the next round asks
==========================================  ==================================================
a reply, a refusal                          nobody: it is the caller's
not the leader, who is at ...               that host, at once
not the leader / no replica                 the replicas it named, at once
an error that this request retries          the hosts of the first round
not started yet, stepping up, no data
plane yet, no answer in time                the hosts of the first round
a host that was named cannot be reached     the hosts of the first round
==========================================  ==================================================

with a growing pause between rounds that bring nothing new, until the deadline. What DAOS 2.8 retries is retried here,
with the same requests. Whoever was found to lead is asked first from then on. See docs/decisions/0005-routing.md.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from google.protobuf.message import Message

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, NotLeader, Redirect
from daos_control.base.version import DAOS_VERSION
from daos_control.client.errors import Interrupted, ManagementServiceUnreachable, is_connection_error
from daos_control.client.given import texts
from daos_control.client.hosts import addresses
from daos_control.client.outcomes import is_timeout, is_unavailable, late
from daos_control.client.race import Manner, Outcome, Race
from daos_control.client.routes import Route
from daos_control.client.transport import DEADLINE_S, Transport
from daos_control.client.waiting import Wait, Waiting, end, subject
from daos_control.config.system import CONTROL_PORT
from daos_control.net.rpc.methods import MGMT, Method

log = logs.get(__name__)

ALIVE_S: Final = 0.5
"""How long a host that says nothing may take to show that it lives."""
LEADER_S: Final = 2.0
"""How long others may take to say who leads instead."""
UNREACHED_ROUNDS: Final = 3
"""So many rounds in which nobody can be reached are enough."""
UNREACHED_REPLICAS: Final = 8
"""So many are enough if others say where it should be: until a leader is elected, they name the one that is gone."""

RetryTest = Callable[[DaosControlError], bool]


def never(_: DaosControlError) -> bool:
    """Retry nothing beyond what every request retries."""
    return False


def _chance(bound: int) -> int:
    return int.from_bytes(os.urandom(4), "big") % bound


class BackOff(NamedTuple):
    """How long to pause before a round: nothing before the second, then longer and longer, and never in step."""

    base_s: float = 0.25
    chance: Callable[[int], int] = _chance
    """Returns a random number from 0 to below its argument."""

    def pause_s(self, rounds: int) -> float:
        """Return the pause after so many rounds, up to 8 s and as much again by chance."""
        if rounds <= 1:
            return 0.0
        delay = self.base_s * 2.0 ** max(0, min(rounds - 1, 7) - 2)
        return delay + delay * self.chance(1000) / 1000


class _Persistence(NamedTuple):
    """What a caller wants done about errors."""

    retry: RetryTest
    give_up: RetryTest
    on_error: Callable[[DaosControlError], None] | None


class ManagementClient:
    """Calls methods of the management service, wherever its leader and replicas are.

    ``hosts`` are host lists as people write them; ``system`` is the name of the DAOS system. ``channels`` stay the
    caller's to close. ``sleep`` makes the pauses between rounds. With ``timeout_s`` no call takes longer, and none
    begins later than that after the first one.
    """

    def __init__(
        self,
        channels: Transport,
        hosts: Sequence[str],
        system: str,
        *,
        port: int = CONTROL_PORT,
        version: str = DAOS_VERSION,
        back_off: BackOff | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        waiting: Waiting | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self.hosts = texts(hosts)
        self.port = port
        self.waiting = Waiting() if waiting is None else waiting
        self.route = Route()
        self.timeout_s = timeout_s
        self._channels = channels
        self._sys = f"{system}-{version}"
        self._back_off = back_off or BackOff()
        self._sleep = sleep
        self._end: float | None = None

    def left_s(self, usual_s: float) -> float:
        """Return how long a call may take that usually may take ``usual_s``."""
        if self.timeout_s is None:
            return usual_s
        now = asyncio.get_running_loop().time()
        if self._end is None:
            self._end = now + self.timeout_s
        return max(0.0, self._end - now)

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
        repeatable: bool = False,
        on_error: Callable[[DaosControlError], None] | None = None,
    ) -> Any:
        """Return the reply to ``request``, whose ``sys`` field is filled in if it is empty.

        ``hosts`` overrides where to begin; a round takes at most ``try_s``; ``retry`` names errors that are worth
        another round, ``give_up`` those that are not though they usually are. A ``read`` changes nothing, and the
        newest of answers that come about together is taken; what is ``repeatable`` may be done twice without harm;
        anything else is never out at two hosts. ``on_error`` hears of every error on the way, the last one included.
        """
        configured = addresses(self.hosts, self.port)  # an unusable configuration is reported even if it is not needed
        start = addresses(hosts, self.port) if hosts else configured
        message = self.addressed(request)
        name = subject(method.name, message)
        deadline_s = self.left_s(deadline_s)
        manner = Manner(read=read, repeatable=repeatable, together=not self.route.leader, limit_s=try_s)

        async def send(host: str) -> Message:
            reply: Message = await self._channels.call(host, method, message, timeout_s=try_s or deadline_s)
            return reply

        def first() -> list[str]:
            return list(start) if hosts else self.route.order(start, self._back_off.chance)

        with self.waiting.on(name, changes=not read) as wait:
            try:
                async with asyncio.timeout(deadline_s) as limit:
                    wait.stop = partial(end, limit)
                    race = Race(self._channels, send, wait, manner, partial(self._who_else_leads, start))
                    return await self._persist(
                        race, first, _Persistence(retry=retry, give_up=give_up, on_error=on_error)
                    )
            except TimeoutError as timeout:
                if self.waiting.is_interrupted:
                    raise Interrupted(name, changes=not read) from None
                raise late(name, f"{self.timeout_s or deadline_s:g} s", wait.trouble) from timeout

    async def _persist(self, race: Race, first: Callable[[], list[str]], persistence: _Persistence) -> Message:
        """Go from round to round until one ends well, or with an error that is the caller's."""
        hosts, named, is_known = first(), False, False
        asked: set[str] = set()
        pauses = unreached = 0
        while True:
            asked |= set(hosts)
            outcome = await race.run(hosts, alone=len(hosts) == 1 and not named)
            self._learn(outcome, persistence, change=not race.manner.may_be_out_twice)
            if outcome.replies:
                return outcome.newest()[1]
            error = outcome.most_telling()
            if is_connection_error(error):
                unreached += 1
            elif not isinstance(error, Redirect):
                unreached = 0
            is_known = is_known or isinstance(error, Redirect)
            in_vain = _is_in_vain(error, unreached, is_known=is_known) and not persistence.retry(error)
            is_final = in_vain or persistence.give_up(error)
            onward = None if is_final else _onward(error, first, persistence.retry)
            if onward is None:
                if is_connection_error(error):
                    raise ManagementServiceUnreachable(outcome.errors) from error
                raise error
            _note(race.wait, error)
            named = isinstance(error, Redirect)
            if not named or set(onward) <= asked:
                pauses += 1
                pause_s = self._back_off.pause_s(pauses)
                log.debug(f"trying {race.wait.request} again", hosts=",".join(onward), pause_s=pause_s)
                await self._sleep(pause_s)
                asked.clear()
            hosts = onward

    def addressed(self, request: Message) -> Message:
        """Say which system is meant, unless the request says so itself."""
        if "sys" not in request.DESCRIPTOR.fields_by_name or getattr(request, "sys", None):
            return request
        message = type(request)()
        message.CopyFrom(request)
        message.sys = self._sys  # type: ignore[attr-defined]  # the descriptor says that it is there
        return message

    def _learn(self, outcome: Outcome, persistence: _Persistence, *, change: bool) -> None:
        for host, error in outcome.errors.items():
            self.route.heard(host, error)
            if persistence.on_error:
                persistence.on_error(error)
        if outcome.replies:
            self.route.answered(*outcome.newest(), change=change)

    async def _who_else_leads(self, hosts: Sequence[str], silent: str) -> str:
        """Return who leads instead of a host that has a change and says nothing, if that is sure; else nothing.

        It is not if the silent one lives: then it is at work, for one that does not lead refuses at once. Nor if
        nobody else says of itself that it leads.
        """
        if await self._lives(silent) or self.waiting.is_interrupted:
            return ""
        others = [host for host in self.route.order(hosts, self._back_off.chance) if host != silent]
        method = MGMT["LeaderQuery"]
        inquiry = ManagementClient(self._channels, others, "", port=self.port, back_off=self._back_off)
        try:
            reply = await inquiry.call(method, self.addressed(method.request()), deadline_s=LEADER_S, read=True)
            leader: str = reply.current_leader
            if not leader or leader == silent:
                return ""
            own = await self._channels.call(leader, method, self.addressed(method.request()), timeout_s=ALIVE_S)
        except DaosControlError as error:
            log.debug("nobody knows who else leads", error=error)
            return ""
        return leader if own.current_leader == leader else ""

    async def _lives(self, host: str) -> bool:
        """Whether a host answers anything at all."""
        method = MGMT["LeaderQuery"]
        try:
            await self._channels.call(host, method, self.addressed(method.request()), timeout_s=ALIVE_S)
        except DaosControlError as error:
            return not (is_timeout(error) or is_connection_error(error))
        return True


def _note(wait: Wait, error: DaosControlError) -> None:
    """Remember what went wrong, for telling people; that somebody else is to be asked is none of it."""
    if not isinstance(error, Redirect):
        wait.trouble = error.gist
    elif isinstance(error, NotLeader) and not error.hint and not wait.trouble:
        wait.trouble = "nobody is known to lead the management service"


def _is_in_vain(error: DaosControlError, rounds: int, *, is_known: bool) -> bool:
    """Whether nobody is there, after so many rounds: one is enough if hosts refuse, silence may be a lost packet."""
    if is_known:
        return rounds >= UNREACHED_REPLICAS
    return rounds >= (UNREACHED_ROUNDS if is_timeout(error) else 1)


def _onward(error: DaosControlError, first: Callable[[], list[str]], retry: RetryTest) -> list[str] | None:
    """Return the hosts of the next round, or None if there should be none."""
    if retry(error):
        return first()
    if isinstance(error, NotLeader) and error.hint:
        return [error.hint]
    if isinstance(error, Redirect):
        return list(error.replicas) or first()
    if is_unavailable(error) or is_timeout(error) or is_connection_error(error):
        return first()
    return None
