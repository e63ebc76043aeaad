"""Where a client found the management service: for going there first the next time."""

from collections.abc import Callable, Sequence
from typing import Any

from daos_control.base.errors import DaosControlError, NotLeader, Redirect
from daos_control.client.errors import is_connection_error


class Route:
    """The leader and the replicas, as far as they have been heard of; they may have changed since."""

    def __init__(self) -> None:
        self.leader = ""
        self.replicas: tuple[str, ...] = ()

    def order(self, hosts: Sequence[str], chance: Callable[[int], int]) -> list[str]:
        """Return hosts to ask: the leader, then other replicas, then all others by chance."""
        others = list(hosts)
        shuffled = [others.pop(chance(len(others))) for _ in hosts]
        return list(dict.fromkeys(filter(None, (self.leader, *self.replicas, *shuffled))))

    def heard(self, host: str, error: DaosControlError) -> None:
        """Learn from an error."""
        if isinstance(error, Redirect):
            if error.replicas:
                self.replicas = error.replicas
            if isinstance(error, NotLeader):
                self.leader = error.hint
            elif host == self.leader:
                self.leader = ""
        elif is_connection_error(error) and host == self.leader:
            self.leader = ""

    def answered(self, host: str, reply: Any, *, change: bool) -> None:
        """Learn from an answer: only a leader changes anything, and whoever is asked for the leader names it."""
        if change:
            self.leader = host
        elif named := getattr(reply, "current_leader", ""):
            self.leader = named
            self.replicas = tuple(reply.replicas)
