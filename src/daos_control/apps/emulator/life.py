"""An engine's life between a started process and its end, wherever it runs.

Order as in the genuine engine: the dRPC socket, then NotifyReady; rank and set-up come from the server; only then does
the engine count as started.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from daos_control.apps.emulator.engine import Engine
from daos_control.apps.emulator.handlers import access, bind, checker, devices, pools, system
from daos_control.base import aio
from daos_control.net.drpc import server
from daos_control.net.drpc.frames import Rules
from daos_control.wire.pb.srv import srv_pb2

GRACE_S = 1.0


async def live(engine: Engine, path: Path, announce: Callable[[], None]) -> None:
    """Serve daos_server at a socket until cancelled; ``announce`` is called once the engine is set up.

    The socket's file stays behind, as a genuine engine's does: DAOS's own daos_server forgets that an engine was set
    up when it removes the file, and not if there is none.

    Raises DrpcError if daos_server does not want to know it.
    """
    async with contextlib.AsyncExitStack() as stack:
        listening = server.serve(
            str(path), _handlers(engine), mode=0o600, rules=Rules.C, grace_s=GRACE_S, keep_file=True
        )
        await stack.enter_async_context(listening)
        tasks = await stack.enter_async_context(aio.background())
        tasks.start("failure detector", engine.neighbours.watch())
        tasks.start("pool services", engine.tend_pools())
        await engine.upcalls.notify_ready(_ready(engine, path))
        await engine.set_up.wait()
        await engine.report_damage()
        announce()
        await asyncio.Event().wait()


def _handlers(engine: Engine) -> server.Handlers:
    groups = (system.HANDLERS, pools.HANDLERS, access.HANDLERS, devices.HANDLERS)
    table = {method: handler for group in groups for method, handler in bind(engine, group).items()}
    return table | checker.bind_all(engine)


def _ready(engine: Engine, path: Path) -> srv_pb2.NotifyReadyReq:
    return srv_pb2.NotifyReadyReq(
        uri=engine.neighbours.uri,
        nctxs=engine.arguments.contexts,
        drpcListenerSock=str(path),
        instanceIdx=engine.arguments.instance,
        ntgts=engine.arguments.targets,
        incarnation=engine.incarnation,
        check_mode=engine.arguments.check_mode,
    )
