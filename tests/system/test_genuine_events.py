"""Events between servers of both kinds: what genuine ones report is acted on and told, and what ours do is acted on."""

import os
import re
import signal
from typing import Any

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("genuine")]


def two_hosts(mixed: Any, *, first: str) -> Any:
    """Bring up a system of two genuine engines whose first server is of one kind and the second of the other."""
    genuine, ours = mixed.genuine, mixed.programs
    mixed.programs = genuine if first == "genuine" else ours
    mixed.bring_up()
    mixed.programs = ours if first == "genuine" else genuine
    return mixed.bring_up()


@pytest.mark.parametrize("mixed", ["certificates"], indirect=True)
def test_a_genuine_server_reports_to_our_leader(mixed):
    second = two_hosts(mixed, first="ours")
    os.kill(second.engine_pids()[0], signal.SIGKILL)
    mixed.until_states_are("joined", "excluded")
    told = mixed.ask("system", "query", "--explain", "1", program=mixed.ours.dmg)["response"]
    moves = [(move["from"], move["to"]) for move in told["moves"]]
    assert (None, "joined") in moves
    assert moves[-1][1] == "excluded"
    events = {entry["event"]["name"]: entry for entry in told["events"]}
    died = events["engine_died"]
    assert died["reporter"] == second.machine.address
    assert died["event"]["msg"].startswith("DAOS engine 0 exited unexpectedly")
    assert re.fullmatch(r"rank 1 is Errored \(was Joined\), map version \d+", died["effect"])
    assert "swim_rank_dead" in events
    assert told["remedies"][0]["command"] == "dmg system start --ranks=1"


@pytest.mark.parametrize("mixed", ["certificates"], indirect=True)
def test_our_server_reports_to_a_genuine_leader_only_what_that_acts_on(mixed):
    second = two_hosts(mixed, first="genuine")
    os.kill(second.engine_pids()[0], signal.SIGKILL)
    mixed.until_states_are("joined", "excluded")
    log = (second.folder / "daos_server.log").read_text()
    assert "not delivered" not in log
    assert "missing in the history" not in log
    for words in (["system", "events"], ["system", "query", "--explain", "1"]):
        document = mixed.ask(*words, program=mixed.ours.dmg, code=1)
        assert "it is DAOS's own, or an older daos-control" in document["error"]
    assert mixed.dmg("--json", "system", "events", "--follow", program=mixed.ours.dmg, code=1) == ""
