"""Faults on request, so that tests and people can see how a system takes them.

Commands come from ``DAOS_EMULATOR_SCRIPT`` (separated by ``;``) before anything else happens, and at any time through
a Unix stream socket, ``<socket dir>/emulator_<instance>.sock``: one command a line, one answer a line, ``ok`` or
``error: ...``. With netcat: ``echo "fail POOL_CREATE NOSPACE" | nc -U /var/run/daos_server/emulator_0.sock``.

``METHOD`` is a dRPC method's name, e.g. ``POOL_CREATE``, or ``REBUILD``: the middle of a rebuild that this engine
leads. ``STATUS`` is a DER code's name or number; ``TIMES`` how many calls are affected, 1 unless given.

=================================  =================================================================================
``fail METHOD STATUS [TIMES]``     answer with this status instead of doing anything
``delay METHOD SECONDS [TIMES]``   wait before doing it
``die METHOD [TIMES]``             be killed when the call arrives, as by a crash
``event NUMBER [TEXT]``            raise this RAS event
``container POOL [LABEL]``         pretend a client made a container; POOL is a UUID
``store POOL OBJECTS``             pretend clients stored so many objects of 1 MiB
``connect POOL [MACHINE]``         pretend a client opened the pool
``pretend CLASS POOL [STATUS]``    pretend, to the checker, that a pool is inconsistent until that is repaired; CLASS as
                                   ``dmg check`` names it; with STATUS every repair fails with that
``lose POOL``                      lose what this engine has of a pool
``clear``                          forget what was ordered and has not happened yet
=================================  =================================================================================
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from daos_control.apps.emulator.chores import chores
from daos_control.apps.emulator.inconsistency import KINDS
from daos_control.base.der import Der
from daos_control.base.errors import DaosError
from daos_control.net.drpc.methods import BY_ID, Module
from daos_control.wire.pb.chk import chk_pb2

Number = TypeVar("Number", int, float)
REBUILD = "REBUILD"
METHODS = frozenset({REBUILD, *(method.name for method in BY_ID.values() if method.module is Module.MGMT)})


class ScriptError(Exception):
    """A command makes no sense; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is to happen to calls of a method."""

    method: str
    status: int = 0
    delay_s: float = 0.0
    die: bool = False


class Script:
    """The faults ordered so far; ``die`` ends the engine."""

    def __init__(self, die: Callable[[], None]) -> None:
        self._die = die
        self._pending: list[Fault] = []

    def order(self, fault: Fault, times: int) -> None:
        """Have something happen to the next calls of a method."""
        self._pending += [fault] * times

    def clear(self) -> None:
        """Forget all orders."""
        self._pending.clear()

    async def before(self, method: str) -> None:
        """Let happen what was ordered for one call; raises DaosError for one that is to fail."""
        for fault in self._pending:
            if fault.method == method:
                self._pending.remove(fault)
                if fault.die:
                    self._die()
                await asyncio.sleep(fault.delay_s)
                if fault.status:
                    raise DaosError(fault.status)
                return


Action = Callable[..., Awaitable[None]]


class Commands:
    """Understands command lines; what they act on beside the script is given as functions."""

    def __init__(self, script: Script, **actions: Action) -> None:
        self._script = script
        self._actions = actions

    async def run(self, line: str) -> None:
        """Carry out one command; raises ScriptError, or DaosError if what it asked for failed."""
        verb, *words = line.split()
        match verb, words:
            case "clear", []:
                self._script.clear()
            case "fail", [method, status, *times]:
                self._script.order(Fault(method=_method(method), status=_status(status)), _times(times))
            case "delay", [method, seconds, *times]:
                self._script.order(Fault(method=_method(method), delay_s=_number(seconds, float)), _times(times))
            case "die", [method, *times]:
                self._script.order(Fault(method=_method(method), die=True), _times(times))
            case "event", [number, *text]:
                await self._actions["event"](_number(number, int), " ".join(text))
            case "pretend", [kind, pool, *status] if len(status) <= 1:
                await self._actions["pretend"](_kind(kind), pool, *map(_status, status))
            case "store", [pool, objects]:
                await self._actions["store"](pool, _number(objects, int))
            case "lose", [pool]:
                await self._actions["lose"](pool)
            case (("container" | "connect"), [pool, *name]) if len(name) <= 1:
                await self._actions[verb](pool, *name)
            case _:
                raise ScriptError(f"cannot understand {line!r}")


@contextlib.asynccontextmanager
async def listen(path: Path, commands: Commands) -> AsyncIterator[None]:
    """Take commands at a socket while inside."""
    _remove(path)
    async with chores() as visitors:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            visitors.start("script visitor", _serve(reader, writer, commands))

        server = await asyncio.start_unix_server(accept, path)
        _keep_private(path)
        try:
            yield
        finally:
            server.close()
            _remove(path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _keep_private(path: Path) -> None:
    path.chmod(0o600)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, commands: Commands) -> None:
    with contextlib.closing(writer), contextlib.suppress(OSError):
        while line := (await reader.readline()).decode(errors="replace").strip():
            try:
                await commands.run(line)
            except (ScriptError, DaosError) as error:
                answer = f"error: {error}"
            else:
                answer = "ok"
            writer.write(f"{answer}\n".encode())
            await writer.drain()


def _method(name: str) -> str:
    if name not in METHODS:
        raise ScriptError(f"there is no dRPC method {name}")
    return name


def _kind(name: str) -> int:
    known = {word.removeprefix("CIC_"): number for word, number in chk_pb2.CheckInconsistClass.items()}
    if known.get(name) not in KINDS:
        names = ", ".join(sorted(word for word, number in known.items() if number in KINDS))
        raise ScriptError(f"the checker finds nothing of class {name}, but of: {names}")
    return known[name]


def _status(text: str) -> int:
    if text in Der.__members__:
        return int(Der[text])
    status = _number(text, int)
    if status >= 0:
        raise ScriptError(f"{text} is not an error status")
    return status


def _times(words: list[str]) -> int:
    match words:
        case []:
            return 1
        case [times]:
            return _number(times, int)
        case _:
            raise ScriptError(f"what does {' '.join(words)!r} mean?")


def _number(text: str, kind: type[Number]) -> Number:
    try:
        return kind(text)
    except ValueError:
        raise ScriptError(f"{text!r} is not a number") from None
