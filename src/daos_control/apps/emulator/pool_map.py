"""A pool's map: which targets on which engines carry it, in which state. Pure; a change is a new map, one version on.

The moves are those of DAOS. ``legal moves`` in one table: what an operation makes of a target in each state, where a
missing pair means "nothing to do" and a DER code refuses the whole operation.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, IntEnum
from typing import TypeAlias

import msgspec

from daos_control.base.der import Der
from daos_control.base.errors import DaosError


class TargetState(IntEnum):
    """As PoolQueryTarget numbers them."""

    UNKNOWN = 0
    DOWN_OUT = 1
    DOWN = 2
    UP = 3
    UP_IN = 4
    NEW = 5
    DRAIN = 6


DISABLED = frozenset({TargetState.DOWN, TargetState.DOWN_OUT, TargetState.NEW})
REBUILDING = frozenset({TargetState.DOWN, TargetState.DRAIN, TargetState.UP})


class Operation(Enum):
    """What can be done to targets."""

    EXCLUDE = "exclude"
    DRAIN = "drain"
    REINTEGRATE = "reintegrate"
    EXTEND = "extend"
    FINISH_REBUILD = "finish rebuild"
    REVERT_REBUILD = "revert rebuild"


_S = TargetState
MOVES: Mapping[Operation, Mapping[TargetState, TargetState | Der]] = {
    Operation.EXCLUDE: {_S.UP: _S.DOWN, _S.UP_IN: _S.DOWN, _S.NEW: Der.NOSYS},
    Operation.DRAIN: {_S.UP_IN: _S.DRAIN, _S.NEW: Der.BUSY, _S.UP: Der.BUSY},
    Operation.REINTEGRATE: {_S.DOWN: _S.UP, _S.DOWN_OUT: _S.UP, _S.NEW: Der.BUSY, _S.DRAIN: Der.BUSY},
    Operation.EXTEND: {_S.NEW: _S.UP, _S.DOWN: Der.BUSY, _S.DRAIN: Der.BUSY, _S.DOWN_OUT: Der.BUSY},
    Operation.FINISH_REBUILD: {_S.DOWN: _S.DOWN_OUT, _S.DRAIN: _S.DOWN_OUT, _S.UP: _S.UP_IN},
    Operation.REVERT_REBUILD: {_S.DRAIN: _S.UP_IN, _S.UP: _S.DOWN},
}

Address: TypeAlias = tuple[int, int]
"""Rank and index of a target."""


class PoolEngine(msgspec.Struct, frozen=True, kw_only=True):
    """One engine's share of a pool."""

    rank: int
    domain: int
    """Id of the fault domain right above the rank."""
    state: TargetState = TargetState.UP_IN
    """UP while it is being added, DOWN or DOWN_OUT after its rank was excluded as a whole."""
    targets: tuple[TargetState, ...]

    @property
    def enabled(self) -> bool:
        """True if no target is disabled."""
        return not DISABLED.intersection(self.targets)


class PoolMap(msgspec.Struct, frozen=True, kw_only=True):
    """All engines of a pool, by rank."""

    version: int
    engines: tuple[PoolEngine, ...]

    def engine(self, rank: int) -> PoolEngine:
        """Return the share of a rank; raises DaosError NONEXIST."""
        for engine in self.engines:
            if engine.rank == rank:
                return engine
        raise DaosError(Der.NONEXIST)

    @property
    def ranks(self) -> tuple[int, ...]:
        """Ranks of the pool, ascending."""
        return tuple(engine.rank for engine in self.engines)

    def count(self, wanted: Callable[[TargetState], bool]) -> int:
        """Count targets by state."""
        return sum(wanted(state) for engine in self.engines for state in engine.targets)

    def ranks_with(self, wanted: Callable[[PoolEngine], bool]) -> list[int]:
        """Ranks whose share is as wanted."""
        return [engine.rank for engine in self.engines if wanted(engine)]

    @property
    def rebuilding(self) -> bool:
        """Whether some target waits for a rebuild to finish."""
        return self.count(REBUILDING.__contains__) > 0


