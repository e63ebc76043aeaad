"""The hardware of this host in the terms of ``config generate``, from what the kernel tells."""

from pathlib import Path

from daos_control.config.generation import Hardware, Interface, Pmem, Ssd
from daos_control.host import cpus, memory, network, nvme, pmem


def local_hardware(root: Path = Path("/")) -> Hardware:
    """Look at this host, or at a copy of another."""
    cores = cpus.cores_by_node(root)
    whole = memory.read_memory(root)
    drives = nvme.drives(root)
    found = network.local_fabric_interfaces(root)
    return Hardware(
        interfaces=tuple(
            Interface(
                provider=one.provider,
                name=one.interface,
                net_class=one.device_class,
                numa_node=one.numa_node,
                priority=one.priority,
            )
            for one in found
            if one.device_class != network.LOOPBACK
        ),
        ssds=tuple(Ssd(address=drive.address, numa_node=drive.numa_node) for drive in drives if not drive.in_use),
        pmem=tuple(Pmem(name=space.blockdev, numa_node=space.numa_node) for space in pmem.namespaces(root)),
        numa_nodes=len(cores),
        cores_per_node=max(cores.values(), default=0),
        memory_kib=whole.total_kib,
        hugepage_kib=whole.hugepage_kib,
        left_alone=tuple(f"SSD {drive.address}: {drive.in_use}" for drive in drives if drive.in_use),
    )
