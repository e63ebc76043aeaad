"""Publishes the metrics of this host's shared memory over HTTP, for Prometheus."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from daos_control.base import logs
from daos_control.host import shm
from daos_control.host.shm import Segment
from daos_control.net import http1
from daos_control.net.http1 import Page
from daos_control.telemetry.metrics import MetricSet
from daos_control.telemetry.publishing import client_name, engine_name, metric_sets, page
from daos_control.telemetry.tree import read_tree

log = logs.get(__name__)

ENGINE_KEY: Final = 0x10242048
"""Of the first engine's tree; the others' follow."""
CLIENT_KEY: Final = 0x10242148
_MOST_BYTES: Final = 1 << 28
"""No region of an honest engine is larger."""


class SharedRegions:
    """The regions of this host, as the kernel lists their segments now.

    A tree of ours may go on in anybody's region, since we have looked at it before we linked it. Anybody else's stays
    within what the same user has made: nobody can have us read what belongs to others.
    """

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._segments = {segment.key: segment for segment in segments if segment.key}
        self._own = os.geteuid()

    def __call__(self, key: int, linked_from: int | None) -> bytes | None:
        """Return a copy of a region."""
        segment = self._segments.get(key)
        if segment is None or segment.size_bytes > _MOST_BYTES or not self._is_trusted(segment, linked_from):
            return None
        try:
            with shm.open_mapping(segment.id, segment.size_bytes, writable=False) as memory:
                return memory.read(0, memory.size_bytes)
        except OSError as error:
            log.debug("a region of metrics cannot be read", key=hex(key & 0xFFFFFFFF), reason=error.strerror)
            return None

    def _is_trusted(self, segment: Segment, linked_from: int | None) -> bool:
        if linked_from is None:
            return segment.creator_uid in {self._own, 0}
        linking = self._segments[linked_from].creator_uid
        return linking in {self._own, segment.creator_uid}


def engine_metrics(ranks: Mapping[int, int]) -> list[MetricSet]:
    """Return the metrics of engines, given the rank of each by its index on this host."""
    regions = SharedRegions(shm.segments())
    sources = [({"rank": str(rank)}, read_tree(regions, ENGINE_KEY + index)) for index, rank in ranks.items()]
    return metric_sets(sources, engine_name, prefix="engine")


def engine_page(index: int) -> bytes:
    """Return the metrics of an engine of this host as a page; empty if it keeps none, or is down."""
    tree = read_tree(SharedRegions(shm.segments()), ENGINE_KEY + index)
    return page(metric_sets([({"engine": str(index)}, tree)], engine_name, prefix="engine")).encode()


def client_metrics() -> list[MetricSet]:
    """Return the metrics of applications that are registered with the agent of this host."""
    regions = SharedRegions(shm.segments())
    return metric_sets([({}, read_tree(regions, CLIENT_KEY))], client_name, prefix="client")


@asynccontextmanager
async def exporting(
    *, host: str, port: int, title: str, gather: Callable[[], Sequence[MetricSet]]
) -> AsyncIterator[int]:
    """Publish what ``gather`` returns, anew for every caller, while inside; yield the port.

    ``gather`` is called in a thread, once at a time. Raises OSError if the port is taken.
    """
    turn = asyncio.Lock()

    async def metrics() -> str:
        async with turn:
            return await asyncio.to_thread(lambda: page(gather()))

    async def front() -> str:
        return f'<html><head><title>{title}</title></head><body><a href="/metrics">Metrics</a></body></html>\n'

    pages = {
        "/": Page(kind="text/html; charset=utf-8", text=front),
        "/metrics": Page(kind="text/plain; version=0.0.4; charset=utf-8", text=metrics),
    }
    async with http1.serve(host, port, pages) as listening:
        log.info(f"{title}: metrics are published on {host}:{listening}")
        yield listening
