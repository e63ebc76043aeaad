"""Peers of our gRPC that do not do as they should, on real sockets: they harm nobody but themselves."""

import asyncio
import contextlib
import logging
import resource
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daos_control.base.errors import ClientClosed, Fault
from daos_control.net.grpc import messages, server, server_link
from daos_control.net.grpc.channels import Channels
from daos_control.net.grpc.server import serve
from daos_control.net.http2 import frames
from daos_control.net.http2.connection import Connection, Data, Headers
from daos_control.net.http2.frames import ErrorCode, frame
from daos_control.net.http2.headers import indexed, literal
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.methods import MGMT
from daos_control.net.rpc.status import Code, StatusError
from daos_control.security.certificates import Certificates
from daos_control.security.components import Component
from daos_control.wire.pb.mgmt import svc_pb2

METHOD = MGMT["LeaderQuery"]
QUERY = svc_pb2.LeaderQueryReq(sys="daos_server-2.8.0")
PATIENCE_S = 10


async def lead(request: svc_pb2.LeaderQueryReq, caller: Caller) -> svc_pb2.LeaderQueryResp:
    return svc_pb2.LeaderQueryResp(current_leader=caller.address)


@contextlib.asynccontextmanager
async def calling(address: str, **options) -> AsyncIterator[Callable]:
    channels = Channels(options.pop("tls", None), Component.ADMIN, **options)

    async def ask(**how) -> svc_pb2.LeaderQueryResp:
        return await channels.call(address, METHOD, QUERY, timeout_s=how.pop("timeout_s", PATIENCE_S))

    try:
        yield ask
    finally:
        await channels.aclose()


@pytest.fixture(autouse=True)
def nothing_unforeseen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No tracebacks, whatever happens."""
    yield
    assert [record.getMessage() for record in caplog.records if record.exc_info or record.levelno > logging.ERROR] == []


# Servers that misbehave.


class Puppet(asyncio.Protocol):
    """A server whose every frame is the test's."""

    def __init__(self, greeting: bytes, react: Callable[["Puppet", object], None]) -> None:
        self.http2 = Connection(client=False)
        self._greeting = greeting
        self._react = react

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self._greeting)

    def data_received(self, data: bytes) -> None:
        for event in self.http2.receive(data):
            self._react(self, event)
        self.http2.take()

    def answer(self, stream: int, name: bytes = b"10.0.0.1:1") -> None:
        reply = messages.framed(svc_pb2.LeaderQueryResp(current_leader=name.decode()).SerializeToString())
        self.transport.write(
            frame(frames.HEADERS, frames.END_HEADERS, stream, messages.REPLY)
            + frame(frames.DATA, 0, stream, reply)
            + frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, messages.REPLY_END)
        )


@contextlib.asynccontextmanager
async def puppet(
    *reactions: Callable[[Puppet, int], None], greeting: bytes = frames.settings({})
) -> AsyncIterator[str]:
    """A server that reacts to its first call in the first way, to its second in the second; then it answers."""
    left = list(reactions)
    puppets: list[Puppet] = []

    def react(which: Puppet, event: object) -> None:
        if isinstance(event, Data) and event.end:
            (left.pop(0) if left else Puppet.answer)(which, event.stream)

    def make() -> Puppet:
        puppets.append(Puppet(greeting, react))
        return puppets[-1]

    listening = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        for one in puppets:
            one.transport.abort()
        listening.close()
        await listening.wait_closed()


def refuses(which: Puppet, stream: int) -> None:
    which.transport.write(frames.rst_stream(stream, ErrorCode.REFUSED_STREAM))


def leaves(which: Puppet, stream: int) -> None:
    which.transport.write(frames.goaway(stream - 1, ErrorCode.NO_ERROR))


def vanishes(which: Puppet, stream: int) -> None:
    which.transport.abort()


@pytest.mark.parametrize("reactions", [(refuses,), (leaves,), (refuses, leaves)])
async def test_what_a_server_has_not_looked_at_is_asked_again(reactions):
    async with puppet(*reactions) as address, calling(address) as ask:
        assert (await ask()).current_leader == "10.0.0.1:1"


async def test_a_server_that_always_refuses_is_not_asked_for_ever():
    async with puppet(*[refuses] * 9) as address, calling(address) as ask:
        with pytest.raises(Fault) as caught:
            await ask()
        assert caught.value.code == 507


async def test_what_a_server_may_have_done_is_not_asked_again():
    async with puppet(vanishes) as address, calling(address) as ask:
        with pytest.raises(Fault) as caught:
            await ask()
        assert caught.value.code == 507
        assert (await ask()).current_leader == "10.0.0.1:1"


