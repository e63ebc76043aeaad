"""Interfaces and fabrics on machines made of files."""

import pytest

from daos_control.host.network import (
    ETHERNET,
    INFINIBAND,
    LOOPBACK,
    FabricInterface,
    NetInterface,
    Readiness,
    addressed_interfaces,
    fabric_interfaces,
    is_local,
    lowest_ipv4,
    net_interfaces,
    readiness,
    supports,
)
from daos_control.testing.sysfs import Machine


@pytest.fixture
def machine(tmp_path):
    def interface(name, kind, operstate="up", numa=None, verbs="", ports=(), cxi="", parent=""):
        entry = tmp_path / "sys/class/net" / name
        entry.mkdir(parents=True)
        (entry / "type").write_text(f"{kind}\n")
        (entry / "operstate").write_text(f"{operstate}\n")
        if parent:
            (entry / "parent").write_text(f"{parent}\n")
        if numa is not None or verbs or cxi:
            (entry / "device").mkdir()
            (entry / "device/numa_node").write_text(f"{numa or 0}\n")
        for number, state in enumerate(ports, 1):
            port = entry / "device/infiniband" / verbs / "ports" / str(number)
            port.mkdir(parents=True)
            (port / "state").write_text(f"{state}\n")
        for kind_of, name_of in (("infiniband", verbs), ("cxi", cxi)):
            if name_of:
                (entry / "device" / kind_of / name_of).mkdir(parents=True, exist_ok=True)
        return tmp_path

    return interface


def test_a_machine_is_read(machine):
    root = machine("eth0", ETHERNET, numa=1)
    machine("lo", LOOPBACK, "unknown")
    machine("ib0", INFINIBAND, numa=-1, verbs="mlx5_0", ports=["4: ACTIVE"])
    machine("ib0.8001", INFINIBAND, parent="ib0")
    machine("hsn0", ETHERNET, numa=2, cxi="cxi0")
    machine("eth1", ETHERNET, "down")
    assert net_interfaces(root) == (
        NetInterface(name="eth0", device_class=ETHERNET, numa_node=1),
        NetInterface(name="eth1", device_class=ETHERNET, up=False),
        NetInterface(name="hsn0", device_class=ETHERNET, numa_node=2, cxi="cxi0"),
        NetInterface(name="ib0", device_class=INFINIBAND, verbs="mlx5_0"),
        NetInterface(name="ib0.8001", device_class=INFINIBAND, verbs="mlx5_0"),
        NetInterface(name="lo", device_class=LOOPBACK),
    )


def test_what_interfaces_are_good_for():
    found = fabric_interfaces(
        [
            NetInterface(name="eth0", device_class=ETHERNET, numa_node=1),
            NetInterface(name="ib0", device_class=INFINIBAND, verbs="mlx5_0"),
            NetInterface(name="hsn0", device_class=ETHERNET, cxi="cxi0"),
            NetInterface(name="eth1", device_class=ETHERNET, up=False),
        ],
        addressed={"eth0", "ib0", "eth1"},
    )
    assert [(one.interface, one.provider, one.domain, one.priority) for one in found] == [
        ("eth0", "ofi+tcp;ofi_rxm", "eth0", 2),
        ("eth0", "ofi+tcp", "eth0", 3),
        ("ib0", "ofi+verbs;ofi_rxm", "mlx5_0", 1),
        ("ib0", "ofi+tcp;ofi_rxm", "ib0", 2),
        ("ib0", "ofi+tcp", "ib0", 3),
        ("hsn0", "ofi+cxi", "cxi0", 0),
    ]
    assert found[0] == FabricInterface(
        provider="ofi+tcp;ofi_rxm", interface="eth0", domain="eth0", device_class=ETHERNET, numa_node=1, priority=2
    )


def test_interfaces_made_of_software_have_what_their_hardware_has(tmp_path):
    machine = Machine(tmp_path, nodes=2)
    card = machine.pci("0000:81:00.0", node=1)
    machine.net("ib0", card, kind=INFINIBAND)
    machine.infiniband("mlx5_0", card)
    machine.net("eth0", machine.pci("0000:82:00.0", node=1))
    machine.virtual_net("ib0.8001", kind=INFINIBAND, parent="ib0")
    machine.virtual_net("bond0", lower=("eth0",))
    machine.virtual_net("eth0.100", lower=("eth0",))
    machine.virtual_net("veth0")
    found = {one.name: (one.numa_node, one.verbs) for one in net_interfaces(tmp_path)}
    assert found == {
        "ib0": (1, "mlx5_0"),
        "ib0.8001": (1, "mlx5_0"),
        "eth0": (1, ""),
        "bond0": (1, ""),
        "eth0.100": (1, ""),
        "veth0": (0, ""),
    }


