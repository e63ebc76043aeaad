import dataclasses

import pytest

from daos_control.base.errors import Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.base.logs import Level
from daos_control.config import document
from daos_control.config.document import ConfigError
from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.config.storage import Acceleration, BusRange, ControlMetadata, Tier, is_pci_address

FULL = """
port: 10002
control_iface: eth0
transport_config: {allow_insecure: true, client_cert_dir: /c, ca_cert: /ca, cert: /crt, key: /k}
bdev_exclude: ["0000:01:00.0"]
disable_vfio: true
disable_vmd: true
disable_hotplug: true
nr_hugepages: 4096
system_ram_reserved: 5
disable_hugepages: false
allow_numa_imbalance: true
allow_thp: true
control_log_mask: NOTICE
control_log_file: /log/server
control_log_json: true
helper_log_file: /log/helper
firmware_helper_log_file: /log/firmware
fault_path: /rack/host
telemetry_port: 9191
core_dump_filter: 0x21
client_env_vars: [A=1]
support_config: {file_transfer_exec: /bin/ship}
name: sys
socket_dir: /run/sys
provider: ofi+tcp
fabric_iface: ib9
fabric_iface_port: 1
bypass_health_chk: true
crt_timeout: 30
secondary_provider_endpoints: [2]
disable_srx: true
fabric_auth_key: secret
mgmt_svc_replicas: [a, b, c]
control_metadata: {path: /md, device: /dev/sdb, allow_spdk_conf_override: true}
fault_cb: /etc/daos/cb
hyperthreads: true
disable_engine_auto_restart: true
engine_auto_restart_min_delay: 7
engines:
- modules: vos
  targets: 8
  nr_xs_helpers: 2
  first_core: 3
  log_mask: INFO
  log_file: /log/0
  storage:
  - {class: ram, scm_mount: /mnt/0, scm_size: 16, scm_hugepages_disabled: false}
  - class: nvme
    bdev_list: ["0000:82:00.0", "0000:81:00.0"]
    bdev_number: 1
    bdev_busid_range: 0x80-143
    bdev_roles: [wal, meta, data]
  - {class: file, bdev_list: [/f], bdev_size: 4}
  - {class: dcpm, scm_mount: /mnt/1, scm_list: [/dev/pmem0]}
  acceleration: {engine: spdk, options: [crc]}
  spdk_rpc_server: {enable: true, sock_addr: /run/spdk.sock}
  bdev_auto_faulty: {enable: true, max_io_errs: 1, max_csum_errs: 2}
  spdk_iobuf: {small_pool_count: 3, large_pool_count: 4}
  provider: ofi+verbs
  fabric_iface: ib0
  fabric_iface_port: 31316
  bypass_health_chk: false
  crt_timeout: 31
  secondary_provider_endpoints: [3]
  disable_srx: false
  fabric_auth_key: other
  env_vars: [X=1, "Y=2=3", X=4]
  env_pass_through: [PATH]
  pinned_numa_node: 1
"""


def parse(text: str) -> ServerConfig:
    return document.parse(text, ServerConfig(), source="daos_server.yml")


def load(tmp_path, text: str) -> ServerConfig:
    path = tmp_path / "daos_server.yml"
    path.write_text(text)
    return ServerConfig.load(path)


def test_every_key_is_read_and_written_again():
    config = parse(FULL)
    defaults = ServerConfig()
    unset = {
        field.name
        for field in dataclasses.fields(ServerConfig)
        if getattr(config, field.name) == getattr(defaults, field.name)
    }
    assert unset == {"disable_hugepages", "access_points", "enable_hotplug", "modules", "path", "notices"}
    assert parse(config.dump()) == config


def test_what_an_engine_says_of_itself():
    engine = parse(FULL).engines[0]
    assert (engine.targets, engine.nr_xs_helpers, engine.first_core, engine.pinned_numa_node) == (8, 2, 3, 1)
    assert engine.env_var("X") == "1"
    assert engine.env_var("Y") == "2=3"
    assert engine.env_var("Z") is None
    assert engine.with_env_var("X", "9").env_vars == ("Y=2=3", "X=9")
    nvme = engine.storage[1]
    assert nvme.devices == ("0000:81:00.0", "0000:82:00.0")
    assert nvme.roles == ("data", "meta", "wal")
    assert nvme.role_bits == 7
    assert nvme.bdev_busid_range == BusRange(0x80, 0x8F)
    assert engine.bdevs == ("0000:81:00.0", "0000:82:00.0", "/f")
    assert engine.nvme_devices == ("0000:81:00.0", "0000:82:00.0")
    assert (engine.bdev_class, engine.md_on_ssd, engine.scm.scm_mount) == ("NVME", True, "/mnt/0")


