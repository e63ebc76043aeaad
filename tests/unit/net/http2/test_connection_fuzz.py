"""Whatever a peer sends, a connection neither raises nor grows beyond its bounds."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from daos_control.net.http2 import frames
from daos_control.net.http2.connection import (
    CONNECTION_WINDOW,
    MAX_HEADER_BLOCK,
    MAX_STREAMS,
    Connection,
    Ended,
    Headers,
    Reset,
)
from daos_control.net.http2.headers import indexed, literal

ASK = indexed(b":method", b"POST") + indexed(b":scheme", b"http") + indexed(b":path", b"/")
BLOCKS = st.one_of(
    st.sampled_from([ASK, indexed(b":status", b"200"), literal(b"grpc-status", b"0"), ASK[:2], b"\x40\x01a\x01b\xbe"]),
    st.binary(max_size=40),
)
STREAMS = st.one_of(st.integers(0, 9), st.integers(0, frames.MOST_STREAM_ID))
FLAGS = st.one_of(st.sampled_from([0, 1, 4, 5, 8, 13, 0x20, 0x2D]), st.integers(0, 255))
any_frame = st.one_of(
    st.builds(frames.frame, st.just(frames.HEADERS), FLAGS, STREAMS, BLOCKS),
    st.builds(frames.frame, st.just(frames.CONTINUATION), FLAGS, STREAMS, BLOCKS),
    st.builds(frames.frame, st.just(frames.DATA), FLAGS, STREAMS, st.binary(max_size=300)),
    st.builds(frames.frame, st.integers(0, 12), FLAGS, STREAMS, st.binary(max_size=20)),
    st.builds(frames.window_update, STREAMS, st.integers(0, frames.MOST_WINDOW)),
    st.builds(frames.rst_stream, STREAMS, st.integers(0, 20)),
    st.builds(frames.goaway, st.integers(0, 9), st.integers(0, 20), st.text(max_size=5)),
    st.dictionaries(st.integers(0, 9), st.integers(0, (1 << 32) - 1), max_size=4).map(frames.settings),
)
speech = st.lists(any_frame, max_size=40).map(b"".join)


def mangled(octets: bytes, changes: list[tuple[int, bytes]]) -> bytes:
    mutable = bytearray(octets)
    for position, piece in changes:
        mutable[position % (len(mutable) + 1) : position % (len(mutable) + 1) + len(piece)] = piece
    return bytes(mutable)


almost_right = st.builds(
    mangled, speech, st.lists(st.tuples(st.integers(0, 5000), st.binary(min_size=1, max_size=3)), max_size=4)
)
anything = st.one_of(speech, almost_right, st.binary(max_size=2000))


def listen(connection: Connection, octets: bytes, cut: int, answer: Callable[[Connection, int], None]) -> None:
    """Feed a connection in pieces, answer what asks for an answer, and see that it stays within bounds."""
    for begin in range(0, len(octets), cut):
        for event in connection.receive(octets[begin : begin + cut]):
            if isinstance(event, Headers):
                answer(connection, event.stream)
            elif isinstance(event, Reset):
                assert event.stream not in connection._streams
            elif isinstance(event, Ended):
                assert connection.has_ended
        while connection.take():
            pass
    assert connection.streams <= MAX_STREAMS
    assert set(connection._sending) <= set(connection._streams)
    assert 0 <= connection._receive_window <= CONNECTION_WINDOW or connection.has_ended
    assert connection._decoder._size <= frames.DEFAULT_TABLE_SIZE
    assert (
        connection._block is None or sum(map(len, connection._block[2])) <= MAX_HEADER_BLOCK + frames.DEFAULT_FRAME_SIZE
    )
    assert connection.has_ended or len(connection._reader._rest) <= frames.HEADER_SIZE + frames.DEFAULT_FRAME_SIZE


def reply(connection: Connection, stream: int) -> None:
    connection.send_headers(stream, indexed(b":status", b"200"))
    connection.send_data(stream, bytes(500))
    connection.send_headers(stream, literal(b"grpc-status", b"0"), end=True)


@given(anything, st.sampled_from([1, 7, 100, 10_000]))
def test_a_server_hears_anything(octets, cut):
    listen(Connection(client=False), frames.PREFACE + frames.settings({}) + octets, cut, reply)
    listen(Connection(client=False), octets, cut, reply)


@given(anything, st.sampled_from([1, 7, 100, 10_000]), st.integers(1, 5))
def test_a_client_hears_anything(octets, cut, calls):
    connection = Connection(client=True)
    connection.receive(frames.settings({}))
    for _ in range(calls):
        connection.send_data(connection.open(ASK), bytes(300), end=True)
    listen(connection, octets, cut, lambda *_: None)
    listen(Connection(client=True), octets, cut, lambda *_: None)


@given(st.lists(st.integers(0, 70_000), max_size=6), st.lists(st.integers(1, 40_000), max_size=30))
def test_whatever_the_windows_all_arrives_in_order(sizes, cuts):
    """Two ends talk through a transport that takes what it likes; what one sent is what the other heard."""
    ours, theirs = Connection(client=True), Connection(client=False)
    theirs.receive(ours.take())
    ours.receive(theirs.take())
    bodies = [bytes((number,)) * size for number, size in enumerate(sizes)]
    streams = [ours.open(ASK) for _ in bodies]
    for stream, body in zip(streams, bodies, strict=True):
        ours.send_data(stream, body, end=True)
    heard: dict[int, bytes] = dict.fromkeys(streams, b"")
    cut = iter(cuts)
    for _ in range(500):
        octets = ours.take()
        ours.writable = not ours.writable
        if not octets and ours.writable and not ours.is_held_up:
            break
        while octets:
            size = next(cut, 50_000)
            for event in theirs.receive(octets[:size]):
                if not isinstance(event, Headers):
                    heard[event.stream] += event.data
            octets = octets[size:]
        ours.receive(theirs.take())
    assert list(heard.values()) == bodies
