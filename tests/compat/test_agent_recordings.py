"""What genuine libdaos asked a genuine daos_agent, asked of ours: the same packets, and the same answers.

Of the recordings only what lies outside the agent is made up: what the management service says (derived from the
recorded answers, and checked against the recorded gRPC calls), and what the user database says.
"""

import asyncio
import json
import os
import random
import re
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from daos_control.apps.agent.attach_info import AttachInfo
from daos_control.apps.agent.client_metrics import client_metrics
from daos_control.apps.agent.credentials import Credentials
from daos_control.apps.agent.fabric import Fabric, FabricDevice, NameFilter
from daos_control.apps.agent.identity import Identity, UnknownUser, UserMap
from daos_control.apps.agent.local_fabric import LocalFabric
from daos_control.apps.agent.process_monitor import process_monitor
from daos_control.apps.agent.process_watch import ProcessWatch
from daos_control.apps.agent.service import AgentService
from daos_control.apps.agent.telemetry import ENABLE, REGISTER, TelemetryPolicy
from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.client.errors import ManagementServiceUnreachable
from daos_control.host import shm
from daos_control.host.shm import Segment
from daos_control.net.drpc.frames import Assembler, encode
from daos_control.net.drpc.methods import BY_ID
from daos_control.net.drpc.server import serve
from daos_control.testing.clock import ManualClock
from daos_control.wire.pb.drpc_pb2 import Call, Response
from daos_control.wire.pb.mgmt.svc_pb2 import ClientTelemetryResp, GetAttachInfoResp
from daos_control.wire.pb.security.auth_pb2 import GetCredResp, Sys, Token

SCENARIOS = ("d_agent_insecure", "d_agent_usermap", "d_agent_certificates", "h_edge_cases")

WITH_EXPORTER = ("d_agent_insecure", "d_agent_usermap")

SHA512_BYTES = 64

