"""Configurations, topologies and scans of genuine DAOS 2.8 programs and of ours, side by side."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from daos_control.net.grpc.server import serve
from daos_control.net.rpc.methods import CTL
from daos_control.testing.sysfs import LOOPBACK, Machine
from daos_control.wire.pb.ctl.network_pb2 import FabricInterface, NetworkScanResp
from daos_control.wire.pb.ctl.storage_pb2 import StorageScanResp

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("genuine")]

OURS = Path(sys.executable).parent
LOOK_AT_FILES = {"HWLOC_COMPONENTS": "-x86"}
"""Has libhwloc look at files, and not at the real processor."""
TRIES = 24
PROVIDERS = ("ofi+verbs;ofi_rxm", "ofi+tcp;ofi_rxm", "ofi+tcp", "ofi+cxi")


# -- made-up hosts: every kind of hardware and of wishes ---------------------------------------------------------------


class MadeUp:
    """Hardware and wishes made up from a number."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.nodes = self.dice.choice((1, 2, 2, 2, 2, 3, 4))

    def network(self) -> NetworkScanResp:
        reply = NetworkScanResp(numacount=self.nodes, corespernuma=self.dice.choice((2, 3, 8, 18, 24, 56)))
        ranking = self.dice.sample(PROVIDERS, len(PROVIDERS))
        for node in range(self.nodes):
            for number in range(self.dice.choice((1, 2, 2, 3) * 4 + (0,))):
                kind = 32 if number != 1 else 1
                for provider in ranking:
                    if self.dice.random() < 0.9:
                        reply.interfaces.append(
                            FabricInterface(
                                provider=provider,
                                device=f"if{node}{number}",
                                numanode=node,
                                netdevclass=kind,
                                priority=ranking.index(provider) + number * len(ranking),  # of equals either is right
                            )
                        )
        return reply

    def storage(self) -> StorageScanResp:
        reply = StorageScanResp()
        reply.scm.state.SetInParent()
        reply.nvme.state.SetInParent()
        even = self.dice.choice((1, 1, 2, 5, 6, 9))
        vmd = self.dice.random() < 0.2
        for node in range(self.nodes):
            if self.dice.random() < 0.95:
                for number in range(self.dice.choice((1, 1, 2))):
                    reply.scm.namespaces.add(blockdev=f"pmem{node}.{number}", numa_node=node, size=1 << 40)
            for number in range(self.dice.choice((even, even, even, even + 1))):
                bus = 0x10 + 0x20 * node + number
                address = f"{bus:02x}0505:01:00.0" if vmd else f"0000:{bus:02x}:00.0"
                reply.nvme.ctrlrs.add(pci_addr=address, socket_id=node)
        reply.sys_mem_info.hugepage_size_kb = self.dice.choice((2048,) * 9 + (0,))
        reply.sys_mem_info.mem_total_kb = self.dice.choice((1 << 28,) * 9 + (0,))
        return reply

    def wishes(self) -> list[str]:
        some = (
            ("-e", str(self.dice.randint(1, 3))),
            ("-s",),
            ("-c", "ethernet"),
            ("-p", self.dice.choice(PROVIDERS)),
            ("-t",),
            ("-t", "-m", "/var/daos/md"),
            ("-m", "/var/daos/md"),
            ("-f", "31000,32000,33000"),
            ("-f", "31000"),
            ("-r", self.dice.choice(("a", "a,b,c", "a,b", "a:7,b:7,c:7", "a:7,b,c", "a,a,b"))),
            ("-a", "old"),
        )
        return [word for wish in some if self.dice.random() < 0.12 for word in wish]


@contextlib.asynccontextmanager
async def served(made_up: MadeUp) -> AsyncIterator[str]:
    """Answer scans with what was made up; the address is where."""
    network, storage = made_up.network(), made_up.storage()

    async def scan_network(_request: Any, _caller: Any) -> NetworkScanResp:
        return network

    async def scan_storage(_request: Any, _caller: Any) -> StorageScanResp:
        return storage

    handlers = {CTL["NetworkScan"].path: scan_network, CTL["StorageScan"].path: scan_storage}
    async with serve(handlers, host="127.0.0.1", port=0, tls=None) as server:
        yield server.address


