"""Generating a configuration for many hosts: what is asked, what all must have, what is said of those that differ."""

import pytest

from daos_control.base.fault_codes import FaultCode
from daos_control.base.hostset import HostSet
from daos_control.cli.dmg.config import differences_text
from daos_control.client.configuration import HostsDiffer, ScanFailed
from daos_control.client.daos import DaosClient
from daos_control.config.generation import CannotGenerate, Wishes
from daos_control.testing.answers import Answers
from daos_control.wire.pb.ctl.network_pb2 import FabricInterface, NetworkScanResp
from daos_control.wire.pb.ctl.storage_pb2 import StorageScanResp

VERBS = "ofi+verbs;ofi_rxm"


def network(node=1, **facts):
    interfaces = [
        FabricInterface(provider=VERBS, device="ib0", netdevclass=32),
        FabricInterface(provider=VERBS, device="ib1", netdevclass=32, numanode=node),
    ]
    return NetworkScanResp(interfaces=interfaces, numacount=2, corespernuma=24, **facts)


def storage(address="0000:81:00.0", memory_kib=1 << 28):
    reply = StorageScanResp()
    reply.scm.state.SetInParent()
    reply.nvme.state.SetInParent()
    reply.nvme.ctrlrs.add(pci_addr="0000:80:00.0", socket_id=0)
    reply.nvme.ctrlrs.add(pci_addr=address, socket_id=1)
    reply.sys_mem_info.hugepage_size_kb = 2048
    reply.sys_mem_info.mem_total_kb = memory_kib
    return reply


async def generated(answers, *hosts):
    daos = DaosClient(answers, hosts or ["a", "b", "c"])
    return (await daos.configuration.generate(Wishes(tmpfs=True))).config


async def test_all_hosts_are_scanned_for_every_provider_and_for_ssds_alone():
    answers = Answers(NetworkScan=network(), StorageScan=storage())
    config = await generated(answers)
    assert [engine.fabric_iface for engine in config.engines] == ["ib0", "ib1"]
    assert {(address, name) for address, name, _ in answers.asked} == {
        (f"{host}:10001", name) for host in "abc" for name in ("NetworkScan", "StorageScan")
    }
    assert {request.provider for request in answers.requests("NetworkScan")} == {"all"}
    assert {request.nvme.Basic for request in answers.requests("StorageScan")} == {True}


async def test_of_hosts_with_different_networks_it_is_told_what_only_some_have():
    answers = Answers(NetworkScan=network(), c_NetworkScan=network(node=0), StorageScan=storage())
    with pytest.raises(HostsDiffer, match=r"^network hardware not consistent across hosts$") as caught:
        await generated(answers)
    assert caught.value.groups == {
        HostSet.parse("a:10001,b:10001"): [f"{VERBS} over ib1, NUMA node 1, infiniband, priority 0"],
        HostSet.parse("c:10001"): [f"{VERBS} over ib1, NUMA node 0, infiniband, priority 0"],
    }
    assert not answers.requests("StorageScan"), "there is nothing more to ask"
    assert [line.rstrip() for line in differences_text(caught.value).splitlines()] == [
        "Differences:",
        "  Hosts What only they have",
        "  ----- -------------------",
        "  a,b   ofi+verbs;ofi_rxm over ib1, NUMA node 1, infiniband, priority 0",
        "  c     ofi+verbs;ofi_rxm over ib1, NUMA node 0, infiniband, priority 0",
    ]


@pytest.mark.parametrize(
    ("other", "fact"),
    [
        (storage(address="0000:82:00.0"), "SSD 0000:82:00.0, NUMA node 1, 0 bytes"),
        (storage(memory_kib=5), "5 KiB of RAM"),
    ],
)
async def test_of_hosts_with_different_storage_too(other, fact):
    answers = Answers(NetworkScan=network(), StorageScan=storage(), b_StorageScan=other)
    with pytest.raises(HostsDiffer, match="storage hardware not consistent") as caught:
        await generated(answers)
    assert caught.value.groups[HostSet.parse("b:10001")] == [fact]


async def test_hosts_that_differ_in_nothing_that_matters_differ_all_the_same():
    in_use = storage()
    in_use.nvme.ctrlrs[0].smd_devices.add(uuid="10000000-bbbb-4bbb-8bbb-000000000010", rank=7)
    answers = Answers(NetworkScan=network(), StorageScan=storage(), b_StorageScan=in_use)
    with pytest.raises(HostsDiffer) as caught:
        await generated(answers)
    assert "nothing that the others have not" in differences_text(caught.value)


async def test_a_host_that_cannot_be_scanned_is_named():
    refused = FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="b:10001")
    answers = Answers(NetworkScan=network(), b_NetworkScan=refused, StorageScan=storage())
    with pytest.raises(ScanFailed, match=r"^1 host had errors$") as caught:
        await generated(answers)
    assert [str(problem.hosts) for problem in caught.value.problems] == ["b:10001"]


async def test_an_ssd_without_a_real_address_cannot_be_used():
    answers = Answers(NetworkScan=network(), StorageScan=storage(address="<nil>"))
    with pytest.raises(CannotGenerate, match="'<nil>' is not a PCI address"):
        await generated(answers)