DIFFERENCES = {
    ("d_agent_insecure", 50.046273): "a refresh makes the original forget the interfaces of its configuration",
    ("h_edge_cases", 24.757262): "a report without UUIDs is answered SUCCESS by the original, which then dies of it",
    ("h_edge_cases", 24.758179): "... so that the next one is not answered at all",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One call with its answer."""

    scenario: str
    line: Mapping[str, Any]

    @property
    def packets(self) -> list[bytes]:
        return [bytes.fromhex(packet) for packet in self.line["call_frames_hex"]]

    @property
    def response(self) -> Response:
        return Response.FromString(_message(self.line["response_frames_hex"]))


def _message(packets: list[str]) -> bytes:
    assembler = Assembler()
    for packet in packets:
        message = assembler.feed(bytes.fromhex(packet))
        if message is not None:
            return message
    raise AssertionError("the recording holds half a message")


def recorded_calls(recordings: Path, scenario: str) -> Iterator[Recorded]:
    with (recordings / "drpc" / f"{scenario}.jsonl").open() as lines:
        for text in lines:
            line = json.loads(text)
            if line["to"] == "agent":
                yield Recorded(scenario=scenario, line=line)


@dataclass(slots=True)
class Outside:
    """The world around the agent, as the recorded answer shows it to have been."""

    attach: AttachInfo | DaosControlError | None = None
    user: Identity | None = None
    process_name: str = ""
    telemetry: TelemetryPolicy = field(default_factory=TelemetryPolicy)
    verifier: bytes = b""
    evicted: list[UUID] = field(default_factory=list)
    metrics_key: int = 0

    async def get(self) -> AttachInfo:
        if isinstance(self.attach, AttachInfo):
            return self.attach
        assert self.attach is not None
        raise self.attach

    def env_vars(self, process_name: str) -> tuple[str, ...]:
        return self.telemetry.env_vars(process_name)

    def look_up(self, uid: int, gid: int) -> Identity:
        if self.user is None:
            raise UnknownUser(f"uid {uid}")
        return self.user

    def sign(self, token: Token) -> bytes:
        return self.verifier

    async def evict(self, pool: UUID, handles: frozenset[UUID]) -> None:
        self.evicted += handles

    def segments(self) -> list[Segment]:
        """Return the machine's, and what the recorded client had made before it registered."""
        made = Segment(
            key=self.metrics_key,
            id=1 << 40 | self.metrics_key,
            size_bytes=1 << 19,
            creator_pid=os.getpid(),
            creator_uid=os.getuid(),
            owner_uid=os.getuid(),
            attached=1,
        )
        return [*shm.segments(), made]

    def arrange(self, recorded: Recorded) -> None:
        """Make the world such that the recorded answer is right."""
        method, response = recorded.line["method"], recorded.response
        if method == "MGMT_GET_ATTACH_INFO":
            self._arrange_attach(response)
        elif method == "MGMT_SETUP_CLIENT_TELEM" and recorded.line["request_text"]:
            self.metrics_key = int(recorded.line["request_text"].rpartition("shm_key: ")[2])
        elif method == "SEC_AGENT_REQUEST_CREDS":
            credential = GetCredResp.FromString(response.body).cred
            names = Sys.FromString(credential.token.data)
            self.user = None
            if credential.HasField("token"):
                self.user = Identity(
                    user=names.user.removesuffix("@"),
                    group=names.group.removesuffix("@"),
                    groups=tuple(group.removesuffix("@") for group in names.groups),
                )
            self.verifier = credential.verifier.data

    def _arrange_attach(self, response: Response) -> None:
        reply = GetAttachInfoResp.FromString(response.body)
        self.attach = {
            -2038: FaultCode.SERVER_WRONG_SYSTEM.fault(requested="other_sys", actual="daos_server"),
            -1006: ManagementServiceUnreachable({}),
        }.get(reply.status, DaosControlError("connection error: error reading server preface: EOF"))
        if response.body and not reply.status:
            env_vars = list(reply.client_net_hint.env_vars)
            self.telemetry = TelemetryPolicy(enabled=ENABLE in env_vars, never=re.compile("^daos_client"))
            self.process_name = "daos" if REGISTER in env_vars else "daos_client2"
            self.attach = AttachInfo.from_reply(without_the_agents_part(reply))


def without_the_agents_part(reply: GetAttachInfoResp) -> GetAttachInfoResp:
    """Return what the management service must have said for the agent to answer this."""
    upstream = GetAttachInfoResp()
    upstream.CopyFrom(reply)
    upstream.data_version = 11
    upstream.ClearField("numa_fabric_interfaces")
    for name in ("interface", "domain"):
        upstream.client_net_hint.ClearField(name)
    kept = [entry for entry in upstream.client_net_hint.env_vars if entry not in {ENABLE, REGISTER}]
    del upstream.client_net_hint.env_vars[:]
    upstream.client_net_hint.env_vars.extend(kept)
    return upstream


async def no_scan(_dev_class: int, _provider: str) -> Fabric:
    raise AssertionError("the configuration lists the interfaces: there is nothing to scan for")


@asynccontextmanager
async def agent(outside: Outside, *, with_exporter: bool = False) -> AsyncIterator[str]:
    """Run an agent configured as the recorded one was; yield its socket."""
    fabric = LocalFabric(
        no_scan,
        static=Fabric.of([(0, FabricDevice(interface="lo", domain="lo"))]),
        names=NameFilter(),
        has_address=lambda name: name == "lo",
    )
    credentials = Credentials(
        machine="storage1", sign=outside.sign, look_up=outside.look_up, user_map=UserMap(), clock=ManualClock()
    )
    watch = ProcessWatch()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        stack.callback(watch.close)
        metrics = None
        if with_exporter:
            dead = ProcessWatch(open_pidfd=no_such_process)  # so that nothing is left behind in the end
            root_key = random.randrange(1 << 29, 1 << 30)
            metrics = stack.enter_context(
                client_metrics(watch=dead, retain_s=3600, root_key=root_key, segments=outside.segments)
            )
        path = str(Path(folder) / "daos_agent.sock")
        async with process_monitor(evict=outside.evict, watch=watch, name_of=lambda pid: "app") as monitor:
            service = AgentService(
                system="daos_server",
                attach=outside,
                fabric=fabric,
                credentials=credentials,
                monitor=monitor,
                telemetry=outside,
                metrics=metrics,
                name_of=lambda pid: outside.process_name,
                numa_node_of=lambda pid: 0,
                is_closing=lambda: False,
            )
            async with serve(path, service.handlers(), mode=0o666):
                yield path


def no_such_process(pid: int) -> int:
    raise ProcessLookupError


async def exchange(path: str, packets: list[bytes]) -> bytes | None:
    """Send packets and return the answer, as a message; None if the agent hangs up instead."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as client:
        client.connect(path)
        assembler = Assembler()
        try:
            async with asyncio.timeout(10):
                for packet in packets:
                    await loop.sock_sendall(client, packet)
                while received := await loop.sock_recv(client, 1 << 17):
                    message = assembler.feed(received)
                    if message is not None:
                        return message
        except (ConnectionResetError, BrokenPipeError):
            return None
    return None


def decoded(recorded: Recorded, response: Response) -> tuple[int, int, object]:
    """Return what counts of a response."""
    method = BY_ID.get((recorded.line["module_id"], recorded.line["method_id"]))
    body: object = response.body
    if method is not None and (response.body or method.reply is ClientTelemetryResp):
        body = method.parse_reply(response.body)
    if isinstance(body, GetCredResp) and len(body.cred.verifier.data) > SHA512_BYTES:
        body.cred.verifier.data = b"a signature, which no two times is the same"
    if isinstance(body, ClientTelemetryResp):
        body.agent_uid = 0  # the recorded agent was root
    return response.sequence, response.status, body


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_every_recorded_call_gets_the_recorded_answer(recordings: Path, scenario: str):
    outside = Outside()
    answered = 0
    async with agent(outside, with_exporter=scenario in WITH_EXPORTER) as path:
        for recorded in recorded_calls(recordings, scenario):
            if (scenario, recorded.line["t"]) in DIFFERENCES:
                continue
            outside.arrange(recorded)
            message = await exchange(path, recorded.packets)
            assert message is not None, recorded.line
            assert decoded(recorded, Response.FromString(message)) == decoded(recorded, recorded.response)
            answered += 1
    assert answered > 20


async def test_the_report_that_kills_the_original_is_refused(recordings: Path):
    outside = Outside(user=Identity(user="root", group="root"), verifier=b"v")
    deadly = [
        call for call in recorded_calls(recordings, "h_edge_cases") if ("h_edge_cases", call.line["t"]) in DIFFERENCES
    ]
    assert [call.line["method"] for call in deadly] == ["MGMT_NOTIFY_POOL_CONNECT", "MGMT_NOTIFY_POOL_DISCONNECT"]
    async with agent(outside) as path:
        for call in deadly:
            message = await exchange(path, call.packets)
            assert message is not None
            assert Response.FromString(message) == Response(sequence=call.line["sequence"], status=2)
        assert await still_answers(path)
    assert not outside.evicted


async def still_answers(path: str) -> bool:
    packets = [frame(Call(module=1, method=101, sequence=3).SerializeToString())]
    message = await exchange(path, packets)
    return message is not None and GetCredResp.FromString(Response.FromString(message).body).cred.origin == "agent"


def frame(message: bytes) -> bytes:
    return next(iter(encode(message)))


def mangled(packet: bytes, chance: random.Random) -> bytes:
    """Return a packet with some bytes changed, lost or added."""
    mutable = bytearray(packet)
    for _ in range(chance.randint(1, 6)):
        position = chance.randrange(len(mutable) + 1)
        match chance.randrange(4):
            case 0:
                mutable[position:position] = chance.randbytes(chance.randint(1, 40))
            case 1:
                del mutable[position : position + chance.randint(1, 20)]
            case 2:
                mutable[position : position + 1] = chance.randbytes(1)
            case _:
                mutable[position:position] = bytes([0xFF] * chance.randint(1, 8))
    return bytes(mutable[: 1 << 17])


@pytest.mark.parametrize("seed", range(4))
async def test_no_garbage_from_any_user_hurts_the_agent(recordings: Path, seed: int):
    chance = random.Random(seed)
    packets = [packet for call in recorded_calls(recordings, "h_edge_cases") for packet in call.packets]
    outside = Outside(user=Identity(user="root", group="root"), verifier=b"v")
    outside.attach = DaosControlError("no management service here")
    async with agent(outside) as path:
        for _ in range(150):
            garbage = mangled(chance.choice(packets), chance)
            if chance.random() < 0.3:  # well framed, so that it gets past the first check
                garbage = frame(mangled(garbage[24:], chance))
            await send_and_leave(path, [garbage] * chance.randint(1, 2), chance)
        assert await still_answers(path)


async def send_and_leave(path: str, packets: list[bytes], chance: random.Random) -> None:
    """Send packets, then close, having read the answer or not: rude, and anybody's right."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as client:
        client.connect(path)
        for packet in packets:
            try:
                client.send(packet)
            except (BrokenPipeError, ConnectionResetError):
                return
            await asyncio.sleep(0)
        if chance.random() < 0.5:
            try:
                client.recv(1 << 17)
            except (BlockingIOError, ConnectionResetError):
                return


def test_the_answers_put_in_the_management_services_mouth_are_what_it_said(recordings: Path):
    said = []
    with (recordings / "drpc" / "d_agent_insecure.grpc.jsonl").open() as lines:
        for text in lines:
            line = json.loads(text)
            if line["path"] == "/mgmt.MgmtSvc/GetAttachInfo" and line["status"] == 0:
                said.append(GetAttachInfoResp.FromString(bytes.fromhex(line["response_hex"])))
    assert said
    for recorded in recorded_calls(recordings, "d_agent_insecure"):
        if recorded.line["method"] != "MGMT_GET_ATTACH_INFO":
            continue
        reply = GetAttachInfoResp.FromString(recorded.response.body)
        if reply.rank_uris:
            assert without_the_agents_part(reply) in said
