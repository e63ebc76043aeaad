"""The tree of client metrics, in real shared memory: this process plays agent and applications."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace

import pytest

from daos_control.apps.agent.client_metrics import CannotGather, CannotRegister, ClientMetrics, client_metrics
from daos_control.base.der import Der
from daos_control.host import shm
from daos_control.host.shm import Segment
from daos_control.telemetry.region import ROOM, Region, read_links

LONG_S = 3600.0
ALICE, BOB = os.geteuid() + 1, os.geteuid() + 2  # whoever runs this, others


@dataclass(slots=True)
class Watch:
    """Processes end when told to."""

    gone: set[int] = field(default_factory=set)
    watched: dict[int, Callable[[int], None]] = field(default_factory=dict)

    def start(self, pid: int, ended: Callable[[int], None]) -> None:
        assert pid not in self.watched
        if pid in self.gone:
            raise ProcessLookupError
        self.watched[pid] = ended

    def stop(self, pid: int) -> None:
        self.watched.pop(pid, None)

    def end(self, pid: int) -> None:
        self.watched.pop(pid)(pid)


class World:
    """The machine: real segments, made by processes and users of our choice."""

    def __init__(self) -> None:
        self.root_key = random.randrange(1 << 29, 1 << 30)
        self.watch = Watch()
        self.made_by: dict[int, dict[str, int]] = {}
        self._agents = ExitStack()

    def segments(self) -> list[Segment]:
        return [replace(segment, **self.made_by.get(segment.id, {})) for segment in shm.segments()]

    def application(self, pid: int, *, key: int = 0, uid: int = ALICE, owner: int | None = None, pools: int = 0) -> int:
        """Make an application's metrics, with regions for pools; return the key."""
        key = key or random.randrange(1 << 30, 1 << 31)
        segment = shm.create(key, ROOM, mode=0o600)
        self.made_by[segment] = {
            "creator_pid": pid,
            "creator_uid": uid,
            "owner_uid": os.geteuid() if owner is None else owner,
        }
        with shm.open_mapping(segment, ROOM, writable=True) as memory:
            region = Region(memory, key=key, name=str(pid))
            for number in range(pools):
                region.link(f"pool-{number}", self.application(pid, uid=uid))
        return key

    def agent(self, *, retain_s: float = LONG_S) -> ClientMetrics:
        return self._agents.enter_context(
            client_metrics(watch=self.watch, retain_s=retain_s, root_key=self.root_key, segments=self.segments)
        )

    def stop_agents(self) -> None:
        self._agents.close()

    def end(self) -> None:
        for pid in list(self.watch.watched):
            self.watch.end(pid)
        self.stop_agents()
        for segment in self.made_by:
            with suppress(OSError):  # the agent has removed it
                shm.remove(segment)

    def exists(self, key: int) -> bool:
        return any(segment.key == key for segment in shm.segments())

    def links(self, key: int) -> dict[str, int]:
        [segment] = [one for one in shm.segments() if one.key == key]
        with shm.open_mapping(segment.id, segment.size_bytes, writable=False) as memory:
            return {link.name: link.key for link in read_links(memory)}

    def tree(self) -> dict[str, dict[str, int]]:
        """Return what a reader that knows nothing but the root's key finds."""
        return {job: self.links(key) for job, key in self.links(self.root_key).items()}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    world.end()
    assert not world.exists(world.root_key)


def refusal(metrics: ClientMetrics, **registration: object) -> Der:
    with pytest.raises(CannotRegister) as refused:
        metrics.register(**({"pid": 71, "uid": ALICE, "job": "j"} | registration))
    return refused.value.status


async def test_applications_are_linked_by_job_and_process(world: World):
    metrics = world.agent()
    keys = {pid: world.application(pid) for pid in (71, 72, 73)}
    metrics.register(pid=71, uid=ALICE, job="job-1", key=keys[71])
    metrics.register(pid=72, uid=ALICE, job="job-1", key=keys[72])
    metrics.register(pid=73, uid=ALICE, job="job-2", key=keys[73])

    assert world.tree() == {"job-1": {"71": keys[71], "72": keys[72]}, "job-2": {"73": keys[73]}}


