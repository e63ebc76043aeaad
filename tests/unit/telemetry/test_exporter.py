"""Metrics of real shared memory over HTTP, and whose memory is read."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from daos_control.host import shm
from daos_control.host.shm import Segment
from daos_control.net.http1 import get
from daos_control.telemetry import exposition
from daos_control.telemetry.exporter import SharedRegions, exporting
from daos_control.telemetry.metrics import MetricSet, MetricType, Value

KEY = 0x5E57_0000 + os.getpid() % 0xFFFF

pytestmark = pytest.mark.skipif(not Path("/proc/sysvipc/shm").exists(), reason="no System V shared memory here")


@pytest.fixture
def segment() -> Iterator[Segment]:
    made = shm.create(KEY, 4096, mode=0o660)
    with shm.open_mapping(made, 4096, writable=True) as memory:
        memory.write(0, b"content")
    [found] = [one for one in shm.segments() if one.id == made]
    yield found
    shm.remove(made)


def other(segment: Segment, **changes: int) -> Segment:
    return Segment(**{name: getattr(segment, name) for name in Segment.__slots__} | changes)


def test_a_region_of_ours_is_copied(segment: Segment) -> None:
    copy = SharedRegions([segment])(KEY, None)
    assert copy is not None
    assert (copy[:7], len(copy)) == (b"content", 4096)
    assert SharedRegions([segment])(KEY + 1, None) is None


def test_a_region_of_somebody_else_is_no_root(segment: Segment) -> None:
    assert SharedRegions([other(segment, creator_uid=12345)])(KEY, None) is None


def test_nobody_has_us_read_what_belongs_to_others(segment: Segment) -> None:
    theirs = other(segment, key=1, creator_uid=12345)
    third = other(segment, key=2, creator_uid=54321)
    regions = SharedRegions([segment, theirs, third])
    assert regions(1, KEY) is not None, "we link to theirs"
    assert regions(2, 1) is None
    assert regions(KEY, 1) is None


def test_a_region_that_is_too_large_is_not_read(segment: Segment) -> None:
    assert SharedRegions([other(segment, size_bytes=1 << 40)])(KEY, None) is None


def test_a_segment_that_is_gone_is_not_there(segment: Segment) -> None:
    assert SharedRegions([other(segment, id=0x7FFF_FFFF)])(KEY, None) is None


SETS = [MetricSet(type=MetricType.GAUGE, name="up", metrics=(Value(labels={}, value=1.0),))]


async def test_metrics_are_published() -> None:
    async with exporting(host="127.0.0.1", port=0, title="Test", gather=lambda: SETS) as port:
        assert exposition.parse((await get("127.0.0.1", port, "/metrics", timeout_s=5)).decode()) == SETS
        assert b'<a href="/metrics">' in await get("127.0.0.1", port, "/", timeout_s=5)


async def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        async with exporting(host="127.0.0.1", port=taken.getsockname()[1], title="Test", gather=lambda: SETS):
            pass
