"""Finding whoever can answer: redirects, pauses, slow and dead hosts, and answers that are final."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Set
from types import MappingProxyType
from typing import Any

import pytest
from google.protobuf.message import Message

from daos_control.base.der import Der
from daos_control.base.errors import (
    DaosControlError,
    DaosError,
    Fault,
    NotLeader,
    NotReplica,
    RaftUnavailable,
    SteppingUp,
    Uninitialized,
)
from daos_control.base.fault_codes import FaultCode
from daos_control.client import outcomes, race
from daos_control.client.errors import Interrupted, ManagementServiceUnreachable
from daos_control.client.fan_out import Patience, fan_out
from daos_control.client.invoke import BackOff, ManagementClient
from daos_control.client.waiting import Waiting
from daos_control.net.rpc.methods import MGMT
from daos_control.testing.virtual_time import in_virtual_time
from daos_control.wire.pb.mgmt.system_pb2 import SystemQueryReq, SystemQueryResp, SystemStopReq

Answer = Message | DaosControlError | Callable[[], Awaitable[Message]]

METHOD = MGMT["SystemQuery"]
REPLY = SystemQueryResp(data_version=1)


class Hosts:
    """Hosts that answer from scripts; the last answer of a script is repeated."""

    def __init__(
        self,
        *,
        unreachable: Set[str] = frozenset(),
        mute: Set[str] = frozenset(),
        reach_s: Mapping[str, float] = MappingProxyType({}),
        leader: str = "",
        **scripts: list[Answer] | Answer,
    ) -> None:
        """Those ``unreachable`` swallow packets; those not ``mute`` say who leads when they are asked that."""
        self.unreachable = unreachable
        self.mute = mute
        self.reach_s = reach_s
        self.leader = leader
        self.scripts = {
            name: list(script) if isinstance(script, list) else [script] for name, script in scripts.items()
        }
        self.asked: list[str] = []
        self.requests: list[Message] = []

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None:
        name = address.partition(":")[0]
        try:
            async with asyncio.timeout(timeout_s or 5):
                await (asyncio.Event().wait() if name in self.unreachable else asyncio.sleep(self.reach_s.get(name, 0)))
        except TimeoutError:
            raise FaultCode.CLIENT_CONNECTION_TIMED_OUT.fault(address=address) from None

    async def call(self, address: str, method: object, request: Message, *, timeout_s: float | None = None) -> Message:
        name, _, port = address.partition(":")
        assert port == "10001"
        if method is MGMT["LeaderQuery"]:
            if name in self.mute:
                await asyncio.sleep(timeout_s or 300)
                raise FaultCode.CLIENT_RPC_TIMEOUT.fault(request="LeaderQuery", limit="")
            return MGMT["LeaderQuery"].reply(current_leader=self.leader, replicas=["a:10001"])
        self.asked.append(name)
        self.requests.append(request)
        script = self.scripts.get(name, [refused(address)])
        answer = script.pop(0) if len(script) > 1 else script[0]
        await asyncio.sleep(0)
        if isinstance(answer, DaosControlError):
            raise answer
        return answer if isinstance(answer, Message) else await answer()


class Sleeps:
    """Pauses that take no time and are remembered."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, delay_s: float) -> None:
        self.taken.append(delay_s)
        if len(self.taken) > 50:
            raise AssertionError("this would go on for ever")
        await asyncio.sleep(0)


def refused(host: str = "h") -> Fault:
    return FaultCode.CLIENT_CONNECTION_REFUSED.fault(address=host)


async def silence() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


def client(hosts: Hosts, listed: str = "a,b,c", sleeps: Sleeps | None = None) -> ManagementClient:
    return ManagementClient(
        hosts, [listed], "daos_server", sleep=sleeps or Sleeps(), back_off=BackOff(chance=lambda _: 0)
    )


async def ask(hosts: Hosts, listed: str = "a,b,c", **options: object) -> Message:
    reply: Message = await client(hosts, listed).call(METHOD, SystemQueryReq(), **options)  # type: ignore[arg-type]
    return reply


