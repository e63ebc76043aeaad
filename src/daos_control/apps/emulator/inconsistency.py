"""What can be inconsistent, and how it is noticed. Pure.

Pools without data can differ from what the management service knows, from their maps, and between their replicas: that
is found by comparing (``pool_troubles``). Everything else a checker looks for needs data; it is only found where
somebody pretends it (``Pretended``).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from daos_control.apps.emulator import pool_map, properties
from daos_control.apps.emulator.pool import PoolRecord
from daos_control.wire.pb.chk import chk_pb2


@dataclass(frozen=True, slots=True)
class Kind:
    """One class of inconsistency."""

    number: int
    phase: int
    """When a check looks for it."""
    text: str
    default: int
    """What is done if no policy says otherwise."""
    choices: Mapping[int, str]
    """What an administrator may choose, the best first."""


_LEAVE: Mapping[int, str] = {chk_pb2.CIA_IGNORE: "Leave everything as it is."}


def _kind(number: int, phase: int, text: str, default: int, choices: Mapping[int, str]) -> Kind:
    best = next(iter(choices))
    marked = {best: f"{choices[best][:-1]} [suggested]."}
    return Kind(number, phase, text, default, {**choices, **marked, **_LEAVE})


KINDS: Mapping[int, Kind] = {
    kind.number: kind
    for kind in (
        _kind(
            chk_pb2.CIC_POOL_LESS_SVC_WITHOUT_QUORUM,
            chk_pb2.CSP_POOL_MBS,
            "Most replicas of a pool service are lost.",
            chk_pb2.CIA_INTERACT,
            {
                chk_pb2.CIA_TRUST_PS: "Go on with the replicas that are left.",
                chk_pb2.CIA_DISCARD: "Destroy the pool.",
            },
        ),
        _kind(
            chk_pb2.CIC_POOL_NONEXIST_ON_MS,
            chk_pb2.CSP_POOL_LIST,
            "Engines have a pool that the management service does not know.",
            chk_pb2.CIA_READD,
            {
                chk_pb2.CIA_READD: "Tell the management service of the pool.",
                chk_pb2.CIA_DISCARD: "Destroy the pool on the engines.",
            },
        ),
        _kind(
            chk_pb2.CIC_POOL_NONEXIST_ON_ENGINE,
            chk_pb2.CSP_POOL_LIST,
            "The management service knows a pool that no engine has.",
            chk_pb2.CIA_DISCARD,
            {chk_pb2.CIA_DISCARD: "Forget the pool in the management service."},
        ),
        _kind(
            chk_pb2.CIC_POOL_BAD_SVCL,
            chk_pb2.CSP_POOL_MBS,
            "The management service has other replicas for a pool service than there are.",
            chk_pb2.CIA_TRUST_PS,
            {chk_pb2.CIA_TRUST_PS: "Take the replicas that the pool service has."},
        ),
        _kind(
            chk_pb2.CIC_POOL_BAD_LABEL,
            chk_pb2.CSP_POOL_CLEANUP,
            "The management service has another label for a pool than its service.",
            chk_pb2.CIA_TRUST_PS,
            {
                chk_pb2.CIA_TRUST_PS: "Take the label that the pool service has.",
                chk_pb2.CIA_TRUST_MS: "Take the label that the management service has.",
            },
        ),
        _kind(
            chk_pb2.CIC_ENGINE_NONEXIST_IN_MAP,
            chk_pb2.CSP_POOL_MBS,
            "An engine has a share of a pool in whose map it is not.",
            chk_pb2.CIA_DISCARD,
            {chk_pb2.CIA_DISCARD: "Remove the share."},
        ),
        _kind(
            chk_pb2.CIC_ENGINE_HAS_NO_STORAGE,
            chk_pb2.CSP_POOL_MBS,
            "An engine in a pool's map has no share of the pool.",
            chk_pb2.CIA_DISCARD,
            {chk_pb2.CIA_DISCARD: "Exclude the engine from the pool."},
        ),
        _kind(
            chk_pb2.CIC_CONT_NONEXIST_ON_PS,
            chk_pb2.CSP_CONT_LIST,
            "A target has a container that the pool service does not know.",
            chk_pb2.CIA_DISCARD,
            {chk_pb2.CIA_DISCARD: "Remove the container."},
        ),
        _kind(
            chk_pb2.CIC_CONT_BAD_LABEL,
            chk_pb2.CSP_CONT_CLEANUP,
            "A container has another label than the pool service knows.",
            chk_pb2.CIA_TRUST_PS,
            {
                chk_pb2.CIA_TRUST_PS: "Take the label that the pool service has.",
                chk_pb2.CIA_TRUST_TARGET: "Take the label that the container has.",
            },
        ),
    )
}


class Pretended(msgspec.Struct, frozen=True):
    """An inconsistency that is not there: found by every check until it is repaired."""

    kind: int
    pool: str
    status: int = 0
    """What its repair fails with; 0 for one that succeeds."""


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Something inconsistent about a pool."""

    kind: int
    pool: str
    label: str
    rank: int | None = None
    """The rank concerned, if it is one."""
    record: PoolRecord | None = None
    """What the pool service knows, if there is one."""
    replicas: list[int] = []
    """Ranks that have that."""
    pretended: Pretended | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """Everything that is known of one pool, by everybody."""

    pool: str
    known: tuple[str, Collection[int]] | None
    """The label and the replicas that the management service has."""
    record: PoolRecord | None
    replicas: Collection[int]
    """Ranks that have a record."""
    holders: Collection[int]
    """Ranks that have a share."""
    checked: Collection[int]
    """Ranks that were asked."""

    @property
    def label(self) -> str:
        """The best name for it."""
        if self.known is not None:
            return self.known[0]
        return str(self.record.properties[properties.LABEL]) if self.record else ""


