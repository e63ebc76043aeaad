"""Which NUMA nodes get engines, by which provider and through which interfaces.

A provider is worth the sum of the priorities of its best interfaces, one on each node of a set; the set of nodes with
the lowest sum wins, and of equal ones that whose poorest node has the most SSDs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from daos_control.config.generation.terms import NET_CLASSES, CannotGenerate, Interface, Wishes

Best = Mapping[str, Mapping[int, Interface]]
"""The best interface by provider and NUMA node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The nodes that get an engine each, and what their engines talk over."""

    nodes: tuple[int, ...]
    provider: str
    score: int
    interfaces: Mapping[int, Interface]
    other_providers: tuple[str, ...]
    """Why not they."""
    other_nodes: tuple[str, ...]


def best_interfaces(interfaces: Iterable[Interface], wishes: Wishes) -> Best:
    """Return the interfaces to choose from: of the class and provider wished for, one per provider and node."""
    best: dict[str, dict[int, Interface]] = {}
    for one in sorted(interfaces, key=lambda interface: interface.priority):
        if suits(one, wishes):
            best.setdefault(one.provider, {}).setdefault(one.numa_node, one)
    return best


def suits(interface: Interface, wishes: Wishes) -> bool:
    """Whether an interface is of the class and provider wished for."""
    of_class = interface.net_class == NET_CLASSES[wishes.net_class]
    return of_class and wishes.provider in ("", interface.provider)


def choose(nodes: Sequence[int], count: int, best: Best, ssds: Mapping[int, int]) -> Choice:
    """Choose ``count`` of the nodes, whose storage will do, by their interfaces. Raises CannotGenerate.

    ``ssds`` counts the SSDs of each node.
    """
    rated = [rating for candidate in _sets(nodes, count) for rating in _ratings(candidate, best)]
    if not rated:
        raise CannotGenerate(_no_match(nodes, count, best))
    first_of = {rating.nodes: rating for rating in sorted(rated, reverse=True)}  # the best of each set
    contest = [first_of[candidate] for candidate in _sets(nodes, count) if candidate in first_of]
    winner = min(contest, key=lambda rating: (rating.score, -_fewest(rating.nodes, ssds)))
    return Choice(
        nodes=winner.nodes,
        provider=winner.provider,
        score=winner.score,
        interfaces={node: best[winner.provider][node] for node in winner.nodes},
        other_providers=tuple(_other_providers(winner, rated, best)),
        other_nodes=tuple(
            f"{in_words(other.nodes)}: {_why_not(other, winner, ssds)}"
            for other in contest
            if other.nodes != winner.nodes
        ),
    )


@dataclass(frozen=True, slots=True, order=True)
class _Rating:
    score: int
    provider: str
    nodes: tuple[int, ...]


def _sets(nodes: Sequence[int], count: int) -> list[tuple[int, ...]]:
    """All sets of so many nodes, in the order in which DAOS 2.8 tries them: of equal sets the first one wins."""
    return sorted(combinations(sorted(nodes), count), key=lambda chosen: (chosen[0], chosen[::-1]))


def _ratings(nodes: tuple[int, ...], best: Best) -> Iterator[_Rating]:
    for provider, by_node in best.items():
        if by_node.keys() >= set(nodes):
            yield _Rating(sum(by_node[node].priority for node in nodes), provider, nodes)


def _fewest(nodes: tuple[int, ...], ssds: Mapping[int, int]) -> int:
    return min(ssds.get(node, 0) for node in nodes)


def _no_match(nodes: Sequence[int], count: int, best: Best) -> str:
    text = "none of the provider-ifaces sets match the numa node sets that meet storage requirements"
    if not best:
        return f"{text}: no interface of the class and provider wished for was found (see -c and -p)"
    reach = "; ".join(f"{provider} on {in_words(sorted(by_node))}" for provider, by_node in sorted(best.items()))
    return f"{text}: {count} of {in_words(nodes)} are wanted, and there is {reach} (see -e, -c and -p)"


def in_words(nodes: Sequence[int]) -> str:
    """Name NUMA nodes.

    >>> in_words([0]), in_words([0, 1, 3])
    ('NUMA node 0', 'NUMA nodes 0, 1, 3')
    """
    return f"NUMA node{'s' if len(nodes) > 1 else ''} {', '.join(map(str, nodes))}"


def _other_providers(winner: _Rating, rated: Iterable[_Rating], best: Best) -> Iterator[str]:
    for other in sorted(rated):
        if other.nodes == winner.nodes and other.provider != winner.provider:
            yield f"{other.provider}: its priorities add up to {other.score}"
    for provider, by_node in sorted(best.items()):
        if missing := [node for node in winner.nodes if node not in by_node]:
            yield f"{provider}: no interface on {in_words(missing)}"


def _why_not(other: _Rating, winner: _Rating, ssds: Mapping[int, int]) -> str:
    if other.score > winner.score:
        return f"{other.provider} has priorities there that add up to {other.score}"
    if _fewest(other.nodes, ssds) < _fewest(winner.nodes, ssds):
        return f"as good a network, but only {_fewest(other.nodes, ssds)} SSDs for each engine"
    return "just as good, and later in the order"
