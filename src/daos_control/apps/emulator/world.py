"""What is around an engine's code: its process, and the way to its peers.

An engine usually has a process of its own. Many may also live in one, as in a simulated system; then each has its
part of it, and what ends one does not end the others.
"""

import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from daos_control.apps.emulator.fabric import Fabric, Network
from daos_control.apps.emulator.neighbourhood import Founder, Neighbourhood


def _kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Where an engine lives; by default in this process, alone, with the network as its fabric."""

    pid: int = field(default_factory=os.getpid)
    hostname: str = field(default_factory=socket.gethostname)
    die: Callable[[], None] = _kill_this_process
    """Ends the engine at once, as a crash does; what runs afterwards is undefined."""
    fabric: Fabric = field(default_factory=Network)
    neighbourhood: Founder = Neighbourhood
