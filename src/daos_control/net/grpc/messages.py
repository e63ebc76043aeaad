"""What gRPC says over HTTP/2: how messages, deadlines and statuses are written. Values in, bytes out, and back.

The names here are those of the gRPC protocol ("gRPC over HTTP2"); what the status of a DAOS program means is
``net.rpc.status``'s business.
"""

import binascii
import math
from collections.abc import Mapping
from typing import Final

from daos_control.net.http2.frames import ErrorCode
from daos_control.net.http2.headers import indexed, literal
from daos_control.net.rpc.status import Code, Status

CONTENT_TYPE: Final = b"application/grpc"
PREFIX_SIZE: Final = 5

TIMEOUT, MESSAGE, STATUS, DETAILS, ENCODING = (
    b"grpc-timeout",
    b"grpc-message",
    b"grpc-status",
    b"grpc-status-details-bin",
    b"grpc-encoding",
)


class BadMessage(Exception):
    """A body is not the one message that it should be; the status says in which way."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(code, text)
        self.status = Status(code, text)


def framed(message: bytes) -> bytes:
    """Return a message as it goes into a body."""
    return b"\0" + len(message).to_bytes(4, "big") + message


class Body:
    """Gathers a body that is to hold one message of at most ``most`` bytes."""

    __slots__ = ("_gathered", "_most", "size")

    def __init__(self, most: int) -> None:
        self._most = most
        self._gathered: bytes | bytearray = b""
        self.size = 0
        """Bytes gathered."""

    def add(self, piece: bytes) -> None:
        """Take a piece. Raises BadMessage as soon as the message is known to be one that we do not take."""
        size = self.size + len(piece)
        if self.size < PREFIX_SIZE <= size:
            self._judge(bytes(self._gathered) + piece[:PREFIX_SIZE])
        if size > self._most + PREFIX_SIZE:
            raise BadMessage(Code.RESOURCE_EXHAUSTED, f"a body of more than {self._most} bytes")
        if not self.size:
            self._gathered = piece
        else:
            if isinstance(self._gathered, bytes):
                self._gathered = bytearray(self._gathered)
            self._gathered += piece
        self.size = size

    def message(self) -> bytes:
        """Return the message, when all has come. Raises BadMessage unless that is just one."""
        body = self._gathered
        size = int.from_bytes(body[1:PREFIX_SIZE], "big")
        if len(body) != PREFIX_SIZE + size:
            raise BadMessage(Code.INTERNAL, f"a body of {len(body)} bytes is not one message")
        return body[PREFIX_SIZE:] if isinstance(body, bytes) else bytes(memoryview(body)[PREFIX_SIZE:])

    def _judge(self, beginning: bytes) -> None:
        if beginning[0]:
            raise BadMessage(Code.UNIMPLEMENTED, "compressed messages are not supported")
        size = int.from_bytes(beginning[1:PREFIX_SIZE], "big")
        if size > self._most:
            raise BadMessage(Code.RESOURCE_EXHAUSTED, f"a message of {size} bytes, more than {self._most}")


# Deadlines.

_UNITS: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_MOST_DIGITS: Final = 8


def timeout(seconds: float) -> bytes:
    """Write how long a caller waits: rounded up, at most eight digits.

    >>> timeout(0.25), timeout(300), timeout(1e9)
    (b'250000u', b'300000m', b'277778H')
    """
    for unit in (b"u", b"m", b"S", b"M"):
        count = math.ceil(seconds / _UNITS[unit])
        if count < 10 ** (_MOST_DIGITS - 1):
            return b"%d%b" % (max(count, 1), unit)
    return b"%dH" % min(math.ceil(seconds / 3600), 10**_MOST_DIGITS - 1)


def seconds_of(text: bytes) -> float:
    """Read how long a caller waits. Raises ValueError.

    >>> seconds_of(b"299999712u")
    299.999712
    """
    digits, unit = text[:-1], text[-1:]
    # Go writes nine digits; nobody is served by refusing that.
    if unit not in _UNITS or not digits.isdigit() or len(digits) > _MOST_DIGITS + 2:
        raise ValueError(f"{text!r} is no time")
    return int(digits) * _UNITS[unit]


# Statuses.

_BEGINNING: Final = indexed(b":status", b"200") + literal(b"content-type", CONTENT_TYPE)
REPLY: Final = _BEGINNING
"""The header block in front of a reply's body."""
REPLY_END: Final = literal(STATUS, b"0")
"""The header block behind it."""
_MOST_MESSAGE: Final = 8 << 10
_ROOM: Final = 512
"""What else is in a list of trailers."""


