"""HPACK's Huffman code (RFC 7541, appendix B), which peers may write strings in; we only read it.

The code is canonical: it follows from the symbols in the order of their codes and the length of each. A string is
decoded four bits at a time by a machine whose states are the beginnings of codes; its moves are worked out when they
are first made, so loading this costs nothing.
"""

from functools import cache
from typing import Final

_BY_LENGTH: Final = {
    5: b"012aceiost",
    6: b" %-./3456789=A_bdfghlmnpru",
    7: b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: b"&*,;XZ",
    10: b'!"()?',
    11: b"'+|",
    12: b"#>",
    13: b"\x00$@[]~",
    14: b"^}",
    15: b"<`{",
    19: b"\\\xc3\xd0",
    20: b"\x80\x82\x83\xa2\xb8\xc2\xe0\xe2",
    21: b"\x99\xa1\xa7\xac\xb0\xb1\xb3\xd1\xd8\xd9\xe3\xe5\xe6",
    22: b"\x81\x84\x85\x86\x88\x92\x9a\x9c\xa0\xa3\xa4\xa9\xaa\xad\xb2\xb5\xb9\xba\xbb\xbd\xbe\xc4\xc6\xe4\xe8\xe9",
    23: b"\x01\x87\x89\x8a\x8b\x8c\x8d\x8f\x93\x95\x96\x97\x98\x9b\x9d\x9e\xa5\xa6\xa8\xae\xaf\xb4\xb6\xb7\xbc\xbf"
    b"\xc5\xe7\xef",
    24: b"\x09\x8e\x90\x91\x94\x9f\xab\xce\xd7\xe1\xec\xed",
    25: b"\xc7\xcf\xea\xeb",
    26: b"\xc0\xc1\xc8\xc9\xca\xcd\xd2\xd5\xda\xdb\xee\xf0\xf2\xf3\xff",
    27: b"\xcb\xcc\xd3\xd4\xd6\xdd\xde\xdf\xf1\xf4\xf5\xf6\xf7\xf8\xfa\xfb\xfc\xfd\xfe",
    28: b"\x02\x03\x04\x05\x06\x07\x08\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"
    b"\x7f\xdc\xf9",
    30: b"\x0a\x0d\x16",
}
"""The symbols by length of code, in order. The last code, thirty ones, is no symbol: it may not occur."""

# A code, and the beginning of one, is a number whose bits follow a leading one: the empty beginning is 1.
_EMPTY: Final = 1
_NO_SYMBOL: Final = (1 << 31) - 1
_PADDING: Final = frozenset((1 << bits) - 1 for bits in range(1, 9))
"""Where a string may end: up to seven ones fill its last byte."""


class BadCode(ValueError):
    """A string is not in this code."""


def decode(coded: bytes) -> bytes:
    """Return the text of a coded string. Raises BadCode."""
    text = bytearray()
    state = _EMPTY
    for octet in coded:
        state, symbols = _move(state, octet >> 4)
        text += symbols
        state, symbols = _move(state, octet & 0xF)
        text += symbols
    if state not in _PADDING:
        raise BadCode("the padding of a coded string is wrong")
    return bytes(text)


@cache  # there are 256 beginnings, and 16 moves from each
def _move(state: int, bits: int) -> tuple[int, bytes]:
    """Return the state after four more bits, and the symbol that they complete, if one."""
    symbols = b""
    for position in (3, 2, 1, 0):
        state = state << 1 | bits >> position & 1
        symbol = _codes().get(state)
        if symbol is not None:
            symbols += symbol
            state = _EMPTY
        elif state == _NO_SYMBOL:
            raise BadCode("a coded string holds the code that is no symbol")
    return state, symbols


@cache
def _codes() -> dict[int, bytes]:
    codes: dict[int, bytes] = {}
    code, length = 0, 0
    for longer, symbols in _BY_LENGTH.items():
        code <<= longer - length
        length = longer
        for symbol in symbols:
            codes[1 << length | code] = bytes((symbol,))
            code += 1
    return codes
