"""What clients may ask of the agent: the dRPC methods, and what each answers.

libdaos tells apart a call that failed (transport-level FAILURE; the application sees -1025) from a call that was
answered with a status (the application sees that). Which one it is, is part of the interface.

Who calls is what the kernel says. Requests carry no identity, and none that they might carry would be believed.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from google.protobuf.message import Message

from daos_control.apps.agent.attach_info import AttachInfo
from daos_control.apps.agent.client_metrics import CannotRegister
from daos_control.apps.agent.credentials import Credentials
from daos_control.apps.agent.fabric import FabricDevice, NoFabric
from daos_control.apps.agent.process_monitor import ProcessMonitor, TooManyHandles
from daos_control.apps.agent.upstream import ATTACH_FAILURES, client_status
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.net.drpc import methods
from daos_control.net.drpc.errors import DrpcFailure, Status
from daos_control.net.drpc.server import Handler, Handlers, Peer
from daos_control.wire.pb.mgmt.svc_pb2 import (
    ClientTelemetryReq,
    ClientTelemetryResp,
    GetAttachInfoReq,
    GetAttachInfoResp,
    PoolMonitorReq,
)

log = logs.get(__name__)


class AttachSource(Protocol):
    """Where attach info comes from."""

    async def get(self) -> AttachInfo:
        """Return it, cached or not."""
        ...


class FabricSource(Protocol):
    """What the agent knows of the local fabric."""

    async def choose(self, *, numa_node: int, dev_class: int, provider: str) -> FabricDevice:
        """Return the device for the next client. Raises NoFabric."""
        ...

    async def find(self, interface: str, domain: str, *, dev_class: int) -> FabricDevice:
        """Return the device that a client asks for by name. Raises NoFabric."""
        ...

    async def numa_map(self, *, dev_class: int, provider: str) -> bytes:
        """Return the serialised list of usable devices by NUMA node."""
        ...


class TelemetryAdvice(Protocol):
    """What applications are told about metrics."""

    def env_vars(self, process_name: str) -> Sequence[str]:
        """Return entries for the environment of an application of that name."""
        ...


class MetricsRegistry(Protocol):
    """Where applications' metrics are gathered."""

    def register(self, *, pid: int, uid: int, job: str, key: int) -> None:
        """Link the metrics of a process, which are in shared memory of that key. Raises CannotRegister."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentService:
    """Answers clients; what it needs is given to it."""

    system: str
    attach: AttachSource
    fabric: FabricSource
    credentials: Credentials
    monitor: ProcessMonitor
    telemetry: TelemetryAdvice
    metrics: MetricsRegistry | None
    """None if client metrics are not gathered."""
    name_of: Callable[[int], str]
    numa_node_of: Callable[[int], int]
    is_closing: Callable[[], bool]
    """Whether the agent has begun to shut down: what clients report from then on would be lost."""

    def handlers(self) -> Handlers:
        """Return the methods and what answers them."""
        return {
            methods.Agent.REQUEST_CREDS: self.request_credentials,
            methods.Mgmt.GET_ATTACH_INFO: self._unless_closing(self.get_attach_info),
            methods.Mgmt.NOTIFY_POOL_CONNECT: self._unless_closing(self.notify_pool_connect),
            methods.Mgmt.NOTIFY_POOL_DISCONNECT: self._unless_closing(self.notify_pool_disconnect),
            methods.Mgmt.NOTIFY_EXIT: self._unless_closing(self.notify_exit),
            methods.Mgmt.SETUP_CLIENT_TELEM: self._unless_closing(self.set_up_client_telemetry),
        }

    def _unless_closing(self, handler: Handler) -> Handler:
        async def guarded(request: Any, peer: Peer) -> Message | bytes | None:
            if self.is_closing():
                raise DrpcFailure(reason="agent is shutting down")
            return await handler(request, peer)

        return guarded

    async def request_credentials(self, _request: None, peer: Peer) -> bytes:
        """Vouch for the caller."""
        return await self.credentials.issue(peer)

    async def get_attach_info(self, request: GetAttachInfoReq, peer: Peer) -> bytes:
        """Tell the caller how to reach the system and which interface to use."""
        if request.sys and request.sys != self.system:
            log.error("client wants another system", wanted=request.sys, system=self.system, pid=peer.pid)
            return _attach_status(Der.INVAL)
        try:
            numa_node = self.numa_node_of(peer.pid)
        except OSError as error:
            raise DrpcFailure(reason=f"cannot tell the client's NUMA node: {error.strerror}") from error
        try:
            info = await self.attach.get()
        except ATTACH_FAILURES as error:
            log.error(f"cannot get attach info: {error}", pid=peer.pid)
            status = client_status(error)
            if status is None:
                raise DrpcFailure(reason="no attach info") from error
            return _attach_status(status)
        return await self._complete(info, request, peer, numa_node)

    async def _complete(self, info: AttachInfo, request: GetAttachInfoReq, peer: Peer, numa_node: int) -> bytes:
        """Add to the attach info what is this client's own."""
        name = self.name_of(peer.pid)
        try:
            interface, domain = await self._interface(info, request, numa_node)
            numa_map = await self.fabric.numa_map(dev_class=info.dev_class, provider=info.provider)
        except NoFabric as error:
            raise DrpcFailure(reason=str(error)) from error
        log.info(
            "client attaches",
            pid=peer.pid,
            name=name,
            numa=numa_node,
            iface=interface,
            dom=domain,
            prov=info.provider,
            srx=info.srv_srx_set,
        )
        return info.for_client(
            interface=interface, domain=domain, env_vars=self.telemetry.env_vars(name), numa_fabric=numa_map
        )

    async def _interface(self, info: AttachInfo, request: GetAttachInfoReq, numa_node: int) -> tuple[str, str]:
        """Choose an interface, or check the one that the client insists on."""
        if not request.interface:
            device = await self.fabric.choose(numa_node=numa_node, dev_class=info.dev_class, provider=info.provider)
            return device.interface, device.domain
        interface, domain = request.interface, request.domain or request.interface
        try:
            device = await self.fabric.find(interface, domain, dev_class=info.dev_class)
        except NoFabric as error:  # the client may know better
            log.error(f"the interface a client asks for may not work: {error}", iface=interface, dom=domain)
            return interface, domain
        if not device.supports(info.provider):
            spoken: Sequence[str] = sorted(device.providers)
            raise NoFabric(f"{interface} with domain {domain} speaks {', '.join(spoken)}, not {info.provider}")
        return interface, domain

    async def notify_pool_connect(self, request: PoolMonitorReq, peer: Peer) -> None:
        """Note that the caller has opened a pool."""
        pool, handle = _handle(request)
        try:
            self.monitor.opened(peer.pid, pool, handle)
        except TooManyHandles as error:
            raise DrpcFailure(reason=str(error)) from error

    async def notify_pool_disconnect(self, request: PoolMonitorReq, peer: Peer) -> None:
        """Note that the caller has closed a pool."""
        pool, handle = _handle(request)
        self.monitor.closed(peer.pid, pool, handle)

    async def notify_exit(self, _request: None, peer: Peer) -> None:
        """Note that the caller is done, with whatever it has left open."""
        self.monitor.exiting(peer.pid)

    async def set_up_client_telemetry(self, request: ClientTelemetryReq, peer: Peer) -> ClientTelemetryResp:
        """Gather the caller's metrics with those of others."""
        if not request.jobid:
            raise DrpcFailure(reason="client telemetry: no job id")
        if not request.shm_key:
            raise DrpcFailure(reason="client telemetry: no shared memory key")
        reply = ClientTelemetryResp(status=Der.UNINIT, agent_uid=os.getuid())
        if self.metrics is not None:
            try:
                self.metrics.register(pid=peer.pid, uid=peer.uid, job=request.jobid, key=request.shm_key)
                reply.status = Der.SUCCESS
            except CannotRegister as refusal:
                log.notice(f"client metrics are not gathered: {refusal}", pid=peer.pid, uid=peer.uid, job=request.jobid)
                reply.status = refusal.status
        return reply


def _attach_status(status: Der) -> bytes:
    return GetAttachInfoResp(status=status).SerializeToString()


def _handle(request: PoolMonitorReq) -> tuple[UUID, UUID]:
    """Return pool and handle; anything but UUIDs is refused, which nothing genuine ever sends."""
    try:
        return UUID(request.poolUUID), UUID(request.poolHandleUUID)
    except ValueError:
        raise DrpcFailure(Status.FAILURE, "pool and handle are not UUIDs") from None
