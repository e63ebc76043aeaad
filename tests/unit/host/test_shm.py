"""System V shared memory: made, mapped, told about, removed."""

import ctypes
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from daos_control.host import shm
from daos_control.host.shm import Memory, Segment

SIZE = 8192

TABLE = """\
       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      ctime                   rss                  swap
 270803272          1   660                638976   169   212      1     0     0     0     0 1795694777 1795694778 1795694751                  4096                     0
-697348763         10  1660                 16080   198   212      0   990   990  1001  1001 1795694777 1795694778 1795694771                  8192                     0
"""  # noqa: E501


@pytest.fixture
def key() -> int:
    return random.randrange(1 << 30, 1 << 31)


@pytest.fixture
def segment(key: int) -> Iterator[int]:
    segment = shm.create(key, SIZE, mode=0o600)
    yield segment
    with suppress(OSError):
        shm.remove(segment)


def test_the_kernels_table_is_read_by_its_headings(tmp_path: Path):
    table = tmp_path / "shm"
    table.write_text(TABLE)

    assert shm.segments(table)[1] == Segment(
        key=-697348763, id=10, size_bytes=16080, creator_pid=198, creator_uid=1001, owner_uid=990, attached=0
    )


def test_a_new_segment_is_in_the_table_as_ours(key: int, segment: int):
    [found] = [one for one in shm.segments() if one.key == key]

    assert found == Segment(
        key=key,
        id=segment,
        size_bytes=SIZE,
        creator_pid=os.getpid(),
        creator_uid=os.geteuid(),
        owner_uid=os.geteuid(),
        attached=0,
    )


def test_a_key_can_be_taken_once(key: int, segment: int):
    with pytest.raises(FileExistsError):
        shm.create(key, SIZE, mode=0o600)


def test_what_is_written_through_one_mapping_is_read_through_another(segment: int):
    with shm.open_mapping(segment, SIZE, writable=True) as one, shm.open_mapping(segment, SIZE, writable=False) as two:
        one.write(3, b"metrics")
        one.store(16, 0x0102)

        assert two.read(3, 7) == b"metrics"
        assert two.read(16, 8) == bytes([2, 1, 0, 0, 0, 0, 0, 0])


def test_a_removed_segment_is_no_longer_found(key: int, segment: int):
    shm.remove(segment)

    assert all(one.key != key for one in shm.segments())
    with pytest.raises(OSError, match=r"Invalid argument|Identifier removed"):
        shm.open_mapping(segment, SIZE, writable=False)


def test_a_closed_mapping_refuses_instead_of_crashing(segment: int):
    mapping = shm.open_mapping(segment, SIZE, writable=True)
    mapping.close()
    mapping.close()

    with pytest.raises(IndexError):
        mapping.read(0, 1)
    with pytest.raises(IndexError):
        mapping.store(0, 1)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(-1, 1), (SIZE, 1), (SIZE - 1, 2), (0, SIZE + 1), (4, -1), (1 << 63, 8)],
)
def test_nothing_outside_is_touched(offset: int, length: int):
    buffer = ctypes.create_string_buffer(SIZE)
    memory = Memory(ctypes.addressof(buffer), SIZE)

    with pytest.raises(IndexError):
        memory.read(offset, length)


def test_words_are_stored_where_words_can_be():
    buffer = ctypes.create_string_buffer(SIZE)

    with pytest.raises(IndexError):
        Memory(ctypes.addressof(buffer), SIZE).store(4, 1)
