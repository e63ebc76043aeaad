"""Calls of an engine to the daos_server that started it: each over a connection of its own, numbered from 0."""

import asyncio
from pathlib import Path
from typing import TypeVar

from google.protobuf.message import Message

from daos_control.base import logs
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.net.drpc import client
from daos_control.net.drpc.errors import DrpcError, DrpcStatus, Status
from daos_control.net.drpc.methods import Method, Srv
from daos_control.wire.pb.mgmt import system_pb2
from daos_control.wire.pb.shared import check_engine_pb2, event_pb2
from daos_control.wire.pb.srv import srv_pb2

log = logs.get(__name__)

SELF_HEAL = "self_heal"
SELF_HEAL_WORDS = frozenset({"exclude", "pool_exclude", "pool_rebuild"})
TRIES, PAUSE_S = 3, 3.0

RequestT = TypeVar("RequestT", bound=Message)
ReplyT = TypeVar("ReplyT", bound=Message | None)


class Upcalls:
    """The server's socket, and what an engine asks through it; ``hostname`` and ``pid`` are the engine's."""

    def __init__(self, socket_dir: Path, *, hostname: str, pid: int) -> None:
        self._path = str(socket_dir / "daos_server.sock")
        self._hostname = hostname
        self._pid = pid

    async def notify_ready(self, request: srv_pb2.NotifyReadyReq) -> None:
        """Tell that the engine can be given a rank; raises DrpcError, and then there is no point in going on."""
        await client.call(self._path, Srv.NOTIFY_READY, request, sequence=0)

    async def pool_replicas(self, uuid: str) -> list[int]:
        """Ask where a pool's service is; raises DaosError."""
        reply = await self._call(Srv.GET_POOL_SVC, srv_pb2.GetPoolSvcReq(uuid=uuid))
        if reply.status != 0:
            raise DaosError(reply.status)
        return list(reply.svcreps)

    async def self_heal(self, group: str) -> frozenset[str]:
        """Ask for the system's self-heal policy; a server that fails to answer is asked again. Raises DaosError."""
        request = system_pb2.SystemGetPropReq(sys=group, keys=[SELF_HEAL])
        for attempt in range(TRIES):
            try:
                reply = await client.call(self._path, Srv.GET_SYS_PROPS, request, sequence=0)
            except DrpcStatus as error:
                if error.status != Status.FAILURE or attempt == TRIES - 1:
                    raise DaosError(Der.PROTO) from error
                await asyncio.sleep(PAUSE_S)
            except DrpcError as error:
                raise DaosError(Der.IO) from error
            else:
                return parse_self_heal(dict(reply.properties))
        raise DaosError(Der.PROTO)

    async def event(self, event: event_pb2.RASEvent, *, wait: bool) -> None:
        """Report an event; unless told to wait, leave before the server has answered. Failures are logged."""
        event.hostname, event.proc_id = self._hostname, self._pid
        request = event_pb2.ClusterEventReq(event=event)
        try:
            if wait:
                await client.call(self._path, Srv.CLUSTER_EVENT, request, sequence=0)
            else:
                await client.notify(self._path, Srv.CLUSTER_EVENT, request, sequence=0)
        except DrpcError as error:
            log.error("event was not delivered", number=event.id, reason=error)

    async def check_pools(self) -> list[check_engine_pb2.CheckListPoolResp.OnePool]:
        """Ask which pools the management service knows; raises DaosError."""
        reply = await self._call(Srv.CHK_LIST_POOL, check_engine_pb2.CheckListPoolReq())
        if reply.status != 0:
            raise DaosError(reply.status)
        return list(reply.pools)

    async def check_register(self, request: check_engine_pb2.CheckRegPoolReq) -> None:
        """Have a pool added to what the management service knows; raises DaosError."""
        _accepted((await self._call(Srv.CHK_REG_POOL, request)).status)

    async def check_deregister(self, request: check_engine_pb2.CheckDeregPoolReq) -> None:
        """Have a pool removed from what the management service knows; raises DaosError."""
        _accepted((await self._call(Srv.CHK_DEREG_POOL, request)).status)

    async def check_report(self, request: check_engine_pb2.CheckReportReq) -> None:
        """Report a finding of the checker; raises DaosError."""
        _accepted((await self._call(Srv.CHK_REPORT, request)).status)

    async def _call(self, method: Method[RequestT, ReplyT], request: RequestT) -> ReplyT:
        try:
            return await client.call(self._path, method, request, sequence=0)
        except DrpcError as error:
            log.error("daos_server did not answer", method=method, reason=error)
            raise DaosError(Der.IO) from error


def parse_self_heal(found: dict[str, str]) -> frozenset[str]:
    """Read the system property, which must come alone; raises DaosError PROTO."""
    if set(found) != {SELF_HEAL}:
        raise DaosError(Der.PROTO)
    words = frozenset() if found[SELF_HEAL] == "none" else frozenset(found[SELF_HEAL].split(";"))
    if not words <= SELF_HEAL_WORDS:
        raise DaosError(Der.PROTO)
    return words


def _accepted(status: int) -> None:
    if status != 0:
        raise DaosError(status)
