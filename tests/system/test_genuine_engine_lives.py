"""Genuine engines that end themselves come back under our server, and others do not; genuine servers do not tell."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daos_control.testing.storage_host import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]


PATIENCE_S = 120


def engines(system: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = system.ask("system", "engines")["response"]["engines"]
    return found


def until_second(system: Any, accept: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait for something of the engine with rank 1."""
    until(lambda: accept(engines(system)[1]), lambda: f"something else than {engines(system)}", patience_s=PATIENCE_S)
    return engines(system)[1]


def pid_outside(pids: list[int], inside: int) -> int:
    """Find the process that has this pid in its own namespace."""
    [found] = [pid for pid in pids if f"\t{inside}\n" in Path(f"/proc/{pid}/status").read_text().partition("NSpid:")[2]]
    return found


def test_a_genuine_engine_that_was_excluded_comes_back_and_one_that_was_killed_waits(mixed):
    host = mixed.bring_up(engines=2)
    before = mixed.members()[1]
    assert [one["state"] for one in engines(mixed)] == ["ready", "ready"]
    # As DAOS's own tests do it: excluded for a moment, which to the engine is as if its peers had lost it.
    mixed.dmg("system", "exclude", "--ranks=1")
    mixed.dmg("system", "clear-exclude", "--ranks=1")
    back = until_second(mixed, lambda one: one["restarts_total"] == 1 and one["state"] == "ready")
    assert back["last_exit"]["self_terminated"]
    assert (back["restarts_in_window"], back["uuid"]) == (1, before["uuid"])
    mixed.all_joined(2)
    assert mixed.members()[1]["incarnation"] > before["incarnation"]

    os.kill(pid_outside(host.engine_pids(), back["pid"]), signal.SIGKILL)
    down = until_second(mixed, lambda one: one["state"] == "stopped")
    assert (down["last_exit"]["signal"], down["restarts_total"]) == (signal.SIGKILL, 1)
    assert down["stays_down"].startswith("it did not end itself")
    mixed.dmg("system", "start", "--ranks=1")
    assert engines(mixed)[1]["state"] == "ready"


def test_a_genuine_server_is_said_not_to_tell(mixed):
    mixed.programs = mixed.genuine
    host = mixed.add_host()
    host.start().shows("format required")
    document = mixed.ask("system", "engines", "-l", host.address, program=mixed.ours.dmg, code=1)
    assert document["response"]["engines"] == []
    [text] = document["response"]["host_errors"]
    assert text.startswith("this server does not tell the lives of its engines: it is DAOS's own")
