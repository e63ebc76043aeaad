"""``dmg pool destroy``, ``evict``, ``upgrade`` and ``rebuild``: what is done to a pool as a whole."""

from daos_control.cli.dmg.pool.naming import pool_id
from daos_control.cli.dmg.pool.rehearsal import rehearsable
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.client.errors import InvalidRequest


@command("pool destroy failed")
@rehearsable
async def destroy(session: Session, args: Values) -> Output:
    """Remove a pool; a person at a terminal has to type its name unless it is forced."""
    if session.interactive and not (args.force or args.yes or args.dry_run):
        await confirm(session, pool_id(args))
    await session.daos.pools.destroy(pool_id(args), force=args.force, recursive=args.recursive)
    return Output(text="Pool-destroy command succeeded\n")


async def confirm(session: Session, pool: str) -> None:
    """Show what would be lost, and go on only if its name is typed."""
    stake = await session.daos.pools.at_stake(pool)
    first, *rest = stake.sentences()
    warning = "\n".join([f"This destroys {first}:", *(f"  {sentence}" for sentence in rest)])
    if not session.typed(warning, stake.listed.label or stake.listed.uuid):
        raise InvalidRequest("consent not given: nothing was destroyed")


@command("pool evict failed")
@rehearsable
async def evict(session: Session, args: Values) -> Output:
    """Close all handles on a pool."""
    await session.daos.pools.evict(pool_id(args))
    return Output(text="Pool-evict command succeeded\n")


@command("pool upgrade failed")
@rehearsable
async def upgrade(session: Session, args: Values) -> Output:
    """Bring a pool's layout up to date."""
    await session.daos.pools.upgrade(pool_id(args))
    return Output(text="Pool-upgrade command succeeded\n")


@command("pool-rebuild start failed")
@rehearsable
async def rebuild_start(session: Session, args: Values) -> Output:
    """Let a pool rebuild."""
    await session.daos.pools.rebuild_start(pool_id(args))
    return Output(text="Pool-rebuild start request succeeded\n")


@command("pool-rebuild stop failed")
@rehearsable
async def rebuild_stop(session: Session, args: Values) -> Output:
    """Stop a pool's rebuild."""
    await session.daos.pools.rebuild_stop(pool_id(args), force=args.force)
    return Output(text="Pool-rebuild stop request succeeded\n")
