"""Servers and their engines: their version, and what engines log."""

from collections.abc import Sequence
from dataclasses import dataclass

from daos_control.base.der import der_text
from daos_control.base.errors import DaosControlError
from daos_control.client.connection import Connection
from daos_control.client.errors import HostError
from daos_control.client.reports import HostReport, group_hosts, group_problems
from daos_control.client.storage import StorageReport
from daos_control.client.storage_records import HostStorage
from daos_control.net.rpc.status import Code, StatusError
from daos_control.wire.pb.ctl import server_pb2
from daos_control.wire.pb.mgmt import svc_pb2, system_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVersion:
    """The release of the servers, and the tag that it was built from, if they tell."""

    number: str
    tag: str


class Server:
    """What is done to servers; part of a ``DaosClient``. Without ``hosts``, to all configured ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def version(self) -> ServerVersion:
        """Return the version of the management service.

        DAOS lets agents alone ask for it where there are certificates; but its properties tell it to administrators.
        """
        try:
            reply = await self._connection.ask("GetAttachInfo", svc_pb2.GetAttachInfoReq(all_ranks=True), read=True)
        except StatusError as error:
            if error.code != Code.PERMISSION_DENIED:
                raise
            request = system_pb2.SystemGetPropReq(keys=["daos_version"])
            told = await self._connection.ask("SystemGetProp", request, read=True)
            return ServerVersion(number=told.properties["daos_version"], tag="")
        build = reply.build_info
        return ServerVersion(number=f"{build.major}.{build.minor}.{build.patch}", tag=build.tag)

    async def set_log_masks(
        self,
        *,
        hosts: Sequence[str] = (),
        masks: str | None = None,
        streams: str | None = None,
        subsystems: str | None = None,
    ) -> StorageReport:
        """Set what engines log; None goes back to the engine's configuration, and an empty text means everything.

        The report's records are empty, as those of DAOS are: it tells where it went well.
        """
        request = server_pb2.SetLogMasksReq(
            masks=masks or "",
            streams=streams or "",
            subsystems=subsystems or "",
            reset_masks=masks is None,
            reset_streams=streams is None,
            reset_subsystems=subsystems is None,
        )
        answers = await self._connection.each("SetEngineLogMasks", request, hosts)
        errors = list(answers.errors.items())
        for host, reply in answers.replies.items():
            failed = _engine_errors(reply)
            if failed:
                errors.append((host, failed))
        groups = group_hosts({host: HostStorage() for host in answers.replies})
        return HostReport(groups=groups, problems=group_problems(errors))


def _engine_errors(reply: server_pb2.SetLogMasksResp) -> DaosControlError | None:
    failed = [f"engine-{index}: {text}" for index, text in enumerate(reply.errors) if text]
    if reply.status and not failed:
        failed = [der_text(reply.status)]
    return HostError(", ".join(failed)) if failed else None
