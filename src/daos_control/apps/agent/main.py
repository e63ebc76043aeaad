"""Builds a daos_agent from its configuration, and runs it until it is told to stop.

SIGINT or SIGTERM closes it: clients are turned away, the pool handles of local processes are given back unless the
configuration forbids it, and the socket is removed. A second one means now, handles or not. SIGUSR1 gives all
handles back, SIGUSR2 forgets what was cached; both leave it running.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from signal import SIGINT, SIGTERM, SIGUSR1, SIGUSR2, Signals

from daos_control.apps.agent import identity, systemd, upstream
from daos_control.apps.agent.attach_cache import AttachInfoCache
from daos_control.apps.agent.client_metrics import CannotGather, ClientMetrics, client_metrics
from daos_control.apps.agent.client_process import NumaNodes, process_name
from daos_control.apps.agent.credentials import Credentials
from daos_control.apps.agent.fabric import Fabric, FabricDevice, NameFilter, NoFabric
from daos_control.apps.agent.identity import Identity, UserMap
from daos_control.apps.agent.interfaces import Interfaces
from daos_control.apps.agent.local_fabric import LocalFabric
from daos_control.apps.agent.process_monitor import ProcessMonitor, process_monitor
from daos_control.apps.agent.process_watch import ProcessWatch
from daos_control.apps.agent.scan import scan
from daos_control.apps.agent.service import AgentService
from daos_control.apps.agent.telemetry import TelemetryPolicy
from daos_control.base import aio, logs
from daos_control.base.clock import SystemClock
from daos_control.base.errors import DaosControlError
from daos_control.base.version import DAOS_VERSION
from daos_control.config.agent import DEFAULT_USER, AgentConfig, CredentialConfig, MappedUser
from daos_control.host.limits import allow_many_files
from daos_control.net.drpc.server import serve
from daos_control.security.certificates import Certificates
from daos_control.security.tokens import Sign, hash_token
from daos_control.telemetry import exporter
from daos_control.telemetry.exporter import exporting

log = logs.get(__name__)

PROGRAM = "daos_agent"
TITLE = f"DAOS Agent version {DAOS_VERSION}"
SOCKET = "daos_agent.sock"
SOCKET_MODE = 0o666  # any local user may be a client; who it is, the kernel tells us

_LOOK_UP_THREADS = 16
_DEFAULT_RETAIN_S = 60.0
_EVERYWHERE = "0.0.0.0"
"""Metrics are for whoever gathers them, from another machine."""


class CannotStart(DaosControlError):
    """The agent cannot start; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A running agent: what signals act upon."""

    socket: Path
    monitor: ProcessMonitor
    attach: AttachInfoCache
    fabric: LocalFabric
    is_closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def refresh(self) -> None:
        """Look again at the system and at the local fabric; where that fails, what was known stays."""
        for what, look in (("attach info", self.attach.refresh), ("fabric", self.fabric.refresh)):
            try:
                await look()
            except (*upstream.ATTACH_FAILURES, NoFabric) as error:
                log.notice(f"cannot refresh the {what}, the old one stays: {error}")


async def run(config: AgentConfig, certificates: Certificates | None, *, allow_proxy: bool = False) -> None:
    """Serve local clients until told to stop; without ``certificates``, the insecure way.

    Raises DaosControlError, DrpcError or OSError if it cannot start.
    """
    log.info(f"Starting {TITLE} (pid {os.getpid()})")
    for pid in _namesakes(PROGRAM):
        log.notice(f"another process called {PROGRAM} is running", pid=pid)
    allow_many_files()
    service = upstream.Connection(
        config.access_points, config.name, port=config.port, certificates=certificates, allow_proxy=allow_proxy
    )
    with aio.signals(SIGINT, SIGTERM, SIGUSR1, SIGUSR2) as received:
        async with open_agent(config, certificates, service) as agent:
            log.info(f"{TITLE} (pid {os.getpid()}) listening on {agent.socket}")
            systemd.notify(systemd.READY)
            try:
                await _obey(received, agent, evict=not config.disable_auto_evict)
            finally:
                systemd.notify(systemd.STOPPING)


@asynccontextmanager
async def open_agent(
    config: AgentConfig,
    certificates: Certificates | None,
    service: upstream.Service,
    *,
    environ: Mapping[str, str] = os.environ,
) -> AsyncIterator[Agent]:
    """Listen for clients while inside; ``service`` is the management service."""
    path = Path(config.runtime_dir) / SOCKET
    if not path.parent.is_dir():
        raise CannotStart(f"runtime_dir {path.parent} is no directory: create it, or name another one with -s")
    machine = socket.gethostname().partition(".")[0]
    if config.enable_evict_on_start:
        await upstream.clean_up(service, machine)
    with (
        closing(Interfaces()) as interfaces,
        closing(ProcessWatch()) as watch,
        _credentials(config.credential_config, certificates, machine) as credentials,
        _metrics(config) as metrics,
    ):
        async with (
            _publishing(config),
            process_monitor(evict=partial(upstream.evict, service), watch=watch, name_of=process_name) as monitor,
        ):
            agent = Agent(
                socket=path,
                monitor=monitor,
                attach=_attach(config, service, environ),
                fabric=_fabric(config, interfaces.has_address, environ),
            )
            answers = AgentService(
                system=config.name,
                attach=agent.attach,
                fabric=agent.fabric,
                credentials=credentials,
                monitor=monitor,
                telemetry=_telemetry(config),
                metrics=metrics,
                name_of=process_name,
                numa_node_of=NumaNodes.load().of_process,
                is_closing=agent.is_closing.is_set,
            )
            async with serve(str(path), answers.handlers(), mode=SOCKET_MODE):
                yield agent


async def _obey(received: "asyncio.Queue[Signals]", agent: Agent, *, evict: bool) -> None:
    """Do what signals ask for, until one asks for the end."""
    async with asyncio.TaskGroup() as group:
        tasks = []
        while (signum := await received.get()) in {SIGUSR1, SIGUSR2}:
            if signum is SIGUSR1:
                log.info("Signal received. Caught SIGUSR1; flushing open pool handles")
                tasks.append(group.create_task(agent.monitor.flush(), name="flush"))
            else:
                log.info("Signal received. Caught SIGUSR2; refreshing caches")
                tasks.append(group.create_task(agent.refresh(), name="refresh"))
        log.info(f"Signal received. Caught {signum.name}; shutting down")
        agent.is_closing.set()
        if evict:
            flush = group.create_task(agent.monitor.flush(), name="last flush")
            again = group.create_task(_told_again(received), name="second signal")
            tasks += [flush, again]
            await asyncio.wait({flush, again}, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()


async def _told_again(received: "asyncio.Queue[Signals]") -> None:
    while await received.get() not in {SIGINT, SIGTERM}:
        pass
    log.notice("told twice to stop: pool handles not given back yet stay with the servers")


def _attach(config: AgentConfig, service: upstream.Service, environ: Mapping[str, str]) -> AttachInfoCache:
    return AttachInfoCache(
        partial(upstream.fetch_attach_info, service, provider_index=config.provideridx),
        clock=SystemClock(),
        enabled=not config.disable_caching and environ.get("DAOS_AGENT_DISABLE_CACHE") != "true",
        max_age_s=config.cache_expiration * 60,
    )


def _fabric(config: AgentConfig, has_address: Callable[[str], bool], environ: Mapping[str, str]) -> LocalFabric:
    static, names = static_fabric(config), name_filter(config)
    caching = not config.disable_caching and environ.get("DAOS_AGENT_DISABLE_OFI_CACHE") != "true"
    return LocalFabric(scan, static=static, names=names, has_address=has_address, caching=caching)


def static_fabric(config: AgentConfig) -> Fabric:
    """Return the devices that the configuration lists, which are then all there are."""
    return Fabric.of(
        (group.numa_node, FabricDevice(interface=device.iface, domain=device.domain or device.iface))
        for group in config.fabric_ifaces
        for device in group.devices
    )


def name_filter(config: AgentConfig) -> NameFilter:
    """Return which interfaces the configuration lets clients use."""
    return NameFilter(exclude=frozenset(config.exclude_fabric_ifaces), include=frozenset(config.include_fabric_ifaces))


@contextmanager
def _credentials(config: CredentialConfig, certificates: Certificates | None, machine: str) -> Iterator[Credentials]:
    lifetime_s = config.cache_expiration
    if lifetime_s > 0:
        log.notice("credentials are kept: changed group memberships take effect late", lifetime_s=lifetime_s)
    threads = ThreadPoolExecutor(_LOOK_UP_THREADS, "look-up") if identity.database_may_block() else None
    try:
        yield Credentials(
            machine=machine,
            sign=_signing(certificates),
            look_up=identity.look_up,
            user_map=_user_map(config.client_user_map),
            clock=SystemClock(),
            lifetime_s=max(0.0, lifetime_s),
            threads=threads,
        )
    finally:
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)


def _signing(certificates: Certificates | None) -> Sign:
    if certificates is None:
        return hash_token
    from daos_control.security.credentials import signer  # noqa: PLC0415  it loads cryptography

    return signer(certificates.key)


def _user_map(users: Mapping[str, MappedUser]) -> UserMap:
    identities = {
        key: Identity(user=user.user, group=user.group, groups=tuple(user.groups)) for key, user in users.items()
    }
    default = identities.pop(DEFAULT_USER, None)
    return UserMap(by_uid={int(uid): mapped for uid, mapped in identities.items()}, default=default)


def _telemetry(config: AgentConfig) -> TelemetryPolicy:
    return TelemetryPolicy(
        enabled=config.telemetry_enabled,
        only=config.telemetry_enabled_procs,
        never=config.telemetry_disabled_procs,
    )


@contextmanager
def _metrics(config: AgentConfig) -> Iterator[ClientMetrics | None]:
    """Gather client metrics if they are configured; that they cannot be must not keep anybody from his data."""
    if not config.telemetry_port:
        yield None
        return
    with ExitStack() as stack:
        watch = stack.enter_context(closing(ProcessWatch()))
        retain_s = config.telemetry_retain or _DEFAULT_RETAIN_S
        metrics = None
        try:
            metrics = stack.enter_context(client_metrics(watch=watch, retain_s=retain_s))
        except (CannotGather, OSError) as error:
            log.error(f"client metrics cannot be gathered: {error}")
        yield metrics


@asynccontextmanager
async def _publishing(config: AgentConfig) -> AsyncIterator[None]:
    """Publish client metrics if that is configured. Raises CannotStart if the port is not to be had."""
    async with AsyncExitStack() as stack:
        if config.telemetry_port:
            try:
                await stack.enter_async_context(
                    exporting(
                        host=_EVERYWHERE,
                        port=config.telemetry_port,
                        title="DAOS Client Telemetry",
                        gather=exporter.client_metrics,
                    )
                )
            except OSError as error:
                raise CannotStart(
                    f"telemetry_port {config.telemetry_port} cannot be listened on: {error.strerror}; choose another"
                ) from error
        yield


def _namesakes(name: str) -> Iterator[int]:
    """Return other processes of that name; two agents work, but seldom is it meant."""
    for comm in Path("/proc").glob("[0-9]*/comm"):
        try:
            other = comm.read_text().strip()
        except OSError:  # it ended meanwhile
            continue
        if other == name and int(comm.parent.name) != os.getpid():
            yield int(comm.parent.name)
