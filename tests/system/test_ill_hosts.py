"""dmg among hosts that are dead, silent or mute: real sockets, real processes, no privileges."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from daos_control.base.hostset import HostSet
from daos_control.testing.fake_hosts import FakeHosts, as_text
from daos_control.testing.storage_host import reserved_ports

pytestmark = pytest.mark.system

DMG = [sys.executable, "-c", "from daos_control.cli.dmg import main; main()"]
WELL, ILL = 20, {"mute": 1, "silent": 1, "dead": 2}
SLACK_S = 10.0
"""What a busy machine may add."""


@pytest.fixture(scope="module")
def hosts(request: pytest.FixtureRequest) -> Iterator[FakeHosts]:
    [port] = reserved_ports(request.node, 1)
    made = FakeHosts.many(WELL + sum(ILL.values()), port=port, replicas=3, **ILL)
    program = [sys.executable, "-m", "daos_control.testing.fake_hosts", as_text(made)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield made
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def dmg(hosts: FakeHosts, tmp_path: Path) -> list[str]:
    return command(hosts, tmp_path, hosts.hosts)


def command(hosts: FakeHosts, folder: Path, listed: Sequence[str]) -> list[str]:
    path = folder / "daos_control.yml"
    config = {"port": hosts.port, "hostlist": list(listed), "transport_config": {"allow_insecure": True}}
    path.write_text(yaml.safe_dump(config))
    return [*DMG, "-o", str(path)]


def test_a_scan_has_all_good_answers_soon_and_names_those_that_are_missing(dmg: list[str], hosts: FakeHosts) -> None:
    began = time.monotonic()
    done = subprocess.run([*dmg, "-j", "storage", "scan"], capture_output=True, text=True, check=False)
    took_s = time.monotonic() - began
    answer = json.loads(done.stdout)
    assert done.returncode == 1
    assert answer["error"] == "4 hosts had errors"
    [storage] = answer["response"]["HostStorage"].values()
    assert expanded(storage["hosts"]) == with_port(hosts, hosts.well)
    told = {text: expanded(names) for text, names in answer["response"]["host_errors"].items()}
    assert with_port(hosts, [*hosts.silent, *hosts.dead]) == next(v for k, v in told.items() if "code = 508" in k)
    assert with_port(hosts, hosts.mute) == next(v for k, v in told.items() if "code = 510" in k)
    assert took_s < 2 + SLACK_S


def test_timeout_decides_how_long_it_takes(dmg: list[str]) -> None:
    began = time.monotonic()
    done = subprocess.run([*dmg, "--timeout=2500ms", "network", "scan"], capture_output=True, text=True, check=False)
    took_s = time.monotonic() - began
    assert done.returncode == 1
    assert "no answer to NetworkScan within 2.5 s" in done.stdout + done.stderr
    assert "did not answer the connection in time" in done.stdout + done.stderr
    assert "waiting for NetworkScan on" in done.stderr
    assert 2.5 <= took_s < 2.5 + SLACK_S


def test_ctrl_c_prints_what_is_known_and_is_quick_about_it(dmg: list[str], hosts: FakeHosts) -> None:
    ours, theirs = pty.openpty()  # with --json, only a terminal is told what is waited for
    program = [*dmg, "-j", "--timeout=10m", "network", "scan"]
    environment = {**os.environ, "TERM": "dumb"}
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment) as process:
        os.close(theirs)
        try:
            told = read_until(ours, f"{WELL} of {WELL + 4} hosts are done")
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            document, _ = process.communicate(timeout=30)
            took_s = time.monotonic() - began
        finally:
            process.kill()  # not to wait ten minutes for one that did not hear
        told += read_until(ours, None)
    os.close(ours)
    answer = json.loads(document)
    assert process.returncode == 130
    assert re.search(r"waiting for NetworkScan on .* \(since \d\d:\d\d:\d\d, \d+ s\)", told)
    assert answer["error"].startswith("interrupted while waiting for NetworkScan on ")
    [fabric] = answer["response"]["HostFabrics"].values()
    assert expanded(fabric["HostSet"]) == with_port(hosts, hosts.well)
    assert took_s < SLACK_S


@pytest.mark.parametrize("illness", ["dead", "silent", "mute"])
def test_one_ill_host_among_replicas_costs_a_query_nothing(hosts: FakeHosts, tmp_path: Path, illness: str) -> None:
    ill = getattr(hosts, illness)[0]
    program = command(hosts, tmp_path, [ill, *hosts.replicas])
    began = time.monotonic()
    for _ in range(3):
        done = subprocess.run([*program, "-j", "system", "query"], capture_output=True, text=True, check=True)
        assert len(json.loads(done.stdout)["response"]["members"]) == 16
        assert done.stderr == ""
    assert time.monotonic() - began < 3 * (0.3 + SLACK_S)


def test_nobody_there_is_said_after_a_few_tries(hosts: FakeHosts, tmp_path: Path) -> None:
    program = command(hosts, tmp_path, hosts.dead)
    done = subprocess.run([*program, "system", "query"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "unable to contact the DAOS Management Service" in done.stderr


def expanded(text: str) -> set[str]:
    return set(HostSet.parse(text))


def with_port(hosts: FakeHosts, names: Sequence[str]) -> set[str]:
    return {f"{name}:{hosts.port}" for name in names}


def read_until(terminal: int, wanted: str | None) -> str:
    """Read what a program says at a terminal, up to some words or to its end."""
    text = ""
    while wanted is None or wanted not in text:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # nobody has the other end open any more
            part = b""
        if not part:
            assert wanted is None, f"it ended with {text!r}"
            break
        text += part.decode()
    return text
