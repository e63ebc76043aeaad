"""The process: from a command line to an engine that serves until a signal ends it.

Order as in the genuine engine: options, storage, fabric, devices, then what ``life`` does; once the engine is set up it
is announced on standard output.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from daos_control.apps.emulator import argv, devices, fabric, life, script, settings, storage
from daos_control.apps.emulator.chores import chores
from daos_control.apps.emulator.engine import Engine
from daos_control.apps.emulator.world import World
from daos_control.base import aio, logs
from daos_control.base.errors import DaosControlError
from daos_control.base.version import DAOS_VERSION
from daos_control.net.drpc.errors import DrpcError

log = logs.get(__name__)

STOPPING = {signal.SIGINT: 0, signal.SIGTERM: 0, signal.SIGBUS: 1}
"""Signals that end the engine, with the exit status each leads to."""
DUMPING = {signal.SIGUSR1: "unattended", signal.SIGUSR2: "attended"}
FAULTS = {signal.SIGILL, signal.SIGFPE, signal.SIGSEGV, signal.SIGTRAP, signal.SIGABRT}
STARTUP_ERRORS = (
    settings.SettingsError,
    storage.StorageError,
    script.ScriptError,
    DaosControlError,
    DrpcError,
    OSError,
    ValueError,
)


def main(arguments: Sequence[str], environ: Mapping[str, str], program: str = "daos_engine") -> int:
    """Run an engine; return the exit status."""
    try:
        parsed = argv.parse(arguments)
    except argv.HelpRequested:
        print(argv.USAGE.format(program=program))  # noqa: T201
        return 0
    except argv.UsageError as error:
        print(f"{program}: {error}\n{argv.USAGE.format(program=program)}", file=sys.stderr)  # noqa: T201
        return 1
    os.umask(0o002)
    _block_signals()
    try:
        wanted = settings.read(environ)
        file = wanted.log_file
        logs.configure(program="daos_engine", level=wanted.log_level, file=file, console=file is None)
        return asyncio.run(_run(parsed, wanted))
    except STARTUP_ERRORS as error:
        print(f"{program}: {error}", file=sys.stderr)  # noqa: T201
        return 1


def _block_signals() -> None:
    """Leave only what the engine acts on; everything else must not end it."""
    handled = {*STOPPING, *DUMPING, *FAULTS}
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - handled)


async def _run(arguments: argv.EngineArguments, wanted: settings.Settings) -> int:
    serving = asyncio.current_task()
    stopped_by: list[signal.Signals] = []

    async def obey() -> None:
        while True:
            number = await received.get()
            if number in DUMPING:
                _dump(DUMPING[number])
            elif serving is not None and not stopped_by:
                log.info("stopping", signal=number.name)
                stopped_by.append(number)
                serving.cancel()

    with aio.signals(*STOPPING, *DUMPING) as received:
        async with aio.background() as tasks:
            tasks.start("signals", obey())
            try:
                await _serve(arguments, wanted)
            except asyncio.CancelledError:
                if serving is None or not stopped_by:
                    raise
                serving.uncancel()
    return STOPPING[stopped_by[0]]


async def _serve(arguments: argv.EngineArguments, wanted: settings.Settings) -> None:
    """Serve until cancelled; raises one of STARTUP_ERRORS if that cannot begin."""
    store = storage.Store(arguments.storage, scm_bytes=wanted.scm_bytes)
    store.load()
    async with contextlib.AsyncExitStack() as stack:
        owned = await stack.enter_async_context(chores())
        network = fabric.Network()
        stack.callback(network.close)
        engine = Engine(arguments, wanted, store, _devices(arguments, store), owned, world=World(fabric=network))
        listening = fabric.listen(wanted.address, wanted.port, lambda _: engine.fabric_services)
        port = await stack.enter_async_context(listening)
        engine.neighbours.uri = f"{wanted.provider}://{wanted.address}:{port}"
        commands = script.Commands(
            engine.script,
            event=engine.raise_event,
            container=engine.add_container,
            connect=engine.add_handle,
            pretend=engine.pretend,
            lose=engine.lose,
            store=engine.add_objects,
        )
        for line in filter(str.strip, wanted.script.split(";")):
            await commands.run(line)
        control = arguments.socket_dir / f"emulator_{arguments.instance}.sock"
        await stack.enter_async_context(script.listen(control, commands))
        path = arguments.socket_dir / f"daos_engine_{engine.world.pid}.sock"
        await life.live(engine, path, lambda: _announce(engine))


def _devices(arguments: argv.EngineArguments, store: storage.Store) -> devices.Devices:
    if arguments.nvme_config is None:
        return devices.Devices(())
    known = store.kept("devices", devices.DevicesFile) or devices.DevicesFile()
    config = storage.read_json(arguments.nvme_config)
    found = devices.discover(config, known.devices, arguments.targets, size_of=lambda name: Path(name).stat().st_size)
    store.keep("devices", devices.DevicesFile(devices=found))
    return devices.Devices(found)


def _announce(engine: Engine) -> None:
    arguments = engine.arguments
    print(  # noqa: T201  tools wait for this line
        f"DAOS I/O Engine (v{DAOS_VERSION}) process {os.getpid()} started on rank {engine.rank} "
        f"with {arguments.targets} target, {arguments.helpers} helper XS, firstcore {arguments.first_core}, "
        f"host {socket.gethostname()}.",
        flush=True,
    )


def _dump(mode: str) -> None:
    """Write what every task is doing to a file in /tmp."""
    moment = time.localtime()
    path = Path(f"/tmp/daos_dump_{os.getpid()}_{time.strftime('%Y%m%d_%H_%M_%S', moment)}.txt")  # noqa: S108
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"=== Dump of tasks in {mode} mode ({time.strftime('%Y/%m/%d-%H:%M:%S', moment)})\n")
            for task in asyncio.all_tasks():
                file.write(f"--- {task.get_name()}\n")
                task.print_stack(file=file)
    except OSError as error:
        log.error("cannot write a dump", file=path, reason=error)
    else:
        log.info("dumped tasks", file=path)
