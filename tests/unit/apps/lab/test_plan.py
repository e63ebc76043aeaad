"""What a lab is laid out as, before anything is started."""

from pathlib import Path

import pytest

from daos_control.apps.lab.plan import Plan, Wish, place_number, plan, refuse_mixture
from daos_control.base.errors import Fault


def laid_out(wish: Wish, number: int = 7) -> Plan:
    return plan(wish, place_number(number, Path("/labs/x"), Path("/run/labs")))


def test_every_host_has_its_own_address_and_folder() -> None:
    hosts = laid_out(Wish(hosts=3)).hosts
    assert [(host.name, host.address, str(host.folder)) for host in hosts] == [
        ("h1", "127.64.7.1", "/labs/x/h1"),
        ("h2", "127.64.7.2", "/labs/x/h2"),
        ("h3", "127.64.7.3", "/labs/x/h3"),
    ]


def test_no_two_engines_share_a_port_a_mount_or_a_log() -> None:
    engines = [engine for host in laid_out(Wish(hosts=5, engines=4)).hosts for engine in host.config["engines"]]
    for key in ("fabric_iface_port", "log_file"):
        assert len({engine[key] for engine in engines}) == 20
    assert len({engine["storage"][0]["scm_mount"] for engine in engines}) == 20


def test_a_genuine_engine_has_a_port_for_each_of_its_network_contexts() -> None:
    hosts = laid_out(Wish(hosts=2, engines=2, targets=3, engine="/usr/bin/daos_engine"), 0).hosts
    ports = [engine["fabric_iface_port"] for host in hosts for engine in host.config["engines"]]
    assert ports == [20000, 20005, 20010, 20015]


@pytest.mark.parametrize(("hosts", "engines", "gib"), [(3, 2, 8), (10, 2, 8), (1, 1, 4 / 3), (2, 1, 8 / 3)])
def test_the_first_pool_fits_into_a_small_lab(hosts: int, engines: int, gib: float) -> None:
    assert Wish(hosts=hosts, engines=engines).first_pool_bytes == int(gib * (1 << 30))


def test_labs_side_by_side_share_nothing() -> None:
    one, other = laid_out(Wish(hosts=3), 0), laid_out(Wish(hosts=3), 1)
    assert not {host.address for host in one.hosts} & {host.address for host in other.hosts}
    assert one.place.run != other.place.run
    last = one.hosts[-1].config["engines"][-1]["fabric_iface_port"]
    assert last < other.hosts[0].config["engines"][0]["fabric_iface_port"]


def test_its_extent_in_words() -> None:
    assert laid_out(Wish()).extent == "3 hosts, 6 engines"
    assert laid_out(Wish(hosts=1, engines=1)).extent == "1 host, 1 engine"


def test_the_first_host_holds_the_replica_and_everybody_knows() -> None:
    laid = laid_out(Wish(hosts=2))
    for host in laid.hosts:
        assert host.config["mgmt_svc_replicas"] == ["127.64.7.1:10001"]
    assert laid.agent_config["access_points"] == ["127.64.7.1:10001"]
    assert laid.control_config["hostlist"] == ["127.64.7.1", "127.64.7.2"]


def test_secure_unless_asked_otherwise() -> None:
    transport = laid_out(Wish()).hosts[0].config["transport_config"]
    assert transport["allow_insecure"] is False
    assert transport["key"] == "/labs/x/certs/server.key"
    assert laid_out(Wish(insecure=True)).agent_config["transport_config"] == {"allow_insecure": True}


def test_a_genuine_engine_gets_no_emulator_settings() -> None:
    engine = laid_out(Wish(engine="/usr/bin/daos_engine")).hosts[0].config["engines"][0]
    assert not [entry for entry in engine["env_vars"] if "EMULATOR" in entry]


def test_hosts_are_found_by_name_and_by_address() -> None:
    laid = laid_out(Wish(hosts=3))
    assert laid.host("h2") is laid.host("127.64.7.2") is laid.hosts[1]
    assert laid.host("h4") is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hosts": 0}, "between 1 and 200 hosts"),
        ({"hosts": 201}, "between 1 and 200 hosts"),
        ({"hosts": 3, "engines": 0}, "between 1 and 85 engines"),
        ({"hosts": 128, "engines": 3}, "between 1 and 2 engines"),
        ({"targets": 65}, "between 1 and 64 targets"),
        ({"engines": 3, "targets": 30, "engine": "daos_engine"}, "between 1 and 2 engines of 30 targets each, not 3"),
        ({"hosts": 200, "engine": "daos_engine"}, "not enough ports for 200 hosts with engines of 4 targets"),
    ],
)
def test_impossible_wishes_are_refused_with_what_is_possible(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Wish(**wrong)


def test_a_lab_is_started_again_as_it_was_unless_something_else_is_asked_for() -> None:
    assert Wish(hosts=1, engines=3, insecure=True).again() == Wish(hosts=1, engines=3, insecure=True)
    assert Wish(hosts=1, engines=3).again(engines=2) == Wish(hosts=1, engines=2)
    assert Wish(hosts=1, engines=1, simulated=9, simulated_engines=4).again() == Wish(hosts=1, engines=1)


def test_a_lab_cannot_be_started_again_as_another() -> None:
    refuse_mixture(Wish(), Wish())
    with pytest.raises(Fault, match="3 hosts with 2 engines of 4 targets each, with certificates") as refused:
        refuse_mixture(Wish(), Wish(hosts=4))
    assert "as it is" in refused.value.resolution
    with pytest.raises(Fault, match="1 host with 1 engine of 2 targets, insecure, and 9 simulated ranks") as refused:
        refuse_mixture(
            Wish(hosts=1, engines=1, targets=2, insecure=True, simulated=9), Wish(hosts=1, engines=1, targets=2)
        )
    assert "as it is" not in refused.value.resolution, "a simulation has no life beyond its process"
