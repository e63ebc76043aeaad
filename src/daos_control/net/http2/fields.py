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
_LF, _CR, _NUL = b"\n\r\0"
_approved: set[Field] = set()
"""Fields found well before: most come again with every call, from every peer."""
_MOST_APPROVED: Final = 512
_LONGEST_APPROVED: Final = 128


def flaw(fields: Sequence[Field], pseudo: frozenset[bytes]) -> str:
    """Say what is wrong with fields that should be a REQUEST, a RESPONSE or TRAILERS; nothing if they are well."""
    seen: set[bytes] = set()
    is_regular = False
    for field in fields:
        if field in _approved:
            is_regular = True
            continue
        name, value = field
        if _LF in value or _CR in value or _NUL in value:
            return f"an impossible value of {name!r}"
        if name not in pseudo:
            is_regular = True
            if not name or name.translate(None, _NAME_OCTETS) or name in _OF_ANOTHER_HTTP:
                return f"a field named {name!r}"
            _approve(field)
        elif is_regular or name in seen:
            return f"{name!r} in the wrong place"
        else:
            seen.add(name)
    if len(seen) != len(pseudo):  # authority may be missing
        missing = [name for name in _REQUIRED[pseudo] if name not in seen]
        if missing:
            return f"no {missing[0]!r}"
    return ""


def _approve(field: Field) -> None:
    if len(field[0]) + len(field[1]) <= _LONGEST_APPROVED:
        if len(_approved) >= _MOST_APPROVED:
            _approved.clear()
        _approved.add(field)
