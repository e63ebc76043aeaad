"""No engine survives its server, whenever the server is killed: also in the moments in which one is being made."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

KILLS = 60
SERVER = """
import asyncio, sys
from pathlib import Path
from daos_control.engine.process import Output, running

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    while True:
        async with running(Path("/bin/sleep"), ["1000", sys.argv[1]], {}, Output(out=print, err=print)) as engine:
            await asyncio.sleep(0.01)
            engine.send(9)
            await engine.ended()

asyncio.run(main())
"""


def processes_with(word: str) -> list[int]:
    """The processes that have ``word`` among their arguments and are not dead."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if word.encode() in words and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def test_no_engine_survives_its_server():
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    for turn in range(KILLS):
        mark = f"0.{os.getpid()}{turn}{chance.randrange(1 << 30)}"
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, mark], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert server.stdout.readline() == "ready\n"
        server.stdin.write("go\n")
        server.stdin.flush()
        time.sleep(chance.random() * 0.03)
        server.send_signal(signal.SIGKILL)
        server.communicate()
        deadline = time.monotonic() + 10
        while left := processes_with(mark):
            assert time.monotonic() < deadline, f"engines {left} outlived their server (turn {turn}, seed {seed})"
            time.sleep(0.01)
