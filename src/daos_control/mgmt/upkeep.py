"""The system as it lies in a store, for those who look after the store: told in short, checked, and made presentable.

Nothing here serves anybody; see ``apps.server.upkeep`` for what is done with it.
"""

import string
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from daos_control.base.rankset import RankSet
from daos_control.mgmt import journal, records
from daos_control.mgmt.journal import Journal
from daos_control.model.journal import Entry
from daos_control.store.api import Snapshot, StoreUnavailable, Versioned

ELECTIONS: Final = "election/"
UNSEEN: Final = 1000
"""Versions of the group map that are skipped, so that no engine takes the next one for an old one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A system in short."""

    map_version: int
    next_rank: int
    ranks: RankSet
    states: dict[str, int]
    """How many members are in each state."""
    pools: tuple[str, ...]
    """Their labels, or uuids where there is none."""
    attributes: int
    last_entry: Entry | None
    """Of the journal."""


def summary(snapshot: Snapshot) -> Summary:
    """Tell what a store holds. Raises StoreUnavailable if something in it makes no sense."""
    system = records.load(snapshot_of(snapshot, records.ROOT))
    told = Journal()
    told.load(snapshot_of(snapshot, journal.ROOT))
    entries = told.after(told.last - 1) if told.last else []
    return Summary(
        map_version=system.map_version,
        next_rank=system.next_rank,
        ranks=RankSet(system.members),
        states=dict(Counter(member.state.name.lower() for member in system.members.values())),
        pools=tuple(sorted(pool.label or pool.uuid for pool in system.pools.values())),
        attributes=len(system.attributes),
        last_entry=entries[-1] if entries else None,
    )


def snapshot_of(snapshot: Snapshot, prefix: str) -> Snapshot:
    """Return what lies under a prefix."""
    items = {key: value for key, value in snapshot.items.items() if key.startswith(prefix)}
    return Snapshot(items, snapshot.revision)


def unreadable(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the keys of the system whose values make no sense."""
    found = []
    for key, value in snapshot.items.items():
        if key.startswith(records.ROOT):
            try:
                records.load(Snapshot({key: value}, snapshot.revision))
            except StoreUnavailable:
                found.append(key)
    return tuple(found)


def without(snapshot: Snapshot, keys: tuple[str, ...]) -> Snapshot:
    """Return the snapshot without these keys."""
    return Snapshot({key: value for key, value in snapshot.items.items() if key not in keys}, snapshot.revision)


def map_version(snapshot: Snapshot) -> int:
    """Return the version of the group map; 0 if there is none that can be read."""
    try:
        return records.load(snapshot_of(snapshot, records.MAP)).map_version
    except StoreUnavailable:
        return 0


def for_a_new_life(snapshot: Snapshot, *, seen: int = 0) -> Snapshot:
    """Return what a store is to hold that takes up where another has ended.

    Nobody leads, and the next version of the group map is one that no engine has seen: neither of this snapshot, nor of
    a later one that told ``seen``.
    """
    system = records.load(snapshot_of(snapshot, records.ROOT))
    lasting = {key: value for key, value in snapshot.items.items() if not key.startswith(ELECTIONS)}
    revision = snapshot.revision + 1
    if system.members:
        # A rank that is in use is not free, whatever became of the record that says which ranks are.
        free = max(system.next_rank, *(rank + 1 for rank in system.members))
        later = max(system.map_version, seen) + UNSEEN
        lasting[records.MAP] = Versioned(records.map_to_json(later, free), revision)
    return Snapshot(dict(sorted(lasting.items())), revision)


def likely_keys() -> Iterator[str]:
    """Yield keys, or beginnings of keys, that are spread over everything a system may hold."""
    for rank in range(1000):
        yield f"system/member/{rank}"
    for prefix in ("system/pool/", "system/remains/", "system/check/finding/"):
        for first in string.hexdigits[:16]:
            for second in string.hexdigits[:16]:
                yield f"{prefix}{first}{second}"
    for prefix in ("system/attr/", "system/domain/", "system/"):
        for letter in string.printable[:62]:
            yield f"{prefix}{letter}"
    for number in range(0, 10 * journal.KEEP, journal.BLOCK // 4):
        yield journal.key_of(number)
