"""What gRPC writes into HTTP/2, value by value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daos_control.net.grpc import messages
from daos_control.net.grpc.messages import BadMessage, Body, framed
from daos_control.net.http2.headers import Decoder
from daos_control.net.rpc.status import Code, Status

MOST = 1 << 16


def gathered(*pieces: bytes, most: int = MOST) -> bytes:
    body = Body(most)
    for piece in pieces:
        body.add(piece)
    return body.message()


def refused(*pieces: bytes, most: int = MOST) -> int:
    with pytest.raises(BadMessage) as caught:
        gathered(*pieces, most=most)
    return caught.value.status.code


@given(st.binary(max_size=2000), st.lists(st.integers(0, 2005), max_size=5))
def test_a_message_survives_any_cut(message, cuts):
    body, cuts = framed(message), sorted(cuts)
    assert gathered(*(body[begin:end] for begin, end in zip([0, *cuts], [*cuts, 3000], strict=True))) == message


def test_what_is_not_one_message():
    assert refused() == Code.INTERNAL
    assert refused(b"\0\0\0") == Code.INTERNAL
    assert refused(framed(b"abc")[:-1]) == Code.INTERNAL
    assert refused(framed(b"abc"), framed(b"abc")) == Code.INTERNAL
    assert refused(b"\x01\0\0\0\0") == Code.UNIMPLEMENTED
    assert refused(b"\x01", b"\0\0\0\0") == Code.UNIMPLEMENTED


def test_what_is_too_large_is_known_by_its_first_bytes():
    assert gathered(framed(bytes(10)), most=10) == bytes(10)
    assert refused(b"\0\0\0\0\x0b", most=10) == Code.RESOURCE_EXHAUSTED
    assert refused(framed(bytes(10)), b"x", most=10) == Code.RESOURCE_EXHAUSTED


@given(st.floats(1e-6, 1e9))
def test_a_time_is_written_rounded_up_and_read_again(seconds):
    text = messages.timeout(seconds)
    assert len(text) <= 9
    assert seconds <= messages.seconds_of(text) <= max(seconds * 1.0001, seconds + 1e-6)


def test_a_time_that_is_over_is_still_a_time():
    assert messages.timeout(-1) == messages.timeout(0) == b"1u"


@pytest.mark.parametrize(
    ("text", "seconds"), [(b"1H", 3600), (b"2M", 120), (b"3S", 3), (b"4m", 0.004), (b"5u", 5e-6), (b"6n", 6e-9)]
)
def test_units_of_time(text, seconds):
    assert messages.seconds_of(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", [b"", b"1", b"S", b"1s", b"-1S", b"1.5S", b"99999999999S", b" 1S", b"\xd9\xa1S"])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match="no time"):
        messages.seconds_of(text)


@given(st.text())
def test_texts_are_encoded_so_that_they_come_back(text):
    encoded = messages.percent_encoded(text)
    assert all(0x20 <= octet < 0x7F for octet in encoded)
    assert messages.percent_decoded(encoded) == text.encode(errors="replace").decode()


@given(st.binary())
def test_any_octets_are_some_text(raw):
    messages.percent_decoded(raw)


def written(status: Status, most: int = MOST) -> dict[bytes, bytes]:
    return dict(Decoder(1 << 20).decode(messages.failure(status, most)))


statuses = st.builds(Status, st.integers(1, 16), st.text(max_size=200), st.binary(max_size=200))


@given(statuses)
def test_statuses_are_written_so_that_they_come_back(status):
    fields = written(status)
    assert messages.http_failure(fields) is None
    read = messages.status_of(fields)
    assert (read.code, read.details) == (status.code, status.details)
    assert read.message == status.message.encode(errors="replace").decode()


@given(st.builds(Status, st.just(13), st.text(max_size=3000), st.binary(max_size=5000)), st.integers(0, 4000))
def test_a_status_is_never_more_than_the_caller_takes(status, most):
    fields = written(status, most)
    size = sum(len(name) + len(value) + 32 for name, value in fields.items())
    assert size <= max(most, 512)
    message = messages.status_of(fields).message
    assert status.message.encode(errors="replace").startswith(message.encode().removesuffix("\ufffd".encode()))


def test_details_may_be_padded_or_not():
    for text in (b"YQ==", b"YQ", b"YQ==,YWI="):
        assert messages.status_of({b"grpc-status": b"2", b"grpc-status-details-bin": text}).details == b"a"
    assert messages.status_of({b"grpc-status": b"2", b"grpc-status-details-bin": b"Y"}).details == b""


@pytest.mark.parametrize("number", [None, b"", b"x", b"-1", b"1" * 50, b"\xd9\xa3"])
def test_a_reply_without_a_status_is_an_error(number):
    fields = {} if number is None else {b"grpc-status": number}
    assert messages.status_of(fields).code == Code.INTERNAL


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (b"404", b"text/html", Code.UNIMPLEMENTED),
        (b"503", b"text/html", Code.UNAVAILABLE),
        (b"401", b"", Code.UNAUTHENTICATED),
        (b"418", b"", Code.UNKNOWN),
        (b"200", b"text/html", Code.UNKNOWN),
        (b"200", b"", Code.UNKNOWN),
        (b"200", b"application/grpc-web", Code.UNKNOWN),
    ],
)
def test_what_other_servers_answer(status, kind, code):
    failure = messages.http_failure({b":status": status, b"content-type": kind})
    assert failure is not None
    assert failure.code == code


@pytest.mark.parametrize("kind", [b"application/grpc", b"application/grpc+proto", b"application/grpc;charset=utf-8"])
def test_kinds_of_grpc(kind):
    assert messages.http_failure({b":status": b"200", b"content-type": kind}) is None


def test_what_the_end_of_a_stream_means():
    codes = {number: messages.reset_failure(number).code for number in (2, 7, 8, 11, 12, 99)}
    assert codes == {2: 13, 7: 14, 8: 1, 11: 8, 12: 7, 99: 13}
