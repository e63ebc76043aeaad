"""What this host keeps of the system, for the management service that erases it."""

import asyncio
import signal
from collections.abc import Callable

from daos_control.apps.server.replica import Replica
from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.engine.harness import Harness
from daos_control.engine.supervisor import EngineSupervisor

log = logs.get(__name__)


class HostPremises:
    """``mgmt.ports.Premises`` for a host with its engines and, perhaps, a replica."""

    def __init__(self, harness: Harness, replica: Callable[[], Replica | None]) -> None:
        self._harness = harness
        self._replica = replica

    async def reset_engines(self) -> None:
        """End all engines and take their identities; one that clings to its own does not keep the others theirs."""
        async with asyncio.TaskGroup() as group:
            for engine in self._harness.engines:
                group.create_task(_reset(engine))

    async def erase_replica(self) -> None:
        """Remove this host's replica, if it has one."""
        if replica := self._replica():
            await replica.erase()


async def _reset(engine: EngineSupervisor) -> None:
    try:
        await engine.stop(signal.SIGKILL)
        await engine.forget_identity()
        engine.request_start()
    except DaosControlError as error:
        log.error(f"instance {engine.index} keeps its identity", reason=str(error))
