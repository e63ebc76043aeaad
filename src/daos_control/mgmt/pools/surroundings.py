"""What all that is done to pools needs: where it is decided and noted, who is asked, and a lock for each pool."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from daos_control.base.clock import Clock
from daos_control.base.errors import NotLeader
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt.decisions import Decisions, begin
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.ports import DataPlane, Settings
from daos_control.mgmt.system import System
from daos_control.model.event import timestamp
from daos_control.net.drpc.errors import DrpcError
from daos_control.net.drpc.methods import Method, ReplyT, RequestT

T = TypeVar("T")


class Locks:
    """One lock for each pool, never waited for: whoever finds it taken is told to try again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, tuple[str, str]] = {}

    @contextmanager
    def hold(self, pool: str) -> Iterator[None]:
        """Hold a pool's lock for a block; raises fault 402 if somebody has it."""
        if pool in self._held:
            lock, since = self._held[pool]
            raise FaultCode.SYSTEM_POOL_LOCKED.fault(pool=pool, lock=lock, since=since)
        self._held[pool] = (str(uuid4()), timestamp(self._clock.now()))
        try:
            yield
        finally:
            del self._held[pool]

    def __contains__(self, pool: str) -> bool:
        return pool in self._held


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The management service, its engines, and who is busy with which pool."""

    decisions: Decisions
    data_plane: DataPlane
    settings: Settings
    clock: Clock
    locks: Locks

    @property
    def system(self) -> System:
        """The system as last recorded."""
        return self.decisions.system

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Begin what goes on when its callers go away, and return what will come of it; see ``decisions.begin``."""
        return begin(self.decisions, work, deposed=NotLeader("", self.settings.other_replicas))

    async def ask_engines(self, method: Method[RequestT, ReplyT], request: RequestT) -> ReplyT:
        """Ask an engine of this host; raises Refused if it does not answer properly."""
        try:
            reply: ReplyT = await self.data_plane.call(method, request)
        except DrpcError as error:
            raise Refused(str(error)) from error
        return reply
