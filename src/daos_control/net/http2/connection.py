"""One HTTP/2 connection, seen from either end: what came in becomes events, what is to go out becomes bytes.

::

    for event in connection.receive(data): ...
    connection.send_headers(stream, block); connection.send_data(stream, body, end=True)
    transport.write(connection.take())

Whoever is at the other end may send anything. A rule it breaks ends its stream (``Reset``) or the connection
(``Ended``), as RFC 9113 says, and nothing it sends raises. What it can make us keep is bounded: by windows, by
the number of streams, by the size of header blocks, and by ``take``, which hands out data only as the transport wants
it. What it can make us do for nothing (answer pings, open streams and drop them) is counted as *strain*, which useful
work relieves; ``MOST_STRAIN`` ends the connection.
"""

from collections import deque
from functools import cache
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from daos_control.net.http2 import fields as wanted
from daos_control.net.http2 import frames
from daos_control.net.http2.frames import ConnectionFault, ErrorCode, FrameReader
from daos_control.net.http2.headers import SHRUNK_TABLE, BadBlock, Decoder, Field, TooMuch
from daos_control.net.http2.settings import PeerSettings

if TYPE_CHECKING:
    from collections.abc import Callable

STREAM_WINDOW: Final = 1 << 20
"""Bytes that a peer may send on one stream before we say that we took them."""
CONNECTION_WINDOW: Final = 4 << 20
MAX_STREAMS: Final = 256
"""Streams that a client may have open at once."""
MAX_HEADER_LIST: Final = 64 << 10
MAX_HEADER_BLOCK: Final = 64 << 10
_MOST_CONTINUATIONS: Final = 16
_WORTH_A_FRAME: Final = 64
MOST_STRAIN: Final = 1000
_RESET_STRAIN: Final = 5
_ENDED_RELIEF: Final = 20
_DATA_RELIEF: Final = 4
_RESETS_REMEMBERED: Final = 256
TAKEN_AT_ONCE: Final = 256 << 10
"""Bytes of data that ``take`` returns at most: what goes to the transport before it can say that it is full."""


class Settled:
    """The peer has introduced itself: it speaks HTTP/2, and from now on streams may be opened."""

    __slots__ = ()


class Headers:
    """Header fields have come on a stream: the first ones, or the last."""

    __slots__ = ("end", "fields", "stream")

    def __init__(self, stream: int, fields: list[Field], *, end: bool) -> None:
        self.stream = stream
        self.fields = fields
        self.end = end


class Data:
    """A piece of a body has come."""

    __slots__ = ("data", "end", "stream")

    def __init__(self, stream: int, data: bytes, *, end: bool) -> None:
        self.stream = stream
        self.data = data
        self.end = end


class Reset:
    """A stream has ended before its time, by the peer's wish or (``text`` says why) by ours."""

    __slots__ = ("code", "stream", "text", "unprocessed")

    def __init__(self, stream: int, code: int, *, text: str = "", unprocessed: bool = False) -> None:
        self.stream = stream
        self.code = code
        self.text = text
        self.unprocessed = unprocessed
        """The peer has done nothing about it, so it may be tried again elsewhere."""


class GoAway:
    """The peer takes no more streams on this connection."""

    __slots__ = ("code", "text")

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text


class Ended:
    """The peer broke the rules and the connection is over, once the rest of ``take`` has been sent."""

    __slots__ = ("code", "text")

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text


Event: TypeAlias = Settled | Headers | Data | Reset | GoAway | Ended


