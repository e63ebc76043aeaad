"""The service as a whole: stepping up, joins, events, restarts, and who is told to go where."""

import asyncio
from dataclasses import replace

import pytest
from msgspec import structs

from daos_control.base import aio
from daos_control.base.errors import (
    DaosError,
    EmptyGroupMap,
    Fault,
    NotLeader,
    NotReplica,
    RaftUnavailable,
    Uninitialized,
)
from daos_control.mgmt.errors import JoinRefused, Refused
from daos_control.model.event import Event, EventId, EventType, PoolServiceInfo, Severity
from daos_control.model.member_state import MemberState
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcStatus
from daos_control.store.api import StoreUnavailable
from daos_control.store.memory import MemoryStore
from daos_control.testing.management import ADDRESS, Bench, a_join, some_settings, until
from daos_control.wire.pb.mgmt import svc_pb2

GROUP_UPDATE = drpc.Mgmt.GROUP_UPDATE


def an_event(kind: EventId, **changes: object) -> Event:
    given: dict[str, object] = {
        "id": kind,
        "type": EventType.STATE_CHANGE,
        "severity": Severity.NOTICE,
        "message": "it happened",
        "timestamp": "",
    }
    return Event(**{**given, **changes})  # type: ignore[arg-type]


# -- admission -------------------------------------------------------------------------------------------------------


async def test_a_server_without_a_replica_names_those_that_have_one(bench: Bench) -> None:
    bench.settings = some_settings(address=None)
    management = bench.management()
    for check in (management.check_replica, management.check_has_replica):
        with pytest.raises(NotReplica, match=f"try one of {ADDRESS}"):
            check()
    with pytest.raises(NotReplica):
        await management.check_leader()
    with pytest.raises(Refused):
        await management.run(bench.store)


async def test_a_replica_without_storage_is_uninitialized(bench: Bench) -> None:
    management = bench.management()
    management.check_has_replica()
    with pytest.raises(Uninitialized):
        management.check_replica()
    with pytest.raises(Uninitialized):
        await management.check_leader()
    assert management.leader == ""


@pytest.mark.parametrize("sent", ["daos_server", "daos_server-2.8.0", "daos_server-v2.8.0", "daos_server-0.0.1"])
def test_the_systems_name_may_carry_a_version(bench: Bench, sent: str) -> None:
    bench.management().check_system_name(sent)


@pytest.mark.parametrize("sent", ["", "other", "daos_server-2.8", "daos_server-", "daos_server-x.y.z", "other-2.8.0"])
def test_other_systems_are_turned_away(bench: Bench, sent: str) -> None:
    with pytest.raises(Fault) as error:
        bench.management().check_system_name(sent)
    assert error.value.code == 603


def test_a_name_may_look_like_one_with_a_version(bench: Bench) -> None:
    bench.settings = some_settings(system_name="a-b")
    bench.management().check_system_name("a-b")
    bench.management().check_system_name("a-b-2.8.0")


async def test_leader_requests_wait_for_the_step_up(bench: Bench) -> None:
    bench.store.hold()
    management = bench.management()
    async with asyncio.TaskGroup() as group:
        life = group.create_task(management.run(bench.store))
        await asyncio.sleep(0)
        waiting = group.create_task(management.check_leader())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not waiting.done()
        bench.store.release()
        await waiting
        assert management.leader == ADDRESS
        life.cancel()
    with pytest.raises(Uninitialized):
        await management.check_leader()


# -- joins -----------------------------------------------------------------------------------------------------------


async def test_a_remote_engine_joins_and_the_others_hear_of_it(bench: Bench) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        joined, local = await management.join(a_join(7))
        assert (joined.member.rank, local) == (1, False)
        (update,) = await bench.engines.asked(GROUP_UPDATE)
        assert update.map_version > joined.map_version
        assert [(engine.rank, engine.uri) for engine in update.engines] == [(1, a_join(7).uri)]
    assert bench.engines.set_ups == []


