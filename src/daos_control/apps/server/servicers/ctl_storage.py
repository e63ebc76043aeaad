"""StorageScan and StorageFormat: what storage this host has, and making it ready for engines."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from daos_control.apps.server.local import LocalEngine
from daos_control.base import logs
from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.rankset import NIL_RANK
from daos_control.base.units import GIB, MIB
from daos_control.engine import superblock
from daos_control.engine.state import EngineState
from daos_control.host import memory, nvme, pmem
from daos_control.host.storage.plan import enough_memory
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import CTL
from daos_control.wire.pb.ctl import common_pb2, smd_pb2, storage_nvme_pb2, storage_pb2, storage_scm_pb2

log = logs.get(__name__)

NO_ADDRESS = "<nil>"
"""Stands for a device address where a result is about an engine and not about one of its devices."""

_METADATA_BYTES = 16 * MIB
_FILESYSTEM_BYTES = MIB


class FormatRefusedError(DaosControlError):
    """Nothing was formatted, and the text says why."""


class StorageService:
    """The storage calls of CtlSvc."""

    def __init__(
        self,
        engines: Sequence[LocalEngine],
        *,
        hugepages: bool,
        release: Callable[[int], Awaitable[None]],
        root: Path = Path("/"),
    ) -> None:
        """Take the engines; ``release`` lets go of what else uses the storage of an instance before its format."""
        self._engines = tuple(engines)
        self._hugepages = hugepages
        self._release = release
        self._root = root
        self._formatting = asyncio.Lock()

    def handlers(self) -> Handlers:
        """Return the methods by path."""
        return {CTL["StorageScan"].path: self.scan, CTL["StorageFormat"].path: self.format}

    # -- scan ------------------------------------------------------------------------------------------------------

    async def scan(self, request: storage_pb2.StorageScanReq, _: Caller) -> storage_pb2.StorageScanResp:
        """Report memory, NVMe controllers and, if asked for usage, how full the engines' RAM disks are."""
        reply = storage_pb2.StorageScanResp(sys_mem_info=await asyncio.to_thread(_memory))
        reply.scm.state.SetInParent()
        reply.nvme.state.SetInParent()
        if request.scm.usage:
            if not self._engines:
                raise FormatRefusedError("no scm details found")
            for engine in self._engines:
                reply.scm.namespaces.append(await _usage(engine))
        else:
            reply.scm.namespaces.extend(map(_namespace, await asyncio.to_thread(pmem.namespaces, self._root)))
        if self._hugepages:
            reply.nvme.ctrlrs.extend(await asyncio.to_thread(_ssds, self._root, basic=request.nvme.Basic))
        return reply

    # -- format ----------------------------------------------------------------------------------------------------

    async def format(self, request: storage_pb2.StorageFormatReq, _: Caller) -> storage_pb2.StorageFormatResp:
        """Format what needs it, or everything with ``reformat``, and let the engines start on it."""
        async with self._formatting:
            return await self._format(reformat=request.reformat, replace=request.replace)

    async def _format(self, *, reformat: bool, replace: bool) -> storage_pb2.StorageFormatResp:
        needed = {engine.index: await engine.scm.needs_format() for engine in self._engines}
        if replace and not any(needed[engine.index] or _wants_a_rank(engine) for engine in self._engines):
            raise FormatRefusedError(
                "nothing to replace: no engine of this host waits for a format of its SCM, or for a rank; "
                "if its storage is to be given up, stop the engine and empty its storage first"
            )
        if needed and all(needed.values()):
            await self._check_memory()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    self._format_one(
                        engine, wanted=needed[engine.index] or reformat, reformat=reformat, replace=replace
                    )
                )
                for engine in self._engines
            ]
        outcomes = [task.result() for task in tasks]
        reply = storage_pb2.StorageFormatResp()
        for outcome in outcomes:
            reply.mrets.append(outcome.result)
            if not self._hugepages:
                reply.crets.append(_no_hugepages(outcome.engine.index))
        # Only now: no engine starts while another one's devices are still being formatted.
        for outcome in outcomes:
            outcome.let_start(replace=replace)
        return reply

    async def _format_one(self, engine: LocalEngine, *, wanted: bool, reformat: bool, replace: bool) -> "_Outcome":
        supervisor, disk = engine.supervisor, engine.scm.disk
        result = storage_scm_pb2.ScmMountResult(mntpoint=str(disk.target), instanceidx=engine.index)
        result.state.SetInParent()
        try:
            if not wanted:
                result.state.info = "SCM is already formatted"
                await self._clear_out(engine, replace=replace)
                return _Outcome(engine=engine, result=result)
            if supervisor.state.running:
                if not reformat:
                    raise FormatRefusedError(f"instance {engine.index}: can't format storage of running instance")
                log.info(f"forcibly stopping instance {engine.index} prior to reformat")
            await supervisor.stop(signal.SIGKILL)
            await self._release(engine.index)
            log.info(f"Instance {engine.index}: starting format of SCM (ram:{disk.target})")
            await engine.scm.format(force=reformat)
            log.info(f"Instance {engine.index}: finished format of SCM (ram:{disk.target})")
        except DaosControlError as error:
            log.error(f"instance {engine.index}: {error}")
            result.state.CopyFrom(_scm_failure(error))
            return _Outcome(engine=engine, result=result, failed=True)
        return _Outcome(engine=engine, result=result, formatted=True)

    async def _clear_out(self, engine: LocalEngine, *, replace: bool) -> None:
        """Remove what an erased system has left on storage that stays formatted: no engine shall bring it back."""
        if not replace and await engine.supervisor.forgot_identity():
            await self._release(engine.index)
            log.info(f"Instance {engine.index}: removing what an erased system has left")
            await engine.scm.clear_out(last=superblock.FILE_NAME + superblock.RETIRED)

    async def _check_memory(self) -> None:
        disks = [engine.scm.disk.size_gib for engine in self._engines if engine.scm.uses_memory]
        if disks:
            enough_memory(disks, (await asyncio.to_thread(memory.read_memory)).available_kib)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    engine: LocalEngine
    result: storage_scm_pb2.ScmMountResult
    formatted: bool = False
    failed: bool = False

    def let_start(self, *, replace: bool) -> None:
        """Let the engine use its storage if that was formatted or is waited for; one that serves is left alone.

        One that was formatted earlier and then refused by the system tries again, the way it is told this time.
        """
        supervisor = self.engine.supervisor
        if not self.failed and (self.formatted or _wants_a_rank(self.engine)):
            waiting = supervisor.state is EngineState.AWAIT_FORMAT
            supervisor.grant_storage(replace=replace)
            if not waiting:
                supervisor.request_start()


