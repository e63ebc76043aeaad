"""``dmg pool extend``, ``exclude``, ``drain`` and ``reintegrate``: on which ranks a pool is."""

from daos_control.cli.dmg import advice
from daos_control.cli.dmg.pool.naming import pool_id
from daos_control.cli.dmg.pool.rehearsal import rehearsable
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.dmg.system.pools import pool_ranks_document, pool_ranks_text
from daos_control.cli.flags import Values
from daos_control.client.errors import PartlyFailed
from daos_control.client.system import PoolRanksResult


@command("pool extend failed")
@rehearsable
async def extend(session: Session, args: Values) -> Output:
    """Add ranks to a pool."""
    await session.daos.pools.extend(pool_id(args), args.ranks)
    return Output(text="Extend command succeeded\n")


@command("pool exclude failed")
@rehearsable
async def exclude(session: Session, args: Values) -> Output:
    """Take ranks out of a pool at once."""
    pools = session.daos.pools
    return ranks_output(await pools.exclude(pool_id(args), args.ranks, targets=args.target_idx, force=args.force))


@command("pool drain failed")
@rehearsable
async def drain(session: Session, args: Values) -> Output:
    """Move a pool's data away from ranks."""
    return ranks_output(await session.daos.pools.drain(pool_id(args), args.ranks, targets=args.target_idx))


@command("pool reintegrate failed")
@rehearsable
async def reintegrate(session: Session, args: Values) -> Output:
    """Take ranks back into a pool."""
    return ranks_output(await session.daos.pools.reintegrate(pool_id(args), args.ranks, targets=args.target_idx))


def ranks_output(result: PoolRanksResult) -> Output:
    """Say how it went on each rank."""
    problem = result.problem()
    return Output(
        document=pool_ranks_document(result),
        text=pool_ranks_text([result]),
        problem=PartlyFailed(problem) if problem else None,
        next=tuple(advice.after_refused_ranks(result.id) if problem else advice.after_rebuild_began([result.id])),
    )