REPLIES = {
    "an error of HTTP": (literal(b":status", b"503"), Fault, 507),
    "a web page": (indexed(b":status", b"200") + literal(b"content-type", b"text/html"), StatusError, Code.UNKNOWN),
    "no status": (messages.REPLY, StatusError, Code.INTERNAL),
    "no message": (messages.REPLY + messages.REPLY_END, StatusError, Code.INTERNAL),
    "compression": (messages.REPLY + literal(b"grpc-encoding", b"gzip"), StatusError, Code.INTERNAL),
    "malformed fields": (messages.REPLY + literal(b"Bad", b""), StatusError, Code.INTERNAL),
}


@pytest.mark.parametrize(("block", "kind", "code"), REPLIES.values(), ids=REPLIES.keys())
async def test_replies_that_are_none(block, kind, code):
    def says(which: Puppet, stream: int) -> None:
        which.transport.write(frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, stream, block))

    async with puppet(says) as address, calling(address) as ask:
        with pytest.raises(kind) as caught:
            await ask()
        assert caught.value.code == code
        assert (await ask()).current_leader


@pytest.mark.parametrize(
    ("reset", "code"), [(ErrorCode.CANCEL, Code.CANCELLED), (ErrorCode.ENHANCE_YOUR_CALM, Code.RESOURCE_EXHAUSTED)]
)
async def test_a_call_that_the_server_ends(reset, code):
    def resets(which: Puppet, stream: int) -> None:
        which.transport.write(frames.rst_stream(stream, reset))

    async with puppet(resets) as address, calling(address) as ask:
        with pytest.raises(StatusError) as caught:
            await ask()
        assert caught.value.code == code


async def test_a_server_that_breaks_the_rules_costs_the_calls_on_its_connection():
    def babbles(which: Puppet, stream: int) -> None:
        which.transport.write(frame(frames.DATA, 0, 0, b"x"))

    async with puppet(babbles) as address, calling(address) as ask:
        with pytest.raises(Fault, match="closed the connection"):
            await ask()
        assert (await ask()).current_leader


