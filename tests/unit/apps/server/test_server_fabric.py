"""Which interfaces engines can use, and what is said of those they cannot."""

import pytest

from daos_control.apps.server.fabric import check_usable, one_device_class, way_of
from daos_control.base.errors import Fault
from daos_control.config.document import ConfigError
from daos_control.config.server import EngineConfig, ServerConfig
from daos_control.host.network import ETHERNET, INFINIBAND, FabricInterface, Readiness


def way(interface: str, provider: str, *, device_class: int = ETHERNET) -> FabricInterface:
    return FabricInterface(
        provider=provider, interface=interface, domain=interface, numa_node=0, device_class=device_class, priority=0
    )


@pytest.mark.parametrize(
    ("state", "known", "words"),
    [
        (Readiness.DOWN, ["eth0", "lo"], r"eth0 is down; .* \(lo\)"),
        (Readiness.UNKNOWN, ["lo"], r"eth0 does not exist; .*\(lo\)"),
    ],
)
def test_interfaces_that_will_not_become_ready_are_refused(state: Readiness, known: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check_usable("eth0", state, known)


@pytest.mark.parametrize("state", [Readiness.READY, Readiness.NOT_READY])
def test_interfaces_that_may_become_ready_are_waited_for(state: Readiness) -> None:
    check_usable("eth0", state, ["eth0"])


def test_an_engine_goes_the_way_that_has_its_provider() -> None:
    ways = [way("ib0", "ofi+verbs;ofi_rxm"), way("ib0", "ofi+tcp"), way("eth0", "ofi+tcp")]
    assert way_of(ways, "ib0", "ofi+tcp") is ways[1]
    with pytest.raises(ConfigError, match="provider ofi\\+verbs is not on interface eth0, which has ofi\\+tcp"):
        way_of(ways, "eth0", "ofi+verbs")
    with pytest.raises(ConfigError, match="no provider at all"):
        way_of(ways, "eth7", "ofi+tcp")


def test_engines_of_a_host_use_interfaces_of_one_kind() -> None:
    ways = [way("ib0", "ofi+tcp", device_class=INFINIBAND), way("eth0", "ofi+tcp"), way("eth1", "ofi+tcp")]

    def used(*interfaces: str) -> int:
        engines = tuple(EngineConfig(fabric_iface=interface) for interface in interfaces)
        return one_device_class(ServerConfig(engines=engines), ways)

    assert used("eth0", "eth1") == ETHERNET
    assert used("ib0") == INFINIBAND
    with pytest.raises(Fault) as mixed:
        used("ib0", "eth0")
    assert mixed.value.code == 613
