"""Emulated engines as processes, and the daos_server's end of their sockets: for tests that want to see both sides.

::

    async with engine_host(folder) as host:
        engine = await host.start(0)
        await host.join(engine)
        await host.spread_map()
        reply = await engine.call(Mgmt.POOL_QUERY, request)
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf.message import Message

from daos_control.net.drpc import client, server
from daos_control.net.drpc.methods import Method, Mgmt, Srv
from daos_control.wire.pb.mgmt import svc_pb2, system_pb2
from daos_control.wire.pb.shared import check_engine_pb2, event_pb2
from daos_control.wire.pb.srv import srv_pb2

RequestT = TypeVar("RequestT", bound=Message | None)
ReplyT = TypeVar("ReplyT", bound=Message | None)
PATIENCE_S = 20.0
ENVIRONMENT = {
    "D_PROVIDER": "ofi+tcp",
    "D_INTERFACE": "lo",
    "D_LOG_MASK": "INFO",
    "DAOS_MD_CAP": "128",
    "DAOS_EMULATOR_SCM_BYTES": str(4 << 30),
    "DAOS_EMULATOR_SWIM_PERIOD_MS": "200",
    "DAOS_EMULATOR_SWIM_PING_MS": "400",
    "DAOS_EMULATOR_SWIM_SUSPECT_MS": "600",
    "DAOS_EMULATOR_REBUILD_MS": "300",
    "DAOS_EMULATOR_CHECK_MS": "20",
}


@dataclass(kw_only=True)
class EngineProcess:
    """One engine that said it is ready."""

    index: int
    process: asyncio.subprocess.Process
    ready: srv_pb2.NotifyReadyReq
    rank: int | None = None

    async def call(self, method: Method[RequestT, ReplyT], request: RequestT) -> ReplyT:
        """Make a dRPC call."""
        return await client.call(self.ready.drpcListenerSock, method, request, timeout_s=PATIENCE_S)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; return the exit status."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """Wait for the end; return the exit status."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