async def test_calls_wait_for_their_turn_if_the_server_takes_few():
    order: list[int] = []

    def notes(which: Puppet, stream: int) -> None:
        order.append(stream)
        assert which.http2.streams == 1
        which.answer(stream)
        which.http2.send_headers(stream, messages.REPLY_END, end=True)

    greeting = frames.settings({frames.MAX_CONCURRENT_STREAMS: 1})
    async with (
        puppet(*[notes] * 20, greeting=greeting) as address,
        calling(address) as ask,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(20):
            group.create_task(ask())
    assert order == list(range(1, 41, 2))


async def test_who_waits_for_a_turn_that_never_comes_waits_for_its_own_time():
    greeting = frames.settings({frames.MAX_CONCURRENT_STREAMS: 0})
    async with puppet(greeting=greeting) as address, calling(address) as ask:
        with pytest.raises(Fault) as caught:
            await ask(timeout_s=0.1)
        assert caught.value.code == 510


async def test_connections_that_nobody_uses_are_closed():
    async with unharmed() as (host, port):
        channels = Channels(None, Component.ADMIN, idle_s=0.05)
        first = (await channels.call(f"{host}:{port}", METHOD, QUERY)).current_leader
        (peer,) = channels._peers.values()
        async with asyncio.timeout(PATIENCE_S):
            await peer.closed()
        assert (await channels.call(f"{host}:{port}", METHOD, QUERY)).current_leader != first
        await channels.aclose()


async def test_what_is_closed_stays_closed():
    async with unharmed() as (host, port):
        channels = Channels(None, Component.ADMIN)
        await channels.call(f"{host}:{port}", METHOD, QUERY)
        await channels.aclose()
        with pytest.raises(ClientClosed, match="closed"):
            await channels.call(f"{host}:{port}", METHOD, QUERY)
        with pytest.raises(ClientClosed):
            await channels.reach(f"{host}:{port}")
        await channels.aclose()


def test_connections_belong_to_the_event_loop_that_made_them():
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"127.0.0.1:{server.getsockname()[1]}"
    channels = Channels(None, Component.ADMIN)
    with pytest.raises(Fault):
        asyncio.run(channels.reach(nobody))
    with pytest.raises(ClientClosed, match="another event loop"):
        asyncio.run(channels.reach(nobody))


async def test_a_connection_may_be_made_before_it_is_needed():
    async with unharmed() as (host, port):
        channels = Channels(None, Component.SERVER)
        await channels.reach(f"{host}:{port}")
        (peer,) = channels._peers.values()
        link = await peer.link()
        await channels.reach(f"{host}:{port}", timeout_s=1.0)
        await channels.call(f"{host}:{port}", METHOD, QUERY)
        assert await peer.link() is link
        await channels.aclose()


async def test_a_host_that_cannot_be_reached_is_a_fault_of_the_connection():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        channels = Channels(None, Component.SERVER, connect_s=0.2)
        for limit_s in (None, 0.1):
            with pytest.raises(Fault) as caught:
                await channels.reach(f"127.0.0.1:{port}", timeout_s=limit_s)
            assert caught.value.code == 508
    await channels.aclose()
    channels = Channels(None, Component.SERVER)
    with pytest.raises(Fault) as caught:
        await channels.reach(f"127.0.0.1:{port}")
    assert caught.value.code == 506
    await channels.aclose()


async def test_who_waits_for_the_same_connection_shares_its_fate():
    """Ten calls to a host that is silent are one connection, and take as long as one."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        async with calling(f"127.0.0.1:{silent.getsockname()[1]}", connect_s=0.3) as ask:
            outcomes = await asyncio.gather(*(ask() for _ in range(10)), return_exceptions=True)
            assert [getattr(outcome, "code", outcome) for outcome in outcomes] == [508] * 10
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


async def test_who_gives_up_connecting_leaves_it_to_others():
    async with puppet() as address, calling(address) as ask:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(ask()), group.create_task(ask())
            await asyncio.sleep(0)
            first.cancel()
        assert second.result().current_leader


@given(st.binary(max_size=400), st.booleans())
@settings(max_examples=60)
def test_a_client_survives_any_server(noise, speaks_http2):
    def raves(which: Puppet, stream: int) -> None:
        which.transport.write(noise)
        which.transport.close()

    async def meet() -> None:
        greeting = frames.settings({}) if speaks_http2 else noise
        async with puppet(raves, greeting=greeting) as address, calling(address, connect_s=0.2) as ask:
            with pytest.raises((Fault, StatusError)):
                await ask(timeout_s=0.5)

    asyncio.run(meet())


# Clients that misbehave.


@contextlib.asynccontextmanager
async def unharmed(**options) -> AsyncIterator[tuple[str, int]]:
    """A server, which serves others as before when all is over."""
    async with serve({METHOD.path: lead}, host="127.0.0.1", port=0, tls=options.pop("tls", None)) as running:
        yield running.host, running.port
        async with calling(running.address, **options) as ask:
            assert (await ask()).current_leader


ASK = (
    indexed(b":method", b"POST")
    + indexed(b":scheme", b"http")
    + literal(b":path", METHOD.path.encode())
    + literal(b"content-type", messages.CONTENT_TYPE)
)
HELLO = frames.PREFACE + frames.settings({})


async def told(address: tuple[str, int], octets: bytes) -> list[frames.Frame]:
    """Say something to a server, and return what it says until it closes."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(octets)
    try:
        async with asyncio.timeout(PATIENCE_S):
            heard = await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return list(frames.FrameReader().feed(heard))


async def test_who_breaks_the_rules_is_told_and_dismissed():
    async with unharmed() as address:
        for octets in (b"GET / HTTP/1.1\r\n\r\n", HELLO + frame(frames.DATA, 0, 0), HELLO + bytes(9) * 20):
            heard = await told(address, octets)
            assert heard[-1][0] == frames.GOAWAY


REQUESTS = {
    "not a POST": (ASK.replace(indexed(b":method", b"POST"), indexed(b":method", b"GET")), b":status", b"405"),
    "not gRPC": (ASK.replace(b"application/grpc", b"application/json"), b":status", b"415"),
    "unknown": (ASK.replace(b"LeaderQuery", b"LeaderXuery"), b"grpc-status", b"12"),
    "compressed": (ASK + literal(b"grpc-encoding", b"gzip"), b"grpc-status", b"12"),
    "with a deadline that is none": (ASK + literal(b"grpc-timeout", b"soon"), b"grpc-status", b"13"),
    "with no message": (ASK, b"grpc-status", b"13"),
}


@pytest.mark.parametrize(("block", "name", "value"), REQUESTS.values(), ids=REQUESTS.keys())
async def test_requests_that_are_none(block, name, value):
    async with unharmed() as address:
        connection = Connection(client=True)
        reader, writer = await asyncio.open_connection(*address)
        with contextlib.closing(writer):
            connection.receive(frames.settings({}))
            connection.send_data(connection.open(block), b"", end=True)
            writer.write(connection.take())
            fields: dict[bytes, bytes] = {}
            async with asyncio.timeout(PATIENCE_S):
                while name not in fields:
                    for event in connection.receive(await reader.read(10_000)):
                        if isinstance(event, Headers):
                            fields |= dict(event.fields)
            assert fields[name] == value
        await writer.wait_closed()


async def test_silent_peers_are_dismissed_in_time(monkeypatch, certificates):
    monkeypatch.setattr(server, "_SWEEP_S", 0.05)
    names = ("daosCA.crt", "server.crt", "server.key")
    authority, certificate, key = ((certificates / name).read_bytes() for name in names)
    tls = Certificates(authority=authority, certificate=certificate, key=key)
    for secure in (None, tls):
        async with unharmed(tls=secure) if secure is None else serve({}, host="127.0.0.1", port=0, tls=tls) as running:
            address = running if isinstance(running, tuple) else (running.host, running.port)
            with monkeypatch.context() as impatient:  # not with those who are served when all is over
                impatient.setattr(server_link, "HANDSHAKE_S", 0.1)
                for beginning in (b"", b"\x16\x03\x01\x02\x00", frames.PREFACE[:10]):
                    await until_dismissed(address, beginning)


async def until_dismissed(address: tuple[str, int], beginning: bytes) -> None:
    """Say this to a server, and no more, until it hangs up."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(beginning)
    async with asyncio.timeout(PATIENCE_S):
        with contextlib.suppress(ConnectionError):
            while await reader.read(1000):
                pass
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_a_request_that_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr(server, "_SWEEP_S", 0.05)
    async with unharmed() as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(HELLO + frame(frames.HEADERS, frames.END_HEADERS, 1, ASK) + frame(frames.DATA, 0, 1, b"\0\0"))
        heard = b""
        with monkeypatch.context() as impatient:
            impatient.setattr(server_link, "REQUEST_S", 0.1)
            async with asyncio.timeout(PATIENCE_S):
                while b"grpc-status\x014" not in heard:
                    heard += await reader.read(1000)
        writer.close()
        await writer.wait_closed()


async def test_who_takes_no_replies_is_dismissed(monkeypatch):
    monkeypatch.setattr(server, "_SWEEP_S", 0.05)
    monkeypatch.setattr(server_link, "STALL_S", 0.3)

    async def much(request: svc_pb2.LeaderQueryReq, caller: Caller) -> bytes:
        return svc_pb2.LeaderQueryResp(current_leader="x" * 1_000_000).SerializeToString()

    async with serve({METHOD.path: much}, host="127.0.0.1", port=0, tls=None) as running:
        reader, writer = await asyncio.open_connection(running.host, running.port)
        body = frame(frames.DATA, frames.END_STREAM, 1, messages.framed(QUERY.SerializeToString()))
        writer.write(HELLO + frame(frames.HEADERS, frames.END_HEADERS, 1, ASK) + body)
        async with asyncio.timeout(PATIENCE_S):  # the window is never opened
            with contextlib.suppress(ConnectionError):
                while await reader.read(1 << 16):
                    pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_who_asks_and_does_not_listen_is_dismissed():
    """Pings without end, whose answers are never read; the kernel's buffers are the only ones that fill."""

    async def ask_on_and_on(deaf: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(deaf, HELLO)
        while True:
            await loop.sock_sendall(deaf, frame(frames.PING, 0, 0, bytes(8)) * 500)

    async with unharmed() as address:
        with socket.create_connection(address) as deaf:
            deaf.setblocking(False)
            with pytest.raises(ConnectionError):
                async with asyncio.timeout(PATIENCE_S):
                    await ask_on_and_on(deaf)


async def test_places_are_taken_from_who_only_holds_them(monkeypatch):
    monkeypatch.setattr(server, "_affordable_links", lambda: 20)
    async with unharmed() as address:
        idle = [await asyncio.open_connection(*address) for _ in range(60)]
        async with calling(f"{address[0]}:{address[1]}") as ask:
            await ask()
        for _, writer in idle:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def test_running_out_of_descriptors_is_a_pause(caplog):
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with unharmed() as address:
        with socket.socket() as caller:
            caller.setblocking(False)
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (caller.fileno() + 1, before[1]))
                with contextlib.suppress(BlockingIOError):
                    caller.connect(address)
                async with asyncio.timeout(PATIENCE_S):
                    while "cannot take gRPC connections" not in caplog.text:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, before)


