"""Rehearsals: a verb sends nothing that changes anything, shows what it would send, and says what is against it."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from daos_control.base.der import Der
from daos_control.base.errors import DaosError, PoolNotFound
from daos_control.client.daos import DaosClient
from daos_control.client.errors import InvalidRequest
from daos_control.client.pool_size import PerRank, Total
from daos_control.client.pools import Foreseen, Pools
from daos_control.client.pools.foresight import FORESIGHT
from daos_control.client.rehearsal import Rehearsal
from daos_control.model.acl import InvalidAcl
from daos_control.net.rpc.methods import MGMT
from daos_control.testing.answers import Answers
from daos_control.wire.pb.ctl import storage_pb2, storage_scm_pb2
from daos_control.wire.pb.mgmt import acl_pb2, pool_pb2, system_pb2

TANK, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
CONTAINER = "33333333-3333-4333-8333-333333333333"
READS = {"SystemQuery", "ListPools", "PoolQuery", "PoolGetProp", "PoolGetACL", "ListContainers", "StorageScan"}


def namespace(rank: int) -> storage_scm_pb2.ScmNamespace:
    mount = storage_scm_pb2.ScmNamespace.Mount(rank=rank, usable_bytes=8 << 30)
    return storage_scm_pb2.ScmNamespace(blockdev=f"ram{rank}", mount=mount)


def get_prop(request: pool_pb2.PoolGetPropReq) -> pool_pb2.PoolGetPropResp:
    values = {1: {"strval": "tank"}, 4: {"numval": 3}, 5: {"numval": 1}, 11: {"numval": 1}, 19: {"numval": 2}}
    found = [pool_pb2.PoolProperty(number=prop.number, **values[prop.number]) for prop in request.properties]  # type: ignore[arg-type]
    return pool_pb2.PoolGetPropResp(properties=found)


@pytest.fixture
def answers() -> Any:
    """A system of three ranks; on ranks 0 and 1 there is a pool with a container, rank 1 is out of it."""
    members = [system_pb2.SystemMember(rank=rank, state="joined") for rank in range(3)]
    listed = [
        pool_pb2.ListPoolsResp.Pool(uuid=TANK, label="tank", state="Ready"),
        pool_pb2.ListPoolsResp.Pool(uuid=OTHER, label="other", state="Destroying"),
    ]
    space = pool_pb2.StorageUsageStats(total=1000, free=400)
    return Answers(
        SystemQuery=system_pb2.SystemQueryResp(members=members),
        ListPools=pool_pb2.ListPoolsResp(pools=listed),
        PoolQuery=pool_pb2.PoolQueryResp(
            uuid=TANK, total_targets=8, disabled_targets=4, total_engines=2, enabled_ranks="[0]", disabled_ranks="[1]",
            tier_stats=[space], pool_layout_ver=3, upgrade_layout_ver=4,
        ),
        PoolGetProp=get_prop,
        PoolGetACL=acl_pb2.ACLResp(acl=acl_pb2.AccessControlList(entries=["A::OWNER@:rw", "A::ann@:r"])),
        ListContainers=pool_pb2.ListContResp(containers=[pool_pb2.ListContResp.Cont(uuid=CONTAINER)]),
        StorageScan=storage_pb2.StorageScanResp(
            scm=storage_scm_pb2.ScanScmResp(namespaces=[namespace(rank) for rank in range(3)])
        ),
    )  # fmt: skip


Verb = Callable[[Pools], Awaitable[object]]
LARGE, SMALL = Total(total_bytes=3 << 40), Total(total_bytes=6 << 30)


@pytest.mark.parametrize(
    ("verb", "method", "said"),
    [
        (lambda p: p.create("new", SMALL), "PoolCreate", "6.4 GB would be made for"),
        (lambda p: p.create("tank", SMALL), "PoolCreate", '! there is a pool called "tank" already'),
        (lambda p: p.create("new", LARGE), "PoolCreate", "! SCM: 1.1 TB are wanted on each rank"),
        (lambda p: p.create("new", SMALL, ranks=[7]), "PoolCreate", "! specified rank 7 is not joined"),
        (lambda p: p.create("new", SMALL, service_replicas=5), "PoolCreate", "! 5 replicas of the pool service"),
        (lambda p: p.create("new", SMALL, acl=["A::b:r"]), "PoolCreate", '! entry 1, "A::b:r": the principal'),
        (lambda p: p.create("new", PerRank(tier_bytes=(1 << 20, 0))), "PoolCreate", "its 4 targets need 67 MB"),
        (lambda p: p.destroy("tank", recursive=True), "PoolDestroy", f"1 container: {CONTAINER}"),
        (lambda p: p.destroy("tank", recursive=True), "PoolDestroy", "SCM: 1.0 kB, of which 600 B are used"),
        (lambda p: p.destroy("tank"), "PoolDestroy", "! it has containers"),
        (lambda p: p.destroy("other"), "PoolDestroy", "which is Destroying, would be lost"),
        (lambda p: p.destroy("lost"), "PoolDestroy", '! unable to find pool service with label "lost"'),
        (lambda p: p.evict(TANK), "PoolEvict", "all handles on pool tank would be closed"),
        (lambda p: p.extend("tank", [2]), "PoolExtend", "which is on ranks 0-1, would have rank 2, too"),
        (lambda p: p.extend("tank", [1, 9]), "PoolExtend", "! not there: rank 9"),
        (lambda p: p.extend("tank", [1, 9]), "PoolExtend", "! pool tank has them already: rank 1"),
        (lambda p: p.exclude("tank", [0]), "PoolExclude", "without ranks 0-1 more is missing than redundancy factor 1"),
        (lambda p: p.exclude("tank", [1]), "PoolExclude", "! rank 1 is out of pool tank already"),
        (lambda p: p.exclude("tank", [0], targets=[2, 3]), "PoolExclude", "targets 2,3 of rank 0 would be taken out"),
        (lambda p: p.drain("tank", [9]), "PoolDrain", "! there is no rank 9 in the system"),
        (lambda p: p.drain("tank", [2]), "PoolDrain", "! pool tank is on ranks 0-1, not on rank 2"),
        (lambda p: p.reintegrate("tank", [1]), "PoolReintegrate", "rank 1 would be taken back into pool tank"),
        (lambda p: p.reintegrate("tank", [0]), "PoolReintegrate", "none of rank 0 is out: nothing would change"),
        (lambda p: p.upgrade("tank"), "PoolUpgrade", "from layout 3 to 4"),
        (lambda p: p.rebuild_start("tank"), "PoolRebuildStart", "pool tank would rebuild"),
        (lambda p: p.rebuild_stop("tank"), "PoolRebuildStop", "pool tank would stop to rebuild"),
        (lambda p: p.set_properties("tank", {"reclaim": "time"}), "PoolSetProp", "reclaim: lazy would become time"),
        (lambda p: p.set_properties("tank", {"reclaim": "lazy"}), "PoolSetProp", "reclaim is lazy already"),
        (lambda p: p.set_properties("tank", {"svc_rf": "1"}), "PoolSetProp", "! svc_rf is set when a pool is made"),
        (lambda p: p.set_properties("tank", {"label": "other"}), "PoolSetProp", '! there is a pool called "other"'),
        (lambda p: p.overwrite_acl("tank", ["A::bob@:r"]), "PoolOverwriteACL", "- A::ann@:r"),
        (lambda p: p.update_acl("tank", ["A::bob@:rT"]), "PoolUpdateACL", "+ A::bob@:rT"),
        (lambda p: p.update_acl("tank", ["A::bob@:rT"]), "PoolUpdateACL", "A::bob@:rT: T means nothing for a pool"),
        (lambda p: p.update_acl("tank", ["A::ann@:r"]), "PoolUpdateACL", "the list is like that already"),
        (lambda p: p.update_acl("tank", ["A::ann@:x"]), "PoolUpdateACL", '! entry 1, "A::ann@:x": "x" at character 9'),
        (lambda p: p.delete_acl("tank", "u:ann@"), "PoolDeleteACL", "- A::ann@:r"),
        (lambda p: p.delete_acl("tank", "g:ann@"), "PoolDeleteACL", "! DER_NONEXIST(-1005)"),
        (lambda p: p.delete_acl("tank", "ann@"), "PoolDeleteACL", '! "ann@": name one of OWNER@'),
        (lambda p: p.set_container_owner("tank", CONTAINER, user="bob"), "ContSetOwner", "would belong to bob@"),
        (lambda p: p.set_container_owner("tank", OTHER, user="bob"), "ContSetOwner", "! there is no container 2222"),
    ],
)
async def test_every_verb_is_foreseen_and_nothing_is_sent(answers: Any, verb: Verb, method: str, said: str) -> None:
    steps = await DaosClient(answers, ["a"]).pools.rehearse(verb)
    assert {step.method for step in steps} == {method}
    assert any(said in sentence for sentence in sentences(steps)), sentences(steps)
    assert {name for _, name, _ in answers.asked} <= READS


def sentences(steps: tuple[Foreseen, ...]) -> list[str]:
    return [text for step in steps for text in (*step.changes, *(f"! {problem}" for problem in step.problems))]


async def test_what_is_shown_is_what_would_be_sent(answers: Any) -> None:
    (step,) = await DaosClient(answers, ["a"]).pools.rehearse(Pools.destroy, "tank", recursive=True)
    answers.answers["PoolDestroy"] = pool_pb2.PoolDestroyResp()
    await DaosClient(answers, ["a"]).pools.destroy("tank", recursive=True)
    assert answers.requests("PoolDestroy") == [step.request]


async def test_what_the_client_itself_refuses_is_refused_in_a_rehearsal(answers: Any) -> None:
    with pytest.raises(InvalidRequest, match="can only be set when a pool is created"):
        await DaosClient(answers, ["a"]).pools.rehearse(Pools.set_properties, "tank", {"ec_pda": "1"})


async def test_a_pool_that_does_not_answer_is_a_problem_and_no_failure(answers: Any) -> None:
    answers.answers["PoolQuery"] = DaosError(Der.NO_PERM)
    (step,) = await DaosClient(answers, ["a"]).pools.rehearse(Pools.evict, "tank")
    assert step.problems == (str(DaosError(Der.NO_PERM)),)
    stake = await DaosClient(answers, ["a"]).pools.at_stake("tank")
    assert stake.sentences()[-1] == f"not everything is known: {DaosError(Der.NO_PERM)}"


async def test_a_pool_that_delays_rebuilds_would_not_rebuild_what_is_lost(answers: Any) -> None:
    def rebuilds(pools: Pools) -> Any:
        return pools.rebuild_start("tank")

    (willing,) = await DaosClient(answers, ["a"]).pools.rehearse(rebuilds)
    assert not willing.problems
    delayed = pool_pb2.PoolProperty(number=4, numval=5)
    answers.answers["PoolGetProp"] = pool_pb2.PoolGetPropResp(properties=[delayed])
    (step,) = await DaosClient(answers, ["a"]).pools.rehearse(rebuilds)
    assert "dmg pool set-prop tank 'self_heal:exclude;rebuild'" in step.problems[0]


async def test_a_plan_names_hosts_that_do_not_tell_their_storage(answers: Any) -> None:
    def scan(_: Any) -> Any:
        return storage_pb2.StorageScanResp(scm=storage_scm_pb2.ScanScmResp(namespaces=[namespace(0), namespace(1)]))

    answers.answers |= {"a_StorageScan": scan, "b_StorageScan": DaosError(Der.NO_PERM)}
    planned = await DaosClient(answers, ["a", "b"]).pools.plan(SMALL)
    assert planned.problems == (
        "nothing is known of rank 2: its host is not in the host list, or did not answer",
        f"b:10001: {DaosError(Der.NO_PERM)}",
    )


async def test_what_is_at_stake_with_a_pool_that_is_not_there(answers: Any) -> None:
    with pytest.raises(PoolNotFound):
        await DaosClient(answers, ["a"]).pools.at_stake("22222222-2222-4222-8222-222222222223")


async def test_only_verbs_about_pools_and_reading_hosts_can_be_rehearsed(answers: Any) -> None:
    rehearsal = Rehearsal.of(DaosClient(answers, ["a"]).connection)
    with pytest.raises(InvalidRequest, match="cannot be rehearsed"):
        await rehearsal.each("StorageFormat", storage_pb2.StorageFormatReq())
    assert not answers.asked


def test_every_request_of_pools_that_is_not_only_a_read_is_foreseen() -> None:
    reads = {"PoolQuery", "PoolQueryTarget", "PoolGetProp", "PoolGetACL"}
    about_pools = {name for name in MGMT if name.startswith(("Pool", "Cont"))}
    assert set(FORESIGHT) == about_pools - reads - {"PoolSelfHealEval"}, "nothing in the client asks for the last one"


@pytest.mark.parametrize(
    ("verb", "explained"),
    [
        (
            lambda p: p.update_acl("tank", ["A::OWNER@:r", "A:G:OWNER@:r"]),
            'entry 2, "A:G:OWNER@:r": OWNER@ is not a group',
        ),
        (lambda p: p.overwrite_acl("tank", ["A::GROUP@:r"]), "needs the flag G"),
        (lambda p: p.delete_acl("tank", "x:ann@"), "name one of OWNER@"),
        (lambda p: p.create("new", SMALL, acl=["nonsense"]), "ends before flags"),
    ],
)
async def test_engines_refuse_lists_and_the_client_says_why(verb: Verb, explained: str) -> None:
    invalid = DaosError(Der.INVAL)
    answers = Answers(PoolUpdateACL=invalid, PoolOverwriteACL=invalid, PoolDeleteACL=invalid, PoolCreate=invalid)
    with pytest.raises(InvalidAcl) as caught:
        await verb(DaosClient(answers, ["a"]).pools)
    assert explained in str(caught.value)
    assert caught.value.status == Der.INVAL


async def test_what_an_engine_refuses_for_reasons_of_its_own_stays_as_it_is() -> None:
    answers = Answers(PoolUpdateACL=DaosError(Der.INVAL))
    with pytest.raises(DaosError) as caught:
        await DaosClient(answers, ["a"]).pools.update_acl("tank", ["A::OWNER@:r"])
    assert type(caught.value) is DaosError
