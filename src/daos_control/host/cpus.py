"""NUMA nodes and their cores, from sysfs."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from daos_control.host.sysfs import read

_NODE = re.compile(r"node(\d+)")


def cores_by_node(root: Path = Path("/")) -> Mapping[int, int]:
    """Return how many physical cores each NUMA node has; one node 0 where the kernel knows none."""
    return {node: len(cores) for node, cores in core_numbers(root).items()}


def core_numbers(root: Path = Path("/")) -> Mapping[int, tuple[int, ...]]:
    """Return the physical cores of each NUMA node, numbered through package by package and node by node."""
    cpus = root / "sys/devices/system/cpu"
    nodes = _cpus_of_nodes(root)
    first: dict[tuple[str, str], tuple[int, int]] = {}  # a core's first hardware thread, and its node
    for node, numbers in nodes.items():
        for cpu in numbers:
            core = _core(cpus, cpu)
            first[core] = min(first.get(core, (cpu, node)), (cpu, node))
    packages: dict[str, int] = {}
    for (package, _), (cpu, _node) in first.items():
        packages[package] = min(packages.get(package, cpu), cpu)
    starts = {node: min(numbers, default=0) for node, numbers in nodes.items()}
    ordered = sorted((packages[package], starts[node], cpu, node) for (package, _), (cpu, node) in first.items())
    found: dict[int, list[int]] = {node: [] for node in sorted(nodes)}
    for place, (_, _, _, node) in enumerate(ordered):
        found[node].append(place)
    return {node: tuple(cores) for node, cores in found.items()}


def parse_cpu_list(text: str) -> Iterator[int]:
    """Read the kernel's form of a set of numbers.

    >>> list(parse_cpu_list("0-2,8"))
    [0, 1, 2, 8]
    """
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _cpus_of_nodes(root: Path) -> dict[int, tuple[int, ...]]:
    nodes = {
        int(match[1]): tuple(parse_cpu_list(read(entry / "cpulist")))
        for entry in (root / "sys/devices/system/node").glob("node*")
        if (match := _NODE.fullmatch(entry.name))
    }
    return nodes or {0: tuple(parse_cpu_list(read(root / "sys/devices/system/cpu/online")))}


def _core(cpus: Path, cpu: int) -> tuple[str, str]:
    """Identify the core a hardware thread belongs to; threads whose core is not told count as cores."""
    topology = cpus / f"cpu{cpu}" / "topology"
    core = read(topology / "thread_siblings_list") or read(topology / "core_id")
    return (read(topology / "physical_package_id"), core) if core else ("", f"cpu {cpu}")