@given(st.binary(max_size=600), st.booleans())
@settings(max_examples=60)
def test_a_server_survives_any_client(noise, speaks_http2):
    async def meet() -> None:
        async with unharmed() as address:
            _, writer = await asyncio.open_connection(*address)
            writer.write((HELLO if speaks_http2 else b"") + noise)
            await asyncio.sleep(0)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    asyncio.run(meet())


# Proxies.


@contextlib.asynccontextmanager
async def proxy(answer: bytes, heard: list[bytes]) -> AsyncIterator[str]:
    """A proxy that lets everybody through if it answers so."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            heard.append(request)
            host, port = request.split(b" ", 2)[1].decode().rsplit(":", 1)
            if b" 200 " in answer:
                onward = await asyncio.open_connection(host, int(port))
                greeting = await onward[0].read(1000)
                writer.write(answer + greeting)  # what the server says first comes with the proxy's own words
                async with asyncio.TaskGroup() as group:
                    group.create_task(pump(reader, onward[1]))
                    group.create_task(pump(onward[0], writer))
            else:
                writer.write(answer)
        writer.close()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1000):
                writer.write(data)
        writer.close()

    listening = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_a_proxy_is_used_if_that_is_allowed(monkeypatch):
    heard: list[bytes] = []
    yes = b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n"
    async with puppet() as address, proxy(yes, heard) as url:  # the puppet greets before it is spoken to
        monkeypatch.setenv("https_proxy", url)
        async with calling(address) as ask:
            await ask()
        assert heard == []
        async with calling(address, allow_proxy=True) as ask:
            await ask()
        assert heard[0].startswith(f"CONNECT {address} HTTP/1.1\r\n".encode())
        monkeypatch.setenv("no_proxy", "127.0.0.0/8")
        async with calling(address, allow_proxy=True) as ask:
            await ask()
        assert len(heard) == 1


async def test_a_proxy_that_says_no(monkeypatch):
    heard: list[bytes] = []
    async with proxy(b"HTTP/1.1 403 Forbidden\r\n\r\n", heard) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        async with calling("node1:10001", allow_proxy=True) as ask:
            with pytest.raises(Fault, match="closed the connection") as caught:
                await ask()
        assert "403 Forbidden" in caught.value.reason
    monkeypatch.setenv("https_proxy", "socks5://x")
    async with calling("node1:10001", allow_proxy=True) as ask:
        with pytest.raises(Fault) as caught:
            await ask()
        assert "https_proxy" in caught.value.reason


# Certificates that were not judged before.


@pytest.mark.parametrize("component", ["admin"])
async def test_our_own_certificate_may_be_why_a_handshake_fails(certificates, tmp_path: Path, component):
    from datetime import UTC, datetime, timedelta

    from daos_control.security.authority import issue_certificates
    from daos_control.security.certificates import CertificateError, CertificateFiles, load

    stale, other = tmp_path / "stale", tmp_path / "other"
    issue_certificates(stale, now=datetime.now(UTC) - timedelta(days=9), days=5)
    issue_certificates(other)

    def files(leaf: Path, authority: Path) -> CertificateFiles:
        return CertificateFiles(
            ca_cert=authority / "daosCA.crt", cert=leaf / f"{component}.crt", key=leaf / f"{component}.key"
        )

    server_files = CertificateFiles(
        ca_cert=certificates / "daosCA.crt", cert=certificates / "server.crt", key=certificates / "server.key"
    )
    async with serve({METHOD.path: lead}, host="127.0.0.1", port=0, tls=load(server_files)) as running:
        async with calling(running.address, tls=load(files(certificates, certificates), check=False)) as ask:
            assert (await ask()).current_leader
        async with calling(running.address, tls=load(files(stale, stale), check=False)) as ask:
            with pytest.raises(Fault, match="is not valid") as caught:
                await ask()
            assert "expired on" in caught.value.reason
            assert str(stale) in str(caught.value)
        async with calling(running.address, tls=load(files(certificates, other), check=False)) as ask:
            with pytest.raises(CertificateError, match="signed by"):
                await ask()
        async with calling(running.address, tls=load(files(other, other), check=False)) as ask:
            with pytest.raises(Fault) as caught:  # nothing is wrong with ours: they are another system's
                await ask()
            assert caught.value.code == 507
    mixed = CertificateFiles(
        ca_cert=certificates / "daosCA.crt", cert=certificates / "admin.crt", key=certificates / "agent.key"
    )
    with pytest.raises(CertificateError, match="does not belong"):
        Channels(load(mixed, check=False), Component.ADMIN)
