"""Pool services in a few engines that can be cut off from each other."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from daos_control.apps.emulator.pool import ChangeTargets, PoolRecord, Query, new_record
from daos_control.apps.emulator.pool_map import Operation
from daos_control.apps.emulator.replicas import DomainTree
from daos_control.apps.emulator.services import Ask, Read, Remove, Services, Write
from daos_control.apps.emulator.space import Size
from daos_control.apps.emulator.storage import Shard, Store
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

UUID = "1e9e8d43-59dd-42ac-8843-6de1f5513952"
RANKS = (0, 1, 2, 3)


class Group:
    """Engines that reach each other by plain calls, unless they are down."""

    def __init__(self, folder: Path) -> None:
        self.down: set[int] = set()
        self.services: dict[int, Services] = {}
        for rank in RANKS:
            (folder / str(rank)).mkdir()
            store = Store(folder / str(rank), scm_bytes=1 << 20)
            store.load()
            store.create_shard(UUID, Shard(size=Size(scm=100, nvme=0), targets=1))
            self.services[rank] = Services(
                store, Member(self, rank), patience_s=0.3, on_lead=lambda _: None, on_change=lambda *_: None
            )
            self.services[rank].open = True


class Member:
    """How one engine sees the group."""

    def __init__(self, group: Group, rank: int) -> None:
        self._group = group
        self.rank = rank

    def usable(self, rank: int) -> bool:
        return rank not in self._group.down

    async def ask(self, rank: int, request: msgspec.Struct, reply: type[Any], *, timeout_s: float) -> Any:
        await asyncio.sleep(0)
        if rank in self._group.down:
            raise DaosError(Der.UNREACH)
        services = self._group.services[rank]
        handlers: dict[type, Any] = {
            Read: services.on_read,
            Write: services.on_write,
            Remove: services.on_remove,
            Ask: services.on_ask,
        }
        return await handlers[type(request)](request)


def fresh() -> PoolRecord:
    tree = DomainTree({rank: rank // 2 for rank in RANKS}, count=2)
    made = new_record(UUID, given={1: "p0"}, entries=[], tree=tree, targets=1)
    return msgspec.structs.replace(made, replicas=RANKS)


async def test_replicas_that_point_at_each_other_are_brought_together(tmp_path: Path) -> None:
    """A leader that dropped itself, and died before a majority knew, thinks that another leads; the rest think it."""
    group = Group(tmp_path)
    await group.services[0].found(fresh())
    group.down = {1, 2}
    out = ChangeTargets(operation=Operation.EXCLUDE, rank=0, whole_rank=True, force=True)
    with pytest.raises(DaosError):
        await group.services[0].lead(UUID, out)
    group.down = set()
    assert 0 not in group.services[0].records[UUID].replicas, "the scene is set"
    assert group.services[1].records[UUID].replicas == RANKS
    for asking in RANKS:
        outcome = await group.services[asking].call(UUID, RANKS, Query())
        assert outcome.record is not None
        assert outcome.record.replicas == (1, 2, 3), "the change that was begun is finished"


async def test_a_new_replica_that_never_heard_that_it_is_one_keeps_nobody_from_the_pool(tmp_path: Path) -> None:
    """It died while the pool was extended to it, and comes first in the record that all others have."""
    group = Group(tmp_path)
    for rank in (1, 2, 3):
        await group.services[rank].on_write(Write(fresh()))
    outcome = await group.services[2].call(UUID, (1, 2, 3), Query())
    assert outcome.record is not None
    assert UUID in group.services[0].records, "it is one now"
    assert (await group.services[0].call(UUID, (1, 2, 3), Query())).leader == 0


async def test_a_service_that_does_not_fit_on_a_replica_is_not_founded(tmp_path: Path) -> None:
    group = Group(tmp_path)
    with pytest.raises(DaosError) as error:
        await group.services[0].found(msgspec.structs.replace(fresh(), service_bytes=1 << 20))
    assert error.value.status == Der.NOSPACE


async def test_without_a_majority_nobody_answers(tmp_path: Path) -> None:
    group = Group(tmp_path)
    await group.services[0].found(fresh())
    group.down = {0, 1, 2}
    with pytest.raises(DaosError) as error:
        await group.services[3].call(UUID, RANKS, Query())
    assert error.value.status == Der.TIMEDOUT
