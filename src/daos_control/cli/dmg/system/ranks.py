"""``dmg system stop``, ``start``, ``exclude``, ``clear-exclude`` and ``erase``: what is done to engines."""

from collections.abc import Iterable, Sequence
from typing import Any

from daos_control.base.hostset import HostSet
from daos_control.base.rankset import RankSet
from daos_control.cli.dmg import advice
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.system.headway import DOWN, UP, shown
from daos_control.cli.dmg.system.selection import absent_text, problem_of, rank_table, selection, some_ranks
from daos_control.cli.flags import Values
from daos_control.cli.ui.steps import Step
from daos_control.client.errors import InvalidRequest
from daos_control.client.system import RankResults
from daos_control.model.rank_result import RankResult


@command("system stop failed")
async def stop(session: Session, args: Values) -> Output:
    """Stop engines."""
    for other in ("force", "rank_hosts", "ranks"):
        if args.full and getattr(args, other):
            raise InvalidRequest(f"--full may not be mixed with --{other.replace('_', '-')}")
    ranks = selection(args)
    async with shown(session, ranks, DOWN):
        results = await session.daos.system.stop(
            **ranks, force=not args.full, ignore_admin_excluded=args.ignore_admin_excluded
        )
    return results_output(results, advice.after_stop(results.results))


@command("system start failed")
async def start(session: Session, args: Values) -> Output:
    """Start engines."""
    ranks = selection(args)
    async with shown(session, ranks, UP):
        results = await session.daos.system.start(**ranks, ignore_admin_excluded=args.ignore_admin_excluded)
    return results_output(results, [Step("dmg system query", "who has joined by now")])


def results_output(results: RankResults, steps: Iterable[Step]) -> Output:
    """Say how it went on each rank."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for result in results.results:
        outcome = result.message if result.errored else "OK"
        groups.setdefault((result.action, outcome), []).append(result.rank)
    if groups and results.absent_ranks:
        groups["----", "Unknown Rank"] = list(results.absent_ranks)
    return Output(
        document=results_document(results),
        text=rank_table(["Rank", "Operation", "Result"], groups) if groups else "No results returned\n",
        error_text="\n".join(filter(None, [absent_text(results, ranks=not groups), failures_text(results)])),
        problem=problem_of(results),
        next=(*(steps if groups else ()), *advice.for_absent(results)),
    )


def failures_text(results: RankResults) -> str:
    """Say where it failed and why: a line for each reason, with its ranks and their hosts."""
    by_reason: dict[str, list[RankResult]] = {}
    for result in results.failed:
        by_reason.setdefault(result.message or f"{result.action} failed for an unknown reason", []).append(result)
    return "\n".join(f"{where(failed)}: {reason}" for reason, failed in by_reason.items())


def where(results: Sequence[RankResult]) -> str:
    """Name the ranks of some results, and their hosts as far as they are known."""
    ranks = RankSet(result.rank for result in results)
    hosts = HostSet(result.addr for result in results if result.addr)
    return ranks.named() + (f" on {hosts}" if hosts else "")


def results_document(results: RankResults) -> dict[str, Any]:
    """Give results the keys that DAOS gives them."""
    return {"Results": [rank_result_document(result) for result in results.results] or None}


def rank_result_document(result: RankResult) -> dict[str, Any]:
    """Give one result the keys that DAOS gives it."""
    return {
        "state": result.state.value,
        "Addr": result.addr,
        "Rank": result.rank,
        "Action": result.action,
        "Errored": result.errored,
        "Msg": result.message,
    }


@command()
async def exclude(session: Session, args: Values) -> Output:
    """Keep ranks out of the system."""
    results = await session.daos.system.exclude(**some_ranks(args))
    return excluded_output(results, "Ranks that are kept out", advice.after_exclusion(results.results))


@command()
async def clear_exclude(session: Session, args: Values) -> Output:
    """Let excluded ranks join again."""
    results = await session.daos.system.clear_exclude(**some_ranks(args))
    return excluded_output(results, "Ranks that may join again", advice.after_clearing(results.results))


def excluded_output(results: RankResults, done: str, steps: Iterable[Step]) -> Output:
    """Name the ranks whose state was changed, and those that could not be."""
    ranks = RankSet(result.rank for result in results.results if not result.errored)
    return Output(
        document=results_document(results),
        text=f"updated ranks: {ranks}\n",
        view=f"{done}: {ranks or 'none'}\n",
        error_text=failures_text(results),
        problem=problem_of(results),
        next=tuple(steps),
    )


@command()
async def erase(session: Session, args: Values) -> Output:
    """Wipe the system's records."""
    results = await session.daos.system.erase()
    problem = problem_of(results)
    done = "The system's records are erased; its storage can be formatted anew\n"
    steps = () if problem else (Step("dmg storage format", "formats it"),)
    return Output(text="" if problem else done, error_text=failures_text(results), problem=problem, next=steps)
