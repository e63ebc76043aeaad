"""NetworkScan: which interfaces of this host can carry which fabric."""

import asyncio
from collections.abc import Sequence

from daos_control.base.errors import DaosControlError
from daos_control.host import cpus, network
from daos_control.net.rpc.handlers import Caller, Handlers
from daos_control.net.rpc.methods import CTL
from daos_control.wire.pb.ctl import network_pb2

ALL = "all"


class NoFabricError(DaosControlError):
    """This host has no interface for a provider, or for any."""


class NetworkService:
    """The network call of CtlSvc; ``provider`` is the configured one."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def handlers(self) -> Handlers:
        """Return the methods by path."""
        return {CTL["NetworkScan"].path: self.scan}

    async def scan(self, request: network_pb2.NetworkScanReq, _: Caller) -> network_pb2.NetworkScanResp:
        """Look at the interfaces as they are now; without a provider in the request the configured one counts."""
        wanted = request.provider or self._provider
        found, cores = await asyncio.to_thread(_look)
        if not suitable(found, wanted):
            raise NoFabricError(
                "no fabric interfaces could be found: none is up and has an address"
                if is_any(wanted)
                else f"no fabric interfaces found with provider {wanted}"
            )
        reply = network_pb2.NetworkScanResp(numacount=len(cores), corespernuma=max(cores.values(), default=0))
        for one in chosen(found, wanted):
            reply.interfaces.add(
                provider=one.provider,
                device=one.interface,
                numanode=one.numa_node,
                priority=one.priority,
                netdevclass=one.device_class,
            )
        return reply


def chosen(found: Sequence[network.FabricInterface], provider: str) -> list[network.FabricInterface]:
    """Return those for a provider without the loopback, which is nothing to build a system on."""
    return [one for one in suitable(found, provider) if one.device_class != network.LOOPBACK]


def suitable(found: Sequence[network.FabricInterface], provider: str) -> list[network.FabricInterface]:
    """Return those for a provider, or for every one if it is ``all``."""
    return [one for one in found if is_any(provider) or network.supports(one.provider, provider)]


def is_any(provider: str) -> bool:
    """Whether every provider will do."""
    return provider.lower() in {"", ALL}


def _look() -> tuple[tuple[network.FabricInterface, ...], dict[int, int]]:
    found = network.fabric_interfaces(network.net_interfaces(), network.addressed_interfaces())
    return found, dict(cpus.cores_by_node())
