"""``dmg check``: the system checker, its findings and its policies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from daos_control.base.der import der_text
from daos_control.base.rankset import NIL_RANK
from daos_control.cli.dmg import advice, values
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.cli.ui.steps import Step
from daos_control.cli.ui.tables import counted, indented, table
from daos_control.client.checker import CheckPolicies, CheckState, PoolCheck
from daos_control.client.errors import InvalidRequest
from daos_control.model.checker import (
    Action,
    CheckFlag,
    CheckPhase,
    CheckStatus,
    Finding,
    Inconsistency,
    Policies,
    PoolCheckStatus,
)

_MAX_NUMBER: Final = (1 << 64) - 1

PHASES: Final[Mapping[CheckPhase, str]] = {
    CheckPhase.PREPARE: "getting ready",
    CheckPhase.POOL_LIST: "comparing the pools on record with those on storage",
    CheckPhase.POOL_MBS: "comparing pool maps and service replicas with storage",
    CheckPhase.POOL_CLEANUP: "tidying up pools",
    CheckPhase.CONT_LIST: "comparing the containers on record with those on storage",
    CheckPhase.CONT_CLEANUP: "tidying up containers",
    CheckPhase.DTX_RESYNC: "settling distributed transactions",
    CheckPhase.OBJ_SCRUB: "verifying checksums of objects",
    CheckPhase.REBUILD: "rebuilding objects",
    CheckPhase.AGGREGATION: "aggregating old versions",
    CheckPhase.DONE: "there is nothing left to check",
}
FLAGS: Final[Mapping[CheckFlag, str]] = {
    CheckFlag.DRY_RUN: "dry-run",
    CheckFlag.RESET: "reset",
    CheckFlag.FAILOUT: "failout",
    CheckFlag.AUTO: "auto",
    CheckFlag.FIND_ORPHANS: "find-pool-orphans",
    CheckFlag.NO_FAILOUT: "reset-failout",
    CheckFlag.NO_AUTO: "reset-auto",
}
"""The names that flags have in documents."""


# -- values on the command line ------------------------------------------------------------------------------------


def policies(text: str) -> Policies:
    """Read ``CLASS:ACTION,CLASS:ACTION``."""
    return {inconsistency(kind): _action(action) for kind, action in values.settings(text).items()}


def kinds(text: str) -> tuple[Inconsistency, ...]:
    """Read ``CLASS,CLASS``, in the order in which DAOS's own dmg asks for them."""
    return tuple(inconsistency(key) for key in sorted(values.keys(text)))


def inconsistency(text: str) -> Inconsistency:
    """Read a class of inconsistency."""
    try:
        return Inconsistency[text.upper().removeprefix("CIC_")]
    except KeyError:
        known = ", ".join(kind.name for kind in Inconsistency)
        raise ValueError(f"{text!r} is not a class of inconsistency (there are: {known})") from None


def _action(text: str) -> Action:
    try:
        return Action[text.upper().removeprefix("CIA_")]
    except KeyError:
        known = ", ".join(action.name for action in Action if action is not Action.STALE)
        raise ValueError(f"{text!r} is not an action (there are: {known})") from None


def number(text: str) -> int:
    """Read the number of a finding, in decimal or as ``0x...``."""
    try:
        found = int(text, 16) if text.startswith("0x") else int(text)
    except ValueError:
        found = -1
    if not 0 <= found <= _MAX_NUMBER or "_" in text:
        raise ValueError(f"{text!r} is not the number of a finding")
    return found


# -- mode and checks -----------------------------------------------------------------------------------------------


@command()
async def enable(session: Session, _: Values) -> Output:
    """Enter checker mode."""
    await session.daos.checker.enable()
    return Output(text="system checker enabled\n", next=(Step("dmg check start", "begins a check of all pools"),))


@command()
async def disable(session: Session, _: Values) -> Output:
    """Leave checker mode."""
    await session.daos.checker.disable()
    return Output(text="system checker disabled\n", next=(Step("dmg system start", "lets engines serve again"),))


@command()
async def start(session: Session, args: Values) -> Output:
    """Begin a check."""
    await session.daos.checker.start(
        args.pools,
        dry_run=args.dry_run,
        reset=args.reset,
        failout=_switch(args.failout),
        auto=_switch(args.auto),
        find_orphans=args.find_orphans,
        policies=args.policies,
    )
    return Output(text="system checker started\n", next=(Step("dmg check query", "how it stands"),))


def _switch(word: str | None) -> bool | None:
    return None if word is None else word == "on"


@command()
async def stop(session: Session, args: Values) -> Output:
    """End a check."""
    await session.daos.checker.stop(args.pools)
    return Output(text="system checker stopped\n")


@command()
async def query(session: Session, args: Values) -> Output:
    """Tell how the check stands."""
    state = await session.daos.checker.query(args.pools)
    text = state_text(state, verbose=args.verbose)
    return Output(document=state_document(state), text=text, next=tuple(advice.for_check(state)))


