"""How a check stands, what it has found and what its policies are, for people."""

from collections.abc import Iterator, Sequence

from daos_control.base.der import der_text
from daos_control.base.units import counted
from daos_control.cli.dmg.check.wording import PHASES, flags_text, moment, pool_phase, pool_status, resolution
from daos_control.cli.ui.tables import indented, table
from daos_control.client.checker import CheckPolicies, CheckState, PoolCheck
from daos_control.model.checker import Action, CheckStatus, Finding, Inconsistency, PoolCheckStatus


def state_text(state: CheckState, *, verbose: bool) -> str:
    """Tell people how a check stands and what it has found."""
    running = f" (started at: {moment(state.start_time)})" if state.status is CheckStatus.RUNNING else ""
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
    text = f"Pool {pool.uuid}: {len(pool.ranks)} ranks, status: {pool_status(pool)}, phase: {pool_phase(pool)}"
    if pool.start_time:
        text += f", started: {moment(pool.start_time)}"
    if pool.checking and pool.misc_time:
        text += f" remaining: {pool.misc_time}s"
    elif pool.lasted_s is not None:
        text += f" elapsed: {pool.lasted_s}s"
    return text


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


def policies_text(found: CheckPolicies) -> str:
    """Lay policies out as a table."""
    rows = [(kind.name, action.name) for kind, action in found.policies]
    return f"Checker flags: {flags_text(found.flags)}\n\n" + table(["Inconsistency Class", "Repair Action"], rows)
