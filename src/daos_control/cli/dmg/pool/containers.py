"""``dmg container ...``."""

from daos_control.cli.dmg.pool.naming import pool_id
from daos_control.cli.dmg.pool.rehearsal import rehearsable
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.client.errors import InvalidRequest


@command("container set-owner failed")
@rehearsable
async def set_container_owner(session: Session, args: Values) -> Output:
    """Give a container to somebody else."""
    if not args.user and not args.group:
        raise InvalidRequest("at least one of `--user' or `--group' must be supplied")
    await session.daos.pools.set_container_owner(pool_id(args), args.container, user=args.user, group=args.group)
    return Output(text="Container-set-owner command succeeded\n")
