"""Pools from request to engine and back, with everything going wrong that can."""

import asyncio
from typing import Any

import pytest

from daos_control.base.der import Der
from daos_control.base.errors import Fault, NotLeader, PoolNotFound
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt.errors import NotStored, Refused
from daos_control.mgmt.service import Management
from daos_control.model.event import Event, EventId, EventType, PoolServiceInfo, Severity
from daos_control.model.member_state import MemberState
from daos_control.model.pool import PoolState
from daos_control.net.drpc import methods as drpc
from daos_control.net.drpc.errors import DrpcDisconnected
from daos_control.net.drpc.methods import Method
from daos_control.store.api import StoreUnavailable
from daos_control.testing.management import Bench, a_join, until
from daos_control.wire.pb.mgmt import acl_pb2, cont_pb2, pool_pb2

UUID = "11111111-2222-4333-8444-555555555555"
CREATE, DESTROY, EVICT = drpc.Mgmt.POOL_CREATE, drpc.Mgmt.POOL_DESTROY, drpc.Mgmt.POOL_EVICT
LIST, QUERY, SET_PROP = drpc.Mgmt.LIST_CONTAINERS, drpc.Mgmt.POOL_QUERY, drpc.Mgmt.POOL_SET_PROP
MADE = pool_pb2.PoolCreateResp(svc_ldr=1, svc_reps=[1, 2], tgt_ranks=[1, 2], tier_bytes=[1 << 29, 0])


def a_request(uuid: str = UUID, label: str = "tank", **changes: Any) -> pool_pb2.PoolCreateReq:
    request = pool_pb2.PoolCreateReq(
        uuid=uuid,
        sys="daos_server-2.8.0",
        user="alice@",
        user_group="staff@",
        **{"total_bytes": 1 << 30, "tier_ratio": [0.06, 0.94], **changes},
    )
    if label:
        request.properties.add(number=1, strval=label)
    return request


async def with_pool(bench: Bench, management: Management) -> None:
    bench.engines.open()
    bench.engines.answer(CREATE, MADE)
    await bench.with_members(management)
    await management.pools.create(a_request())


# -- creation --------------------------------------------------------------------------------------------------------


