"""Elections in a store that one process has to itself: candidates wait for each other, and lead by a lease.

There is one leased key for each election, whose value says who leads.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, TypeAlias

from daos_control.store.api import Leadership

LEADER_TTL_S: Final = 10.0
"""How long a leader that died without a word is taken for one, where the store cannot know better."""

Lease: TypeAlias = Callable[[Mapping[str, bytes], float], AbstractAsyncContextManager[int]]


def election_key(name: str) -> str:
    """Return the key that the leader of ``name`` holds."""
    return f"election/{name}"


class Elections:
    """The elections of a store, held by its ``lease``."""

    def __init__(self, lease: Lease) -> None:
        self._lease = lease
        self._turns: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def lead(self, name: str, candidate: str) -> AsyncIterator[Leadership]:
        """Wait for the election of ``name`` to be free, then hold it."""
        key = election_key(name)
        async with (
            self._turns.setdefault(name, asyncio.Lock()),
            self._lease({key: candidate.encode()}, LEADER_TTL_S) as revision,
        ):
            yield Leadership(key, revision)
