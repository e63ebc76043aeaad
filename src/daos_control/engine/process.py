"""An engine process that lives in a scope: leaving the scope ends it, and so does the death of the server.

The engine is started through two small programs that replace each other and then become the engine, all under one
pid: ``setpriv`` asks the kernel to kill the process when its parent dies, and a shell line makes sure that the parent
was still alive when that was asked. Without it, a server killed in between would leave an orphan.

Two rules of the kernel matter here. The death signal is tied to the *thread* that started the process, so engines are
started on the main thread, which lives as long as the server does. And it is lost when a set-user-id program is
executed: an engine must not be one.
"""

import asyncio
import os
import shutil
import signal
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from daos_control.base.errors import DaosControlError

STOP_GRACE_S = 10.0
"""How long an engine may take to shut down by itself before it is killed."""

_DRAIN_S = 1.0
_LONGEST_LINE = 1 << 16

# $0 is the server's pid. PWD and the like are the shell's own exports, which the engine must not see.
_STILL_MY_CHILD = '[ "$PPID" = "$0" ] || exit 1; unset PWD OLDPWD SHLVL; exec "$@"'


class EngineStartError(DaosControlError):
    """The engine's process could not be started; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where an engine's lines go."""

    out: Callable[[str], None]
    err: Callable[[str], None]


class Running(Protocol):
    """A running engine, as its supervisor sees it."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    @property
    def exit_code(self) -> int | None:
        """What it exited with; None while it runs or if a signal ended it."""
        ...

    @property
    def exit_signal(self) -> int | None:
        """The signal that ended it, if one did."""
        ...

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it is gone."""
        ...

    async def ended(self) -> str:
        """Wait for the end and say how it came."""
        ...

    async def stop(self, number: signal.Signals, *, grace_s: float) -> None:
        """Ask it to end, kill it if it has not after ``grace_s``, and return once it is gone."""
        ...


Launch: TypeAlias = Callable[[Path, Sequence[str], Mapping[str, str], Output], AbstractAsyncContextManager[Running]]
"""Starts an engine for the length of a block, from its binary, arguments, environment, and where its output goes."""


class EngineProcess:
    """A running engine that is a process. Made by ``running``."""

    def __init__(self, transport: asyncio.SubprocessTransport, conversation: "_Conversation", binary: Path) -> None:
        self._transport = transport
        self._conversation = conversation
        self._binary = binary
        self.pid: int = transport.get_pid()

    @property
    def exit_code(self) -> int | None:
        """What it exited with; None while it runs or if a signal ended it."""
        code = self._transport.get_returncode()
        return None if code is None or code < 0 else code

    @property
    def exit_signal(self) -> int | None:
        """The signal that ended it, if one did."""
        code = self._transport.get_returncode()
        return -code if code is not None and code < 0 else None

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the process is gone.

        Not the transport's way, which looks first whether the process lives, and if it does not takes the news of how
        it ended from whoever waits for them.
        """
        if self._transport.get_returncode() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self) -> str:
        """Wait for the end and say how it came, in the words DAOS uses: ``<path> exited: signal: killed``."""
        await self._conversation.exited.wait()
        return f"{self._binary} exited: {exit_text(self._transport.get_returncode() or 0)}"

    async def stop(self, number: signal.Signals = signal.SIGTERM, *, grace_s: float = STOP_GRACE_S) -> None:
        """Ask it to end, and kill it if it has not after ``grace_s``; returns once it is gone.

        Cancelled while it waits, it kills the engine at once.
        """
        try:
            if number is not signal.SIGKILL:
                self.send(number)
                with suppress(TimeoutError):
                    async with asyncio.timeout(grace_s):
                        await self._conversation.exited.wait()
        finally:
            self.send(signal.SIGKILL)
            await self._conversation.exited.wait()

    async def close(self) -> None:
        """Take what it said last, and let go of its pipes; a grandchild may hold them open for as long as it likes."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                await self._conversation.drained.wait()
        self._transport.close()
        await self._conversation.drained.wait()


@asynccontextmanager
async def running(
    binary: Path, arguments: Sequence[str], environment: Mapping[str, str], output: Output
) -> AsyncIterator[EngineProcess]:
    """Start an engine for the length of a block; its output goes line by line to ``output``.

    Raises EngineStartError if it cannot be started.
    """
    conversation = _Conversation(output)
    engine = EngineProcess(await _start(binary, arguments, environment, conversation), conversation, binary)
    try:
        yield engine
    finally:
        try:
            await engine.stop()
        finally:
            await engine.close()


def find_binary(name: str, search_path: str, beside: Path) -> Path:
    """Return the program called ``name``: from ``search_path``, else from the folder ``beside``.

    Raises EngineStartError naming the places where it was looked for.
    """
    found = shutil.which(name, path=search_path) or shutil.which(name, path=str(beside))
    if found is None:
        raise EngineStartError(
            f"{name} not found in PATH ({search_path}) nor in {beside}: install the DAOS engine, or put the folder "
            "that holds it into the PATH of daos_server"
        )
    return Path(found).absolute()


def exit_text(returncode: int) -> str:
    """Say how a process ended.

    >>> exit_text(0), exit_text(3), exit_text(-9), exit_text(-6)
    ('process exited with 0', 'exit status 3', 'signal: killed', 'signal: aborted')
    """
    if returncode == 0:
        return "process exited with 0"
    if returncode > 0:
        return f"exit status {returncode}"
    return f"signal: {(signal.strsignal(-returncode) or str(-returncode)).lower()}"


class _Conversation(asyncio.SubprocessProtocol):
    """What the event loop tells of the process.

    The standard library's own process object takes a process for running as long as anybody holds its pipes.
    """

    def __init__(self, output: Output) -> None:
        self.exited = asyncio.Event()
        self.drained = asyncio.Event()
        """The process has ended and its pipes are closed."""
        self._lines = {1: _Lines(output.out), 2: _Lines(output.err)}

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._lines[fd].feed(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd in self._lines:
            self._lines[fd].end()

    def process_exited(self) -> None:
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.drained.set()


class _Lines:
    """Cuts a stream into lines; one of more than 64 KiB comes in pieces instead of filling memory."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._write(_text(line))
        if len(self._rest) > _LONGEST_LINE:
            self.end()

    def end(self) -> None:
        if self._rest:
            self._write(_text(self._rest))
            self._rest = b""


async def _start(
    binary: Path, arguments: Sequence[str], environment: Mapping[str, str], conversation: _Conversation
) -> asyncio.SubprocessTransport:
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("engines are started on the main thread: their death signal is tied to it")
    setpriv, shell = shutil.which("setpriv"), shutil.which("sh")
    if setpriv is None or shell is None:
        raise EngineStartError("setpriv (package util-linux) and sh are needed in PATH to start an engine")
    guarded = [setpriv, "--pdeathsig", "KILL", "--", shell, "-c", _STILL_MY_CHILD, str(os.getpid()), str(binary)]
    try:
        transport, _ = await asyncio.get_running_loop().subprocess_exec(
            lambda: conversation,
            *guarded,
            *arguments,
            env=dict(environment),
            cwd="/",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            process_group=0,  # a Ctrl-C meant for the server reaches engines through the server, in order
        )
    except OSError as error:
        raise EngineStartError(f"cannot start {binary}: {error.strerror or error}") from error
    return transport


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", errors="backslashreplace")