def failure(status: Status, most: int) -> bytes:
    """Write an error: a header block that is all there is to the reply.

    ``most`` bytes of fields are what the caller takes; details that do not fit are left out, a text is cut.
    """
    room = most - _ROOM
    message = percent_encoded(status.message)[: max(0, min(room, _MOST_MESSAGE))]
    while message[-1:] == b"%" or message[-2:-1] == b"%":
        message = message[:-1]  # half a byte
    block = _BEGINNING + literal(STATUS, b"%d" % status.code) + literal(MESSAGE, message)
    details = binascii.b2a_base64(status.details, newline=False).rstrip(b"=")
    if details and len(message) + len(details) <= room:
        block += literal(DETAILS, details)
    return block


def refusal(http_status: int) -> bytes:
    """Write an answer to what is no gRPC request at all."""
    return literal(b":status", b"%d" % http_status)


def status_of(fields: Mapping[bytes, bytes]) -> Status:
    """Read what a reply's last fields say."""
    number = fields.get(STATUS)
    if number is None or not number.isdigit() or len(number) > 9:
        return Status(Code.INTERNAL, "a reply without a status" if number is None else f"{number!r} is no status")
    return Status(
        int(number),
        percent_decoded(fields.get(MESSAGE, b"")),
        _binary(fields.get(DETAILS, b"")),
    )


def http_failure(fields: Mapping[bytes, bytes]) -> Status | None:
    """Say what is wrong with the first fields of a reply if they are not gRPC's, as proxies and web servers answer."""
    http = fields.get(b":status", b"").decode(errors="replace")
    if http == "200":
        kind = fields.get(b"content-type", b"")
        if kind == CONTENT_TYPE or kind.startswith((CONTENT_TYPE + b"+", CONTENT_TYPE + b";")):
            return None
        return Status(Code.UNKNOWN, f"the reply is no gRPC but {kind.decode(errors='replace')!r}")
    return Status(_HTTP_CODES.get(http, Code.UNKNOWN), f"the reply is no gRPC but HTTP status {http}")


def reset_failure(code: int) -> Status:
    """Say what it means that a peer ended the stream of a call."""
    return Status(_RESET_CODES.get(code, Code.INTERNAL), f"the peer ended the call: {ErrorCode.named(code)}")


_HTTP_CODES: Final = {
    "400": Code.INTERNAL,
    "401": Code.UNAUTHENTICATED,
    "403": Code.PERMISSION_DENIED,
    "404": Code.UNIMPLEMENTED,
    "429": Code.UNAVAILABLE,
    "502": Code.UNAVAILABLE,
    "503": Code.UNAVAILABLE,
    "504": Code.UNAVAILABLE,
}
_RESET_CODES: Final[Mapping[int, Code]] = {
    ErrorCode.REFUSED_STREAM: Code.UNAVAILABLE,
    ErrorCode.CANCEL: Code.CANCELLED,
    ErrorCode.ENHANCE_YOUR_CALM: Code.RESOURCE_EXHAUSTED,
    ErrorCode.INADEQUATE_SECURITY: Code.PERMISSION_DENIED,
}

_PLAIN: Final = frozenset(range(0x20, 0x7F)) - {ord("%")}


def percent_encoded(text: str) -> bytes:
    """Write a text as gRPC's messages are: what is not printable ASCII, byte by byte, as %XX."""
    raw = text.encode(errors="replace")
    if _PLAIN.issuperset(raw):
        return raw
    return b"".join(bytes((octet,)) if octet in _PLAIN else b"%%%02X" % octet for octet in raw)


def percent_decoded(raw: bytes) -> str:
    """Read a text of that kind; what is not well encoded stays as it is.

    >>> percent_decoded(percent_encoded("100 % für alle")), percent_decoded(b"5% of %zz%")
    ('100 % für alle', '5% of %zz%')
    """
    head, *tail = raw.split(b"%")
    text = bytearray(head)
    for piece in tail:
        try:
            text += binascii.unhexlify(piece[:2]) if len(piece) > 1 else b"%" + piece[:2]
        except binascii.Error:
            text += b"%" + piece[:2]
        text += piece[2:]
    return text.decode(errors="replace")


def _binary(text: bytes) -> bytes:
    """Read a binary field, with or without padding; one that cannot be read says nothing."""
    try:
        return binascii.a2b_base64(text.split(b",")[0] + b"==")
    except binascii.Error:
        return b""
