"""Emulated engines that are tasks of this process instead of processes: ``engine.process.Launch``."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from daos_control.apps.emulator import argv, life, settings, storage
from daos_control.apps.emulator.chores import chores
from daos_control.apps.emulator.devices import Devices
from daos_control.apps.emulator.engine import Engine
from daos_control.apps.emulator.world import World
from daos_control.base import logs
from daos_control.base.errors import DaosControlError
from daos_control.engine.process import Output, exit_text
from daos_control.net.drpc.errors import DrpcError
from daos_control.testing.simulation.commons import Commons, Resident

log = logs.get(__name__)

STARTING = 64
"""Engines that are on their way up at the same time. More would not be up sooner, but nobody else would be heard."""
ENDED_CLEANLY = frozenset({signal.SIGINT, signal.SIGTERM})
_STARTUP_ERRORS = (settings.SettingsError, storage.StorageError, DaosControlError, DrpcError, OSError, ValueError)


class TaskProcess:
    """A running engine: ``engine.process.Running``."""

    def __init__(self, pid: int, binary: Path) -> None:
        self.pid = pid
        self.exit_code: int | None = None
        self.exit_signal: int | None = None
        self._binary = binary
        self._task: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()

    def begin(self, task: "asyncio.Task[None]") -> None:
        """Take the task that plays it."""
        self._task = task
        task.add_done_callback(self._over)

    @property
    def was_ended(self) -> bool:
        """Whether somebody has ended it."""
        return self.exit_code is not None or self.exit_signal is not None

    def send(self, number: signal.Signals) -> None:
        """Send a signal; the engine's task ends by it."""
        if self._task is None or self._task.done() or self.was_ended:
            return
        if number in ENDED_CLEANLY:
            self.exit_code = 0
        else:
            self.exit_signal = number
        self._task.cancel()

    async def ended(self) -> str:
        """Wait for the end and say how it came."""
        await self._gone.wait()
        code = -self.exit_signal if self.exit_signal else self.exit_code or 0
        return f"{self._binary} exited: {exit_text(code)}"

    async def stop(self, number: signal.Signals = signal.SIGTERM, *, grace_s: float = 0.0) -> None:
        """End it; it needs no grace."""
        del grace_s
        self.send(number)
        await self._gone.wait()

    def _over(self, _: "asyncio.Task[None]") -> None:
        self._gone.set()


class Engines:
    """Launches engines that share one ``Commons``."""

    def __init__(self, commons: Commons) -> None:
        self._commons = commons
        self._starting = asyncio.Semaphore(STARTING)
        self._pids = count(1)
        self._running: dict[int, tuple[Resident, TaskProcess]] = {}

    def with_ranks(self) -> dict[int, TaskProcess]:
        """Return the running engines that have joined, by rank."""
        ranked = ((resident.rank, process) for resident, process in self._running.values())
        return {rank: process for rank, process in ranked if rank is not None}

    @asynccontextmanager
    async def launch(
        self, hostname: str, binary: Path, arguments: Sequence[str], environment: Mapping[str, str], output: Output
    ) -> AsyncIterator[TaskProcess]:
        """Run an engine for the length of a block."""
        process = TaskProcess(next(self._pids), binary)
        async with asyncio.TaskGroup() as group:
            work = self._run(process, hostname, arguments, environment, output)
            process.begin(group.create_task(work, name=f"engine {process.pid}"))
            try:
                yield process
            finally:
                process.send(signal.SIGKILL)

    async def _run(
        self,
        process: TaskProcess,
        hostname: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        output: Output,
    ) -> None:
        """Live until ended; what else ends it is said and becomes its exit code, as that of a process."""
        try:
            await self._live(process, hostname, argv.parse(arguments), settings.read(environment))
        except asyncio.CancelledError:
            if not process.was_ended:
                raise
        except _STARTUP_ERRORS as error:
            output.err(f"daos_engine: {error}")
            process.exit_code = 1
        except Exception as bug:  # noqa: BLE001  a process would end by it, and with it its engine alone
            log.error("a simulated engine failed", exception=bug, host=hostname)
            process.exit_code = 1

    async def _live(
        self, process: TaskProcess, hostname: str, arguments: argv.EngineArguments, wanted: settings.Settings
    ) -> None:
        async with self._turn() as is_up:
            await self._live_on(process, hostname, arguments, wanted, is_up)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Callable[[], None]]:
        """Wait for a turn to start; it ends when what is given is called, or with the block."""
        await self._starting.acquire()
        with ExitStack() as turn:
            turn.callback(self._starting.release)
            yield turn.close

    async def _live_on(
        self,
        process: TaskProcess,
        hostname: str,
        arguments: argv.EngineArguments,
        wanted: settings.Settings,
        is_up: Callable[[], None],
    ) -> None:
        store = storage.Store(arguments.storage, scm_bytes=wanted.scm_bytes)
        store.load()
        residents: list[Resident] = []
        world = World(
            pid=process.pid,
            hostname=hostname,
            die=partial(process.send, signal.SIGKILL),
            fabric=self._commons.fabric,
            neighbourhood=self._commons.founder(residents.append),
        )
        async with AsyncExitStack() as stack:
            owned = await stack.enter_async_context(chores())
            engine = Engine(arguments, wanted, store, Devices(()), owned, world=world)
            [resident] = residents
            resident.uri = f"{wanted.provider}://{wanted.address}:{wanted.port}"
            stack.enter_context(self._commons.residing(resident, engine.fabric_services))
            stack.enter_context(self._counted(resident, process))
            await life.live(engine, arguments.socket_dir / f"daos_engine_{process.pid}.sock", is_up)

    @contextmanager
    def _counted(self, resident: Resident, process: TaskProcess) -> Iterator[None]:
        self._running[process.pid] = (resident, process)
        try:
            yield
        finally:
            del self._running[process.pid]
