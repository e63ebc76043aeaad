"""daos_agent as a process of its own: how it starts, serves, obeys signals and ends."""

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest

from daos_control.net.drpc import client, methods
from daos_control.net.drpc.errors import DrpcStatus
from daos_control.net.grpc.server import serve
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.methods import MGMT
from daos_control.security import certificates
from daos_control.security.authority import issue_certificates
from daos_control.security.components import Component
from daos_control.security.credentials import validate
from daos_control.wire.pb.mgmt.pool_pb2 import PoolEvictReq, PoolEvictResp
from daos_control.wire.pb.mgmt.svc_pb2 import (
    BuildInfo,
    ClientNetHint,
    GetAttachInfoReq,
    GetAttachInfoResp,
    PoolMonitorReq,
)
from daos_control.wire.pb.mgmt.system_pb2 import SystemCleanupReq, SystemCleanupResp
from daos_control.wire.pb.security.auth_pb2 import Sys, ValidateCredReq

pytestmark = pytest.mark.system

PATIENCE_S = 30
PROGRAM = Path(sys.executable).with_name("daos_agent")


class ManagementService:
    """Stands in for the servers: answers what agents ask, and keeps what they asked."""

    def __init__(self) -> None:
        self.attached = 0
        self.evicted: asyncio.Queue[PoolEvictReq] = asyncio.Queue()
        self.cleaned: list[str] = []
        self.callers: set[Component | None] = set()

    def handlers(self) -> dict[str, Any]:
        return {
            MGMT["GetAttachInfo"].path: self.get_attach_info,
            MGMT["PoolEvict"].path: self.pool_evict,
            MGMT["SystemCleanup"].path: self.system_cleanup,
        }

    async def get_attach_info(self, request: GetAttachInfoReq, caller: Caller) -> GetAttachInfoResp:
        assert (request.sys, request.all_ranks) == ("daos_server-2.8.0", True)
        self.callers.add(caller.component)
        self.attached += 1
        return GetAttachInfoResp(
            rank_uris=[GetAttachInfoResp.RankUri(uri="ofi+tcp://127.0.0.1:31416", num_ctxs=3)],
            ms_ranks=[0],
            client_net_hint=ClientNetHint(provider="ofi+tcp", net_dev_class=772, srv_srx_set=1),
            data_version=self.attached,
            sys="daos_server",
            build_info=BuildInfo(major=2, minor=8, tag="v2.8.0"),
        )

    async def pool_evict(self, request: PoolEvictReq, caller: Caller) -> PoolEvictResp:
        self.evicted.put_nowait(request)
        return PoolEvictResp(count=len(request.handles))

    async def system_cleanup(self, request: SystemCleanupReq, caller: Caller) -> SystemCleanupResp:
        self.cleaned.append(request.machine)
        return SystemCleanupResp()


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="agent") as folder:  # pytest's own folders are too long for a socket's name
        yield Path(folder)


@pytest.fixture
def ms() -> ManagementService:
    return ManagementService()


def configuration(folder: Path, port: int, *, secure: bool = False, more: str = "") -> Path:
    certs = folder / "certs"
    transport = f"{{ca_cert: {certs}/daosCA.crt, cert: {certs}/agent.crt, key: {certs}/agent.key}}"
    path = folder / "daos_agent.yml"
    path.write_text(
        f"access_points: ['127.0.0.1']\nport: {port}\nruntime_dir: {folder}\n"
        f"transport_config: {transport if secure else '{allow_insecure: true}'}\n"
        "fabric_ifaces: [{numa_node: 0, devices: [{iface: lo, domain: lo}]}]\n" + more
    )
    return path


