"""A whole check as an administrator runs it, on a lab: real servers of two hosts, emulated engines, dmg."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from daos_control.client import SyncDaosClient
from daos_control.model.checker import Action, CheckStatus, Inconsistency
from daos_control.testing.lab import DrivenLab, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(240), pytest.mark.xdist_group("lab")]


class System(DrivenLab):
    """A lab of two hosts with one engine each."""

    def all_are(self, state: str) -> bool:
        return self.states() == {0: state, 1: state}

    def check(self, *pools: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("check", "query", *pools)
        return found

    def script(self, rank: int, command: str) -> str:
        """Give the emulated engine of a rank a command."""
        [member] = [member for member in self.ask("system", "query")["members"] if member["rank"] == rank]
        config = yaml.safe_load((self.folder / member["fault_domain"].strip("/") / "daos_server.yml").read_text())
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(f"{config['socket_dir']}/emulator_0.sock")
            sock.sendall(f"{command}\n".encode())
            return sock.makefile().readline().strip()

    def normal(self) -> None:
        """Bring it back to normal from wherever it is."""
        self.document("check", "disable")
        self.ask("system", "stop")
        self.ask("system", "start")
        until(lambda: self.all_are("joined"))

    def checking(self) -> None:
        """Have it stopped and started for the checker."""
        self.ask("system", "stop")
        self.ask("check", "enable")
        assert self.all_are("checkerstarted")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    system = System(tmp_path_factory.mktemp("check") / "lab")
    system.lab("up", "--hosts", "2", "--engines", "1", "--pool", "1GiB")
    yield system
    system.lab("down")


@pytest.fixture
def system(lab: System) -> Iterator[System]:
    """The lab, in normal mode, its first pool called tank."""
    [pool] = lab.ask("pool", "list", "--no-query")["pools"]
    if pool["label"] != "tank":
        lab.ask("pool", "set-prop", pool["label"], "label:tank")
    yield lab
    lab.normal()


def uuid_of(system: System) -> str:
    [pool] = system.ask("pool", "list", "--no-query")["pools"]
    return str(pool["uuid"])


def until_completed(system: System) -> dict[str, Any]:
    until(lambda: system.check()["status"] == "COMPLETED")
    return system.check()


def test_a_system_in_order_comes_back_with_its_pools(system: System) -> None:
    assert system.refusal("check", "start")[1].startswith("checker: code = 1102")
    assert system.refusal("check", "enable")[1].startswith("checker: code = 1101")
    system.checking()
    assert system.refusal("check", "enable")[0] == -1008
    assert system.refusal("pool", "query", "tank")[1].startswith("checker: code = 1103")
    system.ask("check", "start", "--reset")
    state = until_completed(system)
    assert (state["scan_phase"], state["reports"], state["leader"]) == ("DONE", None, 0)
    assert [pool["rank_count"] for pool in state["pools"].values()] == [2]
    assert [pool["status"] for pool in state["pools"].values()] == ["CPS_CHECKED"]
    system.ask("check", "disable")
    assert system.all_are("stopped")
    assert system.refusal("check", "disable")[0] == -1008
    system.ask("system", "start")
    until(lambda: system.all_are("joined"))
    assert system.ask("pool", "query", "tank")["state"] == "Ready"


def test_an_administrator_decides_about_what_another_host_found(system: System) -> None:
    pool = uuid_of(system)
    system.checking()
    assert system.script(1, f"pretend CONT_BAD_LABEL {pool}") == "ok"
    assert system.script(0, f"pretend CONT_NONEXIST_ON_PS {pool}") == "ok"
    system.ask("check", "start", "--reset", "--policies", "CONT_BAD_LABEL:INTERACT", "tank")
    until(lambda: any(report["action"] == 1 for report in system.check()["reports"] or ()))
    state = system.check("tank")
    assert state["status"] == "RUNNING"
    assert state["pools"][pool]["status"] == "CPS_PENDING"
    settled, waiting = state["reports"]
    assert (settled["class"], settled["action"], settled["rank"]) == (11, 3, 0)
    assert (waiting["class"], waiting["rank"], waiting["act_choices"]) == (12, 1, [6, 7, 2])
    assert waiting["pool_label"] == "tank"
    text = system.dmg("check", "query")
    assert f"{waiting['seq']:#x} CONT_BAD_LABEL" in text
    assert "0: Take the label that the pool service has [suggested]." in text
    assert "invalid action 9" in system.refusal("check", "repair", str(waiting["seq"]), "9")[1]
    assert "finding 0x1 not found" in system.refusal("check", "repair", "1", "0")[1]
    system.ask("check", "repair", f"{waiting['seq']:#x}", "0")
    until_completed(system)
    assert [report["action"] for report in system.check("tank")["reports"]] == [3, 6]
    assert "is already resolved" in system.refusal("check", "repair", str(waiting["seq"]), "0")[1]
    system.ask("check", "start", "--reset")
    assert until_completed(system)["reports"] is None, "all is repaired, and what was found is forgotten"


def test_findings_and_mode_outlive_the_leader_and_its_engine(system: System) -> None:
    pool = uuid_of(system)
    system.checking()
    system.ask("check", "set-policy", "CONT_BAD_LABEL:INTERACT")
    assert system.script(1, f"pretend CONT_BAD_LABEL {pool}") == "ok"
    system.ask("check", "start", "--reset")
    until(lambda: bool(system.check()["reports"]))
    [before] = system.check()["reports"]
    system.lab("kill", "h1")  # with its engine, which led the check, as by a power cut
    system.lab("up", "--hosts", "2", "--engines", "1", "--pool", "1GiB")
    until(lambda: system.document("check", "query")["error"] is None)
    assert system.all_are("checkerstarted")
    assert system.check()["reports"] == [before]
    policies = system.ask("check", "get-policy", "CONT_BAD_LABEL")["policies"]
    assert policies == ["CONT_BAD_LABEL:INTERACT"]
    system.ask("check", "start")
    until(lambda: [report["seq"] for report in system.check()["reports"] or ()] not in ([], [before["seq"]]))
    [again] = system.check()["reports"]
    system.ask("check", "repair", str(again["seq"]), "0")
    until_completed(system)


def test_a_pool_that_was_lost_is_struck_from_the_records(system: System) -> None:
    system.ask("pool", "create", "--size=1GiB", "gone")
    [pool] = [pool for pool in system.ask("pool", "list", "--no-query")["pools"] if pool["label"] == "gone"]
    system.checking()
    for rank in (0, 1):
        assert system.script(rank, f"lose {pool['uuid']}") == "ok"
    system.ask("check", "set-policy", "--reset-defaults")
    system.ask("check", "start", "--reset", "--dry-run")
    [report] = until_completed(system)["reports"]
    assert (report["class"], report["action"], report["result"]) == (5, 3, 1)
    assert "(dry run)" in system.dmg("check", "query")
    system.ask("check", "start")
    [report] = until_completed(system)["reports"]
    assert (report["class"], report["action"]) == (5, 3)
    assert "result" not in report
    system.normal()
    assert [pool["label"] for pool in system.ask("pool", "list", "--no-query")["pools"]] == ["tank"]


def test_the_client_library_does_all_this_too(system: System) -> None:
    pool = uuid_of(system)
    with SyncDaosClient.from_config(system.folder / "daos_control.yml") as daos:
        daos.system.stop()
        daos.checker.enable()
        assert system.script(1, f"pretend CONT_BAD_LABEL {pool}") == "ok"
        daos.checker.start(["tank"], reset=True, policies={Inconsistency.CONT_BAD_LABEL: Action.INTERACT})
        until(lambda: bool(daos.checker.query().open))
        [finding] = daos.checker.query(["tank"], shallow=True).open
        daos.checker.stop()
        state = daos.checker.query()
        assert state.status is CheckStatus.STOPPED
        assert state.leader == 0
        daos.checker.reset_policies()
        daos.checker.start(reset=True)
        until(lambda: daos.checker.query().status is CheckStatus.COMPLETED)
        [settled] = daos.checker.query().findings
        assert (settled.action, settled.kind) == (Action.TRUST_PS, finding.kind)
        daos.checker.disable()
