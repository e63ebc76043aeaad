"""Failures to connect, in words."""

import socket

import pytest

from daos_control.net.unreachable import why_unreachable


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 1)"), "connection refused"),
        (socket.gaierror(-3, "Temporary failure in name resolution"), "temporary failure in name resolution"),
        (OSError("Multiple exceptions: a, b"), "none of its addresses takes connections"),
    ],
)
def test_why_nobody_can_be_reached(error: OSError, words: str) -> None:
    assert why_unreachable(error) == words