@dataclass(kw_only=True)
class EngineHost:
    """A host's engines and the server's socket. Made by ``engine_host``."""

    folder: Path
    engines: dict[int, EngineProcess] = field(default_factory=dict)
    events: list[event_pb2.RASEvent] = field(default_factory=list)
    self_heal: str = "exclude;pool_exclude;pool_rebuild"
    known_pools: list[check_engine_pb2.CheckListPoolResp.OnePool] = field(default_factory=list)
    """What the management service would answer a checker."""
    reports: list[Any] = field(default_factory=list)
    registered: list[check_engine_pb2.CheckRegPoolReq] = field(default_factory=list)
    deregistered: list[str] = field(default_factory=list)
    map_version: int = 0
    _ready: dict[int, srv_pb2.NotifyReadyReq] = field(default_factory=dict)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    def storage(self, index: int) -> Path:
        """Where an engine keeps its pools."""
        return self.folder / f"daos{index}"

    def output(self, index: int) -> str:
        """What an engine wrote to standard output and error, in all its lives."""
        return (self.folder / f"engine{index}.out").read_text()

    async def start(
        self, index: int, *options: str, targets: int = 1, environ: Mapping[str, str] | None = None
    ) -> EngineProcess:
        """Start an engine and wait until it is ready; raises AssertionError if it ends instead."""
        self.storage(index).mkdir(exist_ok=True)
        self._ready.pop(index, None)
        process = await self.spawn(
            index, *f"-t {targets} -x 0 -f 0 -g daos_server -T 1 -I {index}".split(), *options, environ=environ
        )
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            ended = group.create_task(process.wait())
            ready = group.create_task(self._until_ready(index))
            await asyncio.wait({ended, ready}, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            ready.cancel()
        if index not in self._ready:
            raise AssertionError(f"engine {index} ended:\n{self.output(index)}")
        engine = EngineProcess(index=index, process=process, ready=self._ready[index])
        self.engines[index] = engine
        return engine

    async def _until_ready(self, index: int) -> None:
        async with self._news:
            await self._news.wait_for(lambda: index in self._ready)

    async def spawn(
        self, index: int, *options: str, environ: Mapping[str, str] | None = None
    ) -> asyncio.subprocess.Process:
        """Start an engine's program with these options and those that say where things are."""
        where = ["-d", str(self.folder), "-s", str(self.storage(index))]
        with (self.folder / f"engine{index}.out").open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "daos_control.cli.daos_engine_emulator"),
                *(*options, *where),
                env={**ENVIRONMENT, "D_LOG_FILE": str(self.folder / f"engine{index}.log"), **(environ or {})},
                stdout=output,
                stderr=output,
            )

    async def join(self, engine: EngineProcess, rank: int | None = None) -> None:
        """Give an engine its rank (its index, unless told otherwise) and set it up."""
        engine.rank = engine.index if rank is None else rank
        self.map_version += 1
        reply = await engine.call(Mgmt.SET_RANK, svc_pb2.SetRankReq(rank=engine.rank, map_version=self.map_version))
        _accepted(reply.status)
        reply = await engine.call(Mgmt.SET_UP, None)
        _accepted(reply.status)

    async def start_joined(self, count: int, *, targets: int = 1, environ: Mapping[str, str] | None = None) -> None:
        """Bring up so many engines that know each other."""
        for index in range(count):
            await self.join(await self.start(index, targets=targets, environ=environ))
        await self.spread_map()

    async def spread_map(self, ranks: set[int] | None = None, *, through: int = 0) -> None:
        """Send the group map of all engines, or of some ranks, to one engine and see it accepted there."""
        self.map_version += 1
        members = [engine for engine in self.engines.values() if ranks is None or engine.rank in ranks]
        request = svc_pb2.GroupUpdateReq(map_version=self.map_version)
        for engine in members:
            request.engines.add(rank=engine.rank, uri=engine.ready.uri, incarnation=engine.ready.incarnation)
        reply = await self.engines[through].call(Mgmt.GROUP_UPDATE, request)
        _accepted(reply.status)
        for engine in members:
            await self.until_map(engine)

    async def until_map(self, engine: EngineProcess) -> None:
        """Wait until the newest group map has reached an engine."""
        request = svc_pb2.GetGroupStatusReq(map_version=self.map_version)
        async with asyncio.timeout(PATIENCE_S):
            while (await engine.call(Mgmt.GROUP_STATUS_GET, request)).status != 0:  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # another process, nothing to wait on

    async def until_event(self, number: int) -> event_pb2.RASEvent:
        """Wait for an event of this number and take it."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            while True:
                for event in self.events:
                    if event.id == number:
                        self.events.remove(event)
                        return event
                await self._news.wait()

    async def script(self, index: int, command: str) -> str:
        """Give an emulated engine a script command; return its answer."""
        reader, writer = await asyncio.open_unix_connection(self.folder / f"emulator_{index}.sock")
        with contextlib.closing(writer):
            writer.write(f"{command}\n".encode())
            return (await reader.readline()).decode().strip()

    async def notify_ready(self, request: srv_pb2.NotifyReadyReq, _peer: server.Peer) -> None:
        """Serve NotifyReady."""
        async with self._news:
            self._ready[request.instanceIdx] = request
            self._news.notify_all()

    async def cluster_event(self, request: event_pb2.ClusterEventReq, _peer: server.Peer) -> event_pb2.ClusterEventResp:
        """Serve ClusterEvent."""
        async with self._news:
            self.events.append(request.event)
            self._news.notify_all()
        return event_pb2.ClusterEventResp(sequence=request.sequence)

    async def get_sys_props(
        self, _request: system_pb2.SystemGetPropReq, _peer: server.Peer
    ) -> system_pb2.SystemGetPropResp:
        """Serve GetSysProps."""
        return system_pb2.SystemGetPropResp(properties={"self_heal": self.self_heal})

    async def check_list(
        self, _request: check_engine_pb2.CheckListPoolReq, _peer: server.Peer
    ) -> check_engine_pb2.CheckListPoolResp:
        """Serve the checker's list of pools."""
        return check_engine_pb2.CheckListPoolResp(pools=self.known_pools)

    async def check_register(
        self, request: check_engine_pb2.CheckRegPoolReq, _peer: server.Peer
    ) -> check_engine_pb2.CheckRegPoolResp:
        """Serve the checker's registration of a pool."""
        self.registered.append(request)
        return check_engine_pb2.CheckRegPoolResp()

    async def check_deregister(
        self, request: check_engine_pb2.CheckDeregPoolReq, _peer: server.Peer
    ) -> check_engine_pb2.CheckDeregPoolResp:
        """Serve the checker's removal of a pool."""
        self.deregistered.append(request.uuid)
        return check_engine_pb2.CheckDeregPoolResp()

    async def check_report(
        self, request: check_engine_pb2.CheckReportReq, _peer: server.Peer
    ) -> check_engine_pb2.CheckReportResp:
        """Serve the checker's reports."""
        async with self._news:
            self.reports.append(request.report)
            self._news.notify_all()
        return check_engine_pb2.CheckReportResp()

    async def until_reports(self, count: int) -> list[Any]:
        """Wait for so many reports of a checker."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: len(self.reports) >= count)
        return self.reports


@contextlib.asynccontextmanager
async def engine_host(folder: Path) -> AsyncIterator[EngineHost]:
    """Serve the engines of a host in ``folder``; leaving kills those that still run."""
    host = EngineHost(folder=folder)
    handlers: server.Handlers = {
        Srv.NOTIFY_READY: host.notify_ready,
        Srv.CLUSTER_EVENT: host.cluster_event,
        Srv.GET_SYS_PROPS: host.get_sys_props,
        Srv.CHK_LIST_POOL: host.check_list,
        Srv.CHK_REG_POOL: host.check_register,
        Srv.CHK_DEREG_POOL: host.check_deregister,
        Srv.CHK_REPORT: host.check_report,
    }
    async with server.serve(str(folder / "daos_server.sock"), handlers, mode=0o600):
        try:
            yield host
        finally:
            for engine in host.engines.values():
                if engine.process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(engine.process.pid, signal.SIGKILL)
                await engine.process.wait()


def _accepted(status: int) -> None:
    if status != 0:
        raise AssertionError(f"the engine answered {status}")
