"""What the kernel tells of memory and cores."""

from daos_control.host.cpus import cores_by_node, parse_cpu_list
from daos_control.host.memory import Memory, parse_meminfo, read_memory, read_memory_by_node

TEXT = """\
MemTotal:       24684096 kB
MemFree:        21750568 kB
MemAvailable:   23202496 kB
Buffers:               1 kB
HugePages_Total:    2048
HugePages_Free:      912
HugePages_Rsvd:       13
HugePages_Surp:        2
Hugepagesize:       2048 kB
"""


def test_the_table_is_read():
    assert parse_meminfo(TEXT) == Memory(
        total_kib=24684096,
        free_kib=21750568,
        available_kib=23202496,
        hugepages_total=2048,
        hugepages_free=912,
        hugepages_reserved=13,
        hugepages_surplus=2,
        hugepage_kib=2048,
    )


def test_nodes_in_order(tmp_path):
    for number in (10, 2):
        node = tmp_path / f"sys/devices/system/node/node{number}"
        node.mkdir(parents=True)
        (node / "meminfo").write_text(f"Node {number} MemTotal:  {number} kB\nNode {number} MemUsed:  1 kB\n")
    assert [(m.numa_node, m.total_kib, m.used_kib) for m in read_memory_by_node(tmp_path)] == [(2, 2, 1), (10, 10, 1)]


def test_this_machine_has_memory_and_cores():
    assert read_memory().total_kib > 0
    assert sum(cores_by_node().values()) > 0


def test_threads_of_a_core_count_once(tmp_path):
    node = tmp_path / "sys/devices/system/node/node0"
    node.mkdir(parents=True)
    (node / "cpulist").write_text("0-3\n")
    for cpu in range(4):
        topology = tmp_path / f"sys/devices/system/cpu/cpu{cpu}/topology"
        topology.mkdir(parents=True)
        (topology / "physical_package_id").write_text("0\n")
        (topology / "core_id").write_text(f"{cpu % 2}\n")
    assert cores_by_node(tmp_path) == {0: 2}


def test_a_kernel_without_nodes_has_node_0(tmp_path):
    (tmp_path / "sys/devices/system/cpu").mkdir(parents=True)
    (tmp_path / "sys/devices/system/cpu/online").write_text("0-1\n")
    assert cores_by_node(tmp_path) == {0: 2}


def test_cpu_lists():
    assert list(parse_cpu_list("0-2,8,10-11\n")) == [0, 1, 2, 8, 10, 11]
    assert list(parse_cpu_list("\n")) == []
