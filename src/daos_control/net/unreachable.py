"""Why somebody could not be reached, in words."""

import os


def why_unreachable(error: OSError) -> str:
    """Say why a connection failed: asyncio's own words repeat the address, and resolvers' numbers are no errnos.

    >>> why_unreachable(ConnectionRefusedError(111, "Connect call failed ('10.0.0.1', 7)"))
    'connection refused'
    """
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return error.strerror.lower() if error.strerror else "none of its addresses takes connections"