async def test_our_own_first_engine_is_set_up_before_it_is_answered(bench: Bench) -> None:
    async with bench.leading() as management:
        joined, local = await management.join(a_join(1, rank=0))
        assert local
        assert bench.engines.set_ups == [(0, 0, joined.map_version)]
        assert (await bench.engines.asked(GROUP_UPDATE))[0].map_version > joined.map_version


async def test_our_other_engines_are_set_up_by_their_own_server(bench: Bench) -> None:
    async with bench.leading() as management:
        _, local = await management.join(a_join(1, index=1))
        assert not local
    assert bench.engines.set_ups == []


async def test_two_thousand_joins_cost_tens_of_commits(bench: Bench) -> None:
    async with bench.leading() as management:
        before = bench.store.commits
        async with asyncio.TaskGroup() as group:
            for number in range(1, 2049):
                group.create_task(management.join(a_join(number)))
        assert bench.store.commits - before <= 50
        assert set(management.system.members) == set(range(1, 2049))


async def test_a_refused_engine_makes_an_event(bench: Bench) -> None:
    async with bench.leading() as management:
        await management.join(a_join(2))
        with pytest.raises(JoinRefused):
            await management.join(structs.replace(a_join(2), addr="10.0.0.9:10001"))
        with pytest.raises(JoinRefused):
            await management.join(a_join(3, uri="ofi+verbs://x"))
    assert bench.events.names == ["engine_join_failed"] * 2


async def test_an_engine_may_replace_one_that_no_pool_uses(bench: Bench) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        await management.join(a_join(2))
        joined, _ = await management.join(structs.replace(a_join(2), uuid=a_join(9).uuid, replace=True))
        assert joined.member.rank == 1
        assert management.system.by_uuid == {a_join(9).uuid: 1}


# -- group updates ---------------------------------------------------------------------------------------------------


async def test_changes_during_an_update_go_out_together_and_never_backwards(bench: Bench) -> None:
    gate = asyncio.Event()

    async def slowly(_: svc_pb2.GroupUpdateReq) -> svc_pb2.GroupUpdateResp:
        await gate.wait()
        return svc_pb2.GroupUpdateResp()

    bench.engines.answer(GROUP_UPDATE, slowly)
    async with bench.leading() as management:
        bench.engines.open()
        await management.join(a_join(2))
        await bench.engines.asked(GROUP_UPDATE)
        for number in range(3, 9):
            await management.join(a_join(number))
        gate.set()
        first, second = await bench.engines.asked(GROUP_UPDATE, 2)
        assert [engine.rank for engine in first.engines] == [1]
        assert [engine.rank for engine in second.engines] == [1, 2, 3, 4, 5, 6, 7]
        assert second.map_version == management.system.map_version > first.map_version


async def test_a_failed_update_is_repeated(bench: Bench) -> None:
    bench.engines.answer(
        GROUP_UPDATE, svc_pb2.GroupUpdateResp(status=-1025), DrpcStatus(2), DaosError(-1025), svc_pb2.GroupUpdateResp()
    )
    async with bench.leading() as management:
        bench.engines.open()
        await management.join(a_join(2))
        updates = await bench.engines.asked(GROUP_UPDATE, 4)
        assert len({update.map_version for update in updates}) == 1


# -- events ----------------------------------------------------------------------------------------------------------


async def test_a_dead_engine_and_a_dead_rank(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management)
        await management.on_event(an_event(EventId.ENGINE_DIED, rank=1, incarnation=100, message="killed"))
        assert management.system.members[1].state is MemberState.ERRORED
        assert management.system.members[1].info == "killed"
        version = management.system.map_version
        for _ in range(3):
            await management.on_event(an_event(EventId.SWIM_RANK_DEAD, rank=1, incarnation=100))
        assert management.system.members[1].state is MemberState.EXCLUDED
        assert management.system.map_version == version + 1, "many tell of one death"
        await management.on_event(an_event(EventId.SWIM_RANK_DEAD, rank=77, incarnation=1))
        await management.on_event(an_event(EventId.POOL_REPLICAS_UPDATED, pool_uuid="x", info=PoolServiceInfo((1,))))
        await management.on_event(an_event(EventId.DEVICE_PLUGGED))


