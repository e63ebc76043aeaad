"""What moves ranks from state to state: who causes it, from where it works, and where it leads.

Reports from hosts and news from engines follow the table of legal moves (``member_state.NEXT``). Joins and an
administrator's word do not ask it: they have rules of their own, which are told here. The pages in ``docs/reference``
are drawn from this table, and tests make every move in it, and try all others, with the rules of ``mgmt``.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from daos_control.model.member_state import NEXT, OUT_OF_GROUP, MemberState

_S = MemberState
_ADMITTED: Final = frozenset(MemberState) - {_S.ADMIN_EXCLUDED}


class Party(Enum):
    """Who causes a move; the value says it to readers."""

    ENGINE = "the engine, through its server"
    HOST = "a host that reports what it did"
    PEERS = "engines and hosts that tell what happened"
    ADMINISTRATOR = "an administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something that moves a rank."""

    name: str
    party: Party
    to: MemberState
    words: str
    """What happens, for readers."""
    origins: frozenset[MemberState]
    """The states in which it moves a rank; in all others it is refused or changes nothing."""
    usual: frozenset[MemberState] = frozenset()
    """Those it usually finds a rank in: the others come of messages that cross."""
    admits_new: bool = False
    """Whether it makes members of engines that are none yet."""

    def effect_on_group(self, origin: MemberState) -> str:
        """Say what the move does to the group map."""
        before, after = origin not in OUT_OF_GROUP, self.to not in OUT_OF_GROUP
        if before == after:
            return "stays in" if after else "stays out"
        return "comes in" if after else "goes out"


def _legal(to: MemberState) -> frozenset[MemberState]:
    return frozenset(state for state in MemberState if to in NEXT[state])


OCCASIONS: Final[tuple[Occasion, ...]] = (
    Occasion(
        name="joins",
        party=Party.ENGINE,
        to=_S.JOINED,
        words="An engine has started, and its server asks for it to be let in. It must be who it was: same uuid, rank "
        "and control address. One that nobody knows gets the next free rank.",
        origins=_ADMITTED,
        usual=frozenset({_S.READY, _S.STOPPED, _S.EXCLUDED, _S.ERRORED, _S.UNRESPONSIVE}),
        admits_new=True,
    ),
    Occasion(
        name="takes over",
        party=Party.ENGINE,
        to=_S.JOINED,
        words="`dmg storage format --replace`: an engine whose storage was lost comes back with a new uuid and gets "
        "the rank of the member that it matches in address, fabric URI, contexts and fault domain, if no pool uses "
        "that rank any more. Pools take it back by `dmg pool reintegrate`.",
        origins=_ADMITTED,
        usual=frozenset({_S.EXCLUDED}),
    ),
    Occasion(
        name="joins in checker mode",
        party=Party.ENGINE,
        to=_S.CHECKER_STARTED,
        words="A known engine was started to be checked: `dmg check enable`, or `dmg system start` after that.",
        origins=_ADMITTED,
        usual=frozenset({_S.STOPPED}),
    ),
    Occasion(
        name="started",
        party=Party.HOST,
        to=_S.READY,
        words="`dmg system start`: the host reports that the engine serves. The engine joins besides, and whichever "
        "of the two comes last, the rank ends as joined.",
        origins=_legal(_S.READY),
        usual=frozenset({_S.STOPPED}),
    ),
    Occasion(
        name="prepared",
        party=Party.HOST,
        to=_S.STOPPING,
        words="`dmg system stop --full`, first part: the engine knows that it will be stopped, so that others are not "
        "taken for dead.",
        origins=_legal(_S.STOPPING),
        usual=frozenset({_S.JOINED}),
    ),
    Occasion(
        name="stopped",
        party=Party.HOST,
        to=_S.STOPPED,
        words="`dmg system stop`: the host reports that the engine's process is gone.",
        origins=_legal(_S.STOPPED),
        usual=frozenset({_S.JOINED, _S.STOPPING, _S.CHECKER_STARTED}),
    ),
    Occasion(
        name="failed",
        party=Party.HOST,
        to=_S.ERRORED,
        words="The host reports that it could not do what it was told to do with the rank.",
        origins=_legal(_S.ERRORED),
        usual=frozenset({_S.STOPPED}),
    ),
    Occasion(
        name="no answer",
        party=Party.HOST,
        to=_S.UNRESPONSIVE,
        words="The rank's host was told to do something, and could not be reached or did not answer in time.",
        origins=_legal(_S.UNRESPONSIVE),
        usual=frozenset({_S.JOINED}),
    ),
    Occasion(
        name="erased",
        party=Party.HOST,
        to=_S.AWAIT_FORMAT,
        words="`dmg system erase`: the host reports that the engine has lost its identity and waits for a format.",
        origins=_legal(_S.AWAIT_FORMAT),
        usual=frozenset({_S.STOPPED}),
    ),
    Occasion(
        name="died",
        party=Party.PEERS,
        to=_S.ERRORED,
        words="Event `engine_died`: the host saw the engine's process end without having been told to end it. News of "
        "an earlier life of the engine (a lower incarnation) changes nothing.",
        origins=_legal(_S.ERRORED),
        usual=frozenset({_S.JOINED}),
    ),
    Occasion(
        name="found dead",
        party=Party.PEERS,
        to=_S.EXCLUDED,
        words="Event `swim_rank_dead`, or `dmg system self-heal eval`: the other engines agree that the rank is dead. "
        "Nothing happens while the property `self_heal` lacks `exclude`, nor to a joined rank if the news is of an "
        "earlier life of it.",
        origins=_legal(_S.EXCLUDED),
        usual=frozenset({_S.JOINED, _S.ERRORED, _S.UNRESPONSIVE, _S.STOPPED}),
    ),
    Occasion(
        name="excluded",
        party=Party.ADMINISTRATOR,
        to=_S.ADMIN_EXCLUDED,
        words="`dmg system exclude`: whatever the rank's state is. Its engine is not stopped, but kept out of the "
        "group; it cannot join, and is passed over when ranks are started and stopped.",
        origins=frozenset(MemberState),
        usual=frozenset({_S.JOINED, _S.EXCLUDED}),
    ),
    Occasion(
        name="exclusion cleared",
        party=Party.ADMINISTRATOR,
        to=_S.EXCLUDED,
        words="`dmg system clear-exclude`: whatever the rank's state is. It may join again, so start its engine.",
        origins=frozenset(MemberState),
        usual=frozenset({_S.ADMIN_EXCLUDED}),
    ),
)
"""Everything that moves ranks."""

MEANINGS: Final[dict[MemberState, str]] = {
    _S.UNKNOWN: "Not a state that a rank gets into; it stands for a name that this release does not know.",
    _S.AWAIT_FORMAT: "The system was erased; the engine waits for its storage to be formatted.",
    _S.STARTING: "No server of DAOS 2.8 reports this; it is accepted from those that do.",
    _S.READY: "The host has started the engine, which is about to join.",
    _S.JOINED: "The engine serves: the state of all ranks of a healthy system.",
    _S.STOPPING: "The engine is prepared for being stopped.",
    _S.STOPPED: "The engine was stopped by request.",
    _S.EXCLUDED: "The other engines do without it. It comes back by joining, as soon as its engine is started again.",
    _S.ERRORED: "The engine's process ended by itself, or its host failed to start or stop it.",
    _S.UNRESPONSIVE: "Its host did not answer.",
    _S.ADMIN_EXCLUDED: "Kept out until an administrator clears the exclusion.",
    _S.CHECKER_STARTED: "The engine runs, but only for the system checker.",
}
"""What each state means to a reader."""
