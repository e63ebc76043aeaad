"""One simulated host: a real control server over engines that are tasks, with a control port that can fail."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Any

from daos_control.apps.server.main import Server
from daos_control.apps.server.preparation import Prepared
from daos_control.base import aio, logs
from daos_control.engine import superblock
from daos_control.engine.state import EngineState
from daos_control.engine.superblock import Superblock
from daos_control.host.storage.plan import MARKER, MARKER_TEXT
from daos_control.net.grpc import server as grpc
from daos_control.net.grpc.channels import Channels
from daos_control.net.rpc.handlers import Caller, Handlers, Reply
from daos_control.security.components import Component

log = logs.get(__name__)


class Trouble(Enum):
    """What is wrong with a host's control port; its engines and what it asks others go on."""

    NONE = "none"
    MUTE = "mute"
    """Takes calls and never answers them."""
    SILENT = "silent"
    """Takes connections and never says anything, as a frozen process does."""
    DEAF = "deaf"
    """Drops packets, as behind a firewall or at a machine that is off."""


class SimulatedHost:
    """A host; ``run`` is its life, in which it can be switched off and on again."""

    def __init__(self, prepared: Prepared) -> None:
        self.name = prepared.hostname
        self.address = prepared.addresses.listen
        self.server: Server | None = None
        """Its control server, while it is on."""
        self.listening = asyncio.Event()
        """Set when its control port has first been opened."""
        self._prepared = prepared
        self._trouble = Trouble.NONE
        self._changed = asyncio.Event()
        self._on = asyncio.Event()
        self._on.set()

    @property
    def trouble(self) -> Trouble:
        """What is wrong with its control port."""
        return self._trouble if self._on.is_set() else Trouble.DEAF

    @trouble.setter
    def trouble(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._changed.set()

    @property
    def is_on(self) -> bool:
        """Whether it has power."""
        return self._on.is_set()

    async def serves(self) -> None:
        """Return once all its engines serve."""
        await self.listening.wait()
        for engine in self.server.harness.engines if self.server else ():
            await engine.until(lambda state: state is EngineState.READY)

    @property
    def serving(self) -> int:
        """How many of its engines serve."""
        engines = self.server.harness.engines if self.server else ()
        return sum(engine.state is EngineState.READY for engine in engines)

    def switch_off(self) -> None:
        """Take its power: everything on it ends without a word, and its address answers no packets."""
        self._on.clear()
        self._changed.set()

    def switch_on(self) -> None:
        """Give it power again; it starts with what is on its storage."""
        self._on.set()
        self._changed.set()

    async def run(self) -> None:
        """Live until cancelled."""
        await asyncio.to_thread(_make_storage, self._prepared)
        while True:
            if self._on.is_set():
                async with asyncio.TaskGroup() as group:
                    life = group.create_task(self._live(), name=f"host {self.name}")
                    await self._until(lambda: not self._on.is_set())
                    life.cancel()
            else:
                async with deaf(self.address, self._prepared.port):
                    await self._on.wait()

    async def _live(self) -> None:
        """Be a daos_server: as ``apps.server.main.open_server``, but for the control port."""
        channels = Channels(self._prepared.certificates, Component.SERVER)
        try:
            server = Server(self._prepared, channels)
            async with server.engine_socket(), server.services(), aio.background() as tasks:
                self.server = server
                tasks.start(f"control port of {self.name}", self._serve_control_port(server.rpc_handlers()))
                await self.listening.wait()
                tasks.start(f"engines of {self.name}", server.harness.run())
                await asyncio.Event().wait()
        finally:
            self.server = None
            await channels.aclose()

    async def _serve_control_port(self, handlers: Handlers) -> None:
        while True:
            trouble = self._trouble
            async with self._control_port(trouble, handlers):
                self.listening.set()
                await self._until(lambda: self._trouble is not trouble)  # noqa: B023 - over before the next round

    def _control_port(self, trouble: Trouble, handlers: Handlers) -> AbstractAsyncContextManager[Any]:
        port = self._prepared.port
        match trouble:
            case Trouble.SILENT:
                return silent(self.address, port)
            case Trouble.DEAF:
                return deaf(self.address, port)
            case Trouble.MUTE:
                handlers = dict.fromkeys(handlers, _never)
            case Trouble.NONE:
                pass
        tls = self._prepared.certificates
        return grpc.serve(handlers, host=self.address, port=port, tls=tls, grace_s=0.0)

    async def _until(self, so: Callable[[], bool]) -> None:
        while not so():
            self._changed.clear()
            await self._changed.wait()


async def _never(_request: Any, _caller: Caller) -> Reply:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets that event")


@asynccontextmanager
async def silent(host: str, port: int) -> AsyncIterator[None]:
    """Take connections at an address, while inside, and never say anything."""
    with _listener(host, port, backlog=4096):
        yield


@asynccontextmanager
async def deaf(host: str, port: int) -> AsyncIterator[None]:
    """Let packets to an address get lost, while inside.

    That is how the kernel deals with those who knock at a listener whose queue is full.
    """
    with _listener(host, port, backlog=0), socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex((host, port))
        yield


def _listener(host: str, port: int, *, backlog: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener


def _make_storage(prepared: Prepared) -> None:
    """Leave the host's storage as a format does, unless it is there from an earlier life."""
    Path(prepared.socket_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    for disk in prepared.disks:
        if disk.target.exists():
            continue
        disk.target.mkdir(parents=True)
        (disk.target / MARKER).write_text(MARKER_TEXT)
        fresh = Superblock.new(system=prepared.system, fault_domain=str(prepared.fault_domain))
        (disk.target / superblock.FILE_NAME).write_text(fresh.encode())
