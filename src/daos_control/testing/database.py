"""The database of a management service as a server leaves it behind: for tests of what is done with it then."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from daos_control.store.sqlite import SqliteStore


def write_database(path: Path, writes: Mapping[str, bytes | None]) -> None:
    """Open or make a database as a server does, write, and close it; not to be called where an event loop runs."""

    async def write() -> None:
        store = await SqliteStore.open(path)
        await store.commit(writes)
        await store.aclose()

    asyncio.run(write())
