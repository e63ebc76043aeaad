"""The storage of one engine, by whichever way this server can make it.

==================================  ==========================================================
the server                          makes storage of class ram
==================================  ==========================================================
may mount (root)                    itself, as tmpfs
may not, but the helper works       through the helper, as tmpfs
may not at all                      as a plain directory that stands in, and says so in the log
==================================  ==========================================================
"""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.host import mounts
from daos_control.host.helper.client import Helper
from daos_control.host.helper.protocol import ProtocolError
from daos_control.host.storage.apply import apply, clear_out, look, usage
from daos_control.host.storage.payloads import format_payload
from daos_control.host.storage.plan import Found, Means, RamDisk, needs_format, plan_format

log = logs.get(__name__)

_STAND_INS = "storage of class ram will be plain directories, on disk and not in memory"


class Maker(Protocol):
    """Makes RAM disks."""

    means: Means

    async def look(self, disk: RamDisk) -> Found:
        """Return what is at the disk's mount point."""
        ...

    async def format(self, disk: RamDisk, *, force: bool) -> None:
        """Make the disk fresh storage; whatever it held is lost. Fault 101 if it is formatted and not ``force``."""
        ...


class OwnHands:
    """The server does it itself."""

    def __init__(self, means: Means) -> None:
        self.means = means

    async def look(self, disk: RamDisk) -> Found:
        """Return what is at the disk's mount point."""
        return await asyncio.to_thread(look, disk.target)

    async def format(self, disk: RamDisk, *, force: bool) -> None:
        """Make the disk fresh storage."""
        steps = plan_format(disk, await self.look(disk), self.means, force=force)
        await asyncio.to_thread(apply, steps, uid=os.geteuid(), gid=os.getegid())


class ByHelper:
    """The privileged helper does it."""

    means = Means.TMPFS

    def __init__(self, helper: Helper) -> None:
        self._helper = helper

    async def look(self, disk: RamDisk) -> Found:
        """Return what the helper sees at the disk's mount point."""
        answer = await self._ask("ScmCheckFormat", disk, force=False)
        return Found(exists=bool(answer.get("Mounted")), mounted=bool(answer.get("Mounted")))

    async def format(self, disk: RamDisk, *, force: bool) -> None:
        """Have the disk made fresh storage that this user owns."""
        await self._ask("ScmFormat", disk, force=force)

    async def _ask(self, method: str, disk: RamDisk, *, force: bool) -> Mapping[str, Any]:
        payload = format_payload(disk, force=force, uid=os.geteuid(), gid=os.getegid())
        answer = await self._helper.ask(method, payload)
        if not isinstance(answer, Mapping):
            raise ProtocolError(f"the helper answered {method} with {answer!r}")
        return answer


class EngineScm:
    """The RAM disk under one engine: ``engine.supervisor.Scm``."""

    def __init__(self, disk: RamDisk, maker: Maker) -> None:
        self.disk = disk
        self._maker = maker

    @property
    def uses_memory(self) -> bool:
        """Whether what is stored there takes memory of this machine."""
        return self._maker.means is Means.TMPFS

    async def needs_format(self) -> bool:
        """Whether an engine cannot use it before a format."""
        return needs_format(await self._maker.look(self.disk), self._maker.means)

    async def format(self, *, force: bool) -> None:
        """Make it fresh storage; whatever it held is lost. Fault 101 if it is formatted and not ``force``."""
        await self._maker.format(self.disk, force=force)

    async def clear_out(self, *, last: str) -> None:
        """Remove everything an engine has left there; the file named ``last`` goes at the very end."""
        await asyncio.to_thread(clear_out, self.disk.target, last=last)

    async def usage(self) -> mounts.Space:
        """How full it is."""
        return await asyncio.to_thread(usage, self.disk)


async def find_maker(programs: Path, *, helper_log: str = "") -> Maker:
    """Choose the way in which this server makes storage; the helper is looked for in PATH and in ``programs``."""
    if mounts.may_mount():
        return OwnHands(Means.TMPFS)
    if os.geteuid() == 0:
        log.notice(f"root may not mount file systems here, as in many containers: {_STAND_INS}")
        return OwnHands(Means.DIRECTORY)
    try:
        helper = Helper.find(programs, log_file=helper_log)
        await helper.check()
    except DaosControlError as reason:
        log.notice(f"this user may not mount file systems and has no privileged helper ({reason}): {_STAND_INS}")
        return OwnHands(Means.DIRECTORY)
    return ByHelper(helper)
