"""One connection's rules, frame by frame: what is answered, what is an event, and what ends a stream or all of it."""

import pytest

from daos_control.net.http2 import connection as rules
from daos_control.net.http2 import frames
from daos_control.net.http2.connection import (
    CONNECTION_WINDOW,
    MAX_STREAMS,
    MOST_STRAIN,
    STREAM_WINDOW,
    Connection,
    Data,
    Ended,
    GoAway,
    Headers,
    Reset,
    Settled,
)
from daos_control.net.http2.frames import ErrorCode, FrameReader, frame
from daos_control.net.http2.headers import indexed, literal

ASK = (
    indexed(b":method", b"POST") + indexed(b":scheme", b"http") + indexed(b":path", b"/") + literal(b":authority", b"x")
)
OK = indexed(b":status", b"200")
STATUS = literal(b"grpc-status", b"0")
END, WHOLE = frames.END_STREAM, frames.END_HEADERS


def sent(connection: Connection) -> list[frames.Frame]:
    """The frames it wants to send now."""
    octets = b""
    while piece := connection.take():
        octets += piece
    return list(FrameReader().feed(octets.removeprefix(frames.PREFACE)))


def server(*settings: tuple[int, int]) -> Connection:
    """A server whose client has introduced itself."""
    connection = Connection(client=False)
    events = connection.receive(frames.PREFACE + frames.settings(dict(settings)))
    assert [type(event) for event in events] == [Settled]
    sent(connection)
    return connection


def client(*settings: tuple[int, int]) -> Connection:
    connection = Connection(client=True)
    assert not connection.can_open
    connection.receive(frames.settings(dict(settings)))
    sent(connection)
    return connection


def asked(connection: Connection, stream: int = 1, *, body: bytes | None = None) -> None:
    """Let the client ask something, and end its side if there is a body."""
    octets = frame(frames.HEADERS, WHOLE, stream, ASK)
    if body is not None:
        octets += frame(frames.DATA, END, stream, body)
    connection.receive(octets)


def end_of(connection: Connection, octets: bytes) -> int:
    """The code by which a connection ends."""
    (*_, last) = connection.receive(octets)
    assert isinstance(last, Ended)
    (*_, goaway) = sent(connection)
    assert goaway[0] == frames.GOAWAY
    assert frames.word(goaway[3], 4) == last.code
    assert connection.receive(frame(frames.PING, 0, 0, bytes(8))) == []
    assert sent(connection) == []
    return last.code


def resets(connection: Connection, octets: bytes) -> list[tuple[int, int]]:
    """The streams that the connection ends, and the codes."""
    assert not any(isinstance(event, Ended) for event in connection.receive(octets))
    return [(stream, frames.word(text)) for kind, _, stream, text in sent(connection) if kind == frames.RST_STREAM]


def test_both_ends_introduce_themselves():
    ours, theirs = Connection(client=True), Connection(client=False)
    first = ours.take()
    assert first.startswith(frames.PREFACE)
    assert [type(event) for event in theirs.receive(first)] == [Settled]
    assert [type(event) for event in ours.receive(theirs.take())] == [Settled]
    assert ours.can_open
    assert theirs.receive(ours.take()) == []
    assert ours.peer.streams == MAX_STREAMS
    assert ours.peer.window == theirs.peer.window == STREAM_WINDOW


def test_a_call_there_and_back():
    ours, theirs = client(), server()
    stream = ours.open(ASK)
    ours.send_data(stream, b"question", end=True)
    there = theirs.receive(ours.take())
    assert [(type(event), event.stream, event.end) for event in there] == [(Headers, 1, False), (Data, 1, True)]
    assert there[1].data == b"question"
    theirs.send_headers(stream, OK)
    theirs.send_data(stream, b"answer")
    theirs.send_headers(stream, STATUS, end=True)
    back = ours.receive(theirs.take())
    assert [(type(event), event.end) for event in back] == [(Headers, False), (Data, False), (Headers, True)]
    assert back[2].fields == [(b"grpc-status", b"0")]
    assert ours.streams == theirs.streams == 0