async def test_a_pool_is_recorded_before_engines_hear_of_it_and_ready_before_its_creator_does(bench: Bench) -> None:
    seen: list[Any] = []

    async def make(request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        seen.append((await bench.store.get(f"system/pool/{request.uuid}")).items.popitem()[1].value)  # type: ignore[attr-defined]
        return MADE

    async with bench.leading() as management:
        bench.engines.open()
        bench.engines.answer(CREATE, make)
        await bench.with_members(management)
        reply = await management.pools.create(a_request())
        assert reply == MADE
        assert b'"state":"Creating"' in seen[0]
        pool = management.system.pools[UUID]
        assert (pool.state, pool.replicas, pool.ranks, pool.tier_bytes) == (
            PoolState.READY,
            (1, 2),
            (1, 2),
            (1 << 29, 0),
        )


async def test_engines_get_what_was_decided_and_nothing_to_decide(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        (sent,) = bench.engines.requests(CREATE)
        assert (list(sent.ranks), list(sent.tier_bytes)) == ([1, 2], [1 << 29, 0])
        assert (sent.total_bytes, list(sent.tier_ratio), sent.num_ranks) == (0, [], 0)
        assert [(prop.number, prop.WhichOneof("value")) for prop in sent.properties] == [
            (1, "strval"),
            (16, "numval"),
            (18, "numval"),
        ]
        assert list(sent.fault_domains) == [0, 2, 1, 2, 1, 2, 1, 1, 4, 1, 1, 2]


async def test_asking_twice_makes_one_pool(bench: Bench) -> None:
    gate = asyncio.Event()

    async def slowly(_: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        await gate.wait()
        return MADE

    bench.engines.answer(CREATE, slowly)
    async with bench.leading() as management, asyncio.TaskGroup() as group:
        bench.engines.open()
        await bench.with_members(management)
        impatient = group.create_task(management.pools.create(a_request()))
        await bench.engines.asked(CREATE)
        impatient.cancel()
        retry = group.create_task(management.pools.create(a_request()))
        await asyncio.sleep(0)
        gate.set()
        assert await retry == MADE
        bench.engines.answer(QUERY, pool_pb2.PoolQueryResp(svc_ldr=2))
        again = await management.pools.create(a_request())
        assert (again.svc_ldr, list(again.svc_reps), list(again.tgt_ranks)) == (2, [1, 2], [1, 2])
        assert len(bench.engines.requests(CREATE)) == 1


async def test_pools_are_created_one_after_another(bench: Bench) -> None:
    running: list[str] = []

    async def make(request: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        running.append(request.uuid)
        for _ in range(5):
            await asyncio.sleep(0)
        assert running.pop() == request.uuid
        assert not running
        return MADE

    bench.engines.answer(CREATE, *[make] * 5)
    async with bench.leading() as management, asyncio.TaskGroup() as group:
        bench.engines.open()
        await bench.with_members(management)
        for number in range(5):
            request = a_request(f"{number}{UUID[1:]}", f"tank{number}")
            group.create_task(management.pools.create(request))


async def test_a_pool_that_engines_refuse_is_forgotten(bench: Bench) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        bench.engines.answer(CREATE, pool_pb2.PoolCreateResp(status=-1007), MADE)
        await bench.with_members(management)
        assert (await management.pools.create(a_request())).status == -1007
        assert management.system.pools == {}
        await until(lambda: not management.system.remains)
        assert await management.pools.create(a_request()) == MADE


async def test_a_pool_no_engine_heard_of_is_forgotten(bench: Bench) -> None:
    async with bench.leading() as management:
        await bench.with_members(management)
        with pytest.raises(Fault) as error:
            await management.pools.create(a_request())
        assert error.value.code == 611
        assert management.system.pools == {}
        assert bench.engines.requests(DESTROY) == []


async def test_a_pool_that_may_have_been_made_is_destroyed(bench: Bench) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        bench.engines.answer(CREATE, DrpcDisconnected("/sock", "the engine died"))
        await bench.with_members(management)
        with pytest.raises(Refused, match="the engine died"):
            await management.pools.create(a_request())
        (destroyed,) = bench.engines.requests(DESTROY)
        assert (destroyed.id, destroyed.force, list(destroyed.svc_ranks)) == (UUID, True, [1, 2])
        assert management.system.pools == {}


async def test_a_pool_that_cannot_be_cleaned_up_now_is_later(bench: Bench) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        bench.engines.answer(CREATE, DrpcDisconnected("/sock", "the engine died"))
        bench.engines.answer(DESTROY, pool_pb2.PoolDestroyResp(status=-1012), DrpcDisconnected("/sock", "again"))
        await bench.with_members(management)
        with pytest.raises(Refused):
            await management.pools.create(a_request())
        await bench.engines.asked(DESTROY, 3)
        await until(lambda: not management.system.pools)


async def test_a_pool_whose_making_cannot_be_recorded_is_destroyed(bench: Bench) -> None:
    def make(_: pool_pb2.PoolCreateReq) -> pool_pb2.PoolCreateResp:
        bench.store.fail_next(StoreUnavailable("disk full"))
        return MADE

    async with bench.leading() as management:
        bench.engines.open()
        bench.engines.answer(CREATE, make)
        await bench.with_members(management)
        with pytest.raises(NotStored, match="disk full"):
            await management.pools.create(a_request())
        assert management.system.pools == {}
        assert len(bench.engines.requests(DESTROY)) == 1


@pytest.mark.parametrize("state", [PoolState.CREATING, PoolState.DESTROYING])
async def test_a_new_leader_sweeps_away_what_is_half_made(bench: Bench, state: PoolState) -> None:
    hang = asyncio.Event()

    async def hangs(_: Any) -> Any:
        await hang.wait()

    async with bench.leading() as management:
        await with_pool(bench, management)
        if state is PoolState.DESTROYING:
            bench.engines.answer(DESTROY, pool_pb2.PoolDestroyResp(status=-1025))
            request = pool_pb2.PoolDestroyReq(sys="daos_server", id="tank", force=True, recursive=True)
            assert (await management.pools.destroy(request)).status == -1025
        else:
            bench.engines.answer(CREATE, hangs)
            async with asyncio.TaskGroup() as group:
                other = a_request("9" + UUID[1:], "other")
                killed = group.create_task(management.pools.create(other))
                await bench.engines.asked(CREATE, 2)
                killed.cancel()
    bench.engines.close()
    left = len(bench.engines.requests(DESTROY))
    async with bench.leading() as management:
        assert [pool.state for pool in management.system.pools.values() if not pool.ready] == [state]
        bench.engines.open()
        await bench.engines.asked(DESTROY, left + 1)
        await until(lambda: all(pool.ready for pool in management.system.pools.values()))


async def test_a_creator_whose_leader_falls_is_sent_on(bench: Bench) -> None:
    async def hangs(_: Any) -> Any:
        await asyncio.Event().wait()

    bench.engines.answer(CREATE, hangs)
    async with asyncio.TaskGroup() as group, bench.leading() as management:
        bench.engines.open()
        await bench.with_members(management)

        async def creator() -> None:
            with pytest.raises(NotLeader):
                await management.pools.create(a_request())

        group.create_task(creator())
        await bench.engines.asked(CREATE)


async def test_a_creation_from_before_is_ended_and_tried_anew(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        bench.engines.answer(DESTROY, pool_pb2.PoolDestroyResp(status=-1025))
        await management.pools.destroy(pool_pb2.PoolDestroyReq(id="tank", force=True, recursive=True))
        bench.engines.close()
        assert (await management.pools.create(a_request())).status == -1013
        bench.engines.open()
        await until(lambda: not management.system.pools)
        bench.engines.answer(CREATE, MADE)
        assert await management.pools.create(a_request()) == MADE


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (a_request(label=""), Fault),
        (a_request(uuid="nonsense"), Refused),
        (a_request(ranks=[9]), Fault),
        (a_request(total_bytes=0), Refused),
    ],
)
async def test_bad_requests_leave_no_record(bench: Bench, request_: Any, error: type[Exception]) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        await bench.with_members(management)
        with pytest.raises(error):
            await management.pools.create(request_)
        assert management.system.pools == {}
    assert bench.engines.requests(CREATE) == []


# -- destruction -----------------------------------------------------------------------------------------------------


def destroy(**changes: Any) -> pool_pb2.PoolDestroyReq:
    return pool_pb2.PoolDestroyReq(sys="daos_server-2.8.0", **{"id": "tank", **changes})


async def test_a_pool_is_evicted_marked_destroyed_and_forgotten(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        await bench.with_members(management, 3)
        assert (await management.pools.destroy(destroy())).status == 0
        assert management.system.pools == {}
        methods = [method for method, _ in bench.engines.calls if method in {LIST, EVICT, DESTROY}]
        assert methods == [LIST, EVICT, DESTROY]
        (evicted,) = bench.engines.requests(EVICT)
        assert (evicted.id, evicted.destroy, evicted.force_destroy) == (UUID, True, False)
        assert list(bench.engines.requests(DESTROY)[0].svc_ranks) == [1, 2, 3], "everywhere, not only where it is"
        with pytest.raises(PoolNotFound):
            await management.pools.destroy(destroy())


async def test_a_destruction_that_nobody_asks_for_again_is_finished_all_the_same(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        bench.engines.answer(DESTROY, pool_pb2.PoolDestroyResp(status=-1006), pool_pb2.PoolDestroyResp(status=-1006))
        request = pool_pb2.PoolDestroyReq(id="tank", force=True, recursive=True)
        assert (await management.pools.destroy(request)).status == -1006
        await until(lambda: not management.system.pools)


async def dies(management: Management, rank: int) -> None:
    member = management.system.members[rank]
    event = Event(
        id=EventId.SWIM_RANK_DEAD,
        type=EventType.STATE_CHANGE,
        severity=Severity.NOTICE,
        message="SWIM marked rank as dead.",
        timestamp="2026-01-02T03:04:05.000+00:00",
        hostname="h",
        rank=rank,
        incarnation=member.incarnation,
    )
    await management.on_event(event)
    assert management.system.members[rank].state is MemberState.EXCLUDED


async def test_a_rank_that_was_away_brings_nothing_of_a_destroyed_pool_back(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        await dies(management, 2)
        await management.pools.destroy(pool_pb2.PoolDestroyReq(id="tank", force=True, recursive=True))
        assert [list(sent.svc_ranks) for sent in bench.engines.requests(DESTROY)] == [[1]]
    async with bench.leading() as management:
        assert management.system.pools == {}
        bench.engines.answer(DESTROY, pool_pb2.PoolDestroyResp(status=-1006))
        await management.join(a_join(2, incarnation=99))
        sent = await bench.engines.asked(DESTROY, 3)
        assert [(request.id, list(request.svc_ranks)) for request in sent[1:]] == [(UUID, [2]), (UUID, [2])]
        await until(lambda: not management.system.remains)


@pytest.mark.parametrize("status", [Der.UNREACH, Der.NOSPACE, Der.INVAL])
async def test_a_pool_that_was_not_made_leaves_nothing_anywhere(bench: Bench, status: Der) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        await bench.with_members(management)
        bench.engines.answer(CREATE, pool_pb2.PoolCreateResp(status=status))
        assert (await management.pools.create(a_request())).status == status
        assert management.system.pools == {}
        (sent,) = await bench.engines.asked(DESTROY)
        assert (sent.id, list(sent.svc_ranks)) == (UUID, [1, 2])
        await until(lambda: not management.system.remains)


async def test_a_rank_that_dies_while_others_refuse_a_pool_keeps_no_share_of_it(bench: Bench) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        await bench.with_members(management)
        bench.engines.answer(CREATE, pool_pb2.PoolCreateResp(status=Der.NOSPACE))
        bench.engines.answer(DESTROY, *[pool_pb2.PoolDestroyResp(status=Der.UNREACH)] * 2)
        await management.pools.create(a_request())
        await dies(management, 2)
        await until(lambda: management.system.remains == {UUID: {2}})
        asked = len(bench.engines.requests(DESTROY))
        await management.join(a_join(2, incarnation=99))
        sent = await bench.engines.asked(DESTROY, asked + 1)
        assert list(sent[-1].svc_ranks) == [2]
        await until(lambda: not management.system.remains)


async def test_a_pool_made_anew_is_not_taken_for_the_remains_of_the_first_attempt(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        await dies(management, 2)
        await management.pools.destroy(pool_pb2.PoolDestroyReq(id="tank", force=True, recursive=True))
        bench.engines.answer(CREATE, MADE)
        await management.pools.create(a_request())
        assert management.system.remains == {UUID: {2}}
        request = pool_pb2.PoolExtendReq(id="tank", ranks=[2])
        await management.pools.pass_on(drpc.Mgmt.POOL_EXTEND, request)
        assert management.system.remains == {}


@pytest.mark.parametrize("jump_s", [-86_400 * 400, 86_400 * 4000], ids=["back", "forward"])
async def test_a_clock_that_jumps_changes_nothing_but_dates(bench: Bench, jump_s: float) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        bench.clock.jump(jump_s)
        await dies(management, 2)
        bench.clock.jump(-2 * jump_s)
        await management.join(a_join(2, incarnation=101))
        assert {member.state for member in management.system.members.values()} == {MemberState.JOINED}
        await management.pools.destroy(pool_pb2.PoolDestroyReq(id="tank", force=True, recursive=True))
        await until(lambda: not management.system.pools)
    async with bench.leading() as management:
        assert {member.state for member in management.system.members.values()} == {MemberState.JOINED}


async def test_an_attempt_that_fails_again_forgets_nothing_of_the_first(bench: Bench) -> None:
    async with bench.leading() as management:
        bench.engines.open()
        await bench.with_members(management)
        for status in (-1006, -1007):
            bench.engines.answer(CREATE, pool_pb2.PoolCreateResp(status=status))
        bench.engines.answer(DESTROY, *[pool_pb2.PoolDestroyResp(status=-1006)] * 2)
        await management.pools.create(a_request())
        await dies(management, 2)
        await management.pools.create(a_request())
        assert 2 in management.system.remains[UUID]


async def test_a_pool_with_containers_stays_unless_they_are_meant_too(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        full = pool_pb2.ListContResp()
        full.containers.add(uuid=UUID)
        bench.engines.answer(LIST, full)
        with pytest.raises(Fault) as error:
            await management.pools.destroy(destroy())
        assert error.value.code == 618
        await management.pools.destroy(destroy(recursive=True))
        assert len(bench.engines.requests(LIST)) == 1


async def test_a_pool_in_use_stays_unless_forced(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        bench.engines.answer(EVICT, *[pool_pb2.PoolEvictResp(status=-1012, count=1)] * 2)
        assert (await management.pools.destroy(destroy())).status == -1012
        assert management.system.pools[UUID].ready
        assert (await management.pools.destroy(destroy(force=True))).status == 0
        assert management.system.pools == {}


async def test_a_pool_service_that_does_not_answer_stops_all_but_force(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        bench.engines.answer(EVICT, *[DrpcDisconnected("/sock", "gone")] * 2)
        with pytest.raises(Refused):
            await management.pools.destroy(destroy())
        assert management.system.pools[UUID].ready
        assert (await management.pools.destroy(destroy(force=True))).status == 0


async def test_a_failed_destruction_is_taken_up_again(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        bench.engines.answer(DESTROY, pool_pb2.PoolDestroyResp(status=-1025))
        assert (await management.pools.destroy(destroy())).status == -1025
        assert management.system.pools[UUID].state is PoolState.DESTROYING
        assert (await management.pools.destroy(destroy())).status == 0
        assert len(bench.engines.requests(EVICT)) == 1, "not evicted twice"


# -- requests passed on ----------------------------------------------------------------------------------------------


async def test_a_query_reaches_the_service_by_uuid_and_comes_back_completed(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        await management.set_properties({"self_heal": "none"})
        bench.engines.answer(QUERY, *[pool_pb2.PoolQueryResp(svc_ldr=2)] * 2)
        plain = await management.pools.pass_on(drpc.Mgmt.POOL_QUERY, pool_pb2.PoolQueryReq(id="tank"))
        full = await management.pools.pass_on(drpc.Mgmt.POOL_QUERY, pool_pb2.PoolQueryReq(id=UUID, query_mask=0x40))
        assert (plain.leader, plain.sys_self_heal_policy) == (2, "exclude;pool_exclude;pool_rebuild")
        assert full.sys_self_heal_policy == "none"
        first, second = bench.engines.requests(QUERY)
        assert (first.id, list(first.svc_ranks), first.query_mask) == (UUID, [1, 2], 18446744073709551531)
        assert second.query_mask == 0x40


async def test_service_ranks_given_are_kept(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        await management.pools.pass_on(drpc.Mgmt.POOL_GET_ACL, acl_pb2.GetACLReq(id="tank", svc_ranks=[2]))
        assert list(bench.engines.requests(drpc.Mgmt.POOL_GET_ACL)[0].svc_ranks) == [2]


async def test_a_containers_owner_is_set_by_pool_id(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        request = cont_pb2.ContSetOwnerReq(pool_id="tank", cont_id="c", owner_user="bob@")
        await management.pools.pass_on(drpc.Mgmt.CONT_SET_OWNER, request)
        assert bench.engines.requests(drpc.Mgmt.CONT_SET_OWNER)[0].pool_id == UUID


async def test_reintegration_and_extension_carry_the_sizes_of_creation(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        await management.join(a_join(3))
        reint = pool_pb2.PoolReintReq(id="tank", rank=2, tier_bytes=[1])
        await management.pools.pass_on(drpc.Mgmt.POOL_REINT, reint)
        await management.pools.pass_on(drpc.Mgmt.POOL_EXTEND, pool_pb2.PoolExtendReq(id="tank", ranks=[3]))
        assert list(bench.engines.requests(drpc.Mgmt.POOL_REINT)[0].tier_bytes) == [1 << 29, 0]
        (extend,) = bench.engines.requests(drpc.Mgmt.POOL_EXTEND)
        assert list(extend.tier_bytes) == [1 << 29, 0]
        assert list(extend.fault_domains) == [0, 2, 1, 1, 1, 6, 1, 3]
        with pytest.raises(Refused, match="rank 9 not found in fault domain tree"):
            await management.pools.pass_on(drpc.Mgmt.POOL_EXTEND, pool_pb2.PoolExtendReq(id="tank", ranks=[9]))


EXTEND = drpc.Mgmt.POOL_EXTEND


@pytest.mark.parametrize("status", [Der.NOSPACE, Der.UNREACH])
async def test_ranks_that_a_pool_did_not_get_keep_nothing_of_it(bench: Bench, status: Der) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        await bench.with_members(management, 4)
        bench.engines.answer(EXTEND, pool_pb2.PoolExtendResp(status=status))
        bench.engines.answer(QUERY, pool_pb2.PoolQueryResp(enabled_ranks="[1-2]", disabled_ranks="[4]"))
        extend = pool_pb2.PoolExtendReq(id="tank", ranks=[3, 4])
        assert (await management.pools.pass_on(drpc.Mgmt.POOL_EXTEND, extend)).status == status
        (sent,) = await bench.engines.asked(DESTROY)
        assert (sent.id, list(sent.svc_ranks)) == (UUID, [3])
        await until(lambda: not management.system.remains)
        assert management.system.pools[UUID].ready


async def test_ranks_a_pool_may_have_got_are_left_alone_until_it_says_that_it_has_not(bench: Bench) -> None:
    async def hangs(_: Any) -> Any:
        await asyncio.Event().wait()

    bench.engines.answer(EXTEND, hangs)
    async with asyncio.TaskGroup() as group, bench.leading() as management:
        await with_pool(bench, management)
        await management.join(a_join(3))
        extend = pool_pb2.PoolExtendReq(id="tank", ranks=[3])
        begun = group.create_task(management.pools.pass_on(drpc.Mgmt.POOL_EXTEND, extend))
        await bench.engines.asked(EXTEND)
        begun.cancel()
    bench.engines.answer(
        QUERY, pool_pb2.PoolQueryResp(status=Der.TIMEDOUT), pool_pb2.PoolQueryResp(enabled_ranks="[1-3]")
    )
    async with bench.leading() as management:
        await until(lambda: not management.system.remains)
        assert len(bench.engines.requests(QUERY)) == 2
        assert bench.engines.requests(DESTROY) == []


async def test_handles_named_by_many_are_evicted_together_and_all_hear_of_it(bench: Bench) -> None:
    async with bench.leading() as management, asyncio.TaskGroup() as group:
        await with_pool(bench, management)
        bench.engines.answer(EVICT, pool_pb2.PoolEvictResp(count=3), pool_pb2.PoolEvictResp(count=1))
        asked = [
            group.create_task(management.pools.evict(pool_pb2.PoolEvictReq(id=pool, handles=handles)))
            for pool, handles in (("tank", ["a"]), ("tank", ["b", "c"]), (UUID, ["d"]))
        ]
        assert [(await one).count for one in asked] == [3, 3, 1]
        assert [list(sent.handles) for sent in bench.engines.requests(EVICT)] == [["a", "b", "c"], ["d"]]


async def test_evictions_that_fail_fail_for_all_who_asked(bench: Bench) -> None:
    async with bench.leading() as management, asyncio.TaskGroup() as group:
        await with_pool(bench, management)

        async def evict(pool: str) -> None:
            with pytest.raises(PoolNotFound):
                await management.pools.evict(pool_pb2.PoolEvictReq(id=pool, handles=["a"]))

        for _ in range(2):
            group.create_task(evict("unknown"))


async def test_who_waits_for_an_eviction_when_the_leader_falls_is_sent_on(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group, bench.leading() as management:
        await with_pool(bench, management)

        async def evict() -> None:
            with pytest.raises(NotLeader):
                await management.pools.evict(pool_pb2.PoolEvictReq(id="tank", handles=["a"]))

        group.create_task(evict())
        await asyncio.sleep(0)


@pytest.mark.parametrize("pool", ["tank", "unknown"])
@pytest.mark.parametrize("method", [drpc.Mgmt.POOL_EXCLUDE, drpc.Mgmt.POOL_DRAIN, drpc.Mgmt.POOL_REINT], ids=str)
async def test_ranks_nobody_knows_are_refused(bench: Bench, method: Method[Any, Any], pool: str) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        request = method.request(id=pool, rank=9)
        with pytest.raises(Fault) as error:
            await management.pools.pass_on(method, request)
        assert error.value.code == 606


async def test_what_changes_a_pool_takes_turns(bench: Bench) -> None:
    async def hangs(_: Any) -> Any:
        await asyncio.sleep(0.001)
        return pool_pb2.PoolExcludeResp()

    async with bench.leading() as management, asyncio.TaskGroup() as group:
        await with_pool(bench, management)
        bench.engines.answer(drpc.Mgmt.POOL_EXCLUDE, hangs)
        request = pool_pb2.PoolExcludeReq(id="tank", rank=1)
        group.create_task(management.pools.pass_on(drpc.Mgmt.POOL_EXCLUDE, request))
        await bench.engines.asked(drpc.Mgmt.POOL_EXCLUDE)
        with pytest.raises(Fault) as error:
            await management.pools.destroy(destroy(force=True))
        assert error.value.code == FaultCode.SYSTEM_POOL_LOCKED
        await management.pools.pass_on(drpc.Mgmt.POOL_QUERY, pool_pb2.PoolQueryReq(id="tank"))


async def test_no_available_replica_is_an_error(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        for rank in (1, 2):
            died = Event(id=2, type=1, severity=1, message="x", timestamp="", rank=rank)
            await management.on_event(died)
        assert management.system.members[1].state is MemberState.ERRORED
        with pytest.raises(Refused, match=f"unable to find any available service ranks for pool {UUID}"):
            await management.pools.pass_on(drpc.Mgmt.POOL_QUERY, pool_pb2.PoolQueryReq(id="tank"))


# -- labels, properties, the rest ------------------------------------------------------------------------------------


def set_prop(*properties: pool_pb2.PoolProperty) -> pool_pb2.PoolSetPropReq:
    return pool_pb2.PoolSetPropReq(sys="daos_server-2.8.0", id="tank", properties=properties)


LABEL = pool_pb2.PoolProperty(number=1, strval="new")
OTHER = pool_pb2.PoolProperty(number=5, numval=1)


async def test_a_label_goes_to_the_service_first_and_alone(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        await management.pools.set_properties(set_prop(OTHER, LABEL))
        first, second = bench.engines.requests(SET_PROP)
        assert [prop.number for prop in first.properties] == [1]
        assert [prop.number for prop in second.properties] == [5]
        assert management.system.pools[UUID].label == "new"


async def test_a_label_the_service_refuses_is_not_kept(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        bench.engines.answer(SET_PROP, pool_pb2.PoolSetPropResp(status=-1003))
        with pytest.raises(Refused, match=r"label update failed: DER_INVAL\(-1003\)"):
            await management.pools.set_properties(set_prop(LABEL))
        assert management.system.pools[UUID].label == "tank"


async def test_a_label_that_is_taken_or_empty_goes_nowhere(bench: Bench) -> None:
    async with bench.leading() as management:
        await with_pool(bench, management)
        bench.engines.answer(CREATE, MADE)
        await management.pools.create(a_request("9" + UUID[1:], "new"))
        for label, code in ((LABEL, 609), (pool_pb2.PoolProperty(number=1), 615)):
            with pytest.raises(Fault) as error:
                await management.pools.set_properties(set_prop(label))
            assert error.value.code == code
        with pytest.raises(Refused):
            await management.pools.set_properties(set_prop())
        assert bench.engines.requests(SET_PROP) == []


def moved_to(*replicas: int) -> Event:
    return Event(
        id=EventId.POOL_REPLICAS_UPDATED,
        type=EventType.STATE_CHANGE,
        severity=Severity.NOTICE,
        message="moved",
        timestamp="",
        pool_uuid=UUID,
        info=PoolServiceInfo(replicas, 7),
    )


async def test_a_pool_service_that_moves_is_followed(bench: Bench) -> None:
    event = moved_to(2)
    async with bench.leading() as management:
        await with_pool(bench, management)
        with management.pools.locks.hold(UUID):
            await management.on_event(event)
        assert management.system.pools[UUID].replicas == (1, 2), "dropped: somebody who knows better holds the lock"
        await management.on_event(event)
        assert management.system.pools[UUID].replicas == (2,)


async def test_a_pool_that_is_being_made_needs_no_news_of_its_service(bench: Bench) -> None:
    async with bench.leading() as management:

        async def told_meanwhile(_: Any) -> Any:
            await management.pools.replicas_updated(moved_to(2))  # every engine tells this; it is no trouble
            return MADE

        bench.engines.open()
        bench.engines.answer(CREATE, told_meanwhile)
        await bench.with_members(management)
        await management.pools.create(a_request())
        assert management.system.pools[UUID].replicas == (1, 2), "as its maker was answered"