def test_defaults():
    config = ServerConfig()
    assert (config.name, config.port, config.system_ram_reserved) == ("daos_server", 10001, 64)
    assert config.control_log_mask is Level.INFO
    assert config.core_dump_filter == 0b00010011
    assert config.restart_delay_s == 300
    assert config.transport_config.client_cert_dir == "/etc/daos/certs/clients"
    assert EngineConfig().nr_xs_helpers == 0


def test_an_empty_file_is_a_host_without_engines(tmp_path):
    config = load(tmp_path, "")
    assert config.engines == ()
    assert config.mgmt_svc_replicas == ("localhost:10001",)
    assert config.path == tmp_path / "daos_server.yml"


def test_engines_inherit_the_fabric_they_do_not_set(tmp_path):
    config = load(
        tmp_path,
        "provider: ofi+tcp\nfabric_iface: ib0\nfabric_iface_port: 5\ncrt_timeout: 3\ndisable_srx: true\n"
        "fabric_auth_key: k\nbypass_health_chk: true\n"
        "engines: [{}, {fabric_iface: ib1, fabric_iface_port: 6, crt_timeout: 4, modules: vos}, ~]\n",
    )
    first, second, third = config.engines
    assert (first.provider, first.fabric_iface, first.fabric_iface_port, first.crt_timeout) == ("ofi+tcp", "ib0", 5, 3)
    assert (second.fabric_iface, second.fabric_iface_port, second.crt_timeout) == ("ib1", 6, 4)
    assert second.disable_srx
    assert second.fabric_auth_key == "k"
    assert first.bypass_health_chk is None
    assert second.modules == ""
    assert third == first


def test_the_former_name_of_the_replicas(tmp_path):
    config = load(tmp_path, "access_points: [a, b, c]\n")
    assert config.mgmt_svc_replicas == ("a", "b", "c")
    assert config.access_points == ()
    assert config.notices == ("access_points is deprecated; please use mgmt_svc_replicas instead",)
    with pytest.raises(ConfigError, match="former name"):
        load(tmp_path, "access_points: [a]\nmgmt_svc_replicas: [b]\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name: ''", "1 to 15"),
        ("provider: ofi+tcp,ucx+dc_x", "several providers"),
        ("targets: 8", 'unknown key "targets": it belongs to an item of engines'),
        ("servers: []", 'unknown key "servers"'),
        ("engines: [{scm_class: ram}]", 'unknown key "scm_class"'),
        ("engines: [{storage: [{class: malloc}]}]", 'no storage class "malloc": use one of ram, dcpm'),
        ("engines: [{storage: [{bdev_busid_range: 9-1}]}]", "bus numbers go up"),
        ("engines: [{storage: [{bdev_busid_range: 1}]}]", "such as 0x80-0x8f"),
        ("engines: [{storage: [{bdev_busid_range: 0-256}]}]", "bus numbers go up"),
        ("engines: [{crt_timeout: -1}]", "from 0 to 4294967295"),
        ("core_dump_filter: 256", "from 0 to 255"),
        ("control_log_mask: WARN", "use one of TRACE"),
    ],
)
def test_what_cannot_be_read(tmp_path, text, why):
    with pytest.raises(ConfigError, match=why):
        load(tmp_path, text)


def test_a_path_is_needed():
    with pytest.raises(Fault) as error:
        ServerConfig.load("")
    assert error.value.code == FaultCode.SERVER_NO_CONFIG_PATH


def test_where_the_nvme_configuration_is():
    ram, file = Tier(storage_class="ram", scm_mount="/mnt/0/"), Tier(storage_class="file", bdev_list=("/f",))
    config = ServerConfig(engines=(EngineConfig(storage=(ram,)), EngineConfig(storage=(ram, file))))
    assert config.nvme_config_path(0) == ""
    assert config.nvme_config_path(1) == "/mnt/0/daos_nvme.conf"
    with_metadata = dataclasses.replace(config, control_metadata=ControlMetadata(path="/md"))
    assert with_metadata.nvme_config_path(1) == "/md/daos_control/engine1/daos_nvme.conf"


@pytest.mark.parametrize(
    ("device", "answer"),
    [("0000:81:00.0", True), ("5d0505:01:00.0", True), ("0000:81:00", True), ("/dev/sda", False), ("81:00.0", False)],
)
def test_pci_addresses(device, answer):
    assert is_pci_address(device) == answer


def test_roles_end_at_na():
    assert Tier(bdev_roles=("wal", "NA", "data")).roles == ("wal",)
    assert Tier(bdev_roles=("na",)).role_bits == 0


def test_acceleration_bits():
    assert Acceleration().option_bits == 0
    assert Acceleration(engine="dml").option_bits == 3
    assert Acceleration(engine="spdk", options=("crc",)).option_bits == 2
