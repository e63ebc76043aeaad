"""Sets of nodes."""

from collections.abc import Iterable

from daos_control.base.hostset import HostSet

Nodes = str | Iterable[str] | None


class NodeSetParseError(ValueError):
    """A text names no nodes."""


class NodeSet(set[str]):
    """Nodes, given folded, one by one, or not at all."""

    def __init__(self, nodes: Nodes = None) -> None:
        super().__init__(_each(nodes))

    def update(self, *others: Nodes) -> None:
        """Add nodes."""
        super().update(*map(_each, others))

    def add(self, nodes: Nodes) -> None:
        """Add nodes, which may be several."""
        self.update(nodes)

    def __str__(self) -> str:
        return str(HostSet(self))


def _each(nodes: Nodes) -> Iterable[str]:
    return HostSet.parse(nodes) if isinstance(nodes, str) else nodes or ()
