"""Our dRPC listener and caller, over real sockets, against good peers and bad ones."""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daos_control.base.aio import background
from daos_control.base.errors import Fault
from daos_control.net.drpc import client
from daos_control.net.drpc.errors import (
    BadReply,
    CannotListen,
    DrpcDisconnected,
    DrpcFailure,
    DrpcStatus,
    DrpcTimeout,
    DrpcUnreachable,
    Status,
)
from daos_control.net.drpc.frames import HEADER, MAX_PACKET, Assembler, Rules, encode
from daos_control.net.drpc.methods import Agent, Mgmt, Module, Srv
from daos_control.net.drpc.methods import Test as Greetings
from daos_control.net.drpc.server import Peer, serve
from daos_control.wire.pb import drpc_pb2
from daos_control.wire.pb.mgmt import svc_pb2
from daos_control.wire.pb.security import auth_pb2
from daos_control.wire.pb.srv import srv_pb2
from daos_control.wire.pb.test import drpc_test_pb2


@pytest.fixture
def path() -> Iterator[str]:
    with TemporaryDirectory(prefix="drpc") as folder:  # pytest's own folders are too long for a socket's name
        yield f"{folder}/s.sock"


def mode_of(path: str) -> int | None:
    try:
        return stat.S_IMODE(Path(path).stat().st_mode)
    except FileNotFoundError:
        return None


async def greet(request: drpc_test_pb2.Hello, peer: Peer) -> drpc_test_pb2.HelloResponse:
    return drpc_test_pb2.HelloResponse(greeting=f"Hello {request.name}")


async def raw(path: str, *messages: bytes) -> list[drpc_pb2.Response]:
    """Send packets as they are; return the responses until the listener has answered each or closed."""
    loop = asyncio.get_running_loop()
    answers = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as sock:
        sock.connect(path)
        incoming = Assembler()
        for message in messages:
            try:
                await loop.sock_sendall(sock, message)
                packet = await loop.sock_recv(sock, MAX_PACKET)
            except (ConnectionResetError, BrokenPipeError):
                break
            if not packet:
                break
            response = incoming.feed(packet)
            assert response is not None
            answers.append(drpc_pb2.Response.FromString(response))
    return answers


def is_socket(path: str) -> bool:
    return Path(path).is_socket()


def framed(module: int, method: int, body: bytes = b"", sequence: int = 1) -> bytes:
    call = drpc_pb2.Call(module=module, method=method, sequence=sequence, body=body)
    return next(encode(call.SerializeToString()))


GREETING = framed(0, 0, drpc_test_pb2.Hello(name="Ada").SerializeToString())


async def test_a_call_is_answered(path):
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600):
        reply = await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello(name="Ada"))
    assert reply.greeting == "Hello Ada"


@pytest.mark.parametrize("keep", [False, True])
async def test_the_file_is_gone_afterwards_or_kept(path, keep):
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600, keep_file=keep):
        assert is_socket(path)
    assert is_socket(path) is keep
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600):
        assert is_socket(path)


async def test_a_session_takes_many_calls_and_counts_them(path):
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600), client.session(path) as session:
        for name in ("Ada", "Grace"):
            reply = await session.call(Greetings.GREETING, drpc_test_pb2.Hello(name=name))
            assert reply.greeting == f"Hello {name}"


async def test_messages_of_many_chunks_travel_both_ways(path):
    name = "x" * 1_000_000
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600):
        reply = await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello(name=name))
    assert reply.greeting == f"Hello {name}"


async def test_bodies_that_are_empty_by_definition(path):
    seen = []

    async def on_exit(request: None, peer: Peer) -> None:
        seen.append(request)

    async with serve(path, {Mgmt.NOTIFY_EXIT: on_exit}, mode=0o600):
        assert await client.call(path, Mgmt.NOTIFY_EXIT, None) is None
        assert await client.call(path, Mgmt.NOTIFY_EXIT, None, sequence=0) is None
    assert seen == [None, None]


async def test_a_reply_may_be_given_serialised(path):
    async def creds(request: None, peer: Peer) -> bytes:
        return auth_pb2.GetCredResp(status=-1001).SerializeToString()

    async with serve(path, {Agent.REQUEST_CREDS: creds}, mode=0o600):
        reply = await client.call(path, Agent.REQUEST_CREDS, None)
    assert reply.status == -1001