async def test_the_request_names_the_system_and_our_version() -> None:
    hosts = Hosts(a=REPLY)
    request = SystemQueryReq(ranks="1")
    assert await client(hosts).call(METHOD, request) == REPLY
    assert hosts.requests == [SystemQueryReq(sys="daos_server-2.8.0", ranks="1")]
    assert request.sys == "", "the caller's own message is left alone"


async def test_a_request_that_names_its_system_is_sent_as_it_is() -> None:
    hosts = Hosts(a=REPLY)
    await client(hosts).call(METHOD, SystemStopReq(sys="other"))
    assert hosts.requests == [SystemStopReq(sys="other")]


async def test_one_host_is_enough_when_it_answers() -> None:
    hosts = Hosts(a=REPLY, b=REPLY, c=REPLY)
    await ask(hosts)
    assert hosts.asked == ["a"]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        pytest.param(NotLeader("z:10001", ["b:10001"]), "z", id="the leader that was named"),
        pytest.param(NotLeader("", ["z:10001"]), "z", id="the replicas when no leader is known"),
        pytest.param(NotReplica(["z:10001"]), "z", id="the replicas when the host is none"),
    ],
)
async def test_redirects_are_followed(first: DaosControlError, then: str) -> None:
    hosts = Hosts(a=first, b=first, c=first, **{then: REPLY})
    assert await ask(hosts) == REPLY
    assert hosts.asked[-1] == then


async def test_a_named_leader_that_is_gone_sends_us_back_to_the_start() -> None:
    hosts = Hosts(a=[NotLeader("dead:10001"), REPLY])
    sleeps = Sleeps()
    assert await client(hosts, "a", sleeps).call(METHOD, SystemQueryReq()) == REPLY
    assert hosts.asked == ["a", "dead", "a"]


@pytest.mark.parametrize(
    "error",
    [RaftUnavailable(), SteppingUp(), FaultCode.SERVER_DATA_PLANE_NOT_STARTED.fault()],
    ids=["not started", "stepping up", "no data plane"],
)
async def test_what_will_pass_is_waited_for(error: DaosControlError) -> None:
    hosts = Hosts(a=[error, error, error, REPLY])
    sleeps = Sleeps()
    assert await client(hosts, "a", sleeps).call(METHOD, SystemQueryReq()) == REPLY
    assert sleeps.taken == [0, 0.25, 0.25]


async def test_pauses_grow_to_eight_seconds_and_differ_by_chance() -> None:
    steady = BackOff(chance=lambda _: 0)
    assert [steady.pause_s(n) for n in range(1, 11)] == [0, 0.25, 0.25, 0.5, 1, 2, 4, 8, 8, 8]
    assert BackOff(chance=lambda bound: bound - 1).pause_s(9) == pytest.approx(16, rel=0.01)


@pytest.mark.parametrize(
    "error",
    [
        DaosError(Der.NO_PERM),
        FaultCode.SERVER_POOL_DUPLICATE_LABEL.fault(label="tank"),
        Uninitialized(),
        DaosControlError("admin does not have permission"),
    ],
    ids=["a status", "a fault", "unformatted", "anything else"],
)
async def test_other_errors_are_the_callers(error: DaosControlError) -> None:
    hosts = Hosts(a=error, b=error, c=error)
    with pytest.raises(type(error)) as raised:
        await ask(hosts)
    assert raised.value is error


async def test_a_request_may_name_errors_to_retry() -> None:
    hosts = Hosts(a=[DaosError(Der.GRPVER), REPLY])
    assert await ask(hosts, "a", retry=lambda error: error == DaosError(Der.GRPVER)) == REPLY


async def test_a_request_may_name_errors_that_end_it() -> None:
    hosts = Hosts(a=[SteppingUp(), REPLY])
    with pytest.raises(SteppingUp):
        await ask(hosts, "a", give_up=outcomes.is_unavailable)
    assert hosts.asked == ["a"]


async def test_dead_hosts_are_passed_over() -> None:
    hosts = Hosts(c=REPLY)
    assert await ask(hosts) == REPLY
    assert hosts.asked == ["a", "b", "c"]


async def test_more_hosts_than_five_are_tried_if_need_be() -> None:
    hosts = Hosts(h9=REPLY)
    assert await ask(hosts, "h[1-9]", read=True) == REPLY


