"""The journal of the system: the newest entries in memory, and how they lie in the store.

Each commit adds its entries as one value under ``journal/<number of the first>``, so that a storm of events costs as
many keys as it costs commits. Only the newest entries are kept: a block leaves when those after it are enough.
Whatever is unreadable in the journal is passed over; the past must not keep the system from working.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace

from daos_control.base import logs
from daos_control.model.journal import Entry, Fact, Heard, Origin
from daos_control.store.api import Snapshot

log = logs.get(__name__)

ROOT: Final = "journal/"
KEEP: Final = 10_000
"""So many entries are kept at least; there may be as many more as the oldest block has."""
BLOCK: Final = 512
"""Entries in one value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """Entries that are about to be committed, and what to write for them."""

    entries: tuple[Entry, ...]
    writes: dict[str, bytes | None]


class Journal:
    """The newest entries, as far as they are durable."""

    def __init__(self, *, keep: int = KEEP) -> None:
        self._keep = keep
        self._entries: deque[Entry] = deque()
        self._blocks: deque[tuple[str, int]] = deque()
        self._grown = asyncio.Event()
        self._closed = False
        self.last = 0
        """The number of the newest entry there ever was."""

    @property
    def oldest(self) -> int:
        """The number of the oldest entry that is kept; 0 if none is."""
        return self._entries[0].sequence if self._entries else 0

    def load(self, snapshot: Snapshot) -> None:
        """Take over what lies in the store."""
        self._entries.clear()
        self._blocks.clear()
        for key, held in snapshot.items.items():
            try:
                self.last = max(self.last, _first_of(key))
                entries = _decoder.decode(held.value)
            except ValueError as error:
                log.error("a part of the journal cannot be read and is passed over", key=key, reason=str(error))
                entries = []
            self._take(key, entries)
        self._wake()

    def adding(self, facts: Sequence[Fact]) -> Addition:
        """Number new facts, and say what to write so that the store has them and no more than it should."""
        entries = tuple(_numbered(facts, self.last + 1))
        writes: dict[str, bytes | None] = {}
        for start in range(0, len(entries), BLOCK):
            block = entries[start : start + BLOCK]
            writes[key_of(block[0].sequence)] = _encoder.encode(block)
        kept = len(self._entries) + len(entries)
        for key, count in self._blocks:
            if kept - count < self._keep:
                break
            kept -= count
            writes[key] = None
        return Addition(entries=entries, writes=writes)

    def added(self, addition: Addition) -> None:
        """Take over entries that are durable now."""
        for value in addition.writes.values():
            if value is None:
                self._blocks.popleft()
        for start in range(0, len(addition.entries), BLOCK):
            block = addition.entries[start : start + BLOCK]
            self._take(key_of(block[0].sequence), block)
        kept = sum(count for _, count in self._blocks)
        while len(self._entries) > kept:
            self._entries.popleft()
        if addition.entries:
            self._wake()

    def after(self, sequence: int) -> list[Entry]:
        """Return the entries with higher numbers, oldest first."""
        if sequence >= self.last:
            return []
        found: list[Entry] = []
        for entry in reversed(self._entries):
            if entry.sequence <= sequence:
                break
            found.append(entry)
        return found[::-1]

    async def growth(self, last: int) -> None:
        """Return as soon as there are entries beyond ``last``, or there will be no more."""
        while self.last <= last and not self._closed:
            await self._grown.wait()

    def close(self) -> None:
        """Say that nothing is added any more: who waits is to look elsewhere."""
        self._closed = True
        self._wake()

    def _take(self, key: str, entries: Sequence[Entry]) -> None:
        self._blocks.append((key, len(entries)))
        self._entries.extend(entries)
        if entries:
            self.last = max(self.last, entries[-1].sequence)

    def _wake(self) -> None:
        grown, self._grown = self._grown, asyncio.Event()
        grown.set()


def _numbered(facts: Sequence[Fact], first: int) -> Iterator[Entry]:
    """Number facts; moves that follow the event that caused them refer to its number."""
    heard = 0
    for sequence, fact in enumerate(facts, first):
        if isinstance(fact, Heard):
            heard = sequence
            yield Entry(sequence, fact)
        else:
            caused = heard if fact.cause.origin is Origin.EVENT else 0
            yield Entry(sequence, replace(fact, event=caused) if caused else fact)


def key_of(first: int) -> str:
    """Return the key of the block whose first entry has this number."""
    return f"{ROOT}{first:016}"


def _first_of(key: str) -> int:
    return int(key.removeprefix(ROOT))


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Entry])
