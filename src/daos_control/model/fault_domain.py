"""Where an engine stands: fault domains, and the tree that tells engines how to spread replicas.

A domain is a path such as ``/rack1/node7``; its levels may be labelled, ``/rack=1/node=7``. Ranks are the
leaves under their domain. Engines receive the tree as a list of 32-bit words (``FaultTree.words``) and
keep the node numbers in their pool maps, so a node's number never changes while it exists.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self

from msgspec import Struct, field
from msgspec.structs import replace

from daos_control.base.growing import with_item

ROOT_ID: Final = 1
PERFORMANCE_DOMAIN: Final = 2
"""Bit of the metadata word: the tree has a level above hosts."""


class FaultDomainError(ValueError):
    """The text names no fault domain."""


@dataclass(frozen=True, slots=True)
class FaultDomain:
    """A path from the root downwards.

    >>> domain = FaultDomain.parse(" /Rack1/Node7")
    >>> str(domain), domain.levels
    ('/rack1/node7', ('rack1', 'node7'))
    """

    levels: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    """One label for each level, or none at all."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``/a/b`` or ``/label=a/label=b``; blank text and ``/`` are the empty domain."""
        text = text.strip()
        if text in {"", "/"}:
            return cls()
        if not text.startswith("/"):
            raise FaultDomainError(f"invalid fault domain {text!r}: a path starts with '/'")
        pairs = [_level(part, text) for part in text[1:].split("/")]
        labelled = [bool(label) for label, _ in pairs]
        if any(labelled) and not all(labelled):
            raise FaultDomainError(f"invalid fault domain {text!r}: label all levels or none")
        labels = tuple(label for label, _ in pairs) if all(labelled) else ()
        return cls(tuple(level for _, level in pairs), labels)

    @property
    def label_per_level(self) -> tuple[str, ...]:
        """The labels, with an empty one for every level of an unlabelled domain."""
        return self.labels or ("",) * len(self.levels)

    def __str__(self) -> str:
        parts = (
            f"{label}={level}" if label else level
            for label, level in zip(self.label_per_level, self.levels, strict=True)
        )
        return "/" + "/".join(parts)

    def __bool__(self) -> bool:
        return bool(self.levels)


def _level(part: str, whole: str) -> tuple[str, str]:
    label, equals, level = part.rpartition("=")
    label, level = _bare(label), _bare(level)
    if not level or "=" in label or (equals and not label):
        raise FaultDomainError(f"invalid fault domain {whole!r}: bad level {part!r}")
    return label, level


def _bare(text: str) -> str:
    return text.strip().strip("'\"").strip().lower()


Path = tuple[str, ...]


class FaultTree(Struct, frozen=True):
    """Domains and the ranks under them, each node with its number.

    >>> tree = FaultTree().with_rank(0, FaultDomain.parse("/h1")).with_rank(1, FaultDomain.parse("/h2"))
    >>> tree.words()
    [0, 2, 1, 2, 1, 2, 1, 1, 4, 1, 0, 1]
    """

    domains: Mapping[Path, int] = field(default_factory=lambda: {(): ROOT_ID})
    """Node numbers by path; domains that have lost their ranks stay."""
    ranks: Mapping[int, tuple[Path, int]] = field(default_factory=dict)
    """For each rank the path of its domain and its own node number."""
    highest: int = ROOT_ID

    @property
    def depth(self) -> int:
        """Edges from the root to a rank, 0 while there is none. All ranks are equally deep: joins see to that."""
        some = next(iter(self.ranks), None)
        return 0 if some is None else len(self.ranks[some][0]) + 1

    def with_rank(self, rank: int, domain: FaultDomain) -> Self:
        """Put a rank under its domain; one that is there already moves and gets a new number."""
        _, own = self.ranks.get(rank, ((), 0))
        number = self.highest if own != self.highest else self.without_rank(rank).highest
        domains = self.domains
        for length in range(1, len(domain.levels) + 1):
            if domain.levels[:length] not in domains:
                number += 1
                domains = with_item(domains, domain.levels[:length], number)
        ranks = with_item(self.ranks, rank, (domain.levels, number + 1))
        return replace(self, domains=domains, ranks=ranks, highest=number + 1)

    def without_rank(self, rank: int) -> Self:
        """Take a rank out; its domain stays, even if empty."""
        if rank not in self.ranks:
            return self
        ranks = {other: place for other, place in self.ranks.items() if other != rank}
        highest = self.highest
        if self.ranks[rank][1] == highest:
            highest = max(*self.domains.values(), *(number for _, number in ranks.values()), ROOT_ID)
        return replace(self, ranks=ranks, highest=highest)

    def words(self, ranks: Collection[int] | None = None) -> list[int]:
        """Encode the branches to ``ranks`` (all by default), breadth first, for the engines.

        The first word is metadata. A domain takes three: how far above the ranks it is, its number, how many
        children follow; a rank takes one, itself. Children are sorted as text, so rank 10 comes before 2.
        """
        chosen = set(self.ranks if ranks is None else ranks)
        for rank in sorted(chosen):
            if rank not in self.ranks:
                raise LookupError(f"rank {rank} not found in fault domain tree")
        metadata = PERFORMANCE_DOMAIN if self.depth > 2 else 0
        return [metadata, *self._tiers(chosen)]

    def _tiers(self, chosen: Collection[int]) -> Iterator[int]:
        children = self._branches(chosen)
        tier: list[Path | int] = [()]
        level = max((len(self.ranks[rank][0]) + 1 for rank in chosen), default=0)
        while tier:
            below: list[Path | int] = []
            for node in tier:
                if isinstance(node, int):
                    yield node
                    continue
                family = children.get(node, {})
                yield from (level, self.domains[node], len(family))
                below += [family[name] for name in sorted(family)]
            tier, level = below, level - 1

    def _branches(self, chosen: Collection[int]) -> dict[Path, dict[str, Path | int]]:
        children: dict[Path, dict[str, Path | int]] = {}
        for rank in chosen:
            path, _ = self.ranks[rank]
            children.setdefault(path, {})[f"rank{rank}"] = rank
            for length in range(len(path)):
                children.setdefault(path[:length], {})[path[length]] = path[: length + 1]
        return children