async def test_an_unformatted_replica_does_not_speak_for_the_others() -> None:
    hosts = Hosts(a=Uninitialized(), b=REPLY)
    assert await ask(hosts) == REPLY


async def test_all_dead_means_unreachable_and_says_why() -> None:
    with pytest.raises(ManagementServiceUnreachable, match="unable to contact the DAOS Management Service") as raised:
        await ask(Hosts())
    assert sorted(raised.value.causes) == ["a:10001", "b:10001", "c:10001"]
    assert isinstance(raised.value.__cause__, Fault)
    assert str(raised.value) == (
        "unable to contact the DAOS Management Service (a:10001,b:10001,c:10001: the server refused the connection)"
    )


def timed(work: Coroutine[Any, Any, Message]) -> tuple[Message, float]:
    """Run something in virtual time, and return how long it took, too."""

    async def play() -> tuple[Message, float]:
        return await work, asyncio.get_running_loop().time()

    return in_virtual_time(play())


@pytest.mark.parametrize("how", ["read", "repeatable"])
def test_a_silent_host_delays_what_may_be_out_twice_by_a_moment_only(how: str) -> None:
    hosts = Hosts(a=silence, b=REPLY, c=REPLY, d=REPLY, e=REPLY, f=REPLY)
    reply, took_s = timed(ask(hosts, "a,b,c,d,e,f", **{how: True}))
    assert (reply, took_s) == (REPLY, race.ANSWER_HEDGE_S)
    assert hosts.asked == ["a", "b"]


def test_hosts_that_are_not_there_are_passed_over_faster_and_faster() -> None:
    hosts = Hosts(h9=REPLY, unreachable={f"h{n}" for n in range(1, 9)})
    reply, took_s = timed(ask(hosts, "h[1-9]", repeatable=True))
    assert (reply, took_s) == (REPLY, pytest.approx(4 * race.REACH_HEDGE_S))
    assert hosts.asked == ["h9"]


def test_a_change_goes_to_the_first_host_that_can_be_reached() -> None:
    hosts = Hosts(c=REPLY, d=REPLY, unreachable={"a", "b"})
    reply, took_s = timed(ask(hosts, "a,b,c,d"))
    assert (reply, took_s) == (REPLY, pytest.approx(2 * race.REACH_HEDGE_S))
    assert hosts.asked == ["c"], "only reaching them is tried side by side"


def test_a_change_is_not_taken_away_from_a_leader_that_works_on_it() -> None:
    async def work() -> Message:
        await asyncio.sleep(60)
        return REPLY

    hosts = Hosts(a=work, b=REPLY, leader="b:10001")
    reply, took_s = timed(ask(hosts, "a,b"))
    assert (reply, took_s) == (REPLY, 60)
    assert hosts.asked == ["a"], "it said that it lives when it was asked"


def test_a_change_moves_from_a_host_that_says_nothing_at_all_to_the_one_that_leads() -> None:
    hosts = Hosts(a=silence, b=NotLeader("c:10001"), c=REPLY, mute={"a"}, leader="c:10001")
    reply, took_s = timed(ask(hosts, "a,b,c"))
    assert reply == REPLY
    assert took_s < 1
    assert hosts.asked == ["a", "c"]


def test_a_change_stays_where_it_is_if_nobody_else_leads_for_sure() -> None:
    hosts = Hosts(a=silence, b=REPLY, mute={"a"}, leader="a:10001")
    with pytest.raises(Fault) as raised:
        timed(ask(hosts, "a,b", deadline_s=60))
    assert raised.value.code == FaultCode.CLIENT_RPC_TIMEOUT
    assert hosts.asked == ["a"]


def test_the_leader_that_was_named_may_be_slow_to_reach() -> None:
    hosts = Hosts(a=NotLeader("far:10001"), far=REPLY, reach_s={"far": 0.8})
    reply, took_s = timed(ask(hosts, "a"))
    assert (reply, took_s) == (REPLY, 0.8)


def test_redirects_are_followed_without_a_pause() -> None:
    hosts = Hosts(a=NotReplica(["b:10001"]), b=NotLeader("", ["c:10001"]), c=NotLeader("d:10001"), d=REPLY)
    sleeps = Sleeps()
    timed(client(hosts, "a", sleeps).call(METHOD, SystemQueryReq()))
    assert hosts.asked == ["a", "b", "c", "d"]
    assert not sleeps.taken