# -- what is asked ---------------------------------------------------------------------------------------------------


async def test_attach_info_is_serialised_once_for_each_map_version(bench: Bench) -> None:
    bench.settings = some_settings(replicas=(ADDRESS, "10.0.0.9:10001", "10.0.0.8:10001"))
    async with bench.leading() as management:
        with pytest.raises(EmptyGroupMap):
            management.attach_info(all_ranks=True)
        await bench.with_members(management, 3)
        reply = management.attach_info(all_ranks=True)
        assert management.attach_info(all_ranks=True) is reply
        await management.set_attributes({"some": "thing"})
        assert management.attach_info(all_ranks=True) is reply, "the map is the same"
        await management.join(a_join(4))
        assert management.attach_info(all_ranks=True) is not reply
        message = svc_pb2.GetAttachInfoResp.FromString(management.attach_info(all_ranks=False))
        assert [entry.rank for entry in message.rank_uris] == [1], "only the ranks beside replicas"
        assert list(message.ms_ranks) == [1]
        assert message.client_net_hint.provider == "ofi+tcp"


async def test_a_reformatted_server_starts_from_nothing(bench: Bench) -> None:
    management = bench.management()
    for store, host in ((bench.store, 2), (MemoryStore(), 3)):
        async with aio.background() as tasks:
            tasks.start("management", management.run(store))
            await until(lambda: management.leading)
            await management.join(a_join(host, index=1))
            reply = svc_pb2.GetAttachInfoResp.FromString(management.attach_info(all_ranks=True))
            assert [(entry.rank, entry.uri) for entry in reply.rank_uris] == [(1, a_join(host).uri)]
        with pytest.raises(Uninitialized):
            management.check_replica()


# -- restarts --------------------------------------------------------------------------------------------------------


async def test_a_killed_leader_finds_everything_again(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management, 3)
        await management.set_attributes({"site": "lab"})
        await management.set_properties({"self_heal": "none"})
        before = management.system
    async with bench.leading() as management:
        assert management.system == before
        joined, _ = await management.join(a_join(2, index=1, incarnation=200))
        assert (joined.member.rank, joined.created) == (2, False)
        assert (await management.join(a_join(4)))[0].member.rank == 4


async def test_a_store_that_fails_at_first_is_tried_again(bench: Bench) -> None:
    bench.store.fail_next(StoreUnavailable("disk full"))
    async with bench.leading() as management:
        await bench.with_members(management, 1)
        assert set(management.system.members) == {1}


async def test_a_leader_deposed_by_a_rival_comes_back_when_it_may(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management, 1)
        bench.store.depose("mgmt")
        with pytest.raises(NotLeader):
            await management.join(a_join(2))
        assert not management.leading
        await until(lambda: management.leading)
        assert (await management.join(a_join(2)))[0].member.rank == 2


async def test_a_provider_changed_too_early_is_an_error_and_no_leader(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management, 1)
    bench.settings = some_settings(hints=(replace(bench.settings.hints[0], provider="ofi+verbs"),))
    management = bench.management()
    async with asyncio.TaskGroup() as group:
        life = group.create_task(management.run(bench.store))
        await asyncio.sleep(0)
        with pytest.raises(NotLeader):
            await management.check_leader()
        life.cancel()


async def test_before_the_database_is_read_a_replica_is_unavailable(bench: Bench) -> None:
    management = bench.management()
    async with bench.store.lead("mgmt", "somebody else"), asyncio.TaskGroup() as group:
        life = group.create_task(management.run(bench.store))
        await asyncio.sleep(0)
        with pytest.raises(RaftUnavailable):
            management.check_replica()
        life.cancel()
