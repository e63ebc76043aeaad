"""Whatever the hardware and the wishes: a configuration that a server takes, true to the hardware, or a refusal."""

from dataclasses import replace
from typing import Any

import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from daos_control.base.errors import DaosControlError
from daos_control.base.pci import PciAddress
from daos_control.config import document
from daos_control.config.generation import Hardware, Interface, Pmem, Ssd, Wishes, annotated, generate, told
from daos_control.config.server import ServerConfig
from daos_control.config.validation import validated

PROVIDERS = ("ofi+verbs;ofi_rxm", "ofi+tcp;ofi_rxm", "ofi+tcp")
NODES = st.integers(0, 3)


@st.composite
def ssds(draw: st.DrawFn) -> tuple[Ssd, ...]:
    buses = draw(st.dictionaries(st.integers(0, 0xFF), NODES, min_size=4, max_size=12))
    behind_vmd = draw(st.booleans())
    return tuple(
        Ssd(
            address=PciAddress.parse(f"{bus:02x}0505:01:00.0" if behind_vmd else f"0000:{bus:02x}:00.0"), numa_node=node
        )
        for bus, node in buses.items()
    )


HARDWARE = st.builds(
    Hardware,
    interfaces=st.lists(
        st.builds(
            Interface,
            provider=st.sampled_from(PROVIDERS),
            name=st.sampled_from(["if0", "if1", "if2", "if3"]),
            net_class=st.sampled_from([1, 32, 32, 32]),
            numa_node=NODES,
            priority=st.integers(0, 3),
        ),
        min_size=6,
        max_size=16,
    ).map(tuple),
    ssds=ssds(),
    pmem=st.sets(st.tuples(st.integers(0, 9), NODES), min_size=2, max_size=6).map(
        lambda found: tuple(Pmem(name=f"pmem{number}.{node}", numa_node=node) for number, node in sorted(found))
    ),
    numa_nodes=st.integers(1, 4),
    cores_per_node=st.integers(2, 64),
    memory_kib=st.just(1 << 28),
    hugepage_kib=st.just(2048),
)
WISHES = st.builds(
    Wishes,
    replicas=st.sampled_from([("a",), ("a", "b", "c"), ("a:7", "b:7", "c:7")]),
    engines=st.sampled_from([0, 1, 1, 1, 2, 3]),
    scm_only=st.booleans(),
    net_class=st.sampled_from(["infiniband", "infiniband", "ethernet"]),
    tmpfs=st.booleans(),
    fabric_ports=st.sampled_from([(), (1, 2, 3, 4)]),
)


@given(hardware=HARDWARE, wishes=WISHES, with_metadata=st.booleans())
def test_a_configuration_is_true_to_the_hardware(hardware: Hardware, wishes: Wishes, with_metadata: bool) -> None:
    if with_metadata:
        wishes = replace(wishes, tmpfs=True, metadata_path="/md")
    try:
        generated = generate(wishes, hardware)
    except DaosControlError:
        event("refused")
        return
    event("generated")
    config = generated.config
    nodes = [engine.pinned_numa_node for engine in config.engines]
    assert len(nodes) == (wishes.engines or hardware.numa_nodes)
    assert nodes == sorted(set(nodes))
    for engine in config.engines:
        is_of_its_node(engine, hardware, wishes)
    assert len({len(backing(engine, hardware)) for engine in config.engines}) == 1
    assert len({(engine.targets, engine.nr_xs_helpers) for engine in config.engines}) == 1
    assert 1 <= config.engines[0].targets + config.engines[0].nr_xs_helpers <= hardware.cores_per_node - 2
    a_server_takes_it(config, annotated(generated, heading="Made up."))
    assert told(generated).count("\n") > len(generated.reasons)


def is_of_its_node(engine: Any, hardware: Hardware, wishes: Wishes) -> None:
    node = engine.pinned_numa_node
    same = [
        one
        for one in hardware.interfaces
        if (one.provider, one.numa_node, one.net_class)
        == (engine.provider, node, {"ethernet": 1, "infiniband": 32}[wishes.net_class])
    ]
    best = min(one.priority for one in same)
    assert engine.fabric_iface in {one.name for one in same if one.priority == best}
    known = {str(ssd.address.vmd or ssd.address) for ssd in hardware.ssds if ssd.numa_node == node}
    assert set(engine.bdevs) <= known
    assert bool(engine.bdevs) is not wishes.scm_only
    pmem = {f"/dev/{device.name}" for device in hardware.pmem if device.numa_node == node}
    assert set(engine.scm.scm_list) <= pmem
    assert engine.scm.storage_class == ("ram" if wishes.tmpfs else "dcpm")


def backing(engine: Any, hardware: Hardware) -> list[Ssd]:
    """Return the SSDs that an engine has, be it behind a VMD."""
    return [
        ssd
        for ssd in hardware.ssds
        if ssd.numa_node == engine.pinned_numa_node and str(ssd.address.vmd or ssd.address) in engine.bdevs
    ]


def a_server_takes_it(config: ServerConfig, text: str) -> None:
    """A server reads back what was generated, and its rules have nothing against it."""
    read = document.parse(text, ServerConfig(), source="generated").completed()
    taken = validated(read)
    assert (taken.engines, taken.port, taken.mgmt_svc_replicas) == (
        config.engines,
        config.port,
        config.mgmt_svc_replicas,
    )
    assert yaml.safe_load(text) == yaml.safe_load(document.dump(config))
