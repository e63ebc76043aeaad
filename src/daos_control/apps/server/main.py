"""Builds a daos_server from its configuration, and runs it until it is told to stop.

What stands inside what, from the outside in: the hold on the socket directory; the control port; the sockets for
engines; the management service and the forwarding of events; the engines. They end in the opposite order, so engines
can still talk to us while they stop.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from signal import SIGINT, SIGQUIT, SIGTERM
from typing import Any

from google.protobuf.message import Message

from daos_control.apps.server.engine_news import EngineNews, restart_after_self_termination
from daos_control.apps.server.event_post import EventPost
from daos_control.apps.server.local import LocalEngine
from daos_control.apps.server.membership import SystemMembership
from daos_control.apps.server.premises import HostPremises
from daos_control.apps.server.preparation import Options, Prepared, prepare
from daos_control.apps.server.replica import Replica
from daos_control.apps.server.servicers.ctl_check import CheckService
from daos_control.apps.server.servicers.ctl_firmware import FirmwareService
from daos_control.apps.server.servicers.ctl_later import later_handlers
from daos_control.apps.server.servicers.ctl_logs import LogService
from daos_control.apps.server.servicers.ctl_network import NetworkService
from daos_control.apps.server.servicers.ctl_ranks import RankService
from daos_control.apps.server.servicers.ctl_smd import SmdService
from daos_control.apps.server.servicers.ctl_storage import StorageService
from daos_control.apps.server.servicers.ctl_support import SupportService
from daos_control.apps.server.servicers.host_engines import EngineLives
from daos_control.apps.server.servicers.mgmt import mgmt_handlers
from daos_control.apps.server.servicers.system_history import system_handlers
from daos_control.apps.server.servicers.upcalls import Upcalls
from daos_control.apps.server.upcalls import HostUpcalls
from daos_control.base import aio, logs
from daos_control.base.clock import SystemClock
from daos_control.base.version import DAOS_VERSION
from daos_control.client.invoke import BackOff, ManagementClient
from daos_control.config.server import ServerConfig
from daos_control.engine.harness import Harness
from daos_control.engine.ports import Place
from daos_control.engine.state import EngineState
from daos_control.engine.supervisor import EngineSupervisor
from daos_control.host import lock
from daos_control.host.limits import allow_many_files
from daos_control.host.storage.scm import EngineScm
from daos_control.mgmt.events import Events
from daos_control.mgmt.service import Management
from daos_control.net.drpc import server as drpc
from daos_control.net.drpc.methods import Module
from daos_control.net.grpc import server as grpc
from daos_control.net.grpc.channels import Channels
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import MGMT
from daos_control.security.components import Component
from daos_control.telemetry.exporter import engine_metrics, exporting
from daos_control.telemetry.metrics import MetricSet
from daos_control.wire.pb.ctl import storage_pb2

log = logs.get(__name__)

SOCKET = "daos_server.sock"
SOCKET_MODE = 0o600  # engines run as the same user; nobody else has business here
ASK_S = 60.0
HOSTS_KEPT = 2048
"""Hosts that a leader keeps its connections to: all of a large system."""
_OURSELVES = Caller(component=Component.SERVER, address="127.0.0.1:0")


async def run(config: ServerConfig, options: Options) -> None:
    """Serve until told to stop. Raises DaosControlError, DrpcError or OSError if it cannot start or go on."""
    allow_many_files()
    with aio.signals(SIGINT, SIGQUIT, SIGTERM) as received, lock.holding(Path(config.socket_dir)):
        prepared = await prepare(config, options)
        async with open_server(prepared, options):
            signum = await received.get()
            log.info(f"DAOS Control Server (pid {os.getpid()}) shutting down", signal=signum.name)


@asynccontextmanager
async def open_server(prepared: Prepared, options: Options) -> AsyncIterator["Server"]:
    """Serve while inside; leaving stops the engines first and everything else after them."""
    channels = Channels(prepared.certificates, Component.SERVER, max_idle=HOSTS_KEPT)
    try:
        server = Server(prepared, channels)
        addresses = prepared.addresses
        async with (
            grpc.serve(
                server.rpc_handlers(), host=addresses.listen, port=prepared.port, tls=prepared.certificates
            ) as listening,
            server.engine_socket(),
            server.services(),
        ):
            log.info(f"DAOS Control Server v{DAOS_VERSION} (pid {os.getpid()}) listening on {listening.address}")
            async with aio.background() as engines:
                engines.start("the engines of this host", server.harness.run())
                if options.auto_format:
                    engines.start("automatic format", server.auto_format())
                yield server
    finally:
        await channels.aclose()


class Server:
    """The parts of a running server, put together."""

    def __init__(self, prepared: Prepared, channels: Channels) -> None:
        self._prepared = prepared
        clock = SystemClock()
        self._client = ManagementClient(
            channels,
            prepared.addresses.replicas,
            prepared.system,
            port=prepared.port,
            back_off=BackOff(base_s=0.05),
        )
        membership = SystemMembership(self._client, prepared.addresses.own)
        self.engines = tuple(_engine(prepared, index, membership, clock) for index in range(len(prepared.engines)))
        self.harness = Harness([engine.supervisor for engine in self.engines])
        self.events = Events(EventPost(self._client, prepared.addresses.own))
        self.management = Management(
            settings=prepared.management,
            data_plane=self.harness,
            hosts=channels,
            premises=HostPremises(self.harness, lambda: self._replica),
            events=self.events,
            clock=clock,
        )
        self.events.attach(self.management)
        self._news = EngineNews(hostname=prepared.hostname, clock=clock)
        for engine in self.engines:
            engine.supervisor.listen(self._news.heard)
        self.events.listen(lambda event: restart_after_self_termination(self.harness, event))
        self._lives = EngineLives(self.harness, prepared.restarts, hostname=prepared.hostname, clock=clock)
        self._replica = self._own_replica()
        self.storage = StorageService(self.engines, hugepages=prepared.hugepages, release=self._release)

    def rpc_handlers(self) -> Handlers:
        """Return everything served over gRPC."""
        services = (
            self.storage,
            NetworkService(self._prepared.provider),
            RankService(self.harness),
            CheckService(self.harness),
            LogService(self.engines),
            SmdService(self.harness),
            SupportService(self._prepared.support),
            FirmwareService(self.harness),
            self._lives,
        )
        handlers = {
            **mgmt_handlers(self.management),
            **system_handlers(self.management),
            **later_handlers(hugepages=self._prepared.hugepages),
        }
        for service in services:
            handlers |= service.handlers()
        return handlers

    @asynccontextmanager
    async def engine_socket(self) -> AsyncIterator[None]:
        """Listen for engines."""
        folder = Path(self._prepared.socket_dir)
        handlers: dict[Any, Any] = {
            **HostUpcalls(self.harness, self._prepared.client_certificates).handlers(),
            **Upcalls(management=self.management, events=self.events, ask_service=self._ask).handlers(),
        }
        with _no_engine_sockets(folder):
            async with drpc.serve(str(folder / SOCKET), handlers, mode=SOCKET_MODE, modules=(Module.MGMT,)):
                yield

    @asynccontextmanager
    async def services(self) -> AsyncIterator[None]:
        """Run what goes on beside the engines."""
        async with aio.background() as tasks:
            tasks.start("forwarding of events", self.events.run())
            tasks.start("news of engines", self._news.run(self.events))
            if self._prepared.telemetry_port and self.engines:
                tasks.start("metrics of engines", self._publish_metrics())
            if self._replica is not None:
                tasks.start("this host's replica of the management service", self._replica.run())
            yield

    async def _publish_metrics(self) -> None:
        """Publish metrics once all engines have been ready for the first time; that it fails is no reason to end."""
        for engine in self.harness.engines:
            await engine.until(lambda state: state is EngineState.READY)
        host, port = self._prepared.addresses.listen, self._prepared.telemetry_port
        try:
            async with exporting(host=host, port=port, title="DAOS Engine Telemetry", gather=self._engine_metrics):
                await asyncio.Event().wait()
        except OSError as error:
            log.error(f"metrics of engines cannot be published on {host}:{port}: {error.strerror}")
            await asyncio.Event().wait()

    def _engine_metrics(self) -> list[MetricSet]:
        ready = [engine for engine in self.harness.engines if engine.state is EngineState.READY]
        return engine_metrics({engine.index: engine.rank for engine in ready if engine.rank is not None})

    async def auto_format(self) -> None:
        """Format what needs it, once, as ``dmg storage format`` would; then there is nothing left to do."""
        await self._format_once()
        await asyncio.Event().wait()

    async def _format_once(self) -> None:
        await self.harness.settled()
        if any(engine.state is EngineState.AWAIT_FORMAT for engine in self.harness.engines):
            await self.storage.format(storage_pb2.StorageFormatReq(), _OURSELVES)

    def _own_replica(self) -> Replica | None:
        if self._prepared.addresses.replica is None or not self.engines:
            return None
        return Replica(self.management, self.engines[0].supervisor, self._prepared.store_folder)

    async def _release(self, instance: int) -> None:
        if instance == 0 and self._replica is not None:
            await self._replica.let_go()

    async def _ask(self, method: str, request: Message) -> Any:
        read = method == "SystemGetProp"
        return await self._client.call(MGMT[method], request, deadline_s=ASK_S, read=read, repeatable=True)


def _engine(prepared: Prepared, index: int, membership: SystemMembership, clock: SystemClock) -> LocalEngine:
    settings, disk = prepared.engines[index], prepared.disks[index]
    scm = EngineScm(disk, prepared.maker)
    supervisor = EngineSupervisor(
        settings,
        Place(
            binary=prepared.binary,
            superblock=disk.target / "superblock",
            fault_domain=str(prepared.fault_domain),
            inherited=prepared.environment,
            first_rank=0 if index == 0 and prepared.addresses.bootstraps else None,
            launch=prepared.launch,
        ),
        scm=scm,
        membership=membership,
        clock=clock,
        restarts=prepared.restarts,
    )
    return LocalEngine(supervisor=supervisor, scm=scm)


@contextmanager
def _no_engine_sockets(folder: Path) -> Iterator[None]:
    """Remove sockets that engines left behind, before and after."""
    _remove_engine_sockets(folder)
    try:
        yield
    finally:
        _remove_engine_sockets(folder)


def _remove_engine_sockets(folder: Path) -> None:
    for path in folder.glob("daos_engine*.sock"):
        path.unlink(missing_ok=True)
