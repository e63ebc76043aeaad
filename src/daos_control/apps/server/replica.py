"""This host's replica of the management service.

Its store lies on the first engine's storage, and comes and goes with it.
"""

import asyncio
import shutil
from pathlib import Path

from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.engine.supervisor import EngineSupervisor
from daos_control.mgmt.service import Management
from daos_control.store.api import StoreUnavailable
from daos_control.store.sqlite import SqliteStore

log = logs.get(__name__)

STORE_FILE = "daos_system.sqlite"
FOLDER_MODE = 0o770


class ReplicaError(DaosControlError):
    """The replica cannot run; the text says why and what to do."""


class Replica:
    """Runs the management service whenever the storage of the engine that carries it is ready."""

    def __init__(self, management: Management, carrier: EngineSupervisor, folder: Path) -> None:
        self._management = management
        self._carrier = carrier
        self._folder = folder
        self._let_go = asyncio.Event()
        self._erase = False
        self._released = asyncio.Event()
        self._released.set()

    async def run(self) -> None:
        """Serve until cancelled. Raises ReplicaError if the store cannot be used."""
        while True:
            await self._carrier.storage_ready.wait()
            self._let_go.clear()
            self._erase = False
            self._released.clear()
            try:
                await self._serve()
            finally:
                self._released.set()

    async def let_go(self) -> None:
        """Close the store, so that its storage can be formatted; it comes back when that is ready again."""
        self._carrier.storage_ready.clear()
        self._let_go.set()
        await self._released.wait()

    async def erase(self) -> None:
        """Close the store and remove it: the system it holds is no more.

        Once begun this is seen through, whoever waits for it. Another store is made when the storage, whose engine has
        lost its identity before, is ready for a new one.
        """
        self._erase = True
        self._let_go.set()
        await self._released.wait()

    async def _serve(self) -> None:
        try:
            await asyncio.to_thread(self._folder.mkdir, mode=FOLDER_MODE, parents=True, exist_ok=True)
            store = await SqliteStore.open(self._folder / STORE_FILE)
        except (OSError, StoreUnavailable) as error:
            raise ReplicaError(f"the management service's store cannot be used: {error}") from error
        try:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(self._management.run(store), name="management service")
                await self._let_go.wait()
                serving.cancel()
            log.info("the management service has let go of its store")
        finally:
            await store.aclose()
            if self._erase:
                await self._remove()

    async def _remove(self) -> None:
        try:
            await asyncio.to_thread(shutil.rmtree, self._folder)
        except OSError as error:
            log.error(f"cannot remove {self._folder}; the next format will", reason=error.strerror)
        else:
            log.notice("the management service's store is erased: the storage waits for a format")