def test_it_does_not_matter_how_bytes_arrive():
    ours, theirs = client(), server()
    for _ in range(3):
        ours.send_data(ours.open(ASK), bytes(100), end=True)
    events = []
    for octet in ours.take():
        events += theirs.receive(bytes((octet,)))
    assert len(events) == 6


@pytest.mark.parametrize("opening", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b"PRI * HTTP/2.0\r\n\r\nXX"])
def test_whoever_speaks_something_else_is_told_at_once(opening):
    assert end_of(Connection(client=False), opening) == ErrorCode.PROTOCOL_ERROR


def test_the_first_frame_must_be_settings():
    assert end_of(Connection(client=False), frames.PREFACE + frame(frames.PING, 0, 0, bytes(8))) == 1
    assert end_of(Connection(client=True), frames.SETTINGS_ACK) == 1
    assert end_of(Connection(client=True), b"HTTP/1.1 400 Bad Request\r\n") in {1, 6}


HEADERS_CUT = frame(frames.HEADERS, 0, 1, ASK[:3])

BROKEN = {
    "data on stream 0": (frame(frames.DATA, 0, 0, b"x"), 1),
    "header fields on stream 0": (frame(frames.HEADERS, WHOLE, 0, ASK), 1),
    "header fields on an even stream": (frame(frames.HEADERS, WHOLE, 2, ASK), 1),
    "data on a stream that was never opened": (frame(frames.DATA, 0, 7, b"x"), 1),
    "a reset of a stream that was never opened": (frames.rst_stream(7, 8), 1),
    "a window of a stream that was never opened": (frames.window_update(7, 8), 1),
    "a continuation of nothing": (frame(frames.CONTINUATION, WHOLE, 1, b""), 1),
    "a header block with something between": (HEADERS_CUT + frame(frames.PING, 0, 0, bytes(8)), 1),
    "a header block continued elsewhere": (HEADERS_CUT + frame(frames.CONTINUATION, WHOLE, 3, b""), 1),
    "a header block that is none": (frame(frames.HEADERS, WHOLE, 1, b"\x80"), 9),
    "a promise": (frame(frames.PUSH_PROMISE, WHOLE, 1, b"\0\0\0\2"), 1),
    "padding beyond the frame": (frame(frames.HEADERS, WHOLE | frames.PADDED, 1, b"\x0a" + ASK[:9]), 1),
    "padding without a size": (frame(frames.HEADERS, WHOLE | frames.PADDED, 1), 6),
    "a priority cut short": (frame(frames.HEADERS, WHOLE | frames.HAS_PRIORITY, 1, b"\0\0"), 6),
    "a priority of the connection": (frame(frames.PRIORITY, 0, 0, bytes(5)), 1),
    "a ping of a stream": (frame(frames.PING, 0, 1, bytes(8)), 1),
    "a ping of the wrong size": (frame(frames.PING, 0, 0, bytes(7)), 6),
    "a reset of the wrong size": (frame(frames.RST_STREAM, 0, 1, bytes(3)), 6),
    "a reset of the connection": (frames.rst_stream(0, 8), 1),
    "a window of the wrong size": (frame(frames.WINDOW_UPDATE, 0, 0, bytes(3)), 6),
    "a window that does not grow": (frames.window_update(0, 0), 3),
    "a window that grows too much": (frames.window_update(0, frames.MOST_WINDOW), 3),
    "settings of a stream": (frame(frames.SETTINGS, 0, 1), 1),
    "settings of the wrong size": (frame(frames.SETTINGS, 0, 0, bytes(7)), 6),
    "an acknowledgement that says something": (frame(frames.SETTINGS, frames.ACK, 0, bytes(6)), 6),
    "a window of streams that is too large": (frames.settings({frames.INITIAL_WINDOW_SIZE: 1 << 31}), 3),
    "frames that are too small": (frames.settings({frames.MAX_FRAME_SIZE: 100}), 1),
    "frames that are too large": (frames.settings({frames.MAX_FRAME_SIZE: 1 << 24}), 1),
    "a push that is neither on nor off": (frames.settings({frames.ENABLE_PUSH: 2}), 1),
    "endless settings": (frame(frames.SETTINGS, 0, 0, bytes(6 * 100)), 11),
    "a GOAWAY of a stream": (frame(frames.GOAWAY, 0, 1, bytes(8)), 1),
    "a GOAWAY cut short": (frame(frames.GOAWAY, 0, 0, bytes(7)), 6),
    "a frame that is too large": (frames.header(1 << 20, frames.DATA, 0, 1), 6),
}


