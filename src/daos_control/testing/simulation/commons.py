"""What the engines of one process have in common: their fabric, their group map, and one failure detector for all.

Every engine of a real system keeps a map of its own and watches the others by itself. For thousands of engines in one
process that would be the same work, and the same memory, thousands of times. Here

- a call between two of them is a call, and only engines of other processes are reached over the network;
- a group map is kept once; each engine holds on to the part that concerns itself;
- a pool's space on engines of this process is told by the first that is asked for it, without asking around;
- that an engine has ended is known at once, suspected at the next look around, and after the usual time of suspicion a
  few of the others, drawn by lot, report its death, where in a real system all of them would.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random

import msgspec

from daos_control.apps.emulator import fabric
from daos_control.apps.emulator.chores import Chores
from daos_control.apps.emulator.engine import Space, WantSpace
from daos_control.apps.emulator.fabric import Fabric, ReplyT
from daos_control.apps.emulator.membership import Group, GroupMap, Member, address
from daos_control.apps.emulator.neighbourhood import BRANCHES, Founder, Gossip, Listener, Ping, SpreadMap, WantMap
from daos_control.apps.emulator.services import Nothing
from daos_control.apps.emulator.settings import Swim
from daos_control.apps.emulator.swim import Detector, Health, Rumour
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.base.rankset import NIL_RANK

log = logs.get(__name__)

WITNESSES = 3
"""Engines that report a death."""


class Version(msgspec.Struct, frozen=True):
    """Of a group map, all that one needs to know of an old one."""

    version: int


class BroughtMap(msgspec.Struct, frozen=True):
    """``SpreadMap`` as it comes in: every branch that reaches this process brings the same map, which is large."""

    map: msgspec.Raw
    onward: tuple[str, ...] = ()


class SharedFabric:
    """Calls between engines: in memory to those of this process, over the network to others."""

    def __init__(self, is_here: Callable[[str], bool]) -> None:
        self._is_here = is_here
        self._network = fabric.Network()
        self._services: dict[tuple[str, int], fabric.Services] = {}

    def close(self) -> None:
        """End what connections there are to other processes."""
        self._network.close()

    def attach(self, uri: str, services: fabric.Services) -> None:
        """Let an engine be called."""
        self._services[address(uri)] = services

    def detach(self, uri: str) -> None:
        """Let an engine be called no more."""
        self._services.pop(address(uri), None)

    def services_at(self, host: str, port: int) -> fabric.Services:
        """Return what is there to call at an address; nothing where no engine lives."""
        return self._services.get((host, port), {})

    def service(self, uri: str, request: type[msgspec.Struct]) -> fabric.Service | None:
        """Return what answers a kind of request at an engine of this process; None if no such engine lives."""
        return self._services.get(address(uri), {}).get(request.__name__)

    async def call(self, uri: str, request: msgspec.Struct, reply: type[ReplyT], *, timeout_s: float) -> ReplyT:
        """Ask an engine. Raises DaosError: the engine's, UNREACH, or TIMEDOUT."""
        host, port = address(uri)
        if not self._is_here(host):
            return await self._network.call(uri, request, reply, timeout_s=timeout_s)
        service = self._services.get((host, port), {}).get(type(request).__name__)
        await asyncio.sleep(0)
        if service is None:
            raise DaosError(Der.UNREACH)
        try:
            async with asyncio.timeout(timeout_s):
                return await service.answer(request, reply)
        except TimeoutError as error:
            raise DaosError(Der.TIMEDOUT) from error


