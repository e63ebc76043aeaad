"""The duties of a leader: each runs as long as the leadership and no longer.

- ``GroupMapPusher`` tells the engines who is in the system;
- ``sweep`` removes what is left of pools: half made, half destroyed, or on ranks that were away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, DaosError, EmptyGroupMap, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt.ports import DataPlane
from daos_control.mgmt.rules.group_map import GroupMap, group_map
from daos_control.mgmt.system import System
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcError
from daos_control.wire.pb.mgmt import svc_pb2

log = logs.get(__name__)

NOBODY_TO_ASK: Final = frozenset({FaultCode.SERVER_HARNESS_NOT_STARTED, FaultCode.SERVER_DATA_PLANE_NOT_STARTED})
"""Faults that say: no engine of this host can be called, and none was."""
RETRY_S: Final = 0.5
"""The usual pause before something that failed is tried again."""
LONGEST_RETRY_S: Final = 60.0


def nobody_asked(error: DaosControlError | DrpcError) -> bool:
    """Whether a call of the data plane failed before any engine saw it."""
    return isinstance(error, Fault) and error.code in NOBODY_TO_ASK


class GroupMapPusher:
    """Sends the group map to a local engine, which passes it on to all.

    However many changes happen while one update is under way, the next carries them all. Updates leave one after
    another and each is of the system as it then is, so an older map never follows a newer one. An update that
    failed is repeated until it, or a newer one, has arrived.
    """

    def __init__(self, data_plane: DataPlane, system: Callable[[], System], *, retry_s: float) -> None:
        self._data_plane = data_plane
        self._system = system
        self._retry_s = retry_s
        self._changed = asyncio.Event()
        self.pushed = 0
        """The newest version that an engine has taken."""

    def changed(self) -> None:
        """Say that the system may have a new map."""
        self._changed.set()

    async def run(self) -> None:
        """Push until cancelled."""
        while True:
            await self._changed.wait()
            await self._data_plane.usable()
            self._changed.clear()
            if not await self._push():
                await asyncio.sleep(self._retry_s)
                self._changed.set()

    async def _push(self) -> bool:
        """Send what is newer than the last update, if anything; False asks for another try."""
        system = self._system()
        if system.paused or system.map_version <= self.pushed:
            return True
        try:
            group = group_map(system)
            reply = await self._data_plane.call(drpc.Mgmt.GROUP_UPDATE, group_update(group))
            if reply.status:
                raise DaosError(reply.status)
        except EmptyGroupMap:
            return True
        except (DaosControlError, DrpcError) as error:
            report = log.debug if nobody_asked(error) else log.error
            report("group update failed", version=system.map_version, reason=str(error))
            return False
        self.pushed = group.version
        log.debug("group updated", version=group.version, ranks=len(group.members))
        return True


def group_update(group: GroupMap) -> svc_pb2.GroupUpdateReq:
    """Write a group map the way engines read it."""
    update = svc_pb2.GroupUpdateReq(map_version=group.version)
    for member in group.members:
        update.engines.add(rank=member.rank, uri=member.fabric_uri, incarnation=member.incarnation)
    return update


async def sweep(
    data_plane: DataPlane,
    leftovers: Callable[[], Iterable[str]],
    destroy: Callable[[str], Awaitable[None]],
    *,
    untidy: asyncio.Event,
    retry_s: float,
) -> None:
    """Destroy pools that nobody finishes any more, as soon as an engine can be asked, until none is left.

    Attempts that fail become rarer, until ``untidy`` is set again: then the system has changed.
    """
    pause_s = retry_s
    while True:
        untidy.clear()
        if not (todo := list(leftovers())):
            return
        await data_plane.usable()
        for uuid in todo:
            try:
                await destroy(uuid)
            except (DaosControlError, DrpcError) as error:
                log.error("left-over pool not destroyed yet", pool=uuid, reason=str(error), retry_s=pause_s)
        if list(leftovers()):
            try:
                async with asyncio.timeout(pause_s):
                    await untidy.wait()
                pause_s = retry_s
            except TimeoutError:
                pause_s = min(2 * pause_s, LONGEST_RETRY_S)