@pytest.mark.parametrize(("octets", "code"), BROKEN.values(), ids=BROKEN.keys())
def test_what_ends_the_connection(octets, code):
    assert end_of(server(), octets) == code


def test_a_server_may_not_open_streams_or_have_us_push():
    assert end_of(client(), frame(frames.HEADERS, WHOLE, 2, OK)) == 1
    assert end_of(client(), frames.settings({frames.ENABLE_PUSH: 1})) == 1


def test_what_came_before_the_mistake_counts():
    connection = server()
    events = connection.receive(
        frame(frames.HEADERS, WHOLE, 1, ASK) + frame(frames.DATA, END, 1, b"x") + frame(frames.PING, 0, 0, b"")
    )
    assert [type(event) for event in events] == [Headers, Data, Ended]


BAD_STREAMS = {
    "no path": (frame(frames.HEADERS, WHOLE, 1, indexed(b":method", b"POST")), 1),
    "a field of HTTP/1": (frame(frames.HEADERS, WHOLE, 1, ASK + literal(b"connection", b"x")), 1),
    "too many fields": (
        frame(frames.HEADERS, 0, 1, ASK)
        + frame(frames.CONTINUATION, 0, 1, b"\x40\x01a\x7f\xa1\x1e" + bytes(4000))
        + frame(frames.CONTINUATION, WHOLE, 1, b"\xbe" * 30),
        11,
    ),
    "a priority of the wrong size": (frame(frames.PRIORITY, 0, 1, b""), 6),
    "trailers that do not end": (
        frame(frames.HEADERS, WHOLE, 1, ASK) + frame(frames.HEADERS, WHOLE, 1, STATUS),
        1,
    ),
    "trailers that begin anew": (
        frame(frames.HEADERS, WHOLE, 1, ASK) + frame(frames.HEADERS, WHOLE | END, 1, ASK),
        1,
    ),
    "data after the end": (frame(frames.HEADERS, WHOLE | END, 1, ASK) + frame(frames.DATA, 0, 1, b"x"), 5),
    "header fields after the end": (
        frame(frames.HEADERS, WHOLE | END, 1, ASK) + frame(frames.HEADERS, WHOLE | END, 1, STATUS),
        5,
    ),
    "a window that does not grow": (frame(frames.HEADERS, WHOLE, 1, ASK) + frames.window_update(1, 0), 3),
    "a window that grows too much": (
        frame(frames.HEADERS, WHOLE, 1, ASK) + frames.window_update(1, frames.MOST_WINDOW),
        3,
    ),
}


@pytest.mark.parametrize(("octets", "code"), BAD_STREAMS.values(), ids=BAD_STREAMS.keys())
def test_what_ends_one_stream(octets, code):
    connection = server()
    assert resets(connection, octets) == [(1, code)]
    asked(connection, 3, body=b"")  # the connection goes on
    assert connection.streams == 1


def test_a_stream_that_we_ended_may_still_get_what_was_on_its_way():
    connection = server()
    asked(connection)
    connection.reset(1, ErrorCode.CANCEL)
    late = frame(frames.DATA, 0, 1, b"x") + frame(frames.HEADERS, WHOLE | END, 1, STATUS) + frames.window_update(1, 5)
    assert connection.receive(late + frames.rst_stream(1, 8)) == []
    assert end_of(server(), frame(frames.HEADERS, WHOLE, 3, ASK) + frame(frames.HEADERS, WHOLE, 1, ASK)) == 5


