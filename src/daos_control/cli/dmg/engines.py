"""``dmg system engines``: how engines stand, ended and come back, as their own hosts tell it."""

from datetime import datetime
from typing import Any

from daos_control.base.rankset import RankSet
from daos_control.base.units import counted
from daos_control.cli.dmg.host_problems import errors_document, problem_of, problems_text
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import document
from daos_control.cli.ui.tables import table
from daos_control.client.engines import Engine, EnginesReport, LastExit, RestartLimits
from daos_control.client.errors import InvalidRequest

NONE = "-"


@command("system engines failed")
async def engines(session: Session, args: Values) -> Output:
    """Show how engines stand, how they ended, and whether they come back by themselves."""
    if args.ranks and args.rank_hosts:
        raise InvalidRequest("--ranks and --rank-hosts options cannot be set together")
    hosts = args.host_list if "host_list" in args else ()
    report = await session.daos.engines.query(ranks=args.ranks, rank_hosts=args.rank_hosts, hosts=hosts or ())
    return Output(
        document=engines_document(report),
        text=engines_text(report, verbose=args.verbose),
        error_text=problems_text(report.problems),
        problem=problem_of(report),
    )


def engines_document(report: EnginesReport) -> dict[str, Any]:
    """Give the report keys: those of the client library's records."""
    return {
        "engines": [document(engine) for engine in report.engines],
        "host_errors": errors_document(report.problems),
        "absent_ranks": document(report.absent_ranks),
        "absent_hosts": document(report.absent_hosts),
    }


def engines_text(report: EnginesReport, *, verbose: bool) -> str:
    """Lay engines out: those that fare alike together, or each on a line."""
    if not report.engines:
        return "No engines\n"
    return _each(report) if verbose else _folded(report)


def _folded(report: EnginesReport) -> str:
    alike: dict[tuple[str, ...], list[Engine]] = {}
    for engine in report.engines:
        alike.setdefault(
            (engine.state, restarts_cell(engine), exit_cell(engine.last_exit), next_cell(engine)), []
        ).append(engine)
    rows = [(_names(group), *facts) for facts, group in alike.items()]
    return table(["Rank", "State", "Restarts", "Last Exit", "Next"], rows) + "\n"


def _names(engines: list[Engine]) -> str:
    """Fold ranks; engines that have none go by their hosts."""
    ranks = RankSet(engine.rank for engine in engines if engine.rank is not None)
    nameless = [f"none ({engine.host} engine {engine.index})" for engine in engines if engine.rank is None]
    return ", ".join(([ranks.ranged()] if ranks else []) + nameless)


def _each(report: EnginesReport) -> str:
    rows = [
        (
            NONE if engine.rank is None else engine.rank,
            engine.uuid or NONE,
            engine.host,
            engine.index,
            engine.pid or NONE,
            engine.state,
            moment(engine.since),
            restarts_cell(engine),
            moment(engine.last_exit.at) if engine.last_exit else NONE,
            exit_cell(engine.last_exit),
            next_cell(engine),
        )
        for engine in report.engines
    ]
    titles = (
        "Rank",
        "UUID",
        "Control Address",
        "Engine",
        "PID",
        "State",
        "Since",
        "Restarts",
        "Ended",
        "Last Exit",
        "Next",
    )
    rules = sorted({limits_text(engine.limits) for engine in report.engines})
    return table(titles, rows) + "\n" + "".join(f"{rule}\n" for rule in rules)


def restarts_cell(engine: Engine) -> str:
    """Count automatic restarts: those that count against the engine, of how many, and all."""
    if not engine.restarts_total:
        return "0"
    return f"{engine.restarts_in_window} of {engine.limits.limit}, {engine.restarts_total} in all"


def exit_cell(ended: LastExit | None) -> str:
    """Say how an engine ended."""
    if ended is None:
        return NONE
    if ended.self_terminated:
        return "ended itself: excluded"
    how = ended.text.rpartition(" exited: ")[2]
    return f"{how}, on request" if ended.wanted else how


def next_cell(engine: Engine) -> str:
    """Say what follows an exit."""
    if engine.restart_at is not None:
        return f"restarts at {moment(engine.restart_at)}"
    return f"stays down: {engine.stays_down}" if engine.stays_down else NONE


def limits_text(limits: RestartLimits) -> str:
    """Say in words when engines come back by themselves."""
    if not limits.enabled:
        return "No automatic restart: disable_engine_auto_restart is set."
    return (
        f"An engine that ends itself because it is excluded is restarted: at least {limits.min_delay_s:g} s after the "
        f"last time, twice as long each time it did not help, {counted(limits.limit, 'time')} in {limits.window_s:g} s."
    )


def moment(value: datetime) -> str:
    """Write a time for people, in their zone."""
    return value.astimezone().isoformat(sep=" ", timespec="seconds")