@command()
async def repair(session: Session, args: Values) -> Output:
    """Decide about a finding."""
    state = await session.daos.checker.query(findings=[args.number])
    if not state.findings:
        raise InvalidRequest(f"no report found for seq {args.number:#x}")
    finding = state.findings[0]
    if not finding.open:
        raise InvalidRequest(f"finding {args.number:#x} is already resolved: {resolution(finding)}")
    if not 0 <= args.choice < len(finding.choices):
        offered = "; ".join(f"{place}: {words.removesuffix('.')}" for place, (_, words) in enumerate(finding.options))
        raise InvalidRequest(f"invalid action {args.choice} for seq {args.number:#x}; choose one of {offered}")
    await session.daos.checker.repair(finding.seq, finding.choices[args.choice])
    return Output(text="Repair request sent\n")


# -- policies ------------------------------------------------------------------------------------------------------


@command()
async def set_policy(session: Session, args: Values) -> Output:
    """Say what is to become of findings."""
    if args.policies and (args.reset_defaults or args.all_interactive):
        raise InvalidRequest("give policies, or --reset-defaults or --all-interactive, but not both")
    if args.reset_defaults:
        await session.daos.checker.reset_policies()
    elif args.all_interactive:
        await session.daos.checker.ask_always()
    else:
        await session.daos.checker.set_policies(args.policies or {})
    return Output(text="system checker policies updated\n")


@command()
async def get_policy(session: Session, args: Values) -> Output:
    """Tell what becomes of findings."""
    found = await session.daos.checker.get_policies(args.kinds or (), last_used=args.last)
    return Output(document=policies_document(found), text=policies_text(found))


def policies_document(found: CheckPolicies) -> dict[str, Any]:
    """Give policies the keys that DAOS gives them."""
    return {
        "checker_flags": flags_text(found.flags),
        "policies": [f"{kind.name}:{action.name}" for kind, action in found.policies] or None,
    }


def policies_text(found: CheckPolicies) -> str:
    """Lay policies out as a table."""
    rows = [(kind.name, action.name) for kind, action in found.policies]
    return f"Checker flags: {flags_text(found.flags)}\n\n" + table(["Inconsistency Class", "Repair Action"], rows)


def flags_text(flags: CheckFlag) -> str:
    """Name flags."""
    return ",".join(name for flag, name in FLAGS.items() if flag in flags) or "none"


# -- how a check stands, as a document -----------------------------------------------------------------------------


def state_document(state: CheckState) -> dict[str, Any]:
    """Give a check the keys that DAOS gives it."""
    return {
        "start_time": _moment(state.start_time),
        "status": state.status.name,
        "scan_phase": state.phase.name,
        "leader": NIL_RANK if state.leader is None else state.leader,
        "pools": {uuid: _pool_document(pool) for uuid, pool in sorted(state.pools.items())},
        "reports": [_finding_document(finding) for finding in state.findings] or None,
    }


def _pool_document(pool: PoolCheck) -> dict[str, Any]:
    """Describe a pool's check; "elapsed" is not how long it took but when it ended, as DAOS has it."""
    return {
        "uuid": pool.uuid,
        "label": "",
        "status": _pool_status(pool),
        "phase": _pool_phase(pool),
        "rank_count": len(pool.ranks),
        "start_time": _moment(pool.start_time),
        "remaining": pool.misc_time if pool.checking else 0,
        "elapsed": 0 if pool.checking else pool.misc_time,
    }


_KEYS: Final = {"kind": "class", "choices": "act_choices", "details": "act_details", "words": "act_msgs"}


def _finding_document(finding: Finding) -> dict[str, Any]:
    """Describe a finding; but for the rank, what is 0 or empty is left out."""
    found = {_KEYS.get(part.name, part.name): getattr(finding, part.name) for part in fields(finding)}
    return {"rank": finding.rank} | {key: document(value) for key, value in found.items() if value}


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="milliseconds")


def _pool_status(pool: PoolCheck) -> str:
    return f"CPS_{pool.status.name}" if pool.status.known else pool.status.name


def _pool_phase(pool: PoolCheck) -> str:
    return f"CSP_{pool.phase.name}" if pool.phase.known else pool.phase.name


# -- ... and as text -----------------------------------------------------------------------------------------------


def state_text(state: CheckState, *, verbose: bool) -> str:
    """Tell people how a check stands and what it has found."""
    running = f" (started at: {_moment(state.start_time)})" if state.status is CheckStatus.RUNNING else ""
    lines = [
        "DAOS System Checker Info",
        f"  Current status: {state.status.name}{running}",
        f"  Current phase: {state.phase.name} ({PHASES.get(state.phase, 'unknown here')})",
    ]
    if state.request_status and state.status is not CheckStatus.INIT:
        lines.append(f"  The engine that was asked: {der_text(state.request_status)}")
    lines += _pool_lines(state, verbose=verbose)
    lines.append("")
    if not state.findings:
        return "\n".join([*lines, "No reports to display.", ""])
    reports = _long_reports(state.findings) if verbose else _report_tables(state.findings)
    return "\n".join([*lines, "Inconsistency Reports:", reports])


