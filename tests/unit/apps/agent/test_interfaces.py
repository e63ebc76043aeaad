"""Whether an interface has an address."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daos_control.apps.agent.interfaces import Interfaces


@pytest.fixture
def inet6(tmp_path: Path) -> Path:
    path = tmp_path / "if_inet6"
    path.write_text(
        "fe80000000000000505400fffe123456 02 40 20 80     ib0\n00000000000000000000000000000000 03 40 20 80     ib1\n"
    )
    return path


@pytest.fixture
def interfaces(inet6: Path) -> Iterator[Interfaces]:
    interfaces = Interfaces(inet6=inet6)
    yield interfaces
    interfaces.close()


@pytest.mark.parametrize(
    ("name", "has_one"),
    [
        pytest.param("lo", True, id="IPv4"),
        pytest.param("ib0", True, id="IPv6 alone"),
        pytest.param("ib1", False, id="the unspecified address is none"),
        pytest.param("absent0", False, id="no such interface"),
        pytest.param("a-name-longer-than-any-interface-has", False, id="no such name"),
    ],
)
def test_an_interface_with_an_address_can_be_used(interfaces: Interfaces, name: str, has_one: bool):
    assert interfaces.has_address(name) is has_one


def test_a_kernel_without_ipv6(tmp_path: Path):
    interfaces = Interfaces(inet6=tmp_path / "absent")

    assert not interfaces.has_address("ib0")
    interfaces.close()
