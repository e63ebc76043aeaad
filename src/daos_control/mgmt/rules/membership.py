"""Who belongs to the system, and what becomes of members: joins, results of orders, deaths, exclusions.

Pure rules from a system and a command to a change; what they refuse they raise.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from daos_control.base.errors import SteppingUp
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import NIL_RANK
from daos_control.mgmt.errors import JoinRefused, Refused
from daos_control.mgmt.system import Change, System
from daos_control.model.event import Event, EventId, EventType, Severity, cut, timestamp
from daos_control.model.fault_domain import FaultDomain, FaultDomainError
from daos_control.model.member import Member
from daos_control.model.member_state import MemberState
from daos_control.model.rank_result import RankResult
from daos_control.model.system_property import Note

LABEL_SEPARATOR: Final = "="


class JoinRequest(Struct, frozen=True, kw_only=True):
    """An engine wants in; its control server asks on its behalf."""

    uuid: str
    rank: int = NIL_RANK
    addr: str
    """``ip:port`` of the control server."""
    uri: str
    contexts: int = 0
    secondary_uris: tuple[str, ...] = ()
    secondary_contexts: tuple[int, ...] = ()
    fault_domain: str
    index: int = 0
    incarnation: int = 0
    check_mode: bool = False
    replace: bool = False
    """Take over the record of an engine that was lost."""


class Joined(Struct, frozen=True, kw_only=True):
    """An engine is in."""

    member: Member
    map_version: int
    """What the engine is told; the group update that follows it is newer."""
    created: bool
    checking: bool
    before: MemberState = MemberState.UNKNOWN


class Move(Struct, frozen=True, kw_only=True):
    """A member that went from one state to another."""

    member: Member
    before: MemberState


def join(system: System, request: JoinRequest, *, now: datetime, replaced: int | None = None) -> Change[Joined]:
    """Let an engine in, or say why not.

    ``replaced`` is the rank to take over when the request is for replacement: it comes from ``rank_to_replace``, and
    whoever calls has made sure that no pool uses it any more.

    A join makes two map versions: one for the member, which the engine is told as its own, and one more, so that
    the group update which follows is newer than what the engine was told and it takes it.
    """
    if (uuid := canonical_uuid(request.uuid)) != request.uuid:
        request = replace(request, uuid=uuid)
    system, domain = _admitted(system, request, now)
    found = _lost_rank(system, domain, request, now) if request.replace else None
    if found is not None:
        if replaced != found:
            raise Refused(f"rank {found} was not checked for replacement; run 'dmg storage format --replace' again")
        joined = _replaced(system, found, request, now)
    elif (member := _known(system, request)) is not None:
        joined = _rejoined(system, member, domain, request, now)
    else:
        joined = _added(system, domain, request, now)
    after = joined.system
    if after.paused and all(
        member.state in {MemberState.JOINED, MemberState.ADMIN_EXCLUDED} for member in after.members.values()
    ):
        after = after.with_note(Note.GROUP_UPDATE_PAUSED, "false")
    return replace(joined, system=replace(after, map_version=after.map_version + 1))


@lru_cache(maxsize=512)  # a join asks for the same one more than once
def canonical_uuid(text: str) -> str:
    """Return a uuid as DAOS writes it."""
    try:
        return str(UUID(text))
    except ValueError:
        raise Refused(f'invalid uuid "{text}"') from None


def rank_to_replace(system: System, request: JoinRequest, *, now: datetime) -> int | None:
    """Return the lost rank that an engine is to have, or None if it joins like any other; refuse what cannot join.

    It is the rank whose record the request matches in everything but the uuid: the lowest, if there are several. An
    engine that has it already asks again because it did not hear the answer: it joins like any other.
    """
    system, domain = _admitted(system, request, now)
    return _lost_rank(system, domain, request, now) if request.replace else None


def _admitted(system: System, request: JoinRequest, now: datetime) -> tuple[System, FaultDomain]:
    """Refuse what cannot be part of this system, whichever rank it is; return where it stands."""
    canonical_uuid(request.uuid)  # whose flaws are told first
    domain = _domain(request)
    system = _labelled(system, domain, request)
    _check_provider(system, request, now)
    return system, domain


def _lost_rank(system: System, domain: FaultDomain, request: JoinRequest, now: datetime) -> int | None:
    if canonical_uuid(request.uuid) in system.by_uuid:
        return None
    rank = _rank_like(system, domain, request)
    member = system.members[rank]
    if member.state is MemberState.ADMIN_EXCLUDED:
        how = f"then run 'dmg storage format --replace -l {request.addr}' again"
        raise _admin_excluded(member, request, how, now)
    return rank


def _rank_like(system: System, domain: FaultDomain, request: JoinRequest) -> int:
    if request.rank != NIL_RANK:
        raise Refused("unexpected rank in replace-rank request")
    if not system.members:
        raise Refused("empty system membership")
    differences = {rank: _differences(system.members[rank], request, domain) for rank in sorted(system.members)}
    rank = min(differences, key=lambda rank: len(differences[rank]))
    match differences[rank]:
        case []:
            return rank
        case [only]:
            raise FaultCode.SYSTEM_JOIN_REPLACE_RANK_NOT_FOUND.fault(rank=rank, difference=only)
        case several:
            raise FaultCode.SYSTEM_JOIN_REPLACE_RANK_NOT_FOUND.fault(rank=rank, differences="; ".join(several))


def _differences(member: Member, request: JoinRequest, domain: FaultDomain) -> list[str]:
    """Say in what an engine differs from a member it is to replace."""
    compared = {
        "control address": (member.addr, request.addr),
        "fabric URI": (member.fabric_uri, request.uri),
        "secondary fabric URIs": (list(member.secondary_fabric_uris), list(request.secondary_uris)),
        "fabric contexts": (member.fabric_contexts, request.contexts),
        "secondary fabric contexts": (list(member.secondary_fabric_contexts), list(request.secondary_contexts)),
        "fault domain": (member.fault_domain, domain),
    }
    return [f"{what} {has} there, {wants} here" for what, (has, wants) in compared.items() if has != wants]


def _domain(request: JoinRequest) -> FaultDomain:
    try:
        domain = _parsed_domain(request.fault_domain)
    except FaultDomainError as error:
        raise FaultCode.SERVER_CONFIG_FAULT_DOMAIN_INVALID.fault(
            fault_domain=request.fault_domain, problem=str(error)
        ) from error
    if not domain:
        raise Refused("no fault domain in join request")
    return domain


_parsed_domain = lru_cache(maxsize=512)(FaultDomain.parse)
"""A join asks for its own more than once, and the engines of a host have the same."""


def _labelled(system: System, domain: FaultDomain, request: JoinRequest) -> System:
    """Hold everybody to the labels of the first joiner; an unlabelled first joiner means no labels at all.

    How many unlabelled levels there are is no matter of labels: ``_check_depth`` sees to that.
    """
    labels = LABEL_SEPARATOR.join(domain.label_per_level)
    known = system.note(Note.DOMAIN_LABELS)
    if known is None:
        return system.with_note(Note.DOMAIN_LABELS, labels)
    shown = ", ".join(label for label in known.split(LABEL_SEPARATOR) if label)
    if known != labels and (shown or domain.labels):
        raise FaultCode.SERVER_BAD_FAULT_DOMAIN_LABELS.fault(
            fault_domain=request.fault_domain,
            address=request.addr,
            labels=", ".join(domain.labels),
            system=shown,
        )
    return system


def _check_provider(system: System, request: JoinRequest, now: datetime) -> None:
    if not request.uri:
        raise Refused("no primary fabric URI in join request")
    provider, separator, _ = request.uri.partition("://")
    if not separator:
        raise Refused(f'unable to parse fabric provider from URI "{request.uri}"')
    expected = system.note(Note.FABRIC_PROVIDERS)
    if expected is None:
        raise SteppingUp
    if provider != expected:
        raise _refused(
            request,
            f'rank {request.rank} fabric provider "{provider}" does not match system provider "{expected}"',
            f"set provider: {expected} in the server's configuration file and restart daos_server",
            now,
        )


def _known(system: System, request: JoinRequest) -> Member | None:
    if request.rank == NIL_RANK:
        known = system.by_uuid.get(request.uuid)
        return None if known is None else system.members[known]
    return system.members.get(request.rank)


def _check_depth(system: System, domain: FaultDomain) -> None:
    depth = system.tree.depth
    if depth and len(domain.levels) != depth - 1:
        raise FaultCode.SYSTEM_BAD_FAULT_DOMAIN_DEPTH.fault(fault_domain=str(domain), depth=depth - 1)


def _added(system: System, domain: FaultDomain, request: JoinRequest, now: datetime) -> Change[Joined]:
    _check_depth(system, domain)
    if request.uuid in system.by_uuid:
        raise Refused(
            f"failed to add new member: member with uuid {request.uuid} already exists, as rank "
            f"{system.by_uuid[request.uuid]}; the engine's superblock says rank {request.rank}: restore it"
        )
    given = request.rank != NIL_RANK
    rank = request.rank if given else _free_rank(system)
    member = Member(
        rank=rank,
        uuid=request.uuid,
        addr=request.addr,
        state=MemberState.JOINED,
        fault_domain=domain,
        fabric_uri=request.uri,
        fabric_contexts=request.contexts,
        secondary_fabric_uris=request.secondary_uris,
        secondary_fabric_contexts=request.secondary_contexts,
        incarnation=request.incarnation,
        last_update=now,
    )
    after = _placed(system, member, next_rank=system.next_rank if given else rank + 1)
    return _joined(after, member, created=True)


def _free_rank(system: System) -> int:
    """The next rank nobody has: an engine may have asked for a number that we had yet to hand out."""
    rank = system.next_rank
    while rank in system.members:
        rank += 1
    return rank


def _rejoined(
    system: System, member: Member, domain: FaultDomain, request: JoinRequest, now: datetime
) -> Change[Joined]:
    if len(system.members) != 1:
        _check_depth(system, domain)
    _check_same(member, request, now)
    back = replace(
        member,
        state=MemberState.CHECKER_STARTED if request.check_mode else MemberState.JOINED,
        info="",
        fault_domain=domain,
        fabric_uri=request.uri,
        fabric_contexts=request.contexts,
        secondary_fabric_uris=request.secondary_uris,
        secondary_fabric_contexts=request.secondary_contexts,
        incarnation=request.incarnation,
        last_update=now,
    )
    return _joined(_placed(system, back), back, created=False, before=member.state)


def _check_same(member: Member, request: JoinRequest, now: datetime) -> None:
    """Refuse an engine that comes back as somebody else: something strange has happened on its host."""
    who = f"member {member.uuid} (rank {member.rank})"
    anew = f"to have this one join as a new rank, wipe its storage and run 'dmg storage format -l {request.addr}'"
    if member.state is MemberState.ADMIN_EXCLUDED:
        how = f"then start it with 'dmg system start --ranks={member.rank}'"
        raise _admin_excluded(member, request, how, now)
    if request.uuid != member.uuid:
        raise _refused(
            request,
            f"can't rejoin member with rank {member.rank}: uuid changed from {member.uuid} -> {request.uuid}",
            f"the rank belongs to another engine now; {anew}",
            now,
        )
    if request.addr != member.addr:
        raise _refused(
            request,
            f"can't rejoin {who}: control address changed from {member.addr} -> {request.addr}",
            f"let its server have {member.addr} again; {anew}",
            now,
        )


def _admin_excluded(member: Member, request: JoinRequest, then: str, now: datetime) -> JoinRefused:
    return _refused(
        request,
        f"member {member.uuid} (rank {member.rank}) has been administratively excluded",
        f"let it in again with 'dmg system clear-exclude --ranks={member.rank}', {then}",
        now,
    )


def _replaced(system: System, rank: int, request: JoinRequest, now: datetime) -> Change[Joined]:
    member = system.members[rank]
    new = replace(
        member,
        uuid=request.uuid,
        state=MemberState.JOINED,
        info="",
        incarnation=request.incarnation,  # news of the lost engine's end may still be under way
        last_update=now,
    )
    return _joined(_placed(system, new), new, created=False, before=member.state)


def _placed(system: System, member: Member, *, next_rank: int = 0) -> System:
    """Put a member into the system and anew into the fault-domain tree."""
    tree = system.tree.with_rank(member.rank, member.fault_domain)
    return system.with_member(member, tree=tree, next_rank=next_rank)


def _joined(
    system: System, member: Member, *, created: bool, before: MemberState = MemberState.UNKNOWN
) -> Change[Joined]:
    joined = Joined(
        member=member,
        map_version=system.map_version,
        created=created,
        checking=system.checking,
        before=before,
    )
    return Change(system=system, outcome=joined)


def _refused(request: JoinRequest, text: str, resolution: str, now: datetime) -> JoinRefused:
    """Make a refusal that everybody hears of; it begins with the words that DAOS has for it."""
    text = f"{text}; {resolution}"
    event = Event(
        id=EventId.ENGINE_JOIN_FAILED,
        type=EventType.INFO,
        severity=Severity.ERROR,
        message=cut(f"engine {request.index} (rank {request.rank}) was not allowed to join the system"),
        timestamp=timestamp(now),
        hostname=request.addr,
        rank=request.rank,
        incarnation=request.incarnation,
        info=text,
    )
    return JoinRefused(text, event)


def record_results(
    system: System, results: Sequence[RankResult], *, now: datetime, update_on_fail: bool = True
) -> Change[tuple[Move, ...]]:
    """Note what hosts report of their ranks after an order; moves that the table forbids are skipped."""
    moves = []
    for result in results:
        member = system.members.get(result.rank)
        if member is None:
            raise Refused(f"unable to find member with rank {result.rank}")
        if result.errored:
            if result.state not in {MemberState.ERRORED, MemberState.UNRESPONSIVE}:
                raise Refused(f"rank {result.rank} reports an error but is {result.state}")
            if not update_on_fail:
                continue
        if member.can_become(result.state):
            moved = member.moved(result.state, now=now, info=result.message)
            system = system.with_member(moved)
            moves.append(Move(member=moved, before=member.state))
    return Change(system=system, outcome=tuple(moves))


def engine_died(system: System, event: Event, *, now: datetime) -> Change[Move | None]:
    """An engine's process ended; news of an earlier life of it are ignored."""
    member = system.members.get(event.rank)
    if member is None:
        raise Refused(f"unable to find member with rank {event.rank}")
    stale = 0 < event.incarnation < member.incarnation
    if stale or not member.can_become(MemberState.ERRORED):
        return Change(system=system, outcome=None)
    dead = member.moved(MemberState.ERRORED, now=now, info=event.message)
    return Change(system=system.with_member(dead), outcome=Move(member=dead, before=member.state))


