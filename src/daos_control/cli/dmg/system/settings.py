"""``dmg system set-attr``, ``set-prop`` and their like: what is written down about the system."""

from typing import Final

from daos_control.cli.dmg.session import Output, Session, command
from daos_control.cli.flags import Values
from daos_control.cli.ui.documents import by_key
from daos_control.cli.ui.tables import table
from daos_control.client.errors import InvalidRequest
from daos_control.model.system_property import PropertyError, settable

PROPERTIES: Final = {
    "daos_version": "DAOS version",
    "daos_system": "DAOS system name",
    "pool_scrub_mode": "Checksum scrubbing mode",
    "pool_scrub_thresh": "Checksum scrubbing threshold",
    "self_heal": "Self-heal policy for the system",
}


@command("system set-attr failed", bare=True)
async def set_attributes(session: Session, args: Values) -> Output:
    """Store attributes of the system."""
    await session.daos.system.set_attributes(args.settings)
    return Output(text="system set-attr succeeded\n")


@command("system get-attr failed", failed={"attributes": None}, bare=True)
async def get_attributes(session: Session, args: Values) -> Output:
    """Show attributes of the system."""
    attributes = await session.daos.system.get_attributes(args.keys or ())
    rows = sorted(attributes.items())
    return Output(
        document={"attributes": by_key(attributes) or None},
        text=table(["Name", "Value"], rows) if rows else "No system attributes found.\n",
    )


@command("system del-attr failed", bare=True)
async def delete_attributes(session: Session, args: Values) -> Output:
    """Delete attributes of the system."""
    await session.daos.system.set_attributes(dict.fromkeys(args.keys, ""))
    return Output(text="system del-attr succeeded\n")


@command("system get-prop failed", bare=True)
async def get_properties(session: Session, args: Values) -> Output:
    """Show properties of the system."""
    keys = [key.lower() for key in args.keys or ()]
    for key in keys:
        if key not in PROPERTIES:
            raise InvalidRequest(f"invalid system property key: {key}")
    found = await session.daos.system.get_properties(keys)
    shown = [(key, found[key], PROPERTIES[key]) for key in PROPERTIES if key in found]
    rows = [(f"{description} ({key})", value) for key, value, description in shown]
    return Output(
        document=[{"key": key, "value": value, "description": description} for key, value, description in shown]
        or None,
        text=table(["Name", "Value"], rows) if rows else "No system properties found.\n",
    )


@command("system set-prop failed", bare=True)
async def set_properties(session: Session, args: Values) -> Output:
    """Set properties of the system."""
    try:
        settings = {settable(key).name: settable(key).canonical(value) for key, value in args.settings.items()}
    except PropertyError as error:
        raise InvalidRequest(str(error)) from error
    await session.daos.system.set_properties(settings)
    return Output(text="system set-prop succeeded\n")
