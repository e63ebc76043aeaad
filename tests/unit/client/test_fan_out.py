"""Asking many hosts: nobody's answer is lost, and who is given up, and when; all in virtual time."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf.message import Message

from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.client import fan_out as fan
from daos_control.client.errors import Interrupted
from daos_control.client.fan_out import HostAnswers, Patience, fan_out
from daos_control.client.waiting import Waiting
from daos_control.net.rpc.methods import CTL
from daos_control.testing.virtual_time import in_virtual_time
from daos_control.wire.pb.ctl.storage_pb2 import StorageScanReq, StorageScanResp

NEVER = 10_000.0
LOOK = Patience(looks=True)


class Hosts:
    """Hosts that take their time: to be reached, and to answer."""

    def __init__(
        self, *, reach_s: Mapping[str, float] | None = None, answer_s: Mapping[str, float] | None = None
    ) -> None:
        self.reach_s = reach_s or {}
        self.answer_s = answer_s or {}
        self.reaching = self.most_reaching = self.working = self.most_working = 0
        self.asked: list[str] = []

    async def reach(self, address: str, *, timeout_s: float | None = None) -> None:
        self.reaching += 1
        self.most_reaching = max(self.most_reaching, self.reaching)
        try:
            await asyncio.sleep(self.reach_s.get(address, 0.01))
        finally:
            self.reaching -= 1

    async def call(self, address: str, method: Any, request: Message, *, timeout_s: float | None = None) -> Message:
        self.asked.append(address)
        self.working += 1
        self.most_working = max(self.most_working, self.working)
        try:
            await asyncio.sleep(self.answer_s.get(address, 0.05))
        finally:
            self.working -= 1
        return StorageScanResp()

    async def aclose(self) -> None: ...


def names(count: int) -> list[str]:
    return [f"h{number}:10001" for number in range(count)]


def ask(hosts: Hosts, count: int, **options: Any) -> tuple[HostAnswers[Any], float]:
    async def play() -> tuple[HostAnswers[Any], float]:
        answers = await fan_out(hosts, names(count), CTL["StorageScan"], StorageScanReq(), **options)
        return answers, asyncio.get_running_loop().time()

    return in_virtual_time(play())


def code_of(error: DaosControlError) -> int:
    assert isinstance(error, Fault)
    return error.code


@pytest.mark.parametrize("patience", [LOOK, Patience()], ids=["looking", "working"])
def test_a_host_that_is_not_there_is_named_soon_after_the_others_have_answered(patience: Patience) -> None:
    answers, took_s = ask(Hosts(reach_s={"h3:10001": NEVER}), 256, patience=patience)
    assert len(answers.replies) == 255
    assert code_of(answers.errors["h3:10001"]) == FaultCode.CLIENT_CONNECTION_TIMED_OUT
    assert took_s < fan.REACH_S + 2 * fan.TICK_S


def test_a_mute_host_is_given_up_when_nearly_all_of_many_have_answered() -> None:
    answers, took_s = ask(Hosts(answer_s={"h9:10001": NEVER}), 256, patience=LOOK)
    assert len(answers.replies) == 255
    assert code_of(answers.errors["h9:10001"]) == FaultCode.CLIENT_RPC_TIMEOUT
    assert "though other hosts have answered" in str(answers.errors["h9:10001"])
    assert took_s < fan.LOOK_S + 0.5


def test_a_tenth_of_mute_hosts_changes_nothing() -> None:
    mute = dict.fromkeys(names(26), NEVER)
    answers, took_s = ask(Hosts(answer_s=mute), 256, patience=LOOK)
    assert (len(answers.replies), len(answers.errors)) == (230, 26)
    assert took_s < fan.LOOK_S + 0.5


def test_among_few_hosts_a_slow_one_has_more_time() -> None:
    answers, _ = ask(Hosts(answer_s={"h0:10001": 6.0}), 3, patience=LOOK)
    assert len(answers.replies) == 3
    answers, took_s = ask(Hosts(answer_s={"h0:10001": NEVER}), 3, patience=LOOK)
    assert len(answers.errors) == 1
    assert took_s < fan.LOOK_FEW_S + 0.5


def test_a_host_has_three_times_as_long_as_the_slowest_of_the_others() -> None:
    slow = dict.fromkeys(names(100), 4.0)
    answers, _ = ask(Hosts(answer_s=slow | {"h7:10001": 11.0}), 100, patience=LOOK)
    assert not answers.errors
    answers, took_s = ask(Hosts(answer_s=slow | {"h7:10001": NEVER}), 100, patience=LOOK)
    assert list(answers.errors) == ["h7:10001"]
    assert 12 <= took_s < 12.5


def test_nobody_is_given_up_while_others_come_in() -> None:
    trickle = {name: 0.3 * number for number, name in enumerate(names(40))}
    answers, _ = ask(Hosts(answer_s=trickle), 40, patience=LOOK)
    assert not answers.errors


def test_the_only_host_is_waited_for_until_the_deadline() -> None:
    answers, took_s = ask(Hosts(answer_s={"h0:10001": NEVER}), 1, patience=Patience(looks=True, deadline_s=300))
    assert code_of(answers.errors["h0:10001"]) == FaultCode.CLIENT_RPC_TIMEOUT
    assert took_s == pytest.approx(300)


def test_work_is_waited_for_until_the_deadline() -> None:
    answers, took_s = ask(Hosts(answer_s={"h5:10001": 200.0}), 50)
    assert (len(answers.replies), took_s) == (50, pytest.approx(200, abs=0.1))


def test_work_is_done_everywhere_at_once() -> None:
    hosts = Hosts(answer_s=dict.fromkeys(names(300), 60.0))
    _, took_s = ask(hosts, 300)
    assert hosts.most_working == 300
    assert took_s < 62


def test_only_so_many_hosts_are_being_reached_at_once() -> None:
    hosts = Hosts()
    ask(hosts, 300, at_once=8)
    assert hosts.most_reaching == 8


def test_hosts_that_are_not_there_do_not_keep_others_from_being_asked() -> None:
    dead = dict.fromkeys(names(100), NEVER)
    answers, took_s = ask(Hosts(reach_s=dead), 200, patience=LOOK, at_once=8)
    assert len(answers.replies) == 100
    assert took_s < 5


def test_somebody_who_said_how_long_waits_exactly_so_long() -> None:
    hosts = Hosts(reach_s={"h1:10001": NEVER}, answer_s={"h2:10001": NEVER, "h3:10001": 25.0})
    answers, took_s = ask(hosts, 60, patience=Patience(looks=True, strict=True, deadline_s=30))
    assert took_s == pytest.approx(30)
    assert code_of(answers.errors["h1:10001"]) == FaultCode.CLIENT_CONNECTION_TIMED_OUT
    assert "within 30 s" in str(answers.errors["h2:10001"])
    assert len(answers.replies) == 58


def test_an_interruption_keeps_the_answers_that_have_come() -> None:
    waiting = Waiting()

    async def play() -> tuple[HostAnswers[Any], float]:
        loop = asyncio.get_running_loop()
        loop.call_later(5, waiting.interrupt)
        hosts = Hosts(answer_s={"h1:10001": NEVER}, reach_s={"h2:10001": NEVER})
        answers = await fan_out(
            hosts, names(20), CTL["StorageScan"], StorageScanReq(), waiting=waiting, patience=Patience(strict=True)
        )
        return answers, loop.time()

    answers, took_s = in_virtual_time(play())
    assert (len(answers.replies), took_s) == (18, pytest.approx(5))
    assert [type(error) for error in answers.errors.values()] == [Interrupted, Interrupted]
    assert "18 of 20 hosts are done" in str(waiting.interruption)


def test_nobody_is_asked_after_an_interruption() -> None:
    waiting = Waiting()
    waiting.interrupt()
    hosts = Hosts()
    with pytest.raises(Interrupted):
        ask(hosts, 3, waiting=waiting)
    assert not hosts.asked


def test_no_hosts_are_no_answers() -> None:
    answers, took_s = ask(Hosts(), 0)
    assert (dict(answers.replies), dict(answers.errors), took_s) == ({}, {}, 0)


def test_a_host_that_is_named_twice_is_asked_once() -> None:
    hosts = Hosts()

    async def play() -> HostAnswers[Any]:
        return await fan_out(hosts, ["a:1", "a:1"], CTL["StorageScan"], StorageScanReq())

    assert list(in_virtual_time(play()).replies) == ["a:1"]
    assert hosts.asked == ["a:1"]
