"""``daos_server doctor`` and ``daos_agent doctor``: look, judge, and lay the findings out."""

import sys
from typing import TYPE_CHECKING, Any, Final

from daos_control.base.units import counted
from daos_control.cli.flags import Values
from daos_control.cli.ui.style import Style
from daos_control.cli.ui.terminal import is_wanted, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO

    from daos_control.apps.doctor.finding import Finding, Verdict

_STYLES: Final = {
    "ok": Style.GOOD,
    "warning": Style.CARE,
    "problem": Style.BAD,
    "n/a": Style.QUIET,
    "unknown": Style.CARE,
}
_NARROWEST: Final = 60
_ARROW: Final = "→"
_MARGIN: Final = 2 + 8 + 1
"""Blanks, the verdict, a blank."""
_TEXT: Final = 40
"""What is left for texts beside names, if there is room; longer names have lines of their own."""
_SHORT: Final = 20
"""Names that are no longer stay beside their texts, however narrow it is."""
_WIDEST: Final = 120
_PIPED: Final = 100


def server(values: Values) -> int:
    """Say what would go wrong with this host's server; 1 if something would."""
    import asyncio

    from daos_control.apps.server.doctor.examine import examine
    from daos_control.apps.server.doctor.look import gather
    from daos_control.base import logs

    logs.configure(program="daos_server", console=False)
    facts = asyncio.run(gather(values.config, control_address=values.control_address or ""))
    shown = facts.path or "no configuration"
    return report(values, f"daos_server on {facts.view.hostname}, as {facts.view.user}, by {shown}", examine(facts))


def agent(values: Values) -> int:
    """Say what would go wrong with this node's agent, and the applications it serves; 1 if something would."""
    import asyncio

    from daos_control.apps.agent.doctor.examine import examine
    from daos_control.apps.agent.doctor.look import gather
    from daos_control.base import logs

    logs.configure(program="daos_agent", console=False)
    facts = asyncio.run(gather(values.config_path, insecure=values.insecure, runtime_dir=values.runtime_dir or ""))
    shown = facts.path or "no configuration"
    return report(values, f"daos_agent on {facts.view.hostname}, as {facts.view.user}, by {shown}", examine(facts))


def report(values: Values, title: str, findings: "Iterable[Finding]") -> int:
    """Print findings, as a table or as JSON, and return the exit code: 1 if there is a problem, warnings or not."""
    from daos_control.apps.doctor.finding import is_healthy

    found = tuple(findings)
    if values.json:
        from daos_control.cli.ui.envelope import envelope

        print(envelope(document(found)))
    else:
        print(
            text(
                title,
                found,
                only_wrong=values.quiet,
                width=max(_NARROWEST, min(width_of(sys.stdout, otherwise=_PIPED), _WIDEST)),
                colour=is_wanted(sys.stdout),
                arrow=arrow_for(sys.stdout),
            )
        )
    return 0 if is_healthy(found) else 1


def arrow_for(stream: "TextIO") -> str:
    """Return what points at remedies, in characters that a stream can hold."""
    try:
        _ARROW.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return "->"
    return _ARROW


def document(findings: "Sequence[Finding]") -> dict[str, Any]:
    """Give findings the form of a document."""
    from daos_control.apps.doctor.finding import Verdict, is_healthy

    keys = ("topic", "check", "verdict", "found", "remedy", "code")
    rows = [{key: getattr(finding, key) for key in keys} | {"verdict": finding.verdict.value} for finding in findings]
    counts = {verdict.value: sum(one.verdict is verdict for one in findings) for verdict in Verdict}
    return {"healthy": is_healthy(findings), "counts": counts, "findings": rows}


def text(
    title: str, findings: "Sequence[Finding]", *, only_wrong: bool, width: int, colour: bool, arrow: str = _ARROW
) -> str:
    """Lay findings out: by topic, and under what is wrong its remedy."""
    from daos_control.apps.doctor.finding import Verdict

    calm = {Verdict.OK, Verdict.NOT_APPLICABLE} if only_wrong else set()
    shown = [finding for finding in findings if finding.verdict not in calm]
    lines = [title, ""]
    column = _column([len(_name(finding)) for finding in shown], width)
    for finding in shown:
        lines += _lines(finding, column, width, colour=colour, arrow=arrow)
    if shown:
        lines.append("")
    lines.append(_summary(findings))
    return "\n".join(lines)


def _column(names: "Sequence[int]", width: int) -> int:
    """Return the width of the names' column: that of the longest for which there is room."""
    room = max(width - _MARGIN - 2 - _TEXT, _SHORT)
    return max((length for length in names if length <= room), default=_SHORT)


def _lines(finding: "Finding", column: int, width: int, *, colour: bool, arrow: str) -> list[str]:
    from textwrap import TextWrapper

    indent = _MARGIN + column + 2
    verdict = finding.verdict.value.ljust(8)
    if colour:
        verdict = _STYLES[finding.verdict.value].on(verdict)
    number = f" (fault {finding.code})" if finding.code else ""
    wrapper = TextWrapper(width - indent, break_long_words=False, break_on_hyphens=False)
    first, *more = wrapper.wrap(finding.found + number) or [""]
    if len(_name(finding)) <= column:
        lines = [f"  {verdict} {_name(finding).ljust(column)}  {first}"]
    else:
        lines = [f"  {verdict} {_name(finding)}", " " * indent + first]
    lines += [" " * indent + line for line in more]
    if finding.remedy:
        lead = f"{arrow} "
        wrapper.width -= len(lead)
        remedy = wrapper.wrap(finding.remedy)
        lines += [" " * indent + (" " * len(lead) if number else lead) + line for number, line in enumerate(remedy)]
    return lines


def _name(finding: "Finding") -> str:
    return f"{finding.topic}: {finding.check}"


def _summary(findings: "Sequence[Finding]") -> str:
    from daos_control.apps.doctor.finding import Verdict

    def count(verdict: "Verdict") -> int:
        return sum(one.verdict is verdict for one in findings)

    problems, warnings, unknown = map(count, (Verdict.PROBLEM, Verdict.WARNING, Verdict.UNKNOWN))
    parts = [counted(problems, "problem", none="no"), counted(warnings, "warning", none="no")]
    if unknown:
        parts.append(f"{unknown} could not be looked at")
    parts.append(f"{count(Verdict.OK)} fine")
    return ", ".join(parts) + "."
