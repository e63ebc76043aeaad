"""What the kernel tells about a client."""

import os
from pathlib import Path

import pytest

from daos_control.apps.agent.client_process import NumaNodes, process_name


def test_this_process_has_a_name():
    assert process_name(os.getpid()) in Path("/proc/self/cmdline").read_text()
    assert "/" not in process_name(os.getpid())


def test_a_process_that_is_gone_has_none():
    assert process_name(2**22 + 1) == ""


def sysfs(root: Path, **nodes: str) -> Path:
    for node, cpus in nodes.items():
        (root / node).mkdir()
        (root / node / "cpulist").write_text(f"{cpus}\n")
    (root / "online").write_text("0-1\n")
    return root


@pytest.mark.parametrize(
    ("cpus", "node"),
    [
        pytest.param({0}, 0, id="bound to the first node"),
        pytest.param({5}, 1, id="bound to the second"),
        pytest.param({9}, 10, id="node numbers are numbers, not text"),
        pytest.param({1, 5, 9}, 0, id="unbound: the first node"),
        pytest.param({100}, 0, id="a CPU of no node"),
    ],
)
def test_a_process_belongs_to_the_first_node_it_may_run_on(tmp_path: Path, cpus: set[int], node: int):
    nodes = NumaNodes.load(sysfs(tmp_path, node10="8-11", node0="0-3,12", node1="4-7", node2=""))

    assert nodes.of_cpus(cpus) == node


def test_a_machine_without_numa_nodes_is_one_node(tmp_path: Path):
    assert NumaNodes.load(tmp_path).of_process(os.getpid()) == 0


def test_the_machine_we_run_on():
    node = NumaNodes.load().of_process(os.getpid())

    assert node == 0 or Path(f"/sys/devices/system/node/node{node}").is_dir()


def test_a_process_that_is_gone_runs_on_no_node(tmp_path: Path):
    with pytest.raises(ProcessLookupError):
        NumaNodes({0: {0}, 1: {1}}).of_process(2**22 + 1)
