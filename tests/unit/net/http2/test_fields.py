"""Lists of fields that may begin a request or a response, or end one, and those that may not."""

import pytest

from daos_control.net.http2.fields import REQUEST, RESPONSE, TRAILERS, flaw

ASKING = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/a"), (b":authority", b"x")]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (ASKING, REQUEST),
        (ASKING[:3], REQUEST),
        ([*ASKING, (b"te", b"trailers"), (b"grpc-message", b"a b ")], REQUEST),
        ([(b":status", b"200")], RESPONSE),
        ([(b"grpc-status", b"0")], TRAILERS),
        ([], TRAILERS),
    ],
)
def test_good_lists(fields, kind):
    assert flaw(fields, kind) == ""


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (ASKING[1:], REQUEST),
        (ASKING[:2], REQUEST),
        ([], RESPONSE),
        ([*ASKING, (b":path", b"/b")], REQUEST),
        ([(b"a", b"b"), *ASKING], REQUEST),
        ([*ASKING, (b":status", b"200")], REQUEST),
        ([*ASKING, (b":protocol", b"x")], REQUEST),
        ([*ASKING, (b"Upper", b"x")], REQUEST),
        ([*ASKING, (b"", b"x")], REQUEST),
        ([*ASKING, (b"a b", b"x")], REQUEST),
        ([*ASKING, (b"connection", b"close")], REQUEST),
        ([*ASKING, (b"a", b"x\r\ny: z")], REQUEST),
        ([*ASKING, (b"a", b"\0")], REQUEST),
        ([(b":status", b"200")], TRAILERS),
    ],
)
def test_malformed_lists(fields, kind):
    assert flaw(fields, kind)
