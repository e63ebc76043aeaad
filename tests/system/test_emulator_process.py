"""Emulated engines as processes: how they start, live together, and end."""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from daos_control.base.der import Der
from daos_control.net.drpc import client
from daos_control.net.drpc.errors import DrpcError, DrpcStatus, Status
from daos_control.net.drpc.methods import Method, Mgmt, Module
from daos_control.testing.engines import PATIENCE_S, EngineHost, EngineProcess, engine_host
from daos_control.wire.pb.mgmt import acl_pb2, pool_pb2, svc_pb2

pytestmark = pytest.mark.system

UUID = "1e9e8d43-59dd-42ac-8843-6de1f5513952"
SPACE, ALL = 0x1, 0x1F


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[EngineHost]:
    async with engine_host(tmp_path) as running:
        yield running


def new_pool(count: int, name: str = UUID, **fields: object) -> pool_pb2.PoolCreateReq:
    return pool_pb2.PoolCreateReq(
        **{
            "uuid": name,
            "user": "alice@",
            "user_group": "staff@",
            "properties": [pool_pb2.PoolProperty(number=1, strval=f"p{name[0]}")],
            "ranks": range(count),
            "fault_domains": [0, 2, 1, 1, 1, 2, count, *range(count)],
            "tier_bytes": [64 << 20, 0],
            **fields,  # type: ignore[arg-type]
        }
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something another process does."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  another process, nothing to wait on
            await asyncio.sleep(0.02)


def mode_of(path: str) -> int:
    return Path(path).stat().st_mode & 0o777


def dumps_of(pid: int) -> list[Path]:
    return list(Path("/tmp").glob(f"daos_dump_{pid}_*.txt"))


async def query(engine: EngineProcess, ranks: int, mask: int = ALL, uuid: str = UUID) -> pool_pb2.PoolQueryResp:
    return await engine.call(Mgmt.POOL_QUERY, pool_pb2.PoolQueryReq(id=uuid, svc_ranks=range(ranks), query_mask=mask))


async def until_version(engine: EngineProcess, ranks: int, version: int) -> pool_pb2.PoolQueryResp:
    async with asyncio.timeout(PATIENCE_S):
        while (reply := await query(engine, ranks)).version < version:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.05)
    return reply