async def test_the_kernel_says_who_calls(path):
    peers = []

    async def who(request: drpc_test_pb2.Hello, peer: Peer) -> drpc_test_pb2.HelloResponse:
        peers.append(peer)
        return drpc_test_pb2.HelloResponse()

    async with serve(path, {Greetings.GREETING: who}, mode=0o600):
        await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello())
    assert [(peer.pid, peer.uid, peer.gid) for peer in peers] == [(os.getpid(), os.getuid(), os.getgid())]


@pytest.mark.parametrize("mode", [0o600, 0o666])
async def test_the_socket_has_its_mode_whatever_the_umask(path, mode):
    before = os.umask(0o077)
    try:
        async with serve(path, {}, mode=mode):
            assert mode_of(path) == mode
    finally:
        os.umask(before)


async def test_the_file_is_gone_afterwards(path):
    async with serve(path, {}, mode=0o600):
        assert mode_of(path)
    assert mode_of(path) is None


async def test_a_file_left_behind_is_replaced(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as former:
        former.bind(path)
        former.listen()
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600):
        await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello())


async def test_a_socket_in_use_is_left_alone(path):
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600):
        with pytest.raises(Fault) as caught:
            async with serve(path, {}, mode=0o600):
                pytest.fail("two listeners at one path")
        assert (caught.value.domain, caught.value.code) == ("drpc", 6)
        await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello())


async def test_a_folder_that_is_missing_is_said_so(path):
    with pytest.raises(CannotListen, match="No such file"):
        async with serve(f"{path}/x/y.sock", {}, mode=0o600):
            pytest.fail("listening without a folder")


async def test_errors_of_the_body_come_out_unwrapped(path):
    with pytest.raises(LookupError):
        async with serve(path, {}, mode=0o600):
            raise LookupError


@pytest.mark.parametrize(
    ("packet", "status", "sequence"),
    [
        pytest.param(framed(9, 101, sequence=7), Status.UNKNOWN_MODULE, 7, id="unknown module"),
        pytest.param(framed(0, 999), Status.UNKNOWN_METHOD, 1, id="unknown method"),
        pytest.param(framed(2, 223), Status.UNKNOWN_METHOD, 1, id="a module without methods here"),
        pytest.param(framed(0, 0, b"\x0a\xff\x01"), Status.FAILED_UNMARSHAL_PAYLOAD, 1, id="undecodable body"),
        pytest.param(next(encode(b"\xff\xff\xff")), Status.FAILED_UNMARSHAL_CALL, -1, id="undecodable call"),
        pytest.param(framed(3, 304), Status.FAILURE, 1, id="a handler with a bug"),
        pytest.param(framed(3, 303), Status.FAILED_UNMARSHAL_PAYLOAD, 1, id="a handler that chooses a status"),
        pytest.param(framed(3, 305), Status.FAILED_MARSHAL, 1, id="a handler that returns nonsense"),
    ],
)
async def test_what_is_wrong_with_a_call_is_its_status(path, packet, status, sequence):
    async def bug(request: object, peer: Peer) -> None:
        raise ZeroDivisionError

    async def refuse(request: object, peer: Peer) -> None:
        raise DrpcFailure(Status.FAILED_UNMARSHAL_PAYLOAD)

    async def nonsense(request: object, peer: Peer) -> drpc_test_pb2.Hello:
        return drpc_test_pb2.Hello()

    handlers = {
        Greetings.GREETING: greet,
        Srv.CLUSTER_EVENT: bug,
        Srv.GET_POOL_SVC: refuse,
        Srv.POOL_FIND_BYLABEL: nonsense,
    }
    async with serve(path, handlers, mode=0o600, modules=[Module.MGMT]):
        first, second = await raw(path, packet, GREETING)
    assert first == drpc_pb2.Response(sequence=sequence, status=int(status))
    assert second.status == Status.SUCCESS, "the session goes on"


async def test_an_engine_drops_who_sends_an_undecodable_call(path):
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600, rules=Rules.C):
        answers = await raw(path, next(encode(b"\xff\xff\xff")), GREETING)
    assert answers == [drpc_pb2.Response(sequence=-1, status=5)]


