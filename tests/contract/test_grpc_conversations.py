"""The same conversations between our client or grpcio's, and our server or grpcio's: nobody can tell them apart.

The request's ``hosts`` says what the server is to do, so that one method is enough.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
import pytest

from daos_control.base.errors import DaosControlError, DaosError, Fault, NotLeader, PoolNotFound, SteppingUp
from daos_control.net.grpc.channels import Channels
from daos_control.net.grpc.server import MAX_REQUEST, serve
from daos_control.net.http2.connection import MAX_STREAMS
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.headers import COMPONENT_HEADER, VERSION_HEADER
from daos_control.net.rpc.methods import MGMT
from daos_control.net.rpc.status import Code, Status, StatusError, from_status, to_status
from daos_control.security.certificates import Certificates
from daos_control.security.components import Component
from daos_control.wire.pb.mgmt import svc_pb2

METHOD, ABSENT = MGMT["LeaderQuery"], MGMT["SystemErase"]
DETAILS = "grpc-status-details-bin"
PATIENCE_S = 20
CROWD = 50
Reply = svc_pb2.LeaderQueryResp
ERRORS = {
    "fault": Fault("server", 609, 'label "tank"', reason="r", resolution="another label — für alle, 100 %"),
    "der": DaosError(-1007),
    "leader": NotLeader("10.0.0.1:10001", ["10.0.0.1:10001"]),
    "pool": PoolNotFound(label="tank"),
    "stepping": SteppingUp(),
    "text": StatusError(Code.ABORTED, "Größe\n100 % — \N{SNOWMAN}"),
    "nothing": StatusError(Code.DATA_LOSS, ""),
    "verbose": StatusError(Code.UNKNOWN, "much to say " * 300),
}


@dataclass
class Stage:
    """What a server does, and what it saw."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    crowded: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0

    async def answer(self, request: svc_pb2.LeaderQueryReq) -> svc_pb2.LeaderQueryResp:
        """Do what the request says."""
        verb, _, rest = request.hosts.partition(":")
        if verb == "fail":
            raise ERRORS[rest]
        if verb == "large":
            return Reply(current_leader="x" * int(rest))
        if verb == "empty":
            return Reply()
        if verb == "wait":
            return await self._wait()
        return Reply(current_leader=rest)

    async def _wait(self) -> svc_pb2.LeaderQueryResp:
        self.at_once += 1
        self.begun.set()
        if self.at_once == CROWD:
            self.crowded.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.at_once -= 1
        return Reply(current_leader="waited")


Ask = Callable[..., Awaitable[svc_pb2.LeaderQueryResp]]


# The servers.


@contextlib.asynccontextmanager
async def our_server(stage: Stage, tls: Certificates | None) -> AsyncIterator[str]:
    async def handler(request: svc_pb2.LeaderQueryReq, caller: Caller) -> svc_pb2.LeaderQueryResp:
        return await stage.answer(request)

    async with serve({METHOD.path: handler}, host="127.0.0.1", port=0, tls=tls) as server:
        yield server.address


class Routes(grpc.GenericRpcHandler):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(self._answer) if details.method == METHOD.path else None

    async def _answer(self, body: bytes, context) -> bytes:
        try:
            return (await self._stage.answer(METHOD.request.FromString(body))).SerializeToString()
        except DaosControlError as error:
            status = to_status(error)
            context.set_code(next(code for code in grpc.StatusCode if code.value[0] == status.code))
            context.set_details(status.message)
            if status.details:
                context.set_trailing_metadata(((DETAILS, status.details),))
            return b""


@contextlib.asynccontextmanager
async def grpcio_server(stage: Stage, tls: Certificates | None) -> AsyncIterator[str]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Routes(stage),))
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = [(tls.key, tls.certificate)]
        port = server.add_secure_port(
            "127.0.0.1:0", grpc.ssl_server_credentials(pair, tls.authority, require_client_auth=True)
        )
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(5)


# The clients.


@contextlib.asynccontextmanager
async def our_client(address: str, tls: Certificates | None) -> AsyncIterator[Ask]:
    channels = Channels(tls, Component.ADMIN)

    async def ask(words: str, *, method=METHOD, timeout_s: float = PATIENCE_S) -> svc_pb2.LeaderQueryResp:
        request = svc_pb2.LeaderQueryReq(sys="daos_server-2.8.0", hosts=words)
        return await channels.call(address, method, request, timeout_s=timeout_s)

    try:
        yield ask
    finally:
        await channels.aclose()


@contextlib.asynccontextmanager
async def grpcio_client(address: str, tls: Certificates | None) -> AsyncIterator[Ask]:
    options = (("grpc.max_receive_message_length", -1), ("grpc.ssl_target_name_override", "server"))
    if tls is None:
        channel = grpc.aio.insecure_channel(address, options)
    else:
        credentials = grpc.ssl_channel_credentials(tls.authority, tls.key, tls.certificate)
        channel = grpc.aio.secure_channel(address, credentials, options)

    async def ask(words: str, *, method=METHOD, timeout_s: float = PATIENCE_S) -> svc_pb2.LeaderQueryResp:
        request = svc_pb2.LeaderQueryReq(sys="daos_server-2.8.0", hosts=words)
        headers = ((COMPONENT_HEADER, "admin"), (VERSION_HEADER, "2.8.0"))
        send = channel.unary_unary(method.path)
        try:
            return Reply.FromString(await send(request.SerializeToString(), timeout=timeout_s, metadata=headers))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise Fault("client", 510, "late") from error
            details = dict(error.trailing_metadata() or ()).get(DETAILS, b"")
            raise from_status(Status(error.code().value[0], error.details() or "", details)) from error

    async with channel:
        yield ask


