"""How many targets and helpers an engine gets: from the cores of its NUMA node and its SSDs."""

from dataclasses import dataclass
from typing import Final

from daos_control.config.generation.terms import CannotGenerate

RESERVED_CORES: Final = 2
CORE_SHARE: Final = 0.8
"""The part of the cores that targets get; helpers have the rest."""
MOST_TARGETS: Final = 16
"""Targets of an engine without SSDs, if there are cores for so many."""
TARGETS_PER_HELPER: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """The numbers, and the reasons for them."""

    targets: int
    helpers: int
    targets_because: str
    helpers_because: str


def threads_for(cores: int, ssds: int) -> Threads:
    """Share out the cores of a NUMA node: every SSD gets as many targets as any other. Raises CannotGenerate.

    >>> threads = threads_for(24, 4)
    >>> threads.targets, threads.helpers
    (16, 4)
    """
    spare = cores - RESERVED_CORES
    if spare < 1:
        raise CannotGenerate(
            f"invalid number of cores-per-numa, want at least {RESERVED_CORES + 1} got {cores}: "
            f"{RESERVED_CORES} are left to the system, and an engine needs at least one"
        )
    left = f"{spare} cores (the {cores} of a NUMA node, less {RESERVED_CORES} for the system)"
    if not ssds:
        targets = min(MOST_TARGETS, spare)
        return Threads(
            targets=targets,
            helpers=0,
            targets_because=f"{MOST_TARGETS} without SSDs, if there are cores for so many; there are {left}",
            helpers_because="none without SSDs",
        )
    per_ssd = int(spare * CORE_SHARE / ssds)
    if not per_ssd:
        return Threads(
            targets=min(ssds, spare),
            helpers=0,
            targets_because=f"one for each of {ssds} SSDs, as far as the cores go; there are {left}",
            helpers_because="no cores are left for helpers",
        )
    targets = ssds * per_ssd
    whose = f"each of {ssds} SSDs" if ssds > 1 else "its SSD"
    return Threads(
        targets=targets,
        helpers=targets // TARGETS_PER_HELPER,
        targets_because=f"{per_ssd} for {whose}: not more than {CORE_SHARE:.0%} of {left}",
        helpers_because=f"one for each {TARGETS_PER_HELPER} targets",
    )
