"""Where this server listens, what it calls itself, and which replica of the management service is its own.

======================  ===================  ==============================================
given                   listens on           calls itself
======================  ===================  ==============================================
``--control-address``   that address         that address
``control_iface``       its lowest IPv4      the same
neither                 every address        its replica's address; others ``0.0.0.0``, and
                                             their callees look where the call came from
======================  ===================  ==============================================

A replica is ours if its address is this host's *and* its port is our own control port: so several hosts may be played
by one machine, each with a loopback address or a port of its own.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.host import network

ANYWHERE = "0.0.0.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The outcome; texts are ``ip:port`` but for ``listen``, which is an IP address."""

    listen: str
    own: str
    """What other servers are told."""
    replicas: tuple[str, ...]
    replica: str | None
    """Which of the replicas is ours."""

    @property
    def bootstraps(self) -> bool:
        """Whether ours is the replica that begins the system."""
        return bool(self.replicas) and self.replica == self.replicas[0]


class SeveralReplicasError(DaosControlError):
    """This host is one of several replicas: without a way to agree, each would make a system of its own."""

    remedy = (
        "list one replica in mgmt_svc_replicas, the same on all hosts: that whose database has the system, if there is "
        "one already (daos_server ms status)"
    )

    def __init__(self, own: str, count: int) -> None:
        self.found = f"this host is one of {count} replicas ({own}), and this release keeps the system on one"
        super().__init__(f"{self.found}: {self.remedy}")


def settle(
    *,
    replicas: Sequence[str],
    port: int,
    control_address: str = "",
    control_iface: str = "",
    resolve: Callable[[str], str] | None = None,
    is_local: Callable[[str], bool] = network.is_local,
) -> Addresses:
    """Decide from the configuration and this host's interfaces; ``replicas`` are ``host:port``.

    Raises fault 705 for a replica whose name cannot be resolved, 739 and 740 for a control interface that cannot be
    used or is not where the replicas say.
    """
    resolved = tuple(_resolved(replica, resolve or first_address) for replica in replicas)
    fixed = control_address or (_address_of(control_iface) if control_iface else "")
    ours = next((one for one in resolved if _is_ours(one, port, control_address, is_local)), None)
    if control_iface and ours is not None and _host(ours) != fixed:
        raise FaultCode.SERVER_CONFIG_CONTROL_INTERFACE_MISMATCH.fault(replica=_host(ours), address=fixed)
    own = f"{fixed}:{port}" if fixed else ours or f"{ANYWHERE}:{port}"
    return Addresses(listen=fixed or ANYWHERE, own=own, replicas=resolved, replica=ours)


def refuse_several_replicas(settled: Addresses) -> None:
    """Raise SeveralReplicasError if ours is one of several. Other hosts may be: their servers may be DAOS's own."""
    if settled.replica is not None and len(settled.replicas) > 1:
        raise SeveralReplicasError(settled.replica, len(settled.replicas))


def first_address(host: str) -> str:
    """Resolve a name: IPv4 goes before IPv6, low before high, so that all servers come to the same. OSError if not."""
    found = {info[4][0] for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    addresses = [ipaddress.ip_address(str(text)) for text in found]
    return str(min(addresses, key=lambda address: (address.version, address.packed)))


def _resolved(replica: str, resolve: Callable[[str], str]) -> str:
    host, _, port = replica.rpartition(":")
    try:
        address = resolve(host.strip("[]"))
    except OSError as error:
        raise FaultCode.SERVER_CONFIG_BAD_MGMT_SVC_REPLICAS.fault(
            problem=f"cannot resolve {host}: {error.strerror or error}"
        ) from error
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _is_ours(replica: str, port: int, control_address: str, is_local: Callable[[str], bool]) -> bool:
    if control_address:
        return replica == f"{control_address}:{port}"
    return replica.rpartition(":")[2] == str(port) and is_local(_host(replica))


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _address_of(interface: str) -> str:
    try:
        address = network.lowest_ipv4(interface)
    except OSError as error:
        raise FaultCode.SERVER_CONFIG_BAD_CONTROL_INTERFACE.fault(interface=interface, problem=str(error)) from error
    if address is None:
        raise FaultCode.SERVER_CONFIG_BAD_CONTROL_INTERFACE.fault(interface=interface, problem="it has no IPv4 address")
    return str(address)
