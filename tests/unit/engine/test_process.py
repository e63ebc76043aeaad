"""Engine processes: real ones, made of shell lines, since what matters is what the kernel does."""

import asyncio
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from daos_control.engine.process import EngineStartError, Output, exit_text, find_binary, running


class Heard(list):
    """The lines a process wrote, by stream; one may be waited for."""

    def __init__(self):
        super().__init__()
        self._more = asyncio.Event()

    def note(self, stream: str, line: str) -> None:
        self.append((stream, line))
        self._more.set()

    async def wait_for(self, stream: str, line: str) -> None:
        async with asyncio.timeout(10):
            while (stream, line) not in self:
                self._more.clear()
                await self._more.wait()


@pytest.fixture
def lines():
    return Heard()


@pytest.fixture
def output(lines):
    return Output(out=partial(lines.note, "out"), err=partial(lines.note, "err"))


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "daos_engine"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


async def test_it_gets_exactly_its_arguments_and_environment(tmp_path, lines, output):
    engine = script(tmp_path, 'echo "$@"; cat /proc/$$/environ | tr "\\0" "\\n"; pwd')
    async with running(
        engine, ["-I", "0", "a b"], {"D_PORT": "31416", "PMEMOBJ_CONF": "sds.at_create=0"}, output
    ) as it:
        assert await it.ended() == f"{engine} exited: process exited with 0"
    arguments, *environment, folder = [line for _, line in lines]
    assert (arguments, folder) == ("-I 0 a b", "/")
    assert sorted(environment) == ["D_PORT=31416", "PMEMOBJ_CONF=sds.at_create=0"]


async def test_both_streams_come_line_by_line_and_whole(tmp_path, lines, output):
    engine = script(tmp_path, "printf 'one\\ntwo\\nrest'; printf 'bad \\377 byte\\n' >&2")
    async with running(engine, [], {}, output) as it:
        await it.ended()
    assert [line for stream, line in lines if stream == "out"] == ["one", "two", "rest"]
    assert [line for stream, line in lines if stream == "err"] == ["bad \\xff byte"]


async def test_an_endless_line_comes_in_pieces(tmp_path, lines, output):
    engine = script(tmp_path, "head -c 300000 /dev/zero | tr '\\0' x")
    async with running(engine, [], {}, output) as it:
        await it.ended()
    assert len(lines) > 1
    assert sum(len(line) for _, line in lines) == 300000


async def test_leaving_the_scope_ends_it(tmp_path, output):
    engine = script(tmp_path, "exec sleep 1000")
    async with running(engine, [], {"PATH": os.environ["PATH"]}, output) as it:
        pid = it.pid
    assert not alive(pid)


async def test_one_that_ignores_requests_is_killed(tmp_path, lines, output):
    engine = script(tmp_path, "trap '' TERM INT; echo deaf; while :; do sleep 0.1; done")
    async with running(engine, [], {"PATH": os.environ["PATH"]}, output) as it:
        await lines.wait_for("out", "deaf")
        await it.stop(signal.SIGINT, grace_s=0.05)
        assert await it.ended() == f"{engine} exited: signal: killed"


async def test_who_signals_one_that_has_just_ended_does_not_change_how_it_ended(tmp_path, output):
    engine = script(tmp_path, "exec sleep 1000")
    async with running(engine, [], {"PATH": os.environ["PATH"]}, output) as it:
        os.kill(it.pid, signal.SIGKILL)
        while alive(it.pid):
            pass  # not a turn of the loop, which would be told of the end
        it.send(signal.SIGTERM)
        assert await it.ended() == f"{engine} exited: signal: killed"


async def test_a_cancelled_stop_kills_at_once(tmp_path, lines, output):
    engine = script(tmp_path, "trap '' TERM; echo deaf; while :; do sleep 0.1; done")
    async with running(engine, [], {"PATH": os.environ["PATH"]}, output) as it:
        await lines.wait_for("out", "deaf")
        async with asyncio.TaskGroup() as group:
            stopping = group.create_task(it.stop(grace_s=1000))
            await asyncio.sleep(0)
            stopping.cancel()
        assert not alive(it.pid)


async def test_a_grandchild_that_holds_the_pipe_does_not_hold_us(tmp_path, output):
    engine = script(tmp_path, f"sleep 30 & echo $! > {tmp_path}/pid; exit 3")
    async with asyncio.timeout(10):
        async with running(engine, [], {"PATH": os.environ["PATH"]}, output) as it:
            assert await it.ended() == f"{engine} exited: exit status 3"
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


async def test_a_missing_program_is_told_by_the_shell(tmp_path, lines, output):
    async with running(tmp_path / "absent", [], {}, output) as it:
        assert (await it.ended()).endswith("exit status 127")
    assert any("absent" in line for _, line in lines)


def test_the_binary_is_looked_for_in_path_then_beside(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    beside = script(tmp_path / "b", "")
    assert find_binary("daos_engine", str(tmp_path / "a"), tmp_path / "b") == beside
    first = script(tmp_path / "a", "")
    assert find_binary("daos_engine", str(tmp_path / "a"), tmp_path / "b") == first
    with pytest.raises(EngineStartError, match="put the folder that holds it into the PATH"):
        find_binary("daos_engine2", str(tmp_path / "a"), tmp_path / "b")


def test_ends_are_told_as_daos_tells_them():
    assert [exit_text(code) for code in (0, 1, -9, -15, -11)] == [
        "process exited with 0",
        "exit status 1",
        "signal: killed",
        "signal: terminated",
        "signal: segmentation fault",
    ]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # before it is opened, and before it is read
        return False
