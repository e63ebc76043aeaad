"""A replica and the storage it lies on."""

import asyncio
import signal

import pytest

from daos_control.apps.server.replica import STORE_FILE, Replica, ReplicaError
from daos_control.base import aio
from daos_control.testing.engine import stage


class Service:
    """A management service that only keeps its store."""

    def __init__(self):
        self.store = None
        self.changed = asyncio.Event()

    async def run(self, store):
        self.store = store
        await store.commit({"alive": b"yes"})
        self.changed.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.store = None


async def test_it_comes_and_goes_with_the_storage(tmp_path):
    service = Service()
    async with stage(tmp_path) as play, aio.background() as tasks:
        replica = Replica(service, play.engines[0].supervisor, tmp_path / "raft")
        tasks.start("replica", replica.run())
        async with asyncio.timeout(10):
            await service.changed.wait()
            await replica.let_go()
            assert service.store is None
            (tmp_path / "raft" / STORE_FILE).rename(tmp_path / "raft" / "old")
            service.changed.clear()
            play.engines[0].supervisor.storage_ready.set()
            await service.changed.wait()
        assert (tmp_path / "raft" / STORE_FILE).exists()


async def test_before_the_storage_is_ready_there_is_nothing_to_let_go(tmp_path):
    async with stage(tmp_path, formatted=False) as play:
        await Replica(Service(), play.engines[0].supervisor, tmp_path / "raft").let_go()


async def test_a_store_that_cannot_be_used_is_an_error_for_people(tmp_path):
    (tmp_path / "raft").mkdir()
    (tmp_path / "raft" / STORE_FILE).write_bytes(b"not a database" * 1000)
    async with stage(tmp_path) as play:
        async with asyncio.timeout(10):
            with pytest.raises(ReplicaError, match="the management service's store cannot be used"):
                await Replica(Service(), play.engines[0].supervisor, tmp_path / "raft").run()


async def test_an_erased_store_is_gone_and_another_comes_with_the_next_format(tmp_path):
    service = Service()
    async with stage(tmp_path) as play, aio.background() as tasks:
        carrier = play.engines[0].supervisor
        replica = Replica(service, carrier, tmp_path / "raft")
        tasks.start("replica", replica.run())
        async with asyncio.timeout(10):
            await service.changed.wait()
            await carrier.stop(signal.SIGKILL)
            await carrier.forget_identity()
            await replica.erase()
            assert service.store is None
            assert not (tmp_path / "raft").exists()
            service.changed.clear()
            carrier.storage_ready.set()
            await service.changed.wait()
            assert (await service.store.get("")).revision < 5
        assert (tmp_path / "raft" / STORE_FILE).exists()


async def test_a_format_that_comes_between_reset_and_erasure_is_not_lost(tmp_path):
    service = Service()
    async with stage(tmp_path) as play, aio.background() as tasks:
        carrier = play.engines[0].supervisor
        replica = Replica(service, carrier, tmp_path / "raft")
        tasks.start("replica", replica.run())
        async with asyncio.timeout(10):
            await service.changed.wait()
            await carrier.stop(signal.SIGKILL)
            await carrier.forget_identity()
            service.changed.clear()
            carrier.storage_ready.set()
            await replica.erase()
            await service.changed.wait()


async def test_where_no_store_is_open_there_is_nothing_to_erase(tmp_path):
    async with stage(tmp_path, formatted=False) as play:
        await Replica(Service(), play.engines[0].supervisor, tmp_path / "raft").erase()
