"""This host's ways onto the fabric: what a server has to know of them, and waits for, before it starts."""

import asyncio
from collections.abc import Sequence

from daos_control.base import logs
from daos_control.base.fault_codes import FaultCode
from daos_control.config.document import ConfigError
from daos_control.config.server import ServerConfig
from daos_control.host import network
from daos_control.host.network import FabricInterface, Readiness

log = logs.get(__name__)

INTERFACE_POLL_S = 1.0


async def wait_for_interfaces(names: Sequence[str]) -> None:
    """Return once all interfaces are ready. Raises ConfigError for one that is down, or that there is not."""
    waiting = sorted(set(filter(None, names)))
    told = False
    while waiting:
        states = {name: network.readiness(name) for name in waiting}
        for name, state in states.items():
            check_usable(name, state, [interface.name for interface in network.net_interfaces()])
        waiting = [name for name, state in states.items() if state is not Readiness.READY]
        if waiting:
            if not told:
                log.notice(f"waiting for network interfaces to be ready: {', '.join(waiting)}")
                told = True
            await asyncio.sleep(INTERFACE_POLL_S)


def check_usable(name: str, state: Readiness, known: Sequence[str]) -> None:
    """Raise ConfigError for an interface that will not become ready; ``known`` are those there are."""
    if state in {Readiness.DOWN, Readiness.UNKNOWN}:
        others = ", ".join(one for one in known if one != name)
        another = f"name another ({others})" if others else "name another"
        problem = f"does not exist; {another}"
        if name in known:
            problem = f"is {state.value}; ip link set {name} up, or {another}"
        raise ConfigError("the network", [f"fabric_iface: interface {name} {problem}"])


def scan_fabric() -> tuple[FabricInterface, ...]:
    """Return what this host's interfaces are good for."""
    return network.fabric_interfaces(network.net_interfaces(), network.addressed_interfaces())


def way_of(fabric: Sequence[FabricInterface], interface: str, provider: str) -> FabricInterface:
    """Return the way onto the fabric that an engine uses. Raises ConfigError if there is no such way."""
    ways = [one for one in fabric if one.interface == interface]
    for one in ways:
        if network.supports(one.provider, provider):
            return one
    offered = ", ".join(one.provider for one in ways)
    remedy = "set provider to one of these, or fabric_iface to an interface that has it"
    if not ways:
        offered, remedy = "no provider at all", "give it an address, or set fabric_iface to an interface that has one"
    problem = f"provider {provider} is not on interface {interface}, which has {offered}; {remedy}"
    raise ConfigError("the fabric", [problem])


def one_device_class(config: ServerConfig, fabric: Sequence[FabricInterface]) -> int:
    """Return the kind of interface that all engines use. Raises fault 613 if they differ."""
    kinds = {one.interface: one.device_class for one in fabric}
    expected = network.ETHERNET
    for index, engine in enumerate(config.engines):
        found = kinds.get(engine.fabric_iface, network.ETHERNET)
        if index == 0:
            expected = found
        elif found != expected:
            raise FaultCode.SERVER_CONFIG_INVALID_NET_DEV_CLASS.fault(
                engine=index, interface=engine.fabric_iface, device_class=found, expected_class=expected
            )
    return expected