async def test_an_engine_refuses_a_known_field_of_another_type(path):
    async def ping(request: svc_pb2.PingRankReq, peer: Peer) -> svc_pb2.DaosResp:
        return svc_pb2.DaosResp()

    body = bytes.fromhex("0a1164616f735f7365727665722d322e382e301001")  # field 1 is a number, not a text
    async with serve(path, {Mgmt.PING_RANK: ping}, mode=0o600, rules=Rules.C):
        assert [answer.status for answer in await raw(path, framed(2, 225, body))] == [6]
        assert [answer.status for answer in await raw(path, framed(2, 225, b"\x08\x01"))] == [0]
    async with serve(path, {Mgmt.PING_RANK: ping}, mode=0o600):
        assert [answer.status for answer in await raw(path, framed(2, 225, body))] == [0]


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(b"\0", id="shorter than a header"),
        pytest.param(HEADER.pack(6, 6, 3, 2) + b"\0" * 6, id="wrong chunk index"),
        pytest.param(HEADER.pack(2**60, 6, 0, 2) + b"\0" * 6, id="a message without end"),
        pytest.param(HEADER.pack(99, 99, 0, 1), id="data that is not there"),
    ],
)
async def test_a_bad_packet_costs_the_connection_and_nothing_else(path, packet):
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600):
        assert await raw(path, packet) == []
        assert (await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello())).greeting == "Hello "


async def test_a_caller_may_leave_at_once(path):
    """Engines raise events so: the reply is never read, the socket often closed before the handler runs."""
    done = asyncio.Event()

    async def find(request: srv_pb2.PoolFindByLabelReq, peer: Peer) -> srv_pb2.PoolFindByLabelResp:
        await left.wait()
        done.set()
        return srv_pb2.PoolFindByLabelResp(status=-1)

    left = asyncio.Event()
    async with serve(path, {Srv.POOL_FIND_BYLABEL: find}, mode=0o600) as server:
        await client.notify(path, Srv.POOL_FIND_BYLABEL, srv_pb2.PoolFindByLabelReq(label="tank"))
        left.set()
        async with asyncio.timeout(5):
            await done.wait()
        left.clear()
        with pytest.raises(DrpcTimeout):
            await client.call(path, Srv.POOL_FIND_BYLABEL, srv_pb2.PoolFindByLabelReq(), timeout_s=0.01)
        left.set()
        assert server.sessions <= 2


async def test_a_peer_that_stalls_blocks_nobody(path):
    """One sends half a message, one never reads its large reply: others are served."""
    large = framed(0, 0, drpc_test_pb2.Hello(name="x" * 100_000).SerializeToString())
    loop = asyncio.get_running_loop()
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600):
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as half,
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as deaf,
        ):
            half.connect(path)
            await loop.sock_sendall(half, HEADER.pack(10, 5, 0, 2) + b"\0" * 5)
            deaf.connect(path)
            with contextlib.suppress(TimeoutError):  # soon neither side's buffers take any more
                async with asyncio.timeout(0.5):
                    while True:
                        await loop.sock_sendall(deaf, large)
            for _ in range(10):
                await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello(), timeout_s=5)


async def test_calls_on_one_connection_take_turns_and_connections_do_not_wait_for_each_other(path):
    gate = asyncio.Event()
    running = []

    async def slow(request: drpc_test_pb2.Hello, peer: Peer) -> drpc_test_pb2.HelloResponse:
        running.append(request.name)
        if request.name == "slow":
            await gate.wait()
        return drpc_test_pb2.HelloResponse(greeting=request.name)

    loop = asyncio.get_running_loop()
    async with serve(path, {Greetings.GREETING: slow}, mode=0o600):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as sock:
            sock.connect(path)
            for index, name in enumerate(("slow", "next")):
                body = drpc_test_pb2.Hello(name=name).SerializeToString()
                await loop.sock_sendall(sock, framed(0, 0, body, sequence=index))
            await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello(name="other"), timeout_s=5)
            assert running == ["slow", "other"]
            gate.set()
            got = [Assembler().feed(await loop.sock_recv(sock, MAX_PACKET)) for _ in range(2)]
    assert [drpc_pb2.Response.FromString(message or b"").sequence for message in got] == [0, 1]


async def test_those_who_hold_connections_cannot_keep_others_out(path):
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600, max_sessions=4) as server:
        idle = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) for _ in range(20)]
        try:
            for sock in idle:
                sock.connect(path)
            for _ in range(3):
                await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello(), timeout_s=5)
            assert server.sessions <= 4
        finally:
            for sock in idle:
                sock.close()


async def test_leaving_lets_calls_under_way_finish(path):
    started, gate = asyncio.Event(), asyncio.Event()

    async def slow(request: drpc_test_pb2.Hello, peer: Peer) -> drpc_test_pb2.HelloResponse:
        started.set()
        await gate.wait()
        return drpc_test_pb2.HelloResponse(greeting="done")

    async with asyncio.TaskGroup() as group, serve(path, {Greetings.GREETING: slow}, mode=0o600):
        call = group.create_task(client.call(path, Greetings.GREETING, drpc_test_pb2.Hello()))
        await started.wait()
        asyncio.get_running_loop().call_later(0.01, gate.set)
    assert call.result().greeting == "done"