def pool_troubles(view: PoolView, phase: int, *, orphans: bool) -> Iterator[Trouble]:
    """Return what is inconsistent about a pool, as far as a phase of a check looks for it."""
    for number, rank in _differences(view, orphans=orphans):
        if KINDS[number].phase == phase:
            yield Trouble(
                kind=number,
                pool=view.pool,
                label=view.label,
                rank=rank,
                record=view.record,
                replicas=sorted(view.replicas),
            )


def _differences(view: PoolView, *, orphans: bool) -> Iterator[tuple[int, int | None]]:
    record = view.record
    if record is None:
        if view.known is not None:
            yield chk_pb2.CIC_POOL_NONEXIST_ON_ENGINE, None
    elif view.known is None:
        if orphans:
            yield chk_pb2.CIC_POOL_NONEXIST_ON_MS, None
    else:
        label, replicas = view.known
        if len(set(view.replicas) & set(record.replicas)) <= len(record.replicas) // 2:
            yield chk_pb2.CIC_POOL_LESS_SVC_WITHOUT_QUORUM, None
        elif set(record.replicas) != set(replicas):
            yield chk_pb2.CIC_POOL_BAD_SVCL, None
        if str(record.properties[properties.LABEL]) != label:
            yield chk_pb2.CIC_POOL_BAD_LABEL, None
        yield from _misplaced(view, record)


def _misplaced(view: PoolView, record: PoolRecord) -> Iterator[tuple[int, int | None]]:
    """Compare a pool's map with where its shares are; ranks that were not asked may have one."""
    mapped = {engine.rank: engine for engine in record.map.engines}
    for rank in sorted(set(view.holders) - mapped.keys()):
        yield chk_pb2.CIC_ENGINE_NONEXIST_IN_MAP, rank
    for rank, engine in sorted(mapped.items()):
        if rank in view.checked and rank not in view.holders and not pool_map.engine_is_down(engine):
            yield chk_pb2.CIC_ENGINE_HAS_NO_STORAGE, rank
