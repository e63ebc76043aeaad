import pytest

from daos_control.base.logs import Level
from daos_control.config.agent import AgentConfig, CredentialConfig, FabricDevice, MappedUser, NumaFabric
from daos_control.config.document import ConfigError

FULL = """
name: sys
access_points: [a, b:1]
port: 10002
runtime_dir: /run/agent
log_file: /var/log/agent.log
control_log_mask: debug
credential_config:
  cache_expiration: 1m30s
  client_user_map:
    4242: {user: alice, group: research, groups: [research, staff]}
    default: {user: nobody}
transport_config: {allow_insecure: true}
disable_caching: true
cache_expiration: 30
disable_auto_evict: true
enable_evict_on_start: true
exclude_fabric_ifaces: [lo]
fabric_ifaces:
- numa_node: 1
  devices: [{iface: ib1, domain: mlx5_1}]
provideridx: 1
telemetry_port: 9192
telemetry_enabled: true
telemetry_retain: 1m
telemetry_disabled_procs: ^daos_
"""


def load(tmp_path, text):
    path = tmp_path / "daos_agent.yml"
    path.write_text(text)
    return AgentConfig.load(path)


def test_every_key(tmp_path):
    config = load(tmp_path, FULL)
    assert config.control_log_mask is Level.DEBUG
    assert config.credential_config == CredentialConfig(
        cache_expiration=90,
        client_user_map={
            "4242": MappedUser(user="alice", group="research", groups=("research", "staff")),
            "default": MappedUser(user="nobody"),
        },
    )
    assert config.fabric_ifaces == (NumaFabric(numa_node=1, devices=(FabricDevice(iface="ib1", domain="mlx5_1"),)),)
    assert (config.cache_expiration, config.telemetry_retain) == (30, 60)
    assert config.telemetry_disabled_procs is not None
    assert config.telemetry_disabled_procs.search("daos_client")
    again = tmp_path / "again"
    again.mkdir()
    written = load(again, config.dump())
    assert (written.dump(), written.credential_config) == (config.dump(), config.credential_config)


def test_defaults(tmp_path):
    config = load(tmp_path, "")
    assert config.access_points == ("localhost:10001",)
    assert config.transport_config.cert == "/etc/daos/certs/agent.crt"
    assert config.insecure().transport_config.allow_insecure


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name: ''", "1 to 15"),
        ("mgmt_svc_replicas: [a]", 'unknown key "mgmt_svc_replicas"'),
        ("port: 0", "port is 0, and has to be from 1 to 65535"),
        ("port: 65536", "port is 65536"),
        ("access_points: []", "access_points is empty"),
        ("telemetry_port: 65536", "telemetry_port is 65536"),
        ("telemetry_port: -1", "telemetry_port is -1"),
        ("exclude_fabric_ifaces: [a]\ninclude_fabric_ifaces: [b]", "keep one"),
        ("telemetry_retain: 1m", "telemetry_retain is set without"),
        ("telemetry_enabled: true", "without telemetry_port"),
        ("telemetry_enabled_procs: a", "telemetry_enabled_procs is set without"),
        ("telemetry_disabled_procs: a", "telemetry_disabled_procs is set without"),
        (
            "telemetry_port: 1\ntelemetry_enabled: true\ntelemetry_enabled_procs: a\ntelemetry_disabled_procs: b",
            "both set",
        ),
        ("telemetry_port: 1\ntelemetry_enabled: true\ntelemetry_enabled_procs: ''", "empty pattern"),
        ("telemetry_port: 1\ntelemetry_enabled: true\ntelemetry_enabled_procs: '('", "no regular expression"),
        ("telemetry_retain: 10", "such as 30s"),
        ("control_log_mask: LOUD", "use one of TRACE"),
        ("cache_expiration: 1m", "a whole number"),
        ("credential_config: {client_user_map: {x: {}}}", "neither a uid nor default"),
        ("credential_config: {client_user_map: {4294967295: {}}}", "reserved"),
        ("credential_config: {client_user_map: {5: {usr: a}}}", 'did you mean "user"'),
    ],
)
def test_what_cannot_be_used(tmp_path, text, why):
    with pytest.raises(ConfigError, match=why):
        load(tmp_path, text)
