"""Orders to many hosts: a host that is not there costs its own time, whoever and how many it are."""

import asyncio
from typing import Any

import pytest

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.mgmt.fan_out import TURN_S, TURNS, tell_hosts
from daos_control.net.rpc.methods import CTL
from daos_control.testing.data_plane import FakeHosts
from daos_control.testing.virtual_time import in_virtual_time
from daos_control.wire.pb.ctl import ranks_pb2

STOP = CTL["StopRanks"]
CONNECT_S = 5.0


class BlackHoles(FakeHosts):
    """Hosts of which some swallow packets, which is noticed after a while; counts how many connect at once."""

    holes: frozenset[str] = frozenset()
    connecting = 0
    most = 0

    async def reach(self, address: str, /, *, timeout_s: float | None = None) -> None:
        assert timeout_s is not None
        self.connecting += 1
        self.most = max(self.most, self.connecting)
        try:
            if address in self.holes:
                await asyncio.sleep(min(CONNECT_S, timeout_s))
                raise FaultCode.CLIENT_CONNECTION_TIMED_OUT.fault(address=address, reason="")
            await super().reach(address, timeout_s=timeout_s)
        finally:
            self.connecting -= 1


class OneBusyMachine(FakeHosts):
    """Hosts that share a processor: each connection takes its share of it, so many at once take long."""

    def __init__(self, share_s: float) -> None:
        super().__init__()
        self.share_s = share_s
        self.busy_until = 0.0
        self.slowest_s = 0.0

    async def reach(self, address: str, /, *, timeout_s: float | None = None) -> None:
        now = asyncio.get_running_loop().time()
        self.busy_until = max(now, self.busy_until) + self.share_s
        self.slowest_s = max(self.slowest_s, self.busy_until - now)
        await asyncio.sleep(self.busy_until - now)


def addresses(number: int) -> list[str]:
    return [f"10.0.{host // 250}.{host % 250}:10001" for host in range(number)]


async def tell(hosts: FakeHosts, names: list[str], **how: Any) -> dict[str, tuple[float, bool]]:
    """Return when each host was heard of, and whether it answered."""
    heard: dict[str, tuple[float, bool]] = {}

    async def hear(address: str, answer: object) -> None:
        assert address not in heard
        heard[address] = (asyncio.get_running_loop().time(), not isinstance(answer, DaosControlError))

    requests = {name: ranks_pb2.RanksReq(ranks="0") for name in names}
    await tell_hosts(hosts, STOP, requests, hear, **{"limit_s": 60.0, **how})
    return heard


@pytest.mark.parametrize("many", [100, 900])
def test_hosts_that_swallow_packets_keep_nobody_else_waiting(many: int) -> None:
    names = addresses(many + 24)
    hosts = BlackHoles()
    hosts.holes = frozenset(names[:many])  # and they come first
    heard = in_virtual_time(tell(hosts, names))
    assert {name for name, (_, answered) in heard.items() if not answered} == hosts.holes
    rounds = many // TURNS + 1
    assert max(heard[name][0] for name in names[many:]) <= rounds * TURN_S
    assert max(when for when, _ in heard.values()) <= CONNECT_S + rounds * TURN_S


def test_a_few_that_swallow_packets_among_many_hardly_matter() -> None:
    names = addresses(1024)
    hosts = BlackHoles(connect_s=dict.fromkeys(names, 0.02))
    hosts.holes = frozenset(names[::50])
    heard = in_virtual_time(tell(hosts, names))
    well = [when for when, answered in heard.values() if answered]
    assert len(well) == 1024 - len(hosts.holes)
    assert max(well) <= 1


@pytest.mark.parametrize("share_s", [0.005, 0.02, 0.05])
def test_a_busy_machine_is_not_taken_for_one_that_is_not_there(share_s: float) -> None:
    hosts = OneBusyMachine(share_s)
    heard = in_virtual_time(tell(hosts, addresses(1024), limit_s=300.0))
    assert all(answered for _, answered in heard.values())
    assert max(when for when, _ in heard.values()) == pytest.approx(1024 * share_s)
    assert hosts.slowest_s < CONNECT_S


def test_a_thousand_hosts_that_take_a_minute_take_it_together() -> None:
    names = addresses(1024)
    hosts = FakeHosts(takes_s=dict.fromkeys(names, 60.0))
    heard = in_virtual_time(tell(hosts, names, limit_s=90.0))
    assert max(when for when, _ in heard.values()) == 60


def test_only_so_many_connect_at_once() -> None:
    names = addresses(40)
    hosts = BlackHoles(connect_s=dict.fromkeys(names, 0.1))
    in_virtual_time(tell(hosts, names, turns=8))
    assert hosts.most == 8


def test_the_limit_is_for_all_together() -> None:
    names = addresses(3)
    hosts = FakeHosts(takes_s={names[0]: 100.0, names[1]: 5.0})
    heard = in_virtual_time(tell(hosts, names, limit_s=10.0))
    assert heard == {names[0]: (10.0, False), names[1]: (5.0, True), names[2]: (0.0, True)}


def test_a_host_that_gets_no_turn_in_time_is_told_of_as_well() -> None:
    names = addresses(100)
    hosts = FakeHosts(connect_s=dict.fromkeys(names, 9.0))
    heard = in_virtual_time(tell(hosts, names, turns=1, limit_s=2.0))
    assert len(heard) == 100
    assert not any(answered for _, answered in heard.values())


def test_a_turn_that_was_over_is_not_given_back_twice() -> None:
    names = addresses(6)
    hosts = BlackHoles(connect_s=dict.fromkeys(names, 10.0))
    heard = in_virtual_time(tell(hosts, names, turns=1))
    assert [heard[name][0] for name in names] == [10 + TURN_S * number for number in range(6)]
