"""Which interface a client gets."""

import pytest

from daos_control.apps.agent.fabric import Chooser, Fabric, FabricDevice, NameFilter, NoFabric
from daos_control.wire.pb.mgmt.svc_pb2 import GetAttachInfoResp

ETHERNET, INFINIBAND = 1, 32


def device(interface: str, *, dev_class: int = ETHERNET, providers: str = "ofi+tcp", domain: str = "") -> FabricDevice:
    return FabricDevice(
        interface=interface, domain=domain or interface, dev_class=dev_class, providers=frozenset(providers.split())
    )


def static(interface: str, domain: str = "") -> FabricDevice:
    return FabricDevice(interface=interface, domain=domain or interface)


def chooser(*devices: tuple[int, FabricDevice], without_address: str = "", **names: frozenset[str]) -> Chooser:
    return Chooser(
        Fabric.of(devices), names=NameFilter(**names), has_address=lambda name: name not in without_address.split()
    )


def turns(chosen_by: Chooser, count: int, node: int = 0) -> list[str]:
    return [chosen_by.choose(numa_node=node, dev_class=ETHERNET, provider="ofi+tcp").interface for _ in range(count)]


def test_devices_of_the_clients_node_take_turns():
    assert turns(chooser((0, device("a")), (0, device("b")), (1, device("c"))), 4) == ["a", "b", "a", "b"]


def test_each_node_has_turns_of_its_own():
    both = chooser((0, device("a")), (0, device("b")), (1, device("c")), (1, device("d")))

    assert turns(both, 1) + turns(both, 1, node=1) + turns(both, 1) == ["a", "c", "b"]


def test_a_node_without_devices_is_served_by_the_others_in_turn():
    remote = chooser((0, device("a")), (1, device("b")), (2, device("c")))

    assert turns(remote, 4, node=7) == ["b", "c", "a", "b"]


@pytest.mark.parametrize(
    "unfit",
    [
        pytest.param(device("x", dev_class=INFINIBAND), id="of another class"),
        pytest.param(device("x", providers="ofi+verbs"), id="that does not speak the provider"),
        pytest.param(device("no_ip"), id="without an address"),
        pytest.param(device("excluded"), id="that is excluded"),
    ],
)
def test_a_device_is_passed_over(unfit: FabricDevice):
    both = chooser((0, unfit), (0, device("a")), without_address="no_ip", exclude=frozenset({"excluded"}))

    assert turns(both, 2) == ["a", "a"]


def test_only_included_interfaces_are_used():
    both = chooser((0, device("a")), (0, device("b")), include=frozenset({"b"}))

    assert turns(both, 2) == ["b", "b"]


def test_listed_devices_are_taken_at_the_administrators_word_but_need_an_address():
    listed = chooser((0, static("a")), (0, static("b")), without_address="a", exclude=frozenset({"b"}))

    assert turns(listed, 2) == ["b", "b"]


def test_no_device_at_all_is_an_error_that_says_what_was_looked_for():
    with pytest.raises(NoFabric, match=r"class 1 speaks ofi\+tcp"):
        turns(chooser((0, device("a", providers="ofi+verbs"))), 1)


def test_an_empty_fabric_has_nothing_to_offer():
    with pytest.raises(NoFabric):
        turns(chooser(), 1)


def test_an_interface_may_have_several_domains():
    fabric = Fabric.of([(0, device("ib0", domain="mlx5_0")), (1, device("ib0", domain="mlx5_1"))])

    assert fabric.find("ib0", "mlx5_1").domain == "mlx5_1"
    with pytest.raises(NoFabric, match='"ib0" has no domain "ib0"'):
        fabric.find("ib0", "ib0")
    with pytest.raises(NoFabric, match='"eth9" not found'):
        fabric.find("eth9", "eth9")


def test_other_classes_are_dropped_but_never_what_is_listed():
    fabric = Fabric.of([(0, device("ib0", dev_class=INFINIBAND)), (1, device("a")), (2, static("s"))])

    assert set(fabric.of_class(INFINIBAND).nodes) == {0, 2}


def test_the_map_has_a_group_for_every_node_up_to_the_highest():
    fabric = Fabric.of([(2, device("c", domain="dom")), (0, device("a")), (0, device("v", providers="ofi+verbs"))])

    groups = GetAttachInfoResp.FromString(fabric.numa_map("ofi+tcp")).numa_fabric_interfaces

    assert [group.numa_node for group in groups] == [0, 1, 2]
    assert [[device.interface for device in group.ifaces] for group in groups] == [["a"], [], ["c"]]
    last = groups[2].ifaces[0]
    assert (last.numa_node, last.domain, last.provider) == (2, "dom", "ofi+tcp")
