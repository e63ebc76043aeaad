"""The fabric interfaces of this host, as the scans of both daemons show them."""

from pathlib import Path
from typing import Any

from daos_control.base.errors import DaosControlError
from daos_control.client.network import HostFabric, HostFabricInterface
from daos_control.host.network import LOOPBACK, local_fabric_interfaces, supports

THIS_HOST = "localhost"
ALL = "all"


class NoFabricError(DaosControlError):
    """This host has no interface for a provider, or for any."""


def local_fabric(provider: str, root: Path = Path("/")) -> HostFabric:
    """Return the interfaces for a provider, or for ``all``; loopback is left out, it reaches nobody.

    Raises NoFabricError if there is not even that.
    """
    found = local_fabric_interfaces(root)
    if provider.lower() not in {"", ALL}:
        found = tuple(one for one in found if supports(one.provider, provider))
        if not found:
            raise NoFabricError(
                f"get local fabric interfaces: no fabric interfaces found with provider {provider} "
                "(-p all shows those for every provider)"
            )
    if not found:
        raise NoFabricError(
            "get local fabric interfaces: no fabric interfaces could be found: none is up and has an address"
        )
    interfaces = tuple(
        HostFabricInterface(
            provider=one.provider,
            device=one.interface,
            numa_node=one.numa_node,
            priority=one.priority,
            net_dev_class=one.device_class,
        )
        for one in found
        if one.device_class != LOOPBACK
    )
    return HostFabric(interfaces=interfaces, providers=tuple(sorted({one.provider for one in interfaces})))


def local_document(fabric: HostFabric) -> dict[str, Any]:
    """Give a scan of this host the keys that DAOS gives it; providers are nothing where there are none, unlike in dmg.

    The outer key tells hosts with the same interfaces, as in a scan of many.
    """
    from daos_control.cli.scans.fabric import fabric_document
    from daos_control.client.fingerprint import fingerprint

    found = {**fabric_document(fabric), "Providers": list(fabric.providers) or None}
    return {str(fingerprint(fabric)): {"HostFabric": found, "HostSet": THIS_HOST}}


def local_view(fabric: HostFabric) -> str:
    """Lay a scan of this host out for people."""
    from daos_control.cli.scans.fabric import fabric_view
    from daos_control.cli.ui.tables import framed

    return framed(THIS_HOST) + fabric_view(fabric)
