"""``dmg pool destroy``, ``evict``, ``upgrade`` and ``rebuild``: what is done to a pool as a whole."""

from daos_control.cli.dmg.pool.naming import pool_id
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values


@command("pool destroy failed")
async def destroy(session: Session, args: Values) -> Output:
    """Remove a pool."""
    await session.daos.pools.destroy(pool_id(args), force=args.force, recursive=args.recursive)
    return Output(text="Pool-destroy command succeeded\n")


@command()
async def evict(session: Session, args: Values) -> Output:
    """Close all handles on a pool."""
    await session.daos.pools.evict(pool_id(args))
    return Output(text="Pool-evict command succeeded\n")


@command("pool upgrade failed")
async def upgrade(session: Session, args: Values) -> Output:
    """Bring a pool's layout up to date."""
    await session.daos.pools.upgrade(pool_id(args))
    return Output(text="Pool-upgrade command succeeded\n")


@command("pool-rebuild start failed")
async def rebuild_start(session: Session, args: Values) -> Output:
    """Let a pool rebuild."""
    await session.daos.pools.rebuild_start(pool_id(args))
    return Output(text="Pool-rebuild start request succeeded\n")


@command("pool-rebuild stop failed")
async def rebuild_stop(session: Session, args: Values) -> Output:
    """Stop a pool's rebuild."""
    await session.daos.pools.rebuild_stop(pool_id(args), force=args.force)
    return Output(text="Pool-rebuild stop request succeeded\n")
