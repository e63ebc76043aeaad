"""What becomes of data when the system's verbs are used: genuine engines and clients, our servers, our dmg.

One container has its data once, another has them on both ranks. The first is looked at where DAOS promises that nothing
is lost, the second also while a rank is away.
"""

import os
import signal

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200), pytest.mark.xdist_group("genuine")]

FORMAT_REQUIRED = r"(?:SCM|Metadata) format required on instance"
MIB = 1 << 20


@pytest.fixture
def two_hosts(mixed):
    """Rank 0 with the management service on one host and rank 1 on another, and data in a pool over both."""
    mixed.bring_up()
    mixed.bring_up()
    mixed.start_agent()
    while service_of_new_pool(mixed) != [0]:
        mixed.dmg("pool", "destroy", "tank")
    return mixed


def service_of_new_pool(system) -> list[int]:
    """Create a pool whose service is one rank, chosen by chance: one of two ranks would end with either of them."""
    created = system.ask("pool", "create", "--size=2G", "--properties=rd_fac:1,svc_rf:0", "tank")["response"]
    return list(created["svc_reps"])


@pytest.mark.parametrize("mixed", ["certificates"], indirect=True)
def test_data_outlive_whatever_is_done_to_ranks(two_hosts):
    once, twice = (Kept(two_hosts, container, copies=copies) for container, copies in (("once", 1), ("twice", 2)))

    two_hosts.dmg("system", "stop", "--full")
    two_hosts.until_states_are("stopped", "stopped")
    two_hosts.dmg("system", "start")
    two_hosts.all_joined(2)
    once.is_intact()
    twice.is_intact()

    two_hosts.dmg("system", "drain", "--ranks=1")
    two_hosts.until_disabled_ranks_are("tank", 1)
    once.is_intact()
    twice.is_intact()
    comes_back(two_hosts)
    once.is_intact()
    twice.is_intact()

    os.kill(two_hosts.hosts[1].engine_pid(0), signal.SIGKILL)
    two_hosts.until_states_are("joined", "excluded")
    two_hosts.until_disabled_ranks_are("tank", 1)
    twice.is_intact()
    two_hosts.dmg("system", "start", "--ranks=1")
    comes_back(two_hosts)
    twice.is_intact()

    two_hosts.dmg("system", "exclude", "--ranks=1")
    two_hosts.until_disabled_ranks_are("tank", 1)
    twice.is_intact()
    assert "excluded" in refused(two_hosts, "system", "start", "--ranks=1")
    two_hosts.dmg("system", "clear-exclude", "--ranks=1")
    two_hosts.dmg("system", "stop", "--ranks=1")
    two_hosts.dmg("system", "start", "--ranks=1")
    comes_back(two_hosts)
    twice.is_intact()

    two_hosts.dmg("system", "stop", "--ranks=1")
    two_hosts.until_disabled_ranks_are("tank", 1)
    twice.is_intact()
    two_hosts.dmg("system", "start", "--ranks=1")
    comes_back(two_hosts)
    twice.is_intact()

    assert "stopped" in refused(two_hosts, "system", "erase")
    two_hosts.dmg("system", "stop")
    before = [host.server.counts(FORMAT_REQUIRED) for host in two_hosts.hosts]
    two_hosts.dmg("system", "erase")
    for count, host in zip(before, two_hosts.hosts, strict=True):
        host.server.shows(FORMAT_REQUIRED, count + 1)
    two_hosts.dmg("storage", "format")
    two_hosts.all_joined(2)
    assert two_hosts.ask("system", "list-pools")["response"]["pools"] is None


class Kept:
    """A file in a container of its own, and what it must be."""

    def __init__(self, system, container: str, *, copies: int) -> None:
        self._system = system
        self._path = f"daos://tank/{container}/file"
        self._copy = system.folder / "copy"
        self._content = os.urandom(4 * MIB)
        properties = f"--properties=rd_fac:{copies - 1}"
        system.daos("container", "create", "tank", container, "--type=POSIX", properties)
        source = system.folder / "source"
        source.write_bytes(self._content)
        system.daos("fs", "copy", "--src", source, "--dst", self._path)
        source.unlink()
        self.is_intact()

    def is_intact(self) -> None:
        self._system.daos("fs", "copy", "--src", self._path, "--dst", self._copy)
        assert self._copy.read_bytes() == self._content
        self._copy.unlink()


def comes_back(system) -> None:
    """Rank 1 joins, if it has not, and is taken back into its pool."""
    system.all_joined(2)
    system.dmg("system", "reintegrate", "--ranks=1")
    system.until_disabled_ranks_are("tank")


def refused(system, *words: str) -> str:
    return str(system.ask(*words, code=1)["error"])