def test_padding_and_priorities_are_skipped():
    connection = server()
    flags = WHOLE | frames.PADDED | frames.HAS_PRIORITY
    events = connection.receive(
        frame(frames.HEADERS, flags, 1, b"\x03" + bytes(5) + ASK + bytes(3))
        + frame(frames.PRIORITY, 0, 1, bytes(5))
        + frame(frames.DATA, END | frames.PADDED, 1, b"\x02body\0\0")
        + frame(0xEE, 0xFF, 9, b"a kind nobody knows")
    )
    assert [type(event) for event in events] == [Headers, Data]
    assert events[1].data == b"body"


def test_pings_and_settings_are_answered():
    connection = server()
    connection.receive(frame(frames.PING, 0, 0, b"12345678") + frames.settings({99: 5}))
    assert sent(connection) == [(frames.PING, frames.ACK, 0, b"12345678"), (frames.SETTINGS, frames.ACK, 0, b"")]


def test_interim_responses_are_not_the_response():
    connection = client()
    stream = connection.open(ASK)
    interim = literal(b":status", b"103")
    assert connection.receive(frame(frames.HEADERS, WHOLE, stream, interim)) == []
    (event,) = connection.receive(frame(frames.HEADERS, WHOLE, stream, OK))
    assert event.fields == [(b":status", b"200")]


# Windows.


def test_data_waits_for_windows_and_goes_in_turn():
    connection = server((frames.INITIAL_WINDOW_SIZE, 10))
    for stream in (1, 3):
        asked(connection, stream, body=b"")
        connection.send_headers(stream, OK)
        connection.send_data(stream, bytes(25))
        connection.send_headers(stream, STATUS, end=True)
    assert [(kind, stream, len(text)) for kind, _, stream, text in sent(connection) if kind == frames.DATA] == [
        (frames.DATA, 1, 10),
        (frames.DATA, 3, 10),
    ]
    connection.receive(frames.window_update(3, 100))
    (data, trailers) = sent(connection)
    assert (data[2], len(data[3]), trailers[:3]) == (3, 15, (frames.HEADERS, END | WHOLE, 3))
    connection.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: 15}))
    assert [len(text) for kind, _, _, text in sent(connection) if kind == frames.DATA] == [5]
    connection.receive(frames.settings({frames.INITIAL_WINDOW_SIZE: 0}) + frames.window_update(1, 10))
    assert [len(text) for kind, _, _, text in sent(connection) if kind == frames.DATA] == []
    connection.receive(frames.window_update(1, 15))
    assert [len(text) for kind, _, _, text in sent(connection) if kind == frames.DATA] == [10]
    assert connection.streams == 0


def test_the_connections_window_holds_for_all_streams():
    connection = server((frames.INITIAL_WINDOW_SIZE, 1 << 20))
    asked(connection, body=b"")
    connection.send_headers(1, OK)
    connection.send_data(1, bytes(100_000), end=True)
    assert sum(len(text) for kind, _, _, text in sent(connection) if kind == frames.DATA) == 65_535
    assert connection.is_held_up
    connection.receive(frames.window_update(0, 100_000))
    assert sum(len(text) for kind, _, _, text in sent(connection) if kind == frames.DATA) == 34_465
    assert not connection.is_held_up


def test_frames_are_as_large_as_the_peer_takes():
    for size in (1 << 14, 1 << 15):
        connection = server((frames.MAX_FRAME_SIZE, size), (frames.INITIAL_WINDOW_SIZE, 1 << 20))
        connection.receive(frames.window_update(0, 1 << 20))
        asked(connection, body=b"")
        connection.send_headers(1, OK + literal(b"x", bytes(size)))
        connection.send_data(1, bytes(100_000), end=True)
        octets = connection.take()
        largest = 0
        while octets:
            length = int.from_bytes(octets[:3], "big")
            largest, octets = max(largest, length), octets[9 + length :]
        assert largest == size


