"""How engines end and come back under a real daos_server: every kind of end, and loops that are contained."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from daos_control.client.engines import Engine
from daos_control.client.pool_size import PerRank
from daos_control.client.sync import SyncDaosClient
from daos_control.model.member_state import MemberState
from daos_control.testing.storage_host import PROGRAMS, StorageHost, until

SIZE = PerRank(tier_bytes=(16 << 20, 0))

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


@pytest.fixture
def host() -> Iterator[StorageHost]:
    folder = Path("/tmp") / f"el{os.getpid()}-{time.monotonic_ns() % 10**9}"  # socket paths must be short
    folder.mkdir()
    yield StorageHost(folder)
    shutil.rmtree(folder)


def engine(client: SyncDaosClient, index: int) -> Engine:
    """Return what the server tells of an engine."""
    [found] = [one for one in client.engines.query(hosts=["127.0.0.1"]).engines if one.index == index]
    return found


def until_engine(client: SyncDaosClient, index: int, accept: Callable[[Engine], bool]) -> Engine:
    until(lambda: accept(engine(client, index)), lambda: f"something else than {engine(client, index)}")
    return engine(client, index)


def state(client: SyncDaosClient, rank: int) -> MemberState:
    [member] = client.system.query(ranks=[rank]).members
    return member.state


def end_itself(host: StorageHost, one: Engine) -> None:
    """Have an engine do as one that finds itself excluded: say so, and be gone."""
    assert one.pid is not None
    host.tell_engine(one.index, "event 5 excluded")
    os.kill(one.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (signal.SIGKILL, "signal: killed"),
        (signal.SIGSEGV, "signal: segmentation fault"),
        (signal.SIGABRT, "signal: aborted"),
        (signal.SIGTERM, "process exited with 0"),
        (signal.SIGBUS, "exit status 1"),
    ],
)
def test_an_end_that_needs_a_person_waits_for_one(host, number, text):
    with host.server("--auto-format") as server, host.client() as client:
        server.ready()
        _, before = (until_engine(client, index, lambda one: one.state == "ready") for index in range(2))
        assert before.pid is not None
        assert before.rank is not None
        os.kill(before.pid, number)
        down = until_engine(client, 1, lambda one: one.state == "stopped")
        assert down.last_exit is not None
        assert down.last_exit.text.endswith(f"exited: {text}")
        assert (down.last_exit.pid, down.pid, down.restarts_total) == (before.pid, None, 0)
        assert down.stays_down.startswith("it did not end itself")
        until(lambda: state(client, before.rank or 0) is MemberState.ERRORED, lambda: "the system to hear of it")
        assert engine(client, 0).state == "ready"
        [result] = client.system.start(ranks=[before.rank]).results
        assert not result.errored
        back = engine(client, 1)
        assert (back.state, back.rank, back.uuid, back.stays_down) == ("ready", before.rank, before.uuid, "")
        assert back.last_exit == down.last_exit
        assert "Traceback" not in server.output


def test_one_that_was_stopped_says_so(host):
    with host.server("--auto-format") as server, host.client() as client:
        server.ready()
        for index in range(2):
            until_engine(client, index, lambda one: one.state == "ready")
        client.system.stop().check()
        for index in range(2):
            down = engine(client, index)
            assert down.last_exit is not None
            assert (down.state, down.last_exit.wanted, down.stays_down) == (
                "stopped",
                True,
                "it was stopped on request",
            )


def test_an_excluded_engine_ends_itself_and_cannot_return_until_it_may(host):
    with host.server("--auto-format") as server, host.client() as client:
        server.ready()
        one = until_engine(client, 1, lambda one: one.state == "ready")
        assert one.rank is not None
        client.pools.create("tank", SIZE, ranks=[0, 1])  # engines that make a pool have heard of each other
        client.system.exclude(ranks=[one.rank])
        refused = until_engine(
            client, 1, lambda one: one.restarts_total == 1 and one.state == "stopped" and bool(one.stays_down)
        )
        assert refused.last_exit is not None
        assert "excluded" in refused.last_exit.text
        assert not refused.last_exit.self_terminated, "the one that came back was turned away; that is another end"
        assert engine(client, 0).state == "ready"
        client.system.clear_exclude(ranks=[one.rank])
        [result] = client.system.start(ranks=[one.rank]).results
        assert not result.errored
        assert engine(client, 1).state == "ready"


def test_a_loop_of_exclusions_is_contained(host):
    host.config["engine_auto_restart_min_delay"] = 2
    with host.server("--auto-format") as server, host.client() as client:
        server.ready()
        one = until_engine(client, 1, lambda one: one.state == "ready")
        assert one.rank is not None
        until(lambda: state(client, one.rank or 0) is MemberState.JOINED, lambda: "the join")
        starts: list[float] = []
        ends: list[float] = []
        while not one.stays_down:  # on a busy machine a run may count as a good one, and the count begins anew
            starts.append(one.since.timestamp())
            ends.append(time.time())
            end_itself(host, one)
            one = until_engine(
                client,
                1,
                lambda one: (
                    "too often" in one.stays_down or (one.state == "ready" and one.since.timestamp() != starts[-1])
                ),
            )
        assert (one.state, one.restart_at) == ("stopped", None)
        assert one.stays_down == "it was restarted too often without serving for long"
        assert (one.restarts_in_window, one.restarts_total) == (4, len(starts) - 1)
        # The first restart is at once, each other so long after the one before; nobody promises how long a start takes.
        passed = [start - ends[-5] for start in starts[-4:]]
        assert all(s > least - 0.1 for s, least in zip(passed, [0, 2, 2 + 4, 2 + 4 + 8], strict=True)), passed
        advice = f"rank {one.rank} stays down after 4 restarts in vain; see why it is excluded, then: dmg system start"
        server.shows(f"ERROR: {advice}")
        if not Path("/dev/log").exists():
            server.shows(rf"RAS id: \[engine_left_down\] .* sev: \[ERROR\] msg: \[DAOS engine 1: {advice}")
        assert server.counts("Starting I/O Engine instance 1") == len(starts)
        assert engine(client, 0).state == "ready"
        assert engine(client, 0).restarts_total == 0
        assert len(client.system.query().members) == 2
        # A person takes charge: it starts, and nothing counts against it any more.
        [result] = client.system.start(ranks=[one.rank]).results
        assert not result.errored
        back = until_engine(client, 1, lambda one: one.state == "ready")
        assert (back.restarts_in_window, back.restarts_total) == (0, len(starts) - 1)
        end_itself(host, back)
        until_engine(client, 1, lambda one: one.state == "ready" and one.restarts_total == len(starts))
        assert "Traceback" not in server.output


def test_no_restart_if_so_configured(host):
    host.config["disable_engine_auto_restart"] = True
    with host.server("--auto-format") as server, host.client() as client:
        server.ready()
        one = until_engine(client, 1, lambda one: one.state == "ready")
        end_itself(host, one)
        down = until_engine(client, 1, lambda one: one.state == "stopped" and "disable" in one.stays_down)
        assert down.last_exit is not None
        assert down.last_exit.self_terminated
        assert not down.limits.enabled
        server.shows("excluded engine ended itself; automatic restart is disabled")


def test_a_frozen_engine_keeps_nobody_waiting(host):
    """Its sibling is stopped and started while it hangs; only what is about itself waits."""
    with host.server("--auto-format") as server, host.client() as client:
        server.ready()
        frozen, other = (until_engine(client, index, lambda one: one.state == "ready") for index in (0, 1))
        assert frozen.pid is not None
        assert other.rank is not None
        os.kill(frozen.pid, signal.SIGSTOP)
        began = time.monotonic()
        assert not client.system.stop(ranks=[other.rank]).results[0].errored
        assert engine(client, 1).state == "stopped"
        assert engine(client, 0).state == "ready"
        assert time.monotonic() - began < 10
        os.kill(frozen.pid, signal.SIGCONT)
        assert not client.system.start(ranks=[other.rank]).results[0].errored


def test_dmg_shows_it(host):
    with host.server("--auto-format") as server, host.client() as client:
        server.ready()
        one = until_engine(client, 1, lambda one: one.state == "ready")
        assert one.pid is not None
        os.kill(one.pid, signal.SIGSEGV)
        until_engine(client, 1, lambda one: one.state == "stopped")
        text = dmg(host, "system", "engines")
        assert "signal: segmentation fault stays down: it did not end itself" in text
        assert "Rank" in text
        document = json.loads(dmg(host, "-j", "system", "engines", "--ranks", str(one.rank)))
        [told] = document["response"]["engines"]
        assert (told["rank"], told["state"], told["last_exit"]["signal"]) == (one.rank, "stopped", signal.SIGSEGV)
        assert "twice as long each time" in dmg(host, "system", "engines", "-v", "-l", "127.0.0.1")
        assert "non-existent ranks 99" in dmg(host, "system", "engines", "--ranks", "99", code=1)


def dmg(host: StorageHost, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [PROGRAMS / "dmg", "-o", host.control_config(), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if not code else done.stdout + done.stderr
