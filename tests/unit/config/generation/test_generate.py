"""Configurations generated from made-up hardware: choices, numbers, refusals."""

import pytest

from daos_control.base.errors import Fault
from daos_control.base.pci import PciAddress
from daos_control.config.generation import CannotGenerate, Hardware, Interface, Pmem, Ssd, Wishes, generate

VERBS, TCP, CXI = "ofi+verbs;ofi_rxm", "ofi+tcp", "ofi+cxi"
ETHER, IB = 1, 32


def interface(name, node, priority, provider=VERBS, net_class=IB):
    return Interface(provider=provider, name=name, net_class=net_class, numa_node=node, priority=priority)


def ssds(node, *addresses):
    return tuple(Ssd(address=PciAddress.parse(address), numa_node=node) for address in addresses)


def hardware(nodes=2, per_node=1, cores=24, **other):
    """A host with InfiniBand, persistent memory and SSDs on every node."""
    facts = {
        "interfaces": tuple(interface(f"ib{node}", node, 0) for node in range(nodes)),
        "ssds": tuple(
            one
            for node in range(nodes)
            for one in ssds(node, *(f"0000:{0x80 + 16 * node + n:02x}:00.0" for n in range(per_node)))
        ),
        "pmem": tuple(Pmem(name=f"pmem{node}", numa_node=node) for node in range(nodes)),
        "numa_nodes": nodes,
        "cores_per_node": cores,
        "memory_kib": 1 << 28,
        "hugepage_kib": 2048,
    }
    return Hardware(**{**facts, **other})


def generated(scan, **wishes):
    return generate(Wishes(**wishes), scan).config


def nodes_of(config):
    return [engine.pinned_numa_node for engine in config.engines]


def test_one_engine_on_each_node():
    config = generated(hardware())
    assert [
        (
            engine.pinned_numa_node,
            engine.fabric_iface,
            engine.fabric_iface_port,
            engine.log_file,
            [(tier.storage_class, tier.scm_mount, tier.scm_list, tier.bdev_list) for tier in engine.storage],
        )
        for engine in config.engines
    ] == [
        (
            0,
            "ib0",
            31416,
            "/var/log/daos/daos_engine.0.log",
            [("dcpm", "/mnt/daos0", ("/dev/pmem0",), ()), ("nvme", "", (), ("0000:80:00.0",))],
        ),
        (
            1,
            "ib1",
            32416,
            "/var/log/daos/daos_engine.1.log",
            [("dcpm", "/mnt/daos1", ("/dev/pmem1",), ()), ("nvme", "", (), ("0000:90:00.0",))],
        ),
    ]
    assert config.provider == VERBS
    assert config.control_log_file == "/var/log/daos/daos_server.log"
    assert config.mgmt_svc_replicas == ("localhost:10001",)


# -- interfaces and nodes ----------------------------------------------------------------------------------------------


def test_the_class_that_is_asked_for():
    both = (interface("ib0", 0, 0), interface("eth0", 0, 5, TCP, ETHER))
    scan = hardware(nodes=1, interfaces=both)
    assert generated(scan).engines[0].fabric_iface == "ib0"
    config = generated(scan, net_class="ethernet")
    assert (config.engines[0].fabric_iface, config.provider) == ("eth0", TCP)


def test_the_provider_that_is_asked_for_although_another_is_better():
    scan = hardware(nodes=1, interfaces=(interface("ib0", 0, 0), interface("ib0", 0, 1, TCP)))
    assert generated(scan, provider=TCP).provider == TCP
    assert generated(scan).provider == VERBS


def test_a_provider_must_be_on_every_node():
    interfaces = (interface("ib0", 0, 0), interface("ib0", 0, 1, TCP), interface("ib1", 1, 1, TCP))
    assert generated(hardware(interfaces=interfaces)).provider == TCP


def test_the_best_interface_of_a_node_is_taken_and_of_equals_the_first():
    interfaces = (interface("ib3", 0, 2), interface("ib1", 0, 1), interface("ib2", 0, 1))
    assert generated(hardware(nodes=1, interfaces=interfaces)).engines[0].fabric_iface == "ib1"


