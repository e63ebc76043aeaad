"""Storage calls: what is formatted, what is told, and when engines may start."""

import asyncio
import signal

import pytest

from daos_control.apps.server.local import LocalEngine
from daos_control.apps.server.servicers.ctl_storage import FormatRefusedError, StorageService
from daos_control.base.errors import DaosControlError
from daos_control.engine.state import EngineState
from daos_control.host.storage.plan import Means, RamDisk
from daos_control.host.storage.scm import EngineScm, OwnHands
from daos_control.net.rpc.handlers import Caller
from daos_control.security.components import Component
from daos_control.testing.engine import stage
from daos_control.testing.sysfs import NVME_CLASS, Machine
from daos_control.wire.pb.ctl import common_pb2
from daos_control.wire.pb.ctl.storage_pb2 import StorageFormatReq, StorageScanReq

ADMIN = Caller(component=Component.ADMIN, address="10.0.0.1:4711")
SKIPPED = "NVMe format skipped on instance {}, use of hugepages disabled in config"


class Scene:
    """Engines on a stage, with real directories as their storage."""

    def __init__(self, play, folder):
        self.play = play
        self.released = []
        self.locals = []
        for engine in play.engines:
            disk = RamDisk(target=folder / f"scm{engine.supervisor.index}", size_gib=4)
            self.locals.append(
                LocalEngine(supervisor=engine.supervisor, scm=EngineScm(disk, OwnHands(Means.DIRECTORY)))
            )
        self.service = StorageService(self.locals, hugepages=False, release=self.release)

    async def release(self, index):
        self.released.append(index)

    async def format(self, **flags):
        return await self.service.format(StorageFormatReq(**flags), ADMIN)

    async def all_reach(self, state):
        for engine in self.play.engines:
            engine.disk.formatted = state is not EngineState.AWAIT_FORMAT
            await engine.until(state)


async def test_a_first_format_lets_the_engines_start(tmp_path):
    async with stage(tmp_path, engines=2, formatted=False) as play:
        scene = Scene(play, tmp_path)
        await scene.all_reach(EngineState.AWAIT_FORMAT)
        for engine in play.engines:
            engine.disk.formatted = True
        reply = await scene.format()
        assert [(one.instanceidx, one.mntpoint, one.state.status) for one in reply.mrets] == [
            (0, str(tmp_path / "scm0"), common_pb2.CTL_SUCCESS),
            (1, str(tmp_path / "scm1"), common_pb2.CTL_SUCCESS),
        ]
        assert [(one.pci_addr, one.state.info) for one in reply.crets] == [
            ("<nil>", SKIPPED.format(0)),
            ("<nil>", SKIPPED.format(1)),
        ]
        assert sorted(scene.released) == [0, 1]
        await scene.all_reach(EngineState.STARTING)


async def test_what_is_formatted_is_left_alone_and_so_are_engines_that_serve(tmp_path):
    async with stage(tmp_path) as play:
        scene = Scene(play, tmp_path)
        await scene.locals[0].scm.format(force=False)
        (tmp_path / "scm0" / "pool").touch()
        await play.make_ready()
        reply = await scene.format()
        assert reply.mrets[0].state.info == "SCM is already formatted"
        assert (tmp_path / "scm0" / "pool").exists()
        # What was not asked for must not lie about for later: an erased engine waits for its format again.
        await play.engines[0].supervisor.stop(9)
        await play.engines[0].supervisor.forget_identity()
        assert await play.engines[0].supervisor.start() is EngineState.AWAIT_FORMAT


async def test_reformat_ends_the_engine_and_starts_it_on_fresh_storage(tmp_path):
    async with stage(tmp_path) as play:
        scene = Scene(play, tmp_path)
        await scene.locals[0].scm.format(force=False)
        (tmp_path / "scm0" / "pool").touch()
        await play.make_ready()
        await scene.format(reformat=True)
        assert not (tmp_path / "scm0" / "pool").exists()
        assert play.engines[0].changes[-1].exit.wanted
        await play.make_ready()


async def test_an_error_keeps_that_engine_waiting_and_tells_the_way_out(tmp_path):
    async with stage(tmp_path, engines=2, formatted=False) as play:
        scene = Scene(play, tmp_path)
        await scene.all_reach(EngineState.AWAIT_FORMAT)
        (tmp_path / "scm0").mkdir()
        (tmp_path / "scm0" / "thesis").touch()
        play.engines[1].disk.formatted = True
        first, second = (await scene.format()).mrets
        assert first.state.status == common_pb2.CTL_ERR_SCM
        assert "holds files" in first.state.error
        assert second.state.status == common_pb2.CTL_SUCCESS
        await play.engines[1].until(EngineState.STARTING)
        assert play.engines[0].supervisor.state is EngineState.AWAIT_FORMAT


async def test_replace_needs_something_to_replace(tmp_path):
    async with stage(tmp_path) as play:
        scene = Scene(play, tmp_path)
        await scene.locals[0].scm.format(force=False)
        with pytest.raises(FormatRefusedError, match="nothing to replace"):
            await scene.format(replace=True)


