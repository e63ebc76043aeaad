"""What the environment says."""

import pytest

from daos_control.apps.emulator.settings import SettingsError, interface_address, log_level, read
from daos_control.base.logs import Level

BASE = {"D_PROVIDER": "ofi+tcp", "D_INTERFACE": "eth0"}


def addresses(name: str) -> str:
    return {"eth0": "10.8.0.1"}[name]


def test_the_fabric_address_is_that_of_the_interface() -> None:
    found = read(BASE | {"D_PORT": "31416"}, address_of=addresses)
    assert (found.provider, found.address, found.port) == ("ofi+tcp", "10.8.0.1", 31416)


def test_an_address_can_be_given_instead() -> None:
    assert read(BASE | {"DAOS_EMULATOR_ADDRESS": "127.0.0.9"}, address_of=addresses).address == "127.0.0.9"


def test_times_are_milliseconds() -> None:
    found = read(BASE | {"DAOS_EMULATOR_SWIM_SUSPECT_MS": "250", "DAOS_EMULATOR_REBUILD_MS": "0"}, address_of=addresses)
    assert (found.swim.suspect_s, found.rebuild_s) == (0.25, 0.0)


@pytest.mark.parametrize(
    "change",
    [{"D_PROVIDER": ""}, {"D_PORT": "x"}, {"DAOS_EMULATOR_ADDRESS": "::1"}, {"DAOS_EMULATOR_SCM_BYTES": "8G"}],
    ids=str,
)
def test_nonsense_names_its_variable(change: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(change))):
        read(BASE | change, address_of=addresses)


def test_an_interface_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="nosuch0"):
        interface_address("nosuch0")


@pytest.mark.parametrize(("mask", "level"), [("", Level.ERROR), ("ERR,MGMT=DBUG", Level.ERROR), ("debug", Level.DEBUG)])
def test_log_levels(mask: str, level: Level) -> None:
    assert log_level(mask) is level
