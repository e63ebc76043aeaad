"""A leader that is killed or frozen, and comes back, is found again by a server and an agent of the other kind."""

import os
import signal
from dataclasses import replace

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]

STARTED = r"DAOS I/O Engine.*process [0-9]+ started on"
HEARD = r"rank 1: Joined->Errored \(DAOS engine 0 exited unexpectedly"
"""What a leader of either kind says when the server of rank 1 has reported the end of its engine."""


@pytest.fixture(params=["ours", "genuine"])
def two_hosts(mixed, request):
    """The management service of one kind, a second host and the agent of the other, and a pool on both."""
    kinds = {"ours": replace(mixed.ours, engine=mixed.genuine.engine), "genuine": mixed.genuine}
    leading = kinds.pop(request.param)
    [following] = kinds.values()
    mixed.programs = replace(leading, agent=following.agent, dmg=following.dmg)
    mixed.bring_up()
    mixed.programs = replace(mixed.programs, server=following.server)
    mixed.bring_up()
    mixed.start_agent()
    mixed.dmg("pool", "create", "--size=1G", "--properties=rd_fac:1,svc_rf:0", "tank")
    return mixed


@pytest.mark.parametrize("mixed", ["certificates"], indirect=True)
def test_a_leader_that_was_killed(two_hosts):
    first, second = two_hosts.hosts
    two_hosts.daos("container", "create", "tank", "things", "--type=POSIX", "--properties=rd_fac:0")
    before = two_hosts.members()[0]
    engines = first.engine_pids()
    first.stop(signal.SIGKILL)
    two_hosts.are_gone(engines)
    first.start().shows(STARTED)
    two_hosts.until(
        lambda: two_hosts.members()[0]["incarnation"] > before["incarnation"],
        lambda: f"rank 0 to join again; there are {two_hosts.members()}",
    )
    # Rank 1 may have been lost and found while there was no leader: it starts anew, whatever it went through.
    two_hosts.dmg("system", "stop", "--ranks=1")
    two_hosts.dmg("system", "start", "--ranks=1")
    two_hosts.all_joined(2)
    assert "things" in two_hosts.daos("container", "list", "tank")
    loses_its_engine(second)
    first.server.shows(HEARD)
    comes_back(two_hosts)


@pytest.mark.parametrize("mixed", ["certificates"], indirect=True)
def test_a_leader_that_was_frozen(two_hosts):
    first, second = two_hosts.hosts
    with first.server.frozen():
        loses_its_engine(second)
    first.server.shows(HEARD)
    comes_back(two_hosts)


def loses_its_engine(host) -> None:
    """The only engine of a host is killed, and its server sees that."""
    [engine] = host.engine_pids()
    os.kill(engine, signal.SIGKILL)
    host.server.shows(r"\[engine_died\]")


def comes_back(system) -> None:
    """Rank 1 joins anew, and clients find the pool."""
    system.until_states_are("joined", "excluded")
    system.dmg("system", "start", "--ranks=1")
    system.all_joined(2)
    assert "state=" in system.daos("pool", "query", "tank")
