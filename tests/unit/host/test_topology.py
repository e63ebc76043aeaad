"""Topologies of machines made of files."""

import pytest

from daos_control.base.pci import PciAddress
from daos_control.host.topology import DeviceKind, link_speed, read_topology
from daos_control.testing.sysfs import INFINIBAND, LOOPBACK, Machine


@pytest.fixture
def storage_host(tmp_path):
    """Two processors; on the second, behind a bridge, an InfiniBand card; SSDs and persistent memory."""
    machine = Machine(tmp_path, nodes=2, cores=4, threads=2)
    machine.net("eth0", machine.pci("0000:00:1f.6", node=0))
    bridge = machine.bridge("0000:80:02.0", node=1, secondary=0x81, subordinate=0x82)
    card = machine.pci("0000:81:00.0", node=1, speed="16.0 GT/s PCIe", width=16, behind=bridge)
    machine.net("ib0", card, kind=INFINIBAND)
    machine.infiniband("mlx5_0", card)
    machine.nvme(0, "0000:82:00.0", node=1, behind=bridge, size=1_600_321_314_816)
    machine.pmem(0, node=0)
    machine.virtual_net("lo", kind=LOOPBACK, state="unknown")
    return machine


def test_cores_are_numbered_processor_by_processor(storage_host):
    topology = read_topology(storage_host.root)
    assert [(node.number, node.cores) for node in topology.nodes] == [(0, (0, 1, 2, 3)), (1, (4, 5, 6, 7))]


def test_a_bus_of_the_processor_has_all_buses_behind_it(storage_host):
    assert [[str(bus) for bus in node.buses] for node in read_topology(storage_host.root).nodes] == [
        ["0000:00"],
        ["0000:[80-82]"],
    ]


def test_devices_are_where_their_pci_device_is(storage_host):
    devices = {one.name: one for node in read_topology(storage_host.root).nodes for one in node.devices}
    assert {name: (one.kind, str(one.address), one.numa_node) for name, one in devices.items()} == {
        "eth0": (DeviceKind.NET_INTERFACE, "0000:00:1f.6", 0),
        "ib0": (DeviceKind.NET_INTERFACE, "0000:81:00.0", 1),
        "mlx5_0": (DeviceKind.OFI_DOMAIN, "0000:81:00.0", 1),
        "nvme0n1": (DeviceKind.BLOCK, "0000:82:00.0", 1),
    }
    assert devices["eth0"].speed == 0
    assert devices["ib0"].speed == pytest.approx(31.5e9, rel=1e-3)


def test_persistent_memory_is_on_no_bus(storage_host):
    first, second = read_topology(storage_host.root).nodes
    assert [(block.name, block.kind, block.backing) for block in first.blocks] == [("pmem0", "NVDIMM", None)]
    (ssd,) = second.blocks
    assert (ssd.kind, ssd.size, ssd.sector_size, ssd.linux_device_id) == ("Disk", 1_600_321_314_816, 512, "259:1")
    assert ssd.backing
    assert ssd.backing.address == PciAddress.parse("0000:82:00.0")


def test_what_udev_knows_of_a_disk(storage_host):
    storage_host.write("run/udev/data/b259:1", "S:disk\nE:ID_MODEL=SAMSUNG_X\nE:ID_SERIAL_SHORT=S1\nE:ID_VENDOR=ATA")
    (ssd,) = read_topology(storage_host.root).nodes[1].blocks
    assert (ssd.vendor, ssd.model, ssd.serial_number, ssd.revision) == ("Samsung", "SAMSUNG_X", "S1", "")


def test_partitions_are_no_devices(storage_host):
    block = next((storage_host.root / "sys/devices").glob("**/nvme0n1"))
    storage_host.partition(block)
    assert [block.name for block in read_topology(storage_host.root).nodes[1].blocks] == ["nvme0n1"]


def test_interfaces_made_of_software_stand_on_hardware_or_on_nothing(storage_host):
    storage_host.net("eth1", storage_host.pci("0000:00:1f.7"))
    storage_host.virtual_net("bond0", lower=("eth0", "eth1"))
    storage_host.virtual_net("ib0.8001", kind=INFINIBAND, parent="ib0")
    storage_host.virtual_net("bond0.100", lower=("bond0",))
    found = {one.name: one.backing and one.backing.name for one in read_topology(storage_host.root).virtual}
    assert found == {"bond0": "eth0", "bond0.100": None, "ib0.8001": "ib0", "lo": None}


def test_a_hyper_v_adapter_stands_on_the_function_that_it_leads_to(storage_host):
    vmbus = storage_host.root / "sys/devices/vmbus/1234"
    storage_host.write("sys/devices/vmbus/1234/uevent", "DRIVER=hv_netvsc")
    adapter = storage_host.net("eth9", vmbus)
    (adapter / "lower_eth0").symlink_to(storage_host.root / "sys/class/net/eth0")
    found = {one.name: one.backing and one.backing.name for one in read_topology(storage_host.root).virtual}
    assert found == {"eth9": "eth0", "lo": None}


def test_slingshot_and_omni_path_devices_are_domains(tmp_path):
    machine = Machine(tmp_path)
    cassini = machine.pci("0000:21:00.0")
    machine.net("hsn0", cassini)
    machine.cxi("cxi0", cassini)
    omni_path = machine.pci("0000:22:00.0")
    machine.net("ib0", omni_path, kind=INFINIBAND)
    machine.infiniband("hfi1_0", omni_path)
    (node,) = read_topology(tmp_path).nodes
    assert [(one.name, one.kind.words) for one in node.devices] == [
        ("hsn0", "network interface"),
        ("cxi0", "OFI domain"),
        ("ib0", "network interface"),
        ("hfi1_0", "OFI domain"),
    ]


def test_a_device_that_is_near_no_node_is_on_node_0(tmp_path):
    machine = Machine(tmp_path, nodes=2)
    machine.net("eth0", machine.pci("0000:00:1f.6", node=1))
    (tmp_path / "sys/bus/pci/devices/0000:00:1f.6/numa_node").write_text("-1\n")
    assert [len(node.devices) for node in read_topology(tmp_path).nodes] == [1, 0]


def test_an_empty_machine_has_node_0(tmp_path):
    (node,) = read_topology(tmp_path).nodes
    assert (node.number, node.cores, node.devices) == (0, (), ())


@pytest.mark.parametrize(
    ("text", "width", "speed"),
    [
        ("2.5 GT/s PCIe", 1, 0.25e9),
        ("5.0 GT/s PCIe", 4, 2e9),
        ("8.0 GT/s PCIe", 16, 15.753846e9),
        ("32.0 GT/s PCIe", 4, 15.753846e9),
        ("Unknown", 0, 0),
        ("", 0, 0),
    ],
)
def test_speeds(text, width, speed):
    assert link_speed(text, width) == pytest.approx(speed, rel=1e-6)
