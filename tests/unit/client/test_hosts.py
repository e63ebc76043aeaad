"""From what people write to the addresses that calls go to."""

import pytest

from daos_control.base.errors import Fault
from daos_control.base.fault_codes import FaultCode
from daos_control.client.errors import InvalidRequest
from daos_control.client.hosts import addresses


def test_hosts_are_in_order_each_once_and_have_a_port():
    assert addresses(["node[2-3],node1:10002", "node3"], 10001) == ["node2:10001", "node3:10001", "node1:10002"]


@pytest.mark.parametrize("text", ["node1:", "node1:x", "node1:0", "node1:65536", "node1:²"])
def test_a_port_that_there_cannot_be_is_refused_by_name(text: str):
    with pytest.raises(InvalidRequest, match=f"host '{text}' should conform to hostname.*from 1 to 65535"):
        addresses([text], 10001)


@pytest.mark.parametrize(
    ("hosts", "port", "code"),
    [
        ([" "], 10001, FaultCode.CLIENT_CONFIG_EMPTY_HOST_LIST),
        (["node1"], 0, FaultCode.CLIENT_CONFIG_BAD_CONTROL_PORT),
    ],
)
def test_without_hosts_or_a_port_nobody_can_be_asked(hosts: list[str], port: int, code: FaultCode):
    with pytest.raises(Fault) as refused:
        addresses(hosts, port)
    assert refused.value.code == code


def test_what_is_no_host_list_is_refused():
    with pytest.raises(InvalidRequest, match="node\\[1-"):
        addresses(["node[1-"], 10001)
