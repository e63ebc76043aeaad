from dataclasses import replace

import pytest

from daos_control.base.errors import Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.config.document import ConfigError
from daos_control.config.preparation import (
    HostFacts,
    check_device_access,
    check_transparent_hugepages,
    for_engines,
    memory_shares,
    numa_nodes_in_use,
    prepared,
    srx_for_clients,
    with_hugepages,
    with_numa_nodes,
    with_one_provider,
    with_ramdisk_size,
)
from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.config.storage import ControlMetadata, Tier

GIB_KIB = 1 << 20
RAM = Tier(storage_class="ram", scm_mount="/mnt/0")
DCPM = Tier(storage_class="dcpm", scm_mount="/mnt/0", scm_list=("/dev/pmem0",))
NVME = Tier(storage_class="nvme", bdev_list=("0000:80:00.0",))
FILE = Tier(storage_class="file", bdev_list=("/f",), bdev_size=4)
MD = Tier(storage_class="nvme", bdev_list=("0000:80:00.0",), bdev_roles=("wal", "meta", "data"))


def engine(*storage: Tier, **changes: object) -> EngineConfig:
    return replace(
        EngineConfig(targets=4, fabric_iface="ib0", fabric_iface_port=1, storage=storage or (RAM,)), **changes
    )


def server(*engines: EngineConfig, **changes: object) -> ServerConfig:
    return replace(
        ServerConfig(provider="ofi+tcp", mgmt_svc_replicas=("a", "b", "c"), system_ram_reserved=4, engines=engines),
        **changes,
    )


def code_of(error: pytest.ExceptionInfo[Fault]) -> FaultCode:
    return FaultCode(error.value.code)


# -- network


def test_verbs_gets_its_layer_and_every_engine_the_hosts_provider():
    config = with_one_provider(server(engine(provider="ucx+dc_x"), provider="ofi+verbs"))
    assert config.engines[0].provider == config.provider == "ofi+verbs;ofi_rxm"
    assert with_one_provider(server(provider="ofi+tcp")).provider == "ofi+tcp"


@pytest.mark.parametrize(
    ("engines", "answer"),
    [
        ((), -1),
        ((engine(),), 1),
        ((engine(disable_srx=True),), 0),
        ((engine(disable_srx=True, env_vars=("FI_OFI_RXM_USE_SRX=1",)),), 1),
        ((engine(env_vars=("FI_OFI_RXM_USE_SRX=0",)), engine(disable_srx=True)), 0),
    ],
)
def test_shared_receive_contexts(engines, answer):
    assert srx_for_clients(server(*engines)) == answer


@pytest.mark.parametrize(
    "engines",
    [
        (engine(), engine(disable_srx=True)),
        (engine(env_pass_through=("FI_OFI_RXM_USE_SRX",)),),
        (engine(env_vars=("FI_OFI_RXM_USE_SRX=maybe",)),),
    ],
)
def test_engines_must_agree_on_shared_receive_contexts(engines):
    with pytest.raises(ConfigError, match="SRX"):
        srx_for_clients(server(*engines))


# -- NUMA nodes


@pytest.mark.parametrize(
    ("engines", "nodes", "result"),
    [
        ([{}], {"ib0": 0}, [(None, None)]),
        ([{}], {}, [(None, None)]),
        ([{}], {"ib0": 1}, [(None, 1)]),
        ([{}, {"fabric_iface": "ib1"}], {"ib0": 0, "ib1": 1}, [(None, 0), (None, 1)]),
        ([{"pinned_numa_node": 0}], {"ib0": 0}, [(None, 0)]),
        ([{"first_core": 0}], {"ib0": 1}, [(0, None)]),
        ([{"first_core": 2, "pinned_numa_node": 1}], {"ib0": 1}, [(2, None)]),
        ([{"first_core": 0, "pinned_numa_node": 1}], {"ib0": 1}, [(None, 1)]),
        ([{"pinned_numa_node": 1}, {"first_core": 4}], {"ib0": 1}, [(None, None), (4, None)]),
    ],
)
def test_pinning(engines, nodes, result):
    config = with_numa_nodes(server(*(engine(**changes) for changes in engines)), nodes)
    assert [(one.first_core, one.pinned_numa_node) for one in config.engines] == result
    assert config.notices == ()


def test_a_pin_far_from_the_interface_is_worth_a_notice():
    config = with_numa_nodes(server(engine(pinned_numa_node=0)), {"ib0": 1})
    assert config.engines[0].pinned_numa_node == 0
    assert config.notices == ("engine 0: pinned_numa_node is 0, and ib0 is near 1",)


def test_engines_with_devices_should_be_spread_evenly():
    on = [engine(RAM, NVME, pinned_numa_node=node) for node in (0, 0, 1)]
    assert numa_nodes_in_use(server(engine(pinned_numa_node=1))) == (0,)
    assert numa_nodes_in_use(server(on[0], on[2])) == (0, 1)
    assert numa_nodes_in_use(server(*on, allow_numa_imbalance=True)) == (0, 1)
    with pytest.raises(Fault) as error:
        numa_nodes_in_use(server(*on))
    assert code_of(error) is FaultCode.SERVER_CONFIG_ENGINE_NUMA_IMBALANCE


