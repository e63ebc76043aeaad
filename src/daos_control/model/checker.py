"""What the system checker finds, what can be done about it, and what is recorded of that.

An engine that leads a check compares what the management service, pool services and storage have. Each difference is
a finding. A policy for each class of inconsistency says what becomes of such findings: the default of the class,
a certain action, or that an administrator is asked, who picks one of the choices that the engine offers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, IntFlag
from types import MappingProxyType
from typing import Final, Self


class _Open(IntEnum):
    """An enumeration that newer engines may know more of: an unknown number is a member named by itself."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = str(value), value
        return member

    @property
    def known(self) -> bool:
        """Whether the number has a meaning here."""
        return self._name_ in type(self).__members__


class Inconsistency(_Open):
    """The classes of inconsistency."""

    NONE = 0
    POOL_LESS_SVC_WITH_QUORUM = 1
    POOL_LESS_SVC_WITHOUT_QUORUM = 2
    POOL_MORE_SVC = 3
    POOL_NONEXIST_ON_MS = 4
    POOL_NONEXIST_ON_ENGINE = 5
    POOL_BAD_SVCL = 6
    POOL_BAD_LABEL = 7
    ENGINE_NONEXIST_IN_MAP = 8
    ENGINE_DOWN_IN_MAP = 9
    ENGINE_HAS_NO_STORAGE = 10
    CONT_NONEXIST_ON_PS = 11
    CONT_BAD_LABEL = 12
    DTX_CORRUPTED = 13
    DTX_ORPHAN = 14
    CSUM_LOST = 15
    CSUM_FAILURE = 16
    OBJ_LOST_REP = 17
    OBJ_LOST_EC_SHARD = 18
    OBJ_LOST_EC_DATA = 19
    OBJ_DATA_INCONSIST = 20
    UNKNOWN = 100


class Action(_Open):
    """What can be done about a finding, or is to be done about a class of them."""

    DEFAULT = 0
    INTERACT = 1
    IGNORE = 2
    DISCARD = 3
    READD = 4
    TRUST_MS = 5
    TRUST_PS = 6
    TRUST_TARGET = 7
    TRUST_MAJORITY = 8
    TRUST_LATEST = 9
    TRUST_OLDEST = 10
    TRUST_EC_PARITY = 11
    TRUST_EC_DATA = 12
    STALE = 0xFFFF
    """Nobody decided before a later check began; only that pool's next check can deal with it."""


class CheckFlag(IntFlag):
    """How a check goes about it."""

    NONE = 0
    DRY_RUN = 1
    """Look, and change nothing."""
    RESET = 2
    """Forget what earlier checks did."""
    FAILOUT = 4
    """End with the first repair that fails."""
    AUTO = 8
    """Ask nobody: what would have to be asked is left as it is."""
    FIND_ORPHANS = 16
    """Look for pools that only engines know."""
    NO_FAILOUT = 32
    NO_AUTO = 64


class CheckStatus(_Open):
    """How a whole check stands."""

    INIT = 0
    RUNNING = 1
    COMPLETED = 2
    STOPPED = 3
    FAILED = 4
    PAUSED = 5
    IMPLICATED = 6


class PoolCheckStatus(_Open):
    """How the check of one pool stands."""

    UNCHECKED = 0
    CHECKING = 1
    CHECKED = 2
    FAILED = 3
    PAUSED = 4
    PENDING = 5
    """Waits for an administrator's decision."""
    STOPPED = 6
    IMPLICATED = 7


class CheckPhase(_Open):
    """How far a check has come."""

    PREPARE = 0
    POOL_LIST = 1
    POOL_MBS = 2
    POOL_CLEANUP = 3
    CONT_LIST = 4
    CONT_CLEANUP = 5
    DTX_RESYNC = 6
    OBJ_SCRUB = 7
    REBUILD = 8
    AGGREGATION = 9
    DONE = 10


DRY_RUN_RESULT: Final = 1
"""The result of a finding whose repair was only pretended."""

Policies = Mapping[Inconsistency, Action]
"""What is to become of findings, by class."""

DEFAULT_POLICIES: Final[Policies] = MappingProxyType(
    {kind: Action.DEFAULT for kind in Inconsistency if kind not in {Inconsistency.NONE, Inconsistency.UNKNOWN}}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One inconsistency, as far as it has been dealt with.

    ``details`` are the engine's words about its ``choices`` and ``words`` the management service's, in the same
    order; once an action is decided on, there are no choices, and at most its own words.
    """

    seq: int
    """Its number, unique as long as the checker is not reset."""
    kind: Inconsistency
    action: Action
    """What is done about it; ``INTERACT`` while an administrator is to decide."""
    result: int = 0
    """0, ``DRY_RUN_RESULT``, or the error status of the repair."""
    rank: int = 0
    """The engine that reported it, and waits for the decision."""
    target: int = 0
    pool_uuid: str = ""
    pool_label: str = ""
    cont_uuid: str = ""
    cont_label: str = ""
    objid: str = ""
    dkey: str = ""
    akey: str = ""
    timestamp: str = ""
    msg: str = ""
    choices: tuple[Action, ...] = ()
    details: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it waits for an administrator."""
        return self.action is Action.INTERACT

    @property
    def unresolved(self) -> bool:
        """Whether nobody has decided, be it too late for that now."""
        return self.action in {Action.INTERACT, Action.STALE}

    @property
    def dry_run(self) -> bool:
        """Whether its repair was only pretended."""
        return self.result == DRY_RUN_RESULT

    @property
    def options(self) -> tuple[tuple[Action, str], ...]:
        """The choices with the best words that there are for each: the engine's, unless it has but one."""
        described = []
        for place, choice in enumerate(self.choices):
            detail = self.details[place] if place < len(self.details) else ""
            words = self.words[place] if place < len(self.words) else ""
            described.append((choice, detail if len(detail.split()) > 1 or not words else words))
        return tuple(described)

    def decided(self, action: Action) -> Self:
        """Return it with one of its choices made; ValueError if that is none of them."""
        place = self.choices.index(action)
        return replace(
            self,
            action=action,
            choices=(),
            details=self.details[place : place + 1],
            words=self.words[place : place + 1],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecords:
    """What the management service keeps for the checker; whether it is enabled is one of the system's notes."""

    findings: Mapping[int, Finding] = field(default_factory=dict)
    """By number."""
    policies: Policies = field(default_factory=lambda: DEFAULT_POLICIES)
    last_policies: Policies | None = None
    """Those of the last check that was started."""

    def with_findings(self, changed: Iterable[Finding], *, without: Iterable[int] = ()) -> Self:
        """Add or replace some findings, and forget others."""
        gone = set(without)
        kept = {seq: finding for seq, finding in self.findings.items() if seq not in gone}
        return replace(self, findings=kept | {finding.seq: finding for finding in changed})
