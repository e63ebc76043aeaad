"""What went wrong at many hosts, as people read it."""

import pytest

from daos_control.base.errors import DaosControlError
from daos_control.base.fault_codes import FaultCode
from daos_control.base.hostset import HostSet
from daos_control.cli.dmg.host_problems import folded_rows, hosts_text, problems_text
from daos_control.cli.ui.paint import bare, paint
from daos_control.client.reports import HostProblem


def told(*faults: tuple[str, DaosControlError]) -> list[str]:
    text = problems_text(tuple(HostProblem(error=error, hosts=HostSet([host])) for host, error in faults))
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (FaultCode.CLIENT_CONNECTION_REFUSED, "the server refused the connection"),
        (FaultCode.CLIENT_CONNECTION_BAD_HOST, "its name cannot be resolved"),
        (FaultCode.CLIENT_CONNECTION_CLOSED, "the host closed the connection before it took a request"),
    ],
)
def test_hosts_that_fail_alike_are_one_row(code: FaultCode, words: str) -> None:
    rows = told(*((f"node{number}:10001", code.fault(address=f"node{number}:10001")) for number in (1, 2)))
    assert rows == ["Errors:", "  Hosts     Error", "  -----     -----", f"  node[1-2] {words}"]


def test_a_port_that_is_not_the_usual_one_may_be_what_is_wrong() -> None:
    refused = FaultCode.CLIENT_CONNECTION_REFUSED.fault(address="node1:20001")
    assert told(("node1:20001", refused))[-1] == "  node1:20001 the server refused the connection"


def test_the_hint_to_be_patient_is_no_row_of_the_table() -> None:
    late = FaultCode.CLIENT_CONNECTION_TIMED_OUT.fault(address="the host")
    text = problems_text((HostProblem(error=late, hosts=HostSet(["127.64.1.1:10001"])),))
    *_, gap, hint, more = bare(paint(text, width=80)).splitlines()
    assert (gap, hint[:16]) == ("", "  Hosts that may")
    assert more == "    --timeout=1m."


def test_hosts_of_which_the_same_is_said_are_one_row() -> None:
    rows = [
        (HostSet(["node1:10001"]), ("8 GB",)),
        (HostSet(["node3"]), ("4 GB",)),
        (HostSet(["node2:10001"]), ("8 GB",)),
    ]
    assert folded_rows(rows) == [("node[1-2]", "8 GB"), ("node3", "4 GB")]


@pytest.mark.parametrize(
    ("hosts", "text"),
    [
        (["node1:10001", "node2:10001"], "node[1-2]"),
        (["node1:20001"], "node1"),
        (["node1:10001", "node1:10002"], "node1:10001,node1:10002"),
    ],
)
def test_ports_are_told_where_only_they_tell_hosts_apart(hosts: list[str], text: str) -> None:
    assert hosts_text(HostSet(hosts)) == text
