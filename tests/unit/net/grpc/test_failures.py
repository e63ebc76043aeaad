"""Each way in which a connection fails has its number."""

import errno
import socket
import ssl

import pytest

from daos_control.net.grpc.dialling import RefusedByProxy, split
from daos_control.net.grpc.failures import connection_fault
from daos_control.net.grpc.link import BrokenLink
from daos_control.net.grpc.tls import NotTrusted


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] {reason.lower()} (_ssl.c:1)")
    error.reason = reason
    return error


def unverified(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), 504, "not known"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), 505, "No route"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), 505, "unreachable"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), 506, "refused"),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), 507, "reset"),
        (BrokenLink("a client that does not speak HTTP/2"), 507, "HTTP/2"),
        (RefusedByProxy("the proxy squid:1 said 403"), 507, "403"),
        (None, 507, ""),
        (TimeoutError(), 508, ""),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), 508, "timed out"),
        (alert("SSLV3_ALERT_CERTIFICATE_EXPIRED"), 903, "certificate expired"),
        (alert("SSLV3_ALERT_BAD_CERTIFICATE"), 507, "bad certificate"),
        (unverified(10, "certificate has expired"), 903, "has expired"),
        (unverified(9, "certificate is not yet valid"), 903, "not yet valid"),
        (unverified(20, "unable to get local issuer certificate"), 507, "issuer"),
        (NotTrusted("its certificate is made out to 'admin'"), 507, "'admin'"),
    ],
    ids=repr,
)
def test_what_is_said_about_it(error, code, words):
    fault = connection_fault(error, "node1:10001")
    assert fault.code == code
    assert words in fault.reason


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("node1:1", ("node1", 1)),
        ("10.0.0.1:10001", ("10.0.0.1", 10001)),
        ("[::1]:1", ("::1", 1)),
        ("::1:1", ("::1", 1)),
    ],
)
def test_addresses(address, parts):
    assert split(address) == parts


@pytest.mark.parametrize("address", ["node1", ":1", "node1:", "node1:x", "node1:70000", ""])
def test_what_is_no_address(address):
    with pytest.raises(socket.gaierror, match="host:port"):
        split(address)
