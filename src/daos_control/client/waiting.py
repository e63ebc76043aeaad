"""What calls are out: for telling somebody who wonders why nothing happens, and for ending it all when he has enough.

Every call of a client is a ``Wait`` from its start to its end. It knows which hosts have the request and have not
answered, since when, and how many of how many are done. ``Waiting`` has them all; ``Waiting.interrupt`` ends them: what
one host is asked fails with ``Interrupted``, what many are asked ends with the answers that there are.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from daos_control.base.clock import Clock, SystemClock
from daos_control.base.rankset import RankSet
from daos_control.client.errors import LONGEST_LIST, Interrupted
from daos_control.client.hosts import folded

MOST_FOLDED = 500
"""Hosts of a list that is looked at whether it is that short."""


class Wait:
    """One request: the hosts that have it and have not answered, and the last thing that went wrong."""

    def __init__(
        self,
        request: str,
        *,
        total: int = 0,
        changes: bool = False,
        stop: Callable[[], object] = lambda: None,
        clock: Clock | None = None,
    ) -> None:
        self.request = request
        """What is asked for, and what about: ``SystemStop of ranks 0-3``."""
        self.total = total
        """What there is to do in all: hosts to ask, say; 0 if nobody knows, or one answer is enough."""
        self.done = 0
        """How much of that is done, or given up."""
        self.unit = "hosts"
        self.missing = ""
        """What is not done, if that is not simply the hosts that have not answered."""
        self.changes = changes
        """Whether it may be carried out though nobody waits for it."""
        self.stop = stop
        """Ends it early; called when somebody has waited long enough."""
        self._clock = clock or SystemClock()
        self._began_s = self._clock.monotonic()
        self._began_at = self._clock.now()
        self.trouble = ""
        self._hosts: dict[str, None] = {}

    @property
    def hosts(self) -> list[str]:
        """The hosts that have not answered, in the order in which they were asked."""
        return list(self._hosts)

    @contextmanager
    def asking(self, host: str) -> Iterator[None]:
        """Count a host as one that has not answered, during a block."""
        self._hosts[host] = None
        try:
            yield
        finally:
            self._hosts.pop(host, None)

    @property
    def where(self) -> str:
        """The hosts that have not answered, as few words as it takes."""
        hosts = self.hosts
        text = folded(hosts[:MOST_FOLDED])
        if len(hosts) <= MOST_FOLDED and len(text) <= LONGEST_LIST:
            return text
        return f"{len(hosts)} hosts, among them {hosts[0]}"

    def __str__(self) -> str:
        if self._hosts:
            text = f"{self.request} on {self.where}"
        else:
            text = f"{self.request}: {self.missing}" if self.missing else f"another attempt at {self.request}"
        text += f" ({self.done} of {self.total} {self.unit} are done)" if self.total > 1 else ""
        return f"{text} (so far: {self.trouble})" if self.trouble else text

    @property
    def waited_s(self) -> float:
        """How long it is out."""
        return self._clock.monotonic() - self._began_s

    def since(self) -> str:
        """Say since when it is out: ``since 14:03:07, 12 s``."""
        return f"since {self._began_at.astimezone():%H:%M:%S}, {self.waited_s:.0f} s"


class Waiting:
    """All requests of a client that are under way; the text names them."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.is_interrupted = False
        self.interruption = Interrupted()
        """What was out when it was interrupted."""
        self._waits: list[Wait] = []

    @property
    def waits(self) -> tuple[Wait, ...]:
        """What is out, the oldest first."""
        return tuple(self._waits)

    @contextmanager
    def on(
        self, request: str, *, total: int = 0, changes: bool = False, stop: Callable[[], object] = lambda: None
    ) -> Iterator[Wait]:
        """Count a request as under way, during a block. Raises Interrupted if nobody wants to wait any more."""
        wait = Wait(request, total=total, changes=changes, stop=stop, clock=self._clock)
        if self.is_interrupted:
            raise Interrupted(request, changes=False)
        self._waits.append(wait)
        try:
            yield wait
        finally:
            self._waits.remove(wait)

    def interrupt(self) -> None:
        """End what is out, and begin nothing new."""
        self.is_interrupted = True
        self.interruption = Interrupted(str(self), changes=any(wait.changes for wait in self.waits))
        for wait in self.waits:
            wait.stop()

    def __bool__(self) -> bool:
        return bool(self._waits)

    def __str__(self) -> str:
        return "; ".join(dict.fromkeys(str(wait) for wait in self._waits))

    def lines(self) -> list[str]:
        """Say what is waited for, and since when: a line for each request."""
        return [f"{wait} ({wait.since()})" for wait in self._waits]


def end(limit: asyncio.Timeout) -> None:
    """Let a block's time be over now, unless it is over already."""
    if not limit.expired():
        limit.reschedule(0)


def subject(method: str, request: Any) -> str:
    """Name a request and what it is about, as its fields tell: ``PoolExclude of rank 3 in pool tank``."""
    known = request.DESCRIPTOR.fields_by_name
    about = []
    ranks = getattr(request, "ranks", "") if "ranks" in known else ""
    if "rank" in known and "id" in known:
        about.append(f"rank {request.rank}")
    elif ranks:
        about.append(f"ranks {ranks if isinstance(ranks, str) else RankSet(ranks)}")
    elif "hosts" in known and isinstance(request.hosts, str) and request.hosts:
        about.append(f"the ranks on {request.hosts}")
    if "id" in known and request.id:
        about.append(f"pool {request.id}")
    return f"{method} of {' in '.join(about)}" if about else method