async def answer(program: Path, *words: str) -> tuple[int | None, Any]:
    process = await asyncio.create_subprocess_exec(
        program, "-i", "-j", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "HOME": "/"}
    )
    out, _ = await process.communicate()
    document = json.loads(out)
    document["error"] = document["error"] is not None  # the words are our own
    return process.returncode, document


async def test_both_make_the_same_of_every_kind_of_hardware(genuine: Path) -> None:
    different, configurations = [], 0
    for seed in range(TRIES):
        made_up = MadeUp(seed)
        async with served(made_up) as address:
            words = ["config", "generate", "-l", address, *made_up.wishes()]
            theirs, ours = await asyncio.gather(answer(genuine / "bin/dmg", *words), answer(OURS / "dmg", *words))
        configurations += theirs[0] == 0
        if theirs != ours:
            different.append(f"{seed}: {words}: {theirs} from the genuine one, {ours} from ours")
    assert not different, "\n".join(different)
    assert TRIES // 4 < configurations < TRIES * 3 // 4, "configurations and refusals are both tried"


# -- a machine with two processors: its kernel's files are ours, its interfaces real -----------------------------------


class TwoSockets:
    """A machine whose ``/sys`` is made of files, with an interface and an address on each of two NUMA nodes."""

    def __init__(self, system: Any, tree: Machine) -> None:
        self.system = system
        self.host = system.add_host()
        self.host.environment = LOOK_AT_FILES
        self._in = self.host.machine.entering()
        for words in ("link add eth1 type veth peer name far1", "address add 10.99.0.1/24 dev eth1"):
            self._do("ip", *words.split())
        for name in ("eth1", "far1"):
            self._do("ip", "link", "set", name, "up")
        self._do("mount", "--bind", str(tree.root / "sys"), "/sys")

    def run(self, program: Path, *words: object, code: int = 0) -> str:
        """Run a program there; return what it prints."""
        command = [*self._in, str(program), *map(str, words)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **LOOK_AT_FILES})
        assert ran.returncode == code, f"{program} {words}: {ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def _do(self, *words: str) -> None:
        subprocess.run([*self._in, *words], check=True)


@pytest.fixture
def two_sockets(genuine, mixed_systems, tmp_path):
    tree = Machine(tmp_path / "machine", nodes=2, cores=6, threads=2)
    for node in (0, 1):
        bridge = tree.bridge(
            f"0000:{16 + 64 * node:02x}:02.0", node=node, secondary=17 + 64 * node, subordinate=20 + 64 * node
        )
        card = tree.pci(f"0000:{17 + 64 * node:02x}:00.0", node=node, speed="16.0 GT/s PCIe", width=16, behind=bridge)
        tree.net(f"eth{node}", card)
        tree.infiniband(f"mlx5_{node}", card)
        tree.nvme(node, f"0000:{18 + 64 * node:02x}:00.0", node=node, size=1_600_321_314_816, behind=bridge)
    tree.virtual_net("lo", kind=LOOPBACK, state="unknown")
    tree.virtual_net("bond0", lower=("eth0", "eth1"))
    tree.virtual_net("eth0.100", lower=("eth0",))
    tree.virtual_net("eth1.7", parent="eth1")
    return TwoSockets(mixed_systems(genuine, None), tree)


def test_topologies_are_the_same(two_sockets):
    system = two_sockets.system
    for theirs, ours in ((system.genuine.server, system.ours.server), (system.genuine.agent, system.ours.agent)):
        text = two_sockets.run(theirs, "dump-topology")
        assert two_sockets.run(ours, "dump-topology") == text
        assert text.count("backed by") == 3
        document = json.loads(two_sockets.run(theirs, "-j", "dump-topology"))
        assert json.loads(two_sockets.run(ours, "-j", "dump-topology")) == document


