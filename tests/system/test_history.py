"""The history of a whole system: an engine dies, its leader dies, and everything that happened is told, once."""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daos_control.client.events import POLL_S
from daos_control.testing.lab import DrivenLab

pytestmark = [pytest.mark.system, pytest.mark.timeout(240), pytest.mark.xdist_group("lab")]

PATIENCE_S = 60


class Lab(DrivenLab):
    """Two hosts with an engine each; the first one leads."""

    def up(self) -> None:
        self.lab("up", "--hosts", "2", "--engines", "1")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("history") / "one")
    lab.up()
    yield lab
    lab.lab("down")


class Follower:
    """``dmg system events --follow`` beside the test."""

    def __init__(self, lab: Lab, output: Path, *options: str) -> None:
        self._output = output
        self._began = lab.ask("system", "events")["last"]
        with output.open("w") as out:
            self._process = subprocess.Popen(
                lab.dmg_command("-j", "system", "events", "--follow", *options), stdout=out, stderr=subprocess.PIPE
            )

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def listens(self) -> None:
        """Wait until it shows what has been."""
        self._until(lambda _: True)

    def until(self, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for something that happened after this began."""
        return self._until(lambda entry: entry["sequence"] > self._began and seen(entry))

    def _until(self, seen: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for entry in self.entries():
                if seen(entry):
                    return entry
            time.sleep(0.05)
        raise AssertionError(f"it was never told: {self.entries()}")

    def interrupt(self) -> int:
        self._process.send_signal(2)
        self._process.communicate(timeout=POLL_S / 2)  # it does not wait for the answer to what it has asked
        return self._process.returncode


def death_of(rank: int, name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda entry: entry["kind"] == "event" and (entry["event"]["name"], entry["event"]["rank"]) == (name, rank)


def test_a_death_is_told_acted_on_and_explained(lab: Lab, tmp_path: Path) -> None:
    follower = Follower(lab, tmp_path / "out", "--moves")
    follower.listens()
    lab.lab("kill", "1")
    died = follower.until(death_of(1, "engine_died"))
    assert re.fullmatch(r"rank 1 is Errored \(was Joined\), map version \d+", died["effect"])
    dead = follower.until(death_of(1, "swim_rank_dead"))
    assert dead["effect"].startswith("rank 1 is Excluded (was Errored)")
    moved = follower.until(lambda entry: entry["kind"] == "move" and entry["to"] == "excluded")
    assert moved["caused_by"] == dead["sequence"]
    assert follower.interrupt() == 130

    told = lab.ask("system", "query", "--explain", "1")
    assert told["state"] == "excluded"
    assert any("swim_rank_dead of rank 1" in sentence for sentence in told["story"])
    command = told["remedies"][0]["command"]
    assert command == "dmg system start --ranks=1"
    assert "What to do:" in lab.dmg("system", "query", "--explain", "1")

    lab.dmg(*command.split()[1:])
    back = lab.ask("system", "query", "--explain", "1")
    assert back["state"] == "joined", "the remedy has helped"
    assert [(move["from"], move["to"]) for move in back["moves"]][-2:] == [
        ("errored", "excluded"),
        ("excluded", "joined"),
    ]
    assert back["remedies"] == []


def test_an_administrators_command_is_a_cause(lab: Lab) -> None:
    lab.dmg("system", "exclude", "--ranks", "1")
    told = lab.ask("system", "query", "--explain", "1")
    assert told["moves"][-1]["cause"]["origin"] == "command"
    assert told["moves"][-1]["cause"]["what"] == "SystemExclude"
    assert told["moves"][-1]["cause"]["source"].startswith("127.")
    lab.dmg("system", "clear-exclude", "--ranks", "1")
    lab.dmg("system", "stop", "--ranks", "1")
    lab.dmg("system", "start", "--ranks", "1")


def test_nothing_is_lost_while_the_leader_is_away_and_nothing_told_twice(lab: Lab, tmp_path: Path) -> None:
    follower = Follower(lab, tmp_path / "out", "--moves", "--limit", "1")
    follower.listens()
    before = lab.ask("system", "events", "--moves", "--limit", "0")["events"]
    lab.lab("kill", "h1")
    lab.lab("kill", "1")
    lab.up()
    follower.until(death_of(1, "engine_died"))
    after = lab.ask("system", "events", "--moves", "--limit", "0")["events"]
    assert after[: len(before)] == before, "a killed leader's history is its successor's"
    numbers = [entry["sequence"] for entry in after]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    followed = [entry["sequence"] for entry in follower.entries()]
    assert followed == list(range(followed[0], followed[-1] + 1)), "neither gaps nor repetitions"
    assert follower.interrupt() == 130
