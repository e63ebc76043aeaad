"""The whole system as one value, and a decision about it as another.

Rules take a ``System`` and return a ``Change``; nobody ever modifies either. Every change of a member, and
nothing else, makes a new *map version*: the number by which engines tell an old group map from a new one.

These values, and those they are made of, are msgspec's structs: every decision makes some of them anew, and a copy of
one with a field changed costs a twentieth of what it costs of a dataclass.
"""

from collections.abc import Mapping
from typing import Final, Generic, Self, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from daos_control.base.growing import with_item
from daos_control.model.checker import CheckRecords
from daos_control.model.event import Event
from daos_control.model.fault_domain import FaultTree
from daos_control.model.journal import Fact
from daos_control.model.member import Member
from daos_control.model.pool import PoolService
from daos_control.model.system_property import NOTE_PREFIX, PROPERTY_PREFIX, SETTABLE, Note

FIRST_FREE_RANK: Final = 1
"""Rank 0 belongs to the first engine of the bootstrap replica, which asks for it."""


class System(Struct, frozen=True, kw_only=True):
    """Everything the management service knows."""

    members: Mapping[int, Member] = field(default_factory=dict)
    by_uuid: Mapping[str, int] = field(default_factory=dict)
    """Ranks by engine uuid; follows ``members``."""
    tree: FaultTree = field(default_factory=FaultTree)
    pools: Mapping[str, PoolService] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    """Uuids of pools by label; follows ``pools``."""
    unfinished: frozenset[str] = frozenset()
    """Pools that are half made or half destroyed; follows ``pools``, as a decision about one must not look at all."""
    remains: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Ranks that may hold something of a pool that is not there, or not on them, by its uuid: they were away when it
    was destroyed, say, or it was not extended to them after all."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Users' attributes, settable properties and the service's notes, told apart by prefix."""
    check: CheckRecords = field(default_factory=CheckRecords)
    """What the checker has found, and what is to become of it."""
    map_version: int = 0
    next_rank: int = FIRST_FREE_RANK
    touched: tuple[int, ...] = ()
    """Ranks whose members were changed, so that a decision's moves are found without looking at every member."""

    def __eq__(self, other: object) -> bool:
        """Whether the same is known, however it came about."""
        known = (name for name in self.__struct_fields__ if name != "touched")
        return isinstance(other, System) and all(getattr(self, name) == getattr(other, name) for name in known)

    def __hash__(self) -> int:
        return hash((self.map_version, self.next_rank))

    def with_member(self, member: Member, *, tree: FaultTree | None = None, next_rank: int = 0) -> Self:
        """Add a member or replace the one with its rank, in a tree of which it is part; a new map version."""
        known = self.members.get(member.rank)
        by_uuid = self.by_uuid
        if known is None or known.uuid != member.uuid:
            if known is not None:
                by_uuid = {uuid: rank for uuid, rank in by_uuid.items() if uuid != known.uuid}
            by_uuid = with_item(by_uuid, member.uuid, member.rank)
        return replace(
            self,
            members=with_item(self.members, member.rank, member),
            by_uuid=by_uuid,
            tree=tree or self.tree,
            map_version=self.map_version + 1,
            next_rank=next_rank or self.next_rank,
            touched=(*self.touched, member.rank),
        )

    def with_pool(self, pool: PoolService) -> Self:
        """Add or replace a pool's record."""
        rest = self.without_pool(pool.uuid) if self._renames(pool) else self
        return replace(
            rest,
            pools={**rest.pools, pool.uuid: pool},
            labels={**rest.labels, pool.label: pool.uuid} if pool.label else rest.labels,
            unfinished=rest.unfinished - {pool.uuid} if pool.ready else rest.unfinished | {pool.uuid},
        )

    def _renames(self, pool: PoolService) -> bool:
        known = self.pools.get(pool.uuid)
        return known is not None and known.label != pool.label

    def without_pool(self, uuid: str) -> Self:
        """Forget a pool."""
        pools, labels = dict(self.pools), dict(self.labels)
        known = pools.pop(uuid, None)
        if known is not None and labels.get(known.label) == uuid:
            del labels[known.label]
        return replace(self, pools=pools, labels=labels, unfinished=self.unfinished - {uuid})

    def with_remains(self, uuid: str, ranks: frozenset[int]) -> Self:
        """Note where something of a destroyed pool may be left; nowhere strikes out the note."""
        if ranks == self.remains.get(uuid, frozenset()):
            return self
        kept = {other: where for other, where in self.remains.items() if other != uuid}
        return replace(self, remains={**kept, uuid: ranks} if ranks else kept)

    def with_attributes(self, changes: Mapping[str, str | None]) -> Self:
        """Set attributes; None removes."""
        kept = {key: value for key, value in self.attributes.items() if key not in changes}
        return replace(self, attributes=kept | {key: value for key, value in changes.items() if value is not None})

    def with_check(self, check: CheckRecords) -> Self:
        """Set what the checker knows."""
        return replace(self, check=check)

    def setting(self, name: str) -> str:
        """Return a settable property's value, or its default."""
        return self.attributes.get(PROPERTY_PREFIX + name, SETTABLE[name].default)

    def note(self, note: Note) -> str | None:
        """Return one of the service's own notes."""
        return self.attributes.get(NOTE_PREFIX + note)

    def with_note(self, note: Note, value: str | None) -> Self:
        """Write one of the service's own notes, or strike it out."""
        return self.with_attributes({NOTE_PREFIX + note: value})

    @property
    def checking(self) -> bool:
        """Whether the system checker is enabled, and ordinary service refused."""
        return self.note(Note.CHECKER_ENABLED) == "true"

    @property
    def paused(self) -> bool:
        """Whether group updates wait until every rank has joined with the new fabric provider."""
        return self.note(Note.GROUP_UPDATE_PAUSED) == "true"


T_co = TypeVar("T_co", covariant=True)


class Change(Struct, Generic[T_co], frozen=True, kw_only=True):
    """A decision: the system after it, what to tell the caller, and what to make known once it is durable."""

    system: System
    outcome: T_co
    events: tuple[Event, ...] = ()
    facts: tuple[Fact, ...] = ()
    """What goes into the journal together with the decision; moves of members get there by themselves."""
