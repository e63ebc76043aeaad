"""Every error that crosses the wire, as one tree.

::

    DaosControlError
    ├── Fault                a numbered, documented condition with a way out (base.fault_codes, base.fault_words)
    ├── DaosError            a DER status number, as engines give them
    ├── PoolNotFound         no pool service with that uuid, label or rank
    ├── ClientClosed         nothing goes over a connection that its owner has closed (this one never crosses it)
    ├── Redirect             ask somebody else
    │   ├── NotLeader        ... the leader, if known
    │   └── NotReplica       ... one of the replicas
    └── ServiceUnavailable   the management service cannot answer yet
        ├── RaftUnavailable  not started, or no member known
        ├── SteppingUp       a new leader is getting ready
        ├── Uninitialized    storage format required
        └── EmptyGroupMap    no rank to talk of

Clients recognise several of these by their exact text (spec: the sentinel texts of DAOS 2.8), so the
texts here are part of the protocol. Errors are plain exceptions, not frozen dataclasses: contextlib
must be able to set ``__traceback__``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from daos_control.base.der import Der, der_text
from daos_control.base.quoting import quoted


class DaosControlError(Exception):
    """Base of every error that a peer or a person may be shown."""

    @property
    def gist(self) -> str:
        """What happened, for a sentence about something larger: of a fault, without its domain and number."""
        return str(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes whole, whatever the constructor wants."""
        return _arrived, (type(self), self.args, self.__dict__)


def _arrived(kind: type[DaosControlError], args: tuple[Any, ...], facts: Mapping[str, Any]) -> DaosControlError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


class Fault(DaosControlError):
    """A known condition: what happened, why, and what to do about it.

    ``domain`` is the area ("server", "client", ...); ``code`` the stable DAOS number.
    """

    def __init__(self, domain: str, code: int, description: str, *, reason: str = "", resolution: str = "") -> None:
        super().__init__(domain, code, description)
        self.domain = "_".join(domain.replace(":", " ").split()) or "unknown"
        self.code = code
        self.description = description
        self.reason = reason
        self.resolution = resolution

    def __str__(self) -> str:
        return f"{self.domain}: code = {self.code} description = {quoted(self.description or 'unknown fault')}"

    @property
    def gist(self) -> str:
        """The description alone."""
        return self.description or str(self)

    def resolution_line(self) -> str:
        """The second line that programs print under an error, in the form that tools match."""
        return f"{self.domain}: code = {self.code} resolution = {quoted(self.resolution or 'no known resolution')}"

    def __eq__(self, other: object) -> bool:
        """Two faults are the same condition when their codes agree, whatever they are about."""
        return isinstance(other, Fault) and self.code == other.code

    def __hash__(self) -> int:
        return hash(self.code)


class DaosError(DaosControlError):
    """A request that ended with a DER status; ``status`` is negative."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return der_text(self.status)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DaosError) and self.status == other.status

    def __hash__(self) -> int:
        return hash(self.status)

    @property
    def der(self) -> Der | None:
        """The named code, if this number has a name."""
        return Der.get(self.status)


class PoolNotFound(DaosControlError):
    """No pool service matches; exactly one of the three says what was looked for."""

    def __init__(self, *, uuid: str | None = None, label: str | None = None, rank: int | None = None) -> None:
        super().__init__(uuid, label, rank)
        self.uuid = uuid
        self.label = label
        self.rank = rank

    def __str__(self) -> str:
        if self.uuid is not None:
            return f"unable to find pool service with uuid {self.uuid}"
        if self.label is not None:
            return f"unable to find pool service with label {quoted(self.label)}"
        return f"unable to find pool service with rank {self.rank}"


class ClientClosed(DaosControlError, RuntimeError):
    """Something was asked over connections that their owner has closed, or closed meanwhile."""

    def __str__(self) -> str:
        return super().__str__() or "this client is closed: make another one, and close it after its last call"


class Redirect(DaosControlError):
    """The request belongs elsewhere; ``replicas`` are ``ip:port``."""

    def __init__(self, replicas: Sequence[str] = ()) -> None:
        super().__init__(tuple(replicas))
        self.replicas = tuple(replicas)


class NotLeader(Redirect):
    """This replica does not lead; ``hint`` is the leader's ``ip:port``, or empty if unknown."""

    def __init__(self, hint: str = "", replicas: Sequence[str] = ()) -> None:
        super().__init__(replicas)
        self.hint = hint

    def __str__(self) -> str:
        others = ",".join(self.replicas)
        return f"not the DAOS Management Service leader (try {self.hint} or one of {others})"


class NotReplica(Redirect):
    """This host holds no replica of the management service."""

    def __str__(self) -> str:
        return f"not a DAOS Management Service replica (try one of {','.join(self.replicas)})"


class ServiceUnavailable(DaosControlError):
    """The management service cannot answer yet; asking again later makes sense."""

    TEXT = "management service unavailable"

    def __str__(self) -> str:
        return self.TEXT


class RaftUnavailable(ServiceUnavailable):
    """The service has not started here, or knows no member yet."""

    TEXT = "raft service unavailable (not started yet?)"


class SteppingUp(ServiceUnavailable):
    """A new leader is getting ready."""

    TEXT = "leader step-up in progress (try again)"


class Uninitialized(ServiceUnavailable):
    """This replica's storage was never formatted."""

    TEXT = "system is uninitialized (storage format required?)"


class EmptyGroupMap(ServiceUnavailable):
    """No rank is in the group map."""

    TEXT = "empty group map (all ranks excluded?)"
