"""The system as it lies in a store, told in short and made presentable."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from daos_control.mgmt import records
from daos_control.mgmt.journal import Journal
from daos_control.mgmt.system import System
from daos_control.mgmt.upkeep import (
    UNSEEN,
    for_a_new_life,
    likely_keys,
    map_version,
    summary,
    unreadable,
    without,
)
from daos_control.model.fault_domain import FaultDomain, FaultTree
from daos_control.model.journal import Cause, Moved
from daos_control.model.member import Member
from daos_control.model.member_state import MemberState
from daos_control.model.pool import PoolService, PoolState
from daos_control.store.api import Snapshot, StoreUnavailable, Versioned

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def member(rank: int, state: MemberState = MemberState.JOINED) -> Member:
    return Member(
        rank=rank,
        uuid=f"00000000-0000-4000-8000-{rank:012}",
        addr="10.0.0.1:10001",
        state=state,
        fault_domain=FaultDomain.parse("/node1"),
        fabric_uri=f"ofi+tcp://10.0.0.1:{rank}",
        last_update=NOW,
    )


def snapshot() -> Snapshot:
    """A store with three members, a pool and a journal, held by a leader."""
    members = {rank: member(rank) for rank in range(2)} | {5: member(5, MemberState.EXCLUDED)}
    tree = FaultTree()
    for one in members.values():
        tree = tree.with_rank(one.rank, one.fault_domain)
    uuid = "11111111-0000-4000-8000-000000000000"
    pool = PoolService(uuid=uuid, label="tank", state=PoolState.READY, last_update=NOW)
    system = msgspec.structs.replace(
        System(), members=members, tree=tree, pools={pool.uuid: pool}, map_version=12, next_rank=6
    )
    written = records.writes(System(), system)
    moved = Moved(
        rank=5, before=MemberState.JOINED, after=MemberState.EXCLUDED, at=NOW, addr="a", map_version=12, cause=Cause()
    )
    written |= Journal().adding([moved]).writes
    written["election/management"] = b"10.0.0.1:10001"
    return Snapshot({key: Versioned(value, 7) for key, value in sorted(written.items()) if value is not None}, 7)


def test_a_system_in_short():
    told = summary(snapshot())
    assert (told.map_version, told.next_rank, str(told.ranks), told.pools) == (12, 6, "0-1,5", ("tank",))
    assert told.states == {"joined": 2, "excluded": 1}
    assert told.last_entry is not None
    assert told.last_entry.sequence == 1


def test_an_empty_store():
    told = summary(Snapshot({}, 0))
    assert (len(told.ranks), told.pools, told.last_entry) == (0, (), None)


def test_values_that_make_no_sense_are_found_and_can_be_left_out():
    broken = snapshot()
    items = {**broken.items, "system/member/1": Versioned(b"{", 7), "system/attr/x": Versioned(b"\xff", 7)}
    broken = replace(broken, items=dict(sorted(items.items())))
    with pytest.raises(StoreUnavailable):
        summary(broken)
    assert unreadable(broken) == ("system/attr/x", "system/member/1")
    assert str(summary(without(broken, unreadable(broken))).ranks) == "0,5"
    assert unreadable(snapshot()) == ()


@pytest.mark.parametrize(("seen", "version"), [(0, 12 + UNSEEN), (100, 100 + UNSEEN)])
def test_a_new_life_is_led_by_nobody_and_begins_with_an_unseen_map(seen, version):
    new = for_a_new_life(snapshot(), seen=seen)
    assert new.revision == 8
    assert not [key for key in new.items if key.startswith("election/")]
    assert map_version(new) == version
    before, after = summary(snapshot()), summary(new)
    assert (after.ranks, after.pools, after.states, after.next_rank) == (
        before.ranks,
        before.pools,
        before.states,
        before.next_rank,
    )


def test_ranks_in_use_are_not_given_away_though_the_record_of_free_ones_is_lost():
    assert summary(for_a_new_life(without(snapshot(), (records.MAP,)))).next_rank == 6


def test_a_map_version_that_cannot_be_read():
    assert map_version(Snapshot({records.MAP: Versioned(b"{", 1)}, 1)) == 0
    assert map_version(Snapshot({}, 1)) == 0


def test_likely_keys_reach_everywhere():
    keys = sorted(likely_keys())
    for key in snapshot().items:
        if not key.startswith(("election/", "journal/")):
            assert any(key.startswith(one) for one in keys), key
