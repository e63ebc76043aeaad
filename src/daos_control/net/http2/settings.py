"""What a peer says it can take (RFC 9113, section 6.5.2)."""

from daos_control.net.http2 import frames
from daos_control.net.http2.frames import ConnectionFault, ErrorCode

_MOST_AT_ONCE = 64


class PeerSettings:
    """The settings of a peer; the protocol's defaults until it says otherwise."""

    __slots__ = ("frame_size", "header_list", "streams", "table_size", "window")

    def __init__(self) -> None:
        self.window = frames.DEFAULT_WINDOW
        """Bytes that may be sent on a new stream."""
        self.frame_size = frames.DEFAULT_FRAME_SIZE
        """Bytes of the largest frame it takes."""
        self.streams = frames.MOST_STREAM_ID
        """Streams that we may have open at once."""
        self.header_list = frames.MOST_WINDOW
        """Bytes of header fields that it takes at once."""
        self.table_size = frames.DEFAULT_TABLE_SIZE
        """Bytes of the table that it would keep for our header fields."""

    def apply(self, payload: bytes, *, may_push: bool) -> int:
        """Take over what a SETTINGS frame says; return by how much windows grow. Raises ConnectionFault."""
        if len(payload) % 6:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "settings of the wrong size")
        if len(payload) > 6 * _MOST_AT_ONCE:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "endless settings")
        before = self.window
        for name, value in frames.settings_of(payload):
            _check(name, value, may_push=may_push)
            attribute = _ATTRIBUTES.get(name)
            if attribute is not None:
                setattr(self, attribute, value)
        return self.window - before


_ATTRIBUTES = {
    frames.INITIAL_WINDOW_SIZE: "window",
    frames.MAX_FRAME_SIZE: "frame_size",
    frames.MAX_CONCURRENT_STREAMS: "streams",
    frames.MAX_HEADER_LIST_SIZE: "header_list",
    frames.HEADER_TABLE_SIZE: "table_size",
}


def _check(name: int, value: int, *, may_push: bool) -> None:
    if name == frames.INITIAL_WINDOW_SIZE and value > frames.MOST_WINDOW:
        raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, f"a window of {value} bytes")
    if name == frames.MAX_FRAME_SIZE and not frames.DEFAULT_FRAME_SIZE <= value <= frames.MOST_FRAME_SIZE:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"frames of {value} bytes")
    if name == frames.ENABLE_PUSH and value > may_push:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"ENABLE_PUSH {value}")
