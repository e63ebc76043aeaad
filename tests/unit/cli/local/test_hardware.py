"""From a machine made of files to the configuration that it calls for."""

import pytest

from daos_control.cli.local.hardware import local_hardware
from daos_control.cli.local.topology import topology_document
from daos_control.config.generation import CannotGenerate, Wishes, annotated, generate
from daos_control.host.topology import read_topology
from daos_control.host.topology_text import topology_text, transfers
from daos_control.testing.sysfs import INFINIBAND, LOOPBACK, Machine


@pytest.fixture
def machine(tmp_path):
    """Two processors, each with InfiniBand, Ethernet, SSDs and persistent memory; the system is on an SSD, too."""
    machine = Machine(tmp_path, nodes=2, cores=12, threads=2)
    for node in (0, 1):
        card = machine.pci(f"0000:{0x17 + 0x40 * node:02x}:00.0", node=node)
        machine.net(f"ib{node}", card, kind=INFINIBAND)
        machine.infiniband(f"mlx5_{node}", card)
        machine.net(f"eth{node}", machine.pci(f"0000:{0x18 + 0x40 * node:02x}:00.0", node=node))
        for number in range(2):
            machine.nvme(2 * node + number, f"0000:{0x20 + 0x40 * node + number:02x}:00.0", node=node)
        machine.pmem(node, node=node)
    machine.partition(machine.nvme(9, "0000:02:00.0"))
    machine.virtual_net("lo", kind=LOOPBACK, state="unknown")
    return machine


def test_what_is_found(machine):
    hardware = local_hardware(machine.root)
    assert {(one.provider, one.name, one.numa_node) for one in hardware.interfaces} == {
        ("ofi+verbs;ofi_rxm", "ib0", 0),
        ("ofi+verbs;ofi_rxm", "ib1", 1),
        *(
            (provider, name, node)
            for provider in ("ofi+tcp;ofi_rxm", "ofi+tcp")
            for name, node in (("ib0", 0), ("eth0", 0), ("ib1", 1), ("eth1", 1))
        ),
    }
    assert (hardware.numa_nodes, hardware.cores_per_node, hardware.hugepage_kib) == (2, 12, 2048)
    assert [str(ssd.address) for ssd in hardware.ssds] == [
        "0000:20:00.0",
        "0000:21:00.0",
        "0000:60:00.0",
        "0000:61:00.0",
    ]
    assert hardware.left_alone == ("SSD 0000:02:00.0: nvme9n1 has partitions",)


def test_the_configuration_uses_it_and_says_what_it_leaves_alone(machine):
    generated = generate(Wishes(), local_hardware(machine.root))
    assert [
        (engine.fabric_iface, engine.scm.scm_list, engine.bdevs, engine.targets) for engine in generated.config.engines
    ] == [
        ("ib0", ("/dev/pmem0",), ("0000:20:00.0", "0000:21:00.0"), 8),
        ("ib1", ("/dev/pmem1",), ("0000:60:00.0", "0000:61:00.0"), 8),
    ]
    assert "# passed over: SSD 0000:02:00.0: nvme9n1 has partitions" in annotated(generated)


def test_over_ethernet_both_nodes_need_an_interface_that_is_up(machine):
    config = generate(Wishes(net_class="ethernet"), local_hardware(machine.root)).config
    assert (config.provider, [engine.fabric_iface for engine in config.engines]) == (
        "ofi+tcp;ofi_rxm",
        ["eth0", "eth1"],
    )
    (machine.root / "sys/class/net/eth1/operstate").write_text("down\n")
    with pytest.raises(CannotGenerate, match=r"engines are wanted on NUMA nodes 0, 1, and there is .* on NUMA node 0"):
        generate(Wishes(net_class="ethernet"), local_hardware(machine.root))


# -- topologies in words and documents ---------------------------------------------------------------------------------


def test_a_topology_in_words(tmp_path):
    machine = Machine(tmp_path, nodes=2, cores=2, threads=2)
    bridge = machine.bridge("0000:16:02.0", node=0, secondary=0x17, subordinate=0x18)
    card = machine.pci("0000:17:00.0", node=0, speed="16.0 GT/s PCIe", width=16, behind=bridge)
    machine.net("ib0", card, kind=INFINIBAND)
    machine.infiniband("mlx5_0", card)
    machine.nvme(0, "0000:18:00.0", behind=bridge, size=1_600_321_314_816)
    machine.pmem(1, node=1, size=3_183_575_302_144)
    machine.virtual_net("ib0.8001", kind=INFINIBAND, parent="ib0")
    machine.virtual_net("lo", kind=LOOPBACK)
    assert topology_text(read_topology(tmp_path)) == (
        "NUMA Node 0\n"
        "  CPU cores: 0-1\n"
        "  PCI buses:\n"
        "    0000:[16-18]\n"
        "      0000:17:00.0\n"
        "        0000:17:00.0 ib0 (network interface) @ 31.507692 GT/s\n"
        "        0000:17:00.0 mlx5_0 (OFI domain) @ 31.507692 GT/s\n"
        "      0000:18:00.0\n"
        "        0000:18:00.0 nvme0n1 (1.6 TB block device) @ 3.938461 GT/s\n"
        "NUMA Node 1\n"
        "  CPU cores: 2-3\n"
        "  PCI buses:\n"
        "  Non-PCI block devices:\n"
        "    pmem1 (3.2 TB NVDIMM)\n"
        "Virtual Devices\n"
        "  ib0.8001 (network interface)\n"
        "    backed by: 0000:17:00.0 ib0 (network interface) @ 31.507692 GT/s\n"
        "  lo (network interface)\n"
    )


def test_a_topology_as_a_document(tmp_path):
    machine = Machine(tmp_path, cores=1)
    machine.nvme(0, "0000:81:00.0", size=1 << 30)
    place = {"domain": 0, "bus": 0x81, "device": 0, "function": 0}
    device = {"name": "nvme0n1", "type": 3, "pci_address": place, "port_id": 0, "link_neg_speed": 3938461400}
    assert topology_document(read_topology(tmp_path)) == {
        "numa_nodes": {
            "0": {
                "id": 0,
                "cores": [{"id": 0}],
                "pci_buses": [{"low_address": place, "high_address": place, "pci_devices": {"0000:81:00.0": [device]}}],
                "pci_devices": {"0000:81:00.0": [device]},
                "block_devices": [
                    {
                        "type": "Disk",
                        "name": "nvme0n1",
                        "sector_size": 512,
                        "size": 1 << 30,
                        "linux_device_id": "259:1",
                        "backing_device": device,
                    }
                ],
            }
        },
        "virtual_devices": None,
    }


@pytest.mark.parametrize(("speed", "text"), [(0.25e9, "250 MT/s"), (5e3, "5 kT/s"), (7.0, "7 T/s")])
def test_speeds_in_words(speed, text):
    assert transfers(speed) == text