class Agent:
    """A running daos_agent."""

    def __init__(self, process: Process, folder: Path) -> None:
        self.process = process
        self.socket_file = folder / "daos_agent.sock"
        self.socket = str(self.socket_file)
        self.lines: list[str] = []

    async def until(self, text: str) -> None:
        """Read its output until a line has this in it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self.process.stdout.readline():
                self.lines.append(line.decode())
                if text in self.lines[-1]:
                    return
        raise AssertionError(f"{text!r} is not among {self.lines}")

    async def attach(self) -> GetAttachInfoResp:
        return await client.call(self.socket, methods.Mgmt.GET_ATTACH_INFO, GetAttachInfoReq(all_ranks=True))

    async def end(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


@asynccontextmanager
async def agent(folder: Path, config: Path, *arguments: str, **environment: str) -> AsyncIterator[Agent]:
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "-o", str(config), *arguments, stdout=PIPE, env=os.environ | environment
    )
    running = Agent(process, folder)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_starts_serves_and_ends(folder: Path, ms: ManagementService):
    async with (
        serve(ms.handlers(), host="127.0.0.1", port=0, tls=None) as server,
        agent(folder, configuration(folder, server.port)) as running,
    ):
        await running.until(f"listening on {running.socket}")
        assert stat.S_IMODE(running.socket_file.stat().st_mode) == 0o666

        reply = await running.attach()
        await running.attach()

        assert (reply.client_net_hint.interface, reply.client_net_hint.domain) == ("lo", "lo")
        assert [entry.uri for entry in reply.rank_uris] == ["ofi+tcp://127.0.0.1:31416"]
        assert (ms.attached, ms.callers) == (1, {Component.AGENT})

        running.process.send_signal(signal.SIGTERM)
        await running.until("shutting down")
        assert await running.end() == 0
        assert not running.socket_file.exists()


async def test_with_certificates_credentials_are_signed(folder: Path, ms: ManagementService):
    certs = folder / "certs"
    issue_certificates(certs)
    files = certificates.CertificateFiles(
        ca_cert=certs / "daosCA.crt", cert=certs / "server.crt", key=certs / "server.key"
    )
    async with (
        serve(ms.handlers(), host="127.0.0.1", port=0, tls=certificates.load(files)) as server,
        agent(folder, configuration(folder, server.port, secure=True)) as running,
    ):
        await running.until("listening on ")
        await running.attach()
        reply = await client.call(running.socket, methods.Agent.REQUEST_CREDS, None)

    assert ms.callers == {Component.AGENT}
    request = ValidateCredReq(cred=reply.cred)
    assert validate(request, client_certificates=certs / "clients").status == 0
    assert Sys.FromString(reply.cred.token.data).machinename == socket.gethostname().partition(".")[0]


VICTIM = """
import asyncio, sys
from daos_control.net.drpc import client, methods
from daos_control.wire.pb.mgmt.svc_pb2 import PoolMonitorReq
path, pool, handle = sys.argv[1:]
request = PoolMonitorReq(poolUUID=pool, poolHandleUUID=handle)
asyncio.run(client.call(path, methods.Mgmt.NOTIFY_POOL_CONNECT, request))
print("open", flush=True)
sys.stdin.read()
"""


async def test_a_client_that_is_killed_loses_its_handles(folder: Path, ms: ManagementService):
    async with (
        serve(ms.handlers(), host="127.0.0.1", port=0, tls=None) as server,
        agent(folder, configuration(folder, server.port)) as running,
    ):
        await running.until("listening on ")
        pool, handle = str(uuid4()), str(uuid4())
        victim = await asyncio.create_subprocess_exec(
            sys.executable, "-c", VICTIM, running.socket, pool, handle, stdin=PIPE, stdout=PIPE
        )
        assert victim.stdout is not None
        assert await victim.stdout.readline() == b"open\n"
        victim.kill()
        await victim.wait()

        async with asyncio.timeout(PATIENCE_S):
            request = await ms.evicted.get()

    assert (request.sys, request.id, list(request.handles)) == ("daos_server-2.8.0", pool, [handle])


async def test_signals(folder: Path, ms: ManagementService):
    async with (
        serve(ms.handlers(), host="127.0.0.1", port=0, tls=None) as server,
        agent(folder, configuration(folder, server.port)) as running,
    ):
        await running.until("listening on ")
        first, second = str(uuid4()), str(uuid4())
        await opened(running, first)
        await running.attach()

        running.process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(PATIENCE_S):
            assert list((await ms.evicted.get()).handles) == [first]

        running.process.send_signal(signal.SIGUSR2)
        await running.until("refreshing caches")
        async with asyncio.timeout(PATIENCE_S):
            while ms.attached < 2:
                await running.attach()
        assert (await running.attach()).client_net_hint.interface == "lo"

        await opened(running, second)
        running.process.send_signal(signal.SIGINT)
        assert await running.end() == 0
        assert list((await ms.evicted.get()).handles) == [second]


async def opened(running: Agent, handle: str) -> None:
    """Open a pool as this very process."""
    report = PoolMonitorReq(poolUUID=str(uuid4()), poolHandleUUID=handle)
    await client.call(running.socket, methods.Mgmt.NOTIFY_POOL_CONNECT, report)


async def test_while_it_ends_clients_are_turned_away_and_a_second_signal_hurries(folder: Path, ms: ManagementService):
    stuck = asyncio.Event()

    async def never(request: PoolEvictReq, caller: Caller) -> PoolEvictResp:
        stuck.set()
        await asyncio.Event().wait()
        raise AssertionError

    handlers = ms.handlers() | {MGMT["PoolEvict"].path: never}
    async with (
        serve(handlers, host="127.0.0.1", port=0, tls=None, grace_s=0) as server,
        agent(folder, configuration(folder, server.port)) as running,
    ):
        await running.until("listening on ")
        await opened(running, str(uuid4()))
        running.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            await stuck.wait()

        with pytest.raises(DrpcStatus) as refused:
            await running.attach()
        assert refused.value.status == 2

        running.process.send_signal(signal.SIGTERM)
        assert await running.end() == 0


async def test_what_the_machine_left_behind_is_evicted_before_clients_are_served(folder: Path, ms: ManagementService):
    async with serve(ms.handlers(), host="127.0.0.1", port=0, tls=None) as server:
        config = configuration(folder, server.port, more="enable_evict_on_start: true\n")
        async with agent(folder, config) as running:
            await running.until("listening on ")
            assert ms.cleaned == [socket.gethostname().partition(".")[0]]


async def test_without_servers_clients_are_told_that_they_cannot_be_reached(folder: Path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        async with agent(folder, configuration(folder, nobody.getsockname()[1])) as running:
            await running.until("listening on ")
            assert (await running.attach()).status == -1006


async def test_systemd_is_told(folder: Path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as systemd:
        systemd.bind(str(folder / "notify"))
        loop = asyncio.get_running_loop()
        async with agent(folder, configuration(folder, 1), NOTIFY_SOCKET=str(folder / "notify")) as running:
            async with asyncio.timeout(PATIENCE_S):
                assert await loop.sock_recv(systemd, 100) == b"READY=1"
                running.process.terminate()
                assert await loop.sock_recv(systemd, 100) == b"STOPPING=1"
            assert await running.end() == 0


async def test_a_second_agent_leaves_the_first_alone(folder: Path):
    config = configuration(folder, 1)
    async with agent(folder, config) as first:
        await first.until("listening on ")
        async with agent(folder, config) as second:
            assert await second.end() == 1
        assert (await first.attach()).status == -1006


async def test_a_stale_socket_is_replaced(folder: Path):
    config = configuration(folder, 1)
    async with agent(folder, config) as first:
        await first.until("listening on ")
        first.process.kill()
        await first.end()
        assert first.socket_file.exists()
    async with agent(folder, config) as second:
        await second.until("listening on ")


async def output_of(config: Path, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(PROGRAM, *arguments, "-o", str(config), stdout=PIPE)
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_commands_that_ask_the_servers(folder: Path, ms: ManagementService):
    async with serve(ms.handlers(), host="127.0.0.1", port=0, tls=None) as server:
        config = configuration(folder, server.port)
        version = await output_of(config, "server-version")
        document = json.loads(await output_of(config, "-j", "server-version"))
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "-o", str(config), "dump-attachinfo", "-o", str(folder / "group"), stdout=PIPE
        )
        assert (await process.communicate())[0] == b""

    assert version == "DAOS Control Server version 2.8.0\n"
    assert document["response"] == {"name": "DAOS Control Server", "version": "2.8.0", "build_info": "v2.8.0"}
    assert (folder / "group").read_text() == "name daos_server\nsize 1\nall\n0 ofi+tcp://127.0.0.1:31416\n"
