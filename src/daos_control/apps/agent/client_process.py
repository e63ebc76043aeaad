"""What the agent finds out about a client process, from the kernel and never from the client.

Its name is for logs and for the telemetry patterns; its NUMA node decides which network interface it gets.
"""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Self

from daos_control.host.cpus import parse_cpu_list

_NODES = Path("/sys/devices/system/node")


def process_name(pid: int) -> str:
    """Return the base name of the process's ``argv[0]``; empty if it cannot be read."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:  # noqa: PTH123  on every call; pathlib costs more than the read
            argv0 = cmdline.read(4096).partition(b"\0")[0]
    except OSError:
        return ""
    return os.path.basename(argv0).decode("utf-8", "backslashreplace")  # noqa: PTH119  likewise


class NumaNodes:
    """Which CPUs belong to which NUMA node."""

    def __init__(self, cpus_by_node: Mapping[int, Collection[int]]) -> None:
        """Nodes without CPUs serve nobody and are left out."""
        self._nodes = {node: frozenset(cpus_by_node[node]) for node in sorted(cpus_by_node) if cpus_by_node[node]}

    @classmethod
    def load(cls, root: Path = _NODES) -> Self:
        """Read the kernel's list; a machine that has none gets node 0 for everybody."""
        found = {}
        for cpulist in root.glob("node[0-9]*/cpulist"):
            node = cpulist.parent.name.removeprefix("node")
            if node.isdecimal():
                found[int(node)] = frozenset(parse_cpu_list(cpulist.read_text()))
        return cls(found)

    def of_cpus(self, cpus: Collection[int]) -> int:
        """Return the first node that has one of these CPUs; 0 if none has."""
        return next((node for node, own in self._nodes.items() if not own.isdisjoint(cpus)), 0)

    def of_process(self, pid: int) -> int:
        """Return the first node that the process may run on. Raises OSError if the process is gone."""
        if len(self._nodes) <= 1:
            return next(iter(self._nodes), 0)
        return self.of_cpus(os.sched_getaffinity(pid))