@pytest.mark.parametrize("provider", ["ofi+tcp", "ofi+tcp;ofi_rxm"])
def test_scans_are_the_same(two_sockets, provider):
    system = two_sockets.system
    for theirs, ours, words in (
        (system.genuine.server, system.ours.server, ("network", "scan", "--ignore-config")),
        (system.genuine.agent, system.ours.agent, ("net-scan",)),
    ):
        expected = fabric(two_sockets.run(theirs, "-j", *words, "-p", provider))
        assert fabric(two_sockets.run(ours, "-j", *words, "-p", provider)) == expected
        assert {one["NumaNode"] for one in expected["Interfaces"]} == {0, 1}


@pytest.mark.parametrize("words", [("network", "scan", "--ignore-config"), ()])
def test_what_nobody_speaks_is_refused_alike(two_sockets, words):
    system = two_sockets.system
    for kind in (system.genuine, system.ours):
        if words:
            assert (
                "no fabric interfaces found with provider ucx+dc_x"
                in json.loads(two_sockets.run(kind.server, "-j", *words, "-p", "ucx+dc_x", code=1))["error"]
            )
        else:
            assert two_sockets.run(kind.agent, "net-scan", "-p", "ucx+dc_x") == ""


def fabric(document: str) -> dict[str, Any]:
    """Return the interfaces that a scan found, without how good they are: that depends on how libfabric was built."""
    (found,) = json.loads(document)["response"].values()
    for one in found["HostFabric"]["Interfaces"]:
        del one["Priority"]
    found["HostFabric"]["Interfaces"].sort(key=lambda one: (one["NumaNode"], one["Device"]))
    return found["HostFabric"]


WANTED = ("config", "generate", "-r", "a,b,c", "-c", "ethernet", "-p", "ofi+tcp", "-t", "-s")


@pytest.mark.parametrize("serving", ["ours", "genuine"])
def test_a_generated_configuration_is_the_same_whoever_serves_and_asks(two_sockets, serving):
    system, host = two_sockets.system, two_sockets.host
    host.programs = getattr(system, serving)
    host.start_unformatted()  # the genuine server does not run without any engine
    dmg = ("-i", *WANTED, "-l", host.address)
    theirs, ours = (yaml.safe_load(two_sockets.run(kind.dmg, *dmg)) for kind in (system.genuine, system.ours))
    assert theirs == ours == yaml.safe_load(two_sockets.run(system.ours.dmg, *dmg, "--explain"))
    theirs, ours = (json.loads(two_sockets.run(kind.dmg, "-j", *dmg)) for kind in (system.genuine, system.ours))
    assert theirs == ours
    host.stop(signal.SIGTERM)


@pytest.mark.parametrize("starting", ["ours", "genuine"])
def test_a_server_starts_with_what_was_generated(two_sockets, starting):
    """Up to the format of its storage, and with as much memory as this machine has."""
    system, host = two_sockets.system, two_sockets.host
    host.programs = getattr(system, starting)
    text = two_sockets.run(system.ours.server, *WANTED, "--explain")
    for generated, here in (
        ("allow_insecure: false", "allow_insecure: true"),
        ("system_ram_reserved: 64", "system_ram_reserved: 1"),
        ("disable_hugepages: false", "disable_hugepages: true"),
        ("/var/run/daos_server", str(host.folder / "sock")),
        ("/var/log/daos", str(host.folder)),
        ("/mnt/daos", str(host.folder / "daos")),
        ("- a:10001\n- b:10001\n- c:10001", f"- {host.address}"),
    ):
        assert generated in text
        text = text.replace(generated, here)
    (host.folder / "generated.yml").write_text(text)
    server = host.start_with(host.folder / "generated.yml")
    server.shows(r"(SCM format required)(?!;)", 2)
    server.send(signal.SIGTERM)
