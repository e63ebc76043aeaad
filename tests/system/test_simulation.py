"""``daos_lab sim`` as a person uses it: one real server, many simulated hosts, plain dmg, and trouble on request."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT

import pytest

from daos_control.testing.lab import PATIENCE_S, PROGRAMS, DrivenLab, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(180), pytest.mark.xdist_group("lab")]


class Simulation(DrivenLab):
    """A running ``daos_lab sim``, driven through command lines alone."""

    def __init__(self, folder: Path, output: Path, *options: str) -> None:
        super().__init__(folder)
        self.output = output
        with output.open("wb") as out:
            command = [str(PROGRAMS / "daos_lab"), "-D", str(folder), "sim", *options]
            self.process = subprocess.Popen(command, stdout=out, stderr=out)
        self.until(lambda: "Ctrl-C" in self.said() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        return self.output.read_text()

    def until(self, so: Callable[[], bool]) -> None:
        until(so, self.said)

    def count(self) -> dict[str, int]:
        """Return how many ranks are in each state."""
        return dict(Counter(self.states().values()))

    def order(self, *arguments: str) -> dict[int, bool]:
        """Give ranks an order; returns which did as told."""
        results = self.document("system", *arguments)["response"]["Results"]
        return {result["Rank"]: not result["Errored"] for result in results}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    scratch = tmp_path_factory.mktemp("sim")
    simulation = Simulation(scratch / "lab", scratch / "out", "--ranks", "64", "--hosts", "17", "--suspect", "2")
    yield simulation
    simulation.lab("down")
    simulation.process.wait(PATIENCE_S)
    assert not simulation.folder.exists()


def test_plain_dmg_sees_every_rank(running: Simulation) -> None:
    assert running.count() == {"joined": 64}
    assert "64 ranks are up" in running.said()
    assert "63 of 63 ranks serve on 16 hosts" in running.lab("status")


def test_the_dead_are_excluded_and_come_back_when_they_are_started(running: Simulation) -> None:
    assert "20 engines killed" in running.lab("kill", "10-29")
    running.until(lambda: running.count() == {"joined": 44, "excluded": 20})
    assert set(running.order("start", "--ranks", "10-29").values()) == {True}
    running.until(lambda: running.count() == {"joined": 64})


def test_a_host_that_packets_do_not_reach_costs_itself_alone(running: Simulation) -> None:
    running.lab("pause", "--how", "deaf", "sim2")
    try:
        results = running.order("stop", "--ranks", "1-63")
        assert sum(results.values()) == 63 - 4
    finally:
        running.lab("resume", "sim2")
    running.order("stop", "--ranks", "1-63", "--force")  # who was taken for unresponsive has to join anew
    running.order("start", "--ranks", "1-63")
    running.until(lambda: running.count() == {"joined": 64})


def test_a_power_cut_is_noticed_by_the_others(running: Simulation) -> None:
    assert "2 hosts are off" in running.lab("kill", "sim[3-4]")
    running.until(lambda: running.count().get("excluded") == 8)
    running.lab("resume", "sim[3-4]")
    running.until(lambda: running.count() == {"joined": 64})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["kill", "sim99"], "no host 'sim99'"),
        (["pause", "7"], "invalid hostname"),
        (["sim", "--ranks", "64", "--hosts", "17", "--suspect", "2"], "simulates these ranks already"),
    ],
)
def test_wrong_wishes_are_explained(running: Simulation, arguments: list[str], said: str) -> None:
    assert said in running.lab(*arguments, code=1)
    assert running.process.poll() is None


def test_an_interrupt_takes_everything_down(tmp_path: Path) -> None:
    simulation = Simulation(tmp_path / "lab", tmp_path / "out", "--ranks", "3", "--insecure")
    assert simulation.count() == {"joined": 3}
    simulation.process.send_signal(SIGINT)
    assert simulation.process.wait(PATIENCE_S) == 0
    assert "stopped and removed" in simulation.said()
    assert not simulation.folder.exists()