def new_map(domains: Mapping[int, int], targets: int) -> PoolMap:
    """Return the first map: all targets serving. ``domains`` gives each rank's fault domain."""
    engines = (
        PoolEngine(rank=rank, domain=domains[rank], targets=(TargetState.UP_IN,) * targets) for rank in sorted(domains)
    )
    return PoolMap(version=1, engines=tuple(engines))


def addresses(pool_map: PoolMap, rank: int, indices: Sequence[int]) -> list[Address]:
    """Return the named targets of a rank, or all of them; raises DaosError NONEXIST for a wrong one."""
    count = len(pool_map.engine(rank).targets)
    if any(index >= count for index in indices):
        raise DaosError(Der.NONEXIST)
    return [(rank, index) for index in indices or range(count)]


def apply(pool_map: PoolMap, operation: Operation, where: Iterable[Address], *, whole_rank: bool = False) -> PoolMap:
    """Do an operation to targets: a new map, or the same one if nothing had to change; raises DaosError.

    ``whole_rank`` says that the engine itself is gone, as when SWIM found it dead.
    """
    version = pool_map.version
    engines = {engine.rank: engine for engine in pool_map.engines}
    for rank, index in where:
        engine = engines[rank]
        after = MOVES[operation].get(engine.targets[index])
        if isinstance(after, Der):
            raise DaosError(after)
        if after is not None:
            targets = (*engine.targets[:index], after, *engine.targets[index + 1 :])
            engine = msgspec.structs.replace(engine, targets=targets)
            version += 1
        elif not whole_rank:
            continue
        state = _engine_state(engine, operation, whole_rank=whole_rank)
        version += state is not engine.state
        engines[rank] = msgspec.structs.replace(engine, state=state)
    if version == pool_map.version:
        return pool_map
    return PoolMap(version=version, engines=tuple(engines.values()))


def extend(pool_map: PoolMap, domains: Mapping[int, int], targets: int) -> PoolMap:
    """Add engines, whose targets come up; raises DaosError ALREADY if all of them are in the map."""
    present = set(pool_map.ranks)
    added = [
        PoolEngine(rank=rank, domain=domain, state=TargetState.NEW, targets=(TargetState.NEW,) * targets)
        for rank, domain in domains.items()
        if rank not in present
    ]
    if not added:
        raise DaosError(Der.ALREADY)
    engines = sorted((*pool_map.engines, *added), key=lambda engine: engine.rank)
    grown = PoolMap(version=pool_map.version + 1, engines=tuple(engines))
    where = [(engine.rank, index) for engine in added for index in range(targets)]
    return apply(grown, Operation.EXTEND, where)


def failed_domains(pool_map: PoolMap) -> int:
    """Count the fault domains with a target that is down."""
    return len({engine.domain for engine in pool_map.engines if TargetState.DOWN in engine.targets})


def waiting(pool_map: PoolMap) -> list[Address]:
    """Return the targets that wait for a rebuild to finish."""
    return [
        (engine.rank, index)
        for engine in pool_map.engines
        for index, state in enumerate(engine.targets)
        if state in REBUILDING
    ]


def _engine_state(engine: PoolEngine, operation: Operation, *, whole_rank: bool) -> TargetState:
    match operation, engine.state:
        case Operation.REINTEGRATE, TargetState.DOWN | TargetState.DOWN_OUT:
            return TargetState.UP
        case Operation.EXTEND, TargetState.NEW:
            return TargetState.UP
        case Operation.EXCLUDE, TargetState.UP | TargetState.UP_IN if whole_rank and engine_is_down(engine):
            return TargetState.DOWN
        case Operation.FINISH_REBUILD, TargetState.UP:
            return TargetState.UP_IN
        case Operation.FINISH_REBUILD, TargetState.DOWN:
            return TargetState.DOWN_OUT
        case _:
            return engine.state


def engine_is_down(engine: PoolEngine) -> bool:
    """Whether none of its targets serves."""
    return {TargetState.DOWN, TargetState.DOWN_OUT}.issuperset(engine.targets)


def survivors(pool_map: PoolMap) -> dict[int, int]:
    """Return the ranks that a pool's service may be on, with their fault domains: targets alone do not matter."""
    return {engine.rank: engine.domain for engine in pool_map.engines if engine.state is TargetState.UP_IN}
