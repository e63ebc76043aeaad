"""Run benchmarks: ``python -m benchmarks [NAME...]``; the default is all of them."""

import os
import sys
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final

from benchmarks import control_plane, fanout, joins, lab, micro, pools, simulation, startup, systems, transport
from benchmarks.report import Report

BENCHMARKS: Final = MappingProxyType[str, Callable[[Report], None]](
    {
        "startup": startup.run,
        "lab": lab.run,
        "control_plane": control_plane.run,
        "transport": transport.run,
        "joins": joins.run,
        "fanout": fanout.run,
        "pools": pools.run,
        "simulation": simulation.run,
        "micro": micro.run,
    }
)


def main(names: Sequence[str]) -> int:
    """Run the benchmarks of these names, or all, and return the exit code."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # installed programs are compiled once, and so are those measured
    systems.isolate()
    print(f"{os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f} as this begins", flush=True)
    for name in names or BENCHMARKS:
        BENCHMARKS[name](Report())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
