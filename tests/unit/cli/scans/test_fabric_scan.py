"""A host's fabric interfaces: of one among many, and of this one."""

from daos_control.cli.local.fabric import THIS_HOST, local_document, local_view
from daos_control.cli.scans.fabric import fabric_document, fabric_text, fabric_view
from daos_control.client.network import HostFabric, HostFabricInterface

TCP = "ofi+tcp"
BARE = HostFabric(numa_count=1, cores_per_numa=2)


def interface(device: str, *, node: int = 0, priority: int = 0, provider: str = TCP) -> HostFabricInterface:
    return HostFabricInterface(provider=provider, device=device, numa_node=node, priority=priority, net_dev_class=1)


def test_a_host_without_fabric_has_no_interfaces_and_an_empty_list_of_providers() -> None:
    shown = fabric_document(BARE)
    assert (shown["Interfaces"], shown["Providers"]) == (None, [])


def test_a_daemon_has_no_providers_there_while_dmg_has_none_of_them() -> None:
    (found,) = local_document(BARE).values()
    assert (found["HostFabric"]["Providers"], found["HostSet"]) == (None, THIS_HOST)


def test_hosts_with_the_same_interfaces_have_the_same_key() -> None:
    one, same, other = (HostFabric(interfaces=(interface(name),), providers=(TCP,)) for name in ("ib0", "ib0", "ib1"))
    assert local_document(one).keys() == local_document(same).keys() != local_document(other).keys()


def test_interfaces_stand_by_node_and_the_best_comes_first() -> None:
    fabric = HostFabric(
        interfaces=(
            interface("ib1", node=1),
            interface("eth0", priority=2),
            interface("ib0", priority=1),
        ),
        providers=(TCP,),
    )
    text = fabric_text(fabric)
    assert text.index("NUMA Socket 0") < text.index("ib0, eth0") < text.index("NUMA Socket 1") < text.index("ib1")


def test_a_person_is_told_that_there_are_none() -> None:
    assert fabric_text(BARE).strip() == ""
    assert "No fabric interfaces found" in fabric_view(BARE)
    assert local_view(BARE).split()[1] == THIS_HOST
