"""What the checker may do when, and what is recorded of its findings.

Pure rules from a system and a request to a change; what they refuse they raise.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.rankset import RankSet
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.rules import pools
from daos_control.mgmt.rules.group_map import group_map
from daos_control.mgmt.system import Change, System
from daos_control.model.checker import Action, CheckRecords, Finding, Inconsistency, Policies
from daos_control.model.member_state import MemberState
from daos_control.model.system_property import Note

MAX_FINDINGS: Final = 4096
"""More are not kept: those that are settled make room first, then those that nobody can decide on any more."""

_S = MemberState
_MAY_RUN: Final = frozenset({_S.STARTING, _S.READY, _S.JOINED, _S.CHECKER_STARTED, _S.STOPPING})
"""In checker mode an engine in any of these may run for the checker: one that is new to the system is joined even
then, and one that is stopping when a leader dies was perhaps never told to."""
_I = Inconsistency
_A = Action


# -- checker mode --------------------------------------------------------------------------------------------------


def enable(system: System) -> Change[frozenset[int]]:
    """Enter checker mode; the outcome is the ranks to start in it. Every rank must be stopped or kept out."""
    if system.checking:
        raise DaosError(Der.ALREADY)
    stray = _not_in(system, {_S.STOPPED, _S.ADMIN_EXCLUDED})
    if stray:
        raise FaultCode.SYSTEM_CHECKER_INVALID_MEMBER_STATES.fault(
            running_members=str(stray), states=_states(_S.ADMIN_EXCLUDED, _S.STOPPED)
        )
    ranks = frozenset(member.rank for member in group_map(system).members)
    return Change(system=system.with_note(Note.CHECKER_ENABLED, "true"), outcome=ranks)


def disable(system: System, *, given_up: Collection[int] = ()) -> Change[frozenset[int]]:
    """Leave checker mode, or return the ranks to stop before: all that may run for the checker but those given up.

    What was found and decided stays on record.
    """
    if not system.checking:
        raise DaosError(Der.ALREADY)
    may_run = frozenset(rank for rank, member in system.members.items() if member.state in _MAY_RUN)
    if to_stop := may_run.difference(given_up):
        return Change(system=system, outcome=to_stop)
    return Change(system=system.with_note(Note.CHECKER_ENABLED, "false"), outcome=frozenset())


def check_ready(system: System) -> None:
    """Refuse what only makes sense while every rank runs for the checker, or is kept out."""
    if not system.checking:
        raise FaultCode.SYSTEM_CHECKER_NOT_ENABLED.fault()
    stray = _not_in(system, {_S.CHECKER_STARTED, _S.ADMIN_EXCLUDED})
    if stray:
        raise FaultCode.SYSTEM_CHECKER_INVALID_MEMBER_STATES.fault(
            members=str(stray), states=_states(_S.ADMIN_EXCLUDED, _S.CHECKER_STARTED)
        )


def checker_ranks(system: System) -> tuple[int, ...]:
    """Return the ranks whose engines run for the checker."""
    return tuple(sorted(rank for rank, member in system.members.items() if member.state is _S.CHECKER_STARTED))


def _not_in(system: System, states: Collection[MemberState]) -> RankSet:
    return RankSet(rank for rank, member in system.members.items() if member.state not in states)


def _states(*states: MemberState) -> str:
    return "|".join(state.words for state in states)


# -- policies ------------------------------------------------------------------------------------------------------


def merged(system: System, given: Policies) -> Policies:
    """Return the policies as they are with those that are given instead, in the order of their classes."""
    both = {**system.check.policies, **given}
    return {kind: both[kind] for kind in sorted(both)}


def set_policies(system: System, given: Policies) -> Change[None]:
    """Keep policies for this check and the next ones."""
    check = replace(system.check, policies=merged(system, given))
    return Change(system=system.with_check(check), outcome=None)


def policies(system: System, kinds: Sequence[Inconsistency], *, last_used: bool) -> Policies:
    """Return policies, all or of some classes; those of the last check are the usual ones until there was one."""
    known = (system.check.last_policies if last_used else None) or system.check.policies
    return {kind: known[kind] for kind in sorted(kinds or known) if kind in known}


# -- checks --------------------------------------------------------------------------------------------------------


def pool_uuids(system: System, pool_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the uuids of pools by label or uuid; one by uuid need not be on record, for it may be an orphan."""
    return tuple(pools.uuid_of(pool_id) or pools.find(system, pool_id).uuid for pool_id in pool_ids)