# -- memory


@pytest.mark.parametrize(
    ("engines", "configured", "settled"),
    [
        ((engine(),), 0, 128),
        ((engine(),), 500, 500),
        ((), 0, 128),
        ((engine(RAM, NVME),), 0, 4 * 512),
        ((engine(RAM, NVME, targets=1),), 0, 2 * 512),
        ((engine(RAM, MD),), 0, 5 * 512),
        ((engine(RAM, MD, targets=1),), 0, 2 * 512),
        ((engine(RAM, NVME), engine(RAM, FILE), engine(RAM)), 0, 8 * 512),
        ((engine(RAM, NVME),), 4000, 4000),
    ],
)
def test_hugepages(engines, configured, settled):
    config = with_hugepages(server(*engines, nr_hugepages=configured), 2048)
    assert config.nr_hugepages == settled
    assert config.notices == ()


def test_too_few_hugepages_are_worth_a_notice():
    config = with_hugepages(server(engine(RAM, NVME), nr_hugepages=100), 2048)
    assert config.nr_hugepages == 100
    assert "need 2048" in config.notices[0]
    assert with_hugepages(server(engine(RAM, NVME), nr_hugepages=2048), 2048).notices == ()


def test_without_hugepages():
    assert (
        "NVMe operations may not succeed" in with_hugepages(server(engine(), disable_hugepages=True), 2048).notices[0]
    )
    assert "experiment" in with_hugepages(server(engine(RAM, FILE), disable_hugepages=True), 2048).notices[0]
    with pytest.raises(Fault) as error:
        with_hugepages(server(engine(), disable_hugepages=True, nr_hugepages=1), 2048)
    assert code_of(error) is FaultCode.SERVER_CONFIG_HUGEPAGES_DISABLED_WITH_NR_SET
    with pytest.raises(Fault) as error:
        with_hugepages(server(engine(RAM, NVME), disable_hugepages=True), 2048)
    assert code_of(error) is FaultCode.SERVER_CONFIG_HUGEPAGES_DISABLED_WITH_NVME_BDEVS


def test_ram_disks_share_what_is_left_of_the_memory():
    host = HostFacts(memory_kib=64 * GIB_KIB)
    config = with_ramdisk_size(server(engine(), engine(), nr_hugepages=512), host)
    # 64 GiB - 1 of hugepages - 4 reserved - 2 x 1 for the engines, halved
    assert [one.scm.scm_size for one in config.engines] == [28, 28]


def test_many_targets_take_more_memory():
    host = HostFacts(memory_kib=64 * GIB_KIB)
    assert with_ramdisk_size(server(engine(targets=32)), host).engines[0].scm.scm_size == 56


def test_a_ram_disk_has_the_size_it_was_given_if_that_fits():
    host = HostFacts(memory_kib=64 * GIB_KIB)
    sized = engine(replace(RAM, scm_size=8))
    assert with_ramdisk_size(server(sized), host).engines[0].scm.scm_size == 8
    all_there_is = server(engine(replace(RAM, scm_size=59)))  # 64 GiB - 4 reserved - 1 for the engine
    assert with_ramdisk_size(all_there_is, host).engines == all_there_is.engines
    with pytest.raises(Fault) as error:
        with_ramdisk_size(server(engine(replace(RAM, scm_size=60))), host)
    assert code_of(error) is FaultCode.SERVER_CONFIG_RAMDISK_OVER_MAX_MEM
    assert "59 GiB" in error.value.description


def test_a_host_may_have_too_little_memory():
    with pytest.raises(Fault) as error:
        with_ramdisk_size(server(engine()), HostFacts(memory_kib=8 * GIB_KIB))
    assert code_of(error) is FaultCode.SCM_RAMDISK_LOW_MEM
    assert "9.00 GiB" in error.value.description, "4 reserved, 1 for the engine, and 4 for the least RAM disk"
    least = with_ramdisk_size(server(engine()), HostFacts(memory_kib=9 * GIB_KIB))
    assert least.engines[0].scm.scm_size == 4
    with pytest.raises(ConfigError, match="nothing is left"):
        with_ramdisk_size(server(engine()), HostFacts(memory_kib=2 * GIB_KIB))


def test_ram_disks_that_are_not_in_memory_have_the_size_they_were_given():
    config = server(engine(replace(RAM, scm_size=900)))
    assert with_ramdisk_size(config, HostFacts(memory_kib=None)) == config
    with pytest.raises(ConfigError, match="scm_size is not set"):
        with_ramdisk_size(server(engine()), HostFacts(memory_kib=None))


def test_persistent_memory_is_not_sized():
    config = server(engine(DCPM))
    assert with_ramdisk_size(config, HostFacts(memory_kib=1)) == config


# -- environment


