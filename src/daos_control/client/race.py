"""One round of asking for the management service: hosts, one after the other or together, until one tells something.

Nobody waits for a host that says nothing: while it does, others are asked as well (*hedging*), and what is still out
when the round is decided is cancelled. How, depends on what the request does:

- one that only **reads** may be out at several hosts. A short list may be all replicas, so it is asked at once, and of
  answers that come about together the newest is taken; of a long list, or behind a known leader, one after the other.
- one that may be **repeated** (to join, to report an event) goes to one after the other, and the first answer wins.
- one that **changes** something is out at one host at a time: only *reaching* hosts is hedged. A host that has it and
  says nothing is asked whether it lives: see ``Suspicion``.

Where an answer points elsewhere, a request that may be out twice goes there beside what is under way; one that changes
something leaves that to the next round.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import inf
from typing import Final, NamedTuple

from google.protobuf.message import Message

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, NotLeader, Redirect
from daos_control.client.outcomes import Telling, late, telling
from daos_control.client.transport import DEADLINE_S, Transport
from daos_control.client.waiting import Wait

log = logs.get(__name__)

TOGETHER: Final = 5
"""Hosts of a list that is short enough to be asked at once."""
MOST_ASKED: Final = 16
"""Hosts that are asked at the same time in one round."""
REACH_HEDGE_S: Final = 0.02
"""How long a host may take to be reached before others are tried as well: as many as are being tried."""
ANSWER_HEDGE_S: Final = 0.15
"""How long a host that was reached may think before the next one is asked as well."""
REACH_S: Final = 1.1
"""How long a host may take to be reached if there are others: a packet that was lost is repeated after 1 s."""
SETTLE_S: Final = 0.25
"""The longest that a reading round waits, after its first answer, for a newer one."""
SUSPECT_AFTER_S: Final = (0.15, 5.0)
"""When a host that has a change and says nothing is asked whether it lives: soon, and from then on."""


Suspicion = Callable[[str], Awaitable[str]]
"""Looks whether a host lives that has a change and says nothing; returns who leads instead of it, or nothing."""


class Manner(NamedTuple):
    """How a request may be asked for."""

    read: bool = False
    repeatable: bool = False
    together: bool = True
    """A short list of hosts is asked at once, if the request reads."""
    limit_s: float | None = None
    """How long a round may take."""
    reach_s: float | None = REACH_S

    @property
    def may_be_out_twice(self) -> bool:
        """Whether several hosts may have the request."""
        return self.read or self.repeatable


class Outcome:
    """What the hosts of one round said; those that were not needed are in neither table."""

    def __init__(self) -> None:
        self.replies: dict[str, Message] = {}
        self.errors: dict[str, DaosControlError] = {}

    def newest(self) -> tuple[str, Message]:
        """Return the reply with the highest data version, or the first of equals, and who gave it."""
        return max(self.replies.items(), key=lambda item: getattr(item[1], "data_version", 0))

    def most_telling(self) -> DaosControlError:
        """Return the error that decides how to go on, or the first of equals."""
        return max(self.errors.values(), key=telling)

    def named(self) -> list[str]:
        """Return the hosts that answers point to, the most promising first."""
        found: list[str] = []
        for error in sorted(self.errors.values(), key=telling, reverse=True):
            if isinstance(error, NotLeader) and error.hint:
                found.append(error.hint)
            elif isinstance(error, Redirect):
                found += error.replicas
        return list(dict.fromkeys(found))


class Race:
    """Asks the hosts of a round; ``send`` carries the request to one of them."""

    def __init__(
        self,
        transport: Transport,
        send: Callable[[str], Awaitable[Message]],
        wait: Wait,
        manner: Manner,
        suspicion: Suspicion,
    ) -> None:
        self.wait = wait
        self.manner = manner
        self._transport = transport
        self._send = send
        self._suspicion = suspicion

    async def run(self, hosts: Sequence[str], *, alone: bool = False) -> Outcome:
        """Return what was said until the round was decided; if it was not in time, the silent hosts are late.

        A host that is ``alone`` may take its time to be reached: there is nobody else.
        """
        heat = _Heat(self, list(hosts), None if alone else self.manner.reach_s)
        try:
            async with asyncio.timeout(self.manner.limit_s), asyncio.TaskGroup() as group:
                try:
                    await heat.run(group)
                finally:
                    heat.cancel()
        except TimeoutError:
            error = late(self.wait.request, f"{self.manner.limit_s:g} s")
            for host in heat.asked:
                heat.outcome.errors.setdefault(host, error)
        return heat.outcome

    async def reach(self, host: str, limit_s: float | None) -> None:
        """Connect to a host."""
        await self._transport.reach(host, timeout_s=limit_s)

    async def send(self, host: str) -> Message:
        """Carry the request to a host."""
        return await self._send(host)

    async def suspect(self, host: str) -> str:
        """Return who leads instead of a host that says nothing, if that is known for sure."""
        return await self._suspicion(host)


class _Heat:
    """A round under way."""

    def __init__(self, race: Race, hosts: list[str], reach_s: float | None) -> None:
        self.outcome = Outcome()
        self.asked: dict[str, asyncio.Task[None]] = {}
        self._race = race
        self._manner = manner = race.manner
        self._unasked = hosts
        self._reach_s = reach_s
        self._together = manner.read and manner.together and len(hosts) <= TOGETHER
        self._wanted = len(hosts) if self._together else 1
        self._asked_at = 0.0
        self._reached: set[str] = set()
        self._turn = asyncio.Lock()
        """Held by the one host that has a change."""
        self._watches: list[asyncio.Task[None]] = []

    def cancel(self) -> None:
        """End what is out."""
        for task in (*self.asked.values(), *self._watches):
            task.cancel()

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Ask until the round is decided."""
        clock = asyncio.get_running_loop().time
        began, settled = clock(), inf  # when the round is over, once it is decided
        while True:
            pending = self._pending()
            if settled == inf:
                while self._unasked and len(pending) < self._wanted and not self._turn.locked():
                    host, self._asked_at = self._unasked.pop(0), clock()
                    self.asked[host] = pending[host] = group.create_task(self._one(host, group))
            if not pending:
                return
            limit_s = min(settled, self._hedge_at(pending)) - clock()
            await asyncio.wait(pending.values(), timeout=min(limit_s, DEADLINE_S), return_when=asyncio.FIRST_COMPLETED)
            if settled == inf and self._is_decided():
                settled = clock() + (min(SETTLE_S, clock() - began) if self._together and self.outcome.replies else 0.0)
            if settled <= clock():
                return
            if self._manner.may_be_out_twice:
                self._follow()
            if clock() >= self._hedge_at(pending):
                self._ask_more(pending)

    def _pending(self) -> dict[str, asyncio.Task[None]]:
        return {host: task for host, task in self.asked.items() if not task.done()}

    def _hedge_at(self, pending: Mapping[str, object]) -> float:
        """Return when others are to be asked as well, if those that are asked have not answered by then."""
        if not self._unasked or len(pending) >= MOST_ASKED or self._turn.locked():
            return inf
        return self._asked_at + (ANSWER_HEDGE_S if self._reached & set(pending) else REACH_HEDGE_S)

    def _ask_more(self, pending: Mapping[str, object]) -> None:
        more = 1 if self._reached & set(pending) else len(pending)
        self._wanted = min(len(pending) + more, MOST_ASKED)

    def _follow(self) -> None:
        """Ask hosts that answers point to, and nobody has asked yet, at once."""
        new = [host for host in self.outcome.named() if host not in self.asked]
        if new:
            self._unasked = new + [host for host in self._unasked if host not in new]
            self._wanted = max(self._wanted, len(self._pending()) + len(new))

    def _is_decided(self) -> bool:
        """Whether the round may end though some hosts have not answered."""
        if self.outcome.replies:
            return True
        if not self.outcome.errors:
            return False
        told = telling(self.outcome.most_telling())
        if told is Telling.REFUSED:
            return True
        if self._manner.may_be_out_twice or told < Telling.ELSEWHERE:
            return False
        return not set(self.outcome.named()) & set(self._pending())  # it may take a while to reach whom they name

    async def _one(self, host: str, group: asyncio.TaskGroup) -> None:
        name = self._race.wait.request
        with self._race.wait.asking(host):
            try:
                await self._race.reach(host, self._reach_s)
                self._reached.add(host)
                log.debug(f"asking for {name}", host=host)
                self.outcome.replies[host] = await self._answer(host, group)
                log.debug(f"an answer to {name}", host=host)
            except DaosControlError as error:
                self.outcome.errors[host] = error
                log.debug(f"no answer to {name}", host=host, error=error)

    async def _answer(self, host: str, group: asyncio.TaskGroup) -> Message:
        if self._manner.may_be_out_twice:
            return await self._race.send(host)
        async with self._turn:
            if self._is_decided():  # by the one whose turn it was before
                await asyncio.get_running_loop().create_future()
            watch = group.create_task(self._doubt(host))
            self._watches.append(watch)
            try:
                return await self._race.send(host)
            finally:
                watch.cancel()

    async def _doubt(self, host: str) -> None:
        """Take a change away from a host that does not live if somebody else leads now."""
        soon, *_, then = SUSPECT_AFTER_S
        await asyncio.sleep(soon)
        while True:
            leader = await self._race.suspect(host)
            if leader:
                log.debug(f"{host} says nothing, and {leader} leads", request=self._race.wait.request)
                self.outcome.errors[host] = NotLeader(leader)
                self.asked[host].cancel()
                return
            await asyncio.sleep(then)
