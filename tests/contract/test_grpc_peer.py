"""Our gRPC server and channels against each other, and against hosts that misbehave."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from daos_control.base.aio import Background, background
from daos_control.base.errors import (
    DaosControlError,
    DaosError,
    Fault,
    NotLeader,
    NotReplica,
    PoolNotFound,
    SteppingUp,
)
from daos_control.net.grpc.channels import Channels
from daos_control.net.grpc.server import MAX_REQUEST, CannotListen, Server, serve
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.methods import CTL, MGMT
from daos_control.net.rpc.status import Code, StatusError
from daos_control.security.authority import Authority, Issued, issue_certificates
from daos_control.security.certificates import Certificates
from daos_control.security.components import Component
from daos_control.wire.pb.ctl import network_pb2
from daos_control.wire.pb.mgmt import pool_pb2, svc_pb2, system_pb2

AioRpcError = grpc.aio.AioRpcError

SYS = "daos_server-2.8.0"
LEADER = MGMT["LeaderQuery"]
QUERY = svc_pb2.LeaderQueryReq(sys=SYS)


def held(folder: Path, component: str) -> Certificates:
    return Certificates(
        authority=(folder / "daosCA.crt").read_bytes(),
        certificate=(folder / f"{component}.crt").read_bytes(),
        key=(folder / f"{component}.key").read_bytes(),
    )


async def lead(request: svc_pb2.LeaderQueryReq, caller: Caller) -> svc_pb2.LeaderQueryResp:
    return svc_pb2.LeaderQueryResp(current_leader="10.0.0.1:10001", replicas=[str(caller.component), caller.subject])


@contextlib.asynccontextmanager
async def serving(handler, method=LEADER, tls: Certificates | None = None, **options) -> AsyncIterator[Server]:
    async with serve({method.path: handler}, host="127.0.0.1", port=0, tls=tls, **options) as server:
        yield server


@contextlib.asynccontextmanager
async def channels(tls=None, component=Component.ADMIN, **options) -> AsyncIterator[Channels]:
    ours = Channels(tls, component, **options)
    try:
        yield ours
    finally:
        await ours.aclose()


async def ask(address: str, tls: Certificates | None = None, **options) -> svc_pb2.LeaderQueryResp:
    async with channels(tls, **options) as ours:
        return await ours.call(address, LEADER, QUERY, timeout_s=10)


async def test_certified_callers_are_known_by_their_certificate(certificates):
    async with serving(lead, tls=held(certificates, "server")) as server:
        reply = await ask(server.address, held(certificates, "admin"))
    assert list(reply.replicas) == ["admin", "CN=admin,O=DAOS"]


async def test_insecure_callers_are_what_they_say(certificates):
    async with serving(lead) as server:
        assert list((await ask(server.address, component=Component.AGENT)).replicas) == ["agent", ""]


async def test_a_certificate_decides_what_may_be_called(certificates):
    async with serving(lead, tls=held(certificates, "server")) as server:
        with pytest.raises(StatusError, match="agent does not have permission to call") as no:
            await ask(server.address, held(certificates, "agent"), component=Component.AGENT)
        assert no.value.code == Code.PERMISSION_DENIED
        with pytest.raises(StatusError, match="mismatch") as lie:
            await ask(server.address, held(certificates, "agent"), component=Component.ADMIN)
        assert lie.value.code == Code.PERMISSION_DENIED


async def test_a_name_that_is_no_component_opens_nothing(certificates):
    authority = Authority()
    own, root = authority.issue(Component.SERVER), authority.issue_named("root", [ExtendedKeyUsageOID.CLIENT_AUTH])

    def shown(issued: Issued) -> Certificates:
        return Certificates(authority=authority.certificate, certificate=issued.certificate, key=issued.key)

    async with serving(lead, tls=shown(own)) as server:
        for component in (Component.ADMIN, Component.SERVER):
            with pytest.raises(StatusError) as caught:
                await ask(server.address, shown(root), component=component)
            assert caught.value.code == Code.PERMISSION_DENIED


@pytest.mark.parametrize(("version", "code"), [("2.6.0", 616), ("2.10.0", 616), ("3.0.0", 616)])
async def test_other_releases_are_refused(version, code):
    async with serving(lead) as server:
        with pytest.raises(Fault) as caught:
            await ask(server.address, version=version)
    assert caught.value.code == code


async def raw(address: str, path: str, body: bytes, metadata=()) -> bytes:
    async with grpc.aio.insecure_channel(address) as channel:
        return await channel.unary_unary(path)(body, metadata=metadata, timeout=10)


async def test_callers_without_headers_are_judged_by_the_system_name():
    async with serving(lead) as server:
        assert await raw(server.address, LEADER.path, QUERY.SerializeToString())
        with pytest.raises(AioRpcError) as caught:
            await raw(server.address, LEADER.path, svc_pb2.LeaderQueryReq(sys="daos_server").SerializeToString())
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "code = 617" in (caught.value.details() or "")


async def test_a_method_without_system_name_is_not_judged():
    async def scan(request: network_pb2.NetworkScanReq, caller: Caller) -> network_pb2.NetworkScanResp:
        return network_pb2.NetworkScanResp(numacount=2)

    method = CTL["NetworkScan"]
    async with serving(scan, method) as server:
        assert network_pb2.NetworkScanResp.FromString(await raw(server.address, method.path, b"")).numacount == 2


async def test_undecodable_and_unknown_requests_are_errors_of_the_call():
    async with serving(lead) as server:
        with pytest.raises(AioRpcError) as bad:
            await raw(server.address, LEADER.path, b"\x0a\xff")
        assert bad.value.code() is grpc.StatusCode.INTERNAL
        for path in ("/mgmt.MgmtSvc/Join", "/mgmt.MgmtSvc/Nope", "/nope", "/ctl.CtlSvc/StorageScan"):
            with pytest.raises(AioRpcError) as unknown:
                await raw(server.address, path, b"")
            assert unknown.value.code() is grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(AioRpcError) as large:
            await raw(server.address, LEADER.path, bytes(MAX_REQUEST + 1))
        assert large.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await ask(server.address)).current_leader == "10.0.0.1:10001"


@pytest.mark.parametrize(
    "error",
    [
        Fault("server", 609, 'label "tank"', reason="r", resolution="another label — für alle"),
        DaosError(-1007),
        NotLeader("10.0.0.1:10001", ["10.0.0.1:10001"]),
        NotReplica(["10.0.0.1:10001"]),
        PoolNotFound(label="tank"),
        SteppingUp(),
    ],
    ids=str,
)
async def test_errors_arrive_as_they_were_raised(error):
    async def fail(request: object, caller: Caller) -> svc_pb2.LeaderQueryResp:
        raise error

    async with serving(fail) as server:
        with pytest.raises(type(error)) as caught:
            await ask(server.address)
    assert str(caught.value) == str(error)


async def test_bugs_fail_one_call():
    async def bug(request: object, caller: Caller) -> svc_pb2.LeaderQueryResp:
        raise ZeroDivisionError("oh")

    async with serving(bug) as server:
        for _ in range(2):
            with pytest.raises(StatusError, match="internal error in LeaderQuery") as caught:
                await ask(server.address)
            assert caught.value.code == Code.UNKNOWN


async def test_a_der_status_in_a_reply_is_an_error():
    async def full(request: object, caller: Caller) -> pool_pb2.PoolCreateResp:
        return pool_pb2.PoolCreateResp(status=-1007)

    method = MGMT["PoolCreate"]
    async with serving(full, method) as server, channels() as ours:
        with pytest.raises(DaosError) as caught:
            await ours.call(server.address, method, pool_pb2.PoolCreateReq(sys=SYS))
    assert caught.value.status == -1007


async def test_replies_may_be_given_serialised_and_be_large():
    reply = system_pb2.SystemQueryResp(
        members=[system_pb2.SystemMember(rank=rank, uuid="x" * 500) for rank in range(20_000)]
    )

    async def query(request: object, caller: Caller) -> bytes:
        return reply.SerializeToString()

    method = MGMT["SystemQuery"]
    async with serving(query, method) as server, channels() as ours:
        got = await ours.call(server.address, method, system_pb2.SystemQueryReq(sys=SYS), timeout_s=30)
    assert got == reply


async def test_all_calls_to_a_host_share_one_connection():
    addresses = set()

    async def note(request: object, caller: Caller) -> svc_pb2.LeaderQueryResp:
        addresses.add(caller.address)
        return svc_pb2.LeaderQueryResp()

    async with serving(note) as server, channels() as ours:
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(ours.call(server.address, LEADER, QUERY, timeout_s=10))
        await ours.call(server.address, LEADER, QUERY, timeout_s=10)
    assert len(addresses) == 1
    assert next(iter(addresses)).startswith("127.0.0.1:")


async def test_connections_that_are_not_used_are_given_up():
    async with contextlib.AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(lead)) for _ in range(4)]
        ours = await stack.enter_async_context(channels(max_idle=2))
        for server in (*servers, *servers):
            await ours.call(server.address, LEADER, QUERY, timeout_s=10)
            assert len(ours._peers) <= 2


async def test_silence_costs_one_call_its_own_time():
    quiet = asyncio.Event()

    async def sometimes(request: svc_pb2.LeaderQueryReq, caller: Caller) -> svc_pb2.LeaderQueryResp:
        if request.hosts:
            await quiet.wait()
        return svc_pb2.LeaderQueryResp()

    async with serving(sometimes) as server, channels() as ours:
        with pytest.raises(Fault) as caught:
            await ours.call(server.address, LEADER, svc_pb2.LeaderQueryReq(sys=SYS, hosts="x"), timeout_s=0.05)
        assert caught.value.code == 510
        await ours.call(server.address, LEADER, QUERY, timeout_s=10)


async def test_a_cancelled_call_is_cancelled_at_the_server():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(request: object, caller: Caller) -> svc_pb2.LeaderQueryResp:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async with serving(wait) as server, channels() as ours:
        async with asyncio.TaskGroup() as group:
            call = group.create_task(ours.call(server.address, LEADER, QUERY))
            await begun.wait()
            call.cancel()
        async with asyncio.timeout(10):
            await ended.wait()


async def test_closing_channels_fails_calls_under_way_and_cancels_nobody():
    begun = asyncio.Event()

    async def wait(request: object, caller: Caller) -> svc_pb2.LeaderQueryResp:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(wait, grace_s=0.1) as server, channels() as ours:

        async def call() -> None:
            with pytest.raises(StatusError, match="was closed"):
                await ours.call(server.address, LEADER, QUERY)

        async with asyncio.TaskGroup() as group:
            group.create_task(call())
            await begun.wait()
            await ours.aclose()


async def test_leaving_lets_calls_under_way_finish_but_not_for_ever():
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow(request: svc_pb2.LeaderQueryReq, caller: Caller) -> svc_pb2.LeaderQueryResp:
        begun.set()
        await gate.wait()
        return svc_pb2.LeaderQueryResp(current_leader="done")

    async with channels() as ours, asyncio.TaskGroup() as group:
        async with serving(slow) as server:
            call = group.create_task(ours.call(server.address, LEADER, QUERY, timeout_s=10))
            await begun.wait()
            asyncio.get_running_loop().call_later(0.02, gate.set)
        assert (await call).current_leader == "done"

    begun.clear()
    gate.clear()
    async with channels() as ours, asyncio.TaskGroup() as group:

        async def lost(address: str) -> None:
            with pytest.raises(DaosControlError):
                await ours.call(address, LEADER, QUERY, timeout_s=10)

        async with serving(slow, grace_s=0.05) as server:
            group.create_task(lost(server.address))
            await begun.wait()


async def test_a_server_that_comes_back_is_found_again():
    async with channels() as ours:
        async with serving(lead) as server:
            await ours.call(server.address, LEADER, QUERY, timeout_s=10)
        with pytest.raises(Fault) as caught:
            await ours.call(server.address, LEADER, QUERY, timeout_s=10)
        assert caught.value.code in {506, 507}
        async with serve({LEADER.path: lead}, host="127.0.0.1", port=server.port, tls=None), asyncio.timeout(10):
            reply = None
            while reply is None:  # the pause between two attempts to connect is short, but it is one
                with contextlib.suppress(Fault):
                    reply = await ours.call(server.address, LEADER, QUERY, timeout_s=10)
                await asyncio.sleep(0)
    assert reply.current_leader


async def test_a_port_in_use_is_said_so():
    async with serving(lead) as server:
        with pytest.raises(CannotListen, match="in use"):
            async with serve({LEADER.path: lead}, host="127.0.0.1", port=server.port, tls=None):
                pytest.fail("two servers on one port")
    with pytest.raises(CannotListen):
        async with serve({}, host="240.0.0.1", port=0, tls=None):
            pytest.fail("listening on an address of nobody's")


async def test_only_methods_that_exist_can_be_served():
    with pytest.raises(ValueError, match="no method"):
        async with serve({"/mgmt.MgmtSvc/Nope": lead}, host="127.0.0.1", port=0, tls=None):
            pytest.fail("serving nothing")


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """Yield an address that refuses connections: it is bound, so that nobody else gets it, and not listened at."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{bound.getsockname()[1]}"