def test_the_nodes_with_the_best_interfaces_are_taken():
    interfaces = (interface("ib0", 0, 3), interface("ib1", 1, 0), interface("ib2", 2, 1))
    assert nodes_of(generated(hardware(nodes=3, interfaces=interfaces), engines=2)) == [1, 2]


def test_of_nodes_with_equal_interfaces_those_with_more_ssds_are_taken():
    few_and_many = (*ssds(0, "0000:80:00.0"), *ssds(1, "0000:90:00.0"), *ssds(2, "0000:a0:00.0", "0000:a1:00.0"))
    scan = hardware(nodes=3, ssds=few_and_many)
    assert nodes_of(generated(scan, engines=1)) == [2]
    assert nodes_of(generated(scan, engines=2)) == [0, 1]  # no pair has more than one SSD each: the first pair


def test_a_node_without_ssds_is_passed_over():
    scan = hardware(nodes=3, ssds=(*ssds(0, "0000:80:00.0"), *ssds(2, "0000:a0:00.0")))
    assert nodes_of(generated(scan, engines=2)) == [0, 2]
    assert nodes_of(generated(scan, engines=3, scm_only=True)) == [0, 1, 2]


# -- storage -----------------------------------------------------------------------------------------------------------


def test_the_first_device_of_persistent_memory_by_name():
    scan = hardware(nodes=1, pmem=(Pmem(name="pmem0.1", numa_node=0), Pmem(name="pmem0", numa_node=0)))
    assert generated(scan).engines[0].scm.scm_list == ("/dev/pmem0",)


def test_every_engine_gets_as_many_ssds_as_the_poorest():
    scan = hardware(ssds=(*ssds(0, "0000:82:00.0", "0000:81:00.0", "0000:80:00.0"), *ssds(1, "0000:90:00.0")))
    assert [engine.bdevs for engine in generated(scan).engines] == [("0000:80:00.0",), ("0000:90:00.0",)]


def test_behind_a_vmd_all_ssds_count_and_the_vmd_is_named():
    scan = hardware(ssds=(*ssds(0, "5d0505:01:00.0", "5d0505:03:00.0"), *ssds(1, "d70505:01:00.0", "d70505:03:00.0")))
    config = generated(scan)
    assert [engine.bdevs for engine in config.engines] == [("0000:5d:05.5",), ("0000:d7:05.5",)]
    assert config.engines[0].targets == 16


def test_a_vmd_cannot_give_fewer():
    scan = hardware(ssds=(*ssds(0, "5d0505:01:00.0", "5d0505:03:00.0"), *ssds(1, "d70505:01:00.0")))
    with pytest.raises(Fault) as caught:
        generated(scan)
    assert caught.value.code == 511


def test_ram_instead_of_persistent_memory():
    config = generated(hardware(pmem=()), tmpfs=True)
    assert [engine.scm.storage_class for engine in config.engines] == ["ram", "ram"]
    assert not config.control_metadata.path


@pytest.mark.parametrize(
    ("count", "tiers"),
    [
        (1, [(1, ("data", "meta", "wal"))]),
        (2, [(1, ("wal",)), (1, ("data", "meta"))]),
        (5, [(1, ("wal",)), (4, ("data", "meta"))]),
        (6, [(2, ("wal",)), (4, ("data", "meta"))]),
        (9, [(2, ("wal",)), (7, ("data", "meta"))]),
    ],
)
def test_metadata_on_ssds(count, tiers):
    config = generated(hardware(per_node=count), tmpfs=True, metadata_path="/var/daos/md")
    for engine in config.engines:
        assert [(len(tier.bdev_list), tier.bdev_roles) for tier in engine.bdev_tiers] == tiers
    assert config.control_metadata.path == "/var/daos/md"


def test_no_ssds_no_metadata_on_them():
    config = generated(hardware(), tmpfs=True, scm_only=True, metadata_path="/var/daos/md")
    assert not config.control_metadata.path
    assert [len(engine.storage) for engine in config.engines] == [1, 1]


