"""How this host's engines join the system: through the management service, wherever it is."""

from daos_control.base import logs
from daos_control.base.errors import DaosControlError, Redirect, ServiceUnavailable
from daos_control.base.rankset import NIL_RANK
from daos_control.client.errors import is_connection_error
from daos_control.client.invoke import ManagementClient
from daos_control.engine.ports import Admission, Candidate, Standing
from daos_control.net.rpc.methods import MGMT
from daos_control.wire.pb.mgmt import svc_pb2

log = logs.get(__name__)

PATIENCE_S = 3600.0
TRY_S = 10.0

_STANDINGS = {
    svc_pb2.JoinResp.IN: Standing.MEMBER,
    svc_pb2.JoinResp.OUT: Standing.OUT,
    svc_pb2.JoinResp.CHECK: Standing.CHECK,
}


class SystemMembership:
    """``engine.supervisor.Membership`` by remote call; ``address`` is what this server calls itself."""

    def __init__(self, client: ManagementClient, address: str) -> None:
        self._client = client
        self._address = address

    async def join(self, candidate: Candidate) -> Admission:
        """Ask until the service answers, for an hour; a refusal rises at once."""
        seen: set[str] = set()

        def tell_once(error: DaosControlError) -> None:
            if _worth_another_try(error) and str(error) not in seen:
                seen.add(str(error))
                log.info(f"instance {candidate.index} waits to join the system", reason=str(error))

        reply = await self._client.call(
            MGMT["Join"],
            join_request(candidate, self._address),
            deadline_s=PATIENCE_S,
            try_s=TRY_S,
            repeatable=True,
            retry=_worth_another_try,
            on_error=tell_once,
        )
        return Admission(
            rank=reply.rank,
            map_version=reply.map_version,
            standing=_STANDINGS.get(reply.state, Standing.OUT),
            set_up_already=reply.localJoin,
        )


def join_request(candidate: Candidate, address: str) -> svc_pb2.JoinReq:
    """Write the request; the client fills in the system's name."""
    return svc_pb2.JoinReq(
        uuid=candidate.uuid,
        rank=NIL_RANK if candidate.rank is None else candidate.rank,
        uri=candidate.uri,
        nctxs=candidate.contexts,
        addr=address,
        srvFaultDomain=candidate.fault_domain,
        idx=candidate.index,
        incarnation=candidate.incarnation,
        check_mode=candidate.check_mode,
        replace=candidate.replace,
    )


def _worth_another_try(error: DaosControlError) -> bool:
    """Whether the service may be there in a while: a redirect that says where to go is followed anyway."""
    if isinstance(error, Redirect):
        return not error.replicas and not getattr(error, "hint", "")
    return isinstance(error, ServiceUnavailable) or is_connection_error(error)
