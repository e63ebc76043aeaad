"""What genuine clients, servers and engines said to a genuine management service, said to ours.

The recorded requests are put to our handlers in their order. Whatever our service then asks of an engine must be
what the genuine one asked, field by field, and is answered as the genuine engine answered; what our service replies
must be what the genuine one replied. Not compared is what time and chance decide: times, version counters, order.

Two questions are ours alone: ranks are asked to remove what a refused creation may have left on them, and a pool,
which ranks it has, after an extension or reintegration that was refused.

Left out are requests that were recorded together with another on the same stream, and methods of later days.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import DecodeError, Message

from daos_control.apps.server.servicers.mgmt import SERVED, mgmt_handlers
from daos_control.apps.server.servicers.upcalls import Upcalls
from daos_control.base import aio
from daos_control.base.errors import DaosControlError, DaosError
from daos_control.mgmt.events import Events
from daos_control.mgmt.ports import ClientHint, Settings
from daos_control.mgmt.rules.pools import EngineStorage
from daos_control.mgmt.service import Management
from daos_control.model.pool_property import PoolQuery
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcDisconnected
from daos_control.net.drpc.frames import Assembler, Rules
from daos_control.net.drpc.server import Peer
from daos_control.net.rpc.handlers import Caller
from daos_control.net.rpc.methods import Method, find
from daos_control.net.rpc.status import Status, from_status, to_status
from daos_control.store.memory import MemoryStore
from daos_control.testing.clock import ManualClock
from daos_control.testing.data_plane import CapturedEvents, CapturedPost, FakeHosts, FakePremises
from daos_control.testing.management import until
from daos_control.wire.pb import drpc_pb2
from daos_control.wire.pb.mgmt import check_pb2, svc_pb2, system_pb2

UNORDERED = ("rank_uris", "ms_ranks", "pools", "results", "properties")
"""Lists and maps whose order changes from run to run of the genuine service."""
RANKS_OF_A_POOL = PoolQuery.ENGINES_ENABLED | PoolQuery.ENGINES_DISABLED
ASKED_OF_ITSELF = {"PoolDrain", "PoolReintegrate", "PoolRebuildStart", "PoolRebuildStop", "PoolSelfHealEval"}
NOT_ABOUT_US = (
    "not the DAOS Management Service leader",  # an election we do not have
    *("uninitialized", "unavailable (not started yet"),  # before the format; how that is answered is a unit test
    *("version", "not compatible"),  # refused before the service sees it
)
NO_BDEVS = EngineStorage(targets=1, has_bdevs=False, md_on_ssd=False)


def message_of(frames: list[str] | None) -> bytes | None:
    """Return what recorded packets carried."""
    assembler = Assembler(rules=Rules.GO)
    for frame in frames or ():
        message = assembler.feed(bytes.fromhex(frame))
        if message is not None:
            return message
    return None


@dataclass
class EngineCall:
    """A recorded call over dRPC, either way."""

    t: float
    method: drpc.Method[Any, Any]
    request: Any
    reply: Any
    used: bool = False


@dataclass
class Recording:
    """One scenario: what was said over gRPC and over dRPC, in order."""

    rpcs: list[dict[str, Any]]
    to_engines: list[EngineCall]
    from_engines: list[EngineCall]

    @classmethod
    def load(cls, folder: Path, name: str) -> "Recording":
        rpcs = [json.loads(line) for line in (folder / "drpc" / f"{name}.grpc.jsonl").read_text().splitlines()]
        calls = [json.loads(line) for line in (folder / "drpc" / f"{name}.jsonl").read_text().splitlines()]
        to_engines = list(_calls(calls, "server", "engine"))
        return cls(rpcs, to_engines, list(_calls(calls, "engine", "server")))


def _calls(lines: list[dict[str, Any]], sender: str, receiver: str) -> Iterator[EngineCall]:
    for line in lines:
        if not (line["from"].startswith(sender) and line["to"].startswith(receiver)):
            continue
        call = drpc_pb2.Call.FromString(message_of(line["call_frames_hex"]) or b"")
        method = drpc.BY_ID[call.module, call.method]
        answer = message_of(line["response_frames_hex"])
        reply = None if answer is None else method.parse_reply(drpc_pb2.Response.FromString(answer).body)
        yield EngineCall(line["t"], method, method.parse_request(call.body), reply)


@dataclass
class RecordedEngines:
    """A data plane that answers what the genuine engines answered, and only to what they were asked."""

    calls: list[EngineCall]
    now: float = 0.0
    ranks: tuple[int, ...] = (0, 1)
    set_ups: list[tuple[int, int]] = field(default_factory=list)

    async def call(self, method: drpc.Method[Any, Any], request: Any, /, *, timeout_s: float | None = None) -> Any:
        if method == drpc.Mgmt.GROUP_UPDATE or (method == drpc.Mgmt.POOL_DESTROY and self._refused(request.id)):
            return method.reply()
        if method == drpc.Mgmt.POOL_QUERY and request.query_mask == RANKS_OF_A_POOL:
            return method.reply(enabled_ranks="[0-1]")
        unused = [call for call in self.calls if call.method == method and not call.used]
        same = [call for call in unused if _comparable(call.request) == _comparable(request)]
        asked = [call.request for call in unused]
        assert same, f"{method}: no genuine server asked\n{request}\nbut\n{asked[:1]}"
        found = min(same, key=lambda call: abs(call.t - self.now))
        found.used = True
        if found.reply is None:
            raise DrpcDisconnected("/recorded", "the engine died")
        return found.reply

    def _refused(self, uuid: str) -> bool:
        """Whether the engines were asked for a pool of this uuid and refused."""
        creations = [call for call in self.calls if call.used and call.method == drpc.Mgmt.POOL_CREATE]
        return any(call.request.uuid == uuid and call.reply is not None and call.reply.status for call in creations)

    async def set_up(self, instance: int, rank: int, map_version: int, /) -> None:
        assert map_version
        self.set_ups.append((instance, rank))

    async def usable(self) -> None:
        return


@dataclass
class RecordedHosts(FakeHosts):
    """Hosts that pass what the checker is told on to the recorded engines."""

    engines: RecordedEngines = field(default_factory=lambda: RecordedEngines([]))

    async def call(self, address: str, method: Method, request: Any, /, *, timeout_s: float | None = None) -> Any:
        if method.name != "CheckEngineRepair":
            return await super().call(address, method, request, timeout_s=timeout_s)
        reply = await self.engines.call(drpc.Mgmt.CHK_ACT, request.req)
        return method.reply(rank=request.rank, resp=reply)


@dataclass
class Replay:
    """Our service in the place of the genuine one."""

    recording: Recording
    settings: Settings
    store: MemoryStore = field(default_factory=MemoryStore)
    compared: int = 0

    @asynccontextmanager
    async def service(self) -> AsyncIterator[tuple[Management, RecordedEngines]]:
        engines = RecordedEngines(self.recording.to_engines)
        management = Management(
            settings=self.settings,
            data_plane=engines,
            hosts=RecordedHosts(engines=engines),
            premises=FakePremises(),
            events=CapturedEvents(),
            clock=ManualClock(),
            pause_s=0,
            retry_s=0,
        )
        async with aio.background() as tasks:
            tasks.start("management", management.run(self.store))
            await until(lambda: management.leading)
            yield management, engines

    async def run(self, until_t: float = 1e9) -> None:
        """Say everything, in order, and compare what comes back."""
        async with self.service() as (management, engines):
            handlers = {"": mgmt_handlers(management)}
            elsewhere = Management(
                settings=replace(self.settings, address=None),
                data_plane=engines,
                hosts=FakeHosts(),
                premises=FakePremises(),
                events=CapturedEvents(),
                clock=ManualClock(),
            )
            handlers["storage2"] = mgmt_handlers(elsewhere)
            for t, what in self._in_order(until_t):
                engines.now = t
                if isinstance(what, EngineCall):
                    await self._upcall(management, what)
                else:
                    here = handlers.get(what.get("to_host") or "", handlers[""])
                    await self._rpc(here, what)

    def _in_order(self, until_t: float) -> Iterator[tuple[float, Any]]:
        known = {drpc.Srv.GET_POOL_SVC, drpc.Srv.POOL_FIND_BYLABEL, drpc.Srv.LIST_POOLS, drpc.Srv.GET_SYS_PROPS}
        known |= {drpc.Srv.CLUSTER_EVENT, drpc.Srv.CHK_LIST_POOL, drpc.Srv.CHK_REG_POOL, drpc.Srv.CHK_DEREG_POOL}
        said: list[tuple[float, Any]] = [(call.t, call) for call in self.recording.from_engines if call.method in known]
        said += [(rpc["t"], rpc) for rpc in self.recording.rpcs if _replayable(rpc)]
        return iter([pair for pair in sorted(said, key=lambda pair: pair[0]) if pair[0] < until_t])

    async def _upcall(self, management: Management, call: EngineCall) -> None:
        async def nowhere(*_: Any) -> Any:
            raise AssertionError("the leader answers itself")

        events = Events(CapturedPost(failures=[AssertionError("the leader answers itself")]))
        events.attach(management)
        handlers = Upcalls(management=management, events=events, ask_service=nowhere).handlers()
        reply = await handlers[call.method](call.request, Peer(1, 0, 0))
        assert _comparable(reply) == _comparable(call.reply), call
        self.compared += 1

    async def _rpc(self, handlers: Any, rpc: dict[str, Any]) -> None:
        method = find(rpc["path"])
        assert method is not None
        request = method.request.FromString(bytes.fromhex(rpc["request_hex"] or ""))
        host = {"storage2": "10.8.0.2"}.get(rpc.get("from_host") or "", "127.0.0.1")
        try:
            reply = await handlers[rpc["path"]](request, Caller(component=None, address=f"{host}:4711"))
            if isinstance(reply, bytes):
                reply = method.reply.FromString(reply)
            if getattr(reply, "status", 0):
                raise DaosError(reply.status)
        except DaosControlError as error:
            _same_error(error, rpc)
        else:
            if (rpc.get("note") or "").startswith("streaming"):
                return  # the reply was recorded together with another
            expected = method.reply.FromString(bytes.fromhex(rpc["response_hex"] or ""))
            assert rpc["status"] == 0 or rpc["response_hex"], (
                f"{rpc['path']}: expected {rpc.get('message')}, got {reply}"
            )
            assert _comparable(reply) == _comparable(expected), f"{rpc['path']} at {rpc['t']}"
        self.compared += 1


def _replayable(rpc: dict[str, Any]) -> bool:
    method = find(rpc["path"])
    if method is None or method.name not in SERVED or not rpc["path"].startswith("/mgmt.") or rpc.get("status") is None:
        return False
    if rpc["from"] == "server" and method.name in ASKED_OF_ITSELF:
        return False  # a genuine leader does to pools what is asked of all of them by calling itself
    if any(text in (rpc.get("message") or "") for text in NOT_ABOUT_US):
        return False
    try:
        method.reply.FromString(bytes.fromhex(rpc["response_hex"] or ""))
    except DecodeError:
        return False  # two replies recorded as one
    return True


def _same_error(error: DaosControlError, rpc: dict[str, Any]) -> None:
    genuine = Status(rpc["status"], rpc.get("message") or "", bytes.fromhex(rpc.get("details_hex") or ""))
    ours = to_status(error)
    assert ours.code == genuine.code, f"{rpc['path']} at {rpc['t']}: {error}, not {genuine.message}"
    if not genuine.details:
        assert ours.message == genuine.message
    else:
        decoded = from_status(genuine)
        assert type(decoded) is type(error)
        assert str(decoded) == str(error) or decoded == error


def _comparable(message: Any) -> Any:
    """Take out of a reply what time and chance decide."""
    if message is None:
        return None
    kept: Message = type(message)()
    kept.CopyFrom(message)
    _without_chance(kept)
    if "data_version" in kept.DESCRIPTOR.fields_by_name:
        kept.ClearField("data_version")
    for name in UNORDERED:
        if name in kept.DESCRIPTOR.fields_by_name:
            if isinstance(getattr(kept, name), Mapping):
                continue
            values = sorted(getattr(kept, name), key=str)
            kept.ClearField(name)
            getattr(kept, name).extend(values)
    return kept


def _without_chance(kept: Any) -> None:
    if isinstance(kept, svc_pb2.JoinResp):
        assert kept.map_version
        kept.ClearField("map_version")
    if isinstance(kept, system_pb2.SystemQueryResp):
        for member in kept.members:
            assert member.last_update
            member.ClearField("last_update")
    if isinstance(kept, check_pb2.CheckQueryResp):
        for report in kept.reports:  # what an action means is said in our own words
            assert len(report.act_msgs) == (len(report.act_choices) or 1)
            report.ClearField("act_msgs")


def settings(storage: EngineStorage = NO_BDEVS, address: str = "127.0.0.1:10001", net_dev_class: int = 772) -> Settings:
    return Settings(
        system_name="daos_server",
        hostname="storage1",
        replicas=(address,),
        address=address,
        hints=(ClientHint(provider="ofi+tcp", net_dev_class=net_dev_class, srv_srx_set=1),),
        storage=storage,
    )


async def test_a_fresh_start_and_two_restarts(recordings: Path) -> None:
    first = Replay(Recording.load(recordings, "a_fresh_start"), settings())
    await first.run()
    again = Replay(Recording.load(recordings, "b_restart"), settings(), store=first.store)
    await again.run()
    assert (first.compared, again.compared) == (12, 7)


@pytest.mark.parametrize(
    ("name", "storage", "until_t", "compared"),
    [
        ("c_pool_life", NO_BDEVS, 1e9, 169),
        ("d_agent_insecure", NO_BDEVS, 1e9, 60),
        ("d_agent_usermap", NO_BDEVS, 1e9, 20),
        ("g_checker", NO_BDEVS, 140, 85),  # what follows depends on a call that was not recorded
        ("h_edge_cases", NO_BDEVS, 1e9, 19),
        ("e_storage_nvme_pool", EngineStorage(targets=1, has_bdevs=True, md_on_ssd=False), 1e9, 30),
        ("e_storage_file_bdev", EngineStorage(targets=2, has_bdevs=True, md_on_ssd=False), 1e9, 19),
        (
            "e_storage_md_on_ssd",
            EngineStorage(targets=1, has_bdevs=True, md_on_ssd=True),
            25,
            12,
        ),  # then its engine dies
    ],
)
async def test_a_scenario(recordings: Path, name: str, storage: EngineStorage, until_t: float, compared: int) -> None:
    replay = Replay(Recording.load(recordings, name), settings(storage))
    await replay.run(until_t)
    assert replay.compared >= compared


async def test_two_servers(recordings: Path) -> None:
    replay = Replay(Recording.load(recordings, "i_two_servers"), settings(address="10.8.0.1:10001", net_dev_class=1))
    await replay.run(until_t=70)
    assert replay.compared >= 40
