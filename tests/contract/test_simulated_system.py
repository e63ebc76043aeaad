"""A small simulated system over real sockets, led by a management service in this process."""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from random import SystemRandom
from typing import Any

import pytest

from daos_control.apps.emulator.settings import Swim
from daos_control.apps.server.servicers.mgmt import mgmt_handlers
from daos_control.base import aio
from daos_control.base.der import Der
from daos_control.base.errors import DaosControlError
from daos_control.base.rankset import RankSet
from daos_control.engine.harness import Harness
from daos_control.mgmt.service import Management
from daos_control.model.member_state import MemberState
from daos_control.model.pool_property import PoolQuery
from daos_control.net.drpc import methods as drpc
from daos_control.net.grpc import server as grpc
from daos_control.net.grpc.channels import Channels
from daos_control.net.rpc.methods import CTL
from daos_control.security.components import Component
from daos_control.testing.management import Bench, some_settings
from daos_control.testing.simulation.host import SimulatedHost, Trouble
from daos_control.testing.simulation.layout import Layout
from daos_control.testing.simulation.system import Simulation, simulation
from daos_control.wire.pb.ctl import ranks_pb2, storage_pb2, storage_scm_pb2
from daos_control.wire.pb.mgmt import pool_pb2

PATIENCE_S = 30.0
LEADER = "127.126.0.1"
POOL = "1e9e8d43-59dd-42ac-8843-6de1f5513952"
SWIM = Swim(period_s=0.1, ping_s=1.0, suspect_s=0.3)
"""Deaths are noticed soon."""


async def so(condition: Callable[[], bool]) -> None:
    """Wait until sockets and tasks have made something so."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def free_ports() -> int:
    """Return the first of some ports that nobody has, below those that the system hands out."""
    while True:
        first = SystemRandom().randrange(10_000, 30_000)
        with ExitStack() as probes, suppress(OSError):
            for port in range(first, first + 3):
                probes.enter_context(socket.socket()).bind(("0.0.0.0", port))
            return first


@asynccontextmanager
async def small_system(ranks: int = 7, swim: Swim = SWIM) -> AsyncIterator[tuple[Management, Simulation]]:
    """Two engines a host; the leader's own engine, which passes group maps on, is the first simulated one."""
    port = free_ports()
    address = f"{LEADER}:{port}"
    bench = Bench(settings=some_settings(replicas=(address,), address=address))
    with tempfile.TemporaryDirectory(prefix="sim", dir="/tmp") as folder:
        layout = Layout(
            system="daos_server",
            replicas=(address,),
            network=f"127.{SystemRandom().randrange(130, 250)}",
            port=port,
            first_fabric_port=port + 1,
            ranks=ranks,
            engines=2,
            targets=1,
            folder=Path(folder),
            restart_delay_s=0.0,
        )
        async with (
            bench.leading() as management,
            aio.background() as tasks,
            grpc.serve(mgmt_handlers(management), host=LEADER, port=port, tls=None, grace_s=0.0),
            simulation(layout, swim=swim) as system,
        ):
            tasks.start("group maps", _bring_maps(bench, system))
            await so(lambda: system.serving == ranks)
            yield management, system


async def _bring_maps(bench: Bench, system: Simulation) -> None:
    """Bring the group maps that the leader's fake engine gets to the simulated ones."""
    await so(lambda: system.hosts[0].server is not None)
    bench.engines.always(drpc.Mgmt.GROUP_UPDATE, _pass_on(system))
    bench.engines.open()
    await asyncio.Event().wait()


def _pass_on(system: Simulation) -> Callable[[Any], Any]:
    def serving() -> list[Harness]:
        return [host.server.harness for host in system.hosts if host.server is not None and host.serving]

    async def pass_on(request: Any) -> Any:
        await so(lambda: bool(serving()))
        return await serving()[0].call(drpc.Mgmt.GROUP_UPDATE, request)

    return pass_on


def ranks_of(host: SimulatedHost) -> set[int | None]:
    return {engine.rank for engine in host.server.harness.engines} if host.server else set()


def states(management: Management) -> dict[MemberState, RankSet]:
    found: dict[MemberState, list[int]] = {}
    for rank, member in management.system.members.items():
        found.setdefault(member.state, []).append(rank)
    return {state: RankSet(ranks) for state, ranks in found.items()}


async def test_engines_join_die_are_reported_and_come_back() -> None:
    async with small_system() as (management, system):
        everybody = RankSet(range(1, 8))
        assert states(management) == {MemberState.JOINED: everybody}
        await so(lambda: len(system.commons.members) == 7)
        victims = RankSet([2, 5])
        assert system.kill(victims) == 2
        await so(lambda: states(management).get(MemberState.EXCLUDED) == victims)
        await so(lambda: len(system.commons.members) == 5)
        for host in system.hosts:
            assert host.server is not None
            for engine in host.server.harness.engines:
                if engine.rank in victims:
                    await engine.start()
        assert states(management) == {MemberState.JOINED: everybody}


