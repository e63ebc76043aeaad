"""What daos_server said to genuine engines, said to emulated ones: the same packets in, the same fields out.

Left out of comparisons is what chance or data decided: the leader of a pool service, and free space once clients had
written something.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError, Message

from daos_control.net.drpc.errors import FrameError
from daos_control.net.drpc.frames import MAX_PACKET, Assembler, Rules, encode
from daos_control.net.drpc.methods import BY_ID, Method, Mgmt
from daos_control.testing.engines import EngineHost, engine_host
from daos_control.wire.pb import drpc_pb2
from daos_control.wire.pb.mgmt import pool_pb2, svc_pb2

pytestmark = pytest.mark.system

SCM_BYTES = {"DAOS_EMULATOR_SCM_BYTES": str(2 << 30), "DAOS_EMULATOR_REBUILD_MS": "1000"}


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[EngineHost]:
    async with engine_host(tmp_path) as running:
        yield running


class Recording:
    """One recorded call to an engine."""

    def __init__(self, number: int, line: str) -> None:
        self.number = number
        self.fields = json.loads(line)
        self.call = drpc_pb2.Call()
        self.method: Method[Any, Any] | None = None
        message = _message(self.fields["call_frames_hex"])
        if message is not None and self.fields["method_id"] is not None:
            self.call.ParseFromString(message)
            self.method = BY_ID.get((self.call.module, self.call.method))
        answer = _message(self.fields["response_frames_hex"] or [])
        self.response = None if answer is None else drpc_pb2.Response.FromString(answer)

    @property
    def engine(self) -> int:
        return int(self.fields["to"].removeprefix("engine"))


def _message(frames: list[str]) -> bytes | None:
    assembler = Assembler(rules=Rules.C)
    message = None
    for frame in frames:
        message = assembler.feed(bytes.fromhex(frame))
    return message


def _to_engines(recordings: Path, name: str) -> list[Recording]:
    lines = (recordings / "drpc" / f"{name}.jsonl").read_text().splitlines()
    calls = [Recording(number, line) for number, line in enumerate(lines, 1) if '"to": "engine' in line]
    assert calls, "the recording has no calls to engines"
    return calls


async def _ask(host: EngineHost, recorded: Recording, body: bytes) -> drpc_pb2.Response:
    """Send the recorded packet, with this body, and return the whole response."""
    loop = asyncio.get_running_loop()
    call = drpc_pb2.Call()
    call.CopyFrom(recorded.call)
    call.body = body
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as sock:
        sock.connect(host.engines[recorded.engine].ready.drpcListenerSock)
        packets = encode(call.SerializeToString())
        if recorded.method is None:
            packets = iter(bytes.fromhex(frame) for frame in recorded.fields["call_frames_hex"])
        for packet in packets:
            await loop.sock_sendall(sock, packet)
        assembler = Assembler(rules=Rules.C)
        async with asyncio.timeout(20):
            while (message := assembler.feed(await loop.sock_recv(sock, MAX_PACKET))) is None:
                pass
    return drpc_pb2.Response.FromString(message)


def _adapted(host: EngineHost, recorded: Recording) -> bytes:
    """The recorded body, with our engines' addresses in place of the recorded ones."""
    if recorded.method != Mgmt.GROUP_UPDATE:
        return recorded.call.body
    try:
        request = svc_pb2.GroupUpdateReq.FromString(recorded.call.body)
    except DecodeError:
        return recorded.call.body
    for member in request.engines:
        ready = host.engines[member.rank].ready
        member.uri, member.incarnation = ready.uri, ready.incarnation
    return request.SerializeToString()


def _reply(recorded: Recording, response: drpc_pb2.Response) -> Message | None:
    return recorded.method.parse_reply(response.body) if recorded.method else None


def _without_chance(reply: Message | None, *, data: bool) -> Message | None:
    if isinstance(reply, pool_pb2.PoolCreateResp | pool_pb2.PoolQueryResp):
        reply.ClearField("svc_ldr")
    if data and isinstance(reply, pool_pb2.PoolQueryResp):
        for stats in reply.tier_stats:
            for name in ("free", "min", "max", "mean"):
                stats.ClearField(name)
    if data and isinstance(reply, pool_pb2.PoolQueryTargetResp):
        for info in reply.infos:
            for space in info.space:
                space.ClearField("free")
    if isinstance(reply, pool_pb2.ListContResp):
        for container in reply.containers:
            container.ClearField("uuid")
    return reply


async def _replay(host: EngineHost, recorded: Recording, *, data: bool = False, patience_s: float = 0.0) -> None:
    """Make one recorded call; with patience, again until the answer is as recorded or time is up."""
    assert recorded.response is not None
    wanted = _without_chance(_reply(recorded, recorded.response), data=data)
    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        response = await _ask(host, recorded, _adapted(host, recorded))
        got = _without_chance(_reply(recorded, response), data=data)
        same = (response.sequence, response.status, got) == (
            recorded.response.sequence,
            recorded.response.status,
            wanted,
        )
        if same or asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.05)
    assert same, f"line {recorded.number}, {recorded.fields['method']}:\n{response}\n{got}\ninstead of\n{wanted}"


