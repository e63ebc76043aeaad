"""Files that survive."""

from pathlib import Path

import pytest

from daos_control.apps.emulator.pool import PoolRecord, new_record
from daos_control.apps.emulator.replicas import DomainTree
from daos_control.apps.emulator.space import Size
from daos_control.apps.emulator.storage import EngineFile, Replica, Shard, StorageError, Store
from daos_control.base.der import Der
from daos_control.base.errors import DaosError

UUID = "1e9e8d43-59dd-42ac-8843-6de1f5513952"
OTHER = "59228166-8a08-4742-bacf-22416216132a"
SHARD = Shard(size=Size(scm=100, nvme=0), targets=2)


def opened(path: Path, scm_bytes: int | None = 1000) -> Store:
    store = Store(path, scm_bytes=scm_bytes)
    store.load()
    return store


def record(uuid: str = UUID, service_bytes: int = 0) -> PoolRecord:
    tree = DomainTree({0: 1}, 1)
    return new_record(uuid, given={1: "p0"}, entries=[], tree=tree, targets=2, service_bytes=service_bytes)


def test_everything_is_there_again(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.create_shard(UUID, SHARD)
    store.write_replica(Replica(promised=3, record=record()))
    store.next_incarnation(77)
    again = opened(tmp_path)
    assert again.shards == {UUID: SHARD}
    assert again.replicas == {UUID: Replica(promised=3, record=record())}
    assert again.kept("engine", EngineFile) == EngineFile(incarnation=77)


def test_a_pool_that_does_not_fit(tmp_path: Path) -> None:
    store = opened(tmp_path, scm_bytes=399)
    store.create_shard(UUID, SHARD)
    store.create_shard(UUID, SHARD)
    assert store.scm_free == 199
    with pytest.raises(DaosError) as error:
        store.create_shard(OTHER, SHARD)
    assert error.value.status == Der.NOSPACE
    assert not (tmp_path / OTHER).exists()


def test_memory_files_have_the_size_of_their_targets_and_take_no_memory(tmp_path: Path) -> None:
    size = 64 << 20
    opened(tmp_path, scm_bytes=1 << 30).create_shard(UUID, Shard(size=Size(scm=size, nvme=0), targets=2))
    files = [tmp_path / UUID / f"vos-{target}" for target in range(2)]
    assert [(file.stat().st_size, file.stat().st_blocks) for file in files] == [(size, 0)] * 2
    files[0].unlink()
    opened(tmp_path)
    assert files[0].stat().st_size == size


def test_a_replica_takes_its_room_until_it_is_dismissed(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.create_shard(UUID, SHARD)
    for promised in (0, 1):
        store.write_replica(Replica(promised=promised, record=record(service_bytes=300)))
        assert store.scm_free == 500, "however often it is written"
    file = tmp_path / UUID / "rdb-pool"
    assert (file.stat().st_size, file.stat().st_blocks) == (300, 0)
    file.unlink()
    assert opened(tmp_path).scm_free == 500
    assert file.stat().st_size == 300
    store.remove_replica(UUID)
    assert (store.scm_free, opened(tmp_path).scm_free, file.exists()) == (800, 800, False)
    store.write_replica(Replica(promised=0, record=record(service_bytes=300)))
    store.destroy(UUID)
    assert store.scm_free == 1000


def test_a_replica_that_does_not_fit(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for uuid in (UUID, OTHER):
        store.create_shard(uuid, SHARD)
    store.write_replica(Replica(promised=0, record=record(service_bytes=400)))
    with pytest.raises(DaosError) as error:
        store.write_replica(Replica(promised=0, record=record(OTHER, service_bytes=400)))
    assert error.value.status == Der.NOSPACE
    assert list(store.replicas) == list(opened(tmp_path).replicas) == [UUID]
    assert not (tmp_path / OTHER / "rdb-pool").exists()


def test_the_size_is_that_of_the_file_system(tmp_path: Path) -> None:
    assert opened(tmp_path, scm_bytes=None).scm_free > 0


def test_a_destroyed_pool_is_gone(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.create_shard(UUID, SHARD)
    store.write_replica(Replica(promised=0, record=record()))
    store.destroy(UUID)
    store.destroy(UUID)
    assert (store.shards, store.replicas, opened(tmp_path).shards) == ({}, {}, {})


def test_a_late_leader_does_not_revive_a_destroyed_pool(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.create_shard(UUID, SHARD)
    store.destroy(UUID)
    with pytest.raises(DaosError) as error:
        store.write_replica(Replica(promised=0, record=record()))
    assert error.value.status == Der.NONEXIST
    assert not (tmp_path / UUID).exists()


def test_what_a_crash_left_half_done_is_cleared_away(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.create_shard(UUID, SHARD)
    (tmp_path / UUID).rename(tmp_path / "ZOMBIES" / UUID)
    (tmp_path / "NEWBORNS" / OTHER).mkdir()
    assert opened(tmp_path).shards == {}
    assert not list((tmp_path / "NEWBORNS").iterdir())
    assert not list((tmp_path / "ZOMBIES").iterdir())


def test_a_dismissed_replica_leaves_the_shard(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.create_shard(UUID, SHARD)
    store.write_replica(Replica(promised=0, record=record()))
    store.remove_replica(UUID)
    again = opened(tmp_path)
    assert (set(again.shards), again.replicas) == ({UUID}, {})


@pytest.mark.parametrize("content", [b"", b"{", b'{"promised": "x"}'])
def test_damaged_files_damage_one_pool(tmp_path: Path, content: bytes) -> None:
    store = opened(tmp_path)
    store.create_shard(UUID, SHARD)
    store.create_shard(OTHER, SHARD)
    (tmp_path / UUID / "service.json").write_bytes(content)
    again = opened(tmp_path)
    assert again.damaged == [UUID]
    assert OTHER in again.shards


def test_a_missing_path_says_which(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        opened(tmp_path / "nowhere")
