"""Who seems alive: the SWIM failure detector without sockets and clocks.

Every period one peer is pinged, in turn. A silent one is suspected; everybody hears of it with the next messages, and
it has until the suspicion's end to show a newer incarnation. Then it is dead, for good: only a group map with another
incarnation brings the rank back.

The shell calls ``next_peer``, then ``answered`` or ``silent``; ``hear`` with what messages carry, ``rumours`` for what
to put into them, and ``deaths`` now and then.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum

import msgspec

from daos_control.apps.emulator.membership import Member


class Health(IntEnum):
    """What is thought of a peer; of two opinions about one incarnation the graver counts."""

    ALIVE = 0
    SUSPECT = 1
    DEAD = 2


class Rumour(msgspec.Struct, frozen=True):
    """An opinion about a rank."""

    rank: int
    incarnation: int
    health: Health


class _Peer:
    __slots__ = ("health", "incarnation", "since")

    def __init__(self, incarnation: int) -> None:
        self.incarnation = incarnation
        self.health = Health.ALIVE
        self.since = 0.0


class Detector:
    """One engine's view of its peers. Times are seconds of any clock that only grows."""

    def __init__(self, rank: int, incarnation: int, *, suspect_s: float) -> None:
        self._rank = rank
        self.incarnation = incarnation
        """Its own; grows when others suspect it."""
        self._suspect_s = suspect_s
        self._peers: dict[int, _Peer] = {}
        self._last = rank

    def set_members(self, members: Mapping[int, Member]) -> None:
        """Follow a group map: forget ranks that left, greet new ones and those that were started again."""
        for rank in set(self._peers).difference(members):
            del self._peers[rank]
        for rank, member in members.items():
            if rank == self._rank:
                continue
            known = self._peers.get(rank)
            if known is None or member.incarnation > known.incarnation:
                self._peers[rank] = _Peer(member.incarnation)

    def is_dead(self, rank: int) -> bool:
        """Whether a member is held for dead; the engine itself and strangers are not."""
        peer = self._peers.get(rank)
        return peer is not None and peer.health is Health.DEAD

    @property
    def dead(self) -> list[int]:
        """Members held for dead."""
        return sorted(rank for rank in self._peers if self.is_dead(rank))

    def next_peer(self) -> int | None:
        """Return the rank to ping now, each in turn, beginning behind this engine's own."""
        living = sorted(rank for rank in self._peers if not self.is_dead(rank))
        if not living:
            return None
        self._last = next((rank for rank in living if rank > self._last), living[0])
        return self._last

    def others(self, rank: int, count: int) -> list[int]:
        """Return peers that could ping ``rank`` in our place."""
        living = [other for other in sorted(self._peers) if other != rank and not self.is_dead(other)]
        return living[:count]

    def answered(self, rank: int) -> None:
        """Note a sign of life; it settles a suspicion held only here."""
        peer = self._peers.get(rank)
        if peer is not None and peer.health is Health.SUSPECT:
            peer.health = Health.ALIVE

    def silent(self, rank: int, now: float) -> None:
        """Note that neither the peer nor others on its behalf answered."""
        peer = self._peers.get(rank)
        if peer is not None and peer.health is Health.ALIVE:
            peer.health, peer.since = Health.SUSPECT, now

    def hear(self, rumours: Iterable[Rumour], now: float) -> list[Rumour]:
        """Take in opinions; return deaths that are news here."""
        news = []
        for rumour in rumours:
            if rumour.rank == self._rank:
                self._defend(rumour)
            elif self._believes(rumour, now) and rumour.health is Health.DEAD:
                news.append(rumour)
        return news

    def deaths(self, now: float) -> list[Rumour]:
        """Turn suspicions that lasted too long into deaths; return them."""
        died = []
        for rank, peer in self._peers.items():
            if peer.health is Health.SUSPECT and now - peer.since >= self._suspect_s:
                peer.health, peer.since = Health.DEAD, now
                died.append(Rumour(rank, peer.incarnation, Health.DEAD))
        return died

    def rumours(self) -> list[Rumour]:
        """What to tell others: this engine lives, and whoever is not well."""
        ill = [
            Rumour(rank, peer.incarnation, peer.health)
            for rank, peer in self._peers.items()
            if peer.health is not Health.ALIVE
        ]
        return [Rumour(self._rank, self.incarnation, Health.ALIVE), *ill]

    def _defend(self, rumour: Rumour) -> None:
        if rumour.health is not Health.ALIVE and rumour.incarnation >= self.incarnation:
            self.incarnation = rumour.incarnation + 1

    def _believes(self, rumour: Rumour, now: float) -> bool:
        peer = self._peers.get(rumour.rank)
        if peer is None or peer.health is Health.DEAD or rumour.incarnation < peer.incarnation:
            return False
        if rumour.incarnation == peer.incarnation and rumour.health <= peer.health:
            return False
        if rumour.health is not peer.health:
            peer.since = now
        peer.incarnation, peer.health = rumour.incarnation, rumour.health
        return True
