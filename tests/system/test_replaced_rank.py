"""A host loses what its engine held: with --replace it gets its rank back, without it a new one."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from daos_control.testing.lab import PATIENCE_S, PROGRAMS, DrivenLab, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(180), pytest.mark.xdist_group("lab")]

LOST = "h3"


class Lab(DrivenLab):
    """Three hosts, one engine each, and a pool; the third host will lose its storage."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.address = ""
        self.rank = -1
        self._server: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        self.lab("up", "--hosts", "3", "--engines", "1", "--pool", "1GiB")
        [member] = [member for member in self.members() if member["fault_domain"] == f"/{LOST}"]
        self.address, self.rank = member["addr"], member["rank"]

    def down(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGTERM)
            self._server.wait(PATIENCE_S)
            self._wipe()
        self.lab("down")

    def until_states_are(self, *states: str) -> None:
        until(lambda: [member["state"] for member in self.members()] == list(states), self.members)

    def until_pool_does_without(self, *ranks: int) -> None:
        until(lambda: (self.ask("pool", "query", "tank")["disabled_ranks"] or []) == list(ranks), self.said)

    def lose_storage(self) -> None:
        """Kill the host, take away what it held, and start its server again; it waits for a format then."""
        self.lab("kill", LOST)
        self._wipe()
        self.start_server()
        until(lambda: "format required on instance 0" in self.said(), self.said)

    def start_server(self, host: str = "") -> None:
        config = self.folder / LOST / "daos_server.yml"
        host = host or self.address.partition(":")[0]
        environment = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        with (self.folder / "server.out").open("w") as output:
            self._server = subprocess.Popen(
                [PROGRAMS / "daos_server", "start", "-o", config, "--control-address", host],
                stdout=output,
                stderr=output,
                env=environment,
            )

    def kill_server(self) -> None:
        assert self._server is not None
        self._server.kill()
        self._server.wait(PATIENCE_S)

    def said(self) -> str:
        return (self.folder / "server.out").read_text()

    @property
    def superblock(self) -> Path:
        return self.folder / LOST / "daos0" / "superblock"

    def _wipe(self) -> None:
        storage = self.folder / LOST / "daos0"
        if os.path.ismount(storage):
            until(lambda: subprocess.run(["umount", storage], check=False).returncode == 0, self.members)
        shutil.rmtree(storage, ignore_errors=True)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "lab")
    lab.up()
    yield lab
    lab.down()


def without(lab: Lab) -> list[str]:
    return ["excluded" if rank == lab.rank else "joined" for rank in range(3)]


def test_the_rank_comes_back_with_replace_and_its_pools_after_that(lab: Lab) -> None:
    before = lab.members()
    lab.lose_storage()
    lab.until_states_are(*without(lab))
    lab.until_pool_does_without(lab.rank)
    lab.dmg("storage", "format", "--replace", "-l", lab.address)
    lab.until_states_are("joined", "joined", "joined")
    after = lab.members()
    changed = [now["rank"] for old, now in zip(before, after, strict=True) if old["uuid"] != now["uuid"]]
    assert changed == [lab.rank]
    assert [member["addr"] for member in after] == [member["addr"] for member in before]
    assert f"rank: {lab.rank}\n" in lab.superblock.read_text()
    assert lab.ask("pool", "query", "tank")["disabled_ranks"] == [lab.rank], "a pool is told, it does not guess"
    lab.dmg("pool", "reintegrate", "tank", f"--ranks={lab.rank}")
    lab.until_pool_does_without()
    assert "nothing to replace" in lab.dmg("storage", "format", "--replace", "-l", lab.address, code=1)


def test_without_replace_it_is_a_new_rank_and_the_lost_one_stays_listed(lab: Lab) -> None:
    before = lab.members()
    lab.lose_storage()
    lab.until_states_are(*without(lab))
    lab.dmg("storage", "format", "-l", lab.address)
    lab.until_states_are(*without(lab), "joined")
    after = lab.members()
    assert [member["uuid"] for member in after[:3]] == [member["uuid"] for member in before]
    assert (after[3]["rank"], after[3]["addr"]) == (3, lab.address)


def test_a_rank_that_a_pool_still_uses_is_replaced_once_it_does_not_and_a_kill_changes_nothing(lab: Lab) -> None:
    lab.dmg("system", "set-prop", "self_heal:exclude")  # pools go on with the dead rank
    lab.lose_storage()
    lab.until_states_are(*without(lab))
    lab.dmg("storage", "format", "--replace", "-l", lab.address)
    until(lambda: f"rank {lab.rank} is still in use by pools tank" in lab.said(), lab.said)
    lab.until_states_are(*without(lab))

    lab.dmg("pool", "exclude", "tank", f"--ranks={lab.rank}")
    lab.until_pool_does_without(lab.rank)
    assert "replace: true" in lab.superblock.read_text()
    lab.kill_server()
    lab.start_server()  # it has not forgotten what the engine is to become
    lab.until_states_are("joined", "joined", "joined")
    assert "replace" not in lab.superblock.read_text()


def test_an_excluded_rank_is_given_back_by_whoever_excluded_it(lab: Lab) -> None:
    lab.dmg("system", "exclude", f"--ranks={lab.rank}")
    lab.lose_storage()
    lab.until_pool_does_without(lab.rank)
    lab.dmg("storage", "format", "--replace", "-l", lab.address)
    until(lambda: "has been administratively excluded" in lab.said(), lab.said)
    assert f"dmg system clear-exclude --ranks={lab.rank}" in lab.said()
    lab.dmg("system", "clear-exclude", f"--ranks={lab.rank}")
    lab.dmg("storage", "format", "--replace", "-l", lab.address)
    lab.until_states_are("joined", "joined", "joined")


def test_an_engine_that_comes_back_as_somebody_else_is_turned_away_and_told_what_to_do(lab: Lab) -> None:
    lab.lab("kill", LOST)
    elsewhere = lab.address.partition(":")[0].rpartition(".")[0] + ".77"
    lab.start_server(elsewhere)
    until(lambda: f"control address changed from {lab.address} -> {elsewhere}:" in lab.said(), lab.said)
    assert f"let its server have {lab.address} again" in lab.said()
    lab.kill_server()

    itself = lab.superblock.read_text()
    lab.superblock.write_text(itself.replace(_uuid(itself), "00000000-0000-4000-8000-000000000001"))
    lab.start_server()
    until(
        lambda: f"can't rejoin member with rank {lab.rank}: uuid changed from {_uuid(itself)}" in lab.said(), lab.said
    )
    lab.kill_server()
    assert "engine_join_failed" in (lab.folder / "h1" / "daos_server.log").read_text()

    lab.superblock.write_text(itself)
    lab.start_server()
    lab.until_states_are("joined", "joined", "joined")


def _uuid(superblock: str) -> str:
    [line] = [line for line in superblock.splitlines() if line.startswith("uuid: ")]
    return line.removeprefix("uuid: ")
