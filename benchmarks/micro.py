"""Single parts, without processes: node sets, dRPC frames, the store's commits, group-map pushes."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.report import Figure, Report
from daos_control.base.hostset import HostSet
from daos_control.net.drpc import methods
from daos_control.net.drpc.frames import Assembler, encode
from daos_control.store.sqlite import SqliteStore
from daos_control.testing.management import Bench, a_join

ROUNDS = 5
HOSTS = 100_000
MESSAGE = bytes(1 << 20)
COMMITS = 200
JOINS = 2048
Result = TypeVar("Result")


def run(report: Report) -> None:
    """Measure all of them."""
    report.section(f"Single parts: least of {ROUNDS}")
    _node_sets(report)
    _frames(report)
    asyncio.run(_commits(report))
    asyncio.run(_group_map(report))


def _node_sets(report: Report) -> None:
    names = ",".join(f"node{number}" for number in range(HOSTS))
    hosts, seconds = _least(lambda: HostSet.parse(names))
    report.add(Figure(name=f"fold {HOSTS} hosts listed one by one", value=seconds * 1e3, unit="ms"))
    _, seconds = _least(lambda: list(hosts))
    report.add(Figure(name=f"expand {len(hosts)} hosts", value=seconds * 1e3, unit="ms"))


def _frames(report: Report) -> None:
    def there_and_back() -> bytes | None:
        incoming = Assembler()
        return [incoming.feed(packet) for packet in encode(MESSAGE)][-1]

    message, seconds = _least(there_and_back)
    assert message == MESSAGE
    report.add(Figure(name="dRPC message of 1 MiB, cut and put together", value=seconds * 1e3, unit="ms"))


async def _commits(report: Report) -> None:
    with tempfile.TemporaryDirectory(prefix="daos-bench-") as folder:
        store = await SqliteStore.open(Path(folder) / "store.db")
        took = []
        for number in range(COMMITS):
            began = time.perf_counter()
            await store.commit({f"member/{number}": bytes(200)})
            took.append(time.perf_counter() - began)
        await store.aclose()
    report.add(
        Figure(name=f"commit of one record (median of {COMMITS})", value=sorted(took)[COMMITS // 2] * 1e3, unit="ms")
    )


async def _group_map(report: Report) -> None:
    """Let all engines of a large system join at once, and count what the system's first engine is sent."""
    bench = Bench()
    async with bench.leading() as management, asyncio.TaskGroup() as joining:
        await management.join(a_join(1))
        bench.engines.open()
        for number in range(2, JOINS + 1):
            joining.create_task(management.join(a_join(number, index=1)))
    pushes = len(bench.engines.requests(methods.Mgmt.GROUP_UPDATE))
    report.add(Figure(name=f"group maps pushed for {JOINS} joins", value=pushes, unit="pushes"))


def _least(action: Callable[[], Result]) -> tuple[Result, float]:
    """Do something a few times; return its result and the least time it took."""
    result, least = action(), float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        action()
        least = min(least, time.perf_counter() - began)
    return result, least
