"""Cutting messages into packets and putting them together again, whatever arrives."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.net.drpc.errors import FrameError
from daos_control.net.drpc.frames import HEADER, MAX_DATA, MAX_PACKET, Assembler, Rules, encode

EMPTY = bytes.fromhex("000000000000000000000000000000000000000001000000")


def packet(data: bytes, *, size: int, index: int = 0, total: int = 1, data_size: int | None = None) -> bytes:
    return HEADER.pack(size, len(data) if data_size is None else data_size, index, total) + data


def test_header_is_the_natural_c_struct():
    assert HEADER.size == 24
    assert MAX_DATA == 131048
    assert next(encode(b"abc")) == struct.pack("<QQII", 3, 3, 0, 1) + b"abc"


def test_nothing_at_all_is_one_packet_that_says_one_chunk():
    assert list(encode(b"")) == [EMPTY]
    assert Assembler().feed(EMPTY) == b""


@pytest.mark.parametrize("size", [1, MAX_DATA - 1, MAX_DATA, MAX_DATA + 1, 2 * MAX_DATA, 2 * MAX_DATA + 7])
@pytest.mark.parametrize("rules", Rules)
def test_all_chunks_but_the_last_are_full(size, rules):
    message = bytes(index % 251 for index in range(size))
    packets = list(encode(message))
    assert [len(part) for part in packets[:-1]] == [MAX_PACKET] * (len(packets) - 1)
    assembler = Assembler(rules=rules)
    assert [assembler.feed(part) for part in packets] == [None] * (len(packets) - 1) + [message]
    assert assembler.idle


@given(st.lists(st.binary(max_size=300), max_size=4), st.sampled_from(Rules))
def test_messages_in_a_row_come_out_as_they_went_in(messages, rules):
    assembler = Assembler(rules=rules)
    for message in messages:
        results = [assembler.feed(part) for part in encode(message)]
        assert results[-1] == message


def test_a_sender_may_cut_smaller_chunks():
    assembler = Assembler()
    assert assembler.feed(packet(b"ab", size=5, index=0, total=2)) is None
    assert not assembler.idle
    assert assembler.feed(packet(b"cde", size=5, index=1, total=2)) == b"abcde"


BAD = {
    "shorter than a header": [b"\0" * 23],
    "empty packet": [b""],
    "index is not the first": [packet(b"abc", size=3, index=1, total=2)],
    "index beyond the total": [packet(b"abc", size=3, index=3, total=2)],
    "index repeated": [packet(b"a", size=3, total=3), packet(b"b", size=3, index=0, total=3)],
    "index skipped": [packet(b"a", size=3, total=3), packet(b"b", size=3, index=2, total=3)],
    "total of chunks changes": [packet(b"a", size=3, total=2), packet(b"bc", size=3, index=1, total=3)],
    "more data than announced": [packet(b"abcd", size=3)],
    "more data than announced, later": [packet(b"a", size=3, total=2), packet(b"bcd", size=3, index=1, total=2)],
    "data size beyond the packet": [packet(b"abc", size=100, data_size=100)],
    "huge data size": [packet(b"abc", size=2**64 - 1, data_size=2**64 - 1)],
    "message larger than taken": [packet(b"abc", size=2**40, total=2)],
    "more chunks than bytes": [packet(b"", size=3, total=2**32 - 1)],
}


@pytest.mark.parametrize("packets", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("rules", Rules)
def test_bad_packets_are_refused(packets, rules):
    assembler = Assembler(rules=rules)
    for part in packets[:-1]:
        assert assembler.feed(part) is None
    with pytest.raises(FrameError):
        assembler.feed(packets[-1])


def test_where_the_originals_differ():
    no_chunks = packet(b"abc", size=3, total=0)
    assert Assembler(rules=Rules.GO).feed(no_chunks) == b"abc"
    with pytest.raises(FrameError):
        Assembler(rules=Rules.C).feed(no_chunks)

    resized = [packet(b"ab", size=3, total=2), packet(b"c", size=9, index=1, total=2)]
    with pytest.raises(FrameError):
        [go := Assembler(rules=Rules.GO), *map(go.feed, resized)]
    c = Assembler(rules=Rules.C)
    assert [c.feed(part) for part in resized] == [None, b"abc"]

    complete_too_early = packet(b"abc", size=3, total=2)
    assert Assembler(rules=Rules.GO).feed(complete_too_early) is None
    assert Assembler(rules=Rules.C).feed(complete_too_early) == b"abc"

    short = packet(b"ab", size=3)
    with pytest.raises(FrameError):
        Assembler(rules=Rules.GO).feed(short)


def test_memory_follows_what_arrived_and_not_what_was_announced():
    assembler = Assembler(max_message=1 << 30)
    assembler.feed(packet(b"x", size=1 << 30, total=9000))
    assert len(assembler._data) == 1


@given(st.lists(st.binary(max_size=80), max_size=6), st.sampled_from(Rules))
def test_noise_ends_in_a_frame_error_or_a_message(packets, rules):
    assembler = Assembler(max_message=1000, rules=rules)
    for part in packets:
        try:
            message = assembler.feed(part)
        except FrameError:
            return
        assert message is None or len(message) <= 1000


headers = st.tuples(
    st.integers(0, 40), st.integers(0, 40), st.integers(0, 4), st.integers(0, 4), st.binary(max_size=40)
).map(lambda fields: HEADER.pack(*fields[:4]) + fields[4])


@given(st.lists(headers, max_size=8), st.sampled_from(Rules))
def test_plausible_headers_end_in_a_frame_error_or_a_message(packets, rules):
    assembler = Assembler(max_message=30, rules=rules)
    for part in packets:
        try:
            message = assembler.feed(part)
        except FrameError:
            return
        assert message is None or len(message) <= 30
