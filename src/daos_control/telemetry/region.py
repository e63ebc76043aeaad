"""A region of DAOS's metric tree: its layout in shared memory, written and read.

DAOS 2.8 keeps metrics in a tree of named nodes. The tree is spread over regions, one to a shared memory segment: a
link node holds the key of the segment where the tree goes on. A region is a header, then whatever has been allocated
in it one after the other, never freed. Pointers are addresses as the region's creator sees them; readers subtract the
base address that the header states. We state a made-up base, since nobody needs to know where our memory really is.

A region has one writer. Readers take no locks, neither DAOS's own nor ours, so whatever they might follow is complete
before a pointer to it is stored, in a single word. (That a processor keeps the order of stores is true of x86-64,
which is also the only one whose C layout is known here; see ``SUPPORTED``.)
"""

import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from daos_control.host.shm import Memory

SUPPORTED = platform.machine() == "x86_64" and sys.byteorder == "little" and sys.maxsize > 1 << 32
"""Whether programs on this machine lay regions out as told here."""

MAX_NAME = 255
"""Longest name, and longest path, in bytes."""
ROOM = 1024 * 624
"""The size that DAOS gives a region for a thousand clients or their jobs."""
MAX_NODES = 20_000
"""Nodes looked at in one region: more than an honest one has, few enough to be quick about a dishonest one."""

_BASE = 1 << 32
_DIRECTORY = 0x001
_LINK = 0x400
_DELETED = 1 << 32  # in the header's second word, above the key

_HEADER = Struct("<QiIQQQQ40sQQ")
"""Base, key, flags, size, bytes free, next free address, root node, lock, list of linked regions (first and last)."""
_FLAGS = 8
_BYTES_FREE = 24
_NEXT_FREE = 32
_ROOT = 40
_LIST = 88

_NODE = Struct("<QQQii40sQBB6x")
"""First child, next sibling, name, type, region's key, lock, metric, takes the lock or not, complete or not."""
_CHILD = 0
_SIBLING = 8
_NAME = 16

_METRIC = Struct("<Q24xQQQQ")
"""Value, then pointers to what links do not have: statistics, histogram, description, units."""

_ENTRY = Struct("<Qi4xQQ")
"""Of the list of linked regions: link node, key, next and previous (which point at the next-pointers)."""
_ENTRY_NEXT = 16

_SPELT = _NODE.size + _METRIC.size + _ENTRY.size
_SLOT = _SPELT + MAX_NAME + 1
"""A link with all that belongs to it."""


class RegionFull(Exception):
    """There is no room for one more link."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place where the tree goes on in another region."""

    name: str
    key: int


