"""DAOS's own test utilities drive our dmg, unchanged.

``DAOS_SOURCE`` names a checkout of DAOS 2.8's sources; without it these tests are skipped. Where ``DAOS_GENUINE`` names
an installation of DAOS 2.8, too, its dmg is asked the same questions, and the utilities must make the same of both.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("lab")]

PROGRAMS = Path(sys.executable).parent
DRIVER = Path(__file__).parent / "ftest" / "drive.py"
Call = tuple[str, dict[str, Any]]

QUESTIONS: list[Call] = [
    ("system_query", {}),
    ("system_query", {"ranks": "0-1"}),
    ("system_leader_query", {}),
    ("system_get_prop", {"properties": "self_heal"}),
    ("network_scan", {}),
    ("network_scan", {"provider": "all"}),
    ("storage_scan", {}),
    ("storage_scan", {"verbose": True}),
    ("storage_scan_nvme_health", {}),
    ("storage_query_usage", {}),
    ("storage_query_list_devices", {}),
    ("storage_query_list_devices", {"health": True, "rank": 0}),
    ("storage_query_list_pools", {"verbose": True}),
    ("pool_list", {}),
    ("pool_list", {"verbose": True}),
    ("pool_list", {"no_query": True}),
    ("get_pool_list_all", {}),
    ("get_pool_list_uuids", {}),
    ("get_pool_list_labels", {}),
    ("get_pool_list_svc_reps", {}),
    ("pool_query", {"pool": "tank"}),
    ("pool_query", {"pool": "tank", "show_enabled": True}),
    ("pool_query", {"pool": "tank", "health_only": True}),
    ("pool_query_targets", {"pool": "tank", "rank": 0}),
    ("pool_query_targets", {"pool": "tank", "rank": 0, "target_idx": "1"}),
    ("pool_get_acl", {"pool": "tank"}),
    ("pool_get_prop", {"pool": "tank"}),
    ("pool_get_prop", {"pool": "tank", "name": "label"}),
]
"""Calls that change nothing."""
REFUSED: list[Call] = [
    ("pool_query", {"pool": "absent"}),
    ("pool_destroy", {"pool": "absent"}),
    ("pool_extend", {"pool": "absent", "ranks": "1"}),
    ("pool_set_prop", {"pool": "tank", "properties": "bogus:lazy"}),
    ("pool_create", {"scm_size": "64MiB", "label": "tank"}),
    ("cont_set_owner", {"pool": "tank", "cont": "absent", "user": "root"}),
    ("storage_format", {}),
    ("system_exclude", {}),
]
"""Calls that every dmg fails."""
ORDERS: list[Call] = [
    ("server_set_logmasks", {"masks": "ERR"}),
    ("server_set_logmasks", {}),
    ("pool_create", {"scm_size": "64MiB", "label": "more"}),
    ("pool_update_acl", {"pool": "more", "entry": "A::someone@:rw"}),
    ("pool_delete_acl", {"pool": "more", "principal": "u:someone@"}),
    ("pool_set_prop", {"pool": "more", "properties": "reclaim:lazy"}),
    ("pool_evict", {"pool": "more"}),
    ("pool_upgrade", {"pool": "more"}),
    ("pool_destroy", {"pool": "more"}),
    ("system_set_prop", {"properties": "self_heal:exclude"}),
    ("system_set_prop", {"properties": "self_heal:exclude;pool_exclude;pool_rebuild"}),
    ("system_cleanup", {"machinename": "nobody"}),
    ("system_self_heal_eval", {}),
    ("system_exclude", {"ranks": "3"}),
    ("system_clear_exclude", {"ranks": "3"}),
    ("system_start", {"ranks": "3"}),
    ("system_stop", {}),
    ("check_enable", {"stop": False}),
    ("check_set_policy", {"all_interactive": True}),
    ("check_set_policy", {"reset_defaults": True}),
    ("check_get_policy", {}),
    ("check_start", {}),
    ("check_query", {}),
    ("check_stop", {}),
    ("check_disable", {"start": False}),
    ("system_start", {}),
]
"""Calls that change something, in an order in which they can."""
UNSTEADY = {"mem_info", "last_update"}
"""Facts that change from one moment to the next."""


class Driven:
    """A lab whose dmg, or another, is driven by DAOS's utilities."""

    def __init__(self, folder: Path, source: Path, *, insecure: bool) -> None:
        self.folder = folder
        self.source = source
        self.insecure = insecure

    def lab(self, *arguments: str) -> None:
        subprocess.run([PROGRAMS / "daos_lab", "-D", self.folder, *arguments], check=True, capture_output=True)

    def drive(self, calls: Sequence[Call], *, programs: Path = PROGRAMS) -> list[dict[str, Any]]:
        """Return for each call what it returned, or that it raised."""
        config = self.folder.parent / "written_by_daos.yml"
        hosts = yaml.safe_load((self.folder / "daos_control.yml").read_text())["hostlist"]
        done = subprocess.run(
            [sys.executable, DRIVER, self.source, programs, config, self.folder / "certs", *hosts],
            input=json.dumps(calls),
            capture_output=True,
            text=True,
            check=False,
            env=os.environ
            | {"DAOS_TEST_INSECURE_MODE": str(self.insecure), "DAOS_TEST_LOG_DIR": str(self.folder.parent)},
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module", params=[True, False], ids=["insecure", "certificates"])
def driven(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    source = Path(os.environ.get("DAOS_SOURCE", "/nonexistent"))
    if not (source / "src" / "tests" / "ftest" / "util" / "dmg_utils.py").exists():
        pytest.skip("needs a checkout of DAOS 2.8's sources (DAOS_SOURCE)")
    found = Driven(tmp_path_factory.mktemp("ftest") / "lab", source, insecure=request.param)
    found.lab("up", "--hosts", "2", "--engines", "2", "--pool", "1GiB", *["--insecure"] * request.param)
    yield found
    found.lab("down")


def test_questions_are_answered(driven: Driven) -> None:
    assert unanswered(QUESTIONS, driven.drive(QUESTIONS)) == []


def test_errors_are_raised(driven: Driven) -> None:
    answers = driven.drive(REFUSED)
    accepted = [call for call, answer in zip(REFUSED, answers, strict=True) if "raised" not in answer]
    assert accepted == []
    assert all("Traceback" not in answer["raised"] for answer in answers)


def test_orders_are_carried_out(driven: Driven) -> None:
    answers = driven.drive(ORDERS)
    assert unanswered(ORDERS, answers) == []
    made = answers[2]["returned"]  # what pool_create gathers for tests of DAOS
    assert (made["status"], made["ranks"], len(made["uuid"])) == (0, "0,1,2,3", 36)
    stopped = next(a for c, a in zip(ORDERS, answers, strict=True) if c[0] == "system_stop")
    assert stopped["returned"] == {str(rank): "stop" for rank in range(4)}, "taken out of the table that dmg prints"


def test_the_genuine_dmg_is_understood_no_differently(driven: Driven) -> None:
    genuine = Path(os.environ.get("DAOS_GENUINE", "/nonexistent"), "bin")
    if not (genuine / "dmg").exists():
        pytest.skip("needs an installation of DAOS 2.8 (DAOS_GENUINE)")
    before, ours, after = (
        [steady(answer) for answer in driven.drive(QUESTIONS, programs=programs)]
        for programs in (genuine, PROGRAMS, genuine)
    )
    told = [*zip(QUESTIONS, before, ours, after, strict=True)]
    assert {str(call): (mine, theirs) for call, then, mine, theirs in told if then == theirs != mine} == {}
    assert sum(then == theirs for _, then, _, theirs in told) > len(told) // 2, "most of it stands still"


def unanswered(calls: Sequence[Call], answers: Sequence[dict[str, Any]]) -> list[str]:
    """Name the calls that raised something, and say what."""
    return [f"{call}: {answer['raised']}" for call, answer in zip(calls, answers, strict=True) if "raised" in answer]


def steady(value: Any) -> Any:
    """Leave out what changes by itself."""
    if isinstance(value, dict):
        return {key: steady(inner) for key, inner in value.items() if key not in UNSTEADY}
    if isinstance(value, list):
        return sorted(map(steady, value), key=lambda inner: json.dumps(inner, sort_keys=True))
    return value