class _StreamFault(Exception):
    """The peer broke the rules so that one stream cannot go on."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


class _Stream:
    """A stream that is open in at least one direction."""

    __slots__ = ("got_end", "got_headers", "id", "pending", "pending_end", "receive_window", "send_window", "sent_end")

    def __init__(self, number: int, send_window: int) -> None:
        self.id = number
        self.send_window = send_window
        self.receive_window = STREAM_WINDOW
        self.got_headers = self.got_end = self.sent_end = False
        self.pending = memoryview(b"")
        """Data that waits for a window, or for the transport."""
        self.pending_end: bytes | None = None
        """What goes out after it: the frame of the trailers, or nothing, which means that the data is the end."""


class Connection:
    """The state of one connection. ``client`` tells which end we are; the other one is the peer."""

    def __init__(self, *, client: bool, max_header_list: int = MAX_HEADER_LIST) -> None:
        self.is_client = client
        self.is_settled = False
        self.is_going_away = False
        """Whether no more streams can be opened, because one of both ends said so."""
        self.has_ended = False
        self.writable = True
        """Whether the transport takes data; the caller keeps this up to date."""
        self.peer = PeerSettings()
        self._has_said_goodbye = False
        self._reader = FrameReader()
        self._decoder = Decoder(max_header_list)
        self._preface = b"" if client else frames.PREFACE
        self._block: tuple[int, int, list[bytes]] | None = None  # stream, flags and pieces of a header block
        self._streams: dict[int, _Stream] = {}
        self._sending: dict[int, _Stream] = {}
        self._own_resets: deque[int] = deque(maxlen=_RESETS_REMEMBERED)
        self._last_stream = -1 if client else 0  # the highest id that the client has used
        self._receive_window = CONNECTION_WINDOW
        self._send_window = frames.DEFAULT_WINDOW
        self._before_block = b""
        self._strain = 0
        self._greeting = _greeting(max_header_list, client=client)
        self._out: list[bytes | memoryview] = []
        if client:
            self._out.append(self._greeting)

    # What we do.

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    @property
    def can_open(self) -> bool:
        """Whether the peer takes one more stream now."""
        return self.is_settled and not self.is_going_away and len(self._streams) < self.peer.streams

    @property
    def is_held_up(self) -> bool:
        """Whether there is data that neither window nor transport lets through."""
        return bool(self._sending)

    def open(self, block: bytes) -> int:
        """Begin a stream with a header block, as a client; return its number. Only if ``can_open``."""
        self._last_stream += 2
        stream = _Stream(self._last_stream, self.peer.window)
        self._streams[stream.id] = stream
        if stream.id >= frames.MOST_STREAM_ID - 2:
            self.is_going_away = True  # that was the last number there is
        self._put_headers(stream, block, end=False)
        return stream.id

    def send_headers(self, number: int, block: bytes, *, end: bool = False) -> None:
        """Send a header block after everything that was sent on this stream before; nothing if it is gone."""
        stream = self._streams.get(number)
        if stream is None or stream.sent_end:
            return
        if not stream.pending:
            self._put_headers(stream, block, end=end)
        elif end:
            stream.pending_end = self._headers_frames(number, block, end=True)
            stream.sent_end = True
        else:
            raise ValueError("header fields in the midst of a body")

    def send_data(self, number: int, data: bytes, *, end: bool = False) -> None:
        """Send a piece of a body, as windows and transport allow; nothing if the stream is gone."""
        stream = self._streams.get(number)
        if stream is None or stream.sent_end:
            return
        size = len(data)
        stream.sent_end = end
        fits = size <= stream.send_window and size <= self._send_window and size <= self.peer.frame_size
        if not stream.pending and (not size or (fits and self.writable)):
            stream.send_window -= size
            self._send_window -= size
            self._out.append(frames.header(size, frames.DATA, frames.END_STREAM if end else 0, number) + data)
            if end:
                self._close_if_done(stream)
            return
        stream.pending = memoryview(bytes(stream.pending) + data if stream.pending else data)
        stream.pending_end = b"" if end else None
        self._sending[number] = stream

    def reset(self, number: int, code: int) -> None:
        """End a stream at once, unless it has ended."""
        if number in self._streams:
            self._forget(number)
            self._own_resets.append(number)
            self._out.append(frames.rst_stream(number, code))

    def go_away(self, code: int = ErrorCode.NO_ERROR, text: str = "") -> None:
        """Take no more streams; those that are open go on."""
        if not self.has_ended:
            self.is_going_away = self._has_said_goodbye = True
            last = 0 if self.is_client else self._last_stream
            self._out.append(frames.goaway(last, code, text))

    def take(self) -> bytes:
        """Return what is to be sent now, and forget it; call again until there is nothing."""
        if self._sending and self.writable:
            self._send_pending(TAKEN_AT_ONCE)
        if not self._out:
            return b""
        out = b"".join(self._out)
        self._out.clear()
        return out

    def forgive(self) -> None:
        """Forget the strain up to now; called every few seconds it makes ``MOST_STRAIN`` a rate."""
        self._strain = 0

    def receive(self, data: bytes) -> list[Event]:
        """Take what has come, and return what it means."""
        events: list[Event] = []
        if self.has_ended:
            return events
        try:
            if self._preface:
                data = self._past_preface(data)
            for kind, flags, stream, payload in self._reader.feed(data):
                self._receive_frame(kind, flags, stream, payload, events)
        except ConnectionFault as fault:
            self.go_away(fault.code, fault.text)
            self.has_ended = True
            self._streams.clear()
            self._sending.clear()
            events.append(Ended(fault.code, fault.text))
        return events

    # What the peer does.

    def _past_preface(self, data: bytes) -> bytes:
        """Return what comes after the preface, of which no more is expected than has not come before."""
        expected = self._preface
        if data[: len(expected)] != expected[: len(data)]:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a client that does not speak HTTP/2")
        self._preface = expected[len(data) :]
        if not self._preface:
            # Only now, so that it goes out with the answer to the client's settings: clients speak first.
            self._out.append(self._greeting)
        return data[len(expected) :]

    def _receive_frame(self, kind: int, flags: int, stream: int, payload: bytes, events: list[Event]) -> None:
        if self._block is not None and (kind != frames.CONTINUATION or stream != self._block[0]):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a header block is interrupted")
        if not self.is_settled and (kind != frames.SETTINGS or flags & frames.ACK):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
        if kind >= len(self._TAKERS):
            self._suffer()  # kinds that are not known are to be ignored
            return
        try:
            self._TAKERS[kind](self, flags, stream, payload, events)
        except _StreamFault as fault:
            self._suffer(_RESET_STRAIN)
            known = stream in self._streams
            self._streams.pop(stream, None)
            self._sending.pop(stream, None)
            self._own_resets.append(stream)
            self._out.append(frames.rst_stream(stream, fault.code))
            if known:
                events.append(Reset(stream, fault.code, text=fault.text))

    def _take_data(self, flags: int, number: int, payload: bytes, events: list[Event]) -> None:
        size = len(payload)
        self._take_from_window(size)
        if flags & frames.PADDED:
            payload = _unpadded(payload)
        stream = self._existing(number)
        if stream is None:
            return
        if stream.got_end or not stream.got_headers:
            raise _StreamFault(ErrorCode.STREAM_CLOSED, "data where none may be")
        stream.receive_window -= size
        if stream.receive_window < 0:
            raise _StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "more data than the stream's window allows")
        if flags & frames.END_STREAM:
            stream.got_end = True
            events.append(Data(number, payload, end=True))
            self._close_if_done(stream)
            return
        if len(payload) < _WORTH_A_FRAME:
            self._suffer()
        if stream.receive_window < STREAM_WINDOW // 2:
            self._out.append(frames.window_update(number, STREAM_WINDOW - stream.receive_window))
            stream.receive_window = STREAM_WINDOW
        events.append(Data(number, payload, end=False))

    def _take_from_window(self, size: int) -> None:
        """Count data of any stream. What was taken may come again at once: whoever is above bounds what it keeps."""
        self._receive_window -= size
        if self._receive_window < 0:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "more data than the connection's window allows")
        if self._receive_window < CONNECTION_WINDOW // 2:
            self._out.append(frames.window_update(0, CONNECTION_WINDOW - self._receive_window))
            self._receive_window = CONNECTION_WINDOW

    def _take_headers(self, flags: int, number: int, payload: bytes, events: list[Event]) -> None:
        if number == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "header fields on stream 0")
        if flags & frames.PADDED:
            payload = _unpadded(payload)
        if flags & frames.HAS_PRIORITY:
            if len(payload) < 5:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a priority that is too short")
            payload = payload[5:]
        if flags & frames.END_HEADERS:
            self._take_block(number, flags, payload, events)
        else:
            self._block = (number, flags, [payload])

    def _take_continuation(self, flags: int, _: int, payload: bytes, events: list[Event]) -> None:
        if self._block is None:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a continuation of nothing")
        number, first_flags, pieces = self._block
        pieces.append(payload)
        if len(pieces) > _MOST_CONTINUATIONS or sum(map(len, pieces)) > MAX_HEADER_BLOCK:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "an endless header block")
        if flags & frames.END_HEADERS:
            self._block = None
            self._take_block(number, first_flags, b"".join(pieces), events)

    def _take_block(self, number: int, flags: int, block: bytes, events: list[Event]) -> None:
        try:
            fields = self._decoder.decode(block)
            trouble = ""
        except TooMuch as error:
            fields, trouble = [], str(error)
        except BadBlock as error:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, str(error)) from None
        stream = self._stream_of_headers(number)
        if stream is None:
            return
        if stream.got_end:
            raise _StreamFault(ErrorCode.STREAM_CLOSED, "header fields after the end")
        if trouble:
            raise _StreamFault(ErrorCode.ENHANCE_YOUR_CALM, trouble)
        end = bool(flags & frames.END_STREAM)
        self._check_fields(stream, fields, end=end)
        if self.is_client and not stream.got_headers and not end and fields[0][1].startswith(b"1"):
            self._suffer()
            return  # an interim response: the real one follows
        stream.got_headers = True
        stream.got_end = end
        events.append(Headers(number, fields, end=end))
        if end:
            self._close_if_done(stream)

    def _check_fields(self, stream: _Stream, fields: list[Field], *, end: bool) -> None:
        if stream.got_headers:
            flaw = wanted.flaw(fields, wanted.TRAILERS) or ("" if end else "trailers that are not the end")
        else:
            flaw = wanted.flaw(fields, wanted.RESPONSE if self.is_client else wanted.REQUEST)
        if flaw:
            raise _StreamFault(ErrorCode.PROTOCOL_ERROR, flaw)

    def _stream_of_headers(self, number: int) -> _Stream | None:
        """Return the stream that a header block belongs to, a new one perhaps; nothing if it is to be ignored."""
        stream = self._streams.get(number)
        if stream is not None:
            return stream
        if number <= self._last_stream or self.is_client:
            if number in self._own_resets:
                return None
            code = ErrorCode.STREAM_CLOSED if number <= self._last_stream else ErrorCode.PROTOCOL_ERROR
            raise ConnectionFault(code, f"header fields on stream {number}, which is not open")
        if number % 2 == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"a client opened stream {number}")
        if self._has_said_goodbye:
            return None  # it knows by now, or will soon, that nothing became of this one
        self._last_stream = number
        if len(self._streams) >= MAX_STREAMS:
            raise _StreamFault(ErrorCode.REFUSED_STREAM, "too many streams")
        stream = self._streams[number] = _Stream(number, self.peer.window)
        return stream

    def _take_priority(self, _: int, number: int, payload: bytes, __: list[Event]) -> None:
        self._suffer()
        if number == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a priority of stream 0")
        if len(payload) != 5:
            raise _StreamFault(ErrorCode.FRAME_SIZE_ERROR, "a priority of the wrong size")

    def _take_rst_stream(self, _: int, number: int, payload: bytes, events: list[Event]) -> None:
        if len(payload) != 4:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a RST_STREAM of the wrong size")
        if self._existing(number) is None:
            self._suffer()
            return
        self._suffer(_RESET_STRAIN)
        self._forget(number)
        code = frames.word(payload)
        events.append(Reset(number, code, unprocessed=code == ErrorCode.REFUSED_STREAM))

    def _take_settings(self, flags: int, number: int, payload: bytes, events: list[Event]) -> None:
        self._suffer()
        if number != 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "settings of one stream")
        if flags & frames.ACK:
            if payload:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "an acknowledgement that says something")
            return
        growth = self.peer.apply(payload, may_push=not self.is_client)
        if growth:
            for stream in self._streams.values():
                stream.send_window += growth
                if stream.send_window > frames.MOST_WINDOW:
                    raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window that has become too large")
        if self.peer.table_size < frames.DEFAULT_TABLE_SIZE:
            self._before_block = SHRUNK_TABLE
        self._out.append(frames.SETTINGS_ACK)
        if not self.is_settled:
            self.is_settled = True
            events.append(Settled())

    def _take_push_promise(self, _: int, __: int, ___: bytes, ____: list[Event]) -> None:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a promise to push, which we do not take")

    def _take_ping(self, flags: int, number: int, payload: bytes, _: list[Event]) -> None:
        self._suffer()
        if number != 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a ping on one stream")
        if len(payload) != 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a ping of the wrong size")
        if not flags & frames.ACK:
            self._out.append(frames.frame(frames.PING, frames.ACK, 0, payload))

    def _take_goaway(self, _: int, number: int, payload: bytes, events: list[Event]) -> None:
        self._suffer()
        if number != 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a GOAWAY on one stream")
        if len(payload) < 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a GOAWAY of the wrong size")
        self.is_going_away = True
        last, code = frames.word(payload) & frames.MOST_STREAM_ID, frames.word(payload, 4)
        events.append(GoAway(code, payload[8:208].decode(errors="replace")))
        if self.is_client:
            for unprocessed in [number for number in self._streams if number > last]:
                self._forget(unprocessed)
                events.append(Reset(unprocessed, ErrorCode.REFUSED_STREAM, unprocessed=True))

    def _take_window_update(self, _: int, number: int, payload: bytes, __: list[Event]) -> None:
        self._suffer()
        if len(payload) != 4:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a WINDOW_UPDATE of the wrong size")
        increment = frames.word(payload) & frames.MOST_WINDOW
        if number == 0:
            self._send_window += increment
            if increment == 0 or self._send_window > frames.MOST_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a window that is too large, or no larger")
            return
        stream = self._existing(number, is_news=False)
        if stream is not None:
            stream.send_window += increment
            if increment == 0 or stream.send_window > frames.MOST_WINDOW:
                raise _StreamFault(ErrorCode.FLOW_CONTROL_ERROR, "a window that is too large, or no larger")

    _TAKERS: "ClassVar[tuple[Callable[[Connection, int, int, bytes, list[Event]], None], ...]]" = (
        _take_data,
        _take_headers,
        _take_priority,
        _take_rst_stream,
        _take_settings,
        _take_push_promise,
        _take_ping,
        _take_goaway,
        _take_window_update,
        _take_continuation,
    )
    """What takes a frame, by kind."""

    def _existing(self, number: int, *, is_news: bool = True) -> _Stream | None:
        """Return the stream of a frame; nothing if it is over, and the frame may have been on its way by then."""
        stream = self._streams.get(number)
        if stream is not None:
            return stream
        if number == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "stream 0 used as a stream")
        is_ignored = self._has_said_goodbye and not self.is_client
        if number % 2 == 0 or (number > self._last_stream and not is_ignored):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"stream {number}, which has not been opened")
        if is_news:
            self._suffer()
        return None

    def _suffer(self, strain: int = 1) -> None:
        self._strain += strain
        if self._strain > MOST_STRAIN:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that lead to nothing")

    # How what we do is put into frames.

    def _put_headers(self, stream: _Stream, block: bytes, *, end: bool) -> None:
        self._out.append(self._headers_frames(stream.id, block, end=end))
        if end:
            stream.sent_end = True
            self._close_if_done(stream)

    def _headers_frames(self, number: int, block: bytes, *, end: bool) -> bytes:
        if self._before_block:
            block, self._before_block = self._before_block + block, b""
        flags = frames.END_STREAM if end else 0
        most = self.peer.frame_size
        if len(block) <= most:
            return frames.frame(frames.HEADERS, flags | frames.END_HEADERS, number, block)
        pieces = [block[at : at + most] for at in range(0, len(block), most)]
        kinds = [frames.HEADERS, *[frames.CONTINUATION] * (len(pieces) - 1)]
        last = len(pieces) - 1
        return b"".join(
            frames.frame(kind, (0 if at else flags) | (frames.END_HEADERS if at == last else 0), number, piece)
            for at, (kind, piece) in enumerate(zip(kinds, pieces, strict=True))
        )

    def _send_pending(self, most: int) -> None:
        """Send data that waits, a frame of each stream in turn, while windows allow and ``most`` is not reached."""
        sent = -1
        while sent and most > 0:
            sent = 0
            for stream in list(self._sending.values()):
                sent += self._send_piece(stream)
            most -= sent

    def _send_piece(self, stream: _Stream) -> int:
        size = min(len(stream.pending), stream.send_window, self._send_window, self.peer.frame_size, TAKEN_AT_ONCE)
        if size <= 0:
            return 0
        stream.send_window -= size
        self._send_window -= size
        self._strain = max(0, self._strain - _DATA_RELIEF)
        piece, stream.pending = stream.pending[:size], stream.pending[size:]
        is_last = not stream.pending
        end = frames.END_STREAM if is_last and stream.pending_end == b"" else 0
        self._out += (frames.header(size, frames.DATA, end, stream.id), piece)
        if is_last:
            del self._sending[stream.id]
            if stream.pending_end is not None:
                self._out.append(stream.pending_end)
                self._close_if_done(stream)
        return size

    def _close_if_done(self, stream: _Stream) -> None:
        if stream.got_end and stream.sent_end and not stream.pending:
            self._strain = max(0, self._strain - _ENDED_RELIEF)
            del self._streams[stream.id]

    def _forget(self, number: int) -> None:
        del self._streams[number]
        self._sending.pop(number, None)


@cache
def _greeting(max_header_list: int, *, client: bool) -> bytes:
    """Return what an end says first: what it takes, and that it takes more than the protocol's default."""
    settings = {frames.INITIAL_WINDOW_SIZE: STREAM_WINDOW, frames.MAX_HEADER_LIST_SIZE: max_header_list}
    settings |= {frames.ENABLE_PUSH: 0} if client else {frames.MAX_CONCURRENT_STREAMS: MAX_STREAMS}
    preface = frames.PREFACE if client else b""
    return preface + frames.settings(settings) + frames.window_update(0, CONNECTION_WINDOW - frames.DEFAULT_WINDOW)


def _unpadded(payload: bytes) -> bytes:
    """Return what is in front of the padding, whose size the first byte tells."""
    if not payload:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "padding without a size")
    padding = payload[0]
    if padding >= len(payload):
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "more padding than there is frame")
    return payload[1 : len(payload) - padding]