async def test_metrics_outlive_their_application_for_a_while(world: World):
    metrics = world.agent(retain_s=0)
    key, other = world.application(71), world.application(72)
    metrics.register(pid=71, uid=ALICE, job="job", key=key)
    metrics.register(pid=72, uid=ALICE, job="other", key=other)
    world.watch.end(71)

    assert world.tree()["job"] == {"71": key}
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert world.tree() == {"other": {"72": other}}
    assert not world.exists(key)
    assert world.exists(other)


async def test_an_application_that_dies_while_it_registers_is_removed_too(world: World):
    metrics = world.agent(retain_s=0)
    key = world.application(71)
    world.watch.gone.add(71)
    metrics.register(pid=71, uid=ALICE, job="job", key=key)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert not world.exists(key)
    assert world.tree() == {}


async def test_one_that_cleans_up_after_itself_is_forgotten_at_once(world: World):
    metrics = world.agent()
    key = world.application(71)
    metrics.register(pid=71, uid=ALICE, job="job", key=key)
    [segment] = [one for one in shm.segments() if one.key == key]
    shm.remove(segment.id)
    world.watch.end(71)

    assert world.tree() == {}


async def test_what_an_application_has_made_beside_is_removed_with_it(world: World):
    metrics = world.agent()
    key = world.application(71, pools=2)
    pools = world.links(key)
    assert len(pools) == 2
    metrics.register(pid=71, uid=ALICE, job="job", key=key)
    world.watch.end(71)
    world.stop_agents()

    assert not any(map(world.exists, [key, *pools.values()]))


@pytest.mark.parametrize(
    "whose",
    [{"uid": BOB}, {"pid": 72}, {"owner": ALICE}],
    ids=["of another user", "of another process", "not handed over"],
)
async def test_nobody_has_the_agent_remove_what_is_not_his_to_give(world: World, whose: dict[str, int]):
    metrics = world.agent(retain_s=0)
    victim = world.application(**({"pid": 71} | whose))
    key = world.application(71)
    [segment] = [one for one in shm.segments() if one.key == key]
    with shm.open_mapping(segment.id, ROOM, writable=True) as memory:
        memory.write(0, bytes(ROOM))
        Region(memory, key=key, name="71").link("pool", victim)
    metrics.register(pid=71, uid=ALICE, job="job", key=key)
    world.watch.end(71)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert not world.exists(key)
    assert world.exists(victim)


async def test_nobody_registers_what_is_not_his(world: World):
    metrics = world.agent()
    key = world.application(71, uid=ALICE)

    assert refusal(metrics, pid=71, uid=BOB, key=key) is Der.NO_PERM
    assert refusal(metrics, pid=72, uid=ALICE, key=key) is Der.NO_PERM
    assert refusal(metrics, pid=72, uid=0, key=key) is Der.NO_PERM
    assert refusal(metrics, key=world.root_key) is Der.NO_PERM
    assert world.tree() == {}


async def test_what_cannot_be_seen_cannot_be_linked(world: World):
    metrics = world.agent()

    assert refusal(metrics, key=5) is Der.NONEXIST
    assert refusal(metrics, pid=0, key=world.application(71)) is Der.UNINIT


@pytest.mark.parametrize(
    ("job", "status"),
    [
        pytest.param("a/b", Der.INVAL, id="a path"),
        pytest.param("a\n", Der.INVAL, id="a new line"),
        pytest.param("j" * 253, Der.EXCEEDS_PATH_LEN, id="too long with the process"),
    ],
)
async def test_jobs_that_cannot_be_named_are_refused(world: World, job: str, status: Der):
    assert refusal(world.agent(), job=job, key=world.application(71)) is status
    assert world.tree() == {}