@pytest.mark.parametrize(
    ("changed", "added"),
    [
        (engine(), ["PMEMOBJ_CONF=sds.at_create=0"]),
        (engine(env_vars=("PMEMOBJ_CONF=x=1",)), ["PMEMOBJ_CONF=x=1;sds.at_create=0"]),
        (engine(env_vars=("PMEMOBJ_CONF=sds.at_create=0;x=1",)), ["PMEMOBJ_CONF=sds.at_create=0;x=1"]),
        (engine(DCPM), ["ABT_THREAD_STACKSIZE=20480"]),
        (engine(DCPM, env_vars=("ABT_THREAD_STACKSIZE=20480",)), ["ABT_THREAD_STACKSIZE=20480"]),
        (engine(provider="ucx+dc_x"), ["ABT_THREAD_STACKSIZE=32768", "PMEMOBJ_CONF=sds.at_create=0"]),
        (engine(RAM, MD), ["PMEMOBJ_CONF=sds.at_create=0", "ABT_THREAD_STACKSIZE=24576"]),
        (engine(RAM, MD, provider="ucx+x"), ["ABT_THREAD_STACKSIZE=32768", "PMEMOBJ_CONF=sds.at_create=0"]),
        (engine(env_pass_through=("PMEMOBJ_CONF",)), ["PMEMOBJ_CONF=mine;sds.at_create=0"]),
    ],
)
def test_the_environment_of_engines(changed, added):
    config = for_engines(server(changed), {"PMEMOBJ_CONF": "mine", "ABT_THREAD_STACKSIZE": "1"})
    assert list(config.engines[0].env_vars) == added


@pytest.mark.parametrize(
    "changed",
    [
        engine(env_vars=("PMEMOBJ_CONF=sds.at_create=1",)),
        engine(DCPM, env_vars=("PMEMOBJ_CONF=sds.at_create=0",)),
        engine(DCPM, env_vars=("ABT_THREAD_STACKSIZE=20479",)),
        engine(DCPM, env_vars=("ABT_THREAD_STACKSIZE=big",)),
        engine(provider="ucx+dc_x", env_vars=("ABT_THREAD_STACKSIZE=30000",)),
        engine(RAM, MD, env_vars=("ABT_THREAD_STACKSIZE=20480",)),
    ],
)
def test_an_environment_that_defeats_the_engine(changed):
    with pytest.raises(ConfigError, match="engine 0: "):
        for_engines(server(changed), {})


# -- altogether


def test_a_provider_is_needed_even_without_engines():
    with pytest.raises(ConfigError, match="provider is not set"):
        prepared(server(provider=""), HostFacts(memory_kib=1))


def test_everything_in_order():
    config = server(engine(RAM, MD), control_metadata=ControlMetadata(path="/md"), provider="ofi+verbs")
    host = HostFacts(memory_kib=64 * GIB_KIB, numa_nodes={"ib0": 1}, fabric_domains={"ib0": "mlx5_0"})
    settled = prepared(config, host)
    (one,) = settled.engines
    assert one.provider == "ofi+verbs;ofi_rxm"
    assert one.pinned_numa_node == 1
    assert settled.nr_hugepages == 5 * 512
    assert one.scm.scm_size == 64 - 4 - 1 - 5
    assert one.env_vars == ("D_DOMAIN=mlx5_0",)
    kept = server(engine(env_vars=("D_DOMAIN=x",)))
    assert prepared(kept, host).engines[0].env_vars == ("D_DOMAIN=x",)


# -- the kernel's part -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["always", "madvise"])
def test_transparent_hugepages_are_refused_unless_allowed(mode):
    with pytest.raises(Fault) as raised:
        check_transparent_hugepages(ServerConfig(), mode)
    assert raised.value.code == 623
    check_transparent_hugepages(ServerConfig(allow_thp=True), mode)
    check_transparent_hugepages(ServerConfig(disable_hugepages=True), mode)


@pytest.mark.parametrize("mode", ["never", ""])
def test_hosts_without_transparent_hugepages(mode):
    check_transparent_hugepages(ServerConfig(), mode)


@pytest.mark.parametrize(
    ("disable_vfio", "has_iommu", "code"), [(True, True, 614), (True, False, 614), (False, False, 602)]
)
def test_devices_that_only_root_could_use(disable_vfio, has_iommu, code):
    nvme = Tier(storage_class="nvme", bdev_list=("0000:81:00.0",))
    config = ServerConfig(engines=(EngineConfig(storage=(nvme,)),), disable_vfio=disable_vfio)
    with pytest.raises(Fault) as raised:
        check_device_access(config, is_root=False, has_iommu=has_iommu)
    assert raised.value.code == code
    check_device_access(config, is_root=True, has_iommu=has_iommu)
    check_device_access(ServerConfig(disable_vfio=disable_vfio), is_root=False, has_iommu=has_iommu)


def test_memory_is_shared_out_completely():
    shares = memory_shares(server(engine(), engine()), HostFacts(memory_kib=64 * GIB_KIB))
    assert shares is not None
    assert shares.largest_ramdisk * shares.count + shares.reserved in range(shares.total - 1, shares.total + 1)
    assert memory_shares(ServerConfig(), HostFacts(memory_kib=1)) is None
    assert memory_shares(server(engine()), HostFacts(memory_kib=None)) is None
