import pytest

from daos_control.config.document import ConfigError
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
        find_file("daos_server.yml", tmp_path)
    assert str(tmp_path) in str(error.value)
    (tmp_path / "daos_server.yml").touch()
    assert find_file("daos_server.yml", tmp_path) == tmp_path / "daos_server.yml"
