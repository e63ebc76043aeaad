"""Callers that send anything at all, to every socket of a running system: they harm nobody but themselves.

What was sent to genuine programs by hand (one such packet kills the genuine daos_agent) is sent to ours, and then much
that nobody ever recorded. Afterwards the same processes serve as before, and have grown neither in memory nor in open
files; their logs have not been filled. ``DAOS_CHAOS_SEED`` repeats a run's choices.
"""

import asyncio
import contextlib
import json
import os
import random
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import grpc
import grpc.aio
import pytest

from daos_control.apps.lab import bringup, processes
from daos_control.apps.lab.plan import CONTROL_PORT, Wish
from daos_control.apps.lab.records import Lab, Process
from daos_control.base import logs
from daos_control.base.aio import map_bounded
from daos_control.client import DaosClient
from daos_control.model.member_state import MemberState
from daos_control.net.drpc import client as drpc
from daos_control.net.drpc.frames import HEADER, MAX_PACKET, encode
from daos_control.net.drpc.methods import BY_ID, Agent, Mgmt, Module
from daos_control.net.rpc.methods import CTL, MGMT
from daos_control.wire.pb import drpc_pb2
from daos_control.wire.pb.mgmt import svc_pb2

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("lab"), pytest.mark.timeout(240)]

log = logs.get(__name__)

