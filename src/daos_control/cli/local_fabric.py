"""The fabric interfaces of this host, as the scans of both daemons show them: in dmg's shapes."""

from daos_control.client.network import HostFabric, HostFabricInterface
from daos_control.host.network import LOOPBACK, addressed_interfaces, fabric_interfaces, net_interfaces

THIS_HOST = "localhost"
ALL = "all"


def local_fabric(provider: str) -> HostFabric:
    """Return the interfaces for providers that begin so, or for all; loopback is left out, it reaches nobody."""
    wanted = "" if provider.lower() == ALL else provider
    interfaces = tuple(
        HostFabricInterface(
            provider=found.provider,
            device=found.interface,
            numa_node=found.numa_node,
            priority=found.priority,
            net_dev_class=found.device_class,
        )
        for found in fabric_interfaces(net_interfaces(), addressed_interfaces())
        if found.device_class != LOOPBACK and found.provider.startswith(wanted)
    )
    return HostFabric(interfaces=interfaces, providers=tuple(sorted({found.provider for found in interfaces})))
