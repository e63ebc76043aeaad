"""Hand-made packets that were sent to genuine daos_server, daos_agent and daos_engine: ours answer the same.

Handlers here say what the genuine program's handler said (that is the recording's body or FAILURE); what is compared
is everything around it: framing, dispatch, statuses, sequence numbers, and whether the connection lives on.
"""

import asyncio
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from daos_control.net.drpc.errors import DrpcFailure, FrameError, Status
from daos_control.net.drpc.frames import MAX_PACKET, Assembler, Rules
from daos_control.net.drpc.methods import BY_ID, Agent, Method, Mgmt, Module, Sec, Srv
from daos_control.net.drpc.server import Handler, Handlers, Peer, serve
from daos_control.wire.pb import drpc_pb2

AGENT = (
    Agent.REQUEST_CREDS,
    Mgmt.GET_ATTACH_INFO,
    Mgmt.NOTIFY_EXIT,
    Mgmt.NOTIFY_POOL_CONNECT,
    Mgmt.NOTIFY_POOL_DISCONNECT,
    Mgmt.SETUP_CLIENT_TELEM,
)
SERVER = tuple(value for group in (Srv, Sec) for value in vars(group).values() if isinstance(value, Method))
CHECKER = {242, 243, 244, 245, 246, 249}
ENGINE = tuple(
    method
    for method in BY_ID.values()
    if method.module is Module.MGMT and method not in AGENT and method is not Mgmt.KILL_RANK
)
FATAL = {("h_edge_cases", 110), ("h_zero_length", 15)}
"""Genuine programs died of these; ours have nothing to imitate there."""
UNANSWERED = {
    Status.UNKNOWN_MODULE,
    Status.UNKNOWN_METHOD,
    Status.FAILED_UNMARSHAL_CALL,
    Status.FAILED_UNMARSHAL_PAYLOAD,
}


def by_hand(recordings: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for name in ("h_edge_cases", "h_zero_length"):
        with (recordings / "drpc" / f"{name}.jsonl").open() as file:
            for number, line in enumerate(file, 1):
                call = json.loads(line)
                if call["from"] == "test-client" and (name, number) not in FATAL:
                    yield number, call


def recorded_response(call: dict[str, Any]) -> drpc_pb2.Response | None:
    if not call["response_frames_hex"]:
        return None
    assembler = Assembler()
    message = [assembler.feed(bytes.fromhex(frame)) for frame in call["response_frames_hex"]][-1]
    return drpc_pb2.Response.FromString(message or b"")


def handlers(methods: tuple[Method, ...], response: drpc_pb2.Response | None, called: list[Method]) -> Handlers:
    def handler(method: Method) -> Handler:
        async def handle(request: object, peer: Peer) -> bytes:
            if method.id in CHECKER:  # outside checker mode an engine denies to know even the module
                raise DrpcFailure(Status.UNKNOWN_MODULE)
            called.append(method)
            if response is None or response.status != Status.SUCCESS:
                raise DrpcFailure(Status.FAILURE)
            return response.body

        return handle

    return {method: handler(method) for method in methods}


async def converse(path: str, packets: list[str]) -> list[str]:
    """Send packets, then read what comes back until the peer closes or is quiet."""
    loop = asyncio.get_running_loop()
    answers: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as sock:
        sock.connect(path)
        for packet in packets:
            await loop.sock_sendall(sock, bytes.fromhex(packet))
        sock.shutdown(socket.SHUT_WR)
        while packet := await loop.sock_recv(sock, MAX_PACKET):
            answers.append(packet.hex())
    return answers


@pytest.mark.parametrize(
    ("kind", "methods", "modules", "rules"),
    [
        ("server", SERVER, [Module.MGMT], Rules.GO),
        ("agent", AGENT, [], Rules.GO),
        ("engine", ENGINE, [], Rules.C),
    ],
)
async def test_packets_are_answered_like_genuine_programs_do(recordings, kind, methods, modules, rules):
    count = 0
    for number, call in by_hand(recordings):
        if call["to"].rstrip("0123456789") != kind:
            continue
        response, called = recorded_response(call), []
        with TemporaryDirectory(prefix="raw") as folder:
            where = f"{folder}/s"
            async with serve(where, handlers(methods, response, called), mode=0o600, modules=modules, rules=rules):
                answers = await converse(where, call["call_frames_hex"])
        assert answers == (call["response_frames_hex"] or []), f"line {number}"
        unanswered = response is None or response.status in UNANSWERED
        assert len(called) == (0 if unanswered else 1), f"line {number}"
        count += 1
    assert count > 8


def test_packets_that_break_the_rules_are_among_them(recordings):
    """Guard the guard: the recordings hold what the test above is for."""
    broken = 0
    for _, call in by_hand(recordings):
        assembler = Assembler()
        try:
            for frame in call["call_frames_hex"]:
                assembler.feed(bytes.fromhex(frame))
        except FrameError:
            broken += 1
    assert broken