def test_data_is_held_back_while_the_transport_is_full_but_answers_are_not():
    connection = server()
    asked(connection, body=b"")
    connection.writable = False
    connection.send_headers(1, OK)
    connection.send_data(1, b"answer", end=True)
    connection.receive(frame(frames.PING, 0, 0, bytes(8)))
    assert [kind for kind, *_ in sent(connection)] == [frames.HEADERS, frames.PING]
    connection.writable = True
    assert [(kind, flags) for kind, flags, *_ in sent(connection)] == [(frames.DATA, END)]
    assert connection.streams == 0


def test_an_empty_end_needs_no_window():
    connection = server((frames.INITIAL_WINDOW_SIZE, 0))
    asked(connection, body=b"")
    connection.writable = False
    connection.send_headers(1, OK)
    connection.send_data(1, b"", end=True)
    assert [(kind, flags) for kind, flags, *_ in sent(connection)] == [(frames.HEADERS, WHOLE), (frames.DATA, END)]


def test_windows_that_we_grant_are_renewed_and_enforced():
    connection = server()
    asked(connection)
    piece = frame(frames.DATA, 0, 1, bytes(1 << 14))
    connection.receive(piece * (STREAM_WINDOW // (1 << 14) // 2 + 1))
    assert [(kind, stream) for kind, _, stream, _ in sent(connection)] == [(frames.WINDOW_UPDATE, 1)]
    connection.receive(piece * (CONNECTION_WINDOW // (1 << 14) // 2))
    assert (frames.WINDOW_UPDATE, 0) in [(kind, stream) for kind, _, stream, _ in sent(connection)]


def test_more_than_a_window_is_too_much(monkeypatch):
    monkeypatch.setattr(rules, "STREAM_WINDOW", 100)
    connection = server()
    asked(connection)
    assert resets(connection, frame(frames.DATA, 0, 1, bytes(101))) == [(1, ErrorCode.FLOW_CONTROL_ERROR)]
    monkeypatch.setattr(rules, "CONNECTION_WINDOW", 100_000)
    connection = server()
    for stream in range(1, 30, 2):
        asked(connection, stream)
    connection._receive_window = 100
    assert end_of(connection, frame(frames.DATA, 0, 1, bytes(101))) == ErrorCode.FLOW_CONTROL_ERROR


# Beginning and ending.


def test_streams_beyond_the_limit_are_refused_so_that_they_can_be_tried_elsewhere():
    connection = server()
    for number in range(MAX_STREAMS):
        asked(connection, 2 * number + 1)
    extra = 2 * MAX_STREAMS + 1
    assert resets(connection, frame(frames.HEADERS, WHOLE, extra, ASK)) == [(extra, ErrorCode.REFUSED_STREAM)]


def test_a_client_opens_no_more_streams_than_the_server_takes():
    connection = client((frames.MAX_CONCURRENT_STREAMS, 1))
    stream = connection.open(ASK)
    assert not connection.can_open
    connection.send_data(stream, b"", end=True)
    connection.receive(frame(frames.HEADERS, WHOLE | END, stream, OK))
    assert connection.can_open


def test_goodbye_lets_go_on_what_was_begun():
    connection = server()
    asked(connection)
    connection.go_away()
    assert [(kind, frames.word(text)) for kind, _, _, text in sent(connection)] == [(frames.GOAWAY, 1)]
    assert connection.receive(frame(frames.HEADERS, WHOLE, 3, ASK) + frame(frames.DATA, END, 3, b"x")) == []
    (event,) = connection.receive(frame(frames.DATA, END, 1, b"x"))
    assert isinstance(event, Data)


def test_what_a_server_that_says_goodbye_has_not_looked_at_may_be_tried_again():
    connection = client()
    first, second = connection.open(ASK), connection.open(ASK)
    away, reset = connection.receive(frames.goaway(first, ErrorCode.NO_ERROR, "maintenance"))
    assert isinstance(away, GoAway)
    assert away.text == "maintenance"
    assert isinstance(reset, Reset)
    assert (reset.stream, reset.unprocessed) == (second, True)
    assert not connection.can_open
    (event,) = connection.receive(frame(frames.HEADERS, WHOLE | END, first, OK))
    assert isinstance(event, Headers)


def test_resets_of_the_peer():
    connection = client()
    streams = [connection.open(ASK) for _ in range(2)]
    events = connection.receive(
        frames.rst_stream(streams[0], ErrorCode.REFUSED_STREAM) + frames.rst_stream(streams[1], ErrorCode.CANCEL)
    )
    assert [(event.code, event.unprocessed) for event in events] == [(7, True), (8, False)]
    for stream in streams:
        connection.send_data(stream, b"x", end=True)  # nobody is there any more
    assert [kind for kind, *_ in sent(connection)] == [frames.HEADERS] * 2


def test_numbers_of_streams_run_out():
    connection = client()
    connection._last_stream = frames.MOST_STREAM_ID - 4
    connection.open(ASK)
    assert not connection.can_open


def test_a_smaller_table_is_acknowledged_in_the_next_block():
    connection = client((frames.HEADER_TABLE_SIZE, 0))
    connection.open(ASK)
    connection.open(ASK)
    assert [text for *_, text in sent(connection)] == [b"\x20" + ASK, ASK]


# What costs us more than the peer.


FLOODS = {
    "pings": frame(frames.PING, 0, 0, bytes(8)),
    "settings": frames.settings({}),
    "priorities": frame(frames.PRIORITY, 0, 1, bytes(5)),
    "windows": frames.window_update(0, 1),
    "unknown frames": frame(0xEE, 0, 0),
    "empty data": frame(frames.DATA, 0, 1),
    "goodbyes": frames.goaway(0, 0),
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_floods_end_the_connection(flood):
    connection = server()
    asked(connection)
    assert end_of(connection, flood * (MOST_STRAIN + 1)) == ErrorCode.ENHANCE_YOUR_CALM


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_what_is_a_flood_is_a_matter_of_time(flood):
    connection = server()
    asked(connection)
    for _ in range(10):
        assert not any(isinstance(event, Ended) for event in connection.receive(flood * (MOST_STRAIN // 2)))
        sent(connection)
        connection.forgive()


def test_streams_that_are_opened_and_dropped_end_the_connection():
    connection = server()
    octets = b"".join(
        frame(frames.HEADERS, WHOLE | END, stream, ASK) + frames.rst_stream(stream, 8) for stream in range(1, 1001, 2)
    )
    assert end_of(connection, octets) == ErrorCode.ENHANCE_YOUR_CALM


def test_streams_in_good_order_are_no_flood():
    ours, theirs = client(), server()
    for _ in range(5 * MOST_STRAIN):
        stream = ours.open(ASK)
        ours.send_data(stream, b"x", end=True)
        theirs.receive(ours.take() + frame(frames.PING, 0, 0, bytes(8)))
        theirs.send_headers(stream, OK, end=True)
        (event,) = [event for event in ours.receive(theirs.take()) if isinstance(event, Headers)]
        assert event.end
        ours.take()


def test_a_large_reply_to_somebody_who_asks_for_each_piece_is_no_flood():
    connection = server()
    asked(connection, body=b"")
    connection.send_headers(1, OK)
    connection.send_data(1, bytes(64 << 20), end=True)
    left = 64 << 20
    while left:
        taken = connection.take()
        left -= sum(len(text) for kind, _, _, text in FrameReader().feed(taken) if kind == frames.DATA)
        events = connection.receive(
            frame(frames.PING, 0, 0, bytes(8)) + (frames.window_update(0, 1 << 14) + frames.window_update(1, 1 << 14))
        )
        assert events == []


@pytest.mark.parametrize("piece", [b"", bytes(1 << 14)])
def test_header_blocks_have_an_end(piece):
    octets = HEADERS_CUT + frame(frames.CONTINUATION, 0, 1, piece) * 20
    assert end_of(server(), octets) == ErrorCode.ENHANCE_YOUR_CALM
