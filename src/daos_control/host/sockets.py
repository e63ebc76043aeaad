"""Who listens where on this machine, from the kernel's tables."""

import ipaddress
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from daos_control.host.processes import Process, processes

_LISTENING = "0A"
_ACCEPTS = 1 << 16  # the flag of a Unix socket that somebody listens on
_SOCKET = re.compile(r"socket:\[(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A TCP socket that waits for connections."""

    address: str
    """The IP address; that which means all of them if it waits on all."""
    port: int
    inode: int

    def is_in_the_way_of(self, address: str) -> bool:
        """Whether nobody else can listen on that address with this port."""
        mine, other = ipaddress.ip_address(self.address), ipaddress.ip_address(address)
        return mine == other or mine.is_unspecified or (other.is_unspecified and mine.version == other.version)


def listeners(root: Path = Path("/")) -> tuple[Listener, ...]:
    """Return all TCP sockets that listen in this network namespace."""
    found = []
    for table in ("tcp", "tcp6"):
        try:
            _, *rows = (root / "proc/net" / table).read_text().splitlines()
        except (OSError, ValueError):  # a kernel without that family
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == _LISTENING:
                address, _, port = fields[1].partition(":")
                found.append(Listener(address=_address(address), port=int(port, 16), inode=int(fields[9])))
    return tuple(found)


def bound_paths(root: Path = Path("/")) -> frozenset[str]:
    """Return the paths of the Unix sockets that somebody listens on; a file of another path is a leftover."""
    try:
        _, *rows = (root / "proc/net/unix").read_text(errors="surrogateescape").splitlines()
    except (OSError, ValueError):
        return frozenset()
    fields = (row.split(maxsplit=7) for row in rows)
    return frozenset(row[7] for row in fields if len(row) == 8 and int(row[3], 16) & _ACCEPTS)


def holders(inodes: Iterable[int], root: Path = Path("/")) -> Mapping[int, Process]:
    """Return the process that has each of these sockets open; those of other users are known to root alone."""
    wanted = set(inodes)
    found: dict[int, Process] = {}
    for process in processes(root) if wanted else ():
        try:
            links = [link.readlink() for link in (root / "proc" / str(process.pid) / "fd").iterdir()]
        except OSError:  # another user's, or ended
            continue
        for link in links:
            match = _SOCKET.fullmatch(str(link))
            if match and int(match[1]) in wanted:
                found.setdefault(int(match[1]), process)
    return found


def _address(text: str) -> str:
    """Read an address as the kernel writes it: words of four bytes, each in this machine's order.

    >>> _address("0100007F"), _address("00000000000000000000000001000000")
    ('127.0.0.1', '::1')
    """
    words = [int(text[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(text), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