# -- numbers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cores", "count", "targets", "helpers"),
    [
        (24, 1, 17, 4),
        (24, 4, 16, 4),
        (24, 8, 16, 4),
        (26, 10, 10, 2),
        (12, 16, 10, 0),
        (18, 14, 14, 0),
        (3, 1, 1, 0),
        (64, 3, 48, 12),
    ],
)
def test_targets_and_helpers(cores, count, targets, helpers):
    engine = generated(hardware(per_node=count, cores=cores)).engines[0]
    assert (engine.targets, engine.nr_xs_helpers) == (targets, helpers)


@pytest.mark.parametrize(("cores", "targets"), [(24, 16), (18, 16), (17, 15), (3, 1)])
def test_targets_without_ssds(cores, targets):
    engine = generated(hardware(cores=cores), scm_only=True).engines[0]
    assert (engine.targets, engine.nr_xs_helpers) == (targets, 0)


def test_ports():
    config = generated(hardware(), fabric_ports=(5000, 6000, 7000), replicas=("a:99", "b:99", "c:99"))
    assert [engine.fabric_iface_port for engine in config.engines] == [5000, 6000]
    assert (config.port, config.mgmt_svc_replicas) == (99, ("a:99", "b:99", "c:99"))


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scan", "wishes", "text"),
    [
        (hardware(), {"replicas": ()}, "no MS replicas"),
        (hardware(), {"replicas": ("a", "b:10001", "c")}, "port numbers do not match"),
        (hardware(), {"metadata_path": "/md"}, "goes with --use-tmpfs-scm"),
        (hardware(), {"fabric_ports": (31416,)}, "insufficient fabric ports for nr engines, want 2 got 1"),
        (hardware(hugepage_kib=0), {}, "hugepages"),
        (hardware(memory_kib=0), {"tmpfs": True}, "nothing to make RAM disks of"),
        (hardware(nodes=0), {}, "zero numa nodes"),
        (hardware(), {"engines": 3}, "want 3 got 2: NUMA nodes 0, 1 have .* takes fewer"),
        (hardware(pmem=()), {}, r"want 2 got 0: no NUMA node has persistent memory \(--use-tmpfs-scm takes RAM"),
        (hardware(pmem=()), {"tmpfs": True, "engines": 3}, "3 engines are wanted, and there are 2 NUMA nodes"),
        (hardware(nodes=1), {"tmpfs": True, "engines": 2}, "2 engines are wanted, and there is one NUMA node"),
        (hardware(ssds=ssds(0, "0000:80:00.0")), {}, "insufficient number of ssds for numa 1, want 1 got 0"),
        (hardware(cores=2), {}, "invalid number of cores-per-numa, want at least 3 got 2"),
        (hardware(nodes=1, ssds=()), {}, r"an engine is wanted, and NUMA node 0 has no SSD \(--scm-only does without"),
        (
            hardware(),
            {"net_class": "ethernet"},
            "none of the provider-ifaces sets match .*: no ethernet interface was found, but infiniband with .*ofi",
        ),
        (hardware(), {"provider": "ofi+cxi"}, "no infiniband interface with ofi.cxi was found, but infiniband with"),
        (hardware(interfaces=()), {}, "no interface was found that is up and has an address"),
        (hardware(interfaces=(interface("ib0", 0, 0),)), {}, "engines are wanted on NUMA nodes 0, 1, and .* node 0"),
        (
            hardware(interfaces=(interface("ib0", 1, 0),), ssds=ssds(0, "0000:80:00.0")),
            {"engines": 1},
            "an engine is wanted on NUMA node 0, and there is .* on NUMA node 1",
        ),
    ],
)
def test_what_cannot_be(scan, wishes, text):
    with pytest.raises(CannotGenerate, match=text):
        generated(scan, **wishes)


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"replicas": ("a", "b")}, 706),
        ({"replicas": ("a", "a", "b")}, 705),
        ({"replicas": ("a:0",)}, 703),
        ({"replicas": ("[::1]:10001",)}, 705),
        ({"replicas": ("a:port",)}, 703),
        ({"fabric_ports": (0, 1)}, 701),
    ],
)
def test_what_a_server_would_refuse(wishes, code):
    with pytest.raises(Fault) as caught:
        generated(hardware(), **wishes)
    assert caught.value.code == code
