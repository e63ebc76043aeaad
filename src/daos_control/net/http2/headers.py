"""HPACK (RFC 7541): how header fields are written in HTTP/2.

Reading needs a table that both ends keep in step: ``Decoder``. Writing goes without one, so a block of fields can be
made once and sent on any connection: ``indexed`` and ``literal`` are its pieces.
"""

from collections import deque
from typing import Final, TypeAlias

from daos_control.net.http2.frames import DEFAULT_TABLE_SIZE
from daos_control.net.http2.huffman import BadCode, decode

Field: TypeAlias = tuple[bytes, bytes]
"""Name and value."""

STATIC: Final[tuple[Field, ...]] = (
    (b":authority", b""),
    (b":method", b"GET"),
    (b":method", b"POST"),
    (b":path", b"/"),
    (b":path", b"/index.html"),
    (b":scheme", b"http"),
    (b":scheme", b"https"),
    *((b":status", status) for status in (b"200", b"204", b"206", b"304", b"400", b"404", b"500")),
    (b"accept-charset", b""),
    (b"accept-encoding", b"gzip, deflate"),
    *(
        (name, b"")
        for name in b"accept-language accept-ranges accept access-control-allow-origin age allow authorization "
        b"cache-control content-disposition content-encoding content-language content-length content-location "
        b"content-range content-type cookie date etag expect expires from host if-match if-modified-since "
        b"if-none-match if-range if-unmodified-since last-modified link location max-forwards proxy-authenticate "
        b"proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security "
        b"transfer-encoding user-agent vary via www-authenticate".split()
    ),
)
"""Fields that everybody knows; the first has number 1."""
_STATICS: Final = len(STATIC)

ENTRY_OVERHEAD: Final = 32
"""What a field counts beyond its bytes, in tables and in limits on lists."""
SHRUNK_TABLE: Final = b"\x20"
"""Goes before the first block after the peer has asked for a smaller table: we use none."""

_MOST_INTEGER_BYTES: Final = 5
_MOST_KEPT: Final = 512
_LONGEST_KEPT: Final = 64


class BadBlock(ValueError):
    """A header block means nothing; tables are no longer in step, so the connection cannot go on."""


class TooMuch(Exception):
    """The fields of a block are more than we take. The tables are in step, so only this stream suffers."""


class Decoder:
    """Reads the header blocks of one connection, in the order in which they come; ``max_list`` bounds each one.

    What a peer can make us keep is bounded by the table's size, which is the protocol's default.
    """

    __slots__ = ("_entries", "_limit", "_max_list", "_size")

    def __init__(self, max_list: int) -> None:
        self._max_list = max_list
        self._entries: deque[Field] = deque()
        self._size = 0
        self._limit = DEFAULT_TABLE_SIZE

    def decode(self, block: bytes) -> list[Field]:
        """Return the fields of a block. Raises BadBlock, or TooMuch if they are more than ``max_list``."""
        fields: list[Field] = []
        size = 0
        at, end = 0, len(block)
        try:
            while at < end:
                octet = block[at]
                if octet & 0x80:
                    if octet == 0xFF:
                        number, at = _integer(block, at, 0x7F)
                    else:
                        number, at = octet & 0x7F, at + 1
                    field = self._entry(number)
                elif octet & 0x40:
                    field, at = self._literal(block, at, 0x3F)
                    self._add(field)
                elif octet & 0x20:
                    number, at = _integer(block, at, 0x1F)
                    if fields or size:
                        raise BadBlock("the table is resized in the midst of a block")
                    self._resize(number)
                    continue
                else:
                    field, at = self._literal(block, at, 0x0F)
                size += len(field[0]) + len(field[1]) + ENTRY_OVERHEAD
                if size <= self._max_list:
                    fields.append(field)
        except IndexError:
            raise BadBlock("a block ends too soon, or means a field that is not in the table") from None
        if size > self._max_list:
            raise TooMuch(f"header fields of {size} bytes, more than {self._max_list}")
        return fields

    def _literal(self, block: bytes, at: int, mask: int) -> tuple[Field, int]:
        number, at = _integer(block, at, mask)
        if number:
            name = self._entry(number)[0]
        else:
            name, at = _string(block, at)
        value, at = _string(block, at)
        return (name, value), at

    def _entry(self, number: int) -> Field:
        if number > _STATICS:
            return self._entries[number - _STATICS - 1]  # IndexError if it is not there
        if number == 0:
            raise BadBlock("a field with number 0")
        return STATIC[number - 1]

    def _add(self, field: Field) -> None:
        self._entries.appendleft(field)
        self._size += len(field[0]) + len(field[1]) + ENTRY_OVERHEAD
        self._evict()

    def _resize(self, limit: int) -> None:
        if limit > DEFAULT_TABLE_SIZE:
            raise BadBlock(f"a table of {limit} bytes")
        self._limit = limit
        self._evict()

    def _evict(self) -> None:
        while self._size > self._limit:
            name, value = self._entries.pop()
            self._size -= len(name) + len(value) + ENTRY_OVERHEAD


def _integer(block: bytes, at: int, mask: int) -> tuple[int, int]:
    """Read a number that begins in the lower bits of a byte; return it, and where it ends."""
    number = block[at] & mask
    at += 1
    if number < mask:
        return number, at
    for shift in range(0, 7 * _MOST_INTEGER_BYTES, 7):
        octet = block[at]
        at += 1
        number += (octet & 0x7F) << shift
        if octet < 0x80:
            return number, at
    raise BadBlock("a number is too long")


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    is_coded = block[at] & 0x80
    size = block[at] & 0x7F
    if size == 0x7F:
        size, begin = _integer(block, at, 0x7F)
    else:
        begin = at + 1
    end = begin + size
    text = block[begin:end]
    if len(text) < size:
        raise BadBlock("a string is longer than its block")
    return (_decoded(text) if is_coded else text), end


_kept: dict[bytes, bytes] = {}
"""Strings decoded before: most names and values come again with every call, from every peer."""


def _decoded(coded: bytes) -> bytes:
    text = _kept.get(coded)
    if text is None:
        try:
            text = decode(coded)
        except BadCode as error:
            raise BadBlock(str(error)) from None
        if len(coded) <= _LONGEST_KEPT:
            if len(_kept) >= _MOST_KEPT:
                _kept.clear()
            _kept[coded] = text
    return text


def indexed(name: bytes, value: bytes) -> bytes:
    """Encode a field that is among ``STATIC``."""
    return bytes((0x80 | STATIC.index((name, value)) + 1,))


def literal(name: bytes, value: bytes) -> bytes:
    """Encode any field, and have the peer not keep it in its table."""
    return b"\x00" + _sized(name) + _sized(value)


def _sized(text: bytes) -> bytes:
    size = len(text)
    if size < 0x7F:
        return bytes((size,)) + text
    size -= 0x7F
    encoded = bytearray((0x7F,))
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded) + text
