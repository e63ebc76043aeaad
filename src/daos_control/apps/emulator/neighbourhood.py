"""An engine among its peers: its rank and group, how group maps spread, and who is there.

daos_server gives a map to one engine, from which it goes to all that are in it or were until now: so those that are
left out learn it too. Each engine that gets it brings it to a few others, with those they are to bring it to. Whoever
missed it hears of it with the next ping and fetches it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import msgspec

from daos_control.apps.emulator.chores import Chores
from daos_control.apps.emulator.fabric import Fabric
from daos_control.apps.emulator.membership import Group, GroupMap, Member
from daos_control.apps.emulator.services import Nothing
from daos_control.apps.emulator.settings import Swim
from daos_control.apps.emulator.swim import Detector, Rumour
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

log = logs.get(__name__)

HELPERS = 2
"""Peers that ping on our behalf before one is suspected."""
BRANCHES = 4
"""Peers to which an engine brings a group map itself."""


class Gossip(msgspec.Struct, frozen=True, kw_only=True):
    """What travels with pings and their answers."""

    rumours: list[Rumour]
    map_version: int


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """Ask whether the receiver is there; or, with ``target``, whether that one is, as seen from the receiver."""

    uri: str
    """Where the asking engine is; the receiver may not have it in its map yet."""
    gossip: Gossip
    target: int | None = None


class SpreadMap(msgspec.Struct, frozen=True):
    """Bring a group map; the receiver brings it to the engines at ``onward``."""

    map: GroupMap
    onward: tuple[str, ...] = ()


class WantMap(msgspec.Struct, frozen=True):
    """Ask for the group map."""


class Neighbours(Protocol):
    """What an engine needs to know of its group, and what its group asks of it."""

    uri: str
    """Where peers reach this engine; known once it listens."""

    @property
    def group(self) -> Group:
        """The group as it is now."""
        ...

    @property
    def incarnation(self) -> int:
        """This engine's incarnation; it has grown if others thought it dead."""
        ...

    @property
    def dead(self) -> list[int]:
        """Members held for dead."""
        ...

    def usable(self, rank: int) -> bool:
        """Whether a rank is in the group and not held for dead."""
        ...

    def is_gone(self, rank: int) -> bool:
        """Whether a rank is held for dead, or was left out of the last group map, which says the same."""
        ...

    def set_rank(self, rank: int, map_version: int) -> None:
        """Take a rank; raises DaosError INVAL."""
        ...

    def update(self, incoming: GroupMap, *, spread: bool) -> None:
        """Take a group map from daos_server, and have others take it; raises DaosError."""
        ...

    async def watch(self) -> None:
        """Look after the others, for ever."""
        ...

    async def on_ping(self, request: Ping) -> Gossip:
        """Answer a ping."""
        ...

    async def on_map(self, request: SpreadMap) -> Nothing:
        """Take a group map from a peer; raises DaosError."""
        ...

    async def on_want_map(self, _request: WantMap) -> SpreadMap:
        """Hand out the group map."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """Whom an engine's neighbours tell what they notice."""

    changed: Callable[[], None]
    """The group is another, or somebody in it is held for dead."""
    died: Callable[[list[Rumour]], None]
    """Deaths that are news."""
    left_out: Callable[[], None]
    """A group map is without this engine."""


Founder: TypeAlias = Callable[[int, Swim, Chores, Fabric, Listener], Neighbours]
"""Makes an engine's neighbours when it starts; the first is its incarnation."""


