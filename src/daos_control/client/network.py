"""Fabric interfaces of hosts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from daos_control.client.connection import Connection
from daos_control.client.fingerprint import fact
from daos_control.client.reports import HostReport, group_hosts, group_problems
from daos_control.wire.pb.ctl import network_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFabricInterface:
    """An interface as one provider may use it; a lower ``priority`` is better."""

    provider: str = fact("Provider", default="")
    device: str = fact("Device", default="")
    numa_node: int = fact("NumaNode", "I", default=0)
    priority: int = fact("Priority", "I", default=0)
    net_dev_class: int = fact("NetDevClass", "I", default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFabric:
    """The fabric interfaces of a host."""

    interfaces: tuple[HostFabricInterface, ...] = fact("Interfaces", default=(), unordered=True, of=HostFabricInterface)
    providers: tuple[str, ...] = fact("Providers", default=(), unordered=True)
    numa_count: int = fact("NumaCount", "I", default=0)
    cores_per_numa: int = fact("CoresPerNuma", "I", default=0)


FabricReport = HostReport[HostFabric]


class Network:
    """What is asked about the network of hosts; part of a ``DaosClient``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def scan(self, *, hosts: Sequence[str] = (), provider: str = "") -> FabricReport:
        """Return fabric interfaces: for the providers that a host is configured for, for one, or for ``all``."""
        request = network_pb2.NetworkScanReq(provider=provider)
        answers = await self._connection.each("NetworkScan", request, hosts, looks=True)
        fabrics = {host: _fabric(reply) for host, reply in answers.replies.items()}
        return HostReport(groups=group_hosts(fabrics), problems=group_problems(answers.errors.items()))


def _fabric(reply: Any) -> HostFabric:
    interfaces = tuple(
        HostFabricInterface(
            provider=interface.provider,
            device=interface.device,
            numa_node=interface.numanode,
            priority=interface.priority,
            net_dev_class=interface.netdevclass,
        )
        for interface in reply.interfaces
    )
    return HostFabric(
        interfaces=interfaces,
        providers=tuple(sorted({interface.provider for interface in interfaces})),
        numa_count=reply.numacount,
        cores_per_numa=reply.corespernuma,
    )
