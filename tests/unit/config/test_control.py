import subprocess
import sys
from pathlib import Path

import pytest

from daos_control.config.control import ControlConfig
from daos_control.config.document import ConfigError


def test_defaults():
    config = ControlConfig()
    assert (config.name, config.port, config.hostlist) == ("daos_server", 10001, ("localhost:10001",))
    assert config.transport_config.cert == "/etc/daos/certs/admin.crt"
    assert not config.transport_config.allow_insecure


def test_loading(tmp_path):
    path = tmp_path / "daos_control.yml"
    path.write_text("name: sys\nport: 1\nhostlist: ['node[1-4]', other:7]\ntransport_config: {allow_insecure: true}\n")
    config = ControlConfig.load(path)
    assert (config.name, config.port, config.hostlist) == ("sys", 1, ("node[1-4]", "other:7"))
    assert config.transport_config.allow_insecure
    assert config.transport_config.key == "/etc/daos/certs/admin.key"
    assert config.path == path
    assert ControlConfig.load(path).dump().startswith("name: sys\nport: 1\n")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("name: ''", "1 to 15"),
        ("name: sixteen-bytes-xx", "1 to 15"),
        ("port: 100001", "port is 100001"),
        ("hosts: [a]", 'did you mean "hostlist"'),
    ],
)
def test_what_cannot_be_used(tmp_path, text, why):
    path = tmp_path / "daos_control.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=why) as error:
        ControlConfig.load(path)
    assert str(path) in str(error.value)


def test_the_file_that_is_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        ControlConfig.find(tmp_path / "nowhere.yml")
    (tmp_path / ".daos_control.yml").write_text("name: mine\n")
    assert ControlConfig.find(home=tmp_path, environment={}).name == "mine"
    (tmp_path / "shell.yml").write_text("name: shell\n")
    shell = {"DAOS_CONTROL_CONFIG": str(tmp_path / "shell.yml")}
    assert ControlConfig.find(home=tmp_path, environment=shell).name == "shell"
    (tmp_path / "named.yml").write_text("name: named\n")
    assert ControlConfig.find(str(tmp_path / "named.yml"), home=tmp_path, environment=shell).name == "named"


def test_it_is_cheap_to_import():
    heavy = {"msgspec", "grpc", "cryptography", "google.protobuf", "rich", "asyncio", "logging", "difflib"}
    code = "import sys; import daos_control.config.control; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)


def test_a_user_without_a_file_has_the_defaults(tmp_path):
    if Path("/etc/daos/daos_control.yml").exists():
        pytest.skip("this host has a configuration of its own")
    assert ControlConfig.find(home=tmp_path, environment={}) == ControlConfig()