def _wants_a_rank(engine: LocalEngine) -> bool:
    return engine.supervisor.state is EngineState.AWAIT_FORMAT or engine.supervisor.has_yet_to_join


def _scm_failure(error: DaosControlError) -> common_pb2.ResponseState:
    hint = error.resolution_line() if isinstance(error, Fault) and error.resolution else ""
    return common_pb2.ResponseState(status=common_pb2.CTL_ERR_SCM, error=str(error), info=hint)


def _no_hugepages(index: int) -> storage_nvme_pb2.NvmeControllerResult:
    text = f"NVMe format skipped on instance {index}, use of hugepages disabled in config"
    return storage_nvme_pb2.NvmeControllerResult(pci_addr=NO_ADDRESS, state=common_pb2.ResponseState(info=text))


async def _usage(engine: LocalEngine) -> storage_scm_pb2.ScmNamespace:
    """Describe a RAM disk as the namespace it stands for; of an engine that does not serve nothing is known."""
    disk, supervisor = engine.scm.disk, engine.supervisor
    namespace = storage_scm_pb2.ScmNamespace(blockdev="ramdisk", numa_node=disk.numa_node)
    mount = namespace.mount
    mount.path, mount.rank = str(disk.target), NIL_RANK
    setattr(mount, "class", "ram")
    if supervisor.state is EngineState.READY and supervisor.rank is not None:
        space = await engine.scm.usage()
        namespace.size = disk.size_gib * GIB
        mount.rank, mount.total_bytes, mount.avail_bytes = supervisor.rank, space.total_bytes, space.available_bytes
        mount.usable_bytes = usable_bytes(space.available_bytes, engine.rdb_bytes)
    return namespace


def usable_bytes(available_bytes: int, rdb_bytes: int | None) -> int:
    """Return what of a RAM disk is left for pools when the services' own needs are met.

    >>> usable_bytes(4160708608, 1 << 30)
    3069140992
    """
    if rdb_bytes is None:
        return 0
    return max(0, available_bytes - rdb_bytes - _METADATA_BYTES - _FILESYSTEM_BYTES)


def _namespace(found: pmem.Namespace) -> storage_scm_pb2.ScmNamespace:
    return storage_scm_pb2.ScmNamespace(
        uuid=found.uuid, blockdev=found.blockdev, dev=found.name, numa_node=found.numa_node, size=found.size
    )


def _ssds(root: Path, *, basic: bool) -> list[smd_pb2.NvmeController]:
    """Return the SSDs that engines can have: with ``basic`` only where they are, whoever drives them."""
    free = [drive for drive in nvme.drives(root) if not drive.in_use]
    if basic:
        return [
            smd_pb2.NvmeController(pci_addr=str(drive.address), socket_id=drive.numa_node, dev_state=smd_pb2.NORMAL)
            for drive in free
        ]
    known = {controller.pci_address: controller for controller in nvme.controllers(root)}
    return [_controller(known[address]) for address in sorted(str(drive.address) for drive in free) if address in known]


def _controller(controller: nvme.Controller) -> smd_pb2.NvmeController:
    found = smd_pb2.NvmeController(
        pci_addr=controller.pci_address,
        socket_id=controller.numa_node,
        dev_state=smd_pb2.NORMAL,
        model=controller.model,
        serial=controller.serial,
        fw_rev=controller.firmware,
    )
    for number, size in controller.namespaces:
        found.namespaces.add(id=number, size=size)
    return found


def _memory() -> storage_pb2.SysMemInfo:
    whole = memory.read_memory()
    info = storage_pb2.SysMemInfo(
        hugepages_total=whole.hugepages_total,
        hugepages_free=whole.hugepages_free,
        hugepages_reserved=whole.hugepages_reserved,
        hugepages_surplus=whole.hugepages_surplus,
        hugepage_size_kb=whole.hugepage_kib,
        mem_total_kb=whole.total_kib,
        mem_free_kb=whole.free_kib,
        mem_available_kb=whole.available_kib,
    )
    for node in memory.read_memory_by_node():
        info.numa_nodes.add(
            numa_node_index=node.numa_node,
            hugepages_total=node.hugepages_total,
            hugepages_free=node.hugepages_free,
            hugepages_surplus=node.hugepages_surplus,
            mem_total_kb=node.total_kib,
            mem_free_kb=node.free_kib,
            mem_used_kb=node.used_kib,
        )
    return info