SERVERS = {"ours": our_server, "grpcio": grpcio_server}
CLIENTS = {"ours": our_client, "grpcio": grpcio_client}


@pytest.fixture(params=["insecure", "tls"])
def kit(request: pytest.FixtureRequest, certificates: Path) -> Callable[[str], Certificates | None]:
    """Certificates by component, or none."""

    def of(component: str) -> Certificates | None:
        if request.param == "insecure":
            return None
        files = [certificates / name for name in ("daosCA.crt", f"{component}.crt", f"{component}.key")]
        authority, certificate, key = (file.read_bytes() for file in files)
        return Certificates(authority=authority, certificate=certificate, key=key)

    return of


@pytest.fixture(params=[(client, server) for client in CLIENTS for server in SERVERS], ids="{0[0]}-{0[1]}".format)
def pair(request: pytest.FixtureRequest, kit):
    """A way to ask, and what answers."""
    client, server = request.param

    @contextlib.asynccontextmanager
    async def meet() -> AsyncIterator[tuple[Ask, Stage]]:
        stage = Stage()
        async with SERVERS[server](stage, kit("server")) as address, CLIENTS[client](address, kit("admin")) as ask:
            yield ask, stage

    return meet


async def test_questions_are_answered(pair):
    async with pair() as (ask, _):
        for words in ("one", "two", "", "ü" * 100):
            assert (await ask(f"say:{words}")).current_leader == words
        assert await ask("empty") == Reply()


@pytest.mark.parametrize("name", ERRORS)
async def test_errors_arrive_with_all_they_say(pair, name):
    async with pair() as (ask, _):
        with pytest.raises(type(ERRORS[name])) as caught:
            await ask(f"fail:{name}")
        assert vars(caught.value) == vars(ERRORS[name])
        assert (await ask("say:on")).current_leader == "on"


async def test_what_is_not_served_is_said_so(pair):
    async with pair() as (ask, _):
        with pytest.raises(StatusError) as caught:
            await ask("say:x", method=ABSENT)
        assert caught.value.code == Code.UNIMPLEMENTED


@pytest.mark.parametrize("size", [16_384, 65_536, 3 << 20])
async def test_large_messages_pass_both_ways(pair, size):
    async with pair() as (ask, _):
        assert len((await ask(f"large:{size}")).current_leader) == size
        assert len((await ask(f"say:{'x' * size}")).current_leader) == size


async def test_replies_may_be_larger_than_requests(pair):
    async with pair() as (ask, _):
        async with asyncio.TaskGroup() as group:
            replies = [group.create_task(ask("large:10000000")) for _ in range(3)]
        assert [len(reply.result().current_leader) for reply in replies] == [10_000_000] * 3


async def test_a_request_that_is_too_large_is_refused_and_nothing_else(pair):
    async with pair() as (ask, _):
        with pytest.raises(StatusError) as caught:
            await ask(f"say:{'x' * MAX_REQUEST}")
        assert caught.value.code == Code.RESOURCE_EXHAUSTED
        assert (await ask("say:on")).current_leader == "on"


async def test_many_calls_go_side_by_side(pair):
    async with pair() as (ask, stage):
        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(ask("wait")) for _ in range(MAX_STREAMS + 50)]
            await stage.crowded.wait()
            stage.gate.set()
        assert {call.result().current_leader for call in calls} == {"waited"}


async def test_who_gives_up_is_forgotten(pair):
    async with pair() as (ask, stage):
        async with asyncio.TaskGroup() as group:
            call = group.create_task(ask("wait"))
            await stage.begun.wait()
            call.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await stage.cancelled.wait()
        assert (await ask("say:on")).current_leader == "on"


async def test_a_deadline_holds_at_both_ends(pair):
    async with pair() as (ask, stage):
        await ask("say:hello")  # so that the time is not spent on connecting
        async with asyncio.timeout(PATIENCE_S):
            while not stage.begun.is_set():  # on a busy machine the time may be over before the server hears of it
                with pytest.raises(Fault) as caught:
                    await ask("wait", timeout_s=1)
                assert caught.value.code == 510
        async with asyncio.timeout(PATIENCE_S):
            await stage.cancelled.wait()
        assert (await ask("say:on")).current_leader == "on"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("server", SERVERS)
async def test_a_server_that_leaves_finishes_what_it_began(client, server, kit):
    stage = Stage()
    async with contextlib.AsyncExitStack() as serving:
        address = await serving.enter_async_context(SERVERS[server](stage, kit("server")))
        async with CLIENTS[client](address, kit("admin")) as ask, asyncio.TaskGroup() as group:
            call = group.create_task(ask("wait"))
            await stage.begun.wait()
            asyncio.get_running_loop().call_later(0.05, stage.gate.set)
            await serving.aclose()
            assert (await call).current_leader == "waited"
            with pytest.raises(DaosControlError):
                await ask("say:x", timeout_s=2)
