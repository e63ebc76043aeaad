"""Frames are read as they were written, in whatever pieces they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.net.http2 import frames
from daos_control.net.http2.frames import ConnectionFault, ErrorCode, FrameReader

any_frame = st.tuples(
    st.integers(0, 255), st.integers(0, 255), st.integers(0, frames.MOST_STREAM_ID), st.binary(max_size=300)
)


@given(st.lists(any_frame, max_size=8), st.data())
def test_frames_survive_any_cut(written, data):
    stream = b"".join(frames.frame(*one) for one in written)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader = FrameReader()
    read = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        read += reader.feed(stream[begin:end])
    assert read == written


@pytest.mark.parametrize(
    ("made", "octets"),
    [
        (frames.settings({frames.MAX_CONCURRENT_STREAMS: 100}), "000006 04 00 00000000 0003 00000064"),
        (frames.SETTINGS_ACK, "000000 04 01 00000000"),
        (frames.window_update(3, 1000), "000004 08 00 00000003 000003e8"),
        (frames.rst_stream(5, ErrorCode.CANCEL), "000004 03 00 00000005 00000008"),
        (frames.goaway(7, ErrorCode.NO_ERROR, "bye"), "00000b 07 00 00000000 00000007 00000000 627965"),
        (frames.header(70_000, frames.DATA, frames.END_STREAM, 1), "011170 00 01 00000001"),
    ],
)
def test_frames_are_laid_out_as_the_standard_says(made, octets):
    assert made == bytes.fromhex(octets)


def test_the_reserved_bit_is_ignored():
    assert list(FrameReader().feed(bytes.fromhex("000000 06 00 80000001"))) == [(frames.PING, 0, 1, b"")]


def test_a_frame_larger_than_we_take_is_refused_before_it_has_come():
    with pytest.raises(ConnectionFault) as caught:
        list(FrameReader().feed(frames.header(frames.DEFAULT_FRAME_SIZE + 1, frames.DATA, 0, 1)))
    assert caught.value.code is ErrorCode.FRAME_SIZE_ERROR


def test_codes_have_names():
    assert [ErrorCode.named(number) for number in (0, 13, 14, 1 << 31)] == [
        "NO_ERROR",
        "HTTP_1_1_REQUIRED",
        "error 14",
        "error 2147483648",
    ]
