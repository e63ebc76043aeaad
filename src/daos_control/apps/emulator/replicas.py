"""Where the replicas of a pool service live: as many as its redundancy factor asks for, spread over fault domains."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from daos_control.base.der import Der
from daos_control.base.errors import DaosError

DEFAULT_FACTOR = 2
MAX_FACTOR = 4


def factor_of(replicas: int) -> int:
    """Return the redundancy factor that so many replicas give; an even one adds nothing. Raises DaosError INVAL.

    >>> factor_of(0), factor_of(2), factor_of(5)
    (2, 0, 2)
    """
    if replicas == 0:
        return DEFAULT_FACTOR
    factor = (replicas - 1) // 2
    if factor > MAX_FACTOR:
        raise DaosError(Der.INVAL)
    return factor


def plan(domains: Mapping[int, int], factor: int, current: Iterable[int] = ()) -> tuple[int, ...]:
    """Choose replicas among ranks (with their fault domains): keep usable ones, then fill the emptiest domains.

    >>> plan({0: 1, 1: 1, 2: 2, 3: 2}, 1)
    (0, 1, 2)
    """
    wanted = min(2 * factor + 1, len(domains))
    chosen = [rank for rank in sorted(current) if rank in domains][:wanted]
    load = Counter(domains[rank] for rank in chosen)
    while len(chosen) < wanted:
        rank = min(set(domains).difference(chosen), key=lambda rank: (load[domains[rank]], rank))
        chosen.append(rank)
        load[domains[rank]] += 1
    return tuple(sorted(chosen))


@dataclass(frozen=True, slots=True)
class DomainTree:
    """The fault domains sent along with a pool's ranks."""

    of_rank: Mapping[int, int]
    """The domain right above each rank."""
    count: int
    """Domains below the root."""


def parse_domains(words: Sequence[int]) -> DomainTree:
    """Read the compressed tree: one word of flags, (level, id, children) breadth-first, then the ranks.

    Raises DaosError INVAL if the words do not add up.
    """
    level_ids: list[tuple[int, int, int]] = []
    position, expected = 1, 1
    while expected:
        triple = words[position : position + 3]
        if len(triple) < 3:
            raise DaosError(Der.INVAL)
        level, domain, children = triple
        level_ids.append((level, domain, children))
        position += 3
        expected += (children if level > 1 else 0) - 1
    leaves = [(domain, children) for level, domain, children in level_ids if level == 1]
    ranks = words[position:]
    if len(ranks) != sum(children for _, children in leaves):
        raise DaosError(Der.INVAL)
    owners = [domain for domain, children in leaves for _ in range(children)]
    return DomainTree(dict(zip(ranks, owners, strict=True)), len(level_ids) - 1)


def ranks_text(ranks: Iterable[int]) -> str:
    """Write ranks as engines do.

    >>> ranks_text([7, 0, 1, 2]), ranks_text([])
    ('[0-2,7]', '[]')
    """
    spans: list[list[int]] = []
    for rank in sorted(ranks):
        if spans and spans[-1][1] == rank - 1:
            spans[-1][1] = rank
        else:
            spans.append([rank, rank])
    return "[" + ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans) + "]"
