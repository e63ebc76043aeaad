"""What a client needs to reach a DAOS system, serialised once and patched for each client.

The management service's answer lists every rank and is the same for all clients of a node; only the
network hint differs. So the answer is taken apart once, when it arrives: what is common stays as bytes,
and a client's reply is those bytes followed by its own hint. Serialised protobuf messages may be joined
end to end (fields of the later part add to, or replace, those of the earlier), which makes the price of a
reply independent of the number of ranks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from daos_control.wire.pb.mgmt.svc_pb2 import ClientNetHint, GetAttachInfoResp

_RECENT = 32
"""Complete replies kept: clients of a node differ in the interface alone, and there are not many."""


class UnusableAttachInfo(Exception):
    """The management service's answer cannot be handed to a client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachInfo:
    """The answer of the management service, ready to be completed for any client."""

    provider: str
    """Fabric provider of the servers; clients must use the same."""
    dev_class: int
    """Network device class of the servers (ARPHRD number)."""
    srv_srx_set: int
    common: bytes
    """Serialised ``GetAttachInfoResp`` without the hint."""
    hint: ClientNetHint
    """The hint as it came; never modified."""
    _recent: dict[tuple[object, ...], bytes] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_reply(cls, reply: GetAttachInfoResp, *, provider_index: int = 0) -> Self:
        """Take a reply apart; ``provider_index`` above 0 selects that secondary provider.

        Raises UnusableAttachInfo if the reply names no provider, or lacks the secondary one.
        """
        if provider_index:
            common, hint = _secondary(reply, provider_index)
        else:
            common, hint = _primary(reply)
        if not hint.provider:
            raise UnusableAttachInfo("the management service named no fabric provider")
        return cls(
            provider=hint.provider,
            dev_class=hint.net_dev_class,
            srv_srx_set=hint.srv_srx_set,
            common=common.SerializeToString(),
            hint=hint,
        )

    def for_client(
        self, *, interface: str, domain: str, env_vars: Sequence[str] = (), numa_fabric: bytes = b""
    ) -> bytes:
        """Return one client's serialised reply; ``numa_fabric`` is the serialised list of local interfaces."""
        key = (interface, domain, *env_vars, numa_fabric)
        reply = self._recent.get(key)
        if reply is None:
            own = GetAttachInfoResp(client_net_hint=self.hint)
            own.client_net_hint.interface = interface
            own.client_net_hint.domain = domain
            own.client_net_hint.env_vars.extend(env_vars)
            reply = b"".join((self.common, numa_fabric, own.SerializeToString()))
            if len(self._recent) >= _RECENT:
                del self._recent[next(iter(self._recent))]
            self._recent[key] = reply
        return reply


def _primary(reply: GetAttachInfoResp) -> tuple[GetAttachInfoResp, ClientNetHint]:
    hint = ClientNetHint()
    hint.CopyFrom(reply.client_net_hint)
    common = GetAttachInfoResp(
        rank_uris=reply.rank_uris,
        secondary_rank_uris=reply.secondary_rank_uris,
        ms_ranks=reply.ms_ranks,
        sys=reply.sys,
        secondary_client_net_hints=reply.secondary_client_net_hints,
    )
    if reply.HasField("build_info"):
        common.build_info.CopyFrom(reply.build_info)
    return common, hint


def _secondary(reply: GetAttachInfoResp, index: int) -> tuple[GetAttachInfoResp, ClientNetHint]:
    hints = reply.secondary_client_net_hints
    if index > len(hints):
        raise UnusableAttachInfo(f"secondary provider {index} was asked for, the servers have {len(hints)}")
    hint = ClientNetHint()
    hint.CopyFrom(hints[index - 1])
    if hint.provider_idx != index:
        raise UnusableAttachInfo(f"the hint of secondary provider {index} calls itself {hint.provider_idx}")
    uris = _uris_of(reply.secondary_rank_uris, index)
    if not uris:
        raise UnusableAttachInfo(f"no rank has an address for secondary provider {index}")
    return GetAttachInfoResp(rank_uris=uris, ms_ranks=reply.ms_ranks), hint


def _uris_of(uris: Iterable[GetAttachInfoResp.RankUri], index: int) -> list[GetAttachInfoResp.RankUri]:
    return [uri for uri in uris if uri.provider_idx == index]
