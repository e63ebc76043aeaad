"""Which header fields may begin a request or a response, and which may end one (RFC 9113, section 8).

A list that breaks these rules is *malformed* and costs its stream; what it says is the business of whoever is above.
"""

from collections.abc import Sequence
from typing import Final

from daos_control.net.http2.headers import Field

REQUEST: Final = frozenset({b":method", b":scheme", b":path", b":authority"})
RESPONSE: Final = frozenset({b":status"})
TRAILERS: Final[frozenset[bytes]] = frozenset()
_REQUIRED: Final = {REQUEST: (b":method", b":scheme", b":path"), RESPONSE: (b":status",), TRAILERS: ()}

_OF_ANOTHER_HTTP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"}
)
_NAME_OCTETS: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
_FOR_NO_VALUE: Final = b"\0\r\n"


def flaw(fields: Sequence[Field], pseudo: frozenset[bytes]) -> str:
    """Say what is wrong with fields that should be a REQUEST, a RESPONSE or TRAILERS; nothing if they are well."""
    seen: set[bytes] = set()
    is_regular = False
    for name, value in fields:
        if name in pseudo:
            if is_regular or name in seen:
                return f"{name!r} in the wrong place"
            seen.add(name)
        else:
            is_regular = True
            if not name or name.translate(None, _NAME_OCTETS) or name in _OF_ANOTHER_HTTP:
                return f"a field named {name!r}"
        if len(value.translate(None, _FOR_NO_VALUE)) != len(value):
            return f"an impossible value of {name!r}"
    if len(seen) != len(pseudo):  # authority may be missing
        missing = [name for name in _REQUIRED[pseudo] if name not in seen]
        if missing:
            return f"no {missing[0]!r}"
    return ""
