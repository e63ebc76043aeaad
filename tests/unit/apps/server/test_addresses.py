"""Where a server listens and what it calls itself."""

import pytest

from daos_control.apps.server.addresses import (
    Addresses,
    SeveralReplicasError,
    first_address,
    refuse_several_replicas,
    settle,
)
from daos_control.base.errors import Fault

NAMES = {"storage1": "10.8.0.1", "storage2": "10.8.0.2", "six": "fe80::1"}


def resolve(host):
    if host in NAMES:
        return NAMES[host]
    if host.replace(".", "").isdigit():
        return host
    raise OSError("Name or service not known")


def at(mine, **given):
    return settle(port=10001, resolve=resolve, is_local=lambda address: address == mine, **given)


@pytest.mark.parametrize(
    ("mine", "given", "expected"),
    [
        pytest.param(
            "10.8.0.1",
            {"replicas": ["storage1:10001"]},
            Addresses(listen="0.0.0.0", own="10.8.0.1:10001", replicas=("10.8.0.1:10001",), replica="10.8.0.1:10001"),
            id="a replica listens everywhere and goes by its replica's address",
        ),
        pytest.param(
            "10.8.0.2",
            {"replicas": ["storage1:10001"]},
            Addresses(listen="0.0.0.0", own="0.0.0.0:10001", replicas=("10.8.0.1:10001",), replica=None),
            id="others let their callees look where the call came from",
        ),
        pytest.param(
            "10.8.0.1",
            {"replicas": ["storage1:10002"]},
            Addresses(listen="0.0.0.0", own="0.0.0.0:10001", replicas=("10.8.0.1:10002",), replica=None),
            id="another port of this host is another host",
        ),
        pytest.param(
            "10.8.0.1",
            {"replicas": ["storage1:10001"], "control_address": "127.64.0.2"},
            Addresses(listen="127.64.0.2", own="127.64.0.2:10001", replicas=("10.8.0.1:10001",), replica=None),
            id="a control address decides who we are",
        ),
        pytest.param(
            "",
            {"replicas": ["127.64.0.1:10001"], "control_address": "127.64.0.1"},
            Addresses(
                listen="127.64.0.1", own="127.64.0.1:10001", replicas=("127.64.0.1:10001",), replica="127.64.0.1:10001"
            ),
            id="and whether the replica is ours",
        ),
        pytest.param(
            "127.0.0.1",
            {"replicas": ["127.0.0.1:10001"], "control_iface": "lo"},
            Addresses(
                listen="127.0.0.1", own="127.0.0.1:10001", replicas=("127.0.0.1:10001",), replica="127.0.0.1:10001"
            ),
            id="a control interface",
        ),
        pytest.param(
            "",
            {"replicas": ["six:10001"]},
            Addresses(listen="0.0.0.0", own="0.0.0.0:10001", replicas=("[fe80::1]:10001",), replica=None),
            id="IPv6 in brackets",
        ),
    ],
)
def test_settled(mine, given, expected):
    assert at(mine, **given) == expected


def test_only_the_first_replica_bootstraps():
    replicas = ["storage1:10001", "storage2:10001"]
    assert at("10.8.0.1", replicas=replicas).bootstraps
    assert not at("10.8.0.2", replicas=replicas).bootstraps
    assert not at("10.8.0.3", replicas=replicas).bootstraps


@pytest.mark.parametrize(
    ("code", "given"),
    [
        pytest.param(705, {"replicas": ["nowhere:10001"]}, id="a name that cannot be resolved"),
        pytest.param(739, {"replicas": [], "control_iface": "nope0"}, id="an interface there is not"),
        pytest.param(740, {"replicas": ["storage1:10001"], "control_iface": "lo"}, id="an interface that is elsewhere"),
    ],
)
def test_refused(code, given):
    with pytest.raises(Fault) as refused:
        at("10.8.0.1", **given)
    assert refused.value.code == code


def test_of_several_addresses_ipv4_comes_first():
    assert first_address("localhost") == "127.0.0.1"


@pytest.mark.parametrize("mine", ["10.8.0.1", "10.8.0.2"])
def test_a_host_is_no_replica_among_several(mine):
    """Each would keep a store of its own, and let ranks into a system of its own."""
    settled = at(mine, replicas=["storage1:10001", "storage2:10001", "10.8.0.3:10001"])
    with pytest.raises(SeveralReplicasError, match=rf"one of 3 .*{mine}:10001.*: list one replica in"):
        refuse_several_replicas(settled)


@pytest.mark.parametrize(
    ("mine", "replicas"),
    [("10.8.0.1", ["storage1:10001"]), ("10.8.0.9", ["storage1:10001", "storage2:10001", "10.8.0.3:10001"])],
    ids=["the only replica", "no replica itself"],
)
def test_a_host_may_be_the_only_replica_or_none_of_several(mine, replicas):
    refuse_several_replicas(at(mine, replicas=replicas))