def test_omni_path_has_a_provider_of_its_own(tmp_path):
    machine = Machine(tmp_path)
    card = machine.pci("0000:81:00.0")
    machine.net("ib0", card, kind=INFINIBAND)
    machine.infiniband("hfi1_0", card)
    found = fabric_interfaces(net_interfaces(tmp_path), {"ib0"})
    assert [(one.provider, one.domain, one.priority) for one in found] == [
        ("ofi+opx", "hfi1_0", 0),
        ("ofi+verbs;ofi_rxm", "hfi1_0", 1),
        ("ofi+tcp;ofi_rxm", "ib0", 2),
        ("ofi+tcp", "ib0", 3),
    ]


def test_a_tunnel_is_no_fabric(tmp_path):
    machine = Machine(tmp_path)
    machine.virtual_net("tun0", kind=65534)
    machine.write("sys/devices/virtual/net/tun0/flags", "0x1091")
    assert fabric_interfaces(net_interfaces(tmp_path), {"tun0"}) == ()


def test_a_provider_is_as_good_on_every_interface(tmp_path):
    machine = Machine(tmp_path)
    slingshot = machine.pci("0000:21:00.0")
    machine.net("hsn0", slingshot)
    machine.cxi("cxi0", slingshot)
    machine.net("eth0", machine.pci("0000:22:00.0"))
    found = fabric_interfaces(net_interfaces(tmp_path), {"hsn0", "eth0"})
    assert {(one.interface, one.provider): one.priority for one in found} == {
        ("hsn0", "ofi+cxi"): 0,
        ("hsn0", "ofi+tcp;ofi_rxm"): 1,
        ("hsn0", "ofi+tcp"): 2,
        ("eth0", "ofi+tcp;ofi_rxm"): 1,
        ("eth0", "ofi+tcp"): 2,
    }


@pytest.mark.parametrize(
    ("kind", "operstate", "expected"),
    [
        (ETHERNET, "up", Readiness.READY),
        (ETHERNET, "down", Readiness.DOWN),
        (ETHERNET, "lowerlayerdown", Readiness.DOWN),
        (ETHERNET, "dormant", Readiness.NOT_READY),
        (ETHERNET, "unknown", Readiness.UNKNOWN),
        (LOOPBACK, "unknown", Readiness.READY),
        (LOOPBACK, "down", Readiness.DOWN),
    ],
)
def test_readiness(machine, kind, operstate, expected):
    assert readiness("if0", machine("if0", kind, operstate)) is expected


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        (["4: ACTIVE"], Readiness.READY),
        (["1: DOWN"], Readiness.DOWN),
        (["1: DOWN", "4: ACTIVE"], Readiness.READY),
        (["2: INIT", "4: ACTIVE"], Readiness.NOT_READY),
        (["7: ODD"], Readiness.UNKNOWN),
        ([], Readiness.UNKNOWN),
    ],
)
def test_infiniband_is_as_ready_as_its_ports(machine, ports, expected):
    root = machine("ib0", INFINIBAND, "down", verbs="mlx5_0", ports=ports)
    machine("ib0.1", INFINIBAND, "down", parent="ib0")
    assert readiness("ib0", root) is expected
    assert readiness("ib0.1", root) is expected


def test_an_interface_that_is_not_there_is_unknown(tmp_path):
    assert readiness("eth9", tmp_path) is Readiness.UNKNOWN
    assert net_interfaces(tmp_path) == ()


def test_this_machine_has_its_loopback():
    assert str(lowest_ipv4("lo")) == "127.0.0.1"
    assert "lo" in addressed_interfaces()
    assert is_local("127.0.0.1")
    assert not is_local("192.0.2.1")
    with pytest.raises(OSError, match="no network interface 'nope0'"):
        lowest_ipv4("nope0")


@pytest.mark.parametrize(
    ("offered", "wanted", "yes"),
    [
        ("ofi+tcp", "ofi+tcp", True),
        ("ofi+tcp;ofi_rxm", "ofi+tcp", False),
        ("ofi+verbs;ofi_rxm", "ofi+verbs", True),
        ("ofi+verbs;ofi_rxm", "ofi+verbs;ofi_rxm", True),
    ],
)
def test_providers_are_compared(offered, wanted, yes):
    assert supports(offered, wanted) is yes
