"""How a pool is named on the command line."""

from daos_control.cli.flags import Values
from daos_control.client.errors import InvalidRequest
from daos_control.model.pool_property_text import is_label, is_uuid


def pool_id(args: Values) -> str:
    """Return the label or UUID that was given, if it can be either."""
    given: str = args.pool
    if is_uuid(given):
        return given.lower()
    if not is_label(given):
        raise InvalidRequest(f'"{given}" is neither a label nor a UUID')
    return given
