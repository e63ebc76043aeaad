"""The genuine checker under our server, driven by both dmgs; and a genuine server's checker driven by ours."""

import subprocess
from typing import Any

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(900), pytest.mark.xdist_group("genuine")]

CERTIFICATES = pytest.mark.parametrize("mixed", ["certificates"], indirect=True)
BOTH = pytest.mark.parametrize("dmg", ["ours", "genuine"])


def program_of(mixed: Any, dmg: str) -> Any:
    return getattr(mixed, dmg).dmg


def check(mixed: Any, *pools: str, program: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = mixed.ask("check", "query", *pools, program=program)["response"]
    return found


def until_completed(mixed: Any, program: Any) -> dict[str, Any]:
    mixed.until(lambda: check(mixed, program=program)["status"] == "COMPLETED", lambda: f"the end of {check(mixed)}")
    return check(mixed, program=program)


def states(mixed: Any) -> list[str]:
    return [member["state"] for member in mixed.members()]


def lose(host: Any, pool: str) -> None:
    """Remove a pool's files from all stopped engines of a host; their storage is mounted on its machine only."""
    for index in range(host.engines):
        files = host.folder / f"daos{index}" / pool
        subprocess.run([*host.machine.entering(), "sh", "-c", f"test -d {files} && rm -r {files}"], check=True)


@CERTIFICATES
@BOTH
def test_a_system_in_order_is_checked_and_serves_again(mixed, dmg):
    program = program_of(mixed, dmg)
    mixed.bring_up(engines=2)
    mixed.dmg("pool", "create", "--size=2G", "tank")
    before = mixed.members()
    assert "1102" in mixed.ask("check", "get-policy", program=program_of(mixed, "ours"), code=1)["error"]
    mixed.dmg("check", "enable", program=program, code=1)
    mixed.dmg("system", "stop", program=program)
    mixed.dmg("check", "enable", program=program)
    assert states(mixed) == ["checkerstarted", "checkerstarted"]
    assert check(mixed, program=program)["status"] == "INIT"
    mixed.dmg("check", "start", program=program)
    assert check(mixed, program=program)["status"] == "RUNNING"
    mixed.dmg("check", "stop", program=program)
    assert check(mixed, program=program)["status"] == "STOPPED"
    mixed.dmg("check", "start", "--reset", program=program)
    state = until_completed(mixed, program)
    assert state["reports"] is None
    [pool] = state["pools"].values()
    assert (pool["status"], pool["rank_count"]) == ("CPS_CHECKED", 2)
    mixed.dmg("check", "disable", program=program)
    assert states(mixed) == ["stopped", "stopped"]
    mixed.dmg("system", "start", program=program)
    mixed.have_rejoined(before)
    [pool] = mixed.ask("pool", "list")["response"]["pools"]
    assert (pool["label"], pool["state"]) == ("tank", "Ready")


@CERTIFICATES
@BOTH
def test_a_pool_that_engines_have_lost(mixed, dmg):
    program = program_of(mixed, dmg)
    host = mixed.bring_up(engines=2)
    mixed.dmg("pool", "create", "--size=1G", "kept")
    lost = mixed.ask("pool", "create", "--size=1G", "lost")["response"]["uuid"]
    mixed.dmg("system", "stop", program=program)
    lose(host, lost)
    mixed.dmg("check", "enable", program=program)
    mixed.dmg("check", "set-policy", "POOL_NONEXIST_ON_ENGINE:INTERACT", program=program)
    mixed.dmg("check", "start", program=program)
    mixed.until(lambda: bool(check(mixed)["reports"]), lambda: f"a finding in {check(mixed)}")
    [report] = check(mixed, lost, program=program)["reports"]
    assert (report["class"], report["action"], report["pool_label"]) == (5, 1, "lost")
    assert check(mixed)["pools"][lost]["status"] == "CPS_PENDING"
    assert len(report["act_choices"]) == len(report["act_msgs"]) == len(report["act_details"])
    mixed.dmg("check", "repair", str(report["seq"]), "0", program=program)
    [report] = until_completed(mixed, program)["reports"]
    assert report["action"] == 3
    assert "result" not in report
    mixed.dmg("check", "disable", program=program)
    assert [pool["label"] for pool in mixed.ask("pool", "list", "--no-query")["response"]["pools"]] == ["kept"]


@CERTIFICATES
def test_our_dmg_drives_a_genuine_server(mixed):
    mixed.programs = mixed.genuine
    ours, genuine = mixed.ours.dmg, mixed.genuine.dmg
    mixed.bring_up()
    mixed.dmg("pool", "create", "--size=1G", "tank")
    assert "1102" in mixed.ask("check", "query", program=ours, code=1)["error"]
    mixed.dmg("system", "stop", program=ours)
    mixed.dmg("check", "enable", program=ours)
    assert mixed.ask("check", "enable", program=ours, code=1)["status"] == -1008
    mixed.dmg("check", "set-policy", "--all-interactive", program=ours)
    mixed.dmg("check", "set-policy", "--reset-defaults", program=ours)
    mixed.dmg("check", "set-policy", "POOL_BAD_LABEL:INTERACT", program=ours)
    for question in (("check", "get-policy"), ("check", "get-policy", "POOL_BAD_LABEL"), ("check", "query")):
        assert mixed.ask(*question, program=ours) == mixed.ask(*question, program=genuine), question
    mixed.dmg("check", "start", "tank", program=ours)
    mixed.dmg("check", "stop", program=ours)
    mixed.dmg("check", "disable", program=ours)
    assert states(mixed) == ["stopped"]
