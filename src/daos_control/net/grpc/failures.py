"""Why there is no connection (any more), in the numbered words of DAOS."""

import errno
import socket
import ssl
from typing import Final

from daos_control.base.errors import Fault
from daos_control.base.fault_codes import FaultCode

_NO_ROUTE: Final = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_NOT_YET_VALID, _EXPIRED = 9, 10
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""


def connection_fault(error: BaseException | None, address: str) -> Fault:
    """Name what an exception says about the connection to ``host:port``; nothing means that it was closed."""
    if isinstance(error, ssl.SSLError):
        return _tls_fault(error, address)
    return _code(error).fault(address=address, reason=_reason(error))


def _code(error: BaseException | None) -> FaultCode:
    if isinstance(error, socket.gaierror):
        return FaultCode.CLIENT_CONNECTION_BAD_HOST
    if isinstance(error, ConnectionRefusedError):
        return FaultCode.CLIENT_CONNECTION_REFUSED
    if isinstance(error, TimeoutError):
        return FaultCode.CLIENT_CONNECTION_TIMED_OUT
    if isinstance(error, OSError) and error.errno in _NO_ROUTE:
        return FaultCode.CLIENT_CONNECTION_NO_ROUTE
    return FaultCode.CLIENT_CONNECTION_CLOSED


def _tls_fault(error: ssl.SSLError, address: str) -> Fault:
    reason = _reason(error)
    if getattr(error, "verify_code", 0) in {_NOT_YET_VALID, _EXPIRED} or "CERTIFICATE_EXPIRED" in _tls_reason(error):
        return FaultCode.SECURITY_INVALID_CERT.fault(reason=f"{address}: {reason}")
    return FaultCode.CLIENT_CONNECTION_CLOSED.fault(address=address, reason=reason)


def _reason(error: BaseException | None) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and (reason := _tls_reason(error)):
        return f"TLS: {reason.lower().replace('_', ' ')}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error or "")


def _tls_reason(error: ssl.SSLError) -> str:
    return getattr(error, "reason", None) or ""  # only OpenSSL's own errors have one