def rank_dead(system: System, rank: int, incarnation: int, *, now: datetime) -> Change[Move | None]:
    """The other engines agree that a rank is dead: it is excluded until it joins again.

    Nobody listens if the ``self_heal`` property says so. An incarnation of 0 means: whichever.
    """
    if "exclude" not in system.setting("self_heal").split(";"):
        return Change(system=system, outcome=None)
    member = system.members.get(rank)
    if member is None:
        raise Refused(f"unable to find member with rank {rank}")
    reborn = member.state is MemberState.JOINED and 0 < incarnation < member.incarnation
    if reborn or not member.can_become(MemberState.EXCLUDED):
        return Change(system=system, outcome=None)
    dead = member.moved(MemberState.EXCLUDED, now=now)
    return Change(system=system.with_member(dead), outcome=Move(member=dead, before=member.state))


def ranks_dead(system: System, ranks: Collection[int], *, now: datetime) -> Change[tuple[Move, ...]]:
    """The engines hold these ranks for dead, whichever incarnations they are; strangers among them are nobody's."""
    moves = []
    for rank in sorted(set(ranks) & system.members.keys()):
        change = rank_dead(system, rank, 0, now=now)
        system = change.system
        if change.outcome is not None:
            moves.append(change.outcome)
    return Change(system=system, outcome=tuple(moves))


def exclude(system: System, ranks: Collection[int], *, clear: bool, now: datetime) -> Change[tuple[RankResult, ...]]:
    """Take ranks out by an administrator's word, or take that back: then they are out until they join."""
    state = MemberState.EXCLUDED if clear else MemberState.ADMIN_EXCLUDED
    action = "clear admin-excluded state" if clear else "set admin-excluded state"
    results = []
    for rank in sorted(ranks):
        member = system.members[rank].placed(state, now=now)
        system = system.with_member(member)
        results.append(RankResult(rank=rank, state=state, action=action, addr=member.addr))
    return Change(system=system, outcome=tuple(results))


def admin_excluded(members: Mapping[int, Member], ranks: Collection[int]) -> frozenset[int]:
    """Return which of these ranks an administrator has excluded."""
    return frozenset(rank for rank in ranks if members[rank].state is MemberState.ADMIN_EXCLUDED)
