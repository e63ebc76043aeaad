"""What only a client can run into, beside the errors that cross the wire (``daos_control.base.errors``)."""

from collections.abc import Mapping, Sequence

from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.hostset import HostSet

LONGEST_LIST = 100
"""Characters of a list of hosts that is told in full."""
CONNECTION_FAULTS = frozenset(range(504, 509))
"""Fault codes that say a host could not be reached, as against a host that answered with an error."""


def is_connection_error(error: BaseException) -> bool:
    """Whether a host could not be reached."""
    return isinstance(error, Fault) and error.code in CONNECTION_FAULTS


class ManagementServiceUnreachable(DaosControlError):
    """None of the hosts that were asked could be reached; ``causes`` says why, by host.

    The text begins as DAOS's does: callers tell this condition by it.
    """

    TEXT = "unable to contact the DAOS Management Service"

    def __init__(self, causes: Mapping[str, DaosControlError]) -> None:
        super().__init__(dict(causes))
        self.causes = dict(causes)

    def __str__(self) -> str:
        alike: dict[str, dict[str, str]] = {}
        for host, error in self.causes.items():
            alike.setdefault(impersonal(error.gist, host), {})[host] = error.gist
        reasons = sorted(_said_once(reason, said) for reason, said in alike.items())
        return f"{self.TEXT} ({'; '.join(reasons)})" if reasons else self.TEXT


def _said_once(reason: str, said: Mapping[str, str]) -> str:
    if len(said) == 1:
        return next(iter(said.values()))
    names = str(HostSet(said))
    return f"{names if len(names) <= LONGEST_LIST else f'{len(said)} hosts'}: {reason}"


def impersonal(reason: str, host: str) -> str:
    """Say without a host's own address what went wrong with it, so that it is the same for many.

    >>> impersonal("the server at node1:10001 refused the connection", "node1:10001")
    'the server refused the connection'
    """
    for said, short in (("the server at ", "the server"), ("the host name of ", "its name"), ("", "the host")):
        reason = reason.replace(said + host, short)
    return reason


class InvalidRequest(DaosControlError, ValueError):
    """A request makes no sense, and was not sent."""


class UnexpectedReply(DaosControlError):
    """A server answered with something that means nothing here."""


class Interrupted(DaosControlError):
    """Somebody who waited for this has enough; what ``changes`` something may still be carried out."""

    def __init__(self, what: str = "", *, changes: bool = True) -> None:
        super().__init__(what)
        self.what = what
        self.changes = changes

    def __str__(self) -> str:
        during = f" while waiting for {self.what}" if self.what else ""
        return f"interrupted{during}" + "; what has been sent may still be carried out" * self.changes


class PartlyFailed(DaosControlError):
    """A request was carried out, but not everywhere; the result says where it failed, ``causes`` why."""

    def __init__(self, text: str, causes: Sequence[DaosControlError] = ()) -> None:
        super().__init__(text)
        self.causes = tuple(causes)


class NotOffered(DaosControlError):
    """A server does not know a method beyond DAOS 2.8: it is one of DAOS's own, or an older one of ours."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"this server does not tell {self.what}: it is DAOS's own, or an older daos-control"


class HostError(DaosControlError):
    """Something that a host reports to have failed, in its own words; ``hint`` is what it says on top of that."""

    def __init__(self, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.hint = hint


class ConfigUnreadable(DaosControlError):
    """The configuration file cannot be read."""