class Commons:
    """The group, for all engines of this process; ``watch`` runs as long as they do."""

    def __init__(self, shared: SharedFabric, is_here: Callable[[str], bool], swim: Swim, random: Random) -> None:
        self.fabric = shared
        self.witnesses = WITNESSES
        self.maps = 0
        """Group maps taken so far."""
        self.version = 0
        self.members: Mapping[int, Member] = {}
        self._is_here = is_here
        self._swim = swim
        self._random = random
        self._residents: dict[str, Resident] = {}
        self._ended: dict[int, int] = {}
        """Incarnations of engines that have ended, by rank."""
        self._detector = Detector(NIL_RANK, 0, suspect_s=swim.suspect_s)
        self._last_foreigner = -1
        self._abroad: dict[str, bool] = {}
        """Whether engines are of other processes, by their addresses."""

    @property
    def dead(self) -> list[int]:
        """Members held for dead."""
        return self._detector.dead

    def is_dead(self, rank: int) -> bool:
        """Whether a member is held for dead."""
        return self._detector.is_dead(rank)

    def resident(self, rank: int) -> "Resident | None":
        """Return the living engine that has a rank."""
        return next((resident for resident in self._residents.values() if resident.rank == rank), None)

    def founder(self, introduce: Callable[["Resident"], None]) -> Founder:
        """Return what makes a newcomer's neighbours: a ``Resident``, which is introduced before it settles."""

        def found(incarnation: int, _swim: Swim, chores: Chores, _fabric: Fabric, listener: Listener) -> Resident:
            resident = Resident(self, incarnation, chores, listener)
            introduce(resident)
            return resident

        return found

    @contextmanager
    def residing(self, resident: "Resident", services: fabric.Services) -> Iterator[None]:
        """Count an engine among the living, while inside."""
        self._residents[resident.uri] = resident
        answers = {**services, SpreadMap.__name__: fabric.Service(BroughtMap, resident.on_brought_map)}
        if (own := services.get(WantSpace.__name__)) is not None:
            answers[WantSpace.__name__] = fabric.Service(WantSpace, partial(self._space_of, own))
        self.fabric.attach(resident.uri, answers)
        try:
            yield
        finally:
            self.fabric.detach(resident.uri)
            del self._residents[resident.uri]
            if resident.rank is not None:
                self._ended[resident.rank] = resident.incarnation

    async def _space_of(self, first: fabric.Service, request: WantSpace) -> Space:
        """Tell a pool's space at an engine and at the ranks onward; those of other processes it asks as ever."""
        services = {rank: self._space_service(rank) for rank in request.onward}
        onward = tuple(rank for rank, service in services.items() if service is None)
        usages = (await first.answer(WantSpace(request.uuid, onward), Space)).usages
        for service in services.values():
            if service is not None:
                usages |= (await service.answer(WantSpace(request.uuid), Space)).usages
        return Space(usages=usages)

    def _space_service(self, rank: int) -> fabric.Service | None:
        member = self.members.get(rank)
        return self.fabric.service(member.uri, WantSpace) if member is not None else None

    # The group map

    def take(self, incoming: GroupMap) -> bool:
        """Take a map; an old one changes nothing. Returns whether it is news."""
        if incoming.version <= self.version:
            return False
        if not incoming.members:
            raise DaosError(Der.INVAL)
        self.version = incoming.version
        self.members = {member.rank: member for member in incoming.members}
        self.maps += 1
        log.info("group map taken", version=incoming.version, members=len(self.members))
        self._detector.set_members(self.members)
        for rank in self._ended.keys() & self.members.keys():
            if self.members[rank].incarnation > self._ended[rank]:
                del self._ended[rank]
        for resident in list(self._residents.values()):
            resident.follow()
        return True

    def spread(self, chores: Chores, uris: Iterable[str]) -> None:
        """Bring the map to engines of other processes."""
        foreign = [uri for uri in uris if self._is_abroad(uri)]
        for branch in range(min(BRANCHES, len(foreign))):
            chores.start("group map to other processes", self._spread_to(foreign[branch::BRANCHES]))

    def _is_abroad(self, uri: str) -> bool:
        abroad = self._abroad.get(uri)
        if abroad is None:
            abroad = self._abroad[uri] = not self._is_here(address(uri)[0])
        return abroad

    async def _spread_to(self, uris: Sequence[str]) -> None:
        for place, uri in enumerate(uris):
            request = SpreadMap(self.as_map(), tuple(uris[place + 1 :]))
            try:
                await self.fabric.call(uri, request, Nothing, timeout_s=self._swim.ping_s)
            except DaosError as error:
                log.debug("group map not delivered", uri=uri, reason=error)
            else:
                return

    def as_map(self) -> GroupMap:
        """The map to pass on."""
        return GroupMap(version=self.version, members=tuple(self.members.values()))

    # Who lives

    async def watch(self) -> None:
        """Look around once in a while, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._swim.period_s)
            for rank in self._ended:
                self._detector.silent(rank, loop.time())
            await self._look_abroad()
            self._mourn(self._detector.deaths(loop.time()))

    async def _look_abroad(self) -> None:
        """Ping one engine of another process, each in turn."""
        abroad = [rank for rank, member in self.members.items() if self._is_abroad(member.uri)]
        here = next(iter(self._residents.values()), None)
        if not abroad or here is None:
            return
        rank = min((rank for rank in abroad if rank > self._last_foreigner), default=min(abroad))
        self._last_foreigner = rank
        uri = self.members[rank].uri
        try:
            ping = Ping(uri=here.uri, gossip=self.gossip())
            gossip = await self.fabric.call(uri, ping, Gossip, timeout_s=self._swim.ping_s)
            self._detector.answered(rank)
            self.hear(gossip.rumours)
            if gossip.map_version > self.version:
                self.take((await self.fabric.call(uri, WantMap(), SpreadMap, timeout_s=self._swim.ping_s)).map)
        except DaosError as error:
            log.debug("no answer to a ping", uri=uri, reason=error)
            self._detector.silent(rank, asyncio.get_running_loop().time())

    def gossip(self) -> Gossip:
        """What to tell engines of other processes."""
        rumours = [rumour for rumour in self._detector.rumours() if rumour.rank != NIL_RANK]
        defended = [r.as_rumour() for r in self._residents.values() if r.rank is not None and r.was_suspected]
        return Gossip(rumours=rumours + defended, map_version=self.version)

    def hear(self, rumours: Iterable[Rumour]) -> None:
        """Take in what others think; the living of this process know better what they are themselves."""
        here = {resident.rank: resident for resident in self._residents.values()}
        news = []
        for rumour in rumours:
            if (resident := here.get(rumour.rank)) is not None:
                resident.defend(rumour)
            else:
                news.append(rumour)
        self._mourn(self._detector.hear(news, asyncio.get_running_loop().time()))

    def _mourn(self, deaths: list[Rumour]) -> None:
        """Have some of the living report each death, and all of them see to their pools."""
        living = [resident for resident in self._residents.values() if resident.rank in self.members]
        if not deaths or not living:
            return
        for death in deaths:
            for witness in self._random.sample(living, min(self.witnesses, len(living))):
                witness.listener.died([death])
        for resident in living:
            resident.listener.changed()


class Resident:
    """One engine's view of what it has in common with others: ``neighbourhood.Neighbours``."""

    def __init__(self, commons: Commons, incarnation: int, chores: Chores, listener: Listener) -> None:
        self.uri = ""
        self.incarnation = incarnation
        self.was_suspected = False
        self.listener = listener
        self.group = Group()
        self._commons = commons
        self._chores = chores

    @property
    def rank(self) -> int | None:
        """Its rank, once it has one."""
        return self.group.rank

    @property
    def dead(self) -> list[int]:
        """Members held for dead."""
        return self._commons.dead

    def usable(self, rank: int) -> bool:
        """Whether a rank is in the group and not held for dead."""
        return rank in self.group.members and not self._commons.is_dead(rank)

    def is_gone(self, rank: int) -> bool:
        """Whether a rank is held for dead, or was left out of the last group map."""
        return self.group.version > 0 and not self.usable(rank)

    def set_rank(self, rank: int, map_version: int) -> None:
        """Take a rank; raises DaosError INVAL."""
        self.group = self.group.with_rank(Member(rank, self.uri, self.incarnation), map_version)
        self.follow()

    def follow(self) -> None:
        """Take over the common map, unless it is older than this engine's membership."""
        rank, version = self.group.rank, self._commons.version
        if rank is None or not self.group.min_version <= version:
            return
        self.group = Group(
            rank=rank, min_version=self.group.min_version, version=version, members=self._commons.members
        )
        if rank not in self.group.members:
            self.listener.left_out()
        self.listener.changed()

    def update(self, incoming: GroupMap, *, spread: bool) -> None:
        """Take a group map from daos_server, and have others take it; raises DaosError."""
        before = self._commons.members
        if self._commons.take(incoming) and spread:
            self._commons.spread(self._chores, (member.uri for member in {**before, **self._commons.members}.values()))

    async def watch(self) -> None:
        """Leave that to the common watch."""
        await asyncio.Event().wait()

    async def on_ping(self, request: Ping) -> Gossip:
        """Answer an engine of another process, or ping for it; raises DaosError if that one does not answer."""
        commons = self._commons
        if request.target is not None and request.target != self.rank and commons.resident(request.target) is None:
            raise DaosError(Der.UNREACH)
        commons.hear(request.gossip.rumours)
        return commons.gossip()

    async def on_map(self, request: SpreadMap) -> Nothing:
        """Take a group map from a peer."""
        self._commons.take(request.map)
        self._commons.spread(self._chores, request.onward)
        return Nothing()

    async def on_brought_map(self, request: BroughtMap) -> Nothing:
        """Take a group map that comes from another process, if it is news."""
        if msgspec.msgpack.decode(request.map, type=Version).version > self._commons.version:
            self._commons.take(msgspec.msgpack.decode(request.map, type=GroupMap))
        self._commons.spread(self._chores, request.onward)
        return Nothing()

    async def on_want_map(self, _request: WantMap) -> SpreadMap:
        """Hand out the group map."""
        return SpreadMap(self._commons.as_map())

    def defend(self, rumour: Rumour) -> None:
        """Show that it lives to whoever thinks otherwise."""
        if rumour.health is not Health.ALIVE and rumour.incarnation >= self.incarnation:
            self.incarnation = rumour.incarnation + 1
            self.was_suspected = True

    def as_rumour(self) -> Rumour:
        """What to tell of it."""
        return Rumour(NIL_RANK if self.rank is None else self.rank, self.incarnation, Health.ALIVE)
