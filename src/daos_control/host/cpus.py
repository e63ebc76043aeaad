"""NUMA nodes and their cores, from sysfs."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_NODE = re.compile(r"node(\d+)")


def cores_by_node(root: Path = Path("/")) -> Mapping[int, int]:
    """Return how many physical cores each NUMA node has; one node 0 where the kernel knows none."""
    cpus = root / "sys/devices/system/cpu"
    nodes = {
        int(match[1]): _cpu_numbers(entry / "cpulist")
        for entry in (root / "sys/devices/system/node").glob("node*")
        if (match := _NODE.fullmatch(entry.name))
    }
    if not nodes:
        nodes = {0: _cpu_numbers(cpus / "online")}
    return {node: len({_core(cpus, cpu) for cpu in numbers}) for node, numbers in sorted(nodes.items())}


def parse_cpu_list(text: str) -> Iterator[int]:
    """Read the kernel's form of a set of numbers.

    >>> list(parse_cpu_list("0-2,8"))
    [0, 1, 2, 8]
    """
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _cpu_numbers(path: Path) -> tuple[int, ...]:
    try:
        return tuple(parse_cpu_list(path.read_text()))
    except FileNotFoundError:
        return ()


def _core(cpus: Path, cpu: int) -> tuple[str, str]:
    """Identify the core a hardware thread belongs to; threads whose core is not told count as cores."""
    topology = cpus / f"cpu{cpu}" / "topology"
    try:
        return (topology / "physical_package_id").read_text().strip(), (topology / "core_id").read_text().strip()
    except FileNotFoundError:
        return "", str(cpu)
