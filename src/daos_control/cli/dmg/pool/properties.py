"""``dmg pool get-prop`` and ``set-prop``."""

from daos_control.cli.dmg.pool.naming import pool_id
from daos_control.cli.dmg.pool.rehearsal import rehearsable
from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.tables import table


@command()
async def get_properties(session: Session, args: Values) -> Output:
    """Show properties of a pool."""
    values = await session.daos.pools.get_properties(pool_id(args), args.keys or ())
    rows = [(f"{value.description} ({value.name})", value.text) for value in values]
    documents = [{"name": v.name, "description": v.description, "value": v.value} for v in values]
    text = f"Pool {args.pool} properties:\n{table(['Name', 'Value'], rows)}"
    return Output(document=documents or None, text=text)


@command("pool set-prop failed")
@rehearsable
async def set_properties(session: Session, args: Values) -> Output:
    """Set properties of a pool."""
    await session.daos.pools.set_properties(pool_id(args), args.settings)
    return Output(text="pool set-prop succeeded\n")
