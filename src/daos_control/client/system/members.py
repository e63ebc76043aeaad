"""The members of a system, as its management service last heard of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from daos_control.client.system.selection import Absent, absent
from daos_control.model.member_state import MemberState
from daos_control.wire.pb.mgmt import system_pb2

START_OF_TIME = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One engine of the system, as its management service last heard of it."""

    rank: int
    uuid: str
    state: MemberState
    addr: str
    """``ip:port`` of the control server on its host."""
    fault_domain: str
    fabric_uri: str
    secondary_fabric_uris: tuple[str, ...]
    fabric_contexts: int
    incarnation: int
    info: str
    last_update: datetime

    @classmethod
    def from_pb(cls, member: system_pb2.SystemMember) -> Self:
        """Read a member of a reply."""
        return cls(
            rank=member.rank,
            uuid=member.uuid,
            state=MemberState.parse(member.state),
            addr=member.addr,
            fault_domain=member.fault_domain,
            fabric_uri=member.fabric_uri,
            secondary_fabric_uris=tuple(member.secondary_fabric_uris),
            fabric_contexts=member.fabric_contexts,
            incarnation=member.incarnation,
            info=member.info,
            last_update=datetime.fromisoformat(member.last_update) if member.last_update else START_OF_TIME,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemState(Absent):
    """The answer to a system query."""

    members: tuple[Member, ...]
    providers: tuple[str, ...]
    self_heal_policy: str
    """Flags of the system property, joined with semicolons."""

    @classmethod
    def from_pb(cls, reply: system_pb2.SystemQueryResp) -> Self:
        """Read a reply."""
        return cls(
            members=tuple(Member.from_pb(member) for member in reply.members),
            providers=tuple(reply.providers),
            self_heal_policy=reply.sys_self_heal_policy,
            **absent(reply),
        )