async def test_a_pools_space_is_gathered_from_all_its_ranks() -> None:
    """More ranks than one of them asks itself; one that is gone spoils the sum, as it does in DAOS.

    Until it is noticed, that is: then it is taken out of the pool, and the sum is that of the others.
    """
    async with small_system(swim=replace(SWIM, suspect_s=PATIENCE_S)) as (management, system):
        await so(lambda: len(system.commons.members) == 7)
        assert system.hosts[0].server is not None
        ask = system.hosts[0].server.harness.call
        everybody = list(range(1, 8))
        domains = management.system.tree.words(everybody)
        made = await ask(
            drpc.Mgmt.POOL_CREATE,
            pool_pb2.PoolCreateReq(
                uuid=POOL, ranks=everybody, fault_domains=domains, tier_bytes=[64 << 20, 0], num_svc_reps=1
            ),
        )
        assert (made.status, list(made.tgt_ranks), made.tier_bytes[0]) == (0, everybody, 64 << 20)
        query = pool_pb2.PoolQueryReq(id=POOL, svc_ranks=made.svc_reps, query_mask=PoolQuery.SPACE)
        told = await ask(drpc.Mgmt.POOL_QUERY, query)
        assert (told.status, told.active_targets, told.tier_stats[0].total) == (0, 7, 7 * 64 << 20)
        gone = next(host for host in system.hosts[1:] if not ranks_of(host) & set(made.svc_reps))
        gone.switch_off()  # a killed engine would be back before anybody asks
        await so(lambda: gone.server is None)
        assert (await ask(drpc.Mgmt.POOL_QUERY, query)).status == Der.UNREACH


async def test_a_scan_sees_less_room_when_there_is_a_pool() -> None:
    """As of genuine engines, though these take no memory for it: shares of what is free get smaller."""
    async with small_system(2) as (management, system):
        channels = Channels(None, Component.SERVER)
        [host] = system.hosts
        assert host.server is not None
        request = storage_pb2.StorageScanReq(scm=storage_scm_pb2.ScanScmReq(usage=True))

        async def room() -> list[int]:
            reply = await channels.call(f"{host.address}:{system.layout.port}", CTL["StorageScan"], request)
            return [namespace.mount.usable_bytes for namespace in reply.scm.namespaces]

        try:
            before = await room()
            create = pool_pb2.PoolCreateReq(
                uuid=POOL, ranks=[1, 2], fault_domains=management.system.tree.words([1, 2]), tier_bytes=[1 << 30, 0]
            )
            await so(lambda: len(system.commons.members) == 2)
            assert (await host.server.harness.call(drpc.Mgmt.POOL_CREATE, create)).status == 0
            taken = [was - now for was, now in zip(before, await room(), strict=True)]
            assert all(1 << 30 <= bytes_ < (1 << 30) + (1 << 20) for bytes_ in taken)
            destroy = pool_pb2.PoolDestroyReq(id=POOL, svc_ranks=[1, 2])
            assert (await host.server.harness.call(drpc.Mgmt.POOL_DESTROY, destroy)).status == 0
            assert await room() == before
        finally:
            await channels.aclose()


async def test_a_host_without_power_says_nothing_and_comes_back_as_it_was() -> None:
    async with small_system() as (management, system):
        await so(lambda: len(system.commons.members) == 7)
        host = system.hosts[0]
        assert host.server is not None
        ranks = RankSet(engine.rank for engine in host.server.harness.engines if engine.rank is not None)
        host.switch_off()
        await so(lambda: states(management).get(MemberState.EXCLUDED) == ranks)
        host.switch_on()
        await so(lambda: states(management) == {MemberState.JOINED: RankSet(range(1, 8))})


@pytest.mark.parametrize("trouble", [Trouble.DEAF, Trouble.SILENT, Trouble.MUTE])
async def test_a_control_port_in_trouble_answers_nothing_until_it_is_healed(trouble: Trouble) -> None:
    async with small_system(2) as (_, system):
        host = system.hosts[0]
        order = ranks_pb2.RanksReq(ranks="1-2")
        address = f"{host.address}:{system.layout.port}"
        channels = Channels(None, Component.SERVER, connect_s=0.5)

        async def ask() -> list[str]:
            try:
                reply = await channels.call(address, CTL["PrepShutdownRanks"], order, timeout_s=0.5)
            except DaosControlError:
                return []
            return [result.state for result in reply.results]

        async def until_answered() -> list[str]:
            async with asyncio.timeout(PATIENCE_S):
                while not (answer := await ask()):  # noqa: ASYNC110 - the port changes at the host's next breath
                    await asyncio.sleep(0.02)
            return answer

        try:
            assert await until_answered() == ["stopping", "stopping"]
            host.trouble = trouble
            async with asyncio.timeout(PATIENCE_S):
                while await ask():  # noqa: ASYNC110 - the port changes at the host's next breath
                    await asyncio.sleep(0.02)
            assert await ask() == []
            assert host.serving == 2
            host.trouble = Trouble.NONE
            assert await until_answered() == ["stopping", "stopping"]
        finally:
            await channels.aclose()
