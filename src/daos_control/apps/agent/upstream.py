"""The three things the agent asks of the management service, in the agent's own words."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

from google.protobuf.message import Message

from daos_control.apps.agent.attach_info import AttachInfo, UnusableAttachInfo
from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError, DaosError, EmptyGroupMap, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.client.errors import ManagementServiceUnreachable, is_connection_error
from daos_control.client.hosts import addresses
from daos_control.client.invoke import ManagementClient
from daos_control.client.outcomes import is_unavailable
from daos_control.net.grpc.channels import Channels
from daos_control.net.rpc.methods import MGMT
from daos_control.security.certificates import Certificates
from daos_control.security.components import Component
from daos_control.wire.pb.mgmt.pool_pb2 import PoolEvictReq
from daos_control.wire.pb.mgmt.svc_pb2 import GetAttachInfoReq, GetAttachInfoResp
from daos_control.wire.pb.mgmt.system_pb2 import SystemCleanupReq, SystemCleanupResp

log = logs.get(__name__)

_CLEANUP_DEADLINE_S = 60.0  # the agent is starting, and systemd waits for it, by default no longer than 90 s
_PASSING = {Der.UNREACH, Der.TIMEDOUT, Der.AGAIN, Der.OOG, Der.EXCLUDED, Der.GRPVER}


class Service(Protocol):
    """The management service; ``client.invoke.ManagementClient`` is one."""

    async def call(self, method: Any, request: Message, **how: Any) -> Any:
        """Return the reply, or raise an error of ``base.errors``."""
        ...


class Connection:
    """The management service, connected to only while there are calls: they are rare, and agents are many."""

    def __init__(
        self,
        hosts: Sequence[str],
        system: str,
        *,
        port: int,
        certificates: Certificates | None,
        allow_proxy: bool = False,
    ) -> None:
        """``hosts`` may be ranges. Raises DaosControlError if they are not hosts."""
        self._hosts = addresses(hosts, port)
        self._system = system
        self._certificates = certificates
        self._allow_proxy = allow_proxy
        self._channels: Channels | None = None
        self._calls = 0

    async def call(self, method: Any, request: Message, **how: Any) -> Any:
        """Return the reply, or raise an error of ``base.errors``."""
        if self._channels is None:
            self._channels = Channels(self._certificates, Component.AGENT, allow_proxy=self._allow_proxy)
        self._calls += 1
        try:
            client = ManagementClient(self._channels, self._hosts, self._system)
            return await client.call(method, request, **how)
        finally:
            self._calls -= 1
            if not self._calls:
                idle, self._channels = self._channels, None
                await idle.aclose()


async def ask_attach_info(service: Service) -> GetAttachInfoResp:
    """Ask how to reach the system's ranks; while it has none yet, keep asking."""
    reply: GetAttachInfoResp = await service.call(
        MGMT["GetAttachInfo"],
        GetAttachInfoReq(all_ranks=True),
        retry=lambda error: isinstance(error, EmptyGroupMap),
        repeatable=True,
    )
    return reply


async def fetch_attach_info(service: Service, *, provider_index: int) -> AttachInfo:
    """Ask the same, and make the answer ready for clients. Raises UnusableAttachInfo if it is of no use to them."""
    return AttachInfo.from_reply(await ask_attach_info(service), provider_index=provider_index)


async def evict(service: Service, pool: UUID, handles: Iterable[UUID]) -> None:
    """Take handles away from a pool."""
    request = PoolEvictReq(id=str(pool), handles=sorted(map(str, handles)))
    await service.call(MGMT["PoolEvict"], request, retry=_passes, repeatable=True)


async def clean_up(service: Service, machine: str) -> None:
    """Evict every pool handle that clients of this machine have left behind; failures are logged, not raised."""
    try:
        reply: SystemCleanupResp = await service.call(
            MGMT["SystemCleanup"],
            SystemCleanupReq(machine=machine),
            deadline_s=_CLEANUP_DEADLINE_S,
            repeatable=True,
        )
    except DaosControlError as error:
        log.error(f"cannot evict the pool handles this machine left behind: {error}", machine=machine)
        return
    for result in reply.results:
        if result.status:
            log.error(f"cannot evict pool handles: {result.msg or DaosError(result.status)}", pool=result.pool_id)
        else:
            log.info("evicted pool handles this machine left behind", pool=result.pool_id)


def _passes(error: DaosControlError) -> bool:
    """Whether a pool may answer the same request otherwise in a moment."""
    if isinstance(error, DaosError):
        return error.status in _PASSING
    return is_unavailable(error) or (isinstance(error, Fault) and error.code == FaultCode.SYSTEM_POOL_LOCKED)


def client_status(error: Exception) -> Der | None:
    """Return what a client is told in the body of its reply; None if the call as a whole fails.

    Clients tell the two apart: a status reaches the application as it is, a failed call as -1025.
    """
    if isinstance(error, Fault) and error.code == FaultCode.SERVER_WRONG_SYSTEM:
        return Der.CONTROL_INCOMPAT
    if isinstance(error, Fault) and error.code == FaultCode.SECURITY_INVALID_CERT:
        return Der.BAD_CERT
    if isinstance(error, ManagementServiceUnreachable) or is_connection_error(error):
        return Der.UNREACH
    return None


ATTACH_FAILURES = (DaosControlError, UnusableAttachInfo)
"""How asking for attach info may fail."""
