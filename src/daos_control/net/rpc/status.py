"""How errors travel in gRPC: each of ``base.errors`` as a code, a text and a structured detail, and back.

Errors with structure go as code INTERNAL with one ErrorInfo detail, whose reason names the kind. The rest is text, and
clients tell what they must tell apart by fixed pieces of it. Both tables are DAOS 2.8's, so that genuine peers
understand our errors and we theirs.
"""

import json
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import NamedTuple

from google.protobuf.message import DecodeError

from daos_control.base.errors import (
    DaosControlError,
    DaosError,
    EmptyGroupMap,
    Fault,
    NotLeader,
    NotReplica,
    PoolNotFound,
    RaftUnavailable,
    ServiceUnavailable,
    SteppingUp,
    Uninitialized,
)
from daos_control.base.fault_codes import FaultCode
from daos_control.wire.pb.rpc import error_pb2

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
DAOS = "DAOS"


class Code(IntEnum):
    """gRPC's status codes."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class StatusError(DaosControlError):
    """An error that is no more than a code and a text: what a peer says in its own words, or we in ours."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def __str__(self) -> str:
        return self.text or self.code_name

    @property
    def code_name(self) -> str:
        """The code in words, also if it is a number that has none."""
        return Code(self.code).name if self.code in _CODES else f"status {self.code}"


_CODES = frozenset(Code)


def access_denied(text: str) -> StatusError:
    """Make the error for a caller who may not do this."""
    return StatusError(Code.PERMISSION_DENIED, text)


class Status(NamedTuple):
    """An error as it goes over the wire; ``details`` is the binary trailer, empty if there is none."""

    code: int
    message: str
    details: bytes = b""


def to_status(error: DaosControlError) -> Status:
    """Encode an error for the caller."""
    if isinstance(error, StatusError):
        return Status(error.code, error.text)
    for kind, (reason, facts) in _ENCODERS.items():
        if isinstance(error, kind):
            domain = error.domain if isinstance(error, Fault) else DAOS
            info = error_pb2.ErrorInfo(reason=reason, domain=domain, metadata=facts(error))
            detail = error_pb2.Detail(type_url=ERROR_INFO, value=info.SerializeToString(deterministic=True))
            status = error_pb2.Status(code=Code.INTERNAL, message=str(error), details=[detail])
            return Status(Code.INTERNAL, str(error), status.SerializeToString())
    return Status(Code.UNKNOWN, str(error))


def from_status(status: Status, *, address: str = "") -> DaosControlError:
    """Decode an error that came from ``address`` (``host:port``)."""
    info = _error_info(status.details)
    if info is not None and info.reason in _DECODERS:
        try:
            return _DECODERS[info.reason](info.metadata)
        except (KeyError, ValueError, TypeError):  # a peer that speaks otherwise: what it says in words remains
            return StatusError(status.code, status.message)
    for kind in _SENTINELS:
        if kind.TEXT in status.message:
            return kind()
    return connection_fault(status.message, address) or StatusError(status.code, status.message)


def connection_fault(text: str, address: str) -> Fault | None:
    """Recognise a failed connection by the words of genuine DAOS programs, whose own calls may have failed."""
    for piece, code in _CONNECTION_TEXTS.items():
        if piece in text:
            return code.fault(address=address)
    if _EXPIRED in text:
        return FaultCode.SECURITY_INVALID_CERT.fault(reason=text)
    return None


def _error_info(details: bytes) -> error_pb2.ErrorInfo | None:
    if not details:
        return None
    try:
        for detail in error_pb2.Status.FromString(details).details:
            if detail.type_url == ERROR_INFO:
                return error_pb2.ErrorInfo.FromString(detail.value)
    except DecodeError:
        pass
    return None


def _fault_facts(fault: Fault) -> dict[str, str]:
    return {
        "Domain": fault.domain,
        "Code": str(int(fault.code)),
        "Description": fault.description,
        "Reason": fault.reason,
        "Resolution": fault.resolution,
    }


def _pool_facts(error: PoolNotFound) -> dict[str, str]:
    return {"PoolInfo": _json({"Rank": error.rank, "UUID": error.uuid, "Label": error.label})}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_FAULT, _STATUS = "proto.fault.Fault", "proto.daos.DaosStatus"
_NOT_REPLICA, _NOT_LEADER = "proto.system.ErrNotReplica", "proto.system.ErrNotLeader"
_POOL_NOT_FOUND = "proto.system.ErrPoolNotFound"

_ENCODERS: Mapping[type[DaosControlError], tuple[str, Callable[..., dict[str, str]]]] = {
    Fault: (_FAULT, _fault_facts),
    DaosError: (_STATUS, lambda error: {"Status": str(int(error.status))}),
    NotReplica: (_NOT_REPLICA, lambda error: {"Replicas": _json(error.replicas or None)}),
    NotLeader: (_NOT_LEADER, lambda error: {"LeaderHint": error.hint, "Replicas": _json(error.replicas or None)}),
    PoolNotFound: (_POOL_NOT_FOUND, _pool_facts),
}


def _decode_fault(facts: Mapping[str, str]) -> Fault:
    return Fault(
        facts["Domain"],
        int(facts["Code"]),
        facts["Description"],
        reason=facts.get("Reason", ""),
        resolution=facts.get("Resolution", ""),
    )


def _decode_pool(facts: Mapping[str, str]) -> PoolNotFound:
    pool = json.loads(facts["PoolInfo"])
    return PoolNotFound(uuid=pool.get("UUID"), label=pool.get("Label"), rank=pool.get("Rank"))


def _replicas(facts: Mapping[str, str]) -> list[str]:
    return [str(replica) for replica in json.loads(facts["Replicas"]) or ()]


_DECODERS: Mapping[str, Callable[[Mapping[str, str]], DaosControlError]] = {
    _FAULT: _decode_fault,
    _STATUS: lambda facts: DaosError(int(facts["Status"])),
    _NOT_REPLICA: lambda facts: NotReplica(_replicas(facts)),
    _NOT_LEADER: lambda facts: NotLeader(facts["LeaderHint"], _replicas(facts)),
    _POOL_NOT_FOUND: _decode_pool,
}

_SENTINELS: tuple[type[ServiceUnavailable], ...] = (RaftUnavailable, SteppingUp, Uninitialized, EmptyGroupMap)

_CONNECTION_TEXTS: Mapping[str, FaultCode] = {
    "connection refused": FaultCode.CLIENT_CONNECTION_REFUSED,
    "connection closed": FaultCode.CLIENT_CONNECTION_CLOSED,
    "transport is closing": FaultCode.CLIENT_CONNECTION_CLOSED,
    "closed the connection": FaultCode.CLIENT_CONNECTION_CLOSED,
    "no route to host": FaultCode.CLIENT_CONNECTION_NO_ROUTE,
    "no such host": FaultCode.CLIENT_CONNECTION_BAD_HOST,
    "i/o timeout": FaultCode.CLIENT_CONNECTION_TIMED_OUT,
}
_EXPIRED = "certificate has expired"
