"""The duties of a leader: each runs as long as the leadership and no longer.

- ``GroupMapPusher`` tells the engines who is in the system;
- ``sweep`` removes what is left of pools: half made, half destroyed, or on ranks that were away.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, DaosError, EmptyGroupMap, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt.ports import DataPlane
from daos_control.mgmt.rules.group_map import GroupMap, group_map
from daos_control.mgmt.system import System
from daos_control.model.member import Member
from daos_control.model.member_state import MemberState
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


_Face: TypeAlias = tuple[str, int, datetime | None]
_ENTERED: Final = frozenset({MemberState.JOINED, MemberState.CHECKER_STARTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often engines are told of a group that changes."""

    gather_s: float = 0.05
    """From a change to its update, so that those that come with it are in it; longer and longer while they go on."""
    longest_gather_s: float = 1.0
    retry_s: float = RETRY_S
    """Before an update that failed is repeated; longer and longer as well."""
    longest_retry_s: float = 8.0
    limit_s: float = 20.0
    """How long an engine may take; then another one is asked, if there is one."""


@dataclass(slots=True)
class Tally:
    """Counts what engines were told."""

    pushes: int = 0
    """Group updates that an engine has taken."""
    failed_pushes: int = 0
    spared_pushes: int = 0
    """Map versions that engines were not told of, because they are in the same group as before."""


class GroupMapPusher:
    """Sends the group map to a local engine, which passes it on to all.

    However many changes happen while one update is under way or about to be, the next carries them all. Updates leave
    one after another and each is of the system as it then is, so an older map never follows a newer one. An update
    that failed is repeated until it, or a newer one, has arrived. What changes without changing the group (a rank was
    prepared for its stop, or stopped) is no news to engines.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        system: Callable[[], System],
        *,
        pace: Pace | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._data_plane = data_plane
        self._system = system
        self._pace = pace or Pace()
        self._tally = tally or Tally()
        self._changed = asyncio.Event()
        self._known: Mapping[int, _Face] = {}
        self.pushed = 0
        """The newest version that an engine has taken, or has no need of."""

    def changed(self) -> None:
        """Say that the system may have a new map."""
        self._changed.set()

    async def run(self) -> None:
        """Push until cancelled."""
        pace, loop = self._pace, asyncio.get_running_loop()
        gather_s, retry_s = pace.gather_s, pace.retry_s
        last = -math.inf
        while True:
            await self._changed.wait()
            await self._data_plane.usable()
            storm = loop.time() - last < 2 * gather_s
            gather_s = min(2 * gather_s, pace.longest_gather_s) if storm else pace.gather_s
            await asyncio.sleep(gather_s)
            self._changed.clear()
            if await self._push():
                retry_s = pace.retry_s
            else:
                await asyncio.sleep(retry_s)
                retry_s = min(2 * retry_s, pace.longest_retry_s)
                self._changed.set()
            last = loop.time()

    async def _push(self) -> bool:
        """Send what is newer than the last update, if anything; False asks for another try."""
        system = self._system()
        if system.paused or system.map_version <= self.pushed:
            return True
        try:
            group = group_map(system)
        except EmptyGroupMap:
            return True
        faces = {member.rank: self._face(member) for member in group.members}
        if faces == self._known:
            self._tally.spared_pushes += 1
        elif not await self._send(group):
            return False
        self._known = faces
        self.pushed = group.version
        return True

    def _face(self, member: Member) -> _Face:
        """Return what engines see of a member. One that has joined once more waits for a map, whatever is in it."""
        joined = member.last_update if member.state in _ENTERED else None
        before = self._known.get(member.rank)
        if joined is None and before is not None:
            joined = before[2]
        return member.fabric_uri, member.incarnation, joined

    async def _send(self, group: GroupMap) -> bool:
        try:
            reply = await self._data_plane.call(
                drpc.Mgmt.GROUP_UPDATE, group_update(group), timeout_s=self._pace.limit_s
            )
            if reply.status:
                raise DaosError(reply.status)
        except (DaosControlError, DrpcError) as error:
            report = log.debug if nobody_asked(error) else log.error
            report("group update failed", version=group.version, reason=str(error))
            self._tally.failed_pushes += 1
            return False
        self._tally.pushes += 1
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
