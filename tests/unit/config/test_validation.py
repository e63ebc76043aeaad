"""One mistake at a time in a configuration that is good otherwise, and the fault that it is."""

from dataclasses import replace

import pytest

from daos_control.base.errors import Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.config.storage import Acceleration, ControlMetadata, Tier
from daos_control.config.validation import ONE_REPLICA, validated


def engine(index: int = 0, **changes: object) -> EngineConfig:
    good = EngineConfig(
        targets=4,
        fabric_iface="ib0",
        fabric_iface_port=31316 + index,
        storage=(ram(index), nvme(index)),
    )
    return replace(good, **changes)


def ram(index: int = 0, **changes: object) -> Tier:
    return replace(Tier(storage_class="ram", scm_mount=f"/mnt/daos{index}", scm_size=16), **changes)


def dcpm(index: int = 0, **changes: object) -> Tier:
    return replace(Tier(storage_class="dcpm", scm_mount=f"/mnt/{index}", scm_list=(f"/dev/pmem{index}",)), **changes)


def nvme(index: int = 0, **changes: object) -> Tier:
    return replace(Tier(storage_class="nvme", bdev_list=(f"0000:8{index}:00.0",)), **changes)


def file(index: int = 0, **changes: object) -> Tier:
    return replace(Tier(storage_class="file", bdev_list=(f"/f{index}",), bdev_size=4), **changes)


def server(*engines: EngineConfig, **changes: object) -> ServerConfig:
    good = ServerConfig(provider="ofi+tcp", mgmt_svc_replicas=("a", "b", "c"), engines=engines or (engine(),))
    return replace(good, **changes)


def tiers(*storage: Tier, **changes: object) -> ServerConfig:
    return server(engine(storage=storage), **changes)


def fault_of(config: ServerConfig) -> Fault:
    with pytest.raises(Fault) as error:
        validated(config)
    return error.value


MD = ControlMetadata(path="/md")
ROLES = ("wal", "meta", "data")

FAULTS = {
    703: [
        server(port=0),
        server(port=65536),
        replace(server(port=65536), engines=()),
        server(mgmt_svc_replicas=("a:65536",)),
        server(mgmt_svc_replicas=("a:x",)),
        server(mgmt_svc_replicas=("a:0",)),
        server(mgmt_svc_replicas=("a:-1",)),
    ],
    704: [server(telemetry_port=-1), server(telemetry_port=65536)],
    705: [
        server(mgmt_svc_replicas=()),
        server(mgmt_svc_replicas=("a", "a:10001", "b")),
        server(mgmt_svc_replicas=("a:b:1",)),
        server(mgmt_svc_replicas=(":1",)),
    ],
    706: [server(mgmt_svc_replicas=("a", "b"))],
    707: [server(provider="")],
    709: [server(engine(), engine(1, fabric_iface_port=31316))],
    710: [server(engine(log_file="/l"), engine(1, log_file="/l"))],
    711: [server(engine(), engine(1, storage=(ram(0), nvme(1))))],
    712: [server(engine(storage=(dcpm(),)), engine(1, storage=(dcpm(1, scm_list=("/dev/pmem0",)),)))],
    713: [server(engine(), engine(1, storage=(ram(1), nvme(0))))],
    715: [server(engine(), engine(1, targets=5))],
    716: [server(engine(), engine(1, nr_xs_helpers=1))],
    725: [server(nr_hugepages=-1), server(nr_hugepages=1 << 31)],
    729: [server(control_metadata=ControlMetadata(device="/dev/sdb"))],
    730: [tiers(ram(scm_size=3))],
    732: [server(engine(storage=(ram(),)), engine(1, storage=(dcpm(1),)))],
    734: [server(system_ram_reserved=0), server(system_ram_reserved=-1)],
    735: [server(enable_hotplug=True, disable_hotplug=False)],
    736: [server(bdev_exclude=("0000:80:00.0",))],
    738: [
        server(engine(), engine(1, storage=(ram(1, scm_hugepages_disabled=True), nvme(1)))),
        server(
            engine(storage=(ram(scm_hugepages_disabled=False), nvme())),
            engine(1, storage=(ram(1, scm_hugepages_disabled=True), nvme(1))),
        ),
    ],
    216: [tiers(nvme())],
    307: [server(engine(acceleration=Acceleration(engine="magic")))],
    308: [
        server(engine(acceleration=Acceleration(engine="spdk", options=("fly",)))),
        tiers(ram(), nvme(bdev_roles=("wal", "log"))),
    ],
    309: [tiers(ram(), nvme(), file())],
    312: [tiers(dcpm(), nvme(bdev_roles=ROLES))],
    313: [
        tiers(ram(), nvme(bdev_roles=("wal", "meta")), control_metadata=MD),
        tiers(ram(), nvme(bdev_roles=ROLES), nvme(1, bdev_roles=("data",)), control_metadata=MD),
    ],
    314: [tiers(ram(), nvme(bdev_roles=ROLES), nvme(1)), tiers(ram(), nvme(), nvme(1, bdev_roles=ROLES))],
    315: [tiers(ram(), nvme(), nvme(1))],
    316: [tiers(ram(), *(nvme(index, bdev_roles=("meta",)) for index in range(4)))],
    317: [server(control_metadata=MD), tiers(ram(), control_metadata=MD)],
    318: [tiers(ram(), nvme(bdev_roles=ROLES))],
    319: [tiers(ram(), nvme(bdev_roles=("wal", "data")), nvme(1, bdev_roles=("meta",)))],
    701: [
        server(engine_auto_restart_min_delay=-1),
        server(engine(targets=0)),
        server(engine(targets=-1)),
        server(engine(nr_xs_helpers=-1)),
        server(engine(first_core=-1)),
        server(engine(first_core=1, pinned_numa_node=0)),
        server(engine(fabric_iface="")),
        server(engine(fabric_iface="ib0,ib1")),
        server(engine(fabric_iface_port=0)),
        server(engine(fabric_iface_port=-1)),
        server(engine(fabric_iface_port=65536)),
        server(engine(log_mask="LOUD")),
        server(engine(env_vars=("DD_MASK=nothing",))),
        server(engine(env_vars=("DD_SUBSYS=nothing",))),
        server(EngineConfig()),
        tiers(),
        tiers(ram(), Tier()),
        tiers(ram(scm_mount="")),
        tiers(ram(scm_list=("/dev/pmem0",))),
        tiers(dcpm(scm_size=4)),
        tiers(dcpm(scm_list=())),
        tiers(dcpm(scm_list=("/dev/pmem0", "/dev/pmem1"))),
        tiers(nvme(), ram()),
        tiers(ram(), ram(1)),
        tiers(ram(), nvme(bdev_list=())),
        tiers(ram(), nvme(bdev_list=("/dev/sda",))),
        tiers(ram(), nvme(bdev_list=("0000:80:00.0", "/dev/sda"))),
        tiers(ram(), nvme(bdev_list=("0000:8A:00.0", "0000:8a:00.0"))),
        tiers(ram(), file(bdev_list=())),
        tiers(ram(), file(bdev_size=0)),
        tiers(ram(), file(bdev_size=-1)),
    ],
}


