"""``daos_server ms``: what it prints, asks, and ends with."""

import json
import sys
from pathlib import Path

import pytest

from daos_control.apps.server import upkeep
from daos_control.apps.server.upkeep import Outcome, Replica, Status, UpkeepError
from daos_control.base.rankset import RankSet
from daos_control.cli import daos_server
from daos_control.mgmt.upkeep import Summary
from daos_control.store.upkeep import Health

DATABASE = Path("/mnt/daos0/control_raft/daos_system.sqlite")
REPLICA = Replica(address="10.0.0.1:10001", peers=(), database=DATABASE, socket_dir=Path("/run/x"))
SUMMARY = Summary(
    map_version=12,
    next_rank=3,
    ranks=RankSet([0, 1, 2]),
    states={"joined": 2, "excluded": 1},
    pools=("tank",),
    attributes=4,
    last_entry=None,
)
HEALTH = Health(path=DATABASE, size_bytes=40960, schema=2, revision=77, verdict="ok")


class Deeds:
    """What the commands had done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def recover(self, _: Replica) -> Outcome:
        self.done.append("recover")
        return Outcome(summary=SUMMARY, kept=Path("/kept"), lost=("system/member/9",), is_whole=False)

    def restore(self, _: Replica, source: Path) -> Outcome:
        self.done.append(f"restore {source}")
        return Outcome(summary=SUMMARY, kept=None)


@pytest.fixture(autouse=True)
def deeds(monkeypatch: pytest.MonkeyPatch) -> Deeds:
    deeds = Deeds()
    monkeypatch.setattr(upkeep, "locate", lambda _, **how: REPLICA)
    monkeypatch.setattr(upkeep, "check", lambda _: SUMMARY)
    monkeypatch.setattr(upkeep, "refuse_without_database", lambda _: None)
    monkeypatch.setattr(upkeep, "recover", deeds.recover)
    monkeypatch.setattr(upkeep, "restore", deeds.restore)
    return deeds


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "c.yml").write_text("name: tank\n")
    return str(tmp_path / "c.yml")


class Typist:
    """Answers questions with these lines."""

    def __init__(self, *lines: str) -> None:
        self._lines = iter(lines)

    def readline(self) -> str:
        return next(self._lines, "")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = daos_server.run(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_status(capsys, monkeypatch, config):
    found = Status(replica=REPLICA, holder=7, health=HEALTH, summary=SUMMARY)
    monkeypatch.setattr(upkeep, "status", lambda _: found)
    code, out, _ = run(capsys, "ms", "status", "-o", config)
    assert code == 0
    assert out == (
        f"DAOS Server config loaded from {config}\n"
        "DB status\n"
        "---------\n"
        "  Local replica: 10.0.0.1:10001\n"
        "  Peers        : none\n"
        "  In use by    : daos_server (pid 7)\n"
        f"  Database     : {DATABASE} (40 KiB, schema 2)\n"
        "  Integrity    : ok\n"
        "  Commits      : 77\n"
        "\n"
        "System\n"
        "------\n"
        "  Map version   : 12\n"
        "  Ranks         : 0-2 (1 excluded, 2 joined)\n"
        "  Next free rank: 3\n"
        "  Pools         : tank\n"
        "  Attributes    : 4\n"
        "  Last entry    : none found\n"
    )
    code, out, _ = run(capsys, "-j", "ms", "status", "-o", config)
    made = json.loads(out)["response"]
    assert (code, made["sound"], made["system"]["ranks"], made["pid"]) == (0, True, [0, 1, 2], 7)


@pytest.mark.parametrize(
    ("health", "problem", "words"),
    [(None, "", "none found"), (HEALTH, "key x makes no sense", "cannot be told: key x")],
)
def test_status_of_what_is_not_there_or_not_right(capsys, monkeypatch, config, health, problem, words):
    found = Status(replica=REPLICA, holder=None, health=health, summary=None, problem=problem)
    monkeypatch.setattr(upkeep, "status", lambda _: found)
    code, out, _ = run(capsys, "ms", "status", "-o", config)
    assert (code, words in out, "nobody" in out) == (0, True, True)


def test_backup(capsys, monkeypatch, config, tmp_path):
    def write(_: Replica, target: Path) -> Summary:
        target.write_bytes(b"x" * 2048)
        return SUMMARY

    monkeypatch.setattr(upkeep, "backup", write)
    target = str(tmp_path / "b")
    code, out, _ = run(capsys, "ms", "backup", "-o", config, "-p", target)
    assert (code, out.splitlines()[-1]) == (0, f"Wrote {target} (2.0 KiB): 3 ranks (0-2) and 1 pool.")
    code, out, _ = run(capsys, "-j", "ms", "backup", "-o", config, "--path", target)
    assert (code, json.loads(out)["response"]["size"]) == (0, 2048)


@pytest.mark.parametrize("arguments", [["recover"], ["restore", "-p", "/b"]], ids=["recover", "restore"])
@pytest.mark.parametrize("answers", [[], ["no\n"], ["what?\n", "NO\n"]], ids=["nobody there", "no", "no at last"])
def test_who_does_not_consent_has_changed_nothing_and_done_nothing_wrong(
    capsys, monkeypatch, config, deeds, arguments, answers
):
    monkeypatch.setattr(sys, "stdin", Typist(*answers))
    code, out, err = run(capsys, "ms", *arguments, "-o", config)
    assert (code, err, deeds.done) == (0, "", [])
    assert "(yes/no)" in out


def test_recover(capsys, monkeypatch, config, deeds):
    monkeypatch.setattr(sys, "stdin", Typist("yes\n"))
    code, out, _ = run(capsys, "ms", "recover", "-o", config)
    assert (code, deeds.done) == (0, ["recover"])
    assert "system/member/9 made no sense" in out
    assert "The former database is kept: /kept" in out
    assert "Next: start daos_server" in out


def test_restore_by_force_asks_nobody(capsys, config, deeds):
    code, out, _ = run(capsys, "ms", "restore", "-f", "-p", "/b", "-o", config)
    assert (code, deeds.done, "(yes/no)" in out) == (0, ["restore /b"], False)
    assert "/b holds 3 ranks (0-2) and 1 pool." in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-j", "ms", "recover", "-f"], "prints no JSON"),
        (["-j", "ms", "restore", "-p", "/b"], "prints no JSON"),
        (["ms", "restore"], "`-p, --path' was not specified"),
        (["ms", "backup"], "`-p, --path' was not specified"),
        (["ms"], "backup, recover, restore or status"),
        (["ms", "status", "-o", "/nowhere"], "/nowhere: No such file"),
    ],
    ids=str,
)
def test_refusals(capsys, deeds, arguments, words):
    code, _, err = run(capsys, *arguments)
    assert code == 1
    assert words in err
    assert err.startswith("ERROR: ")
    assert deeds.done == []


def test_a_host_without_a_replica(capsys, monkeypatch, config):
    def nowhere(_: object, **_how: object) -> Replica:
        raise UpkeepError("this host is no replica")

    monkeypatch.setattr(upkeep, "locate", nowhere)
    code, out, err = run(capsys, "-j", "ms", "status", "-o", config)
    assert (code, err) == (1, "ERROR: this host is no replica\n")
    assert json.loads(out) == {"response": None, "error": "this host is no replica", "status": -1025}


def test_nobody_is_asked_while_a_server_runs(capsys, monkeypatch, config, deeds):
    def running(_: Replica) -> None:
        raise UpkeepError("a daos_server (pid 7) runs")

    monkeypatch.setattr(upkeep, "refuse_if_running", running)
    for arguments in (["recover"], ["restore", "-p", "/b"]):
        code, out, err = run(capsys, "ms", *arguments, "-o", config)
        assert (code, "(yes/no)" in out, "runs" in err, deeds.done) == (1, False, True, [])


def test_nobody_is_asked_where_there_is_nothing_to_recover(capsys, monkeypatch, config, deeds):
    def nothing(_: Replica) -> None:
        raise UpkeepError("nothing to recover")

    monkeypatch.setattr(upkeep, "refuse_without_database", nothing)
    code, out, _ = run(capsys, "ms", "recover", "-o", config)
    assert (code, "(yes/no)" in out, deeds.done) == (1, False, [])
