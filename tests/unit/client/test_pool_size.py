"""Sizes of pools: what is refused, and what share of which storage fits on every rank."""

import pytest

from daos_control.base.rankset import RankSet
from daos_control.client.errors import InvalidRequest
from daos_control.client.pool_size import PerRank, PoolSize, Share, Total, candidates, check, fitting
from daos_control.client.storage_records import (
    BdevRoles,
    HostStorage,
    NvmeController,
    ScmMountPoint,
    ScmNamespace,
    SmdDevice,
)

NORMAL, NEW, EVICTED = 1, 2, 3


def memory(rank: int, usable: int) -> ScmNamespace:
    return ScmNamespace(blockdev=f"ram{rank}", mount=ScmMountPoint(rank=rank, usable_bytes=usable))


def ssd(rank: int, usable: int, *, state: int = NORMAL, roles: int = 0) -> NvmeController:
    device = SmdDevice(uuid=f"dev{rank}", rank=rank, usable_bytes=usable, roles=BdevRoles(option_bits=roles))
    return NvmeController(pci_addr=f"0000:8{rank}:00.0", dev_state=state, smd_devices=(device,))


def host(*parts: ScmNamespace | NvmeController) -> HostStorage:
    return HostStorage(
        scm_namespaces=tuple(part for part in parts if isinstance(part, ScmNamespace)),
        nvme_devices=tuple(part for part in parts if isinstance(part, NvmeController)),
    )


@pytest.mark.parametrize(
    "size",
    [
        PerRank(tier_bytes=(0, 5)),
        Total(total_bytes=0),
        Total(total_bytes=5, ratios=(0.0, 1.0)),
        Total(total_bytes=5, ratios=(1.0,)),
        Share(fraction=0),
        Share(fraction=1.5),
        Share(fraction=1, mem_ratio=2),
    ],
    ids=repr,
)
def test_what_could_never_be_a_pool_is_refused(size: PoolSize) -> None:
    with pytest.raises(InvalidRequest):
        check(size)


def test_all_joined_ranks_are_candidates_unless_some_are_named() -> None:
    assert candidates([], [0, 2, 1]) == RankSet([0, 1, 2])
    assert candidates([2, 0], [0, 1, 2]) == RankSet([0, 2])
    with pytest.raises(InvalidRequest, match="rank 3 is not joined"):
        candidates([3, 0], [0, 1])


def test_the_rank_with_least_room_decides() -> None:
    storage = {"a": host(memory(0, 100), ssd(0, 900)), "b": host(memory(1, 80), ssd(1, 1000))}
    assert fitting(Share(fraction=0.5), RankSet([0, 1]), storage) == PerRank(tier_bytes=(40, 450))


def test_ranks_that_are_not_asked_for_do_not_count() -> None:
    storage = {"a": host(memory(0, 100), ssd(0, 900)), "b": host(memory(1, 8), ssd(1, 9))}
    assert fitting(Share(fraction=1), RankSet([0]), storage) == PerRank(tier_bytes=(100, 900))


def test_devices_of_a_rank_add_up_and_unused_ones_do_not_count() -> None:
    storage = {"a": host(memory(0, 100), ssd(0, 300), ssd(0, 400), ssd(0, 999, state=NEW))}
    assert fitting(Share(fraction=1), RankSet([0]), storage).tier_bytes == (100, 700)


def test_with_metadata_on_ssds_memory_stands_for_more_metadata() -> None:
    storage = {"a": host(memory(0, 100), ssd(0, 300, roles=1), ssd(0, 50, roles=6))}
    assert fitting(Share(fraction=1, mem_ratio=0.5), RankSet([0]), storage) == PerRank(
        tier_bytes=(200, 300), mem_ratio=0.5
    )
    assert fitting(Share(fraction=1), RankSet([0]), storage) == PerRank(tier_bytes=(100, 300), mem_ratio=1.0)


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ({}, "no host reported"),
        ({"a": host(memory(0, 0))}, "without usable memory tier: a"),
        ({"a": host(memory(0, 5), memory(0, 5))}, "more than one memory tier"),
        ({"a": host(memory(0, 5)), "b": host(memory(0, 5))}, "more than one memory tier"),
        ({"a": host(memory(0, 5), ScmNamespace(blockdev="pmem0"))}, "pmem0 of a is not mounted"),
        ({"a": host(memory(0, 5), ssd(0, 1, state=EVICTED))}, "its state is EVICTED"),
        ({"a": host(memory(0, 5), ssd(1, 1))}, "a rank without a memory tier"),
        ({"a": host(memory(7, 5))}, "no memory tier is available on ranks 0-1"),
        ({"a": host(memory(0, 1))}, "not enough memory tier"),
    ],
)
def test_storage_that_cannot_be_shared_is_explained(storage: dict[str, HostStorage], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        fitting(Share(fraction=0.5), RankSet([0, 1]), storage)
