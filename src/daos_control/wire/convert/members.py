"""Members and what was done to them: message and value."""

from collections.abc import Iterable
from datetime import UTC

from daos_control.model.member import Member
from daos_control.model.member_state import MemberState
from daos_control.model.rank_result import RankResult
from daos_control.wire.pb.mgmt import system_pb2
from daos_control.wire.pb.shared import ranks_pb2


def member_to_pb(member: Member) -> system_pb2.SystemMember:
    """Write a member as ``SystemQuery`` shows it."""
    return system_pb2.SystemMember(
        addr=member.addr,
        uuid=member.uuid,
        rank=member.rank,
        incarnation=member.incarnation,
        state=member.state,
        fabric_uri=member.fabric_uri,
        secondary_fabric_uris=member.secondary_fabric_uris,
        fabric_contexts=member.fabric_contexts,
        info=member.info,
        fault_domain=str(member.fault_domain),
        last_update=member.last_update.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    )


def result_from_pb(message: ranks_pb2.RankResult) -> RankResult:
    """Read what a host says of one of its ranks; an error leaves a rank errored unless it does not even answer."""
    state = MemberState.parse(message.state)
    if message.errored and state is not MemberState.UNRESPONSIVE:
        state = MemberState.ERRORED
    return RankResult(
        rank=message.rank,
        state=state,
        action=message.action,
        errored=message.errored,
        message=message.msg,
        addr=message.addr,
    )


def results_to_pb(results: Iterable[RankResult]) -> list[ranks_pb2.RankResult]:
    """Write what became of ranks."""
    return [
        ranks_pb2.RankResult(
            rank=result.rank,
            action=result.action,
            errored=result.errored,
            msg=result.message,
            state=result.state,
            addr=result.addr,
        )
        for result in results
    ]
