"""Machines made of files: trees of ``/sys`` and ``/proc`` as the kernel would show them.

::

    machine = Machine(tmp_path, nodes=2)
    machine.net("eth0", machine.pci("0000:17:00.0", node=0, speed="8.0 GT/s PCIe", width=16))
    read_topology(machine.root)

Links are relative, as the kernel's are, so that a tree can be looked at in place or mounted over ``/sys``.
"""

import os
from pathlib import Path
from typing import Final

from daos_control.base.pci import PciAddress

ETHERNET: Final = 1
INFINIBAND: Final = 32
LOOPBACK: Final = 772

NVME_CLASS: Final = "0x010802"
NETWORK_CLASS: Final = "0x020000"
BRIDGE_CLASS: Final = "0x060400"

_SECTOR: Final = 512


class Machine:
    """A machine with some NUMA nodes, each a processor of its own, and nothing else until it is given something."""

    def __init__(self, root: Path, *, nodes: int = 1, cores: int = 2, threads: int = 1, memory_kib: int = 1 << 24):
        self.root = root = root.absolute()
        self._minor = 0
        for folder in ("sys/class/net", "sys/class/block", "sys/bus/pci/devices", "sys/devices/virtual/net", "proc"):
            (root / folder).mkdir(parents=True)
        self._cpus(nodes, cores, threads)
        for node in range(nodes):
            self._write(f"sys/devices/system/node/node{node}/meminfo", f"Node {node} MemTotal: {memory_kib} kB")
        total = nodes * memory_kib
        self._write("proc/meminfo", f"MemTotal: {total} kB\nMemAvailable: {total} kB\nHugepagesize: 2048 kB")

    # -- processors ------------------------------------------------------------------------------------------------

    def _cpus(self, nodes: int, cores: int, threads: int) -> None:
        """Number hardware threads as the firmware of servers does: round the processors, first threads first."""
        total = nodes * cores * threads
        mask_digits = -(-total // 4)
        everything = f"0-{total - 1}" if total > 1 else "0"
        for kind in ("online", "possible", "present"):
            self._write(f"sys/devices/system/cpu/{kind}", everything)
        of_node: dict[int, list[int]] = {node: [] for node in range(nodes)}
        for thread in range(threads):
            for core in range(cores):
                for node in range(nodes):
                    cpu = (thread * cores + core) * nodes + node
                    of_node[node].append(cpu)
                    siblings = [(other * cores + core) * nodes + node for other in range(threads)]
                    topology = f"sys/devices/system/cpu/cpu{cpu}/topology"
                    self._write(f"{topology}/physical_package_id", str(node))
                    self._write(f"{topology}/core_id", str(core))
                    self._write(f"{topology}/thread_siblings_list", ",".join(map(str, siblings)))
                    self._write(f"{topology}/thread_siblings", _mask(siblings, mask_digits))
                    self._write(
                        f"{topology}/core_siblings",
                        _mask(
                            [(t * cores + c) * nodes + node for t in range(threads) for c in range(cores)], mask_digits
                        ),
                    )
        self._write("sys/devices/system/node/online", f"0-{nodes - 1}" if nodes > 1 else "0")
        for node, cpus in of_node.items():
            self._write(f"sys/devices/system/node/node{node}/cpulist", ",".join(map(str, sorted(cpus))))
            self._write(f"sys/devices/system/node/node{node}/cpumap", _mask(cpus, mask_digits))
        self._cpu_masks = {node: _mask(cpus, mask_digits) for node, cpus in of_node.items()}

    # -- PCI -------------------------------------------------------------------------------------------------------

    def pci(
        self,
        address: str,
        *,
        node: int = 0,
        kind: str = NETWORK_CLASS,
        speed: str = "",
        width: int = 0,
        behind: Path | None = None,
    ) -> Path:
        """Add a PCI device on a bus of the processor, or ``behind`` a bridge or VMD; return its folder."""
        place = PciAddress.parse(address)
        domain = int(address.partition(":")[0], 16)
        if behind is None:
            parent = self.root / f"sys/devices/pci{domain:04x}:{place.bus:02x}"
        else:
            parent = behind if domain < 1 << 16 else behind / f"pci{domain:x}:{place.bus:02x}"
        folder = parent / address
        for name, value in (
            ("class", kind),
            ("vendor", "0x15b3"),
            ("device", "0x1017"),
            ("numa_node", str(node)),
            ("local_cpus", self._cpu_masks[node]),
        ):
            self._write(folder / name, value)
        if speed:
            self._write(folder / "current_link_speed", speed)
            self._write(folder / "current_link_width", str(width))
        self._link(self.root / "sys/bus/pci/devices" / address, folder)
        return folder

    def bridge(self, address: str, *, node: int = 0, secondary: int, subordinate: int) -> Path:
        """Add a bridge from a bus of the processor to other buses."""
        folder = self.pci(address, node=node, kind=BRIDGE_CLASS)
        self._write(folder / "secondary_bus_number", str(secondary))
        self._write(folder / "subordinate_bus_number", str(subordinate))
        config = bytearray(b"\xff" * 64)  # libhwloc reads the buses here, and nothing else
        config[0x06:0x08] = b"\x00\x00"
        config[0x0E] = 1
        config[0x18:0x1B] = bytes([int(address.split(":")[1], 16), secondary, subordinate])
        (folder / "config").write_bytes(config)
        return folder

    # -- network ---------------------------------------------------------------------------------------------------

    def net(self, name: str, device: Path, *, kind: int = ETHERNET, state: str = "up") -> Path:
        """Add a network interface to a device; return its folder."""
        folder = device / "net" / name
        self._interface(folder, kind, state)
        self._link(folder / "device", device)
        return folder

    def virtual_net(
        self, name: str, *, kind: int = ETHERNET, state: str = "up", lower: tuple[str, ...] = (), parent: str = ""
    ) -> Path:
        """Add an interface made of software, of the interfaces ``lower``, or as a child of ``parent``."""
        folder = self.root / "sys/devices/virtual/net" / name
        self._interface(folder, kind, state)
        for below in lower:
            self._link(folder / f"lower_{below}", (self.root / "sys/class/net" / below).resolve())
        if parent:
            self._write(folder / "parent", parent)
        return folder

    def infiniband(self, name: str, device: Path, *, ports: tuple[str, ...] = ("4: ACTIVE",)) -> Path:
        """Add an InfiniBand device (an Omni-Path one is called hfi1_N) to a PCI device."""
        folder = self._class_device("infiniband", name, device)
        for number, state in enumerate(ports, 1):
            self._write(folder / f"ports/{number}/state", state)
        return folder

    def cxi(self, name: str, device: Path) -> Path:
        """Add a Slingshot device to a PCI device."""
        return self._class_device("cxi", name, device)

    def _class_device(self, kind: str, name: str, device: Path) -> Path:
        folder = device / kind / name
        folder.mkdir(parents=True)
        self._link(folder / "device", device)
        self._link(self.root / "sys/class" / kind / name, folder)
        return folder

    def _interface(self, folder: Path, kind: int, state: str) -> None:
        self._write(folder / "type", str(kind))
        self._write(folder / "operstate", state)
        self._write(folder / "flags", "0x1003")
        self._link(self.root / "sys/class/net" / folder.name, folder)

    # -- storage ---------------------------------------------------------------------------------------------------

    def nvme(
        self, number: int, address: str, *, node: int = 0, size: int = 1 << 40, behind: Path | None = None
    ) -> Path:
        """Add an SSD that the kernel drives, with one namespace; return the folder of its block device."""
        device = self.pci(address, node=node, kind=NVME_CLASS, speed="8.0 GT/s PCIe", width=4, behind=behind)
        controller = self._class_device("nvme", f"nvme{number}", device)
        for name, value in (
            ("address", address),
            ("transport", "pcie"),
            ("model", "SSD of files"),
            ("serial", f"S{number}"),
            ("firmware_rev", "1"),
        ):
            self._write(controller / name, value)
        return self._block(controller / f"nvme{number}n1", size)

    def partition(self, block: Path, number: int = 1) -> None:
        """Divide a block device."""
        folder = block / f"{block.name}p{number}"
        self._write(folder / "partition", str(number))
        self._link(self.root / "sys/class/block" / folder.name, folder)

    def pmem(self, number: int, *, node: int = 0, size: int = 1 << 40) -> Path:
        """Add a namespace of persistent memory; return the folder of its block device."""
        device = self.root / f"sys/devices/LNXSYSTM:00/ACPI0012:00/ndbus0/region{number}/namespace{number}.0"
        self._write(device / "devtype", "nd_namespace_pmem")
        self._write(device / "numa_node", str(node))
        self._write(device / "uuid", f"5c000000-cccc-4ccc-8ccc-{number:012}")
        block = self._block(device / "block" / f"pmem{number}", size)
        self._link(block / "device", device)
        return block

    def _block(self, folder: Path, size: int) -> Path:
        self._minor += 1
        self._write(folder / "size", str(size // _SECTOR))
        self._write(folder / "dev", f"259:{self._minor}")
        self._write(folder / "queue/hw_sector_size", str(_SECTOR))
        self._link(self.root / "sys/class/block" / folder.name, folder)
        return folder

    # -- files -----------------------------------------------------------------------------------------------------

    def write(self, path: str, text: str) -> None:
        """Write any other file, such as ``proc/mounts``."""
        self._write(path, text)

    def _write(self, path: str | Path, text: str) -> None:
        whole = self.root / path
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(f"{text}\n")

    def _link(self, link: Path, target: Path) -> None:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent))


def _mask(cpus: list[int], digits: int) -> str:
    """Write a set of CPUs as the kernel does: in hexadecimal, eight digits at a time.

    >>> _mask([0, 2, 33], 9)
    '00000002,00000005'
    """
    number = sum(1 << cpu for cpu in cpus)
    groups = []
    for _ in range(-(-digits // 8)):
        groups.append(f"{number & 0xFFFFFFFF:08x}")
        number >>= 32
    return ",".join(reversed(groups))
