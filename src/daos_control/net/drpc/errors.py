"""What can go wrong on a dRPC socket, as one tree.

::

    DrpcError
    ├── DrpcFailure        raised by a handler: answer this call with a transport-level status
    ├── DrpcStatus         the peer answered with one
    ├── DrpcUnreachable    nobody takes connections at that path
    ├── DrpcDisconnected   the peer went away before it answered
    ├── DrpcTimeout        the peer did not answer in time
    ├── BadReply           the peer's answer makes no sense
    │   └── FrameError     ... already as a packet
    └── CannotListen       the socket cannot be created

A DER status inside a reply is none of these: at this level such a call succeeded.
"""

from enum import IntEnum


class Status(IntEnum):
    """Outcome of a call at transport level, as it stands in every response."""

    SUCCESS = 0
    SUBMITTED = 1
    FAILURE = 2
    UNKNOWN_MODULE = 3
    UNKNOWN_METHOD = 4
    FAILED_UNMARSHAL_CALL = 5
    FAILED_UNMARSHAL_PAYLOAD = 6
    FAILED_MARSHAL = 7


class DrpcError(Exception):
    """Base of everything in this file."""


class DrpcFailure(DrpcError):
    """Raised by a handler to end its call with ``status`` and no body; ``reason`` is logged, never sent."""

    def __init__(self, status: Status = Status.FAILURE, reason: str = "") -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.status.name}: {self.reason}" if self.reason else self.status.name


class DrpcStatus(DrpcError):
    """The peer answered ``status`` instead of a reply."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        try:
            name = Status(self.status).name
        except ValueError:
            name = str(self.status)
        return f"bad dRPC response status: {name}"


class _AtPath(DrpcError):
    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class DrpcUnreachable(_AtPath):
    """No process takes connections at ``path``: not started, gone, or not for us."""


class DrpcDisconnected(_AtPath):
    """The peer closed the connection before it answered; it may or may not have done what was asked."""


class DrpcTimeout(_AtPath):
    """No answer in the time allowed; the peer may still do what was asked."""


class CannotListen(_AtPath):
    """The listening socket cannot be created at ``path``."""


class BadReply(DrpcError):
    """The peer's answer cannot be understood."""


class FrameError(BadReply):
    """A packet breaks the framing rules."""
