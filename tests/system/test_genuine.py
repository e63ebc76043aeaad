"""Genuine DAOS 2.8 programs and ours make systems together: each joint is tried with the real thing behind it."""

import os
import signal
from dataclasses import replace

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]

MIB = 1 << 20


def copies_64_mib_in_and_out(system) -> None:
    source, copy = system.folder / "source", system.folder / "copy"
    source.write_bytes(os.urandom(64 * MIB))
    system.daos("fs", "copy", "--src", source, "--dst", "daos://tank/things/file")
    system.daos("fs", "copy", "--src", "daos://tank/things/file", "--dst", copy)
    assert copy.read_bytes() == source.read_bytes()
    source.unlink()
    copy.unlink()


def test_our_servers_and_agent_carry_a_genuine_engine_and_client(mixed):
    host = mixed.bring_up()
    mixed.start_agent()
    mixed.dmg("pool", "create", "--size=2G", "tank")
    mixed.daos("container", "create", "tank", "things", "--type=POSIX")
    assert "things" in mixed.daos("container", "list", "tank")
    assert "state=Ready" in mixed.daos("pool", "query", "tank")
    copies_64_mib_in_and_out(mixed)

    before = mixed.members()
    assert host.stop(signal.SIGTERM) == 0
    host.start().shows("process [0-9]+ started on")
    mixed.have_rejoined(before)
    copies_64_mib_in_and_out(mixed)
    mixed.dmg("pool", "destroy", "tank", "--recursive")


def test_two_genuine_engines_on_our_host_end_with_their_server_and_keep_their_data(mixed):
    host = mixed.bring_up(engines=2)
    mixed.start_agent()
    mixed.dmg("pool", "create", "--size=2G", "tank", program=mixed.genuine.dmg)
    mixed.daos("container", "create", "tank", "things", "--type=POSIX")
    before = mixed.members()
    engines = host.engine_pids()
    assert len(engines) == 2

    host.stop(signal.SIGKILL)
    mixed.are_gone(engines)
    host.start().shows("process [0-9]+ started on", 2)
    mixed.have_rejoined(before)
    assert "things" in mixed.daos("container", "list", "tank")
    copies_64_mib_in_and_out(mixed)


@pytest.mark.parametrize("first", ["ours", "genuine"])
def test_a_server_joins_a_system_of_the_other_kind(mixed, first):
    """The management service of one kind, a second host of the other, and the agent of the second kind."""
    kinds = {"ours": replace(mixed.ours, engine=mixed.genuine.engine), "genuine": mixed.genuine}
    leading = kinds.pop(first)
    [joining] = kinds.values()
    mixed.programs = replace(leading, agent=joining.agent, dmg=joining.dmg)
    mixed.bring_up()
    mixed.programs = replace(mixed.programs, server=joining.server)
    mixed.bring_up()
    assert [member["fault_domain"] for member in mixed.members()] == ["/h1", "/h2"]

    mixed.start_agent()
    assert mixed.ask("pool", "create", "--size=2G", "tank")["response"]["tgt_ranks"] == [0, 1]
    mixed.daos("container", "create", "tank", "things", "--type=POSIX")
    copies_64_mib_in_and_out(mixed)
    mixed.dmg("system", "stop", "--ranks=1")
    mixed.dmg("system", "start", "--ranks=1")
    mixed.all_joined(2)
    mixed.dmg("pool", "destroy", "tank", "--recursive")


def test_a_genuine_server_runs_the_emulated_engine(mixed):
    mixed.programs = replace(mixed.genuine, engine=mixed.ours.engine)
    mixed.bring_up(engines=2)
    created = mixed.ask("pool", "create", "--size=2G", "tank")["response"]
    assert created["tgt_ranks"] == [0, 1]
    found = mixed.ask("pool", "query", "tank")["response"]
    assert (found["uuid"], found["state"], found["total_targets"]) == (created["uuid"], "Ready", 2)
    mixed.dmg("system", "stop")
    assert {member["state"] for member in mixed.members()} == {"stopped"}
    mixed.dmg("system", "start")
    mixed.all_joined(2)
    mixed.dmg("pool", "destroy", "tank")
    assert mixed.ask("pool", "list")["response"]["pools"] is None
