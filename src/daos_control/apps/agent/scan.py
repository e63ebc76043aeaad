"""Looks for the devices through which local clients can reach the servers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from daos_control.apps.agent.fabric import Fabric, FabricDevice, NoFabric
from daos_control.base import logs
from daos_control.host.network import (
    FabricInterface,
    Readiness,
    addressed_interfaces,
    fabric_interfaces,
    net_interfaces,
    readiness,
    supports,
)

log = logs.get(__name__)

POLL_S = 1.0

_ROOT = Path("/")


async def scan(
    dev_class: int, provider: str, *, root: Path = _ROOT, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Fabric:
    """Wait until the interfaces of a class are up, then return what is there. Raises NoFabric if all are down.

    Of an agent that starts with the machine, clients must not be told about the first interface alone.
    """
    await _until_ready(
        [interface.name for interface in net_interfaces(root) if interface.device_class == dev_class], root, sleep
    )
    return devices(fabric_interfaces(net_interfaces(root), addressed_interfaces()), provider)


def devices(ways: Iterable[FabricInterface], provider: str) -> Fabric:
    """Gather ways onto the fabric into devices; ``provider`` may be a short name of one they speak."""
    providers: dict[tuple[int, str, str, int], set[str]] = {}
    for found in ways:
        key = (found.numa_node, found.domain, found.interface, found.device_class)
        spoken = providers.setdefault(key, set())
        spoken.add(found.provider)
        if supports(found.provider, provider):
            spoken.add(provider)  # a short name of the same
    return Fabric.of(
        (
            node,
            FabricDevice(
                interface=interface, domain=domain, dev_class=found_class, providers=frozenset(providers[key])
            ),
        )
        for key in sorted(providers)
        for node, domain, interface, found_class in (key,)
    )


async def _until_ready(names: Sequence[str], root: Path, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Wait for interfaces that are coming up; those that are down, or do not tell, are not waited for."""
    waiting = set(names)
    usable = False
    while waiting:
        states = {name: readiness(name, root) for name in waiting}
        usable = usable or Readiness.READY in states.values()
        waiting = {name for name, state in states.items() if state is Readiness.NOT_READY}
        if waiting:
            log.debug("waiting for network interfaces", interfaces=",".join(sorted(waiting)))
            await sleep(POLL_S)
    if names and not usable:
        raise NoFabric(f"none of the network interfaces {', '.join(names)} is up")
