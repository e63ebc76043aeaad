"""The backends that hold a store: whoever adds one adds it here, and every suite about stores runs on it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from daos_control.store.api import Store
from daos_control.store.memory import MemoryStore
from daos_control.store.sqlite import SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Awaitable[Store]]:
    """Open the same data again, as a restarted process would."""
    memory = MemoryStore()

    async def open_store() -> Store:
        return memory if request.param == "memory" else await SqliteStore.open(tmp_path / "system.db")

    return open_store
