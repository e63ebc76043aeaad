import pytest

from daos_control.config.agent import AgentConfig
from daos_control.config.document import ConfigError
from daos_control.config.server import ServerConfig
from daos_control.config.system import check_system_name, find_file


@pytest.mark.parametrize("name", ["d", "daos_server", "fifteen-bytes-x", "a-b.c d"])
def test_good_names(name):
    check_system_name(name, "x.yml")


@pytest.mark.parametrize("name", ["", "sixteen-bytes-xx", "ééééééé" + "éé"])
def test_names_are_measured_in_bytes(name):
    with pytest.raises(ConfigError, match="1 to 15"):
        check_system_name(name, "x.yml")


def test_a_file_that_is_not_there_is_told_with_its_path(tmp_path):
    with pytest.raises(ConfigError, match=r"daos_server\.yml: there is no such file") as error:
        find_file("daos_server.yml", tmp_path, option="-o")
    assert str(tmp_path) in str(error.value)
    (tmp_path / "daos_server.yml").touch()
    assert find_file("daos_server.yml", tmp_path, option="-o") == tmp_path / "daos_server.yml"


@pytest.mark.parametrize(("kind", "option"), [(ServerConfig, "-o"), (AgentConfig, "--config-path")])
def test_a_file_that_was_named_and_cannot_be_read_is_told_with_what_to_do(tmp_path, kind, option):
    missing = tmp_path / "absent.yml"
    with pytest.raises(ConfigError) as error:
        kind.find(missing)
    assert str(error.value) == f"cannot use {missing}: there is no such file; create it, or name another with {option}"
    with pytest.raises(ConfigError) as error:
        kind.find(tmp_path)
    assert str(error.value) == f"cannot use {tmp_path}: Is a directory; name another file with {option}"
