"""How far stopping ranks has come is shown to somebody at a terminal; in virtual time."""

import asyncio
import io
from typing import Any

from google.protobuf.message import Message

from daos_control.cli.dmg.session import Session
from daos_control.cli.dmg.system.headway import DOWN, shown
from daos_control.cli.ui.progress import Display
from daos_control.client.daos import DaosClient
from daos_control.net.rpc.methods import MGMT
from daos_control.testing.virtual_time import in_virtual_time
from daos_control.wire.pb.mgmt.system_pb2 import SystemMember, SystemQueryResp, SystemStopResp

RANKS = 4
EACH_S = 2.0


class System:
    """A system whose ranks stop one after the other."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.began: float | None = None

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None: ...

    async def call(self, address: str, method: Any, request: Message, *, timeout_s: float | None = None) -> Message:
        loop = asyncio.get_running_loop()
        self.asked.append(method.name)
        if method is MGMT["SystemStop"]:
            self.began = loop.time()
            await asyncio.sleep(RANKS * EACH_S)
            return SystemStopResp()
        assert self.began is not None
        down = int((loop.time() - self.began) / EACH_S)
        states = ["stopped"] * down + ["joined"] * (RANKS - down)
        return SystemQueryResp(members=[SystemMember(rank=n, state=state) for n, state in enumerate(states)])

    async def aclose(self) -> None: ...


def stop(*, live: bool) -> tuple[System, list[str]]:
    """Stop a system; return it, and what was shown, as (done, total, unit, what is missing) from second to second."""
    system, seen = System(), []

    async def play() -> None:
        daos = DaosClient(system, ["a"])
        display = Display(daos.waiting, io.StringIO(), live=live)

        async def watch() -> None:
            while True:
                await asyncio.sleep(1.5)
                waits = daos.waiting.waits
                seen.extend(f"{wait.done} of {wait.total} {wait.unit}, {wait.missing}" for wait in waits)

        async with asyncio.TaskGroup() as group:
            task = group.create_task(watch())
            async with shown(Session(daos, json=False, display=display), {}, DOWN):
                await daos.system.stop()
            task.cancel()

    in_virtual_time(play())
    return system, seen


def test_a_terminal_is_told_which_ranks_are_missing() -> None:
    _, seen = stop(live=True)
    assert seen[0] == "0 of 4 ranks, ranks 0-3"
    assert seen[-1] == "3 of 4 ranks, rank 3"


def test_elsewhere_nobody_asks() -> None:
    system, _ = stop(live=False)
    assert set(system.asked) == {"SystemStop", "LeaderQuery"}, "whether the leader lives is asked, and nothing else"