SEED = int(os.environ.get("DAOS_CHAOS_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS: Final = 300
AT_ONCE: Final = 20
PATIENCE_S: Final = 30
MOST_GROWTH: Final = 24 << 20
MOST_LOG: Final = 2 << 20
DEADLY = {Mgmt.SET_RANK, Mgmt.GROUP_UPDATE, Mgmt.PREP_SHUTDOWN, Mgmt.SET_UP, Mgmt.KILL_RANK}
"""What an engine does when it is rightly asked; whoever may open its socket may ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a process takes."""

    memory: int
    files: int

    @classmethod
    def of(cls, pid: int) -> "Size":
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return cls(memory=pages * os.sysconf("SC_PAGE_SIZE"), files=len(list(Path(f"/proc/{pid}/fd").iterdir())))


class System:
    """A small running system, and everybody in it whom one can talk to."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        (self.engine,) = processes.engines(lab)
        run = lab.place.run
        assert self.engine.process is not None
        self.processes: dict[str, Process] = {**lab.processes, "engine": self.engine.process}
        self.sockets = {
            "server": run / "h1" / "daos_server.sock",
            "agent": run / "agent" / "daos_agent.sock",
            "engine": run / "h1" / f"daos_engine_{self.engine.process.pid}.sock",
        }
        self.address = (lab.plan.hosts[0].address, CONTROL_PORT)

    def log_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.lab.place.folder.glob("*/*.log"))

    def sizes(self) -> dict[str, Size]:
        return {name: Size.of(process.pid) for name, process in self.processes.items()}

    async def serves(self) -> None:
        """All that ran runs, and answers."""
        assert {name for name, process in self.processes.items() if not process.is_running} == set()
        request = svc_pb2.GetAttachInfoReq(sys="daos_server", all_ranks=True)
        attached = await drpc.call(str(self.sockets["agent"]), Mgmt.GET_ATTACH_INFO, request, timeout_s=PATIENCE_S)
        assert [uri.rank for uri in attached.rank_uris] == [0]
        assert (await drpc.call(str(self.sockets["agent"]), Agent.REQUEST_CREDS, None, timeout_s=PATIENCE_S)).cred
        assert (await drpc.call(str(self.sockets["engine"]), Mgmt.PING_RANK, svc_pb2.PingRankReq())).status == 0
        async with DaosClient.from_config(self.lab.plan.control_config_path) as client, asyncio.timeout(PATIENCE_S):
            assert [member.state for member in (await client.system.query()).members] == [MemberState.JOINED]
            assert [(pool.label, pool.state) for pool in (await client.pools.list()).pools] == [("tank", "Ready")]


@contextlib.asynccontextmanager
async def small_system() -> AsyncIterator[System]:
    folder = Path(mkdtemp(prefix="daos_chaos-"))
    wish = Wish(hosts=1, engines=1, targets=1, insecure=True)
    try:
        async for _ in bringup.up(folder, wish, pool_bytes=64 << 20):
            pass
        lab = Lab.load(folder)
        assert lab is not None
        yield System(lab)
    finally:
        if (lab := Lab.load(folder)) is not None:
            await bringup.down(lab, keep=False)


@contextlib.asynccontextmanager
async def unharmed(system: System) -> AsyncIterator[None]:
    """Whatever is done inside, the system is as it was."""
    await system.serves()
    before, log_before = system.sizes(), system.log_bytes()
    yield
    await system.serves()
    async with asyncio.timeout(PATIENCE_S):  # connections that were left are noticed in their own time
        while any(size.files > before[name].files + 8 for name, size in system.sizes().items()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    grown = {name: size.memory - before[name].memory for name, size in system.sizes().items()}
    log.info(f"grown by {grown} bytes, logs by {system.log_bytes() - log_before}")
    assert max(grown.values()) < MOST_GROWTH, grown
    assert system.log_bytes() - log_before < MOST_LOG
    said = "".join(path.read_text(errors="replace") for path in system.lab.place.folder.glob("*/*.log"))
    assert "Traceback" not in said


async def send(path: Path, packets: list[bytes], listen_s: float) -> int:
    """Send packets, listen for a moment or not at all, and be gone; return how many packets came back."""
    loop = asyncio.get_running_loop()
    answers = 0
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as sock,
        contextlib.suppress(ConnectionError, BlockingIOError, TimeoutError),
    ):
        sock.connect(str(path))
        async with asyncio.timeout(PATIENCE_S):
            for packet in packets:
                await loop.sock_sendall(sock, packet)
        async with asyncio.timeout(listen_s):
            while await loop.sock_recv(sock, MAX_PACKET):
                answers += 1
    return answers


def by_hand(recordings: Path) -> Iterator[list[bytes]]:
    """What was sent to genuine programs to see what they make of it."""
    for name in ("h_edge_cases", "h_zero_length"):
        for line in (recordings / "drpc" / f"{name}.jsonl").read_text().splitlines():
            call = json.loads(line)
            if call["from"] == "test-client":
                yield [bytes.fromhex(frame) for frame in call["call_frames_hex"]]


class Fuzzer:
    """Makes packets: from nonsense to calls that are almost right."""

    def __init__(self, seeds: list[bytes], chance: random.Random) -> None:
        self._seeds = seeds
        self._chance = chance

    def packets(self) -> list[bytes]:
        return [self._packet() for _ in range(self._chance.randint(1, 4))]

    def _packet(self) -> bytes:
        chance = self._chance
        match chance.randrange(6):
            case 0:
                return chance.randbytes(chance.choice([0, 1, 23, 24, 25, 1000, MAX_PACKET]))
            case 1:
                sizes = [chance.choice([0, 1, 6, 255, 1 << 20, (1 << 62)]) for _ in range(2)]
                counts = [chance.choice([0, 1, 2, 1 << 31, (1 << 32) - 1]) for _ in range(2)]
                return struct.pack("<QQII", *sizes, *counts) + chance.randbytes(chance.randrange(64))
            case 2:
                return self._mangled(chance.choice(self._seeds))
            case 3:
                return self._call(chance.randrange(6), chance.randrange(-1, 1000), chance.randbytes(40))
            case _:
                method = chance.choice([method for method in BY_ID.values() if method not in DEADLY])
                return self._call(method.module, method.id, self._body())

    def _body(self) -> bytes:
        """Fields of the lower numbers with values of any kind, or noise."""
        chance = self._chance
        if chance.random() < 0.3:
            return chance.randbytes(chance.randrange(200))
        body = b""
        for _ in range(chance.randrange(8)):
            number = chance.randint(1, 15)
            if chance.random() < 0.4:
                body += bytes([number << 3]) + self._varint()
            else:
                text = chance.choice(
                    [b"", b"tank", b"\xff\xfe", b"\0", b"x" * 70, b"A::%:rw", b"-", chance.randbytes(16)]
                )
                body += bytes([number << 3 | 2, len(text)]) + text
        return body

    def _varint(self) -> bytes:
        return self._chance.choice([b"\x00", b"\x01", b"\x7f", b"\xff\xff\x03", b"\xff" * 9 + b"\x01", b"\xff" * 20])

    @staticmethod
    def _call(module: int | Module, method: int, body: bytes) -> bytes:
        call = drpc_pb2.Call(module=int(module), method=method, sequence=1, body=body)
        return next(iter(encode(call.SerializeToString())))

    def _mangled(self, packet: bytes) -> bytes:
        chance = self._chance
        mutable = bytearray(packet)
        for _ in range(chance.randint(1, 4)):
            position = chance.randrange(HEADER.size if chance.random() < 0.3 else 0, len(mutable) + HEADER.size)
            mutable[position : position + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        return bytes(mutable)


async def test_what_was_sent_to_genuine_programs_by_hand(recordings: Path) -> None:
    packets = list(by_hand(recordings))
    assert len(packets) > 70
    async with small_system() as system, unharmed(system):
        for path in system.sockets.values():
            answers = [await send(path, call, 0.02) for call in packets]
            assert sum(answers) > len(packets) / 2


async def test_anything_at_all(recordings: Path) -> None:
    log.info(f"repeat with DAOS_CHAOS_SEED={SEED}")
    chance = random.Random(SEED)
    fuzzer = Fuzzer([packet for call in by_hand(recordings) for packet in call], chance)
    async with small_system() as system:
        await warm_up(system, fuzzer)
        async with unharmed(system):
            for path in system.sockets.values():
                answers = 0
                for _ in range(ROUNDS // AT_ONCE):
                    calls = [(path, fuzzer.packets(), chance.choice([0, 0.05])) for _ in range(AT_ONCE)]
                    answers += sum(await map_bounded(AT_ONCE, lambda call: send(*call), calls))
                log.info(f"{path.name} answered {answers} times")
                assert answers > ROUNDS / 4
        async with unharmed(system):
            await crowd(system)
        async with unharmed(system):
            await noise_on_the_port(system.address, chance)


async def warm_up(system: System, fuzzer: Fuzzer) -> None:
    """Have everything loaded that is loaded when first needed."""
    for path in system.sockets.values():
        for _ in range(20):
            await send(path, fuzzer.packets(), 0.01)
    await noise_on_the_port(system.address, random.Random(0))


async def crowd(system: System) -> None:
    """Keep many connections that say nothing, or half of something, while others are served."""
    half = HEADER.pack(1 << 20, 60_000, 0, 20) + b"x" * 60_000
    with contextlib.ExitStack() as stack:
        for path in system.sockets.values():
            for number in range(300):
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
                stack.enter_context(sock)
                with contextlib.suppress(ConnectionError, BlockingIOError):
                    sock.connect(str(path))
                    if number % 2:
                        sock.send(half)
        for _ in range(200):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                sock.connect(system.address)
        await system.serves()


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


async def noise_on_the_port(address: tuple[str, int], chance: random.Random) -> None:
    """Talk to the management port as if to anything else, and as if to itself but badly."""
    settings = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    openings = [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(200),
        PREFACE,
        PREFACE + settings,
        PREFACE + settings + b"\xff\xff\xff\x01\x05\x00\x00\x00\x01",
        PREFACE + settings + b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    ]
    for _ in range(100):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(chance.choice(openings) + chance.randbytes(chance.choice([0, 9, 100, 10_000])))
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(0.02):
                await writer.drain()
                await reader.read(100)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    async with grpc.aio.insecure_channel(f"{address[0]}:{address[1]}") as channel:
        for method in (*MGMT.values(), *CTL.values()):
            call = channel.unary_unary(method.path)
            for body in (b"\x0a\xff\x01", b"\xff" * 1000):
                with pytest.raises(grpc.aio.AioRpcError):
                    await call(body, timeout=PATIENCE_S)
