"""The helper's language: one JSON object with a method and its payload in, one with an error or a payload out.

Names are those of DAOS 2.8, so that either side works with a genuine other. A message is at most 1 MiB and is written
with one write: genuine readers count reads.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.fault_codes import FaultCode

MAX_MESSAGE = 1 << 20
HELPER = "daos_server_helper"
PARENT = "daos_server"
LOG_FILE_VARIABLE = "DAOS_HELPER_LOG_FILE"


class ProtocolError(DaosControlError):
    """A message that is none."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done."""

    method: str
    payload: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the message."""
        return json.dumps({"Method": self.method, "Payload": dict(self.payload)}).encode()


@dataclass(frozen=True, slots=True)
class Response:
    """What came of it: a payload, or an error and no payload."""

    payload: Any = None
    error: Fault | None = None

    def encode(self) -> bytes:
        """Return the message."""
        return json.dumps({"Error": _fault_document(self.error), "Payload": self.payload}).encode()


def decode_request(message: bytes) -> Request:
    """Read a request; ProtocolError if it is none."""
    document = _object(message)
    method, payload = document.get("Method"), document.get("Payload") or {}
    if not isinstance(method, str) or not isinstance(payload, dict):
        raise ProtocolError("a request has a text Method and an object Payload")
    return Request(method, payload)


def decode_response(message: bytes) -> Response:
    """Read a response, whatever surrounds its outermost braces; ProtocolError if there is none."""
    start, end = message.find(b"{"), message.rfind(b"}")
    document = _object(message[start : end + 1])
    error = document.get("Error")
    return Response(document.get("Payload"), None if error is None else _fault(error))


def as_fault(error: DaosControlError) -> Fault:
    """Return an error as it travels: what is no fault becomes fault 5."""
    if isinstance(error, Fault):
        return error
    return FaultCode.PRIVILEGED_HELPER_REQUEST_FAILED.fault(problem=str(error))


def _object(message: bytes) -> dict[str, Any]:
    if len(message) > MAX_MESSAGE:
        raise ProtocolError(f"a message of {len(message)} bytes, where {MAX_MESSAGE} are allowed")
    try:
        document = json.loads(message)
    except ValueError as error:
        raise ProtocolError(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ProtocolError("not a JSON object")
    return document


def _fault_document(fault: Fault | None) -> dict[str, object] | None:
    if fault is None:
        return None
    return {
        "Domain": fault.domain,
        "Code": int(fault.code),
        "Description": fault.description,
        "Reason": fault.reason,
        "Resolution": fault.resolution,
    }


def _fault(document: Any) -> Fault:
    if not isinstance(document, dict):
        raise ProtocolError("an error is an object")
    try:
        code = int(document.get("Code") or 0)
    except (TypeError, ValueError) as error:
        raise ProtocolError(f"an error's code is a number, not {document.get('Code')!r}") from error
    return Fault(
        str(document.get("Domain") or "unknown"),
        code,
        str(document.get("Description") or ""),
        reason=str(document.get("Reason") or ""),
        resolution=str(document.get("Resolution") or ""),
    )
