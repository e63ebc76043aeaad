"""Genuine DAOS 2.8 programs and ours make systems together: each joint is tried with the real thing behind it."""

import os
import signal

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
    mixed.all_joined(1)
    after = mixed.members()
    assert [(one["rank"], one["uuid"]) for one in after] == [(one["rank"], one["uuid"]) for one in before]
    assert after[0]["incarnation"] > before[0]["incarnation"]
    copies_64_mib_in_and_out(mixed)
    mixed.dmg("pool", "destroy", "tank", "--recursive")
