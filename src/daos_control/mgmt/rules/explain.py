"""How a rank came to its state, and what brings it back: sentences for people, made of the record and the journal.

One row of ``STATES`` for each state a member can be in: what it means, and what to do about it, with the command to
type. Nothing here decides anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from daos_control.base.rankset import RankSet
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.system import System
from daos_control.model.event import EventId
from daos_control.model.journal import Cause, Entry, Heard, Moved, Origin, Wanted
from daos_control.model.member import Member
from daos_control.model.member_state import MemberState

SHOWN: Final = 10
"""Moves, and events, that are shown unless somebody wants more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """Something to do, and the command that does it; empty if it is not a matter of one."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The story of one rank. Moves and events are the newest, oldest of them first."""

    member: Member
    story: tuple[str, ...]
    remedies: tuple[Remedy, ...]
    moves: tuple[Entry, ...]
    events: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the remedies of a state depend on."""

    member: Member
    pools: tuple[str, ...] = ()
    """The pools that were created with this rank."""
    process_ended: bool = False
    """The last that was heard of the engine's process is that it ended."""
    self_heal_excludes: bool = True

    @property
    def rank(self) -> int:
        """The rank."""
        return self.member.rank


def explain(system: System, entries: Sequence[Entry], rank: int, *, limit: int = SHOWN) -> Explanation:
    """Tell the story of a rank; raises Refused if there is none such."""
    member = system.members.get(rank)
    if member is None:
        known = f"there are ranks {RankSet(system.members)}" if system.members else "none has joined yet"
        raise Refused(f"there is no rank {rank}: {known}")
    about = [entry for entry in entries if Wanted(ranks=frozenset({rank}), moves=True).accepts(entry)]
    moves = [entry for entry in about if isinstance(entry.fact, Moved)]
    events = [entry for entry in about if isinstance(entry.fact, Heard)]
    case = Case(
        member=member,
        pools=tuple(sorted(pool.label or uuid for uuid, pool in system.pools.items() if rank in pool.ranks)),
        process_ended=_process_ended(about),
        self_heal_excludes="exclude" in system.setting("self_heal").split(";"),
    )
    meaning, remedies = STATES[member.state]
    return Explanation(
        member=member,
        story=(*_how_it_came(member, moves), meaning, *_reminders(case)),
        remedies=tuple(remedies(case)),
        moves=tuple(moves[-limit:]),
        events=tuple(events[-limit:]),
    )


def _how_it_came(member: Member, moves: Sequence[Entry]) -> list[str]:
    sentences = [f"Rank {member.rank} is {member.state.words} since {_moment(member.last_update)}."]
    last = moves[-1].fact if moves else None
    if not isinstance(last, Moved) or last.after is not member.state:
        sentences.append("How it came to that is older than the history that is kept.")
    elif last.before is MemberState.UNKNOWN:
        sentences.append(f"It was not known before; {_because(last.cause)}.")
    else:
        sentences.append(f"It was {last.before.words} before; {_because(last.cause)}.")
    if member.info:
        sentences.append(f"What was said of it: {member.info}")
    return sentences


def _because(cause: Cause) -> str:
    where = f" from {cause.source}" if cause.source else ""
    match cause.origin:
        case Origin.JOIN:
            return f"its engine joined{where}"
        case Origin.EVENT:
            told = f", reported by {cause.source}," if cause.source else ""
            return f"the event {cause.what}{told} changed that"
        case Origin.COMMAND:
            return f"an administrator's {cause.what}{where} changed that"
        case _:
            return "the management service changed that by itself"


def _reminders(case: Case) -> list[str]:
    reminders = []
    if not case.self_heal_excludes and case.member.state is not MemberState.JOINED:
        reminders.append(
            'System property self_heal is without "exclude": ranks that other engines take for dead stay in the system.'
        )
    return reminders


def _process_ended(about: Sequence[Entry]) -> bool:
    for entry in reversed(about):
        fact = entry.fact
        if isinstance(fact, Moved) and fact.cause.origin is Origin.JOIN:
            return False
        if isinstance(fact, Heard) and fact.event.id == EventId.ENGINE_DIED:
            return True
    return False


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")


# -- what to do ------------------------------------------------------------------------------------------------------


def _start(case: Case, text: str = "Start its engine; it joins again by itself.") -> Remedy:
    return Remedy(text=text, command=f"dmg system start --ranks={case.rank}")