def started(
    system: System, *, used: Policies, scope: Collection[str], reset: bool, known: Collection[int]
) -> Change[None]:
    """Note that a check of some pools, or of all, has begun.

    Of what was ``known`` before, nobody can decide on anything now: within the check's scope it will be found again,
    and beyond it it is stale. If the engine has forgotten earlier checks (``reset``), so do we, within the scope.
    Findings of the new check, which may already be here, are left alone.
    """
    stale, gone = [], []
    for seq in known:
        finding = system.check.findings.get(seq)
        if finding is None:
            continue
        if not scope or finding.pool_uuid in scope:
            if reset or finding.unresolved:
                gone.append(seq)
        elif finding.open:
            stale.append(outdated(finding))
    check = replace(system.check.with_findings(stale, without=gone), last_policies=used)
    return Change(system=system.with_check(check), outcome=None)


def outdated(finding: Finding) -> Finding:
    """Return a finding on which nobody can decide any more."""
    return annotated(replace(finding, action=_A.STALE, choices=(), details=(), words=()))


# -- findings ------------------------------------------------------------------------------------------------------


def reported(system: System, finding: Finding) -> Change[None]:
    """Keep what an engine found, or what became of it."""
    check_ready(system)
    if finding.pool_uuid and not finding.pool_label:
        uuid = pools.uuid_of(finding.pool_uuid)
        if uuid is None:
            raise DaosError(Der.INVAL)
        if (pool := system.pools.get(uuid)) is not None:
            finding = replace(finding, pool_label=pool.label)
    gone = () if finding.seq in system.check.findings else _to_make_room(system.check)
    check = system.check.with_findings([annotated(finding)], without=gone)
    return Change(system=system.with_check(check), outcome=None)


def _to_make_room(check: CheckRecords) -> Collection[int]:
    surplus = len(check.findings) - MAX_FINDINGS + 1
    if surplus <= 0:
        return ()
    dispensable = sorted(
        (finding for finding in check.findings.values() if not finding.open),
        key=lambda finding: (finding.unresolved, finding.seq),
    )
    if len(dispensable) < surplus:
        raise Refused(
            f"{len(check.findings)} findings wait for decisions, and no more are kept: decide on some with "
            "'dmg check repair', or set policies for their classes and start the check again"
        )
    return [finding.seq for finding in dispensable[:surplus]]


def found(system: System, seqs: Sequence[int]) -> list[Finding]:
    """Return findings by number, or all; one that is not there is refused."""
    return [_finding(system, seq) for seq in seqs] if seqs else list(system.check.findings.values())


def to_repair(system: System, seq: int, action: Action) -> tuple[Finding, str]:
    """Return the finding about which an action is wanted, and the address of the host that must hear of it."""
    check_ready(system)
    finding = _finding(system, seq)
    if action not in finding.choices:
        offered = ", ".join(choice.name for choice in finding.choices)
        reason = f"it offers {offered}" if offered else f"it is settled ({finding.action.name})"
        raise Refused(f"finding {seq:#x} cannot be repaired by {action.name}: {reason}")
    member = system.members.get(finding.rank)
    if member is None:
        raise Refused(f"finding {seq:#x} belongs to rank {finding.rank}, which is not a member")
    return finding, member.addr


def decided(system: System, seq: int, action: Action) -> Change[None]:
    """Note an administrator's decision that an engine has taken; its report of the repair may have come before."""
    finding = system.check.findings.get(seq)
    if finding is None or action not in finding.choices:
        return Change(system=system, outcome=None)
    check = system.check.with_findings([finding.decided(action)])
    return Change(system=system.with_check(check), outcome=None)


