"""Which network interface a client should use: rules over a snapshot of the local fabric devices.

A client gets a device of its own NUMA node, in turn; if none fits, one of another node, starting after the
node that served the last such client. A device fits if the configuration lets it, if it is of the servers'
class, if it speaks the servers' provider, and if its interface has an address. Devices listed in the
configuration are taken at the administrator's word: of them only the address is asked for.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Self

from daos_control.wire.pb.mgmt.svc_pb2 import FabricInterface, FabricInterfaces, GetAttachInfoResp

STATIC_CLASS = 1 << 31
"""Device class of what the configuration lists; no real interface has it."""


class NoFabric(Exception):
    """No local interface can reach the servers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FabricDevice:
    """One way into the fabric: an OS interface together with a fabric domain on it."""

    interface: str
    domain: str
    dev_class: int = STATIC_CLASS
    providers: frozenset[str] = frozenset()

    @property
    def is_static(self) -> bool:
        """Whether the configuration lists it, so that class and providers are not known but trusted."""
        return self.dev_class == STATIC_CLASS

    def supports(self, provider: str) -> bool:
        """Whether the device speaks ``provider``; of a combination ``lib+a,b`` it must speak every part.

        >>> both = FabricDevice(interface="ib0", domain="d0", dev_class=32, providers=frozenset({"ucx+dc", "ucx+ud"}))
        >>> both.supports("ucx+dc,ud"), both.supports("ucx+dc,rc")
        (True, False)
        """
        if self.is_static or provider in self.providers:
            return True
        library, plus, parts = provider.partition("+")
        return "," in parts and all(f"{library}{plus}{part}" in self.providers for part in parts.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFilter:
    """Interfaces the administrator excludes, or the only ones allowed; empty lists let everything pass."""

    exclude: frozenset[str] = frozenset()
    include: frozenset[str] = frozenset()

    def allows(self, interface: str) -> bool:
        """Whether clients may be sent to ``interface``."""
        return interface not in self.exclude and (not self.include or interface in self.include)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fabric:
    """The local devices by NUMA node."""

    nodes: Mapping[int, tuple[FabricDevice, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, devices: Iterable[tuple[int, FabricDevice]]) -> Self:
        """Group ``(NUMA node, device)`` pairs, keeping their order."""
        nodes: dict[int, list[FabricDevice]] = {}
        for node, device in devices:
            nodes.setdefault(node, []).append(device)
        return cls(nodes={node: tuple(nodes[node]) for node in sorted(nodes)})

    def of_class(self, dev_class: int) -> "Fabric":
        """Keep only the devices of one class, and those the configuration lists."""
        kept = {
            node: tuple(device for device in devices if device.is_static or device.dev_class == dev_class)
            for node, devices in self.nodes.items()
        }
        return Fabric(nodes={node: devices for node, devices in kept.items() if devices})

    def find(self, interface: str, domain: str) -> FabricDevice:
        """Return the device of that name and domain. Raises NoFabric saying which of the two is unknown."""
        found = [device for devices in self.nodes.values() for device in devices if device.interface == interface]
        if not found:
            raise NoFabric(f'fabric interface "{interface}" not found')
        for device in found:
            if (device.domain or device.interface) == domain:
                return device
        raise NoFabric(f'fabric interface "{interface}" has no domain "{domain}"')

    def numa_map(self, provider: str) -> bytes:
        """Serialise the devices that speak ``provider``, one group for each NUMA node from 0 to the highest.

        Gaps are empty groups: clients use the position in the list as the node's number.
        """
        groups = [
            FabricInterfaces(
                numa_node=node,
                ifaces=[
                    FabricInterface(numa_node=node, interface=device.interface, domain=device.domain, provider=provider)
                    for device in self.nodes.get(node, ())
                    if device.supports(provider)
                ],
            )
            for node in range(max(self.nodes, default=-1) + 1)
        ]
        return GetAttachInfoResp(numa_fabric_interfaces=groups).SerializeToString()


class Chooser:
    """Takes turns among the devices of a fabric; its memory is only whose turn it is."""

    def __init__(self, fabric: Fabric, *, names: NameFilter, has_address: Callable[[str], bool]) -> None:
        self._fabric = fabric
        self._names = names
        self._has_address = has_address
        self._turns = dict.fromkeys(fabric.nodes, 0)
        self._order = sorted(fabric.nodes)
        self._last_resort = 0

    @property
    def fabric(self) -> Fabric:
        """The devices to choose from."""
        return self._fabric

    def choose(self, *, numa_node: int, dev_class: int, provider: str) -> FabricDevice:
        """Return the next fitting device for a client on ``numa_node``. Raises NoFabric if there is none."""
        for node in chain((numa_node,), self._other_nodes()):
            device = self._next_on(node, dev_class, provider)
            if device is not None:
                return device
        raise NoFabric(f"no local interface of device class {dev_class} speaks {provider} and has an address")

    def _other_nodes(self) -> Iterator[int]:
        """Go once round all nodes, from where the last client left off that found nothing on its own."""
        for _ in self._order:
            self._last_resort = (self._last_resort + 1) % len(self._order)
            yield self._order[self._last_resort]

    def _next_on(self, node: int, dev_class: int, provider: str) -> FabricDevice | None:
        devices = self._fabric.nodes.get(node, ())
        for _ in devices:
            turn = self._turns[node]
            self._turns[node] = (turn + 1) % len(devices)
            if self._fits(devices[turn], dev_class, provider):
                return devices[turn]
        return None

    def _fits(self, device: FabricDevice, dev_class: int, provider: str) -> bool:
        if not device.is_static:
            if not self._names.allows(device.interface):
                return False
            if device.dev_class != dev_class or not device.supports(provider):
                return False
        return self._has_address(device.interface)