def _look(case: Case) -> Remedy:
    return Remedy(
        text="See what its engine does, and whether its host starts it again by itself.",
        command=f"dmg system engines --ranks={case.rank}",
    )


def _pools(case: Case) -> list[Remedy]:
    if not case.pools:
        return []
    pools = "pool" if len(case.pools) == 1 else "pools"
    return [
        Remedy(
            text=f"Once it has joined, take it back into its {pools} ({', '.join(case.pools)}).",
            command=f"dmg system reintegrate --ranks={case.rank}",
        )
    ]


def _await_format(case: Case) -> list[Remedy]:
    host = case.member.addr
    return [
        Remedy(text="Format the storage of its host.", command=f"dmg storage format --host-list={host}"),
        Remedy(
            text=f"If its old storage is lost for good, format so that it takes over rank {case.rank}.",
            command=f"dmg storage format --host-list={host} --replace",
        ),
    ]


def _underway(case: Case) -> list[Remedy]:
    return [
        Remedy(text="Wait: it joins by itself."),
        _look(case),
        Remedy(text=f"If it does not get on, read the logs of daos_server and of the engine on {case.member.addr}."),
    ]


def _stopping(case: Case) -> list[Remedy]:
    return [
        Remedy(text="Finish stopping it,", command=f"dmg system stop --ranks={case.rank}"),
        _start(case, "or start it again."),
    ]


def _excluded(case: Case) -> list[Remedy]:
    if case.process_ended:
        return [_start(case, "Its engine has ended. Start it; it joins again by itself."), *_pools(case)]
    return [
        _look(case),
        _start(case, "If its engine is down, start it; it joins again by itself."),
        Remedy(
            text="If its engine still runs, it has lost touch with the others: check the fabric between them, then "
            "stop and start it.",
            command=f"dmg system stop --ranks={case.rank} && dmg system start --ranks={case.rank}",
        ),
        *_pools(case),
    ]


def _errored(case: Case) -> list[Remedy]:
    return [
        Remedy(text=f"Read the engine's log on {case.member.addr}: why it ended is there."),
        _start(case),
    ]


def _unresponsive(case: Case) -> list[Remedy]:
    return [
        Remedy(text=f"See that daos_server runs on {case.member.addr} and can be reached from the leader."),
        _start(case, "Then start its engine, if it is down; it joins again by itself."),
    ]


def _admin_excluded(case: Case) -> list[Remedy]:
    return [
        Remedy(text="Let it join again.", command=f"dmg system clear-exclude --ranks={case.rank}"),
        _start(case, "Then start its engine; one that still runs has to be stopped first."),
        *_pools(case),
    ]


def _checker_started(case: Case) -> list[Remedy]:
    return [
        Remedy(text="Finish checking the system, then leave checker mode.", command="dmg check disable"),
        _start(case, "Then start it for service."),
    ]


def _nothing(_: Case) -> list[Remedy]:
    return []


_S = MemberState
STATES: Final[Mapping[MemberState, tuple[str, Callable[[Case], Sequence[Remedy]]]]] = MappingProxyType(
    {
        _S.UNKNOWN: ("Nothing is known of it.", _underway),
        _S.AWAIT_FORMAT: ("Its engine waits for storage to be formatted, and serves nothing.", _await_format),
        _S.STARTING: ("Its engine is starting and has not joined yet.", _underway),
        _S.READY: ("Its engine runs and has not joined yet.", _underway),
        _S.JOINED: ("It serves; nothing needs to be done.", _nothing),
        _S.STOPPING: ("Its engine was told to prepare for being stopped.", _stopping),
        _S.STOPPED: ("Its engine was stopped in good order.", lambda case: [_start(case)]),
        _S.EXCLUDED: ("The other engines do not count on it any more: it is out of the group map.", _excluded),
        _S.ERRORED: ("Its engine has ended, or failed at what it was told to do.", _errored),
        _S.UNRESPONSIVE: ("The server on its host did not answer when it was given an order.", _unresponsive),
        _S.ADMIN_EXCLUDED: (
            "An administrator keeps it out of the system: it may not join until the same is taken back.",
            _admin_excluded,
        ),
        _S.CHECKER_STARTED: ("Its engine runs for the system checker and serves nothing else.", _checker_started),
    }
)
"""What each state means, and what to do."""
