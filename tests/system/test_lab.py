"""A whole system, as a newcomer starts it: real processes, real certificates, and what happens when some die."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daos_control.testing.lab import PROGRAMS, DrivenLab

pytestmark = [pytest.mark.system, pytest.mark.timeout(180), pytest.mark.xdist_group("lab")]


class LabUnderTest(DrivenLab):
    """A lab that is looked at in several ways."""

    def uuids(self) -> dict[int, str]:
        """Return each rank's uuid; all must have joined."""
        members = self.members()
        assert {member["state"] for member in members} == {"joined"}, members
        return {member["rank"]: member["uuid"] for member in members}

    def pools(self) -> dict[str, str]:
        """Return each pool's uuid by label. A rank that was away for long is out of its pools: that is no loss."""
        pools = self.ask("pool", "list", "--no-query")["pools"]
        return {pool["label"]: pool["uuid"] for pool in pools}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabUnderTest]:
    under_test = LabUnderTest(tmp_path_factory.mktemp("lab") / "one")
    under_test.lab("up", "--hosts", "2", "--engines", "2", "--pool", "1GiB")
    yield under_test
    under_test.lab("down")
    assert not under_test.folder.exists()
    assert not [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(under_test.folder) in line]


def test_up_leaves_everything_running(running: LabUnderTest) -> None:
    assert sorted(running.uuids()) == [0, 1, 2, 3]
    assert list(running.pools()) == ["tank"]
    assert "not running" not in running.lab("status")


def test_up_again_changes_nothing(running: LabUnderTest) -> None:
    uuids, pools = running.uuids(), running.pools()
    before = running.lab("status")
    assert "dmg pool list" in running.lab("up")
    assert running.lab("status") == before
    assert (running.uuids(), running.pools()) == (uuids, pools)


def test_a_killed_engine_is_seen_and_comes_back_with_its_rank(running: LabUnderTest) -> None:
    uuids = running.uuids()
    running.lab("kill", "2")
    assert "not running" in running.lab("status", code=1)
    running.lab("up", "--hosts", "2", "--engines", "2")
    assert running.uuids() == uuids


@pytest.mark.parametrize("victim", ["h1", "h2", "agent"])
def test_a_killed_host_comes_back_as_it_was(running: LabUnderTest, victim: str) -> None:
    uuids, pools = running.uuids(), running.pools()
    running.lab("kill", victim)
    running.lab("up", "--hosts", "2", "--engines", "2")
    assert (running.uuids(), running.pools()) == (uuids, pools)
    assert "not running" not in running.lab("status")


def test_a_frozen_host_goes_on(running: LabUnderTest) -> None:
    uuids = running.uuids()
    running.lab("pause", "h2")
    assert running.lab("status", code=1).count("frozen") == 3
    assert "h2: goes on" in running.lab("resume", "h2")
    assert "frozen" not in running.lab("status")
    running.lab("pause", "h1")
    running.lab("up")
    assert "frozen" not in running.lab("status")
    assert running.uuids() == uuids


def test_env_makes_plain_dmg_work(running: LabUnderTest) -> None:
    script = 'eval "$("$0" -D "$1" env)" && dmg -j system query && daos_lab status'
    done = subprocess.run(
        ["bash", "-c", script, PROGRAMS / "daos_lab", running.folder],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath, "HOME": "/nonexistent"},
    )
    assert done.returncode == 0, done.stderr
    assert '"joined"' in done.stdout


def test_logs_of_a_host_a_rank_and_the_agent(running: LabUnderTest) -> None:
    assert "listening on" in running.lab("logs", "h1", "-n", "1000")
    assert "listening on" in running.lab("logs", "agent", "-n", "1000")
    running.lab("logs", "1")


def test_a_second_lab_does_not_clash(running: LabUnderTest, tmp_path: Path) -> None:
    second = LabUnderTest(tmp_path / "two")
    second.lab("up", "--hosts", "1", "--engines", "1", "--insecure", "--pool", "0")
    try:
        assert list(second.uuids()) == [0]
        assert sorted(running.uuids()) == [0, 1, 2, 3]
    finally:
        second.lab("down")
    assert not second.folder.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["kill", "h9"], "name a host (h1, h2), a rank, or agent"),
        (["kill", "77"], "no rank 77 in this lab: there are 0-3"),
        (["up", "--hosts", "7"], "2 hosts with 2 engines"),
        (["up", "--insecure"], "each, with certificates"),
        (["up", "--hosts", "0"], "between 1 and 200 hosts"),
        (["up", "--engine", "/nonexistent"], "/nonexistent is no program"),
        (["up", "--pool", "much"], "much"),
        (["upp"], "did you mean"),
    ],
)
def test_wrong_wishes_are_explained(running: LabUnderTest, arguments: list[str], said: str) -> None:
    assert said in running.lab(*arguments, code=1)


def test_no_lab_says_how_to_get_one(tmp_path: Path) -> None:
    for verb in ("status", "down", "logs", "env"):
        assert "start one with 'daos_lab up'" in LabUnderTest(tmp_path).lab(verb, code=1)


def test_the_readmes_example_runs(running: LabUnderTest) -> None:
    readme = (Path(__file__).resolve().parent.parent.parent / "README.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DAOS_CONTROL_CONFIG": str(running.folder / "daos_control.yml")},
    )
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [f"{rank} joined" for rank in range(4)]
