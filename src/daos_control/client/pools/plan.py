"""What a new pool would be given on each rank, whether that fits, and how big it could be: said before it is made.

The sums are those of the management service (and, for a share, of the client), done with what hosts report to be
usable. Pure functions; ``Pools.plan`` asks for what they need. Between a plan and a pool others may take space.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daos_control.base.rankset import RankSet
from daos_control.base.units import GIB, MIB, format_si
from daos_control.client.pool_size import PerRank, PoolSize, Room, Share, Total, share_of

LEAST_PER_TARGET: Final = (16 * MIB, GIB)
"""Bytes that DAOS wants for each target, in each tier."""
MAX_REPLICAS: Final = 9
"""Pool service replicas a pool may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankShare:
    """What a pool would take of one rank, in bytes for each tier."""

    rank: int
    host: str
    usable: tuple[int, int]
    """In the first tier this is metadata that it can hold, which with metadata on SSDs may be more than its memory."""
    wanted: tuple[int, int]

    @property
    def fits(self) -> bool:
        """Whether there is so much."""
        return all(wanted <= usable for wanted, usable in zip(self.wanted, self.usable, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Which ranks keep a tier from being bigger, and what they have of it."""

    tier: int
    ranks: RankSet
    usable_bytes: int
    decisive: bool
    """Whether this tier keeps the whole pool from being bigger; each tier does if the other is free to follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LargestPool:
    """The largest pool of the shape that was asked for."""

    tier_bytes: tuple[int, int]
    """On each rank."""
    total_bytes: int
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPlan:
    """What would come of a request for a pool; ``problems`` are the reasons why it would be refused."""

    ranks: tuple[RankShare, ...]
    num_ranks: int
    """On how many of them the pool would be; which ones, the management service chooses by chance."""
    tier_bytes: tuple[int, int] | None
    """On each rank; None if no size was asked for."""
    mem_ratio: float
    md_on_ssd: bool
    targets: int | None
    """Of each rank, if they are known and all have as many."""
    largest: LargestPool
    problems: tuple[str, ...]

    @property
    def total_bytes(self) -> int:
        """Size of the whole pool that was asked for."""
        return sum(self.tier_bytes or ()) * self.num_ranks


def plan(
    size: PoolSize | None, wanted: RankSet, left: Room, *, targets: int | None = None, service_replicas: int = 0
) -> PoolPlan:
    """Say what comes of a request on these ranks, of which ``left`` tells what is usable.

    ``targets`` is how many a rank has if SSDs do not tell.
    """
    ratio = _mem_ratio(size, left)
    capacity = _capacity(left, ratio)
    asked = (size.num_ranks if isinstance(size, Total) else 0) or len(wanted)
    num_ranks = min(asked, len(wanted))
    sizes = None if size is None else _tier_bytes(size, left, num_ranks)
    shares = tuple(
        RankShare(rank=rank, host=left.hosts[rank], usable=capacity[rank], wanted=sizes or (0, 0))
        for rank in sorted(capacity)
    )
    counts = set(left.targets.values()) or ({targets} if targets else set())
    known = counts.pop() if len(counts) == 1 else None
    problems = [
        *_rank_problems(wanted, left, asked, service_replicas),
        *(_size_problems(sizes, shares, left, num_ranks) if sizes and size is not None else ()),
        *(_small_problems(sizes, known, num_ranks) if sizes and known else ()),
    ]
    largest = _largest(size, capacity, left, num_ranks)
    least = LEAST_PER_TARGET[0] * (known or 0)
    if largest.tier_bytes[0] < least:
        problems.append(f"no pool fits: its first tier needs {format_si(least)} on each rank")
    if size is not None and size.mem_ratio and not left.md_on_ssd:
        problems.append("a memory ratio is for metadata on SSDs, and this system keeps its metadata in memory")
    return PoolPlan(
        ranks=shares,
        num_ranks=num_ranks,
        tier_bytes=sizes,
        mem_ratio=ratio,
        md_on_ssd=left.md_on_ssd,
        targets=known,
        largest=largest,
        problems=tuple(problems),
    )


def _mem_ratio(size: PoolSize | None, left: Room) -> float:
    return ((size.mem_ratio if size else 0.0) or 1.0) if left.md_on_ssd else 0.0


def _capacity(left: Room, mem_ratio: float) -> Mapping[int, tuple[int, int]]:
    """Return usable bytes by rank; with metadata on SSDs, memory stands for as much metadata as the ratio says."""
    return {
        rank: (int(memory / mem_ratio) if mem_ratio else memory, flash) for rank, (memory, flash) in left.usable.items()
    }


def _tier_bytes(size: PoolSize, left: Room, num_ranks: int) -> tuple[int, int]:
    match size:
        case Total():
            first, second = _ratios(size, left)
            return int(size.total_bytes * first) // num_ranks, int(size.total_bytes * second) // num_ranks
        case Share():
            return share_of(left, size).tier_bytes
        case PerRank():
            return size.tier_bytes


def _ratios(size: Total, left: Room) -> tuple[float, float]:
    return (size.ratios[0], size.ratios[1]) if left.has_flash else (1.0, 0.0)


def _largest(size: PoolSize | None, capacity: Mapping[int, tuple[int, int]], left: Room, num_ranks: int) -> LargestPool:
    least = [min(usable[tier] for usable in capacity.values()) for tier in (0, 1)]
    fills = list(least)
    decisive = [True, left.has_flash]
    if isinstance(size, Total):
        ratios = _ratios(size, left)
        totals = [least[tier] * num_ranks / ratios[tier] if ratios[tier] else None for tier in (0, 1)]
        total = int(min(total for total in totals if total is not None))
        fills = [min(int(total * ratios[tier]) // num_ranks, least[tier]) for tier in (0, 1)]
        decisive = [found is not None and int(found) == total for found in totals]
    limits = tuple(
        Limit(
            tier=tier,
            ranks=RankSet(rank for rank, usable in capacity.items() if usable[tier] == least[tier]),
            usable_bytes=least[tier],
            decisive=decisive[tier],
        )
        for tier in ((0, 1) if left.has_flash else (0,))
    )
    return LargestPool(tier_bytes=(fills[0], fills[1]), total_bytes=sum(fills) * num_ranks, limits=limits)


def _rank_problems(wanted: RankSet, left: Room, num_ranks: int, replicas: int) -> list[str]:
    problems = []
    unseen = RankSet(rank for rank in wanted if rank not in left.usable)
    if unseen:
        hosts = "its host is" if len(unseen) == 1 else "their hosts are"
        problems.append(f"nothing is known of {unseen.named()}: {hosts} not in the host list, or did not answer")
    if num_ranks > len(wanted):
        problems.append(f"{num_ranks} ranks were asked for, and there are {len(wanted)}")
    most = min(num_ranks, len(wanted), MAX_REPLICAS)
    if replicas > most:
        problems.append(f"{replicas} replicas of the pool service were asked for, and there may be {most}")
    return problems


def _size_problems(sizes: tuple[int, int], shares: Sequence[RankShare], left: Room, num_ranks: int) -> list[str]:
    if not sizes[0]:
        return ["the first tier would have no bytes"]
    if sizes[1] and not left.has_flash:
        return [f"{format_si(sizes[1])} of SSDs are wanted on each rank, and no rank has SSDs for data"]
    problems = []
    for tier, name in enumerate(tier_names(md_on_ssd=left.md_on_ssd)):
        short = [share for share in shares if share.wanted[tier] > share.usable[tier]]
        if short:
            ranks = RankSet(share.rank for share in short)
            has = min(share.usable[tier] for share in short)
            problems.append(
                f"{name}: {format_si(sizes[tier])} are wanted on each rank, and {ranks.named()} "
                f"{'have' if len(ranks) > 1 else 'has'} {'no more than ' if len(ranks) > 1 else ''}{format_si(has)}"
            )
    if problems and num_ranks < len(shares):
        roomy = [share.rank for share in shares if share.fits]
        if len(roomy) >= num_ranks:
            problems.append(f"which ranks are taken is left to chance; {RankSet(roomy).named()} would do: name them")
    return problems


def _small_problems(sizes: tuple[int, int], targets: int, num_ranks: int) -> list[str]:
    problems = []
    for tier in (0, 1):
        least = LEAST_PER_TARGET[tier] * targets
        if 0 < sizes[tier] < least:
            problems.append(
                f"tier {tier} would have {format_si(sizes[tier])} on each rank, and its {targets} targets need "
                f"{format_si(least)} ({format_si(least * num_ranks)} in all)"
            )
    return problems


def tier_names(*, md_on_ssd: bool) -> tuple[str, str]:
    """Return what the tiers of a pool are called."""
    return ("metadata", "data") if md_on_ssd else ("SCM", "NVMe")
