"""What clients are told of the system, serialised once for each map version however many ask."""

from daos_control.base.version import DAOS_VERSION
from daos_control.mgmt.errors import Refused
from daos_control.mgmt.ports import ClientHint, Settings
from daos_control.mgmt.rules.group_map import group_map
from daos_control.mgmt.system import System
from daos_control.model.member import Member
from daos_control.wire.pb.mgmt import svc_pb2


class AttachInfo:
    """Replies to GetAttachInfo, as bytes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._members: object = None
        self._replies: dict[bool, bytes] = {}

    def reply(self, system: System, *, data_version: int, all_ranks: bool) -> bytes:
        """Return the reply for this map; raises EmptyGroupMap while there is nobody to talk to."""
        if system.members is not self._members:
            self._replies.clear()
            self._members = system.members
        if all_ranks not in self._replies:
            message = self._build(system, data_version=data_version, all_ranks=all_ranks)
            self._replies[all_ranks] = message.SerializeToString()
        return self._replies[all_ranks]

    def _build(self, system: System, *, data_version: int, all_ranks: bool) -> svc_pb2.GetAttachInfoResp:
        everybody = group_map(system)
        beside_replicas = everybody.on(self._settings.replicas)
        reply = svc_pb2.GetAttachInfoResp(
            ms_ranks=[member.rank for member in beside_replicas],
            client_net_hint=_hint(self._settings.hints[0], 0),
            secondary_client_net_hints=[_hint(hint, index) for index, hint in enumerate(self._settings.hints) if index],
            data_version=data_version,
            sys=self._settings.system_name,
            build_info=_build_info(),
        )
        for member in everybody.members if all_ranks else beside_replicas:
            self._add(reply, member)
        return reply

    def _add(self, reply: svc_pb2.GetAttachInfoResp, member: Member) -> None:
        if len(self._settings.hints) <= len(member.secondary_fabric_uris):
            raise Refused(
                f"rank {member.rank} has {len(member.secondary_fabric_uris) + 1} fabric URIs, "
                f"this server's configuration only {len(self._settings.hints)} providers"
            )
        reply.rank_uris.add(rank=member.rank, uri=member.fabric_uri, num_ctxs=member.fabric_contexts)
        secondaries = zip(member.secondary_fabric_uris, member.secondary_fabric_contexts, strict=True)
        for index, (uri, contexts) in enumerate(secondaries, start=1):
            reply.secondary_rank_uris.add(rank=member.rank, uri=uri, provider_idx=index, num_ctxs=contexts)


def _hint(hint: ClientHint, index: int) -> svc_pb2.ClientNetHint:
    return svc_pb2.ClientNetHint(
        provider=hint.provider,
        crt_timeout=hint.crt_timeout,
        net_dev_class=hint.net_dev_class,
        srv_srx_set=hint.srv_srx_set,
        env_vars=hint.env_vars,
        provider_idx=index,
    )


def _build_info() -> svc_pb2.BuildInfo:
    major, minor, patch = (int(part) for part in DAOS_VERSION.split("."))
    return svc_pb2.BuildInfo(major=major, minor=minor, patch=patch, tag=f"v{DAOS_VERSION}")