@pytest.mark.timeout(120)
async def test_a_pools_life(host: EngineHost, recordings: Path) -> None:
    for index in (0, 1):
        await host.start(index, environ=SCM_BYTES)
    p1 = "59228166-8a08-4742-bacf-22416216132a"
    clients = {  # what libdaos did between these calls
        89: [f"container {p1} c1", f"container {p1}", f"container {p1}"],
        109: [f"connect {p1} storage1"],
    }
    joining = {130}  # the genuine engine had not opened its returning target yet
    for recorded in _to_engines(recordings, "c_pool_life"):
        for command in clients.get(recorded.number, []):
            assert await host.script(0, command) == "ok"
        if recorded.number in joining:
            continue
        settled = b"DONE" in recorded.fields["response_text"].encode() or recorded.number in {198, 199}
        await _replay(host, recorded, data=recorded.number >= 89, patience_s=10.0 if settled else 0.5)
        if recorded.method == Mgmt.GROUP_UPDATE:
            await asyncio.sleep(0)
    assert host.storage(0).joinpath("NEWBORNS").is_dir()
    assert not list(host.storage(0).glob("*-*-*"))


@pytest.mark.parametrize("name", ["a_fresh_start", "h_edge_cases", "h_zero_length"])
async def test_other_conversations(host: EngineHost, recordings: Path, name: str) -> None:
    for index in (0, 1):
        await host.start(index)
    known_otherwise = {
        29: "containers that clients made",
        15: "a call numbered 0, which kills a genuine engine" if name == "h_zero_length" else "",
    }
    for recorded in _to_engines(recordings, name):
        if known_otherwise.get(recorded.number) or recorded.response is None:
            continue
        await _replay(host, recorded, data=True, patience_s=1.0)


@pytest.mark.parametrize("name", ["e_storage_file_bdev", "e_storage_nvme_pool", "e_storage_md_on_ssd"])
async def test_devices(host: EngineHost, recordings: Path, tmp_path: Path, name: str) -> None:
    targets = 2 if name == "e_storage_file_bdev" else 1
    config = next((recordings / "drpc" / "artefacts" / name).glob("*daos_nvme.conf")).read_text()
    for number, size in enumerate([8 if "ssd" in name else 4] * targets):
        image = tmp_path / f"bdev{number}.img"
        with image.open("wb") as file:
            file.truncate(size << 30)
        config = config.replace(f"/var/tmp/daos_bdev{number}.img", str(image))
    (tmp_path / "nvme.conf").write_text(config)
    environ = {"DAOS_EMULATOR_TEARDOWN_MS": "0", "DAOS_EMULATOR_REBUILD_MS": "100"}
    await host.start(0, "-n", str(tmp_path / "nvme.conf"), "-b", targets=targets, environ=environ)
    names: dict[bytes, bytes] = {}
    second_life = 52 if name == "e_storage_file_bdev" else 1000
    while_rebuilding = {"e_storage_nvme_pool": {42}}.get(name, set())  # ours is over sooner
    for recorded in _to_engines(recordings, name):
        if recorded.number > second_life or recorded.number in while_rebuilding:
            continue
        if recorded.response is None:
            assert recorded.method == Mgmt.DEV_SET_FAULTY
            with pytest.raises(FrameError):  # end of file
                await _ask(host, recorded, _renamed(recorded.call.body, names))
            assert await host.engines[0].ended() == -9
            return
        busy = recorded.method == Mgmt.DEV_REPLACE and b"-1012" in recorded.fields["response_text"].encode()
        if busy:
            continue
        async with asyncio.timeout(10):
            while True:
                response = await _ask(host, recorded, _renamed(_adapted(host, recorded), names))
                names |= _new_names(recorded, response)
                got = _reply(recorded, drpc_pb2.Response(body=_renamed(response.body, names, back=True)))
                wanted = _reply(recorded, recorded.response)
                if got == wanted or recorded.method not in {Mgmt.DEV_REPLACE, Mgmt.SMD_LIST_DEVS, Mgmt.POOL_QUERY}:
                    break
                await asyncio.sleep(0.05)
        assert got == wanted, f"line {recorded.number}, {recorded.fields['method']}"


def _new_names(recorded: Recording, response: drpc_pb2.Response) -> dict[bytes, bytes]:
    """Device UUIDs are made up by every engine: pair them by position."""
    if recorded.method != Mgmt.SMD_LIST_DEVS or recorded.response is None:
        return {}
    theirs = Mgmt.SMD_LIST_DEVS.parse_reply(recorded.response.body).devices
    ours = Mgmt.SMD_LIST_DEVS.parse_reply(response.body).devices
    return {their.uuid.encode(): our.uuid.encode() for their, our in zip(theirs, ours, strict=True)}


def _renamed(body: bytes, names: dict[bytes, bytes], *, back: bool = False) -> bytes:
    for theirs, ours in names.items():
        body = body.replace(ours, theirs) if back else body.replace(theirs, ours)
    return body
