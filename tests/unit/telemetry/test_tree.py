"""Trees of metrics in regions that the test lays out, honest ones and others."""

from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from daos_control.telemetry.metrics import Bucket
from daos_control.telemetry.tree import Kind, Reading, Statistics, read_tree

BASE = 0x7F00_0000_0000


class RegionBuilder:
    """Lays out a region as an engine does."""

    def __init__(self, *, deleted: bool = False) -> None:
        self.data = bytearray(4096)
        self.end = 104
        self.deleted = deleted
        self.root = 0

    def put(self, data: bytes) -> int:
        at = self.end
        self.data[at : at + len(data)] = data
        self.end += (len(data) + 7) & ~7
        return BASE + at

    def node(
        self, name: str, kind: int, *, child: int = 0, sibling: int = 0, metric: int = 0, complete: int = 1
    ) -> int:
        spelt = self.put(name.encode() + b"\0")
        return self.put(pack("<QQQii40sQBB6x", child, sibling, spelt, kind, 1, b"", metric, 1, complete))

    def metric(self, value: bytes, *, stats: int = 0, histogram: int = 0, description: str = "d") -> int:
        told = self.put(description.encode() + b"\0")
        return self.put(pack("<32sQQQQ", value, stats, histogram, told, 0))

    def finish(self, root: int) -> bytes:
        self.data[:104] = pack("<QiIQQQQ40sQQ", BASE, 1, int(self.deleted), len(self.data), 0, 0, root, b"", 0, 0)
        return bytes(self.data)


def read(regions: dict[int, bytes]) -> dict[str, Reading]:
    found = list(read_tree(lambda key, _: regions.get(key), 1))
    return {"/".join(reading.path): reading for reading in found}


def test_every_kind_of_value() -> None:
    region = RegionBuilder()
    word = lambda number: pack("<Q", number)  # noqa: E731
    time = pack("<qq", 2, 5)
    counter = region.node("count", Kind.COUNTER, metric=region.metric(word(7)))
    gauge = region.node("gauge", Kind.GAUGE, metric=region.metric(word(8)), sibling=counter)
    stamp = region.node("stamp", Kind.TIMESTAMP, metric=region.metric(word(1_700_000_000)), sibling=gauge)
    clock = region.node("clock", Kind.SNAPSHOT | 0x80, metric=region.metric(time), sibling=stamp)
    data = region.finish(region.node("ID: 0", Kind.DIRECTORY, child=clock))
    assert {path: (one.kind, one.value) for path, one in read({1: data}).items()} == {
        "count": (Kind.COUNTER, 7),
        "gauge": (Kind.GAUGE, 8),
        "stamp": (Kind.TIMESTAMP, 1_700_000_000),
        "clock": (Kind.SNAPSHOT, 2_000_000_005),
    }


def test_statistics_and_histograms() -> None:
    region = RegionBuilder()
    stats = region.put(pack("<QQQdddQ", 1, 9, 10, 0.0, 0.0, 82.0, 2))
    buckets = b""
    for least, greatest, count in ((0, 4, 3), (5, 9, 2), (10, 2**64 - 1, 1)):
        counter = region.node("bucket", Kind.COUNTER, metric=region.metric(pack("<Q", count)))
        buckets += pack("<QQQ", least, greatest, counter)
    histogram = region.put(pack("<QB3xiii", region.put(buckets), 1, 3, 5, 2))
    metric = region.metric(pack("<qq", 0, 500), stats=stats, histogram=histogram)
    data = region.finish(region.node("ID: 0", Kind.DIRECTORY, child=region.node("took", Kind.DURATION, metric=metric)))
    reading = read({1: data})["took"]
    assert reading.statistics == Statistics(least=1, greatest=9, total=10, sum_of_squares=82.0, samples=2)
    assert (reading.statistics.mean, reading.statistics.deviation) == (5.0, 32.0**0.5)
    assert reading.buckets == (Bucket(upper_bound=4.0, cumulative_count=3), Bucket(upper_bound=9.0, cumulative_count=5))
    assert reading.value == 500


def linked(to: int) -> bytes:
    region = RegionBuilder()
    link = region.node("tank", Kind.LINK, metric=region.metric(pack("<Q", to & 0xFFFF_FFFF)))
    pools = region.node("pool", Kind.DIRECTORY, child=link)
    return region.finish(region.node("ID: 0", Kind.DIRECTORY, child=pools))


def leaf(name: str = "x", *, deleted: bool = False, complete: int = 1) -> bytes:
    region = RegionBuilder(deleted=deleted)
    node = region.node(name, Kind.GAUGE, metric=region.metric(pack("<Q", 1)), complete=complete)
    return region.finish(region.node("another name", Kind.DIRECTORY, child=node))


def test_the_tree_goes_on_in_another_region_under_the_links_name() -> None:
    assert list(read({1: linked(-5), -5: leaf()})) == ["pool/tank/x"]


def test_regions_that_are_not_there_any_more_are_left_out() -> None:
    assert read({1: linked(2)}) == {}
    assert read({1: linked(2), 2: leaf(deleted=True)}) == {}
    assert read({}) == {}


def test_what_is_not_complete_is_left_out() -> None:
    assert read({1: leaf(complete=0)}) == {}


def test_a_region_that_links_to_itself_is_read_once() -> None:
    assert read({1: linked(1)}) == {}


@given(st.binary(max_size=64), st.integers(0, 4096), st.integers(0, 2**64 - 1))
def test_nonsense_is_left_out(noise: bytes, at: int, pointer: int) -> None:
    data = bytearray(leaf())
    data[at : at + len(noise)] = noise
    data[40:48] = pack("<Q", pointer) if pointer % 3 == 0 else data[40:48]
    for reading in read({1: bytes(data)}).values():
        assert reading.value >= 0


def test_a_circle_of_siblings_ends() -> None:
    region = RegionBuilder()
    node = region.node("x", Kind.GAUGE, metric=region.metric(pack("<Q", 1)))
    data = bytearray(region.finish(region.node("ID: 0", Kind.DIRECTORY, child=node)))
    at = node - BASE
    data[at + 8 : at + 16] = pack("<Q", node)
    assert list(read({1: bytes(data)})) == ["x"]