class Neighbourhood:
    """The group as this engine alone knows it."""

    def __init__(
        self,
        incarnation: int,
        swim: Swim,
        chores: Chores,
        fabric: Fabric,
        listener: Listener,
    ) -> None:
        self._swim = swim
        self._chores = chores
        self._fabric = fabric
        self._listener = listener
        self.group = Group()
        self.uri = ""
        """Where peers reach this engine; known once it listens."""
        self._born = incarnation
        self._detector: Detector | None = None

    @property
    def incarnation(self) -> int:
        """This engine's incarnation; it has grown if others thought it dead."""
        return self._detector.incarnation if self._detector else self._born

    @property
    def dead(self) -> list[int]:
        """Members held for dead."""
        return self._detector.dead if self._detector else []

    def usable(self, rank: int) -> bool:
        """Whether a rank is in the group and not held for dead."""
        return rank in self.group.members and not (self._detector and self._detector.is_dead(rank))

    def is_gone(self, rank: int) -> bool:
        """Whether a rank is held for dead, or was left out of the last group map, which says the same."""
        return self.group.version > 0 and not self.usable(rank)

    def set_rank(self, rank: int, map_version: int) -> None:
        """Take a rank; raises DaosError INVAL."""
        self.group = self.group.with_rank(Member(rank, self.uri, self._born), map_version)
        self._detector = Detector(rank, self._born, suspect_s=self._swim.suspect_s)
        log.info("rank set", rank=rank, min_map_version=map_version)

    def update(self, incoming: GroupMap, *, spread: bool) -> None:
        """Take a group map from daos_server, and have others take it; raises DaosError."""
        before = self.group
        if self._take(incoming) and spread:
            all_uris = (member.uri for member in (*incoming.members, *self.group.left(before)))
            self._spread([uri for uri in all_uris if uri != self.uri])

    def _take(self, incoming: GroupMap) -> bool:
        """Take a map; returns whether it is news."""
        before = self.group
        self.group = before.updated(incoming)
        if self.group is before:
            return False
        left = list(self.group.left(before))
        log.info("group map updated", version=incoming.version, members=len(incoming.members), left=len(left))
        if self._detector is not None:
            self._detector.set_members(self.group.members)
        if self.group.rank not in self.group.members:
            self._listener.left_out()
        self._listener.changed()
        return True

    def _spread(self, uris: Sequence[str]) -> None:
        for branch in range(min(BRANCHES, len(uris))):
            part = uris[branch::BRANCHES]
            self._chores.start(f"group map to {part[0]}", self._spread_to(part))

    async def watch(self) -> None:
        """Ping one peer after the other, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._swim.period_s)
            if self._detector is None or (peer := self._detector.next_peer()) is None:
                continue
            if not await self._is_there(peer):
                self._detector.silent(peer, loop.time())
            self._tell(self._detector.deaths(loop.time()))

    async def on_ping(self, request: Ping) -> Gossip:
        """Answer a ping, or ping somebody else for a peer; raises DaosError if that one does not answer."""
        if request.target is not None and request.target != self.group.rank:
            await self._ping(request.target)
        self._listen_to(request.uri, request.gossip)
        return self._gossip()

    async def on_map(self, request: SpreadMap) -> Nothing:
        """Take a group map from a peer; raises DaosError."""
        self._take(request.map)
        self._spread(request.onward)
        return Nothing()

    async def on_want_map(self, _request: WantMap) -> SpreadMap:
        """Hand out the group map."""
        return SpreadMap(self.group.as_map())

    async def _is_there(self, rank: int) -> bool:
        try:
            await self._ping(rank)
        except DaosError:
            return await self._others_reach(rank)
        return True

    async def _ping(self, rank: int) -> None:
        uri = self.group.uri(rank)
        gossip = await self._ask_for_gossip(uri, Ping(uri=self.uri, gossip=self._gossip()), self._swim.ping_s)
        if gossip is None:
            raise DaosError(Der.UNREACH)
        if self._detector is not None:
            self._detector.answered(rank)

    async def _others_reach(self, rank: int) -> bool:
        helpers = self._detector.others(rank, HELPERS) if self._detector else []
        request = Ping(uri=self.uri, gossip=self._gossip(), target=rank)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._ask_for_gossip(self.group.uri(helper), request, 2 * self._swim.ping_s))
                for helper in helpers
            ]
        return any(task.result() is not None for task in tasks)

    async def _ask_for_gossip(self, uri: str, request: Ping, timeout_s: float) -> Gossip | None:
        try:
            gossip = await self._fabric.call(uri, request, Gossip, timeout_s=timeout_s)
        except DaosError as error:
            log.debug("no answer to a ping", uri=uri, reason=error)
            return None
        self._listen_to(uri, gossip)
        return gossip

    def _gossip(self) -> Gossip:
        rumours = self._detector.rumours() if self._detector else []
        return Gossip(rumours=rumours, map_version=self.group.version)

    def _listen_to(self, uri: str, gossip: Gossip) -> None:
        if self._detector is not None:
            self._tell(self._detector.hear(gossip.rumours, asyncio.get_running_loop().time()))
        if gossip.map_version > max(self.group.version, self.group.min_version - 1) and self.group.rank is not None:
            self._chores.start(f"group map from {uri}", self._fetch_map(uri))

    def _tell(self, deaths: Iterable[Rumour]) -> None:
        if news := list(deaths):
            self._listener.died(news)
            self._listener.changed()

    async def _spread_to(self, uris: Sequence[str]) -> None:
        """Bring the map to the first of these that takes it, and have that one bring it to those behind it."""
        for place, uri in enumerate(uris):
            request = SpreadMap(self.group.as_map(), tuple(uris[place + 1 :]))
            try:
                await self._fabric.call(uri, request, Nothing, timeout_s=self._swim.ping_s)
            except DaosError as error:
                log.debug("group map not delivered", uri=uri, reason=error)
            else:
                return

    async def _fetch_map(self, uri: str) -> None:
        try:
            answer = await self._fabric.call(uri, WantMap(), SpreadMap, timeout_s=self._swim.ping_s)
            self._take(answer.map)
        except DaosError as error:
            log.debug("group map not fetched", uri=uri, reason=error)