def _pool_lines(state: CheckState, *, verbose: bool) -> Iterator[str]:
    unchecked = {uuid for uuid, pool in state.pools.items() if pool.status is PoolCheckStatus.UNCHECKED}
    removed = {finding.pool_uuid for finding in state.findings if _removes_pool(finding)} - {""}
    if checked := (state.pools.keys() - unchecked) | removed:
        verb = "Checked" if state.status is CheckStatus.COMPLETED else "Checking"
        yield f"  {verb} {counted(len(checked), 'pool')}"
    if state.pools and (verbose or unchecked):
        yield "\nPer-Pool Checker Info:" if verbose else "\nUnchecked Pools:"
        for uuid in sorted(state.pools if verbose else unchecked):
            yield f"  {_pool_text(state.pools[uuid])}"


def _removes_pool(finding: Finding) -> bool:
    gone = {Inconsistency.POOL_NONEXIST_ON_ENGINE, Inconsistency.POOL_NONEXIST_ON_MS}
    return finding.action is Action.DISCARD and finding.kind in gone


def _pool_text(pool: PoolCheck) -> str:
    text = f"Pool {pool.uuid}: {len(pool.ranks)} ranks, status: {_pool_status(pool)}, phase: {_pool_phase(pool)}"
    if pool.start_time:
        text += f", started: {_moment(pool.start_time)}"
    if pool.checking and pool.misc_time:
        text += f" remaining: {pool.misc_time}s"
    elif pool.lasted_s is not None:
        text += f" elapsed: {pool.lasted_s}s"
    return text


def resolution(finding: Finding) -> str:
    """Say what was done about a finding."""
    return finding.action.name + (f": {finding.words[0]}" if len(finding.words) == 1 else "")


def _report_tables(findings: Sequence[Finding]) -> str:
    resolved = [finding for finding in findings if not finding.open]
    waiting = [finding for finding in findings if finding.open]
    rows = [[*_short(finding, resolved), _short_resolution(finding)] for finding in resolved]
    text = _report_table("Resolved", "Resolution", resolved, rows)
    rows = []
    for finding in waiting:
        first = _short(finding, waiting)
        options = [f"{place}: {words}" for place, (_, words) in enumerate(finding.options)] or [""]
        rows.append([*first, options[0]])
        rows += [[*("" for _ in first), option] for option in options[1:]]
    return text + _report_table("Action Required", "Repair Options", waiting, rows)


def _report_table(title: str, last: str, findings: Sequence[Finding], rows: Sequence[Sequence[str]]) -> str:
    if not findings:
        return ""
    container = ["Cont"] if _about_containers(findings) else []
    return f"- {title}:\n" + table(["ID", "Class", "Pool", *container, last], rows) + "\n"


def _short(finding: Finding, among: Sequence[Finding]) -> list[str]:
    cells = [f"{finding.seq:#x}", finding.kind.name, finding.pool_label or finding.pool_uuid]
    if _about_containers(among):
        cells.append(finding.cont_label or finding.cont_uuid or "None")
    return cells


def _about_containers(findings: Sequence[Finding]) -> bool:
    return any(finding.cont_uuid for finding in findings)


def _short_resolution(finding: Finding) -> str:
    return resolution(finding) + (" (dry run)" if finding.dry_run else "")


def _long_reports(findings: Sequence[Finding]) -> str:
    return "".join(indented(_long_report(finding), "  ") for finding in findings)


def _long_report(finding: Finding) -> str:
    lines = [
        f"ID:         {finding.seq:#x}",
        f"Class:      {finding.kind.name}",
        f"Message:    {finding.msg}",
        f"Pool:       {_with_uuid(finding.pool_label, finding.pool_uuid)}",
    ]
    if finding.cont_uuid:
        lines.append(f"Container:  {_with_uuid(finding.cont_label, finding.cont_uuid)}")
    if finding.open:
        lines.append("Potential resolution actions:")
        lines += [f"  {place}: {words}" for place, (_, words) in enumerate(finding.options)]
    else:
        dry_run = " (dry run - not applied)" if finding.dry_run else ""
        lines.append(f"Resolution: {resolution(finding)}{dry_run}")
    if finding.result < 0:
        lines.append(f"Failed:     {der_text(finding.result)}")
    return "\n".join(lines) + "\n\n"


def _with_uuid(label: str, uuid: str) -> str:
    return f"{label} ({uuid})" if label else uuid
