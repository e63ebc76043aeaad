"""What the journal says of a decision: the event it answers, what came of it, and which members moved.

``recorded`` makes of any rule one that also says so. The facts are committed with the decision: there is no move
without its entry, and no entry of a move that was not made.
"""

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from daos_control.base.errors import DaosControlError
from daos_control.base.rankset import RankSet
from daos_control.mgmt.causes import Hearing
from daos_control.mgmt.system import Change, System
from daos_control.model.event import Event, EventId
from daos_control.model.journal import Cause, Moved
from daos_control.model.member_state import MemberState

Rule = Callable[[System], Change[Any]]


def recorded(rule: Rule, cause: Cause, hearing: Hearing | None = None) -> Rule:
    """Return the rule with the facts that belong into the journal; ``hearing`` is the event that it answers.

    A rule that refuses changes nothing and leaves no facts: ``noted`` is for an event that it refused.
    """

    def decide(system: System) -> Change[Any]:
        before = replace(system, touched=()) if system.touched else system
        change = rule(before)
        facts = change.facts
        if hearing is not None and not hearing.recorded:
            hearing.recorded = True
            facts += (replace(hearing.heard, effect=effect(before, change, hearing.heard.event)),)
        if change.system is not before:
            return replace(change, facts=(*facts, *moves(before, change.system, cause)))
        return replace(change, system=system, facts=facts)

    return decide


def noted(hearing: Hearing, effect: str) -> Rule:
    """Return a rule that writes an event down and decides nothing."""
    heard = replace(hearing.heard, effect=effect)
    return lambda system: Change(system=system, outcome=None, facts=(heard,))


def moves(before: System, after: System, cause: Cause) -> Iterator[Moved]:
    """Return how members have moved: to another state, or to another life of the engine."""
    for rank in dict.fromkeys(after.touched):
        was, now = before.members.get(rank), after.members[rank]
        if was is None or (was.state, was.incarnation, was.uuid, was.addr) != (
            now.state,
            now.incarnation,
            now.uuid,
            now.addr,
        ):
            yield Moved(
                rank=rank,
                before=MemberState.UNKNOWN if was is None else was.state,
                after=now.state,
                at=now.last_update,
                reason="" if was is not None and was.info == now.info else now.info,
                addr=now.addr,
                incarnation=now.incarnation,
                map_version=after.map_version,
                cause=cause,
            )


def effect(before: System, change: Change[Any], event: Event) -> str:
    """Put what came of an event into words."""
    after = change.system
    done = [
        f"rank {move.rank} is {move.after.words} (was {move.before.words}), map version {move.map_version}"
        for move in moves(before, after, Cause())
    ]
    if after.pools is not before.pools:
        done += [
            f"pool {pool.label or uuid}: service ranks {RankSet(pool.replicas)}"
            for uuid, pool in after.pools.items()
            if before.pools.get(uuid) is not pool
        ]
    return "; ".join(done) or f"nothing done: {_why_nothing(before, event)}"


def nothing_done(error: DaosControlError) -> str:
    """Say why nothing came of an event that was refused."""
    return f"nothing done: {error.gist}"


def _why_nothing(system: System, event: Event) -> str:
    """Say why an event that was taken has changed nothing."""
    if event.id == EventId.POOL_REPLICAS_UPDATED:
        return "that is known already"
    if event.id == EventId.SWIM_RANK_DEAD and "exclude" not in system.setting("self_heal").split(";"):
        return 'system property self_heal is without "exclude"'
    member = system.members.get(event.rank)
    if member is None:
        return f"there is no rank {event.rank}"
    if 0 < event.incarnation < member.incarnation:
        return f"an earlier life of the engine is meant ({event.incarnation}, now {member.incarnation})"
    return f"rank {member.rank} is {member.state.words}"
