"""Reasons beside values: complete, in the right place, and the file stays the file."""

from dataclasses import replace

import yaml

from daos_control.base.pci import PciAddress
from daos_control.config import document
from daos_control.config.generation import (
    Hardware,
    Interface,
    Pmem,
    Ssd,
    Wishes,
    annotated,
    generate,
    told,
)
from daos_control.config.server import ServerConfig


def interface(provider, name, net_class, node, priority):
    return Interface(provider=provider, name=name, net_class=net_class, numa_node=node, priority=priority)


SCAN = Hardware(
    interfaces=(
        interface("ofi+verbs;ofi_rxm", "ib0", 32, 0, 0),
        interface("ofi+tcp", "ib0", 32, 0, 1),
        interface("ofi+verbs;ofi_rxm", "ib1", 32, 1, 0),
        interface("ofi+verbs;ofi_rxm", "ib2", 32, 1, 0),
        interface("ofi+tcp", "eth0", 1, 0, 1),
    ),
    ssds=tuple(
        Ssd(address=PciAddress.parse(address), numa_node=node)
        for address, node in (("0000:80:00.0", 0), ("0000:81:00.0", 1), ("0000:82:00.0", 1), ("0000:c0:00.0", 2))
    ),
    pmem=tuple(
        Pmem(name=name, numa_node=node) for name, node in (("pmem0", 0), ("pmem1.1", 1), ("pmem1", 1), ("pmem3", 3))
    ),
    numa_nodes=4,
    cores_per_node=24,
    memory_kib=1 << 28,
    hugepage_kib=2048,
)
GENERATED = generate(Wishes(engines=2, replicas=("a", "b", "c")), SCAN)


def lines_above(text, key):
    """Return the comment in front of the first line that has a key."""
    lines = text.splitlines()
    start = key if ":" in key else f"{key}:"
    at = max(number for number, line in enumerate(lines) if line.strip().removeprefix("- ").startswith(start))
    if ":" not in key:
        at = next(number for number, line in enumerate(lines) if line.strip().removeprefix("- ").startswith(start))
    comment = []
    while lines[at - 1].lstrip().startswith("#"):
        at -= 1
        comment.append(lines[at].strip(" #"))
    return " ".join(reversed(comment))


def unwrapped(text):
    """Return the words of a text, wherever its lines end."""
    return " ".join(word for word in text.split() if word != "#")


def test_comments_change_nothing(tmp_path):
    text = annotated(GENERATED, heading="Made for a test.")
    assert yaml.safe_load(text) == yaml.safe_load(document.dump(GENERATED.config))
    assert text.startswith("# Made for a test.\n")
    (tmp_path / "daos_server.yml").write_text(text)
    loaded = ServerConfig.load(tmp_path / "daos_server.yml")
    assert loaded.engines == GENERATED.config.engines


def test_what_was_passed_over_is_told_where_it_could_have_been():
    text = annotated(GENERATED)
    assert lines_above(text, "engines") == (
        "2 engines, asked for with --num-engines: on NUMA nodes 0, 1 passed over: NUMA node 2: no persistent memory "
        "passed over: NUMA node 3: no SSD"
    )
    assert "passed over: eth0: ethernet, not infiniband (--net-class)" in lines_above(text, "fabric_iface")
    assert "ib2: as good as ib1, and later in the scan" in text
    assert "passed over: /dev/pmem1.1" in text
    assert "passed over: 0000:82:00.0: every engine gets 1, as many as the one with the fewest" in unwrapped(text)
    assert "passed over: ofi+tcp: no interface on NUMA node 1" in text


def test_a_node_without_an_interface_is_told_of():
    text = annotated(generate(Wishes(engines=1), replace(SCAN, interfaces=SCAN.interfaces[:2])))
    assert "passed over: NUMA node 1: no infiniband interface" in lines_above(text, "engines")


def test_of_many_sets_of_nodes_only_the_best_are_told():
    many = Hardware(
        interfaces=tuple(interface("ofi+tcp", f"ib{node}", 32, node, node % 3) for node in range(8)),
        ssds=tuple(Ssd(address=PciAddress.parse(f"0000:{16 + node:02x}:00.0"), numa_node=node) for node in range(8)),
        numa_nodes=8,
        cores_per_node=16,
        memory_kib=1 << 28,
        hugepage_kib=2048,
    )
    comment = lines_above(annotated(generate(Wishes(engines=4, tmpfs=True), many)), "engines")
    assert "on NUMA nodes 0, 1, 3, 6 passed over: NUMA nodes 0, 3, 4, 6: just as good" in comment
    assert comment.count("passed over: NUMA nodes") == 3
    assert comment.endswith("passed over: 66 other sets of NUMA nodes: none of them better")


def test_a_provider_that_is_as_good_is_said_to_be():
    equal = replace(SCAN, interfaces=(*SCAN.interfaces[:2], interface("ofi+cxi", "ib0", 32, 0, 0)))
    text = annotated(generate(Wishes(engines=1), equal))
    assert "passed over: ofi+verbs;ofi_rxm: just as good, and later by name" in lines_above(text, "provider: ofi+cxi")


def test_numbers_are_reckoned_up():
    assert lines_above(annotated(GENERATED), "targets") == (
        "17 for its SSD: not more than 80% of 22 cores (the 24 of a NUMA node, less 2 for the system); the same on "
        "every engine"
    )


def test_every_choice_has_a_reason():
    chosen = {"targets", "nr_xs_helpers", "fabric_iface", "fabric_iface_port", "pinned_numa_node", "storage"}
    places = {reason.place for reason in GENERATED.reasons}
    assert chosen <= {place[2] for place in places if len(place) > 2}
    assert {("engines",), ("provider",), ("mgmt_svc_replicas",)} <= places


def test_reasons_by_themselves_name_their_values():
    text = told(GENERATED)
    assert "engines[0].fabric_iface = ib0\n    ofi+verbs;ofi_rxm over ib0" in text
    several = "asked for with --ms-replicas, for DAOS's own servers: ours refuses to be one of several"
    assert f"mgmt_svc_replicas = a:10001, b:10001, c:10001 {several} " in unwrapped(text)


def test_a_system_of_one_host_is_warned():
    alone = annotated(generate(Wishes(engines=2), SCAN))
    assert "localhost is every host to itself" in lines_above(alone, "mgmt_svc_replicas")
    assert "cannot be replaced if it fails" in annotated(generate(Wishes(engines=2, replicas=("a",)), SCAN))


def test_all_kinds_of_storage_are_explained():
    ram = annotated(generate(Wishes(engines=2, tmpfs=True, metadata_path="/md"), SCAN))
    assert "the SSD of NUMA node 0, for the log, metadata and data" in ram
    assert "metadata is kept on SSDs" in ram
    without = annotated(generate(Wishes(engines=2, scm_only=True), SCAN))
    assert "no SSDs, asked for with --scm-only" in lines_above(without, "storage")
    assert "passed over: 0000:80:00.0, 0000:81:00.0" in lines_above(without, "storage")
