"""A leader that costs little to kill and to start: a whole daos_server with its engines in one process.

A process that has imported everything waits for orders and forks a server for each, so that a start takes no
longer than what a server does then. It is a daos_server in every other respect: its store, its sockets, its control
port. Its engines are tasks in it, which die with it as engines do with theirs; they reach other engines over TCP.

::

    with leaders() as start:
        leader = start(config, output)
        leader.kill()
"""

import asyncio
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import SystemRandom

from daos_control.apps.emulator import fabric
from daos_control.apps.emulator.settings import Swim
from daos_control.apps.server.main import open_server
from daos_control.apps.server.preparation import Options, prepare
from daos_control.base import aio, logs
from daos_control.config.server import ServerConfig
from daos_control.host import lock
from daos_control.host.storage.plan import Means
from daos_control.host.storage.scm import OwnHands
from daos_control.testing.simulation.commons import Commons, SharedFabric
from daos_control.testing.simulation.engines import Engines

SWIM = Swim(ping_s=5.0, suspect_s=6.0)
FABRIC_ADDRESS = "127.0.0.1"
"""What ``lo`` has: engines of other processes need other addresses."""
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Leader:
    """A server that was started."""

    pid: int
    output_file: Path

    @property
    def output(self) -> str:
        """What it has printed."""
        return self.output_file.read_text()

    @property
    def runs(self) -> bool:
        """Whether it lives."""
        return Path(f"/proc/{self.pid}").exists()

    def kill(self) -> None:
        """End it as ``kill -9`` does, and see it gone."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        while self.runs:
            time.sleep(0.001)


@contextmanager
def leaders() -> Iterator[Callable[[Path, Path, str], Leader]]:
    """Give a function that starts a server: by its configuration, where to print, and its control address.

    No server outlives the block.
    """
    forker = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert forker.stdin is not None  # noqa: S101 - they were asked for
    assert forker.stdout is not None  # noqa: S101
    orders, answers = forker.stdin, forker.stdout

    def start(config: Path, output: Path, address: str) -> Leader:
        orders.write(json.dumps([str(config), str(output), address]).encode() + b"\n")
        orders.flush()
        return Leader(int(answers.readline()), output)

    try:
        with orders, answers:
            yield start
    finally:
        forker.wait()


def main() -> None:
    """Fork a server for each order, until there are no more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody needs to hear of their ends
    children = []
    while order := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            _be_leader(*json.loads(order))
        children.append(pid)
        print(pid, flush=True)  # noqa: T201 - the answer
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _be_leader(config: str, output: str, address: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with Path(output).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ["PATH"] = f"{Path(config).parent / 'bin'}:{os.environ['PATH']}"  # where a ``StorageHost`` has its engine
    logs.configure(program="daos_server")
    try:
        asyncio.run(_lead(ServerConfig.load(Path(config)), Options(auto_format=True, control_address=address)))
    except BaseException:  # noqa: BLE001 - printed, and the end of this process
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)  # not to go on as the one that forked it


async def _lead(config: ServerConfig, options: Options) -> None:
    with lock.holding(Path(config.socket_dir)):
        prepared = await prepare(config, options)
        commons = Commons(SharedFabric(_is_here), _is_here, SWIM, SystemRandom())
        launch = partial(Engines(commons).launch, prepared.hostname)
        async with AsyncExitStack() as stack, aio.background() as tasks:
            for engine in prepared.engines:
                port = engine.fabric.port
                services_at = partial(_services_at, commons.fabric, port)
                await stack.enter_async_context(fabric.listen(FABRIC_ADDRESS, port, services_at))
            tasks.start("failure detector", commons.watch())
            prepared = replace(prepared, maker=OwnHands(Means.DIRECTORY), launch=launch)
            await stack.enter_async_context(open_server(prepared, options))
            await asyncio.Event().wait()


def _is_here(host: str) -> bool:
    return host == FABRIC_ADDRESS


def _services_at(shared: SharedFabric, port: int, host: str) -> fabric.Services:
    return shared.services_at(host, port)


if __name__ == "__main__":
    main()
