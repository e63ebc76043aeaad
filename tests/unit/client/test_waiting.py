"""What is told about calls that are out, and how they end early."""

from contextlib import ExitStack

import pytest

from daos_control.client.errors import Interrupted
from daos_control.client.waiting import Waiting, subject
from daos_control.testing.clock import ManualClock
from daos_control.wire.pb.mgmt.pool_pb2 import PoolCreateReq, PoolDestroyReq, PoolExcludeReq
from daos_control.wire.pb.mgmt.system_pb2 import SystemQueryReq, SystemStopReq


def test_a_wait_tells_who_has_not_answered_and_since_when() -> None:
    clock = ManualClock()
    waiting = Waiting(clock)
    with waiting.on("StorageScan", total=3) as wait, wait.asking("node1:10001"), wait.asking("node2:10001"):
        wait.done = 1
        clock.advance(12)
        assert str(waiting) == "StorageScan on node[1-2]:10001 (1 of 3 hosts are done)"
        assert wait.waited_s == 12
        assert waiting.lines() == [f"{wait} ({wait.since()})"]
        assert wait.since().endswith(", 12 s")
    assert not waiting
    assert str(waiting) == ""


def test_a_long_list_of_hosts_is_not_told_in_full() -> None:
    waiting = Waiting()
    with waiting.on("NetworkScan") as wait, ExitStack() as asking:
        hosts = [f"{chr(97 + n % 26)}host{n}-ib.site.example:10001" for n in range(60)]
        for host in hosts:
            asking.enter_context(wait.asking(host))
        assert wait.where == f"60 hosts, among them {hosts[0]}"


@pytest.mark.parametrize(
    ("method", "request_", "text"),
    [
        ("SystemQuery", SystemQueryReq(), "SystemQuery"),
        ("SystemStop", SystemStopReq(ranks="0-3"), "SystemStop of ranks 0-3"),
        ("SystemStop", SystemStopReq(hosts="node[1-2]"), "SystemStop of the ranks on node[1-2]"),
        ("PoolDestroy", PoolDestroyReq(id="tank"), "PoolDestroy of pool tank"),
        ("PoolExclude", PoolExcludeReq(id="tank", rank=3), "PoolExclude of rank 3 in pool tank"),
        ("PoolCreate", PoolCreateReq(ranks=[0, 1, 2, 5]), "PoolCreate of ranks 0-2,5"),
    ],
)
def test_a_request_is_named_by_what_it_is_about(method: str, request_: object, text: str) -> None:
    assert subject(method, request_) == text


def test_an_interruption_says_what_was_out_and_lets_nothing_new_begin() -> None:
    waiting, ended = Waiting(), []
    with waiting.on("SystemStop", changes=True, stop=lambda: ended.append("stop")) as wait, wait.asking("a:1"):
        waiting.interrupt()
    assert ended == ["stop"]
    assert str(waiting.interruption) == (
        "interrupted while waiting for SystemStop on a:1; what has been sent may still be carried out"
    )
    with pytest.raises(Interrupted, match=r"^interrupted while waiting for SystemQuery$"), waiting.on("SystemQuery"):
        pass
