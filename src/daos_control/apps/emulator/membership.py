"""Who is in the system's group: the map that daos_server sends, and how a newer one replaces it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.base.rankset import NIL_RANK


class Member(msgspec.Struct, frozen=True):
    """An engine of the group."""

    rank: int
    uri: str
    incarnation: int


class GroupMap(msgspec.Struct, frozen=True, kw_only=True):
    """A map as it travels between engines."""

    version: int
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What this engine knows of its group. Before it has a rank it belongs to none and takes no map."""

    rank: int | None = None
    min_version: int = 0
    """Maps older than the one this engine joined with do not know it, and do not count."""
    version: int = 0
    members: Mapping[int, Member] = field(default_factory=dict)

    def with_rank(self, member: Member, min_version: int) -> "Group":
        """Take a rank, once per process; raises DaosError INVAL."""
        if member.rank == NIL_RANK or min_version == 0 or self.rank is not None:
            raise DaosError(Der.INVAL)
        return Group(rank=member.rank, min_version=min_version, members={member.rank: member})

    def updated(self, incoming: GroupMap) -> "Group":
        """Take a map; an old one changes nothing, one from before this engine's time raises DaosError GRPVER."""
        if incoming.version <= self.version:
            return self
        if not incoming.members:
            raise DaosError(Der.INVAL)
        if self.min_version == 0 or incoming.version < self.min_version:
            raise DaosError(Der.GRPVER)
        return Group(
            rank=self.rank,
            min_version=self.min_version,
            version=incoming.version,
            members={member.rank: member for member in incoming.members},
        )

    def left(self, before: "Group") -> Iterable[Member]:
        """Members of ``before`` that are not in this group."""
        return [member for rank, member in before.members.items() if rank not in self.members]

    def as_map(self) -> GroupMap:
        """The map to pass on."""
        return GroupMap(version=self.version, members=tuple(self.members.values()))

    def uri(self, rank: int) -> str:
        """Where to reach a member; raises DaosError OOG."""
        member = self.members.get(rank)
        if member is None:
            raise DaosError(Der.OOG)
        return member.uri


def address(uri: str) -> tuple[str, int]:
    """Return host and port of a fabric address; raises DaosError INVAL.

    >>> address("ofi+tcp://127.0.0.1:31416")
    ('127.0.0.1', 31416)
    """
    host, _, port = uri.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        raise DaosError(Der.INVAL)
    return host, int(port)