def test_hosts_that_point_at_each_other_are_not_asked_without_end() -> None:
    hosts = Hosts(a=[NotLeader("b:10001"), NotLeader("b:10001"), REPLY], b=NotLeader("a:10001"))
    sleeps = Sleeps()
    timed(client(hosts, "a", sleeps).call(METHOD, SystemQueryReq()))
    assert sleeps.taken, "the second time round is no news"


async def test_who_led_is_asked_first_the_next_time() -> None:
    hosts = Hosts(a=NotLeader("b:10001", ["a:10001", "b:10001"]), b=REPLY, c=REPLY)
    one = client(hosts)
    await one.call(METHOD, SystemStopReq())
    await one.call(METHOD, SystemStopReq())
    await one.call(METHOD, SystemQueryReq(), read=True)
    assert hosts.asked == ["a", "b", "b", "b"]


async def test_a_leader_that_is_gone_is_forgotten() -> None:
    hosts = Hosts(a=REPLY, b=[REPLY, refused("b"), REPLY])
    one = client(hosts, "a,b")
    one.route.leader = "b:10001"
    for _ in range(3):
        await one.call(METHOD, SystemStopReq())
    assert hosts.asked == ["b", "b", "a", "a"]


def test_time_that_somebody_has_set_ends_a_call_and_those_after_it() -> None:
    async def play() -> list[float]:
        ends = []
        one = ManagementClient(Hosts(a=silence), ["a"], "s", timeout_s=5)
        for _ in range(2):
            with pytest.raises(Fault, match="within 5 s"):
                await one.call(METHOD, SystemQueryReq())
            ends.append(asyncio.get_running_loop().time())
        return ends

    assert in_virtual_time(play()) == [5, 5]


def test_who_was_waited_for_in_vain_is_told_what_went_wrong() -> None:
    async def play() -> None:
        gone = FaultCode.CLIENT_CONNECTION_TIMED_OUT.fault(address="b:10001")
        hosts = Hosts(a=NotReplica(["b:10001"]), b=[gone] * 99)
        await ManagementClient(hosts, ["a"], "s", timeout_s=5).call(METHOD, SystemStopReq())

    with pytest.raises(Fault) as raised:
        in_virtual_time(play())
    said = raised.value.description
    assert said == "no answer to SystemQuery within 5 s; so far: b:10001 did not answer the connection in time"


def test_nobody_there_is_an_error_after_a_few_rounds() -> None:
    hosts = Hosts(unreachable={"a", "b"})
    sleeps = Sleeps()
    with pytest.raises(ManagementServiceUnreachable):
        timed(client(hosts, "a,b", sleeps).call(METHOD, SystemQueryReq()))
    assert len(sleeps.taken) == 2


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize("gone", ["refuses", "dead"])
def test_a_replica_that_is_named_and_gone_is_tried_for_as_long_as_an_election_takes(read: bool, gone: str) -> None:
    async def play() -> float:
        away = {"c"} if gone == "dead" else set()
        hosts = Hosts(a=NotReplica(["c:10001"]), b=NotReplica(["c:10001"]), unreachable=away)
        one = ManagementClient(hosts, ["a,b"], "s", back_off=BackOff(chance=lambda _: 0))
        with pytest.raises(ManagementServiceUnreachable) as raised:
            await one.call(METHOD, SystemQueryReq(), read=read)
        assert "c:10001" in raised.value.causes
        return asyncio.get_running_loop().time()

    assert 15 < in_virtual_time(play()) < 90


def test_an_interruption_ends_a_call_at_once() -> None:
    async def play() -> float:
        waiting = Waiting()
        one = ManagementClient(Hosts(a=silence), ["a"], "s", waiting=waiting)
        asyncio.get_running_loop().call_later(1, waiting.interrupt)
        for _ in range(2):
            with pytest.raises(Interrupted, match="SystemStop of ranks 0-3"):
                await one.call(MGMT["SystemStop"], SystemStopReq(ranks="0-3"))
        return asyncio.get_running_loop().time()

    assert in_virtual_time(play()) == 1


