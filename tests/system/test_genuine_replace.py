"""A host loses an engine's storage: what genuine DAOS 2.8 makes of it and what we do, with genuine engines."""

from dataclasses import replace

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(900), pytest.mark.xdist_group("genuine")]

STARTED = r"DAOS I/O Engine.*process [0-9]+ started on"


@pytest.fixture(params=["ours", "genuine"])
def two_hosts(mixed, request):
    """Rank 0 with the management service on one host and rank 1 on another, and a pool over both, served by rank 0."""
    mixed.programs = replace(getattr(mixed, request.param), engine=mixed.genuine.engine)
    mixed.bring_up()
    mixed.bring_up()
    mixed.dmg("pool", "create", "--size=1G", "--ranks=0", "tank")
    mixed.dmg("pool", "extend", "tank", "--ranks=1")
    return mixed


def loses_its_storage(system) -> None:
    """The second host dies, its rank is seen to be dead, and it comes back with nothing."""
    host = system.hosts[1]
    host.lose_storage()
    system.until_states_are("joined", "excluded")
    host.start_unformatted()


def test_an_engine_takes_its_rank_back_and_its_pools_after_that(two_hosts):
    before = two_hosts.members()
    loses_its_storage(two_hosts)
    two_hosts.until_disabled_ranks_are("tank", 1)
    two_hosts.dmg("storage", "format", "--replace", "-l", two_hosts.hosts[1].address)
    two_hosts.hosts[1].server.shows(STARTED)
    two_hosts.all_joined(2)
    after = two_hosts.members()
    assert after[0]["uuid"] == before[0]["uuid"]
    assert after[1]["uuid"] != before[1]["uuid"]
    assert [member["addr"] for member in after] == [member["addr"] for member in before]
    two_hosts.dmg("pool", "reintegrate", "tank", "--ranks=1")
    two_hosts.until_disabled_ranks_are("tank")


def test_without_being_told_to_replace_it_joins_as_a_new_rank(two_hosts):
    before = two_hosts.members()
    loses_its_storage(two_hosts)
    two_hosts.dmg("storage", "format", "-l", two_hosts.hosts[1].address)
    two_hosts.hosts[1].server.shows(STARTED)
    two_hosts.until_states_are("joined", "excluded", "joined")
    after = two_hosts.members()
    assert [member["uuid"] for member in after[:2]] == [member["uuid"] for member in before]
    assert after[2]["addr"] == after[1]["addr"]


def test_a_rank_that_pools_still_use_is_not_replaced(two_hosts):
    host = two_hosts.hosts[1]
    two_hosts.dmg("system", "set-prop", "self_heal:exclude")
    loses_its_storage(two_hosts)
    two_hosts.dmg("storage", "format", "--replace", "-l", host.address)
    two_hosts.until(lambda: host.server.counts("rank 1 is .*tank") > 0, lambda: host.server.output)
    two_hosts.until_states_are("joined", "excluded")

    two_hosts.dmg("pool", "exclude", "tank", "--ranks=1")
    two_hosts.until_disabled_ranks_are("tank", 1)
    if two_hosts.programs.server == two_hosts.genuine.server:
        two_hosts.dmg("storage", "format", "--replace", "-l", host.address, code=1)  # DAOS 2.8 wants it wiped again
    else:
        two_hosts.dmg("storage", "format", "--replace", "-l", host.address)
        two_hosts.all_joined(2)