async def until_known_dead(engine: EngineProcess, ranks: list[int]) -> None:
    """Wait until an engine holds just these ranks for dead."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            status = await engine.call(Mgmt.GROUP_STATUS_GET, svc_pb2.GetGroupStatusReq())
            if list(status.dead_ranks) == ranks:
                return
            await asyncio.sleep(0.05)  # another process


async def test_what_it_says_of_itself(host: EngineHost) -> None:
    engine = await host.start(3, "-p", "0", targets=2)
    ready = engine.ready
    assert re.fullmatch(r"ofi\+tcp://127\.0\.0\.1:\d+", ready.uri)
    assert (ready.nctxs, ready.ntgts, ready.instanceIdx, ready.check_mode) == (4, 2, 3, False)
    path = ready.drpcListenerSock
    assert Path(path).name == f"daos_engine_{engine.process.pid}.sock"
    assert mode_of(path) == 0o600
    assert "started on" not in host.output(3), "it has no rank yet"
    await host.join(engine, rank=7)
    await until(lambda: "started on" in host.output(3))
    assert (
        f"DAOS I/O Engine (v2.8.0) process {engine.process.pid} started on rank 7 "
        f"with 2 target, 0 helper XS, firstcore 0, host {socket.gethostname()}." in host.output(3)
    )


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGBUS, 1), (signal.SIGKILL, -signal.SIGKILL)],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_signals_that_end_it(host: EngineHost, number: signal.Signals, status: int) -> None:
    await host.start_joined(1)
    engine = host.engines[0]
    assert await engine.stop(number) == status


async def test_signals_that_do_not(host: EngineHost) -> None:
    await host.start_joined(1)
    engine = host.engines[0]
    for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2):
        engine.process.send_signal(number)
    assert (await engine.call(Mgmt.PING_RANK, svc_pb2.PingRankReq())).status == 0
    pid = engine.process.pid
    modes = ("unattended mode", " attended mode")
    await until(lambda: all(any(mode in dump.read_text() for dump in dumps_of(pid)) for mode in modes))
    dumps = dumps_of(pid)
    for dump in dumps:
        dump.unlink()


@pytest.mark.parametrize(
    ("options", "environ", "says"),
    [
        (["-q"], {}, "usage"),
        (["-T", "9"], {}, "tiers"),
        ([], {"D_INTERFACE": "nosuch0"}, "nosuch0"),
        ([], {"D_PROVIDER": ""}, "D_PROVIDER"),
        (["-n", "/nonexistent"], {}, "/nonexistent"),
        ([], {"DAOS_EMULATOR_SCRIPT": "explode"}, "explode"),
    ],
    ids=["option", "range", "interface", "provider", "config", "script"],
)
async def test_it_does_not_start(host: EngineHost, options: list[str], environ: dict[str, str], says: str) -> None:
    host.storage(0).mkdir()
    process = await host.spawn(0, *options, environ=environ)
    assert await process.wait() == 1
    assert says in host.output(0)
    assert "Traceback" not in host.output(0)


async def test_a_taken_port(host: EngineHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host.storage(0).mkdir()
        process = await host.spawn(0, environ={"D_PORT": str(taken.getsockname()[1])})
        assert await process.wait() == 1
    assert "Traceback" not in host.output(0)


async def test_it_ends_when_there_is_no_server(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    other = EngineHost(folder=elsewhere)
    other.storage(0).mkdir()
    process = await other.spawn(0)
    assert await process.wait() == 1
    assert "daos_server.sock" in other.output(0)


async def test_pools_are_there_after_a_restart(host: EngineHost) -> None:
    await host.start_joined(2, targets=2)
    created = await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(2))
    assert (created.status, list(created.tgt_ranks), list(created.svc_reps)) == (0, [0, 1], [0, 1])
    request = acl_pb2.ModifyACLReq(id=UUID, entries=["A::bob@:r"], svc_ranks=[0, 1])
    assert (await host.engines[1].call(Mgmt.POOL_UPDATE_ACL, request)).status == 0
    before = await query(host.engines[0], 2)
    incarnations = {index: engine.ready.incarnation for index, engine in host.engines.items()}
    for engine in list(host.engines.values()):
        await engine.stop(signal.SIGKILL)
    await host.start_joined(2, targets=2)
    assert await query(host.engines[1], 2) == before
    access = await host.engines[1].call(Mgmt.POOL_GET_ACL, acl_pb2.GetACLReq(id=UUID, svc_ranks=[0, 1]))
    assert list(access.acl.entries) == ["A::OWNER@:rw", "A::bob@:r", "A:G:GROUP@:rw"]
    assert all(engine.ready.incarnation > incarnations[index] for index, engine in host.engines.items())
    assert (await host.until_event(10)).pool_svc_info.version == 1
    assert (await host.until_event(10)).pool_svc_info.version > 1, "each leader is a new term"


async def test_nothing_acknowledged_is_lost_to_kills(host: EngineHost) -> None:
    """Pools are created and destroyed while the engine is killed again and again, at any moment."""
    await host.start_joined(1)
    present: set[str] = set()
    for round_ in range(12):
        doubtful: set[str] = set()
        killer = asyncio.get_running_loop().call_later(
            0.003 * (round_ + 1), os.kill, host.engines[0].process.pid, signal.SIGKILL
        )
        with contextlib.suppress(DrpcError):
            for step in range(1000):
                uuid = f"{round_:08x}-0000-4000-8000-{step:012x}"
                doubtful.add(uuid)
                reply = await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(1, uuid, tier_bytes=[16 << 20, 0]))
                assert reply.status == 0
                present.add(uuid)
                if step % 3 == 0:
                    present.discard(uuid)
                    request = pool_pb2.PoolDestroyReq(id=uuid, svc_ranks=[0])
                    assert (await host.engines[0].call(Mgmt.POOL_DESTROY, request)).status == 0
                doubtful.discard(uuid)
        killer.cancel()
        await host.engines[0].ended()
        await host.start_joined(1)
        for uuid in sorted(present - doubtful):
            assert (await query(host.engines[0], 1, 0, uuid)).status == 0, f"lost {uuid} in round {round_}"
        for uuid in doubtful:
            request = pool_pb2.PoolDestroyReq(id=uuid, svc_ranks=[0])
            assert (await host.engines[0].call(Mgmt.POOL_DESTROY, request)).status == 0
        present -= doubtful
        gone = f"{round_:08x}-0000-4000-8000-{0:012x}"
        assert (await query(host.engines[0], 1, 0, gone)).status == Der.NOTREPLICA


async def test_a_failed_create_leaves_nothing(host: EngineHost) -> None:
    await host.join(await host.start(0))
    await host.join(await host.start(1, environ={"DAOS_EMULATOR_SCM_BYTES": str(32 << 20)}))
    await host.spread_map()
    reply = await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(2))
    assert reply.status == Der.NOSPACE
    assert not list(host.storage(0).glob("*-*-*"))


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"tier_bytes": [64 << 20]}, Der.INVAL),
        ({"uuid": "p1"}, Der.INVAL),
        ({"ranks": [0, 5], "fault_domains": [0, 2, 1, 1, 1, 2, 2, 0, 5]}, Der.OOG),
        ({"fault_domains": []}, Der.INVAL),
        ({"acl": ["nonsense"]}, Der.INVAL),
        ({"num_svc_reps": 11}, Der.INVAL),
        ({"properties": [pool_pb2.PoolProperty(number=1)]}, Der.INVAL),
        ({"properties": [pool_pb2.PoolProperty(number=11, numval=2)]}, Der.INVAL),
        ({"tier_bytes": [64 << 20, 1 << 30]}, Der.NOSPACE),
        ({"tier_bytes": [1 << 20, 0]}, Der.INVAL),
        ({"tier_bytes": [(4 << 30) - (64 << 20), 0]}, Der.NOSPACE),
    ],
    ids=[
        "tiers",
        "uuid",
        "group",
        "domains",
        "acl",
        "replicas",
        "no value",
        "redundancy",
        "no nvme",
        "tiny",
        "no room for its service",
    ],
)
async def test_pools_that_cannot_be(host: EngineHost, change: dict[str, object], status: Der) -> None:
    await host.start_joined(1)
    assert (await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(1, **change))).status == status  # type: ignore[arg-type]
    assert not list(host.storage(0).glob("*-*-*"))


async def test_a_dead_rank_is_noticed_and_kept_out(host: EngineHost) -> None:
    await host.start_joined(3)
    assert (await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(3))).status == 0
    dead = host.engines[2]
    await dead.stop(signal.SIGKILL)
    event = await host.until_event(17)
    assert event.rank == 2
    reply = await until_version(host.engines[0], 2, 5)
    assert (reply.disabled_ranks, reply.dead_ranks, reply.enabled_ranks) == ("[2]", "[2]", "[0-1]")
    await until_known_dead(host.engines[1], [2])  # one of the two noticed, the other hears of it
    del host.engines[2]
    again = await host.start(2)
    # A suspicion that it lived to deny, as on a busy host, has made it newer, but not as new as its next life.
    assert dead.ready.incarnation <= event.incarnation < again.ready.incarnation
    await host.join(again)
    await host.spread_map()
    back = pool_pb2.PoolReintReq(id=UUID, rank=2, svc_ranks=[0, 1], tier_bytes=[64 << 20, 0])
    assert (await host.engines[0].call(Mgmt.POOL_REINT, back)).status == 0
    reply = await until_version(host.engines[0], 2, 9)
    assert (reply.disabled_ranks, reply.active_targets) == ("[]", 3)


async def test_a_rank_that_left_the_group_is_kept_out_though_nobody_here_saw_it_die(host: EngineHost) -> None:
    await host.start_joined(3)
    assert (await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(3))).status == 0
    await host.engines[2].stop(signal.SIGKILL)
    await host.spread_map({0, 1})
    event = await host.until_event(8)
    assert event.pool_uuid == UUID
    assert (await query(host.engines[0], 2)).disabled_ranks == "[2]"


async def test_the_pool_says_whether_dead_ranks_are_excluded(host: EngineHost) -> None:
    await host.start_joined(3)
    given = [pool_pb2.PoolProperty(number=1, strval="p"), pool_pb2.PoolProperty(number=4, numval=0)]
    assert (await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(3, properties=given))).status == 0
    await host.engines[2].stop(signal.SIGKILL)
    await host.until_event(17)
    assert (await query(host.engines[0], 2, ALL & ~SPACE)).disabled_ranks == "[]"
    for value, status in {"pool_exclude": 0, "none": 0, "nonsense": Der.INVAL}.items():
        request = pool_pb2.PoolSelfHealEvalReq(id=UUID, svc_ranks=[0, 1], sys_prop_val=value)
        assert (await host.engines[0].call(Mgmt.POOL_SELF_HEAL_EVAL, request)).status == status


async def test_an_excluded_engine_ends_itself(host: EngineHost) -> None:
    await host.start_joined(2)
    await host.spread_map({0})
    event = await host.until_event(5)
    assert event.rank == 1
    assert event.incarnation >= host.engines[1].ready.incarnation, "it may have denied a suspicion meanwhile"
    assert await host.engines[1].ended() == -signal.SIGKILL


async def test_an_engine_that_slept_through_its_exclusion(host: EngineHost) -> None:
    await host.start_joined(3)
    sleeper = host.engines[1]
    sleeper.process.send_signal(signal.SIGSTOP)
    assert (await host.until_event(17)).rank == 1
    await host.spread_map({0, 2})
    sleeper.process.send_signal(signal.SIGCONT)
    assert (await host.until_event(5)).rank == 1
    assert await sleeper.ended() == -signal.SIGKILL


async def test_a_map_that_came_before_the_rank_is_fetched(host: EngineHost) -> None:
    await host.start_joined(1)
    late = await host.start(1)
    request = svc_pb2.GroupUpdateReq(map_version=host.map_version + 2)
    for engine in host.engines.values():
        request.engines.add(rank=engine.index, uri=engine.ready.uri, incarnation=engine.ready.incarnation)
    assert (await host.engines[0].call(Mgmt.GROUP_UPDATE, request)).status == 0
    await host.join(late)
    host.map_version = request.map_version
    await host.until_map(late)


async def test_a_lone_replica_does_not_answer_for_the_majority(host: EngineHost) -> None:
    for index in range(2):
        await host.join(await host.start(index, environ={"DAOS_EMULATOR_SERVICE_MS": "700"}))
    await host.spread_map()
    assert (await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(2))).status == 0
    await host.engines[0].stop(signal.SIGKILL)
    assert (await query(host.engines[1], 2)).status == Der.TIMEDOUT


async def test_changes_survive_the_leader(host: EngineHost) -> None:
    await host.start_joined(3)
    engines = host.engines
    created = await engines[0].call(Mgmt.POOL_CREATE, new_pool(3))
    assert created.svc_ldr == 0
    change = pool_pb2.PoolSetPropReq(
        id=UUID, svc_ranks=range(3), properties=[pool_pb2.PoolProperty(number=3, numval=42)]
    )
    assert (await engines[1].call(Mgmt.POOL_SET_PROP, change)).status == 0
    await engines[0].stop(signal.SIGKILL)
    wanted = pool_pb2.PoolGetPropReq(id=UUID, svc_ranks=range(3), properties=[pool_pb2.PoolProperty(number=3)])
    reply = await engines[1].call(Mgmt.POOL_GET_PROP, wanted)
    assert reply.properties[0].numval == 42
    assert (await query(engines[2], 3, ALL & ~SPACE)).svc_ldr == 1


async def test_a_rebuild_can_be_stopped_and_started(host: EngineHost) -> None:
    for index in range(2):
        await host.join(await host.start(index, environ={"DAOS_EMULATOR_REBUILD_MS": "60000"}))
    await host.spread_map()
    engine = host.engines[0]
    assert (await engine.call(Mgmt.POOL_CREATE, new_pool(2))).status == 0
    drain = pool_pb2.PoolDrainReq(id=UUID, rank=1, svc_ranks=[0, 1])
    stop = pool_pb2.PoolRebuildStopReq(id=UUID, svc_ranks=[0, 1])
    assert (await engine.call(Mgmt.POOL_REBUILD_STOP, stop)).status == Der.NONEXIST
    assert (await engine.call(Mgmt.POOL_DRAIN, drain)).status == 0
    assert (await query(engine, 2)).rebuild.state == pool_pb2.PoolRebuildStatus.BUSY
    await host.until_event(7)
    assert (await engine.call(Mgmt.POOL_REBUILD_STOP, stop)).status == 0
    await host.until_event(9)
    reply = await until_version(engine, 2, 3)
    assert (reply.rebuild.status, reply.disabled_ranks) == (Der.OP_CANCELED, "[]")


async def test_faults_on_request(host: EngineHost) -> None:
    await host.start_joined(1)
    assert await host.script(0, "fail POOL_CREATE BUSY") == "ok"
    assert (await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(1))).status == Der.BUSY
    assert (await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(1))).status == 0
    assert await host.script(0, f"container {UUID} c1") == "ok"
    containers = await host.engines[0].call(Mgmt.LIST_CONTAINERS, pool_pb2.ListContReq(id=UUID, svc_ranks=[0]))
    assert len(containers.containers) == 1
    assert await host.script(0, "event 21 a block could not be read") == "ok"
    assert (await host.until_event(21)).msg == "a block could not be read"
    assert (await host.script(0, "fail NOSUCH BUSY")).startswith("error: ")
    assert await host.script(0, "die POOL_QUERY") == "ok"
    with pytest.raises(DrpcError):
        await query(host.engines[0], 1)
    assert await host.engines[0].ended() == -signal.SIGKILL


async def test_a_damaged_pool_is_reported(host: EngineHost) -> None:
    await host.start_joined(1)
    assert (await host.engines[0].call(Mgmt.POOL_CREATE, new_pool(1))).status == 0
    await host.engines[0].stop()
    (host.storage(0) / UUID / "service.json").write_text("{")
    await host.start_joined(1)
    assert (await host.until_event(13)).pool_uuid == UUID
    assert (await query(host.engines[0], 1)).status == Der.NOTREPLICA


async def test_every_method_of_an_engine_is_there(host: EngineHost) -> None:
    await host.start_joined(1)
    elsewhere = {"GET_ATTACH_INFO", "NOTIFY_EXIT", "NOTIFY_POOL_CONNECT", "NOTIFY_POOL_DISCONNECT"}
    elsewhere |= {"SETUP_CLIENT_TELEM", "KILL_RANK"}
    checker = {name for name in vars(Mgmt) if name.startswith("CHK_")}
    methods = [value for value in vars(Mgmt).values() if isinstance(value, Method)]
    for method in methods:
        empty = None if method.request is type(None) else method.request()
        with contextlib.nullcontext() if method.name not in elsewhere | checker else pytest.raises(DrpcStatus) as error:
            await host.engines[0].call(method, empty)
        if method.name in checker:
            assert error.value.status == Status.UNKNOWN_MODULE
        elif method.name in elsewhere:
            assert error.value.status == Status.UNKNOWN_METHOD


async def test_noise_on_its_socket(host: EngineHost) -> None:
    await host.start_joined(1)
    path = host.engines[0].ready.drpcListenerSock
    for packet in (b"\0", bytes(24), b"\xff" * 24, os.urandom(5000), bytes(8) + os.urandom(131064)):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.connect(path)
            sock.send(packet)
    unknown = Method(Module.MGMT, 999, "UNKNOWN", svc_pb2.DaosResp, svc_pb2.DaosResp)
    with pytest.raises(DrpcStatus):
        await client.call(path, unknown, svc_pb2.DaosResp(), timeout_s=PATIENCE_S)
    assert (await host.engines[0].call(Mgmt.PING_RANK, svc_pb2.PingRankReq())).status == 0
