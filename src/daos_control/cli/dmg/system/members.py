"""``dmg system query`` and ``leader-query``: who belongs to the system, and who leads it."""

from typing import Any

from daos_control.cli.dmg import advice
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.system.selection import absent_text, problem_of, rank_table, selection
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.cli.ui.tables import table
from daos_control.client.errors import InvalidRequest
from daos_control.client.system import Member, SystemState
from daos_control.model import self_heal


@command("system query failed")
async def query(session: Session, args: Values) -> Output:
    """Show the members of the system and their states."""
    if args.explain is not None:
        return await explained(session, args)
    if args.not_ok and args.with_states:
        raise InvalidRequest("--not-ok and --with-states options cannot be set together")
    state = await session.daos.system.query(**selection(args), states=args.with_states, not_ok=args.not_ok)
    return Output(
        document=system_document(state),
        text=system_text(state, verbose=args.verbose),
        error_text=absent_text(state, ranks=args.verbose or not state.members),
        problem=problem_of(state),
        next=(*advice.for_members(state.members), *advice.for_absent(state)),
    )


async def explained(session: Session, args: Values) -> Output:
    """Tell the story of one rank."""
    from daos_control.cli.dmg import events  # a plain query does not pay for it

    if args.ranks or args.rank_hosts or args.with_states or args.not_ok:
        raise InvalidRequest("--explain is about the rank it names, and goes with no other selection")
    told = await session.daos.events.explain(args.explain)
    return Output(document=events.explanation_document(told), text=events.explanation_text(told))


def system_document(state: SystemState) -> dict[str, Any]:
    """Give the members the keys that DAOS gives them."""
    return {
        "members": [member_document(member) for member in state.members] or None,
        "providers": document(state.providers),
        "sys_self_heal_policy": state.self_heal_policy,
    }


def member_document(member: Member) -> dict[str, Any]:
    """Give one member the keys that DAOS gives it."""
    return {
        "addr": member.addr,
        "state": member.state.value,
        "fault_domain": member.fault_domain,
        "rank": member.rank,
        "incarnation": member.incarnation,
        "uuid": member.uuid,
        "fabric_uri": member.fabric_uri,
        "secondary_fabric_uris": document(member.secondary_fabric_uris),
        "fabric_contexts": member.fabric_contexts,
        "secondary_fabric_contexts": None,  # no reply carries them
        "info": member.info,
        "last_update": document(member.last_update),
    }


def system_text(state: SystemState, *, verbose: bool) -> str:
    """Lay out the members: by state, or each on a line."""
    if not state.members:
        text = "Query matches no ranks in system\n"
    elif verbose:
        rows = [(m.rank, m.uuid, m.addr, m.fault_domain, m.state.words, m.info) for m in state.members]
        text = table(["Rank", "UUID", "Control Address", "Fault Domain", "State", "Reason"], rows) + "\n"
    else:
        by_state: dict[tuple[str, ...], list[int]] = {}
        for member in state.members:
            by_state.setdefault((member.state.words,), []).append(member.rank)
        if state.absent_ranks:
            by_state["Unknown Rank",] = list(state.absent_ranks)
        text = rank_table(["Rank", "State"], by_state)
    disabled = self_heal.disabled(state.self_heal_policy)
    if disabled:
        text += (
            f"System property self_heal {'flags' if len(disabled) > 1 else 'flag'} disabled: {', '.join(disabled)}\n"
        )
    return text


@command("leader query failed")
async def leader_query(session: Session, args: Values) -> Output:
    """Show the leader and the replicas of the management service."""
    leader = await session.daos.system.leader()
    down = f"Unresponsive Replicas: {', '.join(leader.down_replicas)}\n"
    if not args.down_replicas:
        down = f"Current Leader: {leader.current_leader}\n   Replica Set: {', '.join(leader.replicas)}\n  {down}"
    return Output(document=document(leader), text=down)
