"""HTTP/2's frames: from bytes to frames and back, and the numbers they are made of (RFC 9113, sections 4, 6 and 7)."""

import struct
from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import TypeAlias

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client says before its first frame."""

# Kinds of frames. Plain numbers: every frame of every call is told by them.
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

# Flags.
ACK = 0x1
END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
HAS_PRIORITY = 0x20

# Settings, and what holds until the peer says otherwise.
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = (
    range(1, 7)
)
DEFAULT_TABLE_SIZE = 4096
DEFAULT_WINDOW = 65_535
DEFAULT_FRAME_SIZE = 1 << 14

MOST_FRAME_SIZE = (1 << 24) - 1
MOST_WINDOW = (1 << 31) - 1
MOST_STREAM_ID = (1 << 31) - 1

HEADER_SIZE = 9
_HEADER = struct.Struct(">HBBBL")  # the length is 24 bits: 16 and 8
_WORD = struct.Struct(">L")
_SETTING = struct.Struct(">HL")

Frame: TypeAlias = tuple[int, int, int, bytes]
"""Kind, flags, stream and payload."""


class ErrorCode(IntEnum):
    """Why a stream or a connection is ended."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD

    @classmethod
    def named(cls, number: int) -> str:
        """Return the name of a code, also of one that nobody has defined.

        >>> ErrorCode.named(7), ErrorCode.named(99)
        ('REFUSED_STREAM', 'error 99')
        """
        return cls(number).name if 0 <= number <= cls.HTTP_1_1_REQUIRED else f"error {number}"


class ConnectionFault(Exception):
    """The peer broke the rules so that the connection cannot go on; it is told by a GOAWAY of this code."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return self.text


class FrameReader:
    """Finds the frames in a stream of bytes; at most one frame's worth of bytes is kept between two calls."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Iterate over the frames that ``data`` completes. Raises ConnectionFault at one larger than we said we take.

        The next ``feed`` may come only when this one's iterator has ended.
        """
        if self._rest:
            data = self._rest + data
        begin, end = 0, len(data)
        while end - begin >= HEADER_SIZE:
            upper, lower, kind, flags, stream = _HEADER.unpack_from(data, begin)
            size = upper << 8 | lower
            if size > DEFAULT_FRAME_SIZE:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {size} bytes")
            payload = begin + HEADER_SIZE
            if end - payload < size:
                break
            begin = payload + size
            yield kind, flags, stream & MOST_STREAM_ID, data[payload:begin]
        self._rest = data[begin:]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Encode a frame."""
    return header(len(payload), kind, flags, stream) + payload


def header(size: int, kind: int, flags: int, stream: int) -> bytes:
    """Encode what goes before a payload of ``size`` bytes."""
    return _HEADER.pack(size >> 8, size & 0xFF, kind, flags, stream)


def settings(values: Mapping[int, int]) -> bytes:
    """Encode a SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(_SETTING.pack(name, value) for name, value in values.items()))


def settings_of(payload: bytes) -> Iterator[tuple[int, int]]:
    """Iterate over the names and values of a SETTINGS frame, whose length must be right."""
    return _SETTING.iter_unpack(payload)


def window_update(stream: int, increment: int) -> bytes:
    """Encode a WINDOW_UPDATE frame."""
    return frame(WINDOW_UPDATE, 0, stream, _WORD.pack(increment))


def rst_stream(stream: int, code: int) -> bytes:
    """Encode a RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream, _WORD.pack(code))


def goaway(last_stream: int, code: int, text: str = "") -> bytes:
    """Encode a GOAWAY frame; the text is for whoever debugs the peer."""
    return frame(GOAWAY, 0, 0, _WORD.pack(last_stream) + _WORD.pack(code) + text.encode()[:200])


def word(payload: bytes, offset: int = 0) -> int:
    """Read four bytes as a number."""
    return int.from_bytes(payload[offset : offset + 4], "big")


SETTINGS_ACK = frame(SETTINGS, ACK, 0)
