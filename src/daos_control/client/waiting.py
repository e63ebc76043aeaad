"""What calls are out: for telling somebody who wonders why nothing happens."""

from collections.abc import Iterator
from contextlib import contextmanager

from daos_control.client.hosts import folded

MOST_HOSTS_SHOWN = 5


class Wait:
    """One request: the hosts that have it and have not answered, and the last thing that went wrong."""

    def __init__(self, request: str) -> None:
        self.request = request
        self.hosts: list[str] = []
        self.trouble = ""

    @contextmanager
    def asking(self, host: str) -> Iterator[None]:
        """Count a host as one that has not answered, during a block."""
        self.hosts.append(host)
        try:
            yield
        finally:
            self.hosts.remove(host)

    def __str__(self) -> str:
        count = len(self.hosts)
        hosts = folded(self.hosts) if count <= MOST_HOSTS_SHOWN else f"{count} hosts, among them {self.hosts[0]}"
        text = f"{self.request} on {hosts}" if self.hosts else f"another attempt at {self.request}"
        return f"{text} (so far: {self.trouble})" if self.trouble else text


class Waiting:
    """All requests of a client that are under way; the text names them."""

    def __init__(self) -> None:
        self._waits: list[Wait] = []

    @contextmanager
    def on(self, request: str) -> Iterator[Wait]:
        """Count a request as under way, during a block."""
        wait = Wait(request)
        self._waits.append(wait)
        try:
            yield wait
        finally:
            self._waits.remove(wait)

    def __bool__(self) -> bool:
        return bool(self._waits)

    def __str__(self) -> str:
        return "; ".join(dict.fromkeys(str(wait) for wait in self._waits))
