"""How much memory this machine has, and how much of it in huge pages: ``/proc/meminfo`` and its likes per NUMA node."""

import re
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"^(?:Node \d+ )?(\w+):\s+(\d+)(?: kB)?$")
_NODE = re.compile(r"node(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory of the machine or of one NUMA node; sizes in KiB, as the kernel counts."""

    numa_node: int | None = None
    """None for the whole machine."""
    total_kib: int = 0
    free_kib: int = 0
    available_kib: int = 0
    used_kib: int = 0
    hugepages_total: int = 0
    hugepages_free: int = 0
    hugepages_reserved: int = 0
    hugepages_surplus: int = 0
    hugepage_kib: int = 0


_FIELDS = {
    "MemTotal": "total_kib",
    "MemFree": "free_kib",
    "MemAvailable": "available_kib",
    "MemUsed": "used_kib",
    "HugePages_Total": "hugepages_total",
    "HugePages_Free": "hugepages_free",
    "HugePages_Rsvd": "hugepages_reserved",
    "HugePages_Surp": "hugepages_surplus",
    "Hugepagesize": "hugepage_kib",
}


def parse_meminfo(text: str, numa_node: int | None = None) -> Memory:
    """Read the kernel's table; lines that are of no interest here are skipped.

    >>> parse_meminfo("HugePages_Free:        3").hugepages_free
    3
    """
    found = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[1] in _FIELDS:
            found[_FIELDS[match[1]]] = int(match[2])
    return Memory(numa_node=numa_node, **found)


def read_memory(root: Path = Path("/")) -> Memory:
    """Return the machine's memory."""
    return parse_meminfo((root / "proc/meminfo").read_text())


def read_memory_by_node(root: Path = Path("/")) -> tuple[Memory, ...]:
    """Return the memory of each NUMA node, in order; empty where the kernel knows no nodes."""
    found = []
    for entry in (root / "sys/devices/system/node").glob("node*"):
        match = _NODE.fullmatch(entry.name)
        if match and (entry / "meminfo").is_file():
            node = int(match[1])
            found.append(parse_meminfo((entry / "meminfo").read_text(), node))
    return tuple(sorted(found, key=lambda memory: memory.numa_node or 0))