async def test_leaving_does_not_wait_for_ever(path):
    started = asyncio.Event()

    async def stuck(request: drpc_test_pb2.Hello, peer: Peer) -> None:
        started.set()
        await asyncio.Event().wait()

    async def call() -> None:
        with pytest.raises(DrpcDisconnected):
            await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello())

    async with asyncio.TaskGroup() as group, serve(path, {Greetings.GREETING: stuck}, mode=0o600, grace_s=0.01):
        group.create_task(call())
        await started.wait()


async def test_nobody_there(path):
    with pytest.raises(DrpcUnreachable):
        await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello())
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as former:
        former.bind(path)
    with pytest.raises(DrpcUnreachable):
        await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello())
    with pytest.raises(DrpcUnreachable, match="too long"):
        await client.call("/" + "x" * 200, Greetings.GREETING, drpc_test_pb2.Hello())


async def test_a_full_queue_is_waited_for(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as listener:
        listener.bind(path)
        listener.listen(0)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as first:
            first.connect(path)
            with pytest.raises(DrpcTimeout):
                await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello(), timeout_s=0.05)


async def one_answer(path: str, packets: list[bytes]) -> drpc_test_pb2.HelloResponse:
    """Make a call to a listener that answers with these packets and closes."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as listener:
        listener.bind(path)
        listener.listen()

        async def answer() -> None:
            sock, _ = await loop.sock_accept(listener)
            with sock:
                await loop.sock_recv(sock, MAX_PACKET)
                for packet in packets:
                    await loop.sock_sendall(sock, packet)

        async with background() as tasks:
            tasks.start("answer", answer())
            return await client.call(path, Greetings.GREETING, drpc_test_pb2.Hello())


def response(**fields: object) -> list[bytes]:
    return list(encode(drpc_pb2.Response(**fields).SerializeToString()))


@pytest.mark.parametrize(
    ("packets", "error"),
    [
        pytest.param([], DrpcDisconnected, id="closes without an answer"),
        pytest.param([HEADER.pack(9, 2, 0, 2) + b"ab"], DrpcDisconnected, id="closes in the middle of one"),
        pytest.param([b"junk"], BadReply, id="no packet"),
        pytest.param(list(encode(b"\xff\xff")), BadReply, id="no response"),
        pytest.param(response(sequence=1, body=b"\x0a\xff\x01"), BadReply, id="undecodable reply"),
        pytest.param(response(sequence=2), BadReply, id="the answer to another call"),
        pytest.param(response(sequence=1, status=4), DrpcStatus, id="a status"),
        pytest.param(response(sequence=1, status=99), DrpcStatus, id="a status without a name"),
        pytest.param(response(sequence=-1, status=5), DrpcStatus, id="the call was not understood"),
    ],
)
async def test_bad_answers_are_errors_of_the_call(path, packets, error):
    with pytest.raises(error):
        await one_answer(path, packets)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    packets=st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.builds(
                lambda size, data, index, total: HEADER.pack(size, len(data), index, total) + data,
                st.integers(0, 200),
                st.binary(max_size=100),
                st.integers(0, 3),
                st.integers(0, 3),
            ),
            st.builds(
                framed, st.integers(0, 5), st.integers(0, 400), st.binary(max_size=40), st.integers(-(2**63), 2**63 - 1)
            ),
        ),
        max_size=6,
    ),
    rules=st.sampled_from(Rules),
)
def test_noise_on_the_socket_harms_nobody(packets, rules):
    async def scenario() -> None:
        with TemporaryDirectory(prefix="drpc") as folder:
            where = f"{folder}/s"
            async with serve(where, {Greetings.GREETING: greet}, mode=0o600, rules=rules, modules=[1, 2, 3, 4]):
                loop = asyncio.get_running_loop()
                with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as sock:
                    sock.connect(where)
                    try:
                        for packet in packets:
                            await loop.sock_sendall(sock, packet)
                    except (BrokenPipeError, ConnectionResetError):
                        pass
                reply = await client.call(where, Greetings.GREETING, drpc_test_pb2.Hello(name="Ada"), timeout_s=10)
                assert reply.greeting == "Hello Ada"

    asyncio.run(scenario())


async def test_a_peer_cannot_fill_the_log(path, caplog):
    async with serve(path, {Greetings.GREETING: greet}, mode=0o600):
        await raw(path, *[framed(9, 1)] * 100)
    assert 10 <= len(caplog.records) <= 30
