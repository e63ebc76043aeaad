"""Tells systemd how the daemon is: units of type ``notify`` wait for it."""

import os
import socket
from collections.abc import Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"


def notify(state: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send a state to the socket named by ``NOTIFY_SOCKET``; return whether there is one. Raises OSError.

    A name that begins with ``@`` is in the abstract namespace.
    """
    name = environ.get("NOTIFY_SOCKET")
    if not name:
        return False
    address = f"\0{name[1:]}" if name.startswith("@") else name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.connect(address)
        sender.send(state.encode())
    return True
