"""The way to a running engine: calls on its dRPC socket."""

from typing import TypeVar

from google.protobuf.message import Message

from daos_control.base.errors import DaosError
from daos_control.base.fault_codes import FaultCode
from daos_control.net.drpc import client
from daos_control.net.drpc.errors import DrpcUnreachable
from daos_control.net.drpc.methods import Method, Mgmt
from daos_control.wire.pb.mgmt import svc_pb2

RequestT = TypeVar("RequestT", bound=Message | None)
ReplyT = TypeVar("ReplyT", bound=Message | None)


class EngineLink:
    """One engine process, by its socket. Calls may run side by side: each has its own connection."""

    def __init__(self, socket: str) -> None:
        self.socket = socket

    async def call(
        self, method: Method[RequestT, ReplyT], request: RequestT, *, timeout_s: float | None = None
    ) -> ReplyT:
        """Ask the engine; a DER status inside the reply is the caller's to look at.

        Raises fault 611 when nobody listens at the socket, so that nobody was asked; another DrpcError when the
        answer fails to come, and then the engine may or may not have done it.
        """
        try:
            return await client.call(self.socket, method, request, timeout_s=timeout_s)
        except DrpcUnreachable as error:
            raise FaultCode.SERVER_DATA_PLANE_NOT_STARTED.fault() from error

    async def set_up(self, rank: int, map_version: int) -> None:
        """Tell the engine who it is, once in its life, and open it for service; returns when it is open.

        Raises DaosError if it refuses.
        """
        _accept(await self.call(Mgmt.SET_RANK, svc_pb2.SetRankReq(rank=rank, map_version=map_version)))
        _accept(await self.call(Mgmt.SET_UP, None))


def _accept(reply: svc_pb2.DaosResp) -> None:
    if reply.status != 0:
        raise DaosError(reply.status)
