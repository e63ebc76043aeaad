"""What an administrator does to a whole system, on a lab: real servers, emulated engines, dmg."""

from collections.abc import Iterator
from typing import Any

import pytest

from daos_control.testing.lab import DrivenLab, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(180), pytest.mark.xdist_group("lab")]


class System(DrivenLab):
    """A lab of two hosts with two engines each."""

    def query(self) -> dict[str, Any]:
        """Return how the pool is; not how full, which a dead rank does not say."""
        health: dict[str, Any] = self.ask("pool", "query", "--health-only", "tank")
        return health

    def disabled(self) -> int:
        return int(self.query()["disabled_targets"])

    def is_settled(self) -> bool:
        return bool(self.query()["rebuild"]["state"] != "busy")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    system = System(tmp_path_factory.mktemp("verbs") / "lab")
    system.lab("up", "--hosts", "2", "--engines", "2", "--pool", "1GiB")
    yield system
    system.lab("down")


def test_ranks_are_drained_and_brought_back(system: System) -> None:
    answer = system.ask("system", "drain", "--ranks", "2-3")
    assert answer["responses"] == [
        {
            "id": "tank",
            "results": [{"rank": rank, "errored": False, "msg": ""} for rank in (2, 3)],
        }
    ]
    until(lambda: system.disabled() == 8)
    again = system.document("system", "drain", "--ranks", "2-3")
    assert again["error"] == "system drain failed: no pool-ranks found to operate on with request params"
    until(system.is_settled)
    back = system.ask("system", "reintegrate", "--ranks", "2-3")
    assert back["responses"] == answer["responses"]
    until(lambda: system.disabled() == 0 and system.is_settled())


def test_rebuilds_are_started_and_stopped(system: System) -> None:
    until(system.is_settled)
    started = system.ask("system", "rebuild", "start")
    assert [(result["id"], result["errored"]) for result in started["results"]] == [("tank", False)]
    idle = system.document("system", "rebuild", "stop")
    assert "pool-rebuild stop failed: DER_NONEXIST(-1005)" in idle["error"]


def test_self_healing_is_looked_at_again(system: System) -> None:
    """While nobody heals, a rank that dies stays a member and in its pools; asked again, the system makes up for it."""
    system.ask("system", "set-prop", "self_heal:none")
    system.lab("kill", "3")
    until(lambda: system.states()[3] == "errored")
    until(lambda: system.query()["dead_ranks"] == [3])
    assert (system.states()[3], system.disabled()) == ("errored", 0)
    system.ask("system", "set-prop", "self_heal:exclude;pool_exclude")
    system.ask("system", "self-heal", "eval")
    until(lambda: system.disabled() == 4)
    system.ask("system", "set-prop", "self_heal:exclude;pool_exclude;pool_rebuild")
    system.ask("system", "start", "--ranks", "3")
    until(lambda: system.states()[3] == "joined")
    until(system.is_settled)
    system.ask("system", "reintegrate", "--ranks", "3")
    until(lambda: system.disabled() == 0 and system.is_settled())


def test_an_erased_system_is_formatted_again_and_all_ranks_join(system: System) -> None:
    assert "ranks to be stopped: 0-3" in system.document("system", "erase")["error"]
    system.ask("system", "stop", "--full")
    assert system.states() == dict.fromkeys(range(4), "stopped")
    system.ask("system", "erase")
    assert "system is uninitialized" in system.document("system", "query")["error"]
    assert not list(system.folder.glob("h*/daos*/control_raft"))
    system.ask("storage", "format")
    until(lambda: system.document("system", "query")["error"] is None)
    until(lambda: system.states() == dict.fromkeys(range(4), "joined"))
    assert not system.ask("pool", "list")["pools"]
    assert not list(system.folder.glob("h*/daos*/superblock.retired"))
    system.ask("pool", "create", "--size", "1GiB", "tank")
    assert system.disabled() == 0