async def test_an_engine_that_was_refused_the_rank_asks_again_without_another_format(tmp_path):
    async with stage(tmp_path, formatted=False) as play:
        scene = Scene(play, tmp_path)
        it = play.engines[0]
        await scene.all_reach(EngineState.AWAIT_FORMAT)
        it.disk.formatted = True
        welcome, it.town.answer = it.town.answer, refused
        await scene.format(replace=True)
        await it.until(EngineState.STARTING)
        play.call_back()
        await it.until(EngineState.STOPPED)
        it.town.answer = welcome
        reply = await scene.format(replace=True)
        assert reply.mrets[0].state.info == "SCM is already formatted"
        await play.make_ready()
        assert [asked.replace for asked in it.town.asked] == [True, True]


async def test_formats_take_turns(tmp_path):
    async with stage(tmp_path, formatted=False) as play:
        scene = Scene(play, tmp_path)
        await scene.all_reach(EngineState.AWAIT_FORMAT)
        play.engines[0].disk.formatted = True
        async with asyncio.TaskGroup() as group:
            replies = [group.create_task(scene.format()) for _ in range(2)]
        assert sorted(task.result().mrets[0].state.info for task in replies) == ["", "SCM is already formatted"]


async def test_usage_is_known_of_engines_that_serve(tmp_path):
    async with stage(tmp_path, engines=2) as play:
        scene = Scene(play, tmp_path)
        await scene.locals[0].scm.format(force=False)
        await play.make_ready(0)
        request = StorageScanReq()
        request.scm.usage = True
        serving, silent = (await scene.service.scan(request, ADMIN)).scm.namespaces
        assert (serving.blockdev, serving.size, serving.mount.rank) == ("ramdisk", 4 << 30, 7)
        assert getattr(serving.mount, "class") == "ram"
        assert 0 < serving.mount.usable_bytes < serving.mount.avail_bytes <= serving.mount.total_bytes == 4 << 30
        assert (silent.size, silent.mount.rank, silent.mount.total_bytes) == (0, 0xFFFFFFFF, 0)


async def test_a_plain_scan_tells_the_memory(tmp_path):
    async with stage(tmp_path) as play:
        reply = await Scene(play, tmp_path).service.scan(StorageScanReq(), ADMIN)
        assert reply.sys_mem_info.mem_total_kb > 0
        assert reply.scm.HasField("state")
        assert reply.nvme.HasField("state")
        assert not reply.scm.namespaces


async def test_a_scan_tells_of_ssds_and_persistent_memory_that_engines_can_have(tmp_path):
    machine = Machine(tmp_path, nodes=2)
    machine.nvme(0, "0000:81:00.0", node=1, size=1 << 40)
    machine.pci("0000:82:00.0", kind=NVME_CLASS)
    machine.partition(machine.nvme(1, "0000:01:00.0"))
    machine.pmem(0, node=1, size=1 << 30)
    service = StorageService([], hugepages=True, release=nobody, root=tmp_path)
    reply = await service.scan(StorageScanReq(), ADMIN)
    (ssd,) = reply.nvme.ctrlrs
    assert (ssd.pci_addr, ssd.socket_id, ssd.model, ssd.namespaces[0].size) == (
        "0000:81:00.0",
        1,
        "SSD of files",
        1 << 40,
    )
    (space,) = reply.scm.namespaces
    assert (space.blockdev, space.dev, space.numa_node, space.size) == ("pmem0", "namespace0.0", 1, 1 << 30)
    request = StorageScanReq()
    request.nvme.Basic = True
    found = (await service.scan(request, ADMIN)).nvme.ctrlrs
    assert [(ssd.pci_addr, ssd.socket_id, ssd.model) for ssd in found] == [
        ("0000:81:00.0", 1, ""),
        ("0000:82:00.0", 0, ""),
    ]


async def test_usage_of_a_host_without_engines_is_an_error():
    service = StorageService([], hugepages=True, release=nobody)
    request = StorageScanReq()
    request.scm.usage = True
    with pytest.raises(DaosControlError, match="no scm details found"):
        await service.scan(request, ADMIN)


def refused(_):
    raise DaosControlError("rank 1 is still in use by pools tank")


async def nobody(_):
    raise AssertionError("nothing is formatted here")


async def reset(scene):
    """Take an engine's identity away, and leave something on its storage that it was to keep."""
    (engine,) = scene.play.engines
    (local,) = scene.locals
    await local.scm.format(force=False)
    (local.scm.disk.target / "pool").mkdir()
    await scene.play.make_ready()
    await engine.supervisor.stop(signal.SIGKILL)
    await engine.supervisor.forget_identity()
    engine.supervisor.request_start()
    await engine.until(EngineState.AWAIT_FORMAT)
    return local.scm.disk.target


async def test_what_an_erased_system_has_left_goes_with_the_next_format(tmp_path):
    async with stage(tmp_path) as play:
        scene = Scene(play, tmp_path)
        storage = await reset(scene)
        reply = await scene.format()
        assert [one.state.info for one in reply.mrets] == ["SCM is already formatted"]
        assert not (storage / "pool").exists()
        assert scene.released == [0]
        await play.engines[0].until(EngineState.STARTING)


async def test_an_engine_that_takes_over_keeps_what_is_there(tmp_path):
    async with stage(tmp_path) as play:
        scene = Scene(play, tmp_path)
        storage = await reset(scene)
        await scene.format(replace=True)
        assert (storage / "pool").exists()
        assert scene.released == []
