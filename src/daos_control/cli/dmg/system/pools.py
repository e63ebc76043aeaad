"""``dmg system drain``, ``reintegrate``, ``cleanup``, ``rebuild`` and ``self-heal``: what is done to all pools."""

from collections.abc import Sequence
from typing import Any

from daos_control.base.rankset import RankSet
from daos_control.base.units import counted
from daos_control.cli.dmg import advice
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.system.selection import some_ranks
from daos_control.cli.flags import Values
from daos_control.cli.ui.tables import table
from daos_control.client.errors import PartlyFailed
from daos_control.client.system import PoolRanksResult, RebuildResult


@command("system drain failed")
async def drain(session: Session, args: Values) -> Output:
    """Move the data of all pools away from ranks."""
    return drained_output(await session.daos.system.drain(**some_ranks(args)))


@command("system reintegrate failed")
async def reintegrate(session: Session, args: Values) -> Output:
    """Take ranks back into all pools."""
    return drained_output(await session.daos.system.reintegrate(**some_ranks(args)))


def drained_output(pools: Sequence[PoolRanksResult]) -> Output:
    """Say how it went on the ranks of each pool."""
    failed = [problem for pool in pools if (problem := pool.problem())]
    return Output(
        document={"responses": [pool_ranks_document(pool) for pool in pools] or None},
        text=pool_ranks_text(pools),
        problem=PartlyFailed(", ".join(failed)) if failed else None,
        next=tuple(advice.after_rebuild_began(pool.id for pool in pools if not pool.problem())),
    )


def pool_ranks_document(pool: PoolRanksResult) -> dict[str, Any]:
    """Give the results of one pool the keys that DAOS gives them."""
    results = [{"rank": r.rank, "errored": r.errored, "msg": r.message} for r in pool.results]
    return {"id": pool.id, "results": results or None}


def pool_ranks_text(pools: Sequence[PoolRanksResult]) -> str:
    """Lay out the results of each pool, ranks with the same result together."""
    rows = []
    for pool in sorted(pools, key=lambda pool: pool.id):
        by_message: dict[str, list[int]] = {}
        for result in pool.results:
            by_message.setdefault(result.message if result.errored else "", []).append(result.rank)
        rows += [
            (pool.id, RankSet(ranks), "FAIL" if message else "OK", message or "-")
            for message, ranks in sorted(by_message.items())
        ]
    return table(["Pool", "Ranks", "Result", "Reason"], rows) + "\n" if rows else "No pool ranks processed\n"


@command("system cleanup failed")
async def cleanup(session: Session, args: Values) -> Output:
    """Close all pool handles that a machine holds."""
    pools = await session.daos.system.cleanup(args.machine)
    failed = [f"{pool.pool_id}: {pool.message}" for pool in pools if pool.status]
    text = "System Cleanup Success\n"
    if not pools:
        text = "No handles cleaned up\n"
    elif args.verbose:
        text = table(["Pool", "Handles Revoked"], [(pool.pool_id, pool.count) for pool in pools]) + "\n"
    results = [{"status": p.status, "msg": p.message, "pool_id": p.pool_id, "count": p.count} for p in pools]
    return Output(
        document={"results": results or None},
        text=text,
        problem=PartlyFailed(f"handles were not closed on {', '.join(failed)}") if failed else None,
    )


@command("system rebuild start failed")
async def rebuild_start(session: Session, args: Values) -> Output:
    """Let every pool rebuild."""
    return rebuild_output("start", await session.daos.system.rebuild_start(), verbose=args.verbose)


@command("system rebuild stop failed")
async def rebuild_stop(session: Session, args: Values) -> Output:
    """Stop every pool's rebuild."""
    return rebuild_output("stop", await session.daos.system.rebuild_stop(force=args.force), verbose=args.verbose)


def rebuild_output(verb: str, results: Sequence[RebuildResult], *, verbose: bool) -> Output:
    """Say which pools took the request."""
    done = [result.id for result in results if not result.errored]
    failed = [f"pool-rebuild {verb} failed on pool {r.id}: {r.message}" for r in results if r.errored]
    text = f"System-rebuild {verb} request succeeded on {counted(len(done), 'pool')}"
    rows = [(r.id, "FAIL" if r.errored else "OK", _reason(r) if r.errored else "-") for r in results]
    documents = [{"id": r.id, "op_code": r.op_code, "errored": r.errored, "msg": r.message} for r in results]
    return Output(
        document={"results": documents or None},
        text=f"{text} [{' '.join(done)}]\n" if verbose else f"{text}\n",
        view=table(["Pool", "Result", "Reason"], rows) if failed or (verbose and rows) else "",
        problem=PartlyFailed(", ".join(failed)) if failed else None,
    )


def _reason(result: RebuildResult) -> str:
    """Say why a pool did not take a request, once: what a server says of that names the request as well."""
    return result.message.rpartition(" failed: ")[2]


@command("system self-heal eval failed")
async def self_heal_eval(session: Session, args: Values) -> Output:
    """Look again whether something should be healed."""
    await session.daos.system.self_heal_eval()
    return Output(document={}, text="System self-heal eval request succeeded\n")
