"""The end of a process is noticed, by pidfd or by looking."""

import asyncio
import errno
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from daos_control.apps.agent.process_watch import ProcessWatch


def no_pidfd(_pid: int) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.fixture(params=[pytest.param(os.pidfd_open, id="pidfd"), pytest.param(no_pidfd, id="polling")])
async def watch(request: pytest.FixtureRequest) -> AsyncIterator[ProcessWatch]:
    open_pidfd: Callable[[int], int] = request.param
    watch = ProcessWatch(open_pidfd=open_pidfd, poll_s=0.01)
    yield watch
    watch.close()


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


async def test_the_end_is_reported_once(watch: ProcessWatch, process: "subprocess.Popen[bytes]"):
    ended: asyncio.Queue[int] = asyncio.Queue()
    watch.start(process.pid, ended.put_nowait)
    assert ended.empty()

    process.kill()  # it stays a zombie until we wait for it: dead all the same
    async with asyncio.timeout(10):
        assert await ended.get() == process.pid
    watch.stop(process.pid)
    assert ended.empty()


async def test_a_process_that_is_gone_cannot_be_watched(watch: ProcessWatch):
    with pytest.raises(ProcessLookupError):
        watch.start(2**22 + 1, print)


async def test_nothing_is_reported_of_a_process_no_longer_watched(
    watch: ProcessWatch, process: "subprocess.Popen[bytes]"
):
    ended: list[int] = []
    other: asyncio.Queue[int] = asyncio.Queue()
    watch.start(process.pid, ended.append)
    watch.start(os.getppid(), other.put_nowait)
    watch.stop(process.pid)
    process.kill()
    process.wait()
    await asyncio.sleep(0.05)  # five polls, and any number of turns of the loop

    assert not ended
    assert other.empty()
