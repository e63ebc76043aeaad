"""What an answer of the management service means for whoever wants to know from whom to get a better one."""

from enum import IntEnum, auto

from daos_control.base.errors import (
    DaosControlError,
    Fault,
    NotLeader,
    RaftUnavailable,
    Redirect,
    ServiceUnavailable,
    SteppingUp,
    Uninitialized,
)
from daos_control.base.fault_codes import FaultCode
from daos_control.client.errors import is_connection_error


def is_timeout(error: DaosControlError) -> bool:
    """Whether an answer did not come in time; the next one may."""
    late = (FaultCode.CLIENT_RPC_TIMEOUT, FaultCode.CLIENT_CONNECTION_TIMED_OUT)
    return isinstance(error, Fault) and error.code in late


def is_unavailable(error: DaosControlError) -> bool:
    """Whether the management service, or the engine it needs, says that it will be able to answer later."""
    if isinstance(error, Fault):
        return error.code == FaultCode.SERVER_DATA_PLANE_NOT_STARTED
    return isinstance(error, RaftUnavailable | SteppingUp)


def is_not_running(error: DaosControlError) -> bool:
    """Whether nobody runs the management service where this answer comes from."""
    return isinstance(error, Redirect | Uninitialized) or is_unavailable(error) or is_connection_error(error)


class Telling(IntEnum):
    """How much an error tells; from ``ELSEWHERE`` on it says what to do next."""

    UNREACHED = auto()
    LATE = auto()
    NOT_YET = auto()
    ELSEWHERE = auto()
    THERE = auto()
    REFUSED = auto()


def telling(error: DaosControlError) -> Telling:
    """Say how much an error tells."""
    if isinstance(error, NotLeader) and error.hint:
        return Telling.THERE
    if isinstance(error, Redirect):
        return Telling.ELSEWHERE if error.replicas else Telling.NOT_YET
    if isinstance(error, ServiceUnavailable) or is_unavailable(error):
        return Telling.NOT_YET
    if is_timeout(error):
        return Telling.LATE
    return Telling.UNREACHED if is_connection_error(error) else Telling.REFUSED


def late(request: str, limit: str, trouble: str = "") -> Fault:
    """Return the error for an answer that did not come within ``limit``, with what went wrong until then."""
    if trouble:
        return FaultCode.CLIENT_RPC_TIMEOUT.fault(request=request, limit=limit, trouble=trouble)
    return FaultCode.CLIENT_RPC_TIMEOUT.fault(request=request, limit=limit)
