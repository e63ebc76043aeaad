"""What the kernel says of network interfaces: whether clients can use one right now."""

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path

_SIOCGIFADDR = 0x8915
_IFREQ = struct.Struct("16s24x")
_INET6 = Path("/proc/net/if_inet6")


class Interfaces:
    """Asks the kernel about interfaces, through one socket kept for the purpose."""

    def __init__(self, *, inet6: Path = _INET6) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._inet6 = inet6

    def has_address(self, name: str) -> bool:
        """Whether the interface exists and has an IP address other than the unspecified one."""
        return self._has_ipv4(name) or self._has_ipv6(name)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _has_ipv4(self, name: str) -> bool:
        encoded = name.encode()
        if len(encoded) > 15:  # no interface has a longer name
            return False
        try:
            reply = fcntl.ioctl(self._socket, _SIOCGIFADDR, _IFREQ.pack(encoded))
        except OSError:  # no such interface, or none of IPv4
            return False
        return any(reply[20:24])

    def _has_ipv6(self, name: str) -> bool:
        try:
            lines = self._inet6.read_text().splitlines()
        except OSError:  # a kernel without IPv6
            return False
        rows = (line.split() for line in lines)
        return any(row[-1] == name and not ipaddress.IPv6Address(int(row[0], 16)).is_unspecified for row in rows if row)
