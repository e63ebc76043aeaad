"""Which NUMA nodes get engines, by which provider and through which interfaces.

A provider is worth the sum of the priorities of its best interfaces, one on each node of a set; the set of nodes with
the lowest sum wins, and of equal ones that whose poorest node has the most SSDs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from daos_control.config.generation.terms import NET_CLASSES, CannotGenerate, Interface, Wishes

_NO_MATCH: Final = "none of the provider-ifaces sets match the numa node sets that meet storage requirements"
_RUNNERS_UP: Final = 3
"""So many of the other sets of nodes are told of."""

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
        other_nodes=tuple(_other_nodes(winner, contest, ssds)),
    )


def none_suits(interfaces: Sequence[Interface], wishes: Wishes) -> str:
    """Say that no interface is of the class and provider wished for, and what there is."""
    if not interfaces:
        return f"{_NO_MATCH}: no interface was found that is up and has an address"
    providers: dict[str, set[str]] = {}
    for one in interfaces:
        providers.setdefault(class_word(one.net_class), set()).add(one.provider)
    there = "; ".join(f"{kind} with {', '.join(sorted(names))}" for kind, names in sorted(providers.items()))
    return f"{_NO_MATCH}: no {_wished(wishes)} was found, but {there} (see --net-class and --net-provider)"


def unreached(nodes: Iterable[int], best: Best, wishes: Wishes) -> Iterator[str]:
    """Name the nodes whose storage would do, and that nothing reaches."""
    reached = {node for by_node in best.values() for node in by_node}
    return (f"{in_words([node])}: no {_wished(wishes)}" for node in nodes if node not in reached)


def _wished(wishes: Wishes) -> str:
    return f"{wishes.net_class} interface" + (f" with {wishes.provider}" if wishes.provider else "")


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
    wanted = f"{count} engines are wanted, on any of {in_words(nodes)}"
    if count == len(nodes):
        wanted = f"{'engines are' if count > 1 else 'an engine is'} wanted on {in_words(nodes)}"
    reach = "; ".join(f"{provider} on {in_words(sorted(by_node))}" for provider, by_node in sorted(best.items()))
    return f"{_NO_MATCH}: {wanted}, and there is {reach} (see -e, -c and -p)"


def class_word(net_class: int) -> str:
    """Name a class of interfaces.

    >>> class_word(32), class_word(24)
    ('infiniband', 'class 24')
    """
    return next((word for word, number in NET_CLASSES.items() if number == net_class), f"class {net_class}")


def in_words(nodes: Sequence[int]) -> str:
    """Name NUMA nodes.

    >>> in_words([0]), in_words([0, 1, 3])
    ('NUMA node 0', 'NUMA nodes 0, 1, 3')
    """
    return f"NUMA node{'s' if len(nodes) > 1 else ''} {', '.join(map(str, nodes))}"


def _other_nodes(winner: _Rating, contest: Iterable[_Rating], ssds: Mapping[int, int]) -> Iterator[str]:
    """Tell of the sets that come next, and how many more there are."""
    others = [other for other in contest if other.nodes != winner.nodes]
    others.sort(key=lambda rating: (rating.score, -_fewest(rating.nodes, ssds)))
    for other in others[:_RUNNERS_UP]:
        yield f"{in_words(other.nodes)}: {_why_not(other, winner, ssds)}"
    if len(others) > _RUNNERS_UP:
        yield f"{len(others) - _RUNNERS_UP} other sets of NUMA nodes: none of them better"


def _other_providers(winner: _Rating, rated: Iterable[_Rating], best: Best) -> Iterator[str]:
    for other in sorted(rated):
        if other.nodes == winner.nodes and other.provider != winner.provider:
            worse = f"its priorities add up to {other.score}"
            equal = "just as good, and later by name"
            yield f"{other.provider}: {worse if other.score > winner.score else equal}"
    for provider, by_node in sorted(best.items()):
        if missing := [node for node in winner.nodes if node not in by_node]:
            yield f"{provider}: no interface on {in_words(missing)}"


def _why_not(other: _Rating, winner: _Rating, ssds: Mapping[int, int]) -> str:
    if other.score > winner.score:
        return f"{other.provider} has priorities there that add up to {other.score}"
    if _fewest(other.nodes, ssds) < _fewest(winner.nodes, ssds):
        return f"as good a network, but only {_fewest(other.nodes, ssds)} SSDs for each engine"
    return "just as good, and later in the order"
