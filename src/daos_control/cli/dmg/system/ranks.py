"""``dmg system stop``, ``start``, ``exclude``, ``clear-exclude`` and ``erase``: what is done to engines."""

from typing import Any

from daos_control.base.rankset import RankSet
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.system.selection import absent_text, problem_of, rank_table, selection, some_ranks
from daos_control.cli.flags import Values
from daos_control.client.errors import InvalidRequest
from daos_control.client.system import RankResults
from daos_control.model.rank_result import RankResult


@command("system stop failed")
async def stop(session: Session, args: Values) -> Output:
    """Stop engines."""
    for other in ("force", "rank_hosts", "ranks"):
        if args.full and getattr(args, other):
            raise InvalidRequest(f"--full may not be mixed with --{other.replace('_', '-')}")
    results = await session.daos.system.stop(
        **selection(args), force=not args.full, ignore_admin_excluded=args.ignore_admin_excluded
    )
    return results_output(results)


@command("system start failed")
async def start(session: Session, args: Values) -> Output:
    """Start engines."""
    results = await session.daos.system.start(**selection(args), ignore_admin_excluded=args.ignore_admin_excluded)
    return results_output(results)


def results_output(results: RankResults) -> Output:
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
        error_text=absent_text(results, ranks=not groups),
        problem=problem_of(results),
    )


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
    return excluded_output(await session.daos.system.exclude(**some_ranks(args)))


@command()
async def clear_exclude(session: Session, args: Values) -> Output:
    """Let excluded ranks join again."""
    return excluded_output(await session.daos.system.clear_exclude(**some_ranks(args)))


def excluded_output(results: RankResults) -> Output:
    """Name the ranks whose state was changed."""
    ranks = RankSet(result.rank for result in results.results)
    return Output(document=results_document(results), text=f"updated ranks: {ranks}\n", problem=problem_of(results))


@command()
async def erase(session: Session, args: Values) -> Output:
    """Wipe the system's records."""
    results = await session.daos.system.erase()
    return Output(
        text="The system's records are erased; its storage can be formatted anew\n", problem=problem_of(results)
    )
