"""Hosts: from what people write (``node[1-8],node9:10002``) to the addresses that calls go to."""

from collections.abc import Iterable

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.hostset import HostSet
from daos_control.client.errors import InvalidRequest
from daos_control.client.given import texts
from daos_control.config.system import LAST_PORT


def addresses(hosts: Iterable[str], port: int) -> list[str]:
    """Return ``host:port`` for every host of some host lists: sorted, each once, the port added where none is given."""
    named = [text for text in texts(hosts) if text.strip()]
    if not named:
        raise FaultCode.CLIENT_CONFIG_EMPTY_HOST_LIST.fault()
    if not port:
        raise FaultCode.CLIENT_CONFIG_BAD_CONTROL_PORT.fault()
    try:
        return [_with_port(host, port) for host in HostSet.parse(",".join(named))]
    except DaosControlError:
        raise
    except ValueError as error:
        raise InvalidRequest(str(error)) from error


def _with_port(host: str, port: int) -> str:
    name, colon, given = host.partition(":")
    if not colon:
        return f"{name}:{port}"
    if not (given.isascii() and given.isdigit() and 0 < int(given) <= LAST_PORT):
        raise InvalidRequest(f"host {host!r} should conform to hostname[:port], with a port from 1 to {LAST_PORT}")
    return host


def folded(hosts: Iterable[str]) -> str:
    """Fold host names or addresses for people: ``node[1-3]:10001``."""
    return str(HostSet(hosts))
