"""A whole check as an administrator runs it, on a lab: real servers of two hosts, emulated engines, dmg."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from daos_control.client import SyncDaosClient
from daos_control.model.checker import Action, CheckStatus, Inconsistency

pytestmark = [pytest.mark.system, pytest.mark.timeout(240), pytest.mark.xdist_group("lab")]

PROGRAMS = Path(sys.executable).parent
PATIENCE_S = 60.0


class System:
    """A lab of two hosts with one engine each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def lab(self, *arguments: str) -> None:
        subprocess.run([PROGRAMS / "daos_lab", "-D", self.folder, *arguments], check=True, capture_output=True)

    def dmg(self, *arguments: str, json_wanted: bool = True) -> subprocess.CompletedProcess[str]:
        options = ["-j"] if json_wanted else []
        command = [PROGRAMS / "dmg", "-o", self.folder / "daos_control.yml", *options, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done

    def does(self, *arguments: str) -> Any:
        """Run dmg with --json; return its response. It must succeed."""
        document = json.loads(self.dmg(*arguments).stdout)
        assert document["error"] is None, document
        return document["response"]

    def refuses(self, *arguments: str) -> tuple[int, str]:
        """Run dmg, which must fail; return the status and what it says."""
        document = json.loads(self.dmg(*arguments).stdout)
        assert document["error"], document
        return document["status"], document["error"]

    def states(self) -> list[str]:
        return [member["state"] for member in self.does("system", "query")["members"]]

    def check(self, *pools: str) -> dict[str, Any]:
        found: dict[str, Any] = self.does("check", "query", *pools)
        return found

    def script(self, rank: int, command: str) -> str:
        """Give the emulated engine of a rank a command."""
        [member] = [member for member in self.does("system", "query")["members"] if member["rank"] == rank]
        config = yaml.safe_load((self.folder / member["fault_domain"].strip("/") / "daos_server.yml").read_text())
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(f"{config['socket_dir']}/emulator_0.sock")
            sock.sendall(f"{command}\n".encode())
            return sock.makefile().readline().strip()

    def normal(self) -> None:
        """Bring it back to normal from wherever it is."""
        self.dmg("check", "disable")
        self.does("system", "stop")
        self.does("system", "start")
        until(lambda: self.states() == ["joined"] * 2)

    def checking(self) -> None:
        """Have it stopped and started for the checker."""
        self.does("system", "stop")
        self.does("check", "enable")
        assert self.states() == ["checkerstarted"] * 2


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends, condition
        time.sleep(0.2)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    system = System(tmp_path_factory.mktemp("check") / "lab")
    system.lab("up", "--hosts", "2", "--engines", "1", "--pool", "1GiB")
    yield system
    system.lab("down")


@pytest.fixture
def system(lab: System) -> Iterator[System]:
    """The lab, in normal mode, its first pool called tank."""
    [pool] = lab.does("pool", "list", "--no-query")["pools"]
    if pool["label"] != "tank":
        lab.does("pool", "set-prop", pool["label"], "label:tank")
    yield lab
    lab.normal()


def uuid_of(system: System) -> str:
    [pool] = system.does("pool", "list", "--no-query")["pools"]
    return str(pool["uuid"])


def until_completed(system: System) -> dict[str, Any]:
    until(lambda: system.check()["status"] == "COMPLETED")
    return system.check()


def test_a_system_in_order_comes_back_with_its_pools(system: System) -> None:
    assert system.refuses("check", "start")[1].startswith("checker: code = 1102")
    assert system.refuses("check", "enable")[1].startswith("checker: code = 1101")
    system.checking()
    assert system.refuses("check", "enable")[0] == -1008
    assert system.refuses("pool", "query", "tank")[1].startswith("checker: code = 1103")
    system.does("check", "start", "--reset")
    state = until_completed(system)
    assert (state["scan_phase"], state["reports"], state["leader"]) == ("DONE", None, 0)
    assert [pool["rank_count"] for pool in state["pools"].values()] == [2]
    assert [pool["status"] for pool in state["pools"].values()] == ["CPS_CHECKED"]
    system.does("check", "disable")
    assert system.states() == ["stopped"] * 2
    assert system.refuses("check", "disable")[0] == -1008
    system.does("system", "start")
    until(lambda: system.states() == ["joined"] * 2)
    assert system.does("pool", "query", "tank")["state"] == "Ready"


def test_an_administrator_decides_about_what_another_host_found(system: System) -> None:
    pool = uuid_of(system)
    system.checking()
    assert system.script(1, f"pretend CONT_BAD_LABEL {pool}") == "ok"
    assert system.script(0, f"pretend CONT_NONEXIST_ON_PS {pool}") == "ok"
    system.does("check", "start", "--reset", "--policies", "CONT_BAD_LABEL:INTERACT", "tank")
    until(lambda: any(report["action"] == 1 for report in system.check()["reports"] or ()))
    state = system.check("tank")
    assert state["status"] == "RUNNING"
    assert state["pools"][pool]["status"] == "CPS_PENDING"
    settled, waiting = state["reports"]
    assert (settled["class"], settled["action"], settled["rank"]) == (11, 3, 0)
    assert (waiting["class"], waiting["rank"], waiting["act_choices"]) == (12, 1, [6, 7, 2])
    assert waiting["pool_label"] == "tank"
    text = system.dmg("check", "query", json_wanted=False).stdout
    assert f"{waiting['seq']:#x} CONT_BAD_LABEL" in text
    assert "0: Take the label that the pool service has [suggested]." in text
    assert "invalid action 9" in system.refuses("check", "repair", str(waiting["seq"]), "9")[1]
    assert "finding 0x1 not found" in system.refuses("check", "repair", "1", "0")[1]
    system.does("check", "repair", f"{waiting['seq']:#x}", "0")
    until_completed(system)
    assert [report["action"] for report in system.check("tank")["reports"]] == [3, 6]
    assert "is already resolved" in system.refuses("check", "repair", str(waiting["seq"]), "0")[1]
    system.does("check", "start", "--reset")
    assert until_completed(system)["reports"] is None, "all is repaired, and what was found is forgotten"


def test_findings_and_mode_outlive_the_leader_and_its_engine(system: System) -> None:
    pool = uuid_of(system)
    system.checking()
    system.does("check", "set-policy", "CONT_BAD_LABEL:INTERACT")
    assert system.script(1, f"pretend CONT_BAD_LABEL {pool}") == "ok"
    system.does("check", "start", "--reset")
    until(lambda: bool(system.check()["reports"]))
    [before] = system.check()["reports"]
    system.lab("kill", "h1")  # with its engine, which led the check, as by a power cut
    system.lab("up", "--hosts", "2", "--engines", "1", "--pool", "1GiB")
    until(lambda: system.dmg("check", "query").returncode == 0)
    assert system.states() == ["checkerstarted"] * 2
    assert system.check()["reports"] == [before]
    policies = system.does("check", "get-policy", "CONT_BAD_LABEL")["policies"]
    assert policies == ["CONT_BAD_LABEL:INTERACT"]
    system.does("check", "start")
    until(lambda: [report["seq"] for report in system.check()["reports"] or ()] not in ([], [before["seq"]]))
    [again] = system.check()["reports"]
    system.does("check", "repair", str(again["seq"]), "0")
    until_completed(system)


def test_a_pool_that_was_lost_is_struck_from_the_records(system: System) -> None:
    system.does("pool", "create", "--size=1GiB", "gone")
    [pool] = [pool for pool in system.does("pool", "list", "--no-query")["pools"] if pool["label"] == "gone"]
    system.checking()
    for rank in (0, 1):
        assert system.script(rank, f"lose {pool['uuid']}") == "ok"
    system.does("check", "set-policy", "--reset-defaults")
    system.does("check", "start", "--reset", "--dry-run")
    [report] = until_completed(system)["reports"]
    assert (report["class"], report["action"], report["result"]) == (5, 3, 1)
    assert "(dry run)" in system.dmg("check", "query", json_wanted=False).stdout
    system.does("check", "start")
    [report] = until_completed(system)["reports"]
    assert (report["class"], report["action"]) == (5, 3)
    assert "result" not in report
    system.normal()
    assert [pool["label"] for pool in system.does("pool", "list", "--no-query")["pools"]] == ["tank"]


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