async def test_of_answers_that_come_together_a_read_takes_the_newest() -> None:
    newest = SystemQueryResp(data_version=9)
    hosts = Hosts(a=SystemQueryResp(data_version=3), b=newest, c=SystemQueryResp(data_version=5))
    assert await ask(hosts, read=True) == newest


async def test_a_read_does_not_wait_for_a_silent_host() -> None:
    hosts = Hosts(a=silence, b=REPLY, c=silence)
    async with asyncio.timeout(5):
        assert await ask(hosts, read=True) == REPLY


async def test_a_read_follows_redirects_past_a_silent_host() -> None:
    hosts = Hosts(a=silence, b=NotReplica(["z:10001"]), z=REPLY)
    async with asyncio.timeout(5):
        assert await ask(hosts, "a,b", read=True) == REPLY


async def test_a_round_that_takes_too_long_is_given_up_and_repeated() -> None:
    hosts = Hosts(a=[silence, REPLY])
    assert await ask(hosts, "a", try_s=0.01) == REPLY


async def test_the_deadline_ends_everything() -> None:
    with pytest.raises(Fault) as raised:
        await ask(Hosts(a=silence), "a", deadline_s=0.01)
    assert raised.value.code == FaultCode.CLIENT_RPC_TIMEOUT
    assert "SystemQuery" in raised.value.description


async def test_every_error_on_the_way_is_heard() -> None:
    heard: list[DaosControlError] = []
    hosts = Hosts(a=[RaftUnavailable(), DaosError(Der.NO_PERM)])
    with pytest.raises(DaosError):
        await ask(hosts, "a", on_error=heard.append)
    assert heard == [heard[0], DaosError(Der.NO_PERM)]
    assert isinstance(heard[0], RaftUnavailable)


async def test_no_configured_host_is_an_error_even_if_the_request_names_one() -> None:
    with pytest.raises(Fault) as raised:
        await ManagementClient(Hosts(a=REPLY), [], "s").call(METHOD, SystemQueryReq(), hosts=["a"])
    assert raised.value.code == FaultCode.CLIENT_CONFIG_EMPTY_HOST_LIST


async def test_what_is_waited_for_can_be_told() -> None:
    waiting, texts = Waiting(), []

    async def look() -> Message:
        texts.append(str(waiting))
        return REPLY

    hosts = Hosts(a=[RaftUnavailable(), look])
    one = ManagementClient(hosts, ["a"], "s", waiting=waiting, sleep=Sleeps())
    await one.call(METHOD, SystemQueryReq())
    assert texts == ["SystemQuery on a:10001 (so far: raft service unavailable (not started yet?))"]
    assert not waiting


async def test_fan_out_keeps_every_answer_and_every_error() -> None:
    hosts = Hosts(a=REPLY, b=DaosError(Der.BUSY), c=silence)
    answers = await fan_out(
        hosts, ["a:10001", "b:10001", "c:10001", "d:10001"], METHOD, SystemQueryReq(), patience=Patience(deadline_s=0.5)
    )
    assert answers.replies == {"a:10001": REPLY}
    assert list(answers.errors) == ["b:10001", "c:10001", "d:10001"]
    assert answers.errors["b:10001"] == DaosError(Der.BUSY)
    assert answers.errors["c:10001"] == Fault("client", 510, "")


async def test_fan_out_is_bounded() -> None:
    now, most = 0, 0

    async def busy() -> Message:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        return REPLY

    names = [f"h{n}:10001" for n in range(50)]
    hosts = Hosts(**{f"h{n}": busy for n in range(50)})
    answers = await fan_out(hosts, names, METHOD, SystemQueryReq(), at_once=8)
    assert len(answers.replies) == 50
    assert 1 < most <= 8


async def test_fan_out_may_send_each_host_its_own_request() -> None:
    hosts = Hosts(a=REPLY, b=REPLY)
    await fan_out(hosts, ["a:10001", "b:10001"], METHOD, lambda host: SystemQueryReq(hosts=host))
    assert [request.hosts for request in hosts.requests] == ["a:10001", "b:10001"]  # type: ignore[attr-defined]
