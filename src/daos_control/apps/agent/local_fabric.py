"""The local fabric as it is: scanned when first needed, kept, and chosen from.

A scan serves the device class of the first request and is kept until somebody asks for a new one (SIGUSR2). What the
configuration lists is not scanned for, and not forgotten by a refresh.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from daos_control.apps.agent.fabric import Chooser, Fabric, FabricDevice, NameFilter
from daos_control.base import logs

log = logs.get(__name__)

Scan: TypeAlias = Callable[[int, str], Awaitable[Fabric]]
"""Looks for devices of a class, for a provider (empty: any), once their interfaces are up. Raises NoFabric."""


class LocalFabric:
    """Chooses devices, scanning for them when need be."""

    def __init__(
        self,
        scan: Scan,
        *,
        static: Fabric,
        names: NameFilter,
        has_address: Callable[[str], bool],
        caching: bool = True,
    ) -> None:
        """If ``static`` lists devices, they are all there is. Without ``caching``, every request scans."""
        self._scan = scan
        self._names = names
        self._has_address = has_address
        self._caching = caching
        self._lock = asyncio.Lock()
        self._scanned_for: tuple[int, str] | None = None
        self._static = bool(static.nodes)
        self._chooser = self._chooser_of(static) if self._static else None
        self._numa_maps: dict[str, bytes] = {}

    async def choose(self, *, numa_node: int, dev_class: int, provider: str) -> FabricDevice:
        """Return the device for the next client. Raises NoFabric."""
        chooser = await self._devices(dev_class, provider)
        return chooser.choose(numa_node=numa_node, dev_class=dev_class, provider=provider)

    async def find(self, interface: str, domain: str, *, dev_class: int) -> FabricDevice:
        """Return the device that a client asks for by name. Raises NoFabric."""
        return (await self._devices(dev_class, "")).fabric.find(interface, domain)

    async def numa_map(self, *, dev_class: int, provider: str) -> bytes:
        """Return the serialised list of usable devices by NUMA node."""
        chooser = await self._devices(dev_class, provider)
        if not self._caching:
            return chooser.fabric.numa_map(provider)
        if provider not in self._numa_maps:
            self._numa_maps[provider] = chooser.fabric.numa_map(provider)
        return self._numa_maps[provider]

    async def refresh(self) -> None:
        """Scan again for what was scanned before. Raises NoFabric, and then keeps what there was."""
        if self._static or self._scanned_for is None:
            return
        async with self._lock:
            await self._fill(*self._scanned_for)

    async def _devices(self, dev_class: int, provider: str) -> Chooser:
        if self._chooser is not None:
            return self._chooser
        if not self._caching:
            return self._chooser_of(await self._scan(dev_class, provider))
        async with self._lock:
            if self._chooser is None:
                return await self._fill(dev_class, provider)
            return self._chooser

    async def _fill(self, dev_class: int, provider: str) -> Chooser:
        """Scan while holding the lock."""
        fabric = (await self._scan(dev_class, provider)).of_class(dev_class)
        self._scanned_for = (dev_class, provider)
        self._chooser = self._chooser_of(fabric)
        self._numa_maps.clear()
        log.debug("fabric scanned", devices=sum(map(len, fabric.nodes.values())), nodes=len(fabric.nodes))
        return self._chooser

    def _chooser_of(self, fabric: Fabric) -> Chooser:
        return Chooser(fabric, names=self._names, has_address=self._has_address)