@pytest.mark.parametrize(("code", "configs"), FAULTS.items())
def test_each_mistake_has_its_fault(code: int, configs: list[ServerConfig]):
    for config in configs:
        fault = fault_of(config)
        assert (fault.code, FaultCode(code).name) == (code, FaultCode(fault.code).name)
        assert fault.resolution


def test_every_configuration_fault_that_the_file_alone_decides_is_tested():
    elsewhere = {700, 701, 702, 708, 714, 726, 727, 728, 731, 733, 737, 739, 740, *range(717, 725)}
    assert {code for code in FaultCode if 700 <= code <= 740} - elsewhere <= FAULTS.keys()


@pytest.mark.parametrize(
    "config",
    [
        server(),
        server(engine(), engine(1)),
        tiers(ram()),
        tiers(ram(scm_size=0)),
        tiers(dcpm(), nvme()),
        tiers(ram(), file()),
        tiers(ram(), replace(file(), storage_class="kdev", bdev_size=0)),
        tiers(ram(), nvme(bdev_roles=ROLES), control_metadata=MD),
        tiers(ram(), nvme(bdev_roles=("wal",)), nvme(1, bdev_roles=("meta", "data")), control_metadata=MD),
        tiers(
            ram(),
            nvme(0, bdev_roles=("wal",)),
            nvme(1, bdev_roles=("meta",)),
            nvme(2, bdev_roles=("data",)),
            control_metadata=MD,
        ),
        server(engine(pinned_numa_node=1, first_core=0)),
        server(bdev_exclude=("0000:99:00.0",)),
    ],
)
def test_good_configurations(config: ServerConfig):
    assert validated(config).notices == ()
    assert validated(validated(config)) == validated(config)


def test_what_is_wrong_names_the_engine_and_the_tier():
    fault = fault_of(server(engine(), engine(1, storage=(ram(1), file(bdev_size=0)))))
    assert fault.description == "engine 1: storage tier 1: class file wants a bdev_size in GiB"
    assert fault_of(tiers(ram(scm_size=1))).description.startswith("engine 0: a RAM disk of 1.0 GiB is too small")


def test_what_the_file_leaves_open_is_completed():
    config = validated(
        tiers(ram(), nvme(bdev_list=("0000:82:00.0", "0000:81:00.0"), bdev_roles=ROLES), control_metadata=MD)
    )
    assert config.mgmt_svc_replicas == ("a:10001", "b:10001", "c:10001")
    assert (config.disable_vmd, config.disable_hotplug) == (False, False)
    assert config.engines[0].provider == "ofi+tcp"
    assert config.engines[0].storage[1].bdev_list == ("0000:81:00.0", "0000:82:00.0")
    assert config.engines[0].storage[1].bdev_roles == ("data", "meta", "wal")


def test_the_port_completes_replicas_that_have_none():
    assert validated(server(port=7, mgmt_svc_replicas=("a", "b:8", "c"))).mgmt_svc_replicas == ("a:7", "b:8", "c:7")


def test_a_host_without_engines_is_hardly_checked():
    config = validated(ServerConfig(mgmt_svc_replicas=("a", "b")))
    assert config.engines == ()


def test_a_single_replica_is_worth_a_notice():
    assert validated(server(mgmt_svc_replicas=("a",))).notices == (ONE_REPLICA,)


def test_uneven_devices_are_worth_a_notice():
    uneven = server(engine(), engine(1, storage=(ram(1), nvme(1, bdev_list=("0000:81:00.0", "0000:91:00.0")))))
    assert "code = 714" in validated(uneven).notices[0]


def test_the_former_hotplug_key():
    config = validated(server(enable_hotplug=False))
    assert (config.disable_hotplug, config.enable_hotplug) == (True, None)
    assert "enable_hotplug is deprecated" in config.notices[0]
