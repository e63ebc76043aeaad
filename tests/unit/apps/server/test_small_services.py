"""Network scan, log masks and SMD queries."""

import pytest

from daos_control.apps.server.local import LocalEngine
from daos_control.apps.server.servicers.ctl_logs import LogService
from daos_control.apps.server.servicers.ctl_network import NetworkService, chosen
from daos_control.apps.server.servicers.ctl_smd import AmbiguousError, SmdService
from daos_control.base.errors import DaosControlError, Fault
from daos_control.base.rankset import NIL_RANK
from daos_control.host.network import ETHERNET, LOOPBACK, FabricInterface
from daos_control.host.storage.plan import Means, RamDisk
from daos_control.host.storage.scm import EngineScm, OwnHands
from daos_control.net.drpc.methods import Mgmt
from daos_control.net.rpc.handlers import Caller
from daos_control.security.components import Component
from daos_control.testing.engine import stage
from daos_control.wire.pb.ctl import network_pb2, server_pb2, smd_pb2

ADMIN = Caller(component=Component.ADMIN, address="10.0.0.1:4711")


def fabric(interface, provider, device_class=ETHERNET):
    return FabricInterface(
        provider=provider, interface=interface, domain=interface, device_class=device_class, numa_node=0, priority=0
    )


FOUND = [
    fabric("eth0", "ofi+tcp;ofi_rxm"),
    fabric("eth0", "ofi+tcp"),
    fabric("ib0", "ofi+verbs;ofi_rxm"),
    fabric("lo", "ofi+tcp", LOOPBACK),
]


@pytest.mark.parametrize(
    ("provider", "interfaces"),
    [
        ("ofi+tcp", ["eth0"]),
        ("ofi+verbs", ["ib0"]),
        ("ofi+cxi", []),
        ("ALL", ["eth0", "eth0", "ib0"]),
        ("", ["eth0", "eth0", "ib0"]),
    ],
)
def test_interfaces_of_a_provider(provider, interfaces):
    assert [one.interface for one in chosen(FOUND, provider)] == interfaces


async def test_this_host_is_scanned_without_its_loopback():
    reply = await NetworkService("ofi+tcp").scan(network_pb2.NetworkScanReq(provider="all"), ADMIN)
    assert reply.numacount >= 1
    assert reply.corespernuma >= 1
    assert all(one.netdevclass != LOOPBACK for one in reply.interfaces)


async def test_a_scan_for_what_nobody_here_speaks_is_an_error():
    service = NetworkService("ofi+tcp")
    with pytest.raises(DaosControlError, match=r"^no fabric interfaces found with provider ofi\+nothing$"):
        await service.scan(network_pb2.NetworkScanReq(provider="ofi+nothing"), ADMIN)


def local(engine, folder):
    disk = RamDisk(target=folder, size_gib=4)
    return LocalEngine(supervisor=engine.supervisor, scm=EngineScm(disk, OwnHands(Means.DIRECTORY)))


async def test_masks_reach_engines_with_subsystems_folded_in(tmp_path):
    answers = {Mgmt.SET_LOG_MASKS: lambda _: server_pb2.SetLogMasksResp()}
    async with stage(tmp_path, engines=2, answers=answers) as play:
        await play.make_ready(0)
        service = LogService([local(engine, tmp_path) for engine in play.engines])
        request = server_pb2.SetLogMasksReq(masks="DEBUG", streams="MD", subsystems="MGMT")
        first, second = (await service.set_masks(request, ADMIN)).errors
        assert first == ""
        assert "code = 611" in second
        told = server_pb2.SetLogMasksReq(masks="ERR,MGMT=DBUG", streams="MD")
        assert ("SET_LOG_MASKS", told) in play.engines[0].told
        empty = await service.set_masks(server_pb2.SetLogMasksReq(reset_masks=True), ADMIN)
        assert "no log masks given, and none configured" in empty.errors[0]


ALIVE = smd_pb2.SmdDevice(uuid="a", ctrlr=smd_pb2.NvmeController(dev_state=smd_pb2.NORMAL))
FRESH = smd_pb2.SmdDevice(uuid="b", ctrlr=smd_pb2.NvmeController(dev_state=smd_pb2.NEW))
DEVICES = {
    Mgmt.SMD_LIST_DEVS: lambda _: smd_pb2.SmdDevResp(devices=[ALIVE, FRESH]),
    Mgmt.SMD_LIST_POOLS: lambda _: smd_pb2.SmdPoolResp(pools=[smd_pb2.SmdPoolResp.Pool(uuid="p", tgt_ids=[0])]),
    Mgmt.BIO_HEALTH_QUERY: lambda request: smd_pb2.BioHealthResp(dev_uuid=request.dev_uuid, temperature=300),
}


async def test_devices_and_pools_are_two_entries_of_a_rank(tmp_path):
    async with stage(tmp_path, answers=DEVICES) as play:
        await play.make_ready()
        request = smd_pb2.SmdQueryReq(rank=NIL_RANK, include_bio_health=True)
        devices, pools = (await SmdService(play.harness).query(request, ADMIN)).ranks
        assert (devices.rank, pools.rank) == (7, 7)
        assert [one.ctrlr.health_stats.temperature for one in devices.devices] == [300, 0]
        assert [one.uuid for one in pools.pools] == ["p"]


async def test_one_device_of_many(tmp_path):
    async with stage(tmp_path, answers=DEVICES) as play:
        await play.make_ready()
        request = smd_pb2.SmdQueryReq(rank=NIL_RANK, uuid="b", omit_pools=True)
        (only,) = (await SmdService(play.harness).query(request, ADMIN)).ranks
        assert [one.uuid for one in only.devices] == ["b"]
        with pytest.raises(AmbiguousError):
            await SmdService(play.harness).query(smd_pb2.SmdQueryReq(uuid="b"), ADMIN)


async def test_without_an_engine_that_serves_nothing_is_known(tmp_path):
    async with stage(tmp_path) as play:
        with pytest.raises(Fault) as nobody:
            await SmdService(play.harness).query(smd_pb2.SmdQueryReq(rank=NIL_RANK), ADMIN)
        assert nobody.value.code == 611