class Region:
    """A region that we write: a directory of links.

    Links that are removed leave their place to later ones, so that a region lasts for ever.
    """

    def __init__(self, memory: Memory, *, key: int, name: str) -> None:
        """Lay out a new region in memory that is all zeros; ``name`` is that of its root node."""
        self._memory = memory
        self._key = key
        self._links: dict[str, int] = {}
        self._vacant: list[int] = []
        self._root = _HEADER.size
        self._last: int | None = None
        self._end = self._root + _NODE.size + MAX_NAME + 1
        spelt = _spell(name)
        memory.write(self._root, _NODE.pack(0, 0, _BASE + self._root + _NODE.size, _DIRECTORY, key, b"", 0, 0, 0))
        memory.write(self._root + _NODE.size, spelt)
        free = memory.size_bytes - self._end
        empty = _BASE + _LIST
        header = _HEADER.pack(_BASE, key, 0, memory.size_bytes, free, _BASE + self._end, 0, b"", empty, empty)
        memory.write(0, header)
        memory.store(_ROOT, _BASE + self._root)  # only now is there anything to see

    def __contains__(self, name: str) -> bool:
        return name in self._links

    def link(self, name: str, key: int) -> None:
        """Let the tree go on, under that name, in the region with this key. Raises RegionFull.

        A link of that name that exists already is set to the key.
        """
        slot = self._links.get(name)
        if slot is None:
            slot = self._vacant.pop() if self._vacant else self._new_slot()
            self._links[name] = slot
            self._memory.write(slot + _SPELT, _spell(name))
            self._memory.store(slot + _NAME, _BASE + slot + _SPELT)
        self._point(slot, key)

    def unlink(self, name: str) -> None:
        """Remove a link; raises KeyError if there is none of that name."""
        slot = self._links.pop(name)
        self._point(slot, 0)
        self._memory.store(slot + _NAME, 0)
        self._vacant.append(slot)

    def _point(self, slot: int, key: int) -> None:
        metric = slot + _NODE.size
        entry = metric + _METRIC.size
        self._memory.store(entry, _BASE + slot if key else 0)
        self._memory.store(entry + 8, key & 0xFFFF_FFFF)
        self._memory.store(metric, key & 0xFFFF_FFFF)

    def _new_slot(self) -> int:
        slot, memory = self._end, self._memory
        if slot + _SLOT > memory.size_bytes:
            raise RegionFull(f"no room for another link beside {len(self._links)}")
        self._end += _SLOT
        memory.store(_BYTES_FREE, memory.size_bytes - self._end)
        memory.store(_NEXT_FREE, _BASE + self._end)
        metric = slot + _NODE.size
        entry = metric + _METRIC.size
        memory.write(slot, _NODE.pack(0, 0, 0, _LINK, self._key, b"", _BASE + metric, 0, 1))
        self._enlist(entry)
        memory.store(self._root + _CHILD if self._last is None else self._last + _SIBLING, _BASE + slot)
        self._last = slot
        return slot

    def _enlist(self, entry: int) -> None:
        """Put an entry in front of the list of linked regions, which readers of ours never walk."""
        first = int.from_bytes(self._memory.read(_LIST, 8), "little")
        self._memory.write(entry, _ENTRY.pack(0, 0, first, _BASE + _LIST))
        self._memory.store(first - _BASE + 8, _BASE + entry + _ENTRY_NEXT)
        self._memory.store(_LIST, _BASE + entry + _ENTRY_NEXT)


def mark_deleted(memory: Memory) -> None:
    """Tell readers that have a region open that it is gone, and that its key may mean another one from now on.

    Raises IndexError if there is no room for a region.
    """
    flags = int.from_bytes(memory.read(_FLAGS, 8), "little")
    memory.store(_FLAGS, flags | _DELETED)


def read_links(memory: Memory, *, max_nodes: int = MAX_NODES) -> list[Link]:
    """Return where the tree goes on from a region that anybody may have written, and may be writing.

    What makes no sense is left out: whoever wrote it fools nobody but readers of its own metrics.
    """
    try:
        base, *_, root, _lock, _first, _last = _HEADER.unpack(memory.read(0, _HEADER.size))
    except IndexError:
        return []
    links = []
    nodes = _nodes(memory, base, root)
    for _ in range(max_nodes):
        try:
            link = next(nodes)
        except StopIteration:
            break
        if link is not None:
            links.append(link)
    return links


def _nodes(memory: Memory, base: int, root: int) -> Iterator[Link | None]:
    """Walk the tree, not beyond this region; every node yields, links yield themselves."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        address = waiting.pop()
        if not address or address in seen:
            continue
        seen.add(address)
        try:
            node = _NODE.unpack(memory.read(address - base, _NODE.size))
        except IndexError:
            continue
        child, sibling, name, type_, _key, _lock, metric, *_ = node
        waiting += (sibling, child)
        yield _link(memory, base, name, metric) if type_ == _LINK else None


def _link(memory: Memory, base: int, name: int, metric: int) -> Link | None:
    try:
        key, *_ = _METRIC.unpack(memory.read(metric - base, _METRIC.size))
        text = memory.read(name - base, min(MAX_NAME + 1, memory.size_bytes - (name - base)))
    except IndexError:
        return None
    spelt, end, _ = text.partition(b"\0")
    if not key or not end:
        return None
    signed = int.from_bytes((key & 0xFFFF_FFFF).to_bytes(4, "little"), "little", signed=True)
    return Link(spelt.decode(errors="replace"), signed)


def _spell(name: str) -> bytes:
    spelt = name.encode()
    if not spelt or len(spelt) > MAX_NAME or b"\0" in spelt or b"/" in spelt:
        raise ValueError(f"{name!r} cannot name a node: 1 to {MAX_NAME} bytes, none of them '/' or zero")
    return spelt.ljust(MAX_NAME + 1, b"\0")
