"""A region of the metric tree: what is written can be read, and what anybody else has written does no harm.

That DAOS's own programs read it the same way is tried in tests/system.
"""

import ctypes
import random

import pytest

from daos_control.host.shm import Memory
from daos_control.telemetry.region import MAX_NAME, ROOM, Link, Region, RegionFull, mark_deleted, read_links

KEY = 0x10242148


class Buffer(Memory):
    """Memory that shares nothing with anybody."""

    def __init__(self, size_bytes: int = ROOM) -> None:
        self._buffer = ctypes.create_string_buffer(size_bytes)
        super().__init__(ctypes.addressof(self._buffer), size_bytes)


@pytest.fixture
def memory() -> Memory:
    return Buffer()


@pytest.fixture
def region(memory: Memory) -> Region:
    return Region(memory, key=KEY, name="ID: 256")


def word(memory: Memory, offset: int) -> int:
    return int.from_bytes(memory.read(offset, 8), "little")


def test_a_new_region_has_the_header_that_daos_expects(memory: Memory, region: Region):
    base = word(memory, 0)

    assert word(memory, 8) == KEY, "the key, and no flags"
    assert word(memory, 16) == ROOM
    assert word(memory, 24) == ROOM - (word(memory, 32) - base), "free bytes are those after the next free address"
    root = word(memory, 40) - base
    assert (word(memory, root), word(memory, root + 8)) == (0, 0), "neither child nor sibling"
    assert word(memory, root + 24) == KEY << 32 | 1, "a directory of this region"
    assert memory.read(word(memory, root + 16) - base, 8) == b"ID: 256\0"
    assert word(memory, 88) == word(memory, 96) == base + 88, "an empty list"


def test_links_are_found(memory: Memory, region: Region):
    region.link("8807", 8807)
    region.link("8813", -697348763)

    assert set(read_links(memory)) == {Link("8807", 8807), Link("8813", -697348763)}


def test_an_unlinked_name_is_not_found(memory: Memory, region: Region):
    region.link("8807", 8807)
    region.link("8813", 8813)
    region.unlink("8807")

    assert read_links(memory) == [Link("8813", 8813)]
    assert "8807" not in region
    assert "8813" in region


def test_a_link_can_be_set_to_another_region(memory: Memory, region: Region):
    region.link("8807", 8807)
    region.link("8807", 12)

    assert read_links(memory) == [Link("8807", 12)]


def test_places_are_used_again_so_that_a_region_never_wears_out(memory: Memory, region: Region):
    region.link("first", 1)
    used = word(memory, 32)
    for number in range(10_000):
        region.link(str(number), 2)
        region.unlink(str(number))

    assert word(memory, 32) - used < 1000
    assert read_links(memory) == [Link("first", 1)]


def test_there_is_room_for_a_thousand_and_then_a_clear_end(memory: Memory, region: Region):
    names = [f"{number:0{MAX_NAME}}" for number in range(1, 10_000)]

    def fill() -> None:
        for name in names:
            region.link(name, int(name))

    with pytest.raises(RegionFull):
        fill()

    linked = read_links(memory)
    assert len(linked) >= 1024
    region.unlink(names[7])
    region.link("one more", 1)
    assert len(read_links(memory)) == len(linked)


def test_every_linked_region_is_in_the_list_that_daos_keeps(memory: Memory, region: Region):
    for number in (11, 12, 13):
        region.link(str(number), number)
    region.unlink("12")

    base, keys, behind = word(memory, 0), [], 88
    at = word(memory, 88) - base
    while at != 88:
        assert word(memory, at + 8) == base + behind, "the way back"
        keys.append(word(memory, at - 8) if word(memory, at - 16) else None)
        at, behind = word(memory, at) - base, at
    assert keys == [13, None, 11]
    assert word(memory, 96) - base == behind


@pytest.mark.parametrize("name", ["", "a/b", "a\0b", "é" * 128], ids=["empty", "slash", "zero", "too long"])
def test_names_that_daos_could_not_read_are_refused(region: Region, name: str):
    with pytest.raises(ValueError, match="cannot name a node"):
        region.link(name, 1)


def test_readers_can_see_that_a_region_is_gone(memory: Memory, region: Region):
    mark_deleted(memory)

    assert word(memory, 8) == 1 << 32 | KEY


def test_what_is_too_small_for_a_region_is_none():
    assert read_links(Buffer(96)) == []
    with pytest.raises(IndexError):
        mark_deleted(Buffer(8))


def test_a_tree_that_bites_its_tail_is_read_once(memory: Memory, region: Region):
    region.link("a", 1)
    base = word(memory, 0)
    root = word(memory, 40) - base
    memory.store(word(memory, root) - base + 8, base + root)

    assert read_links(memory) == [Link("a", 1)]


def test_no_more_nodes_are_read_than_allowed(memory: Memory, region: Region):
    for number in range(1, 100):
        region.link(str(number), number)

    assert len(read_links(memory, max_nodes=51)) == 50


@pytest.mark.parametrize("seed", range(5))
def test_rubbish_is_read_without_harm(seed: int):
    chance = random.Random(seed)
    for _ in range(200):
        memory = Buffer(2048)
        region = Region(memory, key=KEY, name="x")
        for number in range(1, 4):
            region.link(str(number), number)
        for _ in range(chance.randint(1, 30)):
            memory.write(chance.randrange(2040), chance.randbytes(8))

        for link in read_links(memory):
            assert len(link.name) <= MAX_NAME
            assert -(1 << 31) <= link.key < 1 << 31