def _finding(system: System, seq: int) -> Finding:
    finding = system.check.findings.get(seq)
    if finding is None:
        raise Refused(f"finding {seq:#x} not found")
    return finding


# -- words ---------------------------------------------------------------------------------------------------------


def annotated(finding: Finding) -> Finding:
    """Return a finding with everything that people need to know of it in words."""
    details = tuple(text.strip() for text in finding.details)
    details += ("",) * (len(finding.choices) - len(details))
    words = tuple(text.strip() for text in finding.words)
    return replace(
        finding,
        details=details,
        words=words or tuple(words_for(finding, action) for action in finding.choices or (finding.action,)),
        msg=finding.msg.strip() or f"inconsistency of class {finding.kind.name}",
        timestamp=finding.timestamp.strip(),
    )


def words_for(finding: Finding, action: Action) -> str:
    """Say what an action means for a finding.

    >>> words_for(Finding(seq=1, kind=Inconsistency.CONT_BAD_LABEL, action=Action.INTERACT), Action.IGNORE)
    'leave the container as it is'
    """
    pool = f"pool {finding.pool_uuid}" if finding.pool_uuid else "the pool"
    container = f"container {finding.cont_uuid}" if finding.cont_uuid else "the container"
    special = _SPECIAL.get((finding.kind, action))
    general = _GENERAL.get(action, f"{action.name} the {{thing}}")
    return (special or general).format(pool=pool, container=container, thing=_thing(finding.kind))


def _thing(kind: Inconsistency) -> str:
    if _I.POOL_LESS_SVC_WITH_QUORUM <= kind <= _I.POOL_BAD_LABEL:
        return "pool"
    if _I.ENGINE_NONEXIST_IN_MAP <= kind <= _I.ENGINE_HAS_NO_STORAGE:
        return "target"
    if _I.CONT_NONEXIST_ON_PS <= kind <= _I.CONT_BAD_LABEL:
        return "container"
    return "object"


_GENERAL: Final[Mapping[Action, str]] = {
    _A.INTERACT: "ask an administrator about the {thing}",
    _A.IGNORE: "leave the {thing} as it is",
    _A.DISCARD: "remove the {thing}",
    _A.READD: "add the {thing} again",
    _A.TRUST_MS: "make the {thing} what the management service says",
    _A.TRUST_PS: "make the {thing} what the pool service says",
    _A.TRUST_TARGET: "make the {thing} what its target says",
    _A.TRUST_MAJORITY: "make the {thing} what most copies say",
    _A.TRUST_LATEST: "make the {thing} what the newest copy says",
    _A.TRUST_OLDEST: "make the {thing} what the oldest copy says",
    _A.TRUST_EC_PARITY: "make the {thing} what its parity says",
    _A.TRUST_EC_DATA: "make the {thing} what its data says",
    _A.STALE: "a later check has begun before anybody decided; check the pool again to deal with it",
}
_SPECIAL: Final[Mapping[tuple[Inconsistency, Action], str]] = {
    (_I.POOL_NONEXIST_ON_MS, _A.READD): "enter {pool} into the management service's records",
    (_I.POOL_NONEXIST_ON_MS, _A.TRUST_PS): "enter {pool} into the management service's records",
    (_I.POOL_NONEXIST_ON_MS, _A.DISCARD): "destroy what engines have of {pool}",
    (_I.POOL_NONEXIST_ON_MS, _A.TRUST_MS): "destroy what engines have of {pool}",
    (_I.POOL_NONEXIST_ON_ENGINE, _A.DISCARD): "strike {pool} from the management service's records",
    (_I.POOL_NONEXIST_ON_ENGINE, _A.TRUST_PS): "strike {pool} from the management service's records",
    (_I.POOL_BAD_LABEL, _A.TRUST_MS): "give {pool} the label that the management service has for it",
    (_I.POOL_BAD_LABEL, _A.TRUST_PS): "note the label that {pool} itself has",
    (_I.CONT_BAD_LABEL, _A.TRUST_PS): "give {container} the label that the pool service has for it",
    (_I.CONT_BAD_LABEL, _A.TRUST_TARGET): "note the label that {container} itself has",
}
