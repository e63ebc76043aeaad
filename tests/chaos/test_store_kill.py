"""``kill -9`` while commits are under way: nothing that was acknowledged may be lost, nothing be half there."""

import os
import random
import selectors
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.chaos

ROUNDS = 150
KEYS = 5

# Counts up for ever, in one key of each commit's own and in KEYS keys that must always agree. A number on
# standard output is an acknowledgement; the first line says what was found on start.
WRITER = f"""
import asyncio, sys
from pathlib import Path
from daos_control.store.sqlite import SqliteStore

async def main():
    store = await SqliteStore.open(Path(sys.argv[1]))
    found = {{held.value for held in (await store.get("same/")).items.values()}}
    assert len(found) <= 1, f"half a commit: {{found}}"
    n = int(found.pop()) if found else 0
    assert len((await store.get("each/")).items) == n, "a commit went missing"
    print(n, flush=True)
    while True:
        n += 1
        await store.commit({{f"same/{{k}}": b"%d" % n for k in range({KEYS})}} | {{f"each/{{n}}": b""}})
        print(n, flush=True)

asyncio.run(main())
"""


@pytest.mark.timeout(300)
def test_hundreds_of_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "system.db"
    acknowledged = 0
    for round_number in range(ROUNDS):
        found, last = _run_until_killed(path, linger_s=random.uniform(0, 0.02))
        assert found >= acknowledged, f"round {round_number}: {acknowledged} was acknowledged, {found} was found"
        acknowledged = last
    assert acknowledged > ROUNDS, "the writer hardly ever got to write: the test tests nothing"


def _run_until_killed(path: Path, *, linger_s: float) -> tuple[int, int]:
    """Let a writer start, write for ``linger_s`` seconds and die; return what it found and last acknowledged."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        assert first, "the writer could not open the store"
        with selectors.DefaultSelector() as never:
            never.select(linger_s)
        writer.kill()
        rest = writer.stdout.read()
    # A line that was cut off is no acknowledgement.
    whole = [int(line) for line in (first + rest).split(b"\n")[:-1]]
    return whole[0], whole[-1]


def test_a_full_disk_refuses_the_commit_keeps_what_was_there_and_goes_on_once_there_is_room(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", mount], check=False).returncode
    ):
        pytest.skip("mounting a small file system needs root")
    try:
        done = subprocess.run(
            [sys.executable, "-c", FILLER, str(mount / "system.db")], capture_output=True, text=True, check=False
        )
    finally:
        subprocess.run(["umount", mount], check=True)
    assert done.returncode == 0, done.stderr


FILLER = """
import asyncio, subprocess, sys
from pathlib import Path
from daos_control.store.api import StoreUnavailable
from daos_control.store.sqlite import SqliteStore

async def main():
    path = Path(sys.argv[1])
    store = await SqliteStore.open(path)
    n = 0
    try:
        while n < 1000:
            await store.commit({f"k/{n}": b"x" * 20_000})
            n += 1
    except StoreUnavailable as error:
        assert "no space left" in str(error), error
    assert 0 < n < 1000
    assert len((await store.get("k/")).items) == n
    subprocess.run(["mount", "-o", "remount,size=4m", path.parent], check=True)
    await store.commit({"k/more": b"there is room again"})
    await store.aclose()
    again = await SqliteStore.open(path)
    assert len((await again.get("k/")).items) == n + 1
    await again.aclose()

asyncio.run(main())
"""