async def test_registering_again_is_no_error(world: World):
    metrics = world.agent()
    key = world.application(71)
    metrics.register(pid=71, uid=ALICE, job="job", key=key)
    metrics.register(pid=71, uid=ALICE, job="job", key=key)
    metrics.register(pid=71, uid=ALICE, job="job-2", key=key)

    assert world.tree() == {"job-2": {"71": key}}
    assert refusal(metrics, key=world.application(71)) is Der.EXIST


async def test_a_successor_of_the_same_number_takes_the_place(world: World):
    metrics = world.agent()
    old, new = world.application(71, uid=ALICE), world.application(71, uid=BOB)
    metrics.register(pid=71, uid=ALICE, job="job", key=old)
    world.watch.end(71)
    metrics.register(pid=71, uid=BOB, job="job", key=new)

    assert world.tree() == {"job": {"71": new}}
    assert not world.exists(old)


async def test_the_last_word_of_an_agent_is_to_leave_nothing(world: World):
    metrics = world.agent()
    key = world.application(71)
    metrics.register(pid=71, uid=ALICE, job="job", key=key)
    [job_key] = world.links(world.root_key).values()
    world.watch.end(71)
    world.stop_agents()

    assert not any(map(world.exists, [key, job_key, world.root_key]))


async def test_living_applications_keep_their_place_for_the_next_agent(world: World):
    first = world.agent()
    keys = {pid: world.application(pid) for pid in (71, 72, 73)}
    for pid, key in keys.items():
        first.register(pid=pid, uid=ALICE, job=f"job-{pid % 2}", key=key)
    world.watch.end(72)
    world.stop_agents()
    assert world.tree() == {"job-1": {"71": keys[71], "73": keys[73]}}
    assert not world.exists(keys[72])

    world.watch.gone.add(73)
    world.agent(retain_s=0)
    assert world.tree() == {"job-1": {"71": keys[71], "73": keys[73]}}
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert world.tree() == {"job-1": {"71": keys[71]}}
    world.watch.end(71)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert world.tree() == {}


async def test_the_next_agent_believes_the_kernel_not_the_tree(world: World):
    first = world.agent()
    key = world.application(71)
    first.register(pid=71, uid=ALICE, job="job", key=key)
    [job_key] = world.links(world.root_key).values()
    world.stop_agents()
    forged = world.application(99)
    [segment] = [one for one in shm.segments() if one.key == job_key]
    with shm.open_mapping(segment.id, ROOM, writable=True) as memory:
        memory.write(0, bytes(ROOM))
        region = Region(memory, key=job_key, name="job")
        region.link("98", forged)
        region.link("71", key)
    world.agent()

    assert world.tree() == {"job": {"71": key}}
    world.watch.end(71)


async def test_a_tree_of_another_user_is_left_alone(world: World):
    world.application(1, key=world.root_key, uid=ALICE)

    with pytest.raises(CannotGather, match=f"uid {ALICE}"):
        world.agent()


async def test_a_tree_that_another_agent_serves_is_left_alone(world: World):
    world.application(1, key=world.root_key, uid=os.geteuid())
    [segment] = [one for one in shm.segments() if one.key == world.root_key]

    with (
        shm.open_mapping(segment.id, ROOM, writable=False),
        pytest.raises(CannotGather, match="process 1 has it"),
    ):
        world.agent()


async def test_an_administrators_ipcrm_upsets_nobody(world: World):
    metrics = world.agent(retain_s=0)
    key = world.application(71)
    metrics.register(pid=71, uid=ALICE, job="job", key=key)
    for gone in (key, *world.links(world.root_key).values()):
        [segment] = [one for one in shm.segments() if one.key == gone]
        shm.remove(segment.id)
    world.watch.end(71)

    assert world.tree() == {}
    again = world.application(71)
    metrics.register(pid=71, uid=ALICE, job="job", key=again)
    assert world.tree() == {"job": {"71": again}}
    world.watch.end(71)
