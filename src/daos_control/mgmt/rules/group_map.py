"""What engines and clients are told of the system: who is in the group, and where."""

from collections.abc import Collection
from dataclasses import dataclass

from daos_control.base.errors import EmptyGroupMap
from daos_control.base.growing import as_dict
from daos_control.mgmt.system import System
from daos_control.model.member import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMap:
    """The members in the group, by rank, and the version that tells newer from older."""

    version: int
    members: tuple[Member, ...]

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks in the group, ascending."""
        return tuple(member.rank for member in self.members)

    def on(self, addresses: Collection[str]) -> tuple[Member, ...]:
        """Return the members whose control server is at one of these addresses."""
        return tuple(member for member in self.members if member.addr in addresses)


def group_map(system: System) -> GroupMap:
    """Return who is in the group; raises EmptyGroupMap if nobody is."""
    known = as_dict(system.members)
    members = tuple(known[rank] for rank in sorted(known) if known[rank].in_group)
    if not members:
        raise EmptyGroupMap
    return GroupMap(version=system.map_version, members=members)
