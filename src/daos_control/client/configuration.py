"""A configuration for hosts, from what they report of their hardware."""

from collections.abc import Mapping, Sequence
from typing import Any

from daos_control.base.errors import DaosControlError
from daos_control.base.hostset import HostSet
from daos_control.base.pci import PciAddress
from daos_control.client.connection import Connection
from daos_control.client.errors import PartlyFailed
from daos_control.client.network import HostFabric, Network
from daos_control.client.reports import HostProblem, HostReport
from daos_control.client.storage import Storage
from daos_control.client.storage_records import HostStorage
from daos_control.config.generation import CannotGenerate, Generated, Hardware, Interface, Pmem, Ssd, Wishes, generate
from daos_control.config.generation.fabric import class_word


class ScanFailed(PartlyFailed):
    """Hosts could not be scanned, so that nothing can be said of all of them; ``problems`` says which and why."""

    def __init__(self, text: str, problems: Sequence[HostProblem]) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


class HostsDiffer(DaosControlError):
    """Hosts have different hardware, and one configuration cannot serve them all.

    ``groups`` has the hosts that are alike, with what only they have.
    """

    def __init__(self, kind: str, groups: Mapping[HostSet, Sequence[str]]) -> None:
        super().__init__(kind)
        self.kind = kind
        self.groups = dict(groups)

    def __str__(self) -> str:
        return f"{self.kind} hardware not consistent across hosts"


class Configuration:
    """What is asked about configurations; part of a ``DaosClient``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def generate(self, wishes: Wishes, *, hosts: Sequence[str] = ()) -> Generated:
        """Scan hosts and generate the configuration that serves each of them.

        Raises ScanFailed, HostsDiffer, CannotGenerate, or the Fault that the configuration would meet.
        """
        fabrics = await Network(self._connection).scan(hosts=hosts, provider="all")
        fabric = _of_all("network", fabrics, _fabric_facts)
        storages = await Storage(self._connection).scan(hosts=hosts, basic=True)
        storage = _of_all("storage", storages, _storage_facts)
        return generate(wishes, hardware_of(fabric, storage))


def hardware_of(fabric: HostFabric, storage: HostStorage) -> Hardware:
    """Put what scans found into the generator's terms. Raises CannotGenerate for an SSD without a PCI address."""
    memory = storage.mem_info.overall if storage.mem_info else None
    try:
        ssds = tuple(
            Ssd(address=PciAddress.parse(ssd.pci_addr), numa_node=ssd.socket_id)
            for ssd in storage.nvme_devices
            if ssd.pci_addr
        )
    except ValueError as error:
        raise CannotGenerate(f"the scan of SSDs cannot be used: {error}") from error
    return Hardware(
        interfaces=tuple(
            Interface(
                provider=one.provider,
                name=one.device,
                net_class=one.net_dev_class,
                numa_node=one.numa_node,
                priority=one.priority,
            )
            for one in fabric.interfaces
        ),
        ssds=ssds,
        pmem=tuple(Pmem(name=space.blockdev, numa_node=space.numa_node) for space in storage.scm_namespaces),
        numa_nodes=fabric.numa_count,
        cores_per_node=fabric.cores_per_numa,
        memory_kib=memory.mem_total_kb if memory else 0,
        hugepage_kib=memory.hugepage_size_kb if memory else 0,
    )


def _of_all(kind: str, report: HostReport[Any], facts: Any) -> Any:
    """Return what all hosts have. Raises if a scan failed, or if they differ."""
    try:
        report.check()
    except PartlyFailed as error:
        raise ScanFailed(str(error), report.problems) from error
    if not report.groups:
        raise CannotGenerate("no host responses")
    if len(report.groups) > 1:
        told = {group.hosts: facts(group.record) for group in report.groups}
        common = set.intersection(*map(set, told.values()))
        raise HostsDiffer(
            kind, {hosts: [fact for fact in found if fact not in common] for hosts, found in told.items()}
        )
    return report.groups[0].record


def _fabric_facts(fabric: HostFabric) -> list[str]:
    interfaces = [
        f"{one.provider} over {one.device}, NUMA node {one.numa_node}, {class_word(one.net_dev_class)}, "
        f"priority {one.priority}"
        for one in fabric.interfaces
    ]
    return [*interfaces, f"{fabric.numa_count} NUMA nodes with {fabric.cores_per_numa} cores"]


def _storage_facts(storage: HostStorage) -> list[str]:
    ssds = [
        f"SSD {ssd.pci_addr}, NUMA node {ssd.socket_id}, {ssd.capacity_bytes} bytes" for ssd in storage.nvme_devices
    ]
    pmem = [
        f"persistent memory {space.blockdev}, NUMA node {space.numa_node}, {space.size} bytes"
        for space in storage.scm_namespaces
    ]
    memory = storage.mem_info.overall if storage.mem_info else None
    sizes = [f"{memory.mem_total_kb} KiB of RAM", f"hugepages of {memory.hugepage_size_kb} KiB"] if memory else []
    return [*ssds, *pmem, *sizes]