@contextlib.asynccontextmanager
async def host_that(behaves: Callable[[socket.socket], Awaitable[object]]) -> AsyncIterator[str]:
    """Listen, and treat every connection so."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.setblocking(False)

        async def treat(connection: socket.socket) -> None:
            with contextlib.suppress(OSError):
                await behaves(connection)
            connection.close()

        def accept(tasks: Background) -> None:
            connection, _ = listener.accept()
            connection.setblocking(False)
            tasks.start("connection", treat(sockets.enter_context(connection)))

        async with background() as tasks:
            # Not loop.sock_accept: cancelled at the wrong moment it drops a connection that nobody can close then.
            loop.add_reader(listener, accept, tasks)
            yield f"127.0.0.1:{listener.getsockname()[1]}"
            loop.remove_reader(listener)


async def code_of(address: str, tls: Certificates | None = None, **options) -> int:
    with pytest.raises(Fault) as caught:
        await ask(address, tls, **options)
    return caught.value.code


async def test_why_a_connection_fails(certificates, tmp_path):
    admin, own = held(certificates, "admin"), held(certificates, "server")

    async def closes(connection: socket.socket) -> None:
        pass

    async def is_silent(connection: socket.socket) -> None:
        while await asyncio.get_running_loop().sock_recv(connection, 4096):
            pass

    async def talks_nonsense(connection: socket.socket) -> None:
        await asyncio.get_running_loop().sock_sendall(connection, b"SSH-2.0-OpenSSH_9.6\r\n")
        await is_silent(connection)

    for tls in (None, admin):
        with nobody() as address:
            assert await code_of(address, tls) == 506
        assert await code_of("no-such-host.invalid:10001", tls) == 504
        async with host_that(closes) as address:
            assert await code_of(address, tls) == 507
        async with host_that(talks_nonsense) as address:
            assert await code_of(address, tls) == 507
        async with host_that(is_silent) as address:
            assert await code_of(address, tls, connect_s=0.2) == 508
    async with serving(lead, tls=own) as secure, serving(lead) as insecure:
        assert await code_of(secure.address, None) == 507
        assert await code_of(insecure.address, admin) == 507

    stale = tmp_path / "stale"
    issue_certificates(stale, now=datetime.now(UTC) - timedelta(days=9), days=5)
    async with serving(lead, tls=held(stale, "server")) as expired:
        assert await code_of(expired.address, held(stale, "admin")) == 903
        assert await code_of(expired.address, admin) == 507


async def test_a_client_does_not_take_an_admin_for_a_server(certificates):
    async with serving(lead, tls=held(certificates, "admin")) as server:
        assert await code_of(server.address, held(certificates, "admin")) == 507
